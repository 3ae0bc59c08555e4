import { Server as Core } from "./core/core.js";
import { clock, milliseconds, NOTHING } from "./client.js";
import type { Answer, Failure, Security, ServerEvent, State } from "./types.js";

/** How a server presents itself, and what it bears. */
export interface ServerOptions {
  /** The name in the greeting and in the answer to EHLO. */
  readonly hostname: string;
  readonly security: Security;
  /** The EHLO keywords, besides STARTTLS and AUTH, which depend on the state of the session. */
  readonly extensions?: readonly string[];
  /** The largest message in octets, 0 for no limit; default 25 MiB. */
  readonly maxSize?: number;
  /** The SASL mechanisms; PLAIN and LOGIN can be carried out. */
  readonly mechanisms?: readonly string[];
  /** MAIL needs AUTH first. */
  readonly requireAuth?: boolean;
  /** Takes passwords although nothing protects them. For tests on the own machine. */
  readonly dangerPlaintextAuth?: boolean;
  /** Recipients of one message; default 1,000. */
  readonly maxRecipients?: number;
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
  readonly #core: Core;

  constructor(options: ServerOptions, now = clock()) {
    const core = new Core(options.hostname, options.security, now);
    this.#core = core;
    if (options.extensions) core.set_extensions([...options.extensions]);
    if (options.maxSize !== undefined) core.set_max_size(options.maxSize);
    core.set_auth([...(options.mechanisms ?? [])], options.requireAuth ?? false);
    if (options.dangerPlaintextAuth) core.set_danger_plaintext_auth(true);
    core.set_limits(options.maxRecipients ?? 1000, options.maxErrors ?? 20, 0);
    if (options.timeout !== undefined) {
      const limit = milliseconds(options.timeout);
      core.set_timeouts(limit, limit, limit, now);
    }
  }

  /** Takes what was read and says what follows, up to a request. Never throws because of the peer. */
  receive(bytes: Uint8Array = NOTHING, now = clock()): ServerEvent[] {
    return this.#core.receive(now, bytes) as ServerEvent[];
  }

  /** Tells that the peer will send nothing more; says what is wrong if a transaction was open. */
  receiveEof(): Failure | undefined {
    return this.#core.receive_eof() as Failure | undefined;
  }

  /** What is to be sent now, empty if nothing is. Call it until it is empty. */
  transmit(now = clock()): Uint8Array {
    return this.#core.transmit(now);
  }

  /** Says yes to the open request in the usual words. */
  accept(): void {
    this.#core.accept();
  }

  /** Answers the open request. */
  answer(answer: Answer): void {
    this.#core.answer(answer.code, answer.enhanced, answer.text);
  }

  /** Ends the session with 421 as soon as no transaction is open. */
  shutdown(): void {
    this.#core.shutdown();
  }

  /** When `handleTimeout` is due, in milliseconds of the clock. */
  get deadline(): number | undefined {
    return this.#core.poll_timeout();
  }

  /** Tells the time; says what is wrong if the client took too long. */
  handleTimeout(now = clock()): Failure | undefined {
    return this.#core.handle_timeout(now) as Failure | undefined;
  }

  get wantsTls(): boolean {
    return this.#core.wants_tls();
  }

  /** Tells that everything goes through TLS from now on. */
  tlsEstablished(now = clock()): Failure | undefined {
    return this.#core.tls_established(now) as Failure | undefined;
  }

  get isClosed(): boolean {
    return this.#core.is_closed();
  }

  get status(): ServerStatus {
    return this.#core.status() as ServerStatus;
  }

  /** Frees the memory at once; the garbage collector does it later otherwise. */
  [Symbol.dispose](): void {
    this.#core.free();
  }
}
