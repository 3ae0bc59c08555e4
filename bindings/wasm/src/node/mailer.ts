import type { Envelope } from "../client.js";
import { Connection, type Delivery, type RecipientResult } from "../connection.js";
import { SmtpError } from "../errors.js";
import type { Transport } from "../transport.js";
import type { Security } from "../types.js";
import { Transcript, type TranscriptLine } from "../wire.js";
import { type Mail, prepared } from "./mail.js";
import { type Logger, type MailerOptions, targetOf } from "./options.js";
import { connect } from "./socket.js";

/** What became of a mail. */
export interface SentMail {
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly accepted: string[];
  readonly rejected: string[];
  readonly rejectedErrors: SmtpError[];
  /** One result for each recipient, in their order. */
  readonly recipients: readonly RecipientResult[];
  readonly response: string;
  /** Octets. */
  readonly messageSize: number;
  /** Milliseconds that the dialogue took. */
  readonly messageTime: number;
}

/** Sends mail. */
export interface Mailer extends AsyncDisposable {
  readonly options: Readonly<{ host: string; port: number; security: Security }>;
  /** Throws an {@link SmtpError} if nobody gets the mail. */
  sendMail(mail: Mail): Promise<SentMail>;
  /** Connects and signs in, and sends nothing. Throws what is wrong. */
  verify(): Promise<true>;
  /** Says goodbye on the connections that are kept, and keeps no more. What is under way comes to its end. */
  close(): Promise<void>;
}

interface Slot {
  readonly connection: Connection;
  messages: number;
}

/** Makes a mailer. Throws an {@link SmtpError} with `ECONFIG` if the options can not work. */
export function createMailer(options: MailerOptions): Mailer {
  noneBesides(arguments);
  const { host, port, security, client, connectionTimeout, limit, maxMessages } = targetOf(options);
  const idle: Slot[] = [];
  const waiting: (() => void)[] = [];
  let [busy, connections, closed] = [0, 0, false];
  const logger = options.logger === true ? CONSOLE : options.logger || undefined;

  const open = async (): Promise<Slot> => {
    const transport = await connect({
      host,
      port,
      localAddress: options.localAddress,
      connectionTimeout,
      tls: options.tls,
    });
    const written = logger ? logged(transport, logger, ++connections) : transport;
    return { connection: await Connection.open(written, client), messages: 0 };
  };

  /** Runs `work` with a connection, and keeps it if it may be used again. */
  const withConnection = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    while (busy >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    busy++;
    try {
      let slot = take(idle);
      const kept = slot !== undefined;
      slot ??= await open();
      let result: T;
      try {
        result = await attempt(slot, work);
      } catch (error) {
        // The server closed a connection that was kept, before the message was begun: a fresh one will do.
        if (!(kept && !slot.connection.isOpen && isLost(error))) throw error;
        slot = await open();
        result = await attempt(slot, work);
      }
      return result;
    } finally {
      busy--;
      waiting.shift()?.();
    }
  };

  const attempt = async <T>(slot: Slot, work: (connection: Connection) => Promise<T>): Promise<T> => {
    try {
      return await work(slot.connection);
    } finally {
      slot.messages++;
      const { connection } = slot;
      if (options.pool && !closed && connection.isOpen && !connection.isSpent && connection.status.stage === "idle" && slot.messages < maxMessages) {
        idle.push(slot);
        void connection.lost().then(() => {
          const at = idle.indexOf(slot);
          if (at >= 0) {
            idle.splice(at, 1);
            connection.close();
          }
        });
      } else {
        await connection.quit();
      }
    }
  };

  /** Sends in as many transactions and connections as the server's limits ask for. */
  const deliver = async (envelope: Envelope, content: Uint8Array): Promise<Delivery> => {
    const parts = new Parts(envelope);
    try {
      do {
        await withConnection((connection) => parts.send(connection, content));
      } while (parts.pending.length > 0);
    } catch (error) {
      parts.giveUp(error);
    }
    return parts.end();
  };

  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all(idle.splice(0).map(({ connection }) => connection.quit()));
  };

  return {
    options: { host, port, security },
    async sendMail(mail) {
      noneBesides(arguments);
      const { envelope, content, messageId } = await prepared(mail);
      const start = performance.now();
      const delivery = await deliver(envelope, content);
      const refused = delivery.recipients.filter(({ accepted }) => !accepted);
      return {
        messageId,
        envelope: { from: envelope.from, to: envelope.to },
        accepted: delivery.recipients.filter(({ accepted }) => accepted).map(({ address }) => address),
        rejected: refused.map(({ address }) => address),
        rejectedErrors: refused.flatMap(({ error }) => (error ? [error] : [])),
        recipients: delivery.recipients,
        response: delivery.response,
        messageSize: content.length,
        messageTime: Math.round(performance.now() - start),
      };
    },
    async verify() {
      noneBesides(["nothing", ...arguments]);
      await withConnection((connection) => connection.noop());
      return true;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A message that may need several transactions, since the server takes fewer recipients at once (RFC 9422). */
class Parts {
  readonly #envelope: Envelope;
  readonly #results: RecipientResult[] = [];
  #response: string | undefined;
  #error: SmtpError | undefined;
  /** The places of those whose transaction broke off. */
  #tried: readonly number[] = [];
  /** The places of the recipients whose turn is still to come. */
  pending: number[];

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
    this.pending = [...envelope.to.keys()];
  }

  /** Sends what this connection may have. */
  async send(connection: Connection, content: Uint8Array): Promise<void> {
    let used = false;
    do {
      const flags = connection.admitted(this.#part(this.pending).to);
      const places = this.pending.filter((_, at) => flags[at]);
      if (places.length === 0 && this.pending.length > 0) {
        // A session that has just begun admits somebody.
        await connection.quit();
        return;
      }
      try {
        const { recipients, response } = await connection.send(this.#part(places), content);
        this.#response ??= response;
        this.#settle(places, (at) => recipients[at]);
        // Somebody got it, so that this comes to an end.
        this.pending.push(...places.filter((place) => isOverLimit(this.#results[place])));
      } catch (error) {
        // The part before may have been the last that the server wanted.
        if (used && isLost(error)) return;
        if (!(error instanceof SmtpError && connection.isOpen)) {
          this.#tried = places;
          throw error;
        }
        this.#fail(places, error);
      }
      used = true;
    } while (this.pending.length > 0 && connection.isOpen && connection.status.stage === "idle");
  }

  /** Leaves it at those who have got the message; throws if nobody has. */
  giveUp(error: unknown): void {
    if (this.#response === undefined || !(error instanceof SmtpError)) throw error;
    const tried = this.pending.filter((place) => this.#tried.includes(place));
    this.#fail(tried, error);
    this.#fail(this.pending, new SmtpError(error.code, `not sent to this recipient: ${error.message}`, { cause: error }));
  }

  /** What became of all; throws if nobody got the message. */
  end(): Delivery {
    if (this.#response !== undefined) return { recipients: this.#results, response: this.#response };
    throw this.#error;
  }

  #part(places: readonly number[]): Envelope {
    return { ...this.#envelope, to: places.map((place) => this.#envelope.to[place] ?? "") };
  }

  #fail(places: readonly number[], error: SmtpError): void {
    const each = error.rejectedErrors ?? [];
    this.#settle(places, (_, address) => {
      const own = each.find(({ recipient }) => recipient === address) ?? error;
      return { address, accepted: false, response: own.response ?? "", error: own };
    });
    if (this.#error) {
      this.#error.rejected = [...(this.#error.rejected ?? []), ...(error.rejected ?? [])];
      this.#error.rejectedErrors = [...(this.#error.rejectedErrors ?? []), ...each];
    } else {
      this.#error = error;
    }
  }

  #settle(places: readonly number[], result: (at: number, address: string) => RecipientResult | undefined): void {
    for (const [at, place] of places.entries()) {
      const settled = result(at, this.#envelope.to[place] ?? "");
      if (settled) this.#results[place] = settled;
    }
    this.pending = this.pending.filter((place) => !places.includes(place));
  }
}

/** Whether a recipient was refused only since there were too many (RFC 5321, section 4.5.3.1.10). */
function isOverLimit(result: RecipientResult | undefined): boolean {
  const { responseCode, enhancedCode } = result?.error ?? {};
  if (enhancedCode === undefined) return responseCode === 452;
  return (responseCode === 452 || responseCode === 552) && enhancedCode.endsWith(".5.3");
}

const CONSOLE: Logger = { debug: ({ connection }, line) => console.debug(`smtp ${connection} ${line}`) };

/** The same transport, whose dialogue is written down. */
function logged(transport: Transport, logger: Logger, connection: number, transcript = new Transcript()): Transport {
  const tell = (lines: readonly TranscriptLine[]): void => {
    for (const { speaker, text } of lines) {
      const mark = { client: "C: ", server: "S: ", neither: "" }[speaker];
      logger.debug({ component: "smtp", connection }, mark + text);
    }
  };
  let open = true;
  const tapped: Transport = {
    async read() {
      const bytes = await transport.read();
      if (bytes && open) tell(transcript.server(bytes));
      return bytes;
    },
    async write(bytes) {
      tell(transcript.client(bytes));
      await transport.write(bytes);
    },
    close() {
      if (open) tell(transcript.finish());
      open = false;
      transport.close();
    },
  };
  const { startTls } = transport;
  if (startTls) {
    tapped.startTls = async () => {
      const secured = await startTls.call(transport);
      tell(transcript.tls());
      return logged(secured, logger, connection, transcript);
    };
  }
  return tapped;
}

/** Programs that come from nodemailer may give a callback, and would wait for it in vain. */
function noneBesides(given: ArrayLike<unknown>): void {
  if (given.length > 1) throw new SmtpError("EMISUSE", "one argument is taken: there are no defaults for mails, and promises instead of callbacks");
}

function take(idle: Slot[]): Slot | undefined {
  for (;;) {
    const slot = idle.pop();
    if (slot === undefined || slot.connection.isOpen) return slot;
  }
}

function isLost(error: unknown): boolean {
  if (!(error instanceof SmtpError) || error.outcomeUnknown) return false;
  return (error.stage === "mail" || error.stage === "query") && (error.failure?.type === "closed" || error.responseCode === 421);
}
