/**
 * Mail providers: their servers, how a person signs in there, and what their refusals mean. The table and its rules are the core's, as
 * data; what is looked up here gives what the core gives, which a test holds.
 */
import { STAGES } from "./names.js";
import { type Entry, type Row, type Rule, TABLE } from "./provider-table.js";
import { explainWith } from "./errors.js";
import type { Security, Stage } from "./types.js";

/** A server to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly security: Security;
}

/** A mail provider: its servers, and how a person signs in there. */
export interface Provider {
  /** Short name, as `gmail`. */
  readonly id: string;
  /** The name that people know. */
  readonly name: string;
  /** Best first. Empty where there is no submission by SMTP. */
  readonly submission: readonly Endpoint[];
  /** Where the mail of the same account is read; best first. */
  readonly imap: readonly Endpoint[];
  readonly pop3: readonly Endpoint[];
  /** What the server accepts, as "app password". */
  readonly signIn: string;
  readonly acceptsPassword: boolean;
  readonly acceptsOAuth2: boolean;
  readonly needsAuth: boolean;
  /** `address`, `local-part`, `issued`, `none`, or the one name that everybody has. */
  readonly userName: string;
  /** What a person must do to get credentials. */
  readonly help: string;
  readonly helpUrl?: string;
}

/** What a refusal means and what to do about it. */
export interface Explanation {
  readonly meaning: string;
  readonly nextStep: string;
  readonly url?: string;
}

/** The provider for a name, a mail address, a domain or the host name of a server. */
export function findProvider(nameOrAddress: string): Provider | undefined {
  const entry = nameOrAddress.includes("@")
    ? byAddress(nameOrAddress)
    : (byName(nameOrAddress) ?? byAddress(nameOrAddress) ?? byHost(nameOrAddress));
  return entry && provider(entry);
}

/** The provider whose name is nearest to a misspelt one. */
export function nearestProvider(nameOrAddress: string): Provider | undefined {
  const at = nameOrAddress.lastIndexOf("@");
  const typed = letters(nameOrAddress.slice(at + 1));
  if (typed.length === 0 || typed.length > LONGEST) return undefined;
  let best: { entry: Entry; distance: number } | undefined;
  for (const entry of TABLE.providers) {
    const names = at < 0 ? namesOf(entry) : [];
    const domains = nameOrAddress.includes("@") || nameOrAddress.includes(".") ? (entry.domains ?? []) : [];
    for (const name of [...names, ...domains.filter((domain) => !domain.includes("*"))]) {
      const distance = slips(typed, lettersOf(name));
      if (distance !== undefined && (best === undefined || distance < best.distance)) best = { entry, distance };
    }
  }
  return best && provider(best.entry);
}

/** All providers, the most used ones first. */
export function allProviders(): Provider[] {
  return TABLE.providers.map(provider);
}

/** The user name at a provider for a mail address, where it is made of it. */
export function userNameFor({ userName }: Provider, address: string): string | undefined {
  const [, localPart, domain] = /^(.*)@([^@]*)$/s.exec(address.trim()) ?? [];
  switch (userName) {
    case "issued":
    case "none":
      return undefined;
    case "address":
    case "local-part":
      if (!localPart || !domain) return undefined;
      return userName === "address" ? address.trim() : localPart;
    default:
      return userName;
  }
}

/** What a refusing reply of a server means; `undefined` if it is none. */
export function explain(
  host: string,
  stage: Stage,
  reply: { readonly code: number; readonly enhanced?: string; readonly text: string },
): Explanation | undefined {
  const { code, text } = reply;
  if (code < 400 || code > 599) return undefined;
  const enhanced = (reply.enhanced ?? /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(text)?.[1])?.replace(/\b0+(?=\d)/g, "");
  const lower = lowered(text);
  const entry = byHost(host);
  const family = entry ? (entry.family ?? 0) : (TABLE.marks.find(([phrase]) => lower.includes(phrase))?.[1] ?? 0);
  const fits = (rule: Rule): boolean =>
    (rule.codes?.includes(code) ?? true) &&
    (rule.enhanced === undefined || (enhanced !== undefined && rule.enhanced.includes(enhanced))) &&
    (rule.stages?.some((number) => STAGES[number] === stage) ?? true) &&
    (rule.phrases?.some((phrase) => lower.includes(phrase)) ?? true);
  const found = TABLE.families[family]?.find(fits) ?? TABLE.general.find(fits);
  const is = found?.is ?? (code < 500 ? TABLE.temporary : TABLE.permanent);
  let [meaning, nextStep, url] = TABLE.explanations[is] ?? ["", ""];
  // The general advice on credentials becomes concrete where the provider's own is known.
  if (entry && stage === "auth") {
    if (is === TABLE.badCredentials && entry.password && entry.help !== TABLE.ordinaryHelp) nextStep = entry.help;
    url ??= entry.helpUrl;
  }
  return { meaning, nextStep, ...(url !== undefined && { url }) };
}

explainWith(explain);

function provider(entry: Entry): Provider {
  return {
    id: entry.id,
    name: entry.name,
    submission: endpoints(entry.submission),
    imap: endpoints(entry.imap),
    pop3: endpoints(entry.pop3),
    signIn: entry.signIn,
    acceptsPassword: entry.password === 1,
    acceptsOAuth2: entry.oauth2 === 1,
    needsAuth: entry.userName !== "none",
    userName: entry.userName,
    help: entry.help,
    ...(entry.helpUrl !== undefined && { helpUrl: entry.helpUrl }),
  };
}

function endpoints(rows: readonly Row[] = []): Endpoint[] {
  return rows.map(([host, port, security]) => ({ host, port, security }));
}

const namesOf = ({ id, name, aliases = [] }: Entry): string[] => [id, name, ...aliases];

/** ASCII alone, as the core compares. */
function lowered(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

const lettersOfNames = new Map<string, readonly number[]>();

/** The same of a name of the table, which is asked for again and again. */
function lettersOf(name: string): readonly number[] {
  let known = lettersOfNames.get(name);
  if (!known) lettersOfNames.set(name, (known = letters(name)));
  return known;
}

/** Letters and digits in lower case, as octets. */
function letters(text: string): number[] {
  return [...new TextEncoder().encode(lowered(text).replace(/[\0-\x2f\x3a-\x60\x7b-\x7f]/g, ""))];
}

function byName(name: string): Entry | undefined {
  const wanted = letters(name).join();
  return wanted === "" ? undefined : TABLE.providers.find((entry) => namesOf(entry).some((one) => lettersOf(one).join() === wanted));
}

function byAddress(addressOrDomain: string): Entry | undefined {
  const domain = trimmed(addressOrDomain.slice(addressOrDomain.lastIndexOf("@") + 1));
  if (domain === "") return undefined;
  const find = (fits: (pattern: string) => boolean) => TABLE.providers.find(({ domains }) => domains?.some(fits));
  return find((pattern) => pattern === domain) ?? find((pattern) => pattern.includes("*") && domainFits(pattern, domain));
}

/** `yahoo.*` stands for a country's domain, `*.onmicrosoft.com` for every subdomain. */
function domainFits(pattern: string, domain: string): boolean {
  if (pattern.startsWith("*.")) {
    const end = pattern.slice(1);
    return domain.endsWith(end) && domain.length > end.length && !domain.startsWith(".");
  }
  const start = pattern.slice(0, -1);
  return domain.startsWith(start) && /^(?:com?\.)?[a-z]{2}$/.test(domain.slice(start.length));
}

function byHost(text: string): Entry | undefined {
  const host = trimmed(text);
  if (host === "localhost" || host.startsWith("127.") || host === "::1") return undefined;
  const named = TABLE.providers.find(({ submission }) => submission?.some(([server]) => server === host));
  return named ?? TABLE.providers.find(({ hosts }) => hosts?.some((pattern) => hostFits(pattern, host)));
}

/** One `*` stands for one or more characters. */
function hostFits(pattern: string, host: string): boolean {
  const [start = "", end] = pattern.split("*");
  if (end === undefined) return pattern === host;
  return host.length > start.length + end.length && host.startsWith(start) && host.endsWith(end);
}

function trimmed(domain: string): string {
  return lowered(domain.trim().replace(/\.$/, ""));
}

/** The most letters of a name that is compared. */
const LONGEST = 32;

/** How many letters are wrong, missing, added or swapped, if a slip of the hand explains it. */
function slips(typed: readonly number[], name: readonly number[]): number | undefined {
  const limit = typed.length < 3 ? 0 : typed.length < 6 ? 1 : typed.length < 9 ? 2 : 3;
  if (name.length === 0 || name.length > LONGEST || Math.abs(typed.length - name.length) > limit) return undefined;
  let above: number[] = [];
  let row = Array.from({ length: name.length + 1 }, (_, column) => column);
  typed.forEach((letter, line) => {
    const next = [line + 1];
    name.forEach((wanted, column) => {
      let least = Math.min((row[column] ?? 0) + Number(letter !== wanted), (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1);
      const swapped = line > 0 && column > 0 && typed[line - 1] === wanted && name[column - 1] === letter;
      if (swapped) least = Math.min(least, (above[column - 1] ?? 0) + 1);
      next.push(least);
    });
    [above, row] = [row, next];
  });
  const distance = row[name.length] ?? 0;
  return distance <= limit ? distance : undefined;
}
