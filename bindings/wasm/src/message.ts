import { Answer, Fields } from "./codec.js";
import { tool } from "./core/core.js";
import { SmtpError } from "./errors.js";

/** A mail address with a display name. */
export interface AddressObject {
  readonly name?: string;
  readonly address: string;
}

/** One or more addresses: `Anna <anna@example.org>, bob@example.org`, an object, or a list of either. */
export type Addresses = string | AddressObject | readonly (string | AddressObject)[];

/** A file that goes along. */
export interface Attachment {
  readonly filename?: string;
  /** Text is written in UTF-8, unless `encoding` says that it is base64 or hex. */
  readonly content: string | Uint8Array;
  readonly encoding?: "utf-8" | "utf8" | "base64" | "hex";
  /** Default by the file name's ending. */
  readonly contentType?: string;
  /** Shows it in the HTML document, as `<img src="cid:...">`. */
  readonly cid?: string;
}

/** A message, in nodemailer's words. */
export interface Message {
  readonly from: Addresses;
  readonly sender?: string | AddressObject;
  readonly replyTo?: Addresses;
  readonly to?: Addresses;
  readonly cc?: Addresses;
  /** Gets the message, and nobody is told. */
  readonly bcc?: Addresses;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly Attachment[];
  readonly inReplyTo?: string;
  readonly references?: string | readonly string[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly { key: string; value: string }[];
  readonly date?: Date;
  /** The domain of the Message-ID; default that of the first author. */
  readonly messageIdDomain?: string;
}

/** A message as it goes over the wire, and its envelope. */
export interface Composed {
  readonly content: Uint8Array;
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

/** Writes a message: headers, encodings, MIME parts. Throws an {@link SmtpError} that names what is wrong. */
export function compose(message: Message): Composed {
  try {
    const { references } = message;
    const date = message.date ?? new Date();
    const fields = new Fields()
      .number(Math.floor(date.getTime() / 1000))
      .number(-date.getTimezoneOffset())
      .octets(crypto.getRandomValues(new Uint8Array(16)))
      .text(message.messageIdDomain ?? "");
    const lists = [message.from, message.sender, message.replyTo, message.to, message.cc, message.bcc].map((value) =>
      value === undefined ? [] : addresses(value),
    );
    for (const list of lists) {
      fields.list(list, ({ name, address }) => fields.some(name, (name) => fields.text(name)).text(address));
    }
    for (const value of [
      message.subject,
      message.inReplyTo,
      typeof references === "object" ? references.join(" ") : references,
      message.text,
      message.html,
    ]) {
      fields.some(value, (value) => fields.text(value));
    }
    fields.list(headerList(message.headers), ([name, value]) => fields.text(name).text(value));
    fields.list(message.attachments ?? [], ({ filename = "attachment", content, encoding, contentType, cid }) =>
      fields
        .text(filename)
        .text(contentType ?? contentTypeOf(filename))
        .octets(octets(content, encoding))
        .text(cid ?? ""),
    );
    const answer = new Answer(tool(0, fields.done()));
    const [from, sender, , to, cc, bcc] = lists.map((list) => list.map(() => answer.text()));
    const content = answer.rest();
    return {
      content,
      messageId: messageIdOf(content),
      // The same mailbox in two fields gets one copy.
      envelope: { from: sender?.[0] ?? from?.[0] ?? "", to: [...new Set([to, cc, bcc].flatMap((list) => list ?? []))] },
    };
  } catch (error) {
    throw error instanceof SmtpError ? error : new SmtpError("EMESSAGE", textOf(error), { cause: error });
  }
}

/** Takes lists of addresses apart. A text goes to the core as a person typed it. */
export function addresses(value: Addresses): { name: string | undefined; address: string }[] {
  if (typeof value === "string") {
    return splitList(value).map((address) => ({ name: undefined, address: toAsciiDomain(address) }));
  }
  if ("address" in value) return [{ name: value.name ?? "", address: toAsciiDomain(value.address) }];
  return value.flatMap((item) => addresses(item));
}

/** Splits at commas outside of quotes and angle brackets. */
function splitList(list: string): string[] {
  const parts: string[] = [];
  let [start, quoted, bracket] = [0, false, false];
  for (let at = 0; at < list.length; at++) {
    const c = list[at];
    if (quoted && c === "\\") at++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "<" || c === ">")) bracket = c === "<";
    else if (!quoted && !bracket && (c === "," || c === ";")) {
      parts.push(list.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(list.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** The domain in its `xn--` form, which every server takes. What a URL would cut off is left for the core to refuse. */
function toAsciiDomain(address: string): string {
  return address.replace(/@([^@<>\s[\]/?#:%\\]*[^\x00-\x7f][^@<>\s[\]/?#:%\\]*)(>?)\s*$/u, (whole, domain: string, end: string) => {
    try {
      return `@${new URL(`http://${domain}`).hostname}${end}`;
    } catch {
      return whole;
    }
  });
}

function headerList(headers: Message["headers"]): [string, string][] {
  if (headers === undefined) return [];
  if (Array.isArray(headers)) {
    return (headers as { key: string; value: string }[]).map(({ key, value }) => [key, value]);
  }
  return Object.entries(headers as Record<string, string | string[]>).flatMap(([key, value]) =>
    (typeof value === "string" ? [value] : value).map((one): [string, string] => [key, one]),
  );
}

function octets(content: string | Uint8Array, encoding: Attachment["encoding"]): Uint8Array {
  if (typeof content !== "string") return content;
  switch (encoding) {
    case "base64":
      return Uint8Array.from(atob(content.replace(/\s/g, "")), (c) => c.charCodeAt(0));
    case "hex":
      return Uint8Array.from(content.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    default:
      return new TextEncoder().encode(content);
  }
}

const CONTENT_TYPES: Record<string, string> = {
  csv: "text/csv; charset=utf-8",
  gif: "image/gif",
  gz: "application/gzip",
  htm: "text/html; charset=utf-8",
  html: "text/html; charset=utf-8",
  ics: "text/calendar; charset=utf-8",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  json: "application/json",
  log: "text/plain; charset=utf-8",
  md: "text/markdown; charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webp: "image/webp",
  xml: "application/xml",
  zip: "application/zip",
};

function contentTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return CONTENT_TYPES[ending] ?? "application/octet-stream";
}

/** The Message-ID in the head of a message; empty if there is none. */
export function messageIdOf(content: Uint8Array): string {
  const head = new TextDecoder().decode(content.subarray(0, 16_384));
  return /^Message-ID:\s*(<[^>]*>)/im.exec(head)?.[1] ?? "";
}

/** The text of whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
