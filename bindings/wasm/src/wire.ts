import * as core from "./core/core.js";
import type { MailParameters, ReplyLine, State } from "./types.js";

/** A command line, taken apart. */
export type Command =
  | { readonly error: string }
  | ({ readonly error?: undefined; readonly masked: string } & (
      | { readonly verb: "EHLO" | "HELO"; readonly name: string }
      | { readonly verb: "AUTH"; readonly mechanism: string; readonly initialResponse: boolean }
      | ({ readonly verb: "MAIL"; readonly from: string } & MailParameters)
      | { readonly verb: "RCPT"; readonly to: string; readonly notify?: string; readonly orcpt?: string }
      | { readonly verb: "VRFY" | "EXPN" | "HELP"; readonly argument: string }
      | { readonly verb: "STARTTLS" | "DATA" | "RSET" | "NOOP" | "QUIT" }
    ));

/** Takes a reply line without its CR LF apart; `undefined` if it is none. */
export function parseReply(line: Uint8Array): ReplyLine | undefined {
  return core.parseReply(line) as ReplyLine | undefined;
}

/** Takes a command line without its CR LF apart. */
export function parseCommand(line: Uint8Array): Command {
  return core.parseCommand(line) as Command;
}

/** Mail data as it goes over the wire: dots doubled, line ends completed, the final dot behind it. */
export function dotStuff(content: Uint8Array): Uint8Array {
  return core.dotStuff(content);
}

/** Every transition of a session: `[from, step, to]`. */
export function transitions(): [from: State, step: string, to: State][] {
  return core.transitions() as [State, string, State][];
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
  readonly #core: core.Transcript;

  /** With `content`, the lines of messages are shown and not only counted. */
  constructor(options: { readonly content?: boolean } = {}) {
    this.#core = new core.Transcript(options.content ?? false);
  }

  /** Takes what the client sends; gives the lines that are complete now. */
  client(bytes: Uint8Array): TranscriptLine[] {
    return this.#core.client(bytes) as TranscriptLine[];
  }

  /** Takes what the server sends; gives the lines that are complete now. */
  server(bytes: Uint8Array): TranscriptLine[] {
    return this.#core.server(bytes) as TranscriptLine[];
  }

  /** Everything goes through TLS from here on. */
  tls(): TranscriptLine[] {
    return this.#core.tls() as TranscriptLine[];
  }

  /** The connection is over: gives what was not complete. */
  finish(): TranscriptLine[] {
    return this.#core.finish() as TranscriptLine[];
  }

  [Symbol.dispose](): void {
    this.#core.free();
  }
}
