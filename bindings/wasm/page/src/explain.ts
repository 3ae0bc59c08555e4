/** Where the standards speak of a line, and what the machines made of it. */
import { type ClientEvent, parseCommand, parseReply, type ServerEvent, transitions } from "sansmtp";
import type { Moment, Standing } from "./simulation.js";

export interface Reference {
  readonly title: string;
  readonly rfc: number;
  readonly section: string;
}

const COMMANDS: Record<string, Reference> = {
  EHLO: { title: "Hello, and a wish to know the extensions", rfc: 5321, section: "4.1.1.1" },
  HELO: { title: "Hello, the old way", rfc: 5321, section: "4.1.1.1" },
  STARTTLS: { title: "Switch to TLS", rfc: 3207, section: "4" },
  AUTH: { title: "Sign in", rfc: 4954, section: "4" },
  MAIL: { title: "A transaction begins: who sends", rfc: 5321, section: "4.1.1.2" },
  RCPT: { title: "One recipient", rfc: 5321, section: "4.1.1.3" },
  BDAT: { title: "A chunk of the content", rfc: 3030, section: "2" },
  DATA: { title: "The content is to come", rfc: 5321, section: "4.1.1.4" },
  RSET: { title: "The transaction is void", rfc: 5321, section: "4.1.1.5" },
  NOOP: { title: "Nothing, but an answer is due", rfc: 5321, section: "4.1.1.9" },
  QUIT: { title: "Goodbye", rfc: 5321, section: "4.1.1.10" },
};

/** What a server offers in its reply to EHLO. */
const EXTENSIONS: Record<string, Reference> = {
  "8BITMIME": { title: "Offered: text in more than ASCII", rfc: 6152, section: "2" },
  AUTH: { title: "Offered: these ways to sign in", rfc: 4954, section: "3" },
  BINARYMIME: { title: "Offered: content that is no text", rfc: 3030, section: "3" },
  CHUNKING: { title: "Offered: content in chunks of stated size", rfc: 3030, section: "2" },
  DSN: { title: "Offered: reports on the delivery", rfc: 3461, section: "3" },
  ENHANCEDSTATUSCODES: { title: "Offered: replies with more exact codes", rfc: 2034, section: "2" },
  PIPELINING: { title: "Offered: several commands without waiting in between", rfc: 2920, section: "2" },
  SIZE: { title: "Offered: the size is told beforehand; this is the most", rfc: 1870, section: "3" },
  SMTPUTF8: { title: "Offered: addresses and headers in UTF-8", rfc: 6531, section: "3.1" },
  STARTTLS: { title: "Offered: the switch to TLS", rfc: 3207, section: "2" },
};

/** The section that a moment is about. */
export function referenceOf(moment: Moment, before: readonly Moment[]): Reference {
  switch (moment.kind) {
    case "content":
      if (moment.shown.startsWith("BDAT")) return { title: "The content in chunks of stated size: no dots, no wait", rfc: 3030, section: "2" };
      return { title: "The content, with dots doubled, and the final dot", rfc: 5321, section: "4.5.2" };
    case "tls":
      if (before.length === 0) return { title: "TLS before anything is said", rfc: 8314, section: "3.3" };
      return { title: "Everything goes through TLS, and all begins anew", rfc: 3207, section: "4.2" };
    case "broken":
      if (before.length === 0) return { title: "Where mail is handed in", rfc: 8314, section: "3.3" };
      return { title: "A connection that is lost", rfc: 5321, section: "4.5.4.1" };
    case "end":
      return { title: "The end of a session", rfc: 5321, section: "3.8" };
  }
  if (moment.from === "attacker") return { title: "What somebody on the way can do before TLS", rfc: 3207, section: "6" };
  if (moment.from === "client") {
    const command = parseCommand(lineOf(moment));
    if (command.error === undefined) return COMMANDS[command.verb] ?? { title: command.verb, rfc: 5321, section: "4.1" };
    return { title: "A response within AUTH", rfc: 4954, section: "4" };
  }
  const reply = parseReply(lineOf(moment));
  const asked = before.findLast(({ from }) => from === "client");
  if (!asked) return { title: "The greeting", rfc: 5321, section: "3.1" };
  if (reply?.code === 334) return { title: "A challenge", rfc: 4954, section: "4" };
  const keyword = /^(?:EHLO|HELO)/.test(asked.shown) && EXTENSIONS[reply?.text.split(" ")[0]?.toUpperCase() ?? ""];
  if (keyword) return keyword;
  if (reply && !reply.last) return { title: "A line of a longer reply", rfc: 5321, section: "4.2.1" };
  if (reply?.enhanced) return { title: "A reply with an enhanced code", rfc: 2034, section: "4" };
  return { title: "A reply", rfc: 5321, section: "4.2" };
}

export function linkOf({ rfc, section }: Reference): string {
  return `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`;
}

/** The line as the core takes it apart, as pairs for a table. */
export function parseOf(moment: Moment): [string, string][] {
  if (moment.kind !== "line" || moment.from === "neither") return [];
  const parsed = moment.from === "client" ? parseCommand(lineOf(moment)) : parseReply(lineOf(moment));
  if (!parsed) return [["", "not a reply"]];
  if ("error" in parsed && parsed.error !== undefined) return [["", "a response, not a command"]];
  return Object.entries(parsed)
    .filter(([key, value]) => key !== "masked" && value !== undefined && value !== "")
    .map(([key, value]) => [key, String(value)]);
}

/** What the receiver made of it, one sentence each. */
export function eventText(event: ClientEvent | ServerEvent): string {
  switch (event.type) {
    case "failed":
      return `failed: ${event.failure.message}`;
    case "recipient":
      return "to" in event ? `recipient: is there mail for ${event.to}?` : `recipient ${event.index + 1}: ${event.reply.code}`;
    case "mail":
      return `mail: may ${event.from || "<>"} send?`;
    case "content":
      return "data" in event ? `content: ${event.data.length} octets without added dots` : "content: send it now";
    case "message":
      return `message: ${event.size} octets are complete, take them over?`;
    case "authenticate":
      return `authenticate: ${event.user} by ${event.mechanism}`;
    case "bearer":
      return `bearer: ${event.user} shows a token by ${event.mechanism}`;
    case "hello":
      return `hello: ${event.name}`;
    case "connect":
      return "connect: shall it be greeted?";
    case "not-delivered":
      return `not-delivered at ${event.stage}`;
    default:
      return "stage" in event ? `${event.type} (${event.stage})` : event.type;
  }
}

/** The steps of the transition table that led a machine from one state to the other at a moment; empty if none explains it. */
export function stepsBetween(from: Standing, to: Standing, moments: readonly Moment[], index: number): string[] {
  if (from === to) return [];
  const asked = moments.slice(0, index + 1).findLast((it) => it.from === "client")?.shown ?? "";
  const refused = /^[45]/.test(moments.slice(index).find((it) => it.from === "server")?.shown ?? "");
  // Several steps lead from one state to another: what was said tells which.
  const fits: Partial<Record<string, boolean>> = {
    hello: /^(?:EHLO|HELO)/.test(asked),
    reset: /^RSET/.test(asked),
    authenticate: !refused,
    "deny-authentication": refused,
    introduce: false,
  };
  const rows = transitions().filter(([, step]) => fits[step] ?? true);
  // The shortest way; a content that is complete takes three steps at once.
  let ways: { at: Standing; steps: string[] }[] = [{ at: from, steps: [] }];
  // A chunk of the content came before the last one in the same write.
  const chunked = moments[index]?.kind === "content" && / LAST$/.test(asked);
  for (let length = 1; length <= 5; length++) {
    ways = ways.flatMap((way) => rows.filter(([start]) => start === way.at).map(([, step, end]) => ({ at: end, steps: [...way.steps, step] })));
    const found = ways.find(({ at, steps }) => at === to && (!chunked || steps.includes("chunk")));
    if (found) return found.steps;
  }
  return [];
}
function lineOf(moment: Moment): Uint8Array {
  const { bytes } = moment;
  return bytes.at(-1) === 10 && bytes.at(-2) === 13 ? bytes.subarray(0, -2) : bytes;
}
