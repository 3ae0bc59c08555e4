/** Runs the two machines against each other over a simulated network, and writes down every line. */
import {
  type Answer,
  Client,
  type ClientEvent,
  type Composed,
  compose,
  type Credentials,
  type Explanation,
  type Failure,
  isRequest,
  type Request,
  type Security,
  Server,
  type ServerEvent,
  SmtpError,
  type State,
  Transcript,
} from "sansmtp";
import { explain } from "sansmtp/providers";
import { accountOf } from "./accounts.js";
import { type Fault, faultOf } from "./faults.js";
import type { Settings } from "./settings.js";

/** Where a machine stands: a state of the table, or that it has given up, or that nobody here knows it. */
export type Standing = State | "failed" | "not seen";

/** One thing that happened. */
export interface Moment {
  readonly kind: "line" | "content" | "tls" | "broken" | "end";
  readonly from: "client" | "server" | "attacker" | "neither";
  /** As it may be shown: credentials masked. */
  readonly shown: string;
  /** As it was said, where that is something else. */
  readonly secret?: string;
  readonly bytes: Uint8Array;
  /** Whether it went through TLS. */
  readonly tls: boolean;
  /** Where both stand behind it. */
  readonly client: Standing;
  readonly server: Standing;
  /** What the receiver made of it. */
  readonly events: readonly (ClientEvent | ServerEvent)[];
  readonly good?: boolean;
  /** Moments of the same number left in one write. */
  readonly flight?: number;
  /** It was taken away on the way. */
  readonly lost?: boolean;
}

/** An answer that the server gave for the account or the fault, not by the rules. */
export interface Given {
  readonly on: Request["type"];
  /** The recipient it was about. */
  readonly match?: string;
  readonly answer: Answer;
}

export interface Simulation {
  readonly moments: readonly Moment[];
  readonly given: readonly Given[];
  /** A real server was asked. */
  readonly real?: boolean;
  /** What became of it, in a sentence or two. */
  readonly outcome: { readonly good: boolean; readonly partly?: boolean; readonly text: string; readonly lesson?: string; readonly nextStep?: string; readonly url?: string };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The message and its envelope as the settings say. Throws an `SmtpError` that names what is wrong. */
export function messageOf(settings: Settings): Composed {
  return compose({
    from: settings.from,
    to: settings.to,
    subject: settings.subject,
    text: faultOf(settings.fault).text ?? settings.text,
    date: new Date(1_750_000_000_000),
  });
}

export function credentialsOf({ user, method, password }: Settings): Credentials {
  return method === "oauth2" ? { user, accessToken: password } : { user, pass: password };
}

/** Runs a whole dialogue. */
export function simulate(settings: Settings): Simulation {
  try {
    return new Run(settings).run();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { moments: [], given: [], outcome: { good: false, text: `Nothing was sent: ${text}` } };
  }
}

class Run {
  readonly #settings: Settings;
  readonly #fault: Fault;
  readonly #account;
  readonly #message: Composed;
  readonly #client: Client;
  readonly #server: Server;
  readonly #transcript = new Transcript();
  readonly #moments: Moment[] = [];
  readonly #given: Given[] = [];
  readonly #refused: string[] = [];
  #now = 0;
  #tls = false;
  #broken = false;
  #recipients = 0;
  #received = 0;
  #failure: Failure | undefined;
  #mistake: string | undefined;
  #replies: string[] = [];
  #delivered = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#fault = faultOf(settings.fault);
    this.#account = accountOf(settings.provider);
    this.#message = messageOf(settings);
    this.#client = new Client(
      {
        host: settings.host,
        security: settings.security,
        ...(settings.name && { name: settings.name }),
        ...(settings.user && { auth: credentialsOf(settings) }),
      },
      0,
    );
    this.#server = new Server(
      {
        hostname: this.#account.hostname,
        security: this.#serverSecurity(),
        extensions: this.#account.extensions,
        maxSize: this.#account.maxSize,
        mechanisms: this.#account.mechanisms,
        requireAuth: true,
      },
      0,
    );
  }

  /** What the server does on the port: 465 speaks TLS at once, 587 offers STARTTLS. */
  #serverSecurity(): Security {
    return this.#settings.port === 465 ? "tls" : "starttls";
  }

  run(): Simulation {
    const unreached = this.#unreached();
    if (unreached) return unreached;
    if (this.#client.wantsTls !== this.#server.wantsTls) return this.#mismatch();
    for (let round = 0; round < 1000 && !this.#broken && !this.#failure; round++) {
      const moved = this.#handshake() || this.#serverSpeaks() || this.#clientSpeaks();
      if (!moved || (this.#client.isClosed && this.#server.isClosed)) break;
    }
    if (!this.#server.isClosed) this.#server.receiveEof();
    if (!this.#client.isClosed && !this.#failure) this.#client.receiveEof();
    this.#add({ kind: "end", from: "neither", shown: "The connection is closed.", bytes: new Uint8Array(0), events: [] });
    const outcome = this.#outcome();
    const lesson = this.#fault.lesson?.(this.#settings.security, this.#delivered);
    const simulation = { moments: this.#moments, given: this.#given, outcome: { ...outcome, ...(lesson && { lesson }) } };
    for (const machine of [this.#client, this.#server, this.#transcript]) machine[Symbol.dispose]();
    return simulation;
  }

  /** What the network says before anybody speaks SMTP. */
  #unreached(): Simulation | undefined {
    const { host, port } = this.#settings;
    const expected = this.#account;
    const nothing = (shown: string, text: string, nextStep: string): Simulation => {
      this.#add({ kind: "broken", from: "neither", shown, bytes: new Uint8Array(0), events: [] });
      return { moments: this.#moments, given: [], outcome: { good: false, text, nextStep } };
    };
    if (host.toLowerCase() !== expected.host) {
      return nothing(
        "No such host",
        `There is no server named ${host || "nothing at all"} on this simulated network.`,
        `For the chosen provider the server is ${expected.host}. The part behind the @ of an address is mostly not the name of its mail server.`,
      );
    }
    if (port === 465 || port === 587) return undefined;
    if (port === 25) {
      return nothing(
        "No answer",
        "Nobody answers on port 25: there servers hand mail to each other, and most networks close it for users.",
        "Use port 465 with TLS from the first byte, or port 587 with STARTTLS.",
      );
    }
    return nothing("No answer", `Nobody listens on port ${port || "?"} there.`, "Submission is on port 465 (TLS from the first byte) or 587 (STARTTLS).");
  }

  #mismatch(): Simulation {
    const waits = this.#client.wantsTls
      ? "The client begins with TLS, but the server on this port begins in the clear: it takes the handshake for a broken command."
      : "The client waits for a greeting, but the server on port 465 waits for TLS: nobody ever says anything.";
    this.#add({ kind: "broken", from: "neither", shown: "No understanding", bytes: new Uint8Array(0), events: [] });
    const nextStep = "Choose “TLS from the first byte” with port 465, and STARTTLS with port 587.";
    return { moments: this.#moments, given: [], outcome: { good: false, text: waits, nextStep } };
  }

  #handshake(): boolean {
    if (!this.#client.wantsTls || !this.#server.wantsTls) return false;
    this.#failure = this.#client.tlsEstablished(this.#now) ?? this.#server.tlsEstablished(this.#now);
    this.#tls = true;
    const [line] = this.#transcript.tls();
    this.#add({ kind: "tls", from: "neither", shown: line?.text ?? "TLS", bytes: new Uint8Array(0), events: [] });
    return true;
  }

  /** What the server has said arrives at the client. */
  #serverSpeaks(): boolean {
    this.#serverWorks(undefined);
    const bytes = this.#toClient.splice(0).reduce(concat, new Uint8Array(0));
    const agreed = this.#server.status.state === "handshake";
    for (const line of linesOf(bytes)) this.#deliverToClient(line, "server", agreed);
    return bytes.length > 0;
  }
  readonly #toClient: Uint8Array[] = [];

  /** Lets the server work until nothing more comes of what it has. */
  #serverWorks(input: Uint8Array | undefined): ServerEvent[] {
    const all: ServerEvent[] = [];
    for (;;) {
      const events = this.#server.receive(input, this.#now);
      input = undefined;
      all.push(...events);
      this.#decide(events);
      const bytes = this.#server.transmit(this.#now);
      if (bytes.length > 0) this.#toClient.push(bytes);
      else if (events.length === 0) return all;
    }
  }

  #deliverToClient(line: Uint8Array, from: "server" | "attacker", agreed: boolean): void {
    if (this.#failure || this.#broken) return;
    if (this.#fault.strip && from === "server" && /^250[ -]STARTTLS\r/.test(decoder.decode(line))) {
      this.#add({ kind: "line", from, shown: textOf(line), bytes: line, events: [], lost: true });
      this.#deliverToClient(encoder.encode(`${decoder.decode(line.subarray(0, 4))}XXXXXXXA\r\n`), "attacker", agreed);
      return;
    }
    const entries = this.#transcript.server(line);
    const events = this.#pieces(line).flatMap((piece) => this.#client.receive(piece, this.#now));
    this.#add({
      kind: "line",
      from,
      shown: entries.map(({ text }) => text).join(" ") || textOf(line),
      bytes: line,
      events,
      good: from === "server" && !/^[45]/.test(textOf(line)),
    });
    for (const event of events) this.#heed(event);
    const { inject } = this.#fault;
    if (from === "server" && agreed && inject) {
      const bytes = encoder.encode(inject);
      const found = this.#client.receive(bytes, this.#now);
      this.#add({ kind: "line", from: "attacker", shown: inject.trim().replaceAll("\r\n", " ⏎ "), bytes, events: found, good: false });
      for (const event of found) this.#heed(event);
    }
  }

  #heed(event: ClientEvent): void {
    if ("reply" in event && event.reply) this.#replies.push(event.reply.text);
    switch (event.type) {
      case "ready":
        try {
          this.#client.submit({ ...this.#message.envelope, size: this.#message.content.length }, this.#now);
        } catch (error) {
          if (error instanceof Error) this.#mistake = error.message;
          else this.#failure = error as Failure;
          this.#broken = true;
        }
        break;
      case "sender":
        this.#senderRefused = event.reply.code >= 400;
        if (this.#senderRefused) this.#explanation = explain(this.#settings.host, "mail", event.reply);
        break;
      case "recipient":
        // Behind a sender that was refused the rest is refused for that alone.
        if (event.reply.code >= 400 && !this.#senderRefused) {
          this.#refused.push(this.#message.envelope.to[event.index] ?? "");
          this.#explanation = explain(this.#settings.host, "rcpt", event.reply);
        }
        break;
      case "content":
        this.#sendContent();
        break;
      case "delivered":
        this.#delivered = true;
        this.#client.quit(this.#now);
        break;
      case "not-delivered":
        this.#notDelivered = event.stage;
        if (event.reply && !this.#senderRefused) this.#explanation = explain(this.#settings.host, event.stage, event.reply);
        try {
          this.#client.quit(this.#now);
        } catch {
          // The server has closed already.
        }
        break;
      case "refused":
        // The reply stays in mind; QUIT is still polite, unless the server closes.
        this.#refusal = { failure: this.#client.status.failure, replies: this.#replies.slice(-2) };
        try {
          this.#client.quit(this.#now);
        } catch {
          // 421: the server closes.
        }
        break;
      case "failed":
        // A refusal is told in two events; QUIT is under way by now.
        if (!this.#refusal) this.#failure = event.failure;
        break;
    }
  }
  #senderRefused = false;
  #notDelivered: Failure["stage"];
  #explanation: Explanation | undefined;
  #refusal: { failure: Failure | undefined; replies: string[] } | undefined;

  #sendContent(): void {
    const { content } = this.#message;
    const encoded = this.#client.content(content, this.#now) ?? new Uint8Array(0);
    this.#client.finish(this.#now);
    const bytes = concat(encoded, this.#client.transmit(this.#now));
    // With CHUNKING each chunk has its command before it, which says how long it is.
    const [, command] = /^(BDAT \d+(?: LAST)?)\r\n/.exec(decoder.decode(bytes.subarray(0, 64))) ?? [];
    const [, last] = /(BDAT \d+ LAST)\r\n$/.exec(decoder.decode(bytes.subarray(-32))) ?? [];
    const shown = this.#transcript.client(bytes).map(({ text }) => text);
    const chunks = `${command} [${content.length} octets]${last ? ` ${last}` : ""}`;
    this.#deliverToServer(bytes, "content", command ? chunks : shown.join(" "));
  }

  #clientSpeaks(): boolean {
    const bytes = this.#client.transmit(this.#now);
    this.#flight++;
    for (const line of linesOf(bytes)) {
      if (this.#broken) break;
      const entries = this.#transcript.client(line);
      this.#deliverToServer(line, "line", entries.map(({ text }) => text).join(" ") || textOf(line));
    }
    // With CHUNKING the content is due as soon as the envelope has left.
    if (bytes.length > 0 && !this.#broken) for (const event of this.#client.receive(undefined, this.#now)) this.#heed(event);
    return bytes.length > 0;
  }

  #flight = 0;

  #deliverToServer(bytes: Uint8Array, kind: "line" | "content", shown: string): void {
    const events = this.#pieces(bytes).flatMap((piece) => this.#serverWorks(piece));
    const text = textOf(bytes);
    const secret = kind === "line" && shown !== text ? text : undefined;
    this.#add({ kind, from: "client", shown, bytes, events, flight: this.#flight, ...(secret !== undefined && { secret }) });
    const behind = this.#fault.dropBehind;
    if (behind !== undefined && (kind === "content" ? behind === "." : text.startsWith(behind))) {
      this.#broken = true;
      this.#failure = this.#client.receiveEof();
      this.#add({
        kind: "broken",
        from: "neither",
        shown: "The connection breaks",
        bytes: new Uint8Array(0),
        events: this.#failure ? [{ type: "failed", failure: this.#failure }] : [],
      });
    }
  }

  /** Answers what the server asks, as its account and the fault want it. */
  #decide(events: readonly ServerEvent[]): void {
    for (const event of events) {
      if (event.type === "content") this.#received += event.data.length;
      if (!isRequest(event)) continue;
      const first = event.type === "recipient" && this.#recipients++ === 0;
      const answer =
        this.#fault.answer?.(event, first) ??
        (event.type === "authenticate"
          ? this.#account.judge(event.password, "password")
          : event.type === "bearer"
            ? this.#account.judge(event.token, "oauth2")
            : undefined);
      if (answer) {
        this.#server.answer(answer);
        this.#given.push({ on: event.type, ...(event.type === "recipient" && { match: event.to }), answer });
      } else this.#server.accept();
    }
  }

  #pieces(bytes: Uint8Array): Uint8Array[] {
    if (!this.#fault.trickle) return [bytes];
    return Array.from(bytes, (byte) => Uint8Array.of(byte));
  }

  #add(moment: Omit<Moment, "tls" | "client" | "server">): void {
    this.#now += 40;
    const { state, failure } = this.#client.status;
    this.#moments.push({
      ...moment,
      tls: this.#tls,
      // A refusal is no end: QUIT follows.
      client: failure && failure.type !== "refused" ? "failed" : state,
      server: this.#server.status.state,
    });
  }

  #outcome(): Simulation["outcome"] {
    const failure = this.#refusal?.failure ?? this.#failure;
    if (failure) {
      const reply = this.#refusal?.replies.join("\n") ?? "";
      const error = SmtpError.fromFailure(failure, this.#settings.host, failure.type === "refused" ? [reply] : []);
      const explanation = error.explanation;
      return {
        good: false,
        text: explanation?.meaning ?? sentence(failure.message),
        nextStep: explanation?.nextStep ?? sentence(failure.nextStep),
        ...(explanation?.url && { url: explanation.url }),
      };
    }
    const { to } = this.#message.envelope;
    if (this.#delivered) {
      const others = to.filter((address) => !this.#refused.includes(address));
      const refused = this.#refused.length > 0 ? ` Refused: ${this.#refused.join(", ")}.` : "";
      return {
        good: this.#refused.length === 0,
        partly: this.#refused.length > 0,
        text: `Delivered to ${others.join(", ")} (${this.#received} octets).${refused}`,
        ...(this.#explanation && { nextStep: `${this.#explanation.meaning} ${this.#explanation.nextStep}` }),
      };
    }
    if (this.#notDelivered) {
      const { meaning, nextStep } = this.#explanation ?? {};
      const text = `Nobody got it. ${meaning ?? `It was refused at ${this.#notDelivered}.`}`;
      return { good: false, text, ...(nextStep && { nextStep }) };
    }
    return { good: false, text: this.#mistake ? `Nothing was sent: ${this.#mistake}.` : "Nothing was sent." };
  }
}

/** The bytes as lines, each with its CR LF. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 10) {
      lines.push(bytes.subarray(start, at + 1));
      start = at + 1;
    }
  }
  if (start < bytes.length) lines.push(bytes.subarray(start));
  return lines;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(/\r\n$/, "");
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
