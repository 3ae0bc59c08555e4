/** The simulated servers: what they announce, and what they say about a password. */
import type { Answer, Security } from "sansmtp";

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
  /** Passwords to try; the first is taken. */
  readonly passwords: readonly { readonly label: string; readonly value: string }[];
  /** `undefined` lets the user in. */
  readonly judge: (password: string) => Answer | undefined;
}

const USUAL = ["PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN"];

function gmail(password: string): Answer | undefined {
  // An app password is sixteen letters; the spaces are only shown.
  if (/^[a-z]{16}$/.test(password.replaceAll(" ", ""))) return undefined;
  if (password === "wrong") {
    return {
      code: 535,
      enhanced: "5.7.8",
      text: "Username and Password not accepted. For more information, go to\n https://support.google.com/mail/?p=BadCredentials - gsmtp",
    };
  }
  return {
    code: 534,
    enhanced: "5.7.9",
    text: "Application-specific password required. For more information, go to\n https://support.google.com/mail/?p=InvalidSecondFactor - gsmtp",
  };
}

const GMAIL = {
  hostname: "smtp.gmail.com",
  host: "smtp.gmail.com",
  extensions: ["SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "PIPELINING", "SMTPUTF8"],
  maxSize: 35_882_577,
  mechanisms: ["LOGIN", "PLAIN", "XOAUTH2", "OAUTHBEARER"],
  user: "anna@gmail.com",
  passwords: [
    { label: "app password", value: "abcd efgh ijkl mnop" },
    { label: "account password", value: "My-Google-Passw0rd" },
    { label: "wrong password", value: "wrong" },
  ],
  judge: gmail,
} as const;

/** The accounts, in the order of the picker. */
export const ACCOUNTS: readonly Account[] = [
  {
    id: "own",
    label: "A server of your own",
    hostname: "mail.example.org",
    host: "mail.example.org",
    port: 587,
    security: "starttls",
    extensions: USUAL,
    maxSize: 25 * 1024 * 1024,
    mechanisms: ["PLAIN", "LOGIN"],
    user: "anna@example.org",
    passwords: [
      { label: "right password", value: "correct horse" },
      { label: "wrong password", value: "wrong" },
    ],
    judge: (password) =>
      password === "correct horse"
        ? undefined
        : { code: 535, enhanced: "5.7.8", text: "Authentication credentials invalid" },
  },
  { id: "gmail-465", label: "Gmail, port 465", port: 465, security: "tls", ...GMAIL },
  { id: "gmail-587", label: "Gmail, port 587", port: 587, security: "starttls", ...GMAIL },
  {
    id: "outlook",
    label: "Outlook.com, port 587",
    hostname: "smtp-mail.outlook.com",
    host: "smtp-mail.outlook.com",
    port: 587,
    security: "starttls",
    extensions: ["SIZE", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"],
    maxSize: 157_286_400,
    mechanisms: ["LOGIN", "XOAUTH2"],
    user: "anna@outlook.com",
    passwords: [{ label: "account password", value: "My-Microsoft-Passw0rd" }],
    judge: () => ({
      code: 535,
      enhanced: "5.7.139",
      text: "Authentication unsuccessful, basic authentication is disabled.",
    }),
  },
];

export function accountOf(id: string): Account {
  return ACCOUNTS.find((account) => account.id === id) ?? (ACCOUNTS[0] as Account);
}
