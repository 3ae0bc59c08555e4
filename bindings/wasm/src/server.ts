import { clock, milliseconds, placeOf } from "./client.js";
import { Answer as Answered, Caller, Fields, name, NOTHING } from "./codec.js";
import { Machine } from "./core/core.js";
import { STATES } from "./names.js";
import type { Answer, Failure, MailParameters, RcptParameters, Security, ServerEvent, State } from "./types.js";

/** How a server presents itself, and what it bears. */
export interface ServerOptions {
  /** The name in the greeting and in the answer to EHLO. */
  readonly hostname: string;
  readonly security: Security;
  /** The EHLO keywords, besides STARTTLS and AUTH, which depend on the state of the session. */
  readonly extensions?: readonly string[];
  /** The largest message in octets, 0 for no limit; default 25 MiB. */
  readonly maxSize?: number;
  /** The SASL mechanisms; PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER can be carried out. */
  readonly mechanisms?: readonly string[];
  /** MAIL needs AUTH first. */
  readonly requireAuth?: boolean;
  /** Takes passwords although nothing protects them. For tests on the own machine. */
  readonly dangerPlaintextAuth?: boolean;
  /** Recipients of one message; default 1,000. */
  readonly maxRecipients?: number;
  /** Octets of one line of the content; default 0, no limit. */
  readonly maxLine?: number;
  /** Refused commands until the connection is closed; default 20. */
  readonly maxErrors?: number;
  /** Milliseconds for a command line or a stretch of the content; default 5 and 3 minutes. */
  readonly timeout?: number;
}

export interface ServerStatus {
  readonly state: State;
  readonly tls: boolean;
  readonly authenticated: boolean;
  /** Whether a request waits for its answer. */
  readonly asking: boolean;
}

/**
 * The server as a machine that does no I/O. It keeps order, limits and syntax; its driver decides who may send
 * what to whom by answering each request.
 */
export class Server implements Disposable {
  readonly #core: Caller;

  constructor(options: ServerOptions, now = clock()) {
    const settings = new Fields()
      .text(options.hostname)
      .byte(placeOf(options.security))
      .byte(options.requireAuth ?? false)
      .byte(options.dangerPlaintextAuth ?? false)
      .number(options.maxSize ?? 25 * 1024 * 1024)
      .number(options.maxRecipients ?? 1000)
      .number(options.maxErrors ?? 20)
      .number(options.maxLine ?? 0)
      .number(options.timeout === undefined ? 0 : milliseconds(options.timeout));
    settings.list(options.mechanisms ?? [], (mechanism) => settings.text(mechanism));
    settings.some(options.extensions, (keywords) => settings.list(keywords, (keyword) => settings.text(keyword)));
    this.#core = new Caller(new Machine(), 1, now, settings.done());
  }

  /** Takes what was read and says what follows, up to a request. Never throws because of the peer. */
  receive(bytes: Uint8Array = NOTHING, now = clock()): ServerEvent[] {
    const answer = this.#core.call(0, now, bytes);
    const events: ServerEvent[] = [];
    while (answer.more) events.push(event(answer));
    return events;
  }

  /** Tells that the peer will send nothing more; says what is wrong if a transaction was open. */
  receiveEof(): Failure | undefined {
    return this.#core.receiveEof();
  }

  /** What is to be sent now, empty if nothing is. Call it until it is empty. */
  transmit(now = clock()): Uint8Array {
    return this.#core.transmit(now);
  }

  /** Says yes to the open request in the usual words. */
  accept(): void {
    this.#core.call(8);
  }

  /** Answers the open request. */
  answer(answer: Answer): void {
    const fields = new Fields().number(answer.code).text(answer.enhanced ?? "").text(answer.text);
    this.#core.call(9, 0, fields.done());
  }

  /** Ends the session with 421 as soon as no transaction is open. */
  shutdown(): void {
    this.#core.call(10);
  }

  /** When `handleTimeout` is due, in milliseconds of the clock. */
  get deadline(): number | undefined {
    return this.#core.pollTimeout();
  }

  /** Tells the time; says what is wrong if the client took too long. */
  handleTimeout(now = clock()): Failure | undefined {
    return this.#core.handleTimeout(now);
  }

  get wantsTls(): boolean {
    return this.#flags()[4] === 1;
  }

  /** Tells that everything goes through TLS from now on. */
  tlsEstablished(now = clock()): Failure | undefined {
    return this.#core.tlsEstablished(now);
  }

  get isClosed(): boolean {
    return this.#flags()[5] === 1;
  }

  get status(): ServerStatus {
    const [state, tls, authenticated, asking] = this.#flags();
    return { state: name(STATES, state ?? 0), tls: tls === 1, authenticated: authenticated === 1, asking: asking === 1 };
  }

  /** Frees the memory at once; the garbage collector does it later otherwise. */
  [Symbol.dispose](): void {
    this.#core.free();
  }

  #flags(): Uint8Array {
    return this.#core.call(11).rest();
  }
}

function event(answer: Answered): ServerEvent {
  const kind = answer.byte();
  switch (kind) {
    case 0:
      return { type: "connect" };
    case 1:
      return { type: "authenticate", mechanism: answer.text(), authorization: answer.text(), user: answer.text(), password: answer.text() };
    case 2:
      return { type: "bearer", mechanism: answer.text(), user: answer.text(), token: answer.text() };
    case 3:
      return { type: "authorize", mechanism: answer.text(), authorization: answer.text(), user: answer.text() };
    case 4:
      return { type: "mail", from: answer.text(), ...mailParameters(answer) };
    case 5:
      return { type: "recipient", to: answer.text(), ...rcptParameters(answer) };
    case 6:
      return { type: "data" };
    case 7:
      return { type: "message", size: answer.number() };
    case 8:
      return { type: "verify", argument: answer.text() };
    case 9:
      return { type: "expand", argument: answer.text() };
    case 20:
      return { type: "content", data: answer.octets() };
    case 21:
      return { type: "hello", name: answer.text(), extended: answer.flag() };
    case 22:
      return { type: "reset" };
    case 23:
      return { type: "starttls" };
    case 24:
      return { type: "failed", failure: answer.failure() };
    default:
      return { type: "help", argument: answer.text() };
  }
}

const BODIES = ["7bit", "8bitmime", "binarymime"] as const;
const RETURNS = ["full", "hdrs"] as const;

/** The parameters of MAIL. */
export function mailParameters(answer: Answered): MailParameters {
  const size = answer.some(() => answer.number());
  const body = BODIES[answer.byte()];
  const smtputf8 = answer.flag();
  const ret = RETURNS[answer.byte()];
  const envid = answer.some(() => answer.text());
  const auth = answer.some(() => answer.text());
  return {
    ...(size !== undefined && { size }),
    ...(body && { body }),
    smtputf8,
    ...(ret && { ret }),
    ...(envid !== undefined && { envid }),
    ...(auth !== undefined && { auth }),
  };
}

/** The parameters of RCPT. */
export function rcptParameters(answer: Answered): RcptParameters {
  const bits = answer.byte();
  const notify = ["success", "failure", "delay"].filter((_, place) => bits & (1 << place)).join(",") || "never";
  const orcpt = answer.some(() => `${answer.text()};${answer.text()}`);
  return { ...(bits !== 255 && { notify }), ...(orcpt !== undefined && { orcpt }) };
}
