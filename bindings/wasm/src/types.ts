// Programs that are compiled for an older library have no `Disposable` otherwise.
/// <reference lib="esnext.disposable" preserve="true" />
/** The values that the machines exchange with their driver. */
import type { ACTORS, FAILURES, FAULTS, MISUSES, REQUIREMENTS, SECURITIES, STAGES, STATES } from "./names.js";

/** What a dialogue is at. */
export type Stage = (typeof STAGES)[number];

/** Where a session stands, in the transition table that client and server share. */
export type State = (typeof STATES)[number];

/**
 * How a connection is protected: TLS from the first byte (usually port 465), STARTTLS before anything else is
 * said (usually port 587), or not at all.
 */
export type Security = (typeof SECURITIES)[number];

/** One line of a reply (RFC 5321, section 4.2). */
export interface ReplyLine {
  /** 200 to 599. */
  readonly code: number;
  /** The enhanced status code, as `5.7.8` (RFC 2034). */
  readonly enhanced?: string;
  /** The text behind the codes; control characters are escaped, so that it can be shown anywhere. */
  readonly text: string;
  /** Whether the reply ends with this line. */
  readonly last: boolean;
}

/** Why a dialogue can not go on. */
export interface Failure {
  /**
   * Who is at fault: the peer said no (`refused`), broke the protocol (`peer`), or lacks what was asked for
   * (`unmet`); the program made a wrong call (`misuse`); time ran out; the connection was lost.
   */
  readonly type: (typeof FAILURES)[number];
  readonly stage?: Stage;
  /** For `refused`. */
  readonly code?: number;
  /** For `refused`, if there was one. */
  readonly enhanced?: string;
  /** For `peer`: what it did. */
  readonly fault?: (typeof FAULTS)[number] | "other";
  /** For `unmet`: what is missing. */
  readonly requirement?: (typeof REQUIREMENTS)[number] | "other";
  /** For `misuse`. */
  readonly misuse?: (typeof MISUSES)[number] | "other";
  /** The message may have been accepted or not: its final dot was sent. */
  readonly outcomeUnknown: boolean;
  /** The same attempt may succeed later. */
  readonly temporary: boolean;
  /** Who has to act. */
  readonly actor: (typeof ACTORS)[number];
  /** What happened, in a sentence. */
  readonly message: string;
  /** What to do next, in a sentence. */
  readonly nextStep: string;
}

/** What a client says to its driver. */
export type ClientEvent =
  /** A line that needs no action: all lines of a reply but the last, and replies that only move the dialogue on. */
  | { readonly type: "reply"; readonly stage: Stage; readonly reply: ReplyLine }
  /** The server agreed to TLS: do the handshake, then call `tlsEstablished`. */
  | { readonly type: "starttls" }
  /** The session is set up: `submit` may be called. */
  | { readonly type: "ready" }
  /** The server refused the session or closes it. The machine has failed. */
  | { readonly type: "refused"; readonly stage: Stage; readonly reply: ReplyLine }
  /** The reply to MAIL. */
  | { readonly type: "sender"; readonly reply: ReplyLine }
  /** The reply to the RCPT with this index, from 0. */
  | { readonly type: "recipient"; readonly index: number; readonly reply: ReplyLine }
  /** The server waits for the content. */
  | { readonly type: "content" }
  /** The server refused a chunk of the content, and so the message: `not-delivered` follows. */
  | { readonly type: "chunk-refused"; readonly reply: ReplyLine }
  /** The server took the message for every recipient it had accepted. */
  | { readonly type: "delivered"; readonly reply: ReplyLine }
  /** The server took the message for nobody. */
  | { readonly type: "not-delivered"; readonly stage: Stage; readonly reply?: ReplyLine }
  /** The last line of the reply to a query. */
  | { readonly type: "answer"; readonly reply: ReplyLine }
  /** QUIT was answered: the connection can be closed. */
  | { readonly type: "closed" }
  /** The dialogue can not go on. */
  | { readonly type: "failed"; readonly failure: Failure };

/** What a client declares with MAIL. */
export interface MailParameters {
  /** Octets. */
  readonly size?: number;
  readonly body?: "7bit" | "8bitmime" | "binarymime";
  readonly smtputf8: boolean;
  readonly ret?: "full" | "hdrs";
  readonly envid?: string;
  readonly auth?: string;
}

/** What a client declares with RCPT: when reports are wanted, and the original recipient. */
export interface RcptParameters {
  /** `never`, or a list of `success`, `failure` and `delay`. */
  readonly notify?: string;
  readonly orcpt?: string;
}

/** What a server has to decide: each takes exactly one `accept` or `answer`. */
export type Request =
  | { readonly type: "connect" }
  | {
      readonly type: "authenticate";
      readonly mechanism: string;
      readonly authorization: string;
      readonly user: string;
      readonly password: string;
    }
  /** A token of XOAUTH2 or OAUTHBEARER; `user` is whom it is said to be for. */
  | { readonly type: "bearer"; readonly mechanism: string; readonly user: string; readonly token: string }
  /** Somebody who is known already wants to act for `authorization`. */
  | { readonly type: "authorize"; readonly mechanism: string; readonly authorization: string; readonly user: string }
  /** `from` is empty for the null reverse-path. */
  | ({ readonly type: "mail"; readonly from: string } & MailParameters)
  | ({ readonly type: "recipient"; readonly to: string } & RcptParameters)
  | { readonly type: "data" }
  /** The content is complete; `size` in octets. A positive answer takes over the responsibility for it. */
  | { readonly type: "message"; readonly size: number }
  | { readonly type: "verify"; readonly argument: string }
  | { readonly type: "expand"; readonly argument: string }
  | { readonly type: "help"; readonly argument: string };

/** What a server says to its driver. */
export type ServerEvent =
  | Request
  | { readonly type: "hello"; readonly name: string; readonly extended: boolean }
  /** A stretch of the content, without the dots that were added on the way. */
  | { readonly type: "content"; readonly data: Uint8Array }
  /** The transaction is void. */
  | { readonly type: "reset" }
  /** TLS was agreed: transmit what is left, do the handshake, then call `tlsEstablished`. */
  | { readonly type: "starttls" }
  | { readonly type: "failed"; readonly failure: Failure };

/** Whether an event of a server waits for an answer. */
export function isRequest(event: ServerEvent): event is Request {
  switch (event.type) {
    case "hello":
    case "content":
    case "reset":
    case "starttls":
    case "failed":
      return false;
    default:
      return true;
  }
}

/** A reply that a server gives. */
export interface Answer {
  /** 2yz (354 for DATA) says yes, 4yz and 5yz say no, 421 also closes the connection. */
  readonly code: number;
  /** As `5.7.8`; its first digit is that of the code. */
  readonly enhanced?: string;
  /** `\n` separates lines of at most 480 octets. */
  readonly text: string;
}
