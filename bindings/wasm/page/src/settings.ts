/** What a person sets, and its form in the address bar. A password that was typed is never part of that. */
import type { Security } from "sansmtp";
import { accountOf, type Method } from "./accounts.js";
import { faultOf } from "./faults.js";

export interface Settings {
  provider: string;
  host: string;
  port: number;
  security: Security;
  user: string;
  method: Method;
  password: string;
  name: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  fault: string;
}

export const DEFAULTS: Settings = {
  provider: "own",
  host: "mail.example.org",
  port: 587,
  security: "starttls",
  user: "anna@example.org",
  method: "password",
  password: "correct horse",
  name: "laptop.example.org",
  from: "Anna <anna@example.org>",
  to: "bob@example.org, carol@example.org",
  subject: "Grüße",
  text: "Hello Bob,\n.this line begins with a dot,\n.\nand the line above is only a dot.\n",
  fault: "none",
};

/** What is set when a provider is chosen and nothing else. */
export function defaultsOf(provider: string): Settings {
  const { id, host, port, security, user, secrets } = accountOf(provider);
  const { method, value } = secrets[0] ?? { method: "password", value: "" };
  const from = user.includes("@") ? `Anna <${user}>` : DEFAULTS.from;
  return { ...DEFAULTS, provider: id, host, port, security, user, from, method, password: value };
}

/** The part behind the `#`: what differs from the provider's settings. */
export function toHash(settings: Settings, at: number): string {
  const usual = defaultsOf(settings.provider);
  const parameters = new URLSearchParams();
  if (settings.provider !== DEFAULTS.provider) parameters.set("provider", settings.provider);
  for (const [key, value] of Object.entries(settings)) {
    if (key !== "password" && key !== "method" && value !== usual[key as keyof Settings]) parameters.set(key, String(value));
  }
  // One of those that the page itself proposes goes by its place.
  const place = accountOf(settings.provider).secrets.findIndex(({ method, value }) => method === settings.method && value === settings.password);
  if (place > 0) parameters.set("secret", String(place));
  else if (settings.method !== usual.method) parameters.set("method", settings.method);
  if (at > 0) parameters.set("at", String(at));
  return parameters.toString();
}

/** Settings and position from the part behind the `#`. What makes no sense is passed over. */
export function fromHash(hash: string): { settings: Settings; at: number } {
  const parameters = new URLSearchParams(hash.replace(/^#/, ""));
  const settings = defaultsOf(parameters.get("provider") ?? DEFAULTS.provider);
  for (const key of Object.keys(DEFAULTS) as (keyof Settings)[]) {
    const value = parameters.get(key);
    if (value === null || key === "password" || key === "provider") continue;
    if (key === "port") {
      const port = Number.parseInt(value, 10);
      if (port >= 0 && port < 65_536) settings.port = port;
    } else if (key === "method") {
      if (value === "password" || value === "oauth2") settings.method = value;
    } else if (key === "security") {
      if (value === "tls" || value === "starttls" || value === "danger-plaintext") settings.security = value;
    } else if (key === "fault") {
      settings.fault = faultOf(value).id;
    } else {
      settings[key] = value;
    }
  }
  const secret = accountOf(settings.provider).secrets[Number.parseInt(parameters.get("secret") ?? "", 10)];
  if (secret) Object.assign(settings, { method: secret.method, password: secret.value });
  const at = Number.parseInt(parameters.get("at") ?? "0", 10);
  return { settings, at: Number.isFinite(at) ? Math.max(0, at) : 0 };
}
