// The client that hostile servers are played against: hostile_client.mjs HOST PORT TLS AUTH JSON. It is called as
// the program of the same name of the test harness is, which says what the arguments mean, and names the class of
// the error as the first word on standard output.
import { readFileSync } from "node:fs";
import { createMailer, SmtpError } from "sansmtp";

const [host, port, tls, auth, json] = process.argv.slice(2);
const wishes = JSON.parse(json);
const timeout = Math.round(wishes.timeout * 1000);

/** The class of an error, in the words of the cases. */
function classOf(error) {
  if (!(error instanceof SmtpError)) return "other";
  const { code, failure, stage } = error;
  if (error.outcomeUnknown) return "unknown-outcome";
  if (code === "ECONFIG" || (code === "EENVELOPE" && !failure && error.responseCode === undefined)) return "invalid-input";
  switch (failure?.type) {
    case "unmet":
      return { starttls: "tls", "tls-for-password": "tls", auth: "auth", mechanism: "auth", smtputf8: "smtputf8", size: "size" }[failure.requirement] ?? "unmet";
    case "timeout":
      return "timeout";
    case "closed":
      return "closed";
  }
  if (stage === "auth") return "auth";
  if (error.responseCode !== undefined) return error.temporary ? "transient" : "rejected";
  if (code === "ETLS" || (failure?.type === "peer" && stage === "starttls")) return "tls";
  if (failure?.type === "peer") return "protocol";
  return { ECONNECTION: "closed", ETIMEDOUT: "timeout" }[code] ?? "other";
}

try {
  const mailer = createMailer({
    host,
    port: Number(port),
    secure: tls === "implicit",
    ignoreTLS: tls === "none",
    name: wishes.ehlo,
    socketTimeout: timeout,
    greetingTimeout: timeout,
    dangerPlaintextAuth: auth !== "none" && auth !== "plain-require-tls",
    ...(auth !== "none" && { auth: { user: wishes.user, pass: wishes.password } }),
    ...(process.env.SSL_CERT_FILE && { tls: { ca: readFileSync(process.env.SSL_CERT_FILE) } }),
  });
  const { rejected } = await mailer.sendMail({ raw: wishes.body, envelope: { from: wishes.mail_from, to: wishes.rcpts } });
  console.log(rejected.length > 0 ? "partial" : "none");
  process.exitCode = rejected.length > 0 ? 1 : 0;
} catch (error) {
  // One line, whatever the server's text holds.
  console.log(`${classOf(error)}: ${String(error.message).replaceAll("\n", " ")}`);
  process.exitCode = 1;
}
