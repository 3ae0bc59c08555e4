/** Checks of what a program gives. A field that is passed over would mean a mail or a connection other than it was meant. */
import { type ErrorCode, SmtpError } from "../errors.js";

/** Refuses fields that nobody reads; `hints` says what to do instead. */
export function checkNames(
  code: ErrorCode,
  what: string,
  given: object,
  names: readonly string[],
  hints: Readonly<Record<string, string>> = {},
): void {
  for (const [name, value] of Object.entries(given)) {
    // What is not there, or not wanted, is not missed.
    if (value === undefined || value === null || value === false || names.includes(name)) continue;
    const lower = name.toLowerCase();
    const near = names.find((one) => one.toLowerCase().startsWith(lower) || lower.startsWith(one.toLowerCase()));
    const hint = hints[name] ?? (near && `did you mean ${near}?`);
    throw new SmtpError(code, `${what} takes no ${name}${hint ? `; ${hint}` : ""}`);
  }
}

/** Without the fields that hold nothing; `null` is as good as none. */
export function withoutNothing<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)) as T;
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (typeof value !== "object") return `a ${typeof value}`;
  return `a ${value.constructor?.name ?? "object"}`.replace(/^a (?=[AEIOU])/, "an ");
}
