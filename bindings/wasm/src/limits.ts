/**
 * How many recipients, and which, one more transaction of a session may have, by the limits that the server states
 * (LIMITS, RFC 9422). The core has them in the part for relays, which is not in this module.
 */
export class Limits {
  readonly #mails: number;
  readonly #recipients: number;
  readonly #mostDomains: number;
  readonly #domains = new Set<string>();
  #begun = 0;

  /** `said` is what the server said, the reply to EHLO in it. */
  constructor(said = "") {
    const line = /^250[- ]LIMITS .*/im.exec(said)?.[0] ?? "";
    const stated = (name: string): number => {
      const value = new RegExp(`\\s${name}=([1-9]\\d{0,5})(?!\\S)`, "i").exec(line)?.[1];
      return value === undefined ? Number.POSITIVE_INFINITY : Number(value);
    };
    this.#mails = stated("MAILMAX");
    this.#recipients = stated("RCPTMAX");
    this.#mostDomains = stated("RCPTDOMAINMAX");
  }

  /** Whether the session has had all its messages. */
  get isSpent(): boolean {
    return this.#begun >= this.#mails;
  }

  /** For each recipient, whether the next transaction may have it together with those before it. */
  admitted(recipients: readonly string[]): boolean[] {
    const domains = new Set(this.#domains);
    let left = this.isSpent ? 0 : this.#recipients;
    return recipients.map((recipient) => {
      const domain = domainOf(recipient);
      const known = domain === undefined || domains.has(domain);
      if (left === 0 || (!known && domains.size >= this.#mostDomains)) return false;
      if (domain !== undefined) domains.add(domain);
      left--;
      return true;
    });
  }

  /** Counts a transaction that begins. */
  begin(recipients: readonly string[]): void {
    this.#begun++;
    for (const recipient of recipients) {
      const domain = domainOf(recipient);
      if (domain !== undefined) this.#domains.add(domain);
    }
  }
}

/** Postmaster without a domain is the server's own. */
function domainOf(recipient: string): string | undefined {
  const at = recipient.lastIndexOf("@");
  return at < 0 ? undefined : recipient.slice(at + 1).toLowerCase();
}
