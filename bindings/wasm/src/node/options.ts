/** The options of a mailer: what they are, and what they mean. */
import type { ConnectionOptions } from "node:tls";
import { Client, type ClientOptions, type Credentials } from "../client.js";
import { SmtpError } from "../errors.js";
import { textOf } from "../message.js";
import { findProvider, nearestProvider } from "../providers.js";
import type { Security } from "../types.js";
import { checkNames, kindOf } from "./given.js";

/** How to reach a server, in nodemailer's words. */
export interface MailerOptions {
  /** A provider by name, mail address or domain: sets host, port and security. */
  readonly service?: string;
  /** Default `localhost`. */
  readonly host?: string;
  /** Default 587, or 465 with `secure`, or 25 with `ignoreTLS`. */
  readonly port?: number;
  /** TLS from the first byte; default for port 465. Otherwise STARTTLS is required. */
  readonly secure?: boolean;
  /** No TLS at all. Mail can be read and changed on the way. */
  readonly ignoreTLS?: boolean;
  /** As it is anyway: STARTTLS is never left out silently. */
  readonly requireTLS?: boolean;
  readonly auth?: MailerAuth;
  /** Sends the password even with `ignoreTLS`. For tests on the own machine. */
  readonly dangerPlaintextAuth?: boolean;
  /** The name for EHLO. */
  readonly name?: string;
  readonly localAddress?: string;
  /** Passed on to node:tls; the certificate is checked unless `rejectUnauthorized` is false. */
  readonly tls?: ConnectionOptions;
  /** Milliseconds; defaults 30 s, 30 s and 10 min. */
  readonly connectionTimeout?: number;
  readonly greetingTimeout?: number;
  readonly socketTimeout?: number;
  /** Keeps connections for the next messages. */
  readonly pool?: boolean;
  /** Writes every dialogue down, credentials masked: `true` for the console, or something with `debug`. */
  readonly logger?: boolean | Logger;
  /** As it is anyway: a logger gets the dialogue. */
  readonly debug?: boolean;
  /** Default 5. */
  readonly maxConnections?: number;
  /** Messages for one connection; default 100. */
  readonly maxMessages?: number;
}

/** What takes the lines of a dialogue, as loggers do: an entry with details, then the line. */
export interface Logger {
  debug(entry: { readonly component: "smtp"; readonly connection: number }, line: string): void;
}

/** `type: "OAuth2"` goes with `accessToken`. */
export type MailerAuth =
  | { readonly type?: "login" | "LOGIN"; readonly user: string; readonly pass: string }
  | { readonly type?: "OAuth2" | "oauth2"; readonly user: string; readonly accessToken: string };

/** What the options come to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly security: Security;
  readonly client: ClientOptions;
  readonly connectionTimeout: number;
  /** How many connections there may be at once. */
  readonly limit: number;
  readonly maxMessages: number;
}

const NAMES: readonly (keyof MailerOptions)[] = [
  "service", "host", "port", "secure", "ignoreTLS", "requireTLS", "auth", "dangerPlaintextAuth", "name", "localAddress", "tls",
  "connectionTimeout", "greetingTimeout", "socketTimeout", "pool", "logger", "debug", "maxConnections", "maxMessages",
];

const HINTS = {
  from: "each mail names its own",
  opportunisticTLS: "TLS is required, or off with ignoreTLS",
  user: "it belongs to auth: { user, pass }",
  pass: "it belongs to auth: { user, pass }",
  rejectUnauthorized: "it belongs to tls: { rejectUnauthorized }",
};

/** Takes the options apart. Throws an {@link SmtpError} with `ECONFIG` if they can not work. */
export function targetOf(options: MailerOptions): Target {
  if (typeof options !== "object" || options === null) {
    throw wrong(`the options are an object, as { host, port, auth: { user, pass } }, not ${kindOf(options)}`);
  }
  checkNames("ECONFIG", "createMailer", options, NAMES, HINTS);
  for (const name of ["secure", "ignoreTLS", "requireTLS", "dangerPlaintextAuth", "pool", "debug"] as const) {
    const value: unknown = options[name] ?? false;
    if (typeof value !== "boolean") throw wrong(`${name} is true or false, not ${kindOf(value)}`);
  }
  for (const name of ["service", "host", "name", "localAddress"] as const) {
    const value: unknown = options[name] ?? "";
    if (typeof value !== "string") throw wrong(`${name} is a text, not ${kindOf(value)}`);
  }
  const { logger } = options;
  if (logger && logger !== true && typeof logger.debug !== "function") throw wrong("the logger has no method debug");
  const place = placeOf(options, options.port ?? undefined);
  const auth = options.auth && credentials(options.auth);
  const client: ClientOptions = {
    host: place.host,
    security: place.security,
    ...(auth && { auth }),
    ...(options.name && { name: options.name }),
    dangerPlaintextAuth: options.dangerPlaintextAuth ?? false,
    greetingTimeout: time(options, "greetingTimeout", 30_000),
    timeout: time(options, "socketTimeout", 600_000),
  };
  try {
    // The core knows what it can not work with.
    new Client(client)[Symbol.dispose]();
  } catch (error) {
    throw new SmtpError("ECONFIG", textOf(error), { cause: error });
  }
  return {
    ...place,
    client,
    connectionTimeout: time(options, "connectionTimeout", 30_000),
    limit: options.pool ? count(options, "maxConnections", 5) : Number.POSITIVE_INFINITY,
    maxMessages: count(options, "maxMessages", 100),
  };
}

function wrong(message: string): SmtpError {
  return new SmtpError("ECONFIG", message);
}

/** Milliseconds that a timer bears. */
function time(options: MailerOptions, name: "connectionTimeout" | "greetingTimeout" | "socketTimeout", usual: number): number {
  // 0 leaves it at the default.
  const value: unknown = options[name] || usual;
  if (typeof value !== "number" || !(value > 0)) throw wrong(`${name} is a number of milliseconds`);
  return Math.min(value, 0x7fff_ffff);
}

function count(options: MailerOptions, name: "maxConnections" | "maxMessages", usual: number): number {
  const value: unknown = options[name] ?? usual;
  if (typeof value !== "number" || !(value >= 1)) throw wrong(`${name} is a number from 1 on`);
  return value;
}

/** Environment variables hold ports as text. */
function portOf(given: unknown): number | undefined {
  if (given === undefined) return undefined;
  const port = typeof given === "string" && /^\d{1,5}$/.test(given) ? Number(given) : given;
  if (typeof port === "number" && Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw wrong(`port is a number from 1 to 65535, not ${typeof given === "object" ? kindOf(given) : String(given)}`);
}

function placeOf(options: MailerOptions, given: unknown): { host: string; port: number; security: Security } {
  const port = portOf(given);
  const { secure, ignoreTLS } = options;
  if (ignoreTLS && secure) throw wrong("secure and ignoreTLS exclude each other");
  if (ignoreTLS && options.requireTLS) throw wrong("requireTLS and ignoreTLS exclude each other");
  if (options.service) {
    if (ignoreTLS) throw wrong("providers take mail over TLS only: leave ignoreTLS out");
    const provider = findProvider(options.service);
    if (!provider) {
      const near = nearestProvider(options.service);
      const hint = near ? `; did you mean ${near.id}?` : "";
      throw wrong(`there is no provider named ${options.service}${hint}`);
    }
    const endpoint =
      provider.submission.find((one) => one.port === port) ??
      provider.submission.find(({ security }) => (secure ?? undefined) === undefined || (security === "tls") === secure) ??
      provider.submission[0];
    if (!endpoint) throw wrong(`${provider.name} takes no mail by SMTP. ${provider.help}`);
    return { host: options.host ?? endpoint.host, port: port ?? endpoint.port, security: endpoint.security };
  }
  const host = options.host ?? "localhost";
  if (ignoreTLS) return { host, port: port ?? 25, security: "danger-plaintext" };
  if (secure ?? port === 465) return { host, port: port ?? 465, security: "tls" };
  return { host, port: port ?? 587, security: "starttls" };
}

function credentials(auth: MailerAuth): Credentials {
  if (typeof auth !== "object") throw wrong("auth is an object: { user, pass }");
  const { type = "login", user, pass, accessToken } = auth as { type?: string; user?: unknown; pass?: unknown; accessToken?: unknown };
  checkNames("ECONFIG", "auth", auth, ["type", "user", "pass", "accessToken"], TOKENS);
  if (typeof user !== "string" || user === "") throw wrong(`auth.user is the user name, not ${kindOf(user)}`);
  switch (type.toLowerCase()) {
    case "oauth2":
      break;
    case "login":
      if ((accessToken ?? undefined) !== undefined && (pass ?? undefined) === undefined) break;
      if (typeof pass !== "string" || pass === "") throw wrong(`auth.pass is the password, not ${kindOf(pass)}`);
      return { user, pass };
    default:
      throw wrong(`auth.type is login or OAuth2, not ${type}`);
  }
  if (typeof accessToken !== "string" || accessToken === "") throw wrong(`auth.accessToken is a token, not ${kindOf(accessToken)}`);
  return { user, accessToken };
}

const FETCH = "fetch a token from the provider and give it as accessToken";
const TOKENS = { clientId: FETCH, clientSecret: FETCH, refreshToken: FETCH, accessUrl: FETCH, serviceClient: FETCH, privateKey: FETCH, provisionCallback: FETCH };
