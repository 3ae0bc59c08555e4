/** Where the standards speak of a line, and what the machines made of it. */
import { type ClientEvent, parseCommand, parseReply, type ServerEvent, type State, transitions } from "sansmtp";
import type { Moment } from "./simulation.js";

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

/** The section that a moment is about. */
export function referenceOf(moment: Moment, before: readonly Moment[]): Reference {
  switch (moment.kind) {
    case "content":
      if (moment.shown.startsWith("BDAT")) return { title: "The content in chunks of stated size: no dots, no wait", rfc: 3030, section: "2" };
      return { title: "The content, with dots doubled, and the final dot", rfc: 5321, section: "4.5.2" };
    case "tls":
      return { title: "Everything goes through TLS", rfc: 8314, section: "3.3" };
    case "broken":
      return { title: "A connection that is lost", rfc: 5321, section: "4.5.4.1" };
    case "end":
      return { title: "The end of a session", rfc: 5321, section: "3.8" };
  }
  if (moment.from === "attacker") return { title: "What came before TLS counts no more", rfc: 3207, section: "6" };
  if (moment.from === "client") {
    const command = parseCommand(lineOf(moment));
    if (command.error === undefined) return COMMANDS[command.verb] ?? { title: command.verb, rfc: 5321, section: "4.1" };
    return { title: "A response within AUTH", rfc: 4954, section: "4" };
  }
  const reply = parseReply(lineOf(moment));
  const asked = before.findLast(({ from }) => from === "client");
  if (!asked) return { title: "The greeting", rfc: 5321, section: "3.1" };
  if (reply?.code === 334) return { title: "A challenge", rfc: 4954, section: "4" };
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

/** The step of the transition table between two states, if there is one. */
export function stepBetween(from: State, to: State): string | undefined {
  return from === to ? undefined : table().find((row) => row[0] === from && row[2] === to)?.[1];
}

let known: ReturnType<typeof transitions> | undefined;
function table(): ReturnType<typeof transitions> {
  known ??= transitions();
  return known;
}

function lineOf(moment: Moment): Uint8Array {
  const { bytes } = moment;
  return bytes.at(-1) === 10 && bytes.at(-2) === 13 ? bytes.subarray(0, -2) : bytes;
}
