/** A mail as a program gives it, and its way to a message and an envelope. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Envelope, Reports } from "../client.js";
import { SmtpError } from "../errors.js";
import { type AddressObject, addresses, type Addresses, type Attachment, compose, type Message, messageIdOf } from "../message.js";
import { checkNames, kindOf, withoutNothing } from "./given.js";

/** A message to send: composed here, or ready with `raw` and `envelope`. */
export interface Mail extends Partial<Omit<Message, "attachments" | "text" | "html" | "date">> {
  /** A text, or a file's octets in UTF-8. */
  readonly text?: string | Uint8Array;
  readonly html?: string | Uint8Array;
  readonly attachments?: readonly MailAttachment[];
  readonly date?: Date | string | number;
  /** Who sends and receives, if not as the headers say. */
  readonly envelope?: { readonly from?: Addresses; readonly to?: Addresses; readonly cc?: Addresses; readonly bcc?: Addresses };
  /** A whole message; it is sent as it is. */
  readonly raw?: string | Uint8Array;
  readonly dsn?: MailReports;
}

/** Which reports are asked for, in nodemailer's words. */
export interface MailReports extends Omit<Reports, "return" | "notify"> {
  readonly return?: "full" | "hdrs" | "headers";
  readonly notify?: "never" | Notify | readonly ("never" | Notify)[];
}

type Notify = "success" | "failure" | "delay";

/** An attachment from memory or from a file. */
export type MailAttachment = (Omit<Attachment, "encoding"> & Told) | (Omit<Attachment, "content" | "encoding"> & Told & { readonly path: string | URL });

interface Told {
  /** How a text is to be read. */
  readonly encoding?: BufferEncoding;
  /** As it is anyway: `inline` with a `cid`, `attachment` without. */
  readonly contentDisposition?: "inline" | "attachment";
}

const NAMES: readonly (keyof Mail)[] = [
  "from", "sender", "replyTo", "to", "cc", "bcc", "subject", "text", "html", "attachments", "inReplyTo", "references", "headers",
  "date", "messageIdDomain", "envelope", "raw", "dsn",
];

const WHOLE = "write the whole message and give it as raw";
const HINTS = {
  alternatives: WHOLE,
  amp: WHOLE,
  attachDataUrls: "attach the images, each with a cid",
  icalEvent: WHOLE,
  list: 'write the headers, as headers: { "List-Unsubscribe": "<mailto:...>" }',
  messageId: "it is made here and stands in the result; messageIdDomain sets its domain",
  priority: 'write the headers, as headers: { "X-Priority": "1" }',
};

/** The message and its envelope. Throws an {@link SmtpError} that names what is wrong. */
export async function prepared(given: Mail): Promise<{ envelope: Envelope; content: Uint8Array; messageId: string }> {
  if (typeof given !== "object" || given === null) throw wrong(`a mail is an object, as { from, to, subject, text }, not ${kindOf(given)}`);
  checkNames("EMESSAGE", "a mail", given, NAMES, HINTS);
  const mail = withoutNothing(given);
  for (const name of ["from", "sender", "replyTo", "to", "cc", "bcc"] as const) checkAddresses("EMESSAGE", name, mail[name]);
  const { from: author, sender, to, cc, bcc, dsn } = mail;
  let content: Uint8Array;
  let messageId: string;
  let envelope: { readonly from: string; readonly to: readonly string[] };
  if (mail.raw !== undefined) {
    content = octetsOf("raw", mail.raw);
    messageId = messageIdOf(content);
    envelope = envelopeOf({ from: sender ?? author ?? "", ...(to && { to }), ...(cc && { cc }), ...(bcc && { bcc }) });
  } else {
    ({ content, messageId, envelope } = await composed(mail));
  }
  if (mail.envelope) {
    const own = withoutNothing(mail.envelope);
    checkNames("EENVELOPE", "envelope", own, ["from", "to", "cc", "bcc", "size"]);
    for (const name of ["from", "to", "cc", "bcc"] as const) checkAddresses("EENVELOPE", `envelope.${name}`, own[name]);
    envelope = envelopeOf({ from: envelope.from, ...own });
  }
  return { envelope: { ...envelope, ...(dsn && { dsn: reports(dsn) }) }, content, messageId };
}

function wrong(message: string, cause?: unknown): SmtpError {
  return new SmtpError("EMESSAGE", message, cause === undefined ? {} : { cause });
}

async function composed(mail: Mail): Promise<ReturnType<typeof compose>> {
  if (mail.from === undefined) throw new SmtpError("EENVELOPE", "from: missing; give at least one author");
  const { text, html, date, headers, attachments = [], ...rest } = mail;
  if (!Array.isArray(attachments)) throw wrong("attachments: give a list");
  for (const name of ["subject", "inReplyTo", "messageIdDomain"] as const) checkText(name, mail[name]);
  for (const one of [mail.references].flat()) checkText("references", one);
  const day = date === undefined ? new Date() : new Date(date);
  if (Number.isNaN(day.getTime())) throw wrong(`date: ${String(date)} is no date`);
  const message = {
    ...rest,
    from: mail.from,
    date: day,
    ...(text !== undefined && { text: writtenIn("text", text) }),
    ...(html !== undefined && { html: writtenIn("html", html) }),
    ...(headers !== undefined && { headers: headerFields(headers) }),
    attachments: await Promise.all(attachments.map(loaded)),
  };
  try {
    return compose(message);
  } catch (error) {
    const { cause } = error as SmtpError;
    throw cause instanceof WebAssembly.RuntimeError ? wrong("the message is too large for the memory that there is", cause) : error;
  }
}

/** Numbers become texts as they do elsewhere; objects would become "[object Object]". */
function checkText(name: string, value: unknown): void {
  if (typeof value === "object" || typeof value === "function") throw wrong(`${name}: give a text, not ${kindOf(value)}`);
}

function writtenIn(name: "text" | "html", value: string | Uint8Array): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value === "object") throw wrong(`${name}: give a text, not ${kindOf(value)}; read files and streams first`);
  return value;
}

function octetsOf(name: string, value: unknown): Uint8Array {
  if (typeof value === "string") return new TextEncoder().encode(value);
  if (value instanceof Uint8Array) return value;
  throw wrong(`${name}: give a text or a Buffer, not ${kindOf(value)}; read files and streams first`);
}

/** Any shape that headers come in, as a list. */
function headerFields(headers: NonNullable<Message["headers"]>): { key: string; value: string }[] {
  const pairs: [string, unknown][] = Array.isArray(headers)
    ? headers.map(({ key, value }) => [key, value])
    : Symbol.iterator in headers
      ? [...(headers as unknown as Map<string, unknown>)]
      : Object.entries(headers);
  return pairs.flatMap(([key, value]) =>
    [value].flat().map((one) => {
      checkText(`the header ${key}`, one);
      return { key, value: String(one) };
    }),
  );
}

function checkAddresses(code: "EMESSAGE" | "EENVELOPE", field: string, value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  if (Array.isArray(value)) return value.forEach((one) => checkAddresses(code, field, one ?? null));
  const { name, address } = (value ?? {}) as Partial<Record<keyof AddressObject, unknown>>;
  if (typeof address === "string" && ["string", "undefined"].includes(typeof (name ?? undefined))) return;
  throw new SmtpError(code, `${field}: give addresses as a text, as { name, address }, or as a list of these, not ${kindOf(value)}`);
}

function envelopeOf({ from, to, cc, bcc }: NonNullable<Mail["envelope"]>): { from: string; to: string[] } {
  const bare = (list: Addresses | undefined) => (list === undefined ? [] : addresses(list).map(bareAddress));
  return { from: bare(from)[0] ?? "", to: [...new Set([...bare(to), ...bare(cc), ...bare(bcc)])] };
}

/** The mailbox of `Name <user@domain>`; the core checks it. */
function bareAddress({ address }: { address: string }): string {
  return /<([^<>]*)>\s*$/.exec(address)?.[1] ?? address;
}

const ATTACHMENT_HINTS = {
  href: "fetch it first and give its content",
  raw: WHOLE,
  headers: WHOLE,
  contentTransferEncoding: "the encoding is chosen here",
};

async function loaded(attachment: MailAttachment, at: number): Promise<Attachment> {
  const what = `attachment ${at + 1}`;
  if (typeof attachment !== "object" || attachment === null) throw wrong(`${what}: give an object, as { filename, content } or { path }`);
  checkNames("EMESSAGE", what, attachment, ["filename", "content", "encoding", "contentType", "cid", "path", "contentDisposition"], ATTACHMENT_HINTS);
  const { filename, content, path, encoding, contentType, cid, contentDisposition } = withoutNothing(attachment) as Partial<
    Record<"content" | "filename" | "contentType" | "cid", unknown> & Told & { path: unknown }
  >;
  for (const value of [filename, contentType, cid]) {
    if (value !== undefined && typeof value !== "string") throw wrong(`${what}: filename, contentType and cid are texts`);
  }
  if (contentDisposition !== undefined && contentDisposition !== (cid ? "inline" : "attachment")) {
    throw wrong(`${what}: is inline if it has a cid, and an attachment otherwise`);
  }
  if ((content === undefined) === (path === undefined)) throw wrong(`${what}: give either content or path`);
  const [name, octets] = path === undefined ? [undefined, decoded(what, content, encoding)] : await file(what, path);
  return {
    ...withoutNothing({ contentType, cid }) as Partial<Attachment>,
    filename: (filename as string | undefined) ?? name ?? "attachment",
    content: octets,
  };
}

function decoded(what: string, content: unknown, encoding: BufferEncoding | undefined): Uint8Array {
  if (typeof content !== "string" || encoding === undefined) return octetsOf(what, content);
  if (!Buffer.isEncoding(encoding)) throw wrong(`${what}: there is no encoding ${String(encoding)}`);
  const form = { base64: /^[A-Za-z0-9+/\s]*={0,2}\s*$/, hex: /^(?:[0-9A-Fa-f]{2})*$/ }[encoding as string];
  if (form && !form.test(content)) throw wrong(`${what}: is not ${encoding}`);
  return Buffer.from(content, encoding);
}

async function file(what: string, path: unknown): Promise<[name: string, content: Uint8Array]> {
  if (typeof path !== "string" && !(path instanceof URL)) throw wrong(`${what}: path is a text, not ${kindOf(path)}`);
  if (/^(?:https?|data):/i.test(String(path))) throw wrong(`${what}: path is a file; fetch it first and give its content`);
  try {
    const local = path instanceof URL ? fileURLToPath(path) : path;
    return [basename(local), await readFile(local)];
  } catch (error) {
    throw wrong(`the attachment ${String(path)} can not be read: ${(error as Error).message}`, error);
  }
}

/** The reports as the core wants them. */
function reports(dsn: MailReports): Reports {
  checkNames("EENVELOPE", "dsn", dsn, ["return", "notify", "id", "recipient"]);
  const { return: returned, notify, id, recipient } = withoutNothing(dsn);
  const wanted = [notify ?? []].flat().flatMap((one) => one.toLowerCase().split(/[\s,]+/)) as ("never" | Notify)[];
  const back = returned?.toLowerCase();
  if (!["full", "hdrs", "headers", undefined].includes(back)) throw new SmtpError("EENVELOPE", "dsn.return is full or headers");
  for (const one of wanted) {
    if (!["never", "success", "failure", "delay"].includes(one)) {
      throw new SmtpError("EENVELOPE", "dsn.notify is never, or of success, failure and delay");
    }
  }
  return {
    ...(back && { return: back === "full" ? "full" : "hdrs" }),
    ...(wanted.length > 0 && { notify: wanted.includes("never") ? "never" : (wanted as Notify[]) }),
    ...(id && { id }),
    ...(recipient && { recipient: recipient.includes(";") ? recipient : `rfc822;${recipient}` }),
  };
}
