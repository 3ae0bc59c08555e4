/** The simulated servers: what they announce, and what they say about a password. */
import type { Answer, Security } from "sansmtp";
import { allProviders, type Provider } from "sansmtp/providers";

export type Method = "password" | "oauth2";

/** Something to sign in with. */
export interface Secret {
  readonly label: string;
  readonly method: Method;
  readonly value: string;
}

export interface Account {
  readonly id: string;
  readonly label: string;
  readonly hostname: string;
  readonly host: string;
  readonly port: number;
  readonly security: Security;
  /** What EHLO announces besides STARTTLS and AUTH. */
  readonly extensions: readonly string[];
  readonly maxSize: number;
  readonly mechanisms: readonly string[];
  readonly user: string;
  /** What to try; the first is taken. */
  readonly secrets: readonly Secret[];
  /** `undefined` lets the user in. */
  readonly judge: (secret: string, method: Method) => Answer | undefined;
}

const password = (label: string, value: string): Secret => ({ label, method: "password", value });
const token = (label: string, value: string): Secret => ({ label, method: "oauth2", value });
const TOKEN = "ya29.a0-simulated-access-token";
const EXPIRED = "ya29.expired";

const USUAL = ["PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN", "CHUNKING"];
const WRONG: Answer = { code: 535, enhanced: "5.7.8", text: "Authentication credentials invalid" };

function gmail(secret: string, method: Method): Answer | undefined {
  if (method === "oauth2") {
    return secret === TOKEN ? undefined : { code: 535, enhanced: "5.7.8", text: "Username and Password not accepted. For more information, go to\n https://support.google.com/mail/?p=BadCredentials - gsmtp" };
  }
  // An app password is sixteen letters; the spaces are only shown.
  if (/^[a-z]{16}$/.test(secret.replaceAll(" ", ""))) return undefined;
  if (secret === "wrong") {
    return { code: 535, enhanced: "5.7.8", text: "Username and Password not accepted. For more information, go to\n https://support.google.com/mail/?p=BadCredentials - gsmtp" };
  }
  return { code: 534, enhanced: "5.7.9", text: "Application-specific password required. For more information, go to\n https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp" };
}

const GMAIL = {
  hostname: "smtp.gmail.com",
  host: "smtp.gmail.com",
  extensions: ["SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "CHUNKING", "SMTPUTF8"],
  maxSize: 35_882_577,
  mechanisms: ["LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER"],
  user: "anna@gmail.com",
  secrets: [
    password("app password", "abcdefghijklmnop"),
    password("account password", "My-Google-Passw0rd"),
    password("wrong password", "wrong"),
    token("OAuth2 token", TOKEN),
    token("expired token", EXPIRED),
  ],
  judge: gmail,
} as const;

const MICROSOFT = {
  extensions: ["SIZE", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"],
  maxSize: 157_286_400,
  mechanisms: ["LOGIN", "XOAUTH2"],
  port: 587,
  security: "starttls",
} as const;

/** The accounts that are simulated with all that is known of them. */
const KNOWN: readonly Account[] = [
  {
    id: "own",
    label: "A server of your own",
    hostname: "mail.example.org",
    host: "mail.example.org",
    port: 587,
    security: "starttls",
    extensions: USUAL.slice(0, 6),
    maxSize: 25 * 1024 * 1024,
    mechanisms: ["PLAIN", "LOGIN"],
    user: "anna@example.org",
    secrets: [password("right password", "correct horse"), password("wrong password", "wrong")],
    judge: (secret, method) => (secret === "correct horse" && method === "password" ? undefined : WRONG),
  },
  { id: "gmail-465", label: "Gmail, port 465", port: 465, security: "tls", ...GMAIL },
  { id: "gmail-587", label: "Gmail, port 587", port: 587, security: "starttls", ...GMAIL },
  {
    id: "outlook",
    label: "Outlook.com, port 587",
    hostname: "smtp-mail.outlook.com",
    host: "smtp-mail.outlook.com",
    ...MICROSOFT,
    user: "anna@outlook.com",
    secrets: [
      password("account password", "My-Microsoft-Passw0rd"),
      password("app password", "abcdefghijklmnop"),
      token("OAuth2 token", TOKEN),
      token("expired token", EXPIRED),
    ],
    judge: (secret, method) => {
      if (method === "password") return { code: 535, enhanced: "5.7.139", text: "Authentication unsuccessful, basic authentication is disabled." };
      return secret === TOKEN ? undefined : { code: 535, enhanced: "5.7.3", text: "Authentication unsuccessful" };
    },
  },
  {
    id: "office365",
    label: "Microsoft 365, port 587",
    hostname: "smtp.office365.com",
    host: "smtp.office365.com",
    ...MICROSOFT,
    user: "anna@contoso.example",
    secrets: [
      password("password, SMTP AUTH disabled", "My-Work-Passw0rd"),
      password("wrong password", "wrong"),
      token("OAuth2 token", TOKEN),
      token("expired token", EXPIRED),
    ],
    judge: (secret, method) => {
      if (method === "oauth2" && secret === TOKEN) return undefined;
      if (method === "oauth2" || secret === "wrong") return { code: 535, enhanced: "5.7.3", text: "Authentication unsuccessful" };
      return {
        code: 535,
        enhanced: "5.7.139",
        text: "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.\nVisit https://aka.ms/smtp_auth_disabled for more information.",
      };
    },
  },
];

const SIMULATED = new Set(["gmail", "outlook", "office365", "microsoft365"]);

/** Every other provider: its true servers and ways to sign in, with the usual extensions. */
const OTHERS: readonly Account[] = allProviders().flatMap((provider) => {
  const endpoint = provider.submission[0];
  if (!endpoint || SIMULATED.has(provider.id) || endpoint.security === "danger-plaintext" || !provider.needsAuth) return [];
  const { host, port, security } = endpoint;
  const fixed = !["address", "local-part", "issued", "none"].includes(provider.userName);
  const user = fixed ? provider.userName : provider.userName === "local-part" ? "anna" : "anna@example.org";
  return [
    {
      id: provider.id,
      label: `${provider.name}, port ${port}`,
      hostname: host,
      host,
      port,
      security,
      extensions: USUAL,
      maxSize: 25 * 1024 * 1024,
      mechanisms: ["PLAIN", "LOGIN", ...(provider.acceptsOAuth2 ? ["XOAUTH2"] : [])],
      user,
      secrets: secretsOf(provider),
      judge: (secret: string, method: Method) =>
        (method === "oauth2" ? secret === TOKEN : provider.acceptsPassword && secret === "correct horse") ? undefined : WRONG,
    } as const,
  ];
});

function secretsOf(provider: Provider): Secret[] {
  return [
    ...(provider.acceptsPassword ? [password("right password", "correct horse")] : []),
    ...(provider.acceptsOAuth2 ? [token("OAuth2 token", TOKEN)] : []),
    password("wrong password", "wrong"),
  ];
}

/** The accounts, in the order of the picker. */
export const GROUPS: readonly { readonly label: string; readonly accounts: readonly Account[] }[] = [
  { label: "With their own replies", accounts: KNOWN },
  { label: "With the usual replies", accounts: OTHERS },
];

export function accountOf(id: string): Account {
  return [...KNOWN, ...OTHERS].find((account) => account.id === id) ?? (KNOWN[0] as Account);
}
