import { Answer, Caller, name, NOTHING } from "./codec.js";
import { Machine, tool } from "./core/core.js";
import { STATES, STEPS } from "./names.js";
import { mailParameters, rcptParameters } from "./server.js";
import type { MailParameters, RcptParameters, ReplyLine, State } from "./types.js";

/** A command line, taken apart. */
export type Command =
  | { readonly error: (typeof ERRORS)[number] }
  | ({ readonly error?: undefined } & (
      | { readonly verb: "EHLO" | "HELO"; readonly name: string }
      | { readonly verb: "AUTH"; readonly mechanism: string; readonly initialResponse: boolean }
      | ({ readonly verb: "MAIL"; readonly from: string } & MailParameters)
      | ({ readonly verb: "RCPT"; readonly to: string } & RcptParameters)
      | { readonly verb: "BDAT"; readonly size: number; readonly last: boolean }
      | { readonly verb: "VRFY" | "EXPN" | "HELP"; readonly argument: string }
      | { readonly verb: "STARTTLS" | "DATA" | "RSET" | "NOOP" | "QUIT" }
    ));

const ERRORS = ["unrecognized", "control", "arguments", "address", "unknown-parameter", "too-large", "other"] as const;

/** Takes a reply line without its CR LF apart; `undefined` if it is none. */
export function parseReply(line: Uint8Array): ReplyLine | undefined {
  const answer = new Answer(tool(1, line));
  return answer.some(() => answer.reply());
}

const VERBS = ["EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "VRFY", "EXPN", "HELP", "QUIT"] as const;

/** Takes a command line without its CR LF apart, as a server with every extension does. */
export function parseCommand(line: Uint8Array): Command {
  const answer = new Answer(tool(2, line));
  const kind = answer.byte();
  if (kind === 255) return { error: name(ERRORS, answer.byte()) };
  const verb = name(VERBS, kind);
  const [first, second, number] = [answer.text(), answer.text(), answer.number()];
  switch (verb) {
    case "EHLO":
    case "HELO":
      return { verb, name: first };
    case "AUTH":
      return { verb, mechanism: first, initialResponse: second !== "" };
    case "MAIL":
      return { verb, from: first, ...mailParameters(answer) };
    case "RCPT":
      return { verb, to: first, ...rcptParameters(answer) };
    case "BDAT":
      return { verb, size: number, last: first !== "" };
    case "VRFY":
    case "EXPN":
    case "HELP":
      return { verb, argument: first };
    default:
      return { verb };
  }
}

/** Mail data as it goes over the wire: dots doubled, line ends completed, the final dot behind it. */
export function dotStuff(content: Uint8Array): Uint8Array {
  return new Answer(tool(3, content)).rest();
}

/** Every transition of a session: `[from, step, to]`. */
export function transitions(): [from: State, step: (typeof STEPS)[number], to: State][] {
  const answer = new Answer(tool(4, NOTHING));
  const all: [State, (typeof STEPS)[number], State][] = [];
  while (answer.more) all.push([name(STATES, answer.byte()), name(STEPS, answer.byte()), name(STATES, answer.byte())]);
  return all;
}

/** One line of a transcript. */
export interface TranscriptLine {
  /** A line as it was said, one whose secret is masked, the size of a message's content, or TLS coming up. */
  readonly type: "line" | "masked" | "content" | "tls";
  readonly speaker: "client" | "server" | "neither";
  readonly text: string;
}

/**
 * Writes down a dialogue from the bytes of both directions, whatever pieces they come in. Credentials are
 * masked; in doubt more than necessary.
 */
export class Transcript implements Disposable {
  readonly #core: Caller;

  /** With `content`, the lines of messages are shown and not only counted. */
  constructor(options: { readonly content?: boolean } = {}) {
    this.#core = new Caller(new Machine(), 2, 0, Uint8Array.of(Number(options.content ?? false)));
  }

  /** Takes what the client sends; gives the lines that are complete now. */
  client(bytes: Uint8Array): TranscriptLine[] {
    return lines(this.#core.call(0, 0, bytes));
  }

  /** Takes what the server sends; gives the lines that are complete now. */
  server(bytes: Uint8Array): TranscriptLine[] {
    return lines(this.#core.call(1, 0, bytes));
  }

  /** Everything goes through TLS from here on. */
  tls(): TranscriptLine[] {
    return lines(this.#core.call(2));
  }

  /** The connection is over: gives what was not complete. */
  finish(): TranscriptLine[] {
    return lines(this.#core.call(3));
  }

  [Symbol.dispose](): void {
    this.#core.free();
  }
}

const KINDS = ["line", "masked", "content", "tls"] as const;
const SPEAKERS = ["client", "server", "neither"] as const;

function lines(answer: Answer): TranscriptLine[] {
  const all: TranscriptLine[] = [];
  while (answer.more) all.push({ type: name(KINDS, answer.byte()), speaker: name(SPEAKERS, answer.byte()), text: answer.text() });
  return all;
}
