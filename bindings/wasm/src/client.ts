import { Client as Core } from "./core/core.js";
import type { ClientEvent, Failure, Security, Stage, State } from "./types.js";

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
  readonly #core: Core;

  constructor(options: ClientOptions, now = clock()) {
    const core = new Core(options.host, options.security, now);
    this.#core = core;
    if (options.name !== undefined) core.set_name(options.name);
    const auth = options.auth;
    if (auth) {
      const oauth2 = "accessToken" in auth;
      core.set_credentials(auth.user, oauth2 ? auth.accessToken : auth.pass, oauth2);
    }
    if (options.dangerPlaintextAuth) core.set_danger_plaintext_auth(true);
    if (options.greetingTimeout !== undefined || options.timeout !== undefined) {
      const step = milliseconds(options.timeout ?? 300_000);
      core.set_timeouts(milliseconds(options.greetingTimeout ?? step), step, now);
    }
  }

  /** Takes what was read and says what follows. Never throws because of the peer: see `failed`. */
  receive(bytes: Uint8Array = NOTHING, now = clock()): ClientEvent[] {
    return this.#core.receive(now, bytes) as ClientEvent[];
  }

  /** Tells that the peer will send nothing more; says what is wrong if the dialogue was not over. */
  receiveEof(): Failure | undefined {
    return this.#core.receive_eof() as Failure | undefined;
  }

  /** What is to be sent now, empty if nothing is. Call it until it is empty. */
  transmit(now = clock()): Uint8Array {
    return this.#core.transmit(now);
  }

  /** Opens a transaction. Throws if the addresses are wrong or the server lacks what the envelope needs. */
  submit(envelope: Envelope, now = clock()): void {
    const { from, to, size, dsn } = envelope;
    const notify = typeof dsn?.notify === "object" ? dsn.notify.join(",") : dsn?.notify;
    this.#core.submit(
      now,
      from,
      [...to],
      size,
      envelope.eightBit ?? false,
      envelope.smtputf8 ?? false,
      dsn?.return,
      notify,
      dsn?.id,
      dsn?.recipient,
    );
  }

  /** Encodes a chunk of the content, behind the event `content`. */
  content(chunk: Uint8Array, now = clock()): Uint8Array | undefined {
    return this.#core.content(now, chunk);
  }

  /** Ends the content; the next `transmit` gives the final dot. */
  finish(now = clock()): boolean {
    return this.#core.finish(now);
  }

  /** Asks the server something between two messages; `argument` is for the latter three. */
  query(kind: "noop" | "rset" | "vrfy" | "expn" | "help", argument = "", now = clock()): void {
    this.#core.query(now, kind, argument);
  }

  /** Says goodbye. */
  quit(now = clock()): void {
    this.#core.quit(now);
  }

  /** When `handleTimeout` is due, in milliseconds of the clock. */
  get deadline(): number | undefined {
    return this.#core.poll_timeout();
  }

  /** Tells the time; says what is wrong if the peer took too long. */
  handleTimeout(now = clock()): Failure | undefined {
    return this.#core.handle_timeout(now) as Failure | undefined;
  }

  /** Whether the TLS handshake is next. */
  get wantsTls(): boolean {
    return this.#core.wants_tls();
  }

  /** Tells that everything goes through TLS from now on. */
  tlsEstablished(now = clock()): Failure | undefined {
    return this.#core.tls_established(now) as Failure | undefined;
  }

  /** Whether `submit`, `query` or `quit` may be called. */
  get isReady(): boolean {
    return this.#core.is_ready();
  }

  get isClosed(): boolean {
    return this.#core.is_closed();
  }

  /** Whether the message may have been accepted although no 250 arrived. */
  get outcomeUnknown(): boolean {
    return this.#core.outcome_unknown();
  }

  get status(): ClientStatus {
    return this.#core.status() as ClientStatus;
  }

  /** Frees the memory at once; the garbage collector does it later otherwise. */
  [Symbol.dispose](): void {
    this.#core.free();
  }
}

export const NOTHING = new Uint8Array(0);

/** What fits the 32 bits that a limit has. */
export function milliseconds(value: number): number {
  return Math.min(Math.max(0, Math.trunc(value)), 0xffff_ffff);
}
