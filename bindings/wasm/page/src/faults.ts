/** What can go wrong, and on which side. */
import type { Answer, Request, Security } from "sansmtp";

export interface Fault {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  /** The server answers this request so. */
  readonly answer?: (request: Request, first: boolean) => Answer | undefined;
  /** The network loses the connection behind a client line that begins so; `.` stands for the final dot. */
  readonly dropBehind?: string;
  /** The network delivers one byte at a time. */
  readonly trickle?: boolean;
  /** Somebody on the way takes STARTTLS out of the server's list. */
  readonly strip?: boolean;
  /** Somebody on the way puts this behind the reply to STARTTLS, before TLS. */
  readonly inject?: string;
  /** What is to be learnt from how the machines bore it, if it came to that. */
  readonly lesson?: (security: Security, delivered: boolean) => string | undefined;
  /** The text of the message tries this. */
  readonly text?: string;
}

const on =
  (type: Request["type"], answer: Answer) =>
  (request: Request): Answer | undefined =>
    request.type === type ? answer : undefined;

export const FAULTS: readonly Fault[] = [
  { id: "none", label: "Nothing", help: "All goes well." },
  {
    id: "busy",
    label: "421: the server is busy",
    help: "It turns everybody away for now. The client must try again later, and says so.",
    answer: on("connect", { code: 421, enhanced: "4.3.2", text: "Too many connections, try again later" }),
  },
  {
    id: "auth",
    label: "535: the password is refused",
    help: "Whatever the password is. The client must not go on without signing in.",
    answer: (request) =>
      request.type === "authenticate" || request.type === "bearer"
        ? { code: 535, enhanced: "5.7.8", text: "Authentication credentials invalid" }
        : undefined,
  },
  {
    id: "recipient",
    label: "550: one recipient does not exist",
    help: "The first recipient is refused, the others get the message all the same.",
    answer: (request, first) =>
      request.type === "recipient" && first
        ? { code: 550, enhanced: "5.1.1", text: `<${request.to}>: no such user here` }
        : undefined,
  },
  {
    id: "greylist",
    label: "451: not now (greylisting)",
    help: "Every recipient is put off. Nothing was wrong: the same mail succeeds some minutes later.",
    answer: on("recipient", { code: 451, enhanced: "4.7.1", text: "Greylisted, come back in five minutes" }),
  },
  {
    id: "spam",
    label: "554: the message is refused as spam",
    help: "The verdict comes behind the final dot: nobody gets it.",
    answer: on("message", { code: 554, enhanced: "5.7.1", text: "This looks like spam" }),
  },
  ...(["EHLO", "AUTH", "MAIL", "RCPT"] as const).map((verb) => ({
    id: `drop-${verb.toLowerCase()}`,
    label: `The line breaks behind ${verb}`,
    help: "Nothing was handed over, so the client may simply try again.",
    dropBehind: verb,
  })),
  {
    id: "drop-dot",
    label: "The line breaks behind the final dot",
    help: "The server may have taken the message or not. A careful client says so instead of sending it twice.",
    dropBehind: ".",
  },
  {
    id: "trickle",
    label: "Bytes come one by one",
    help: "The dialogue must be the same, whatever pieces the network makes.",
    trickle: true,
    lesson: (_, delivered) => (delivered ? "Every byte came alone, and both said the same as ever." : undefined),
  },
  {
    id: "strip",
    label: "An attacker takes STARTTLS away",
    help: "The server seems to have no TLS. A client that goes on would give its password to everybody.",
    strip: true,
    lesson: (security) =>
      ({
        tls: "TLS from the first byte leaves nothing to take away.",
        starttls: "The client missed TLS and said nothing more: no user, no password, no mail.",
        "danger-plaintext": undefined,
      })[security],
  },
  {
    id: "inject",
    label: "An attacker adds plain text behind STARTTLS",
    help: "What came before TLS must not be taken for an answer inside of it (RFC 3207, section 6).",
    lesson: (security) =>
      ({
        tls: "TLS from the first byte leaves no place to add anything.",
        starttls: "The client believed none of it and gave up.",
        "danger-plaintext": undefined,
      })[security],
    inject: "250-AUTH PLAIN\r\n250 ok\r\n",
  },
  {
    id: "smuggle",
    label: "The text tries to smuggle a second mail",
    help: "It holds a dot on a line of its own and commands behind it. Each line that begins with a dot gets another one; with CHUNKING the length is stated.",
    lesson: (_, delivered) => (delivered ? "The server saw one mail: the commands in its text stayed text." : undefined),
    text: "Hello\r\n.\r\nMAIL FROM:<boss@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSend money!\n.\nQUIT\n",
  },
];

export function faultOf(id: string): Fault {
  return FAULTS.find((fault) => fault.id === id) ?? (FAULTS[0] as Fault);
}
