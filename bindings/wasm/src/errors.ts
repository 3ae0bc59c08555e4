import type { explain, Explanation } from "./providers.js";
import type { Failure, Stage } from "./types.js";

let explainer: typeof explain | undefined;

/** Fills `explanation` of the errors to come; the module of the providers does it when it is loaded. */
export function explainWith(explain: NonNullable<typeof explainer>): void {
  explainer = explain;
}

/** The codes that nodemailer uses, with the same meaning, and `EMISUSE` for wrong calls. */
export type ErrorCode =
  | "EAUTH"
  | "ECONFIG"
  | "ECONNECTION"
  | "EDNS"
  | "EENVELOPE"
  | "EMESSAGE"
  | "EMISUSE"
  | "EPROTOCOL"
  | "ESOCKET"
  | "ETIMEDOUT"
  | "ETLS";

/** What is known besides the code when an attempt fails. */
export interface ErrorDetails {
  readonly failure?: Failure;
  readonly stage?: Stage;
  readonly response?: string;
  readonly responseCode?: number;
  readonly enhancedCode?: string;
  readonly explanation?: Explanation;
  readonly cause?: unknown;
}

const COMMANDS: Partial<Record<Stage, string>> = {
  greeting: "CONN",
  hello: "EHLO",
  starttls: "STARTTLS",
  auth: "AUTH",
  mail: "MAIL FROM",
  rcpt: "RCPT TO",
  data: "DATA",
  content: "DATA",
  rset: "RSET",
  quit: "QUIT",
};

/** Why a mail was not sent. */
export class SmtpError extends Error {
  override readonly name = "SmtpError";
  readonly code: ErrorCode;
  /** What the dialogue was at. */
  readonly stage: Stage | undefined;
  /** The command that failed, by nodemailer's name. */
  readonly command: string | undefined;
  /** The server's reply, all lines. */
  readonly response: string | undefined;
  readonly responseCode: number | undefined;
  readonly enhancedCode: string | undefined;
  /** What it means and what to do next. */
  readonly explanation: Explanation | undefined;
  /** The error of the machine, if it comes from there. */
  readonly failure: Failure | undefined;
  /** The recipients that were refused, if the envelope was. */
  rejected?: string[];
  rejectedErrors?: SmtpError[];
  recipient?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.stage = details.stage ?? details.failure?.stage;
    this.command = this.stage && COMMANDS[this.stage];
    this.response = details.response;
    this.responseCode = details.responseCode ?? details.failure?.code;
    this.enhancedCode = details.enhancedCode ?? details.failure?.enhanced;
    this.explanation = details.explanation;
    this.failure = details.failure;
  }

  /** Whether the same attempt may succeed later. */
  get temporary(): boolean {
    if (this.failure) return this.failure.temporary;
    if (this.responseCode !== undefined) return this.responseCode < 500;
    return this.code === "ECONNECTION" || this.code === "ETIMEDOUT" || this.code === "ESOCKET" || this.code === "EDNS";
  }

  /** Whether the message may have been accepted all the same: do not send it again unseen. */
  get outcomeUnknown(): boolean {
    return this.failure?.outcomeUnknown ?? false;
  }

  /** What to do next, in a sentence. */
  get nextStep(): string | undefined {
    return this.explanation?.nextStep ?? this.failure?.nextStep;
  }

  /** The error for a failure of the machine; `response` holds the lines of the reply that it comes from. */
  static fromFailure(failure: Failure, host: string, response: readonly string[] = []): SmtpError {
    const text = response.join("\n");
    const said = text && failure.type === "refused" ? `: ${text}` : "";
    const explanation = failure.type === "refused" ? explained(host, failure, text) : undefined;
    return new SmtpError(codeOf(failure), failure.message + said, {
      failure,
      ...(text && { response: text }),
      ...(explanation && { explanation }),
    });
  }

  /** The error for a reply that refused a part of a transaction. */
  static refused(
    host: string,
    stage: Stage,
    reply: { readonly code: number; readonly enhanced?: string; readonly text: string },
    response: readonly string[],
  ): SmtpError {
    const explanation = explainer?.(host, stage, { ...reply, text: response.join("\n") });
    const text = response.join("\n");
    return new SmtpError(codeOfStage(stage), `the server refused ${COMMANDS[stage] ?? stage}: ${text}`, {
      stage,
      response: text,
      responseCode: reply.code,
      ...(reply.enhanced && { enhancedCode: reply.enhanced }),
      ...(explanation && { explanation }),
    });
  }
}

function explained(host: string, failure: Failure, text: string): Explanation | undefined {
  if (failure.code === undefined || failure.stage === undefined) return undefined;
  const enhanced = failure.enhanced;
  return explainer?.(host, failure.stage, { code: failure.code, text, ...(enhanced && { enhanced }) });
}

function codeOf(failure: Failure): ErrorCode {
  switch (failure.type) {
    case "refused":
      return failure.code === 421 ? "ECONNECTION" : codeOfStage(failure.stage);
    case "peer":
      return failure.fault === "plaintext-after-starttls" ? "ETLS" : "EPROTOCOL";
    case "unmet":
      switch (failure.requirement) {
        case "starttls":
          return "ETLS";
        case "auth":
        case "mechanism":
        case "tls-for-password":
          return "EAUTH";
        case "size":
        case "8bitmime":
          return "EMESSAGE";
        default:
          return "EENVELOPE";
      }
    case "timeout":
      return "ETIMEDOUT";
    case "closed":
      return "ECONNECTION";
    default:
      return "EMISUSE";
  }
}

function codeOfStage(stage: Stage | undefined): ErrorCode {
  switch (stage) {
    case "starttls":
      return "ETLS";
    case "auth":
      return "EAUTH";
    case "mail":
    case "rcpt":
      return "EENVELOPE";
    case "data":
    case "content":
      return "EMESSAGE";
    default:
      return "EPROTOCOL";
  }
}
