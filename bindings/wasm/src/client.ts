import { Answer, Caller, Fields, name, NOTHING } from "./codec.js";
import { Machine } from "./core/core.js";
import { SECURITIES, STAGES, STATES } from "./names.js";
import type { ClientEvent, Failure, ReplyLine, Security, Stage, State } from "./types.js";

/** What a client needs to know of its server and its user. */
export interface ClientOptions {
  /** The server's name or address. */
  readonly host: string;
  readonly security: Security;
  readonly auth?: Credentials;
  /** What the client calls itself in EHLO; default `[127.0.0.1]`. */
  readonly name?: string;
  /** Sends a password although nothing protects it. For tests on the own machine. */
  readonly dangerPlaintextAuth?: boolean;
  /** False keeps to DATA where the server offers CHUNKING. */
  readonly chunking?: boolean;
  /** The SASL mechanisms that may be used; default all that the credentials fit. */
  readonly mechanisms?: readonly string[];
  /** Milliseconds until the greeting must be there. */
  readonly greetingTimeout?: number;
  /** Milliseconds for every later step; bytes that trickle in do not extend it. */
  readonly timeout?: number;
}

/** A user and a password, or a user and an OAuth2 access token. */
export type Credentials =
  | { readonly user: string; readonly pass: string }
  | { readonly user: string; readonly accessToken: string };

/** Who sends and who receives, and what the server is told beforehand. */
export interface Envelope {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** Octets of the message, if known. */
  readonly size?: number;
  /** The content is not ASCII. */
  readonly eightBit?: boolean;
  /** The content is not text: it goes as BINARYMIME, or not at all. */
  readonly binary?: boolean;
  /** Headers are in UTF-8. Addresses are looked at anyway. */
  readonly smtputf8?: boolean;
  readonly dsn?: Reports;
}

/** Which reports are asked for (RFC 3461). */
export interface Reports {
  /** How much of the message a report returns. */
  readonly return?: "full" | "hdrs";
  readonly notify?: "never" | readonly ("success" | "failure" | "delay")[];
  /** The sender's name for this transaction, as xtext. */
  readonly id?: string;
  /** The original recipient, as `rfc822;name@example.org`. */
  readonly recipient?: string;
}

/** What a session is at. */
export interface ClientStatus {
  readonly state: State;
  readonly stage: Stage;
  readonly tls: boolean;
  /** The SASL mechanism that is or was used. */
  readonly mechanism?: string;
  /** The EHLO keywords that the server offers. */
  readonly extensions: readonly string[];
  readonly mechanisms: readonly string[];
  /** The largest message in octets; 0 where no limit is stated. */
  readonly maxSize: number;
  readonly failure?: Failure;
}

/** Milliseconds of a clock that never goes back. */
export function clock(): number {
  return performance.now();
}

/**
 * The client as a machine that does no I/O: bytes go in by `receive`, events come out of it, and what is to be
 * sent comes out of `transmit`. {@link Connection} drives it over a stream.
 */
export class Client implements Disposable {
  readonly #core: Caller;

  constructor(options: ClientOptions, now = clock()) {
    const { auth, timeout, greetingTimeout } = options;
    const timed = timeout !== undefined || greetingTimeout !== undefined;
    const step = timed ? milliseconds(timeout ?? 300_000) : 0;
    const settings = new Fields()
      .text(options.host)
      .byte(placeOf(options.security))
      .text(options.name ?? "")
      .byte(auth === undefined ? 0 : "accessToken" in auth ? 2 : 1)
      .text(auth?.user ?? "")
      .text(auth === undefined ? "" : "accessToken" in auth ? auth.accessToken : auth.pass)
      .byte(options.dangerPlaintextAuth ?? false)
      .byte(options.chunking ?? true);
    settings.list(options.mechanisms ?? [], (mechanism) => settings.text(mechanism));
    settings.number(timed ? milliseconds(greetingTimeout ?? step) : 0).number(step);
    this.#core = new Caller(new Machine(), 0, now, settings.done());
  }

  /** Takes what was read and says what follows. Never throws because of the peer: see `failed`. */
  receive(bytes: Uint8Array = NOTHING, now = clock()): ClientEvent[] {
    const answer = this.#core.call(0, now, bytes);
    const events: ClientEvent[] = [];
    while (answer.more) events.push(event(answer));
    return events;
  }

  /** Tells that the peer will send nothing more; says what is wrong if the dialogue was not over. */
  receiveEof(): Failure | undefined {
    return this.#core.receiveEof();
  }

  /** What is to be sent now, empty if nothing is. Call it until it is empty. */
  transmit(now = clock()): Uint8Array {
    return this.#core.transmit(now);
  }

  /** Opens a transaction. Throws if the addresses are wrong or the server lacks what the envelope needs. */
  submit(envelope: Envelope, now = clock()): void {
    const { from, to, size, dsn } = envelope;
    const fields = new Fields().text(from);
    fields.some(size, (size) => fields.number(size));
    fields
      .byte(envelope.binary ? 2 : envelope.eightBit ? 1 : 0)
      .byte(envelope.smtputf8 ?? false)
      .byte(dsn?.return === undefined ? 0 : dsn.return === "full" ? 1 : 2)
      .byte(reports(dsn?.notify))
      .text(dsn?.id ?? "")
      .text(dsn?.recipient ?? "")
      .list(to, (recipient) => fields.text(recipient));
    this.#core.call(8, now, fields.done());
  }

  /** Encodes a chunk of the content, behind the event `content`. */
  content(chunk: Uint8Array, now = clock()): Uint8Array | undefined {
    const answer = this.#core.call(11, now, chunk);
    return answer.some(() => answer.rest());
  }

  /** Ends the content; the next `transmit` gives the final dot. */
  finish(now = clock()): boolean {
    return this.#core.call(12, now).flag();
  }

  /** Asks the server something between two messages; `argument` is for the latter three. */
  query(kind: Query, argument = "", now = clock()): void {
    this.#core.call(9, now, new Fields().byte(QUERIES.indexOf(kind)).text(argument).done());
  }

  /** Says goodbye. */
  quit(now = clock()): void {
    this.#core.call(10, now);
  }

  /** When `handleTimeout` is due, in milliseconds of the clock. */
  get deadline(): number | undefined {
    return this.#core.pollTimeout();
  }

  /** Tells the time; says what is wrong if the peer took too long. */
  handleTimeout(now = clock()): Failure | undefined {
    return this.#core.handleTimeout(now);
  }

  /** Whether the TLS handshake is next. */
  get wantsTls(): boolean {
    return this.#flag(0);
  }

  /** Tells that everything goes through TLS from now on. */
  tlsEstablished(now = clock()): Failure | undefined {
    return this.#core.tlsEstablished(now);
  }

  get isClosed(): boolean {
    return this.#flag(1);
  }

  /** Whether `submit`, `query` or `quit` may be called. */
  get isReady(): boolean {
    return this.#flag(2);
  }

  /** Whether the message may have been accepted although no 250 arrived. */
  get outcomeUnknown(): boolean {
    return this.#flag(3);
  }

  /** Whether the server, or the chunk that was begun, waits for content. */
  get wantsContent(): boolean {
    return this.#flag(4);
  }

  get status(): ClientStatus {
    const answer = this.#core.call(14);
    const [state, stage, tls] = [name(STATES, answer.byte()), name(STAGES, answer.byte()), answer.flag()];
    const [mechanism, maxSize] = [answer.text(), answer.number()];
    const failure = answer.some(() => answer.failure());
    const mechanisms: string[] = [];
    while (answer.flag()) mechanisms.push(answer.text());
    const extensions: string[] = [];
    while (answer.more) extensions.push(answer.text());
    return {
      state,
      stage,
      tls,
      ...(mechanism && { mechanism }),
      extensions,
      mechanisms,
      maxSize,
      ...(failure && { failure }),
    };
  }

  /** Frees the memory at once; the garbage collector does it later otherwise. */
  [Symbol.dispose](): void {
    this.#core.free();
  }

  #flag(place: number): boolean {
    return this.#core.call(13).rest()[place] === 1;
  }
}

/** What can be asked between two messages. */
export type Query = (typeof QUERIES)[number];
const QUERIES = ["noop", "rset", "vrfy", "expn", "help"] as const;

function event(answer: Answer): ClientEvent {
  const kind = answer.byte();
  if (kind === 12) return { type: "failed", failure: answer.failure() };
  const [stage, index] = [name(STAGES, answer.byte()), answer.number()];
  const reply = answer.some(() => answer.reply());
  switch (kind) {
    case 1:
      return { type: "starttls" };
    case 2:
      return { type: "ready" };
    case 6:
      return { type: "content" };
    case 9:
      return { type: "not-delivered", stage, ...(reply && { reply }) };
    case 11:
      return { type: "closed" };
  }
  const line = reply as ReplyLine;
  switch (kind) {
    case 0:
      return { type: "reply", stage, reply: line };
    case 3:
      return { type: "refused", stage, reply: line };
    case 5:
      return { type: "recipient", index, reply: line };
    default: {
      const type = ({ 4: "sender", 7: "chunk-refused", 8: "delivered" } as const)[kind] ?? "answer";
      return { type, reply: line };
    }
  }
}

/** NOTIFY in bits; 8 is NEVER, 0 leaves it to the server. */
function reports(notify: Reports["notify"]): number {
  if (notify === undefined) return 0;
  if (notify === "never") return 8;
  return notify.reduce((bits, one) => bits | { success: 1, failure: 2, delay: 4 }[one], 0);
}

/** The number of a kind of security. A misspelt one must not become none. */
export function placeOf(security: Security): number {
  const place = SECURITIES.indexOf(security);
  if (place < 0) throw new Error(`security is one of ${SECURITIES}`);
  return place;
}

/** What fits the 32 bits that a limit has. */
export function milliseconds(value: number): number {
  return Math.min(Math.max(0, Math.trunc(value)), 0xffff_ffff);
}
