/**
 * The names of what the core counts: each list in the order of its enumeration there. A test of the module's
 * crate holds them together.
 */
export const SECURITIES = ["tls", "starttls", "danger-plaintext"] as const;

export const STAGES = [
  "greeting",
  "hello",
  "starttls",
  "auth",
  "idle",
  "mail",
  "rcpt",
  "data",
  "content",
  "rset",
  "query",
  "quit",
] as const;

export const STATES = [
  "opening",
  "greeted",
  "ready",
  "handshake",
  "authenticating",
  "mail",
  "recipients",
  "content",
  "chunking",
  "verdict",
  "closing",
  "closed",
] as const;

export const STEPS = [
  "greet",
  "turn-away",
  "hello",
  "agree-tls",
  "tls-up",
  "challenge",
  "authenticate",
  "deny-authentication",
  "mail",
  "recipient",
  "go-ahead",
  "chunk",
  "complete",
  "judge",
  "reset",
  "introduce",
  "part",
  "close",
] as const;

export const FAILURES = ["refused", "peer", "unmet", "misuse", "timeout", "closed", "other"] as const;

export const FAULTS = [
  "not-a-reply",
  "line-too-long",
  "too-many-lines",
  "bare-line-end",
  "code-changed",
  "unsolicited",
  "unexpected-code",
  "plaintext-after-starttls",
  "bad-challenge",
  "server-not-proven",
] as const;

export const REQUIREMENTS = [
  "starttls",
  "auth",
  "mechanism",
  "tls-for-password",
  "size",
  "smtputf8",
  "8bitmime",
  "binarymime",
  "dsn",
  "require-tls",
  "deliver-by",
  "future-release",
  "mt-priority",
  "etrn",
  "xclient",
  "recipients",
  "messages",
  "recipient",
] as const;

export const MISUSES = ["busy", "tls-not-wanted", "nothing-to-answer", "content-cut-short", "over"] as const;

export const ACTORS = ["user", "server", "time", "program"] as const;
