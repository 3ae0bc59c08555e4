/** The dialogue as text for other places. Credentials stay masked. */
import { accountOf } from "./accounts.js";
import { faultOf } from "./faults.js";
import type { Settings } from "./settings.js";
import type { Given, Moment, Simulation } from "./simulation.js";

/** One line each, `C:` and `S:`. */
export function toTranscript(moments: readonly Moment[]): string {
  return moments
    .map(({ from, kind, shown }) => ({ client: "C: ", server: "S: ", attacker: "!: ", neither: kind === "tls" ? "" : "-- " })[from] + shown)
    .join("\n");
}

/** A sequence diagram for Mermaid. */
export function toMermaid(moments: readonly Moment[]): string {
  // A semicolon or hash would end the statement.
  const clean = (text: string) => text.replaceAll("#", "#35;").replaceAll(";", "#59;");
  const lines = moments.map(({ from, shown, lost }) => {
    switch (from) {
      case "client":
        return `    Client->>Server: ${clean(shown)}`;
      case "server":
        return `    Server${lost ? "-x" : "->>"}Client: ${clean(shown)}`;
      case "attacker":
        return `    Attacker->>Client: ${clean(shown)}`;
      default:
        return `    Note over Client,Server: ${clean(shown)}`;
    }
  });
  return ["sequenceDiagram", ...lines].join("\n");
}

/** Whether there is a dialogue that a test could hold. */
export function isTestable({ moments, real }: Simulation): boolean {
  return !real && moments.some(({ from }) => from === "server");
}

/** A test for `node --test`: the same server, fault and message, and what must come of it. */
export function toTest(settings: Settings, { moments, given, outcome }: Simulation): string {
  const account = accountOf(settings.provider);
  const fault = faultOf(settings.fault);
  const said = moments.filter(({ from, kind }) => from === "client" && kind === "line").map(({ shown }) => shown.split(" ")[0]);
  const name = `${account.label}: ${fault.label}`;
  const clear = settings.security === "danger-plaintext";
  const body = fault.inject && settings.security === "starttls" ? injecting(fault.inject) : serving(settings, given);
  const mailer = [
    "host: server.host",
    "port: server.port",
    ...(settings.name ? [`name: ${JSON.stringify(settings.name)}`] : []),
    ...(settings.user ? [`auth: { user: ${JSON.stringify(settings.user)}, ${settings.method === "oauth2" ? 'type: "OAuth2", accessToken' : "pass"}: "secret" }`] : []),
    // Without TLS the test needs no certificate. Where TLS goes wrong, it must be asked for.
    ...((fault.inject || fault.strip) && settings.security === "starttls" ? [] : ["ignoreTLS: true"]),
    ...(clear ? [] : ["dangerPlaintextAuth: true"]),
  ];
  const mail = JSON.stringify({ from: settings.from, to: settings.to, subject: settings.subject, text: fault.text ?? settings.text }, undefined, 2);
  const rejected = given.flatMap(({ match }) => (match === undefined ? [] : [match]));
  const expected = outcome.good
    ? "await sent;\n  assert.equal(server.messages.length, 1);"
    : outcome.partly
      ? `assert.deepEqual((await sent).rejected, ${JSON.stringify(rejected)});\n  assert.equal(server.messages.length, 1);`
      : 'await assert.rejects(sent, { name: "SmtpError" });\n  assert.equal(server.messages.length, 0);';
  return `import assert from "node:assert/strict";
import { test } from "node:test";
${body.imports}
// In the simulation the client said: ${said.filter((word) => word !== "****").join(" ")}
test(${JSON.stringify(name)}, async (t) => {
${body.code}
  const mailer = createMailer({ ${mailer.join(", ")} });
  const sent = mailer.sendMail(${mail.replaceAll("\n", "\n  ")});
  ${expected}
});
`;
}

/** The test's server, with the answers that were given. */
function serving(settings: Settings, given: readonly Given[]): { imports: string; code: string } {
  const account = accountOf(settings.provider);
  const drop = faultOf(settings.fault).dropBehind;
  const failures = given.map(({ on, match, answer }) => ({ on, ...(match !== undefined && { match }), ...answer }));
  const dropped = drop && { on: { AUTH: settings.method === "oauth2" ? "bearer" : "authenticate", MAIL: "mail", RCPT: "recipient", ".": "message" }[drop] ?? "connect", drop: true };
  const code = `  const server = await createTestServer({
    extensions: ${JSON.stringify(account.extensions)},
    maxSize: ${account.maxSize},
    auth: { user: ${JSON.stringify(settings.user || "anna")}, pass: "secret" },
    mechanisms: ${JSON.stringify(account.mechanisms)},
    failures: ${JSON.stringify(dropped ? [dropped] : failures)},
  });
  t.after(() => server.close());`;
  return { imports: 'import { createMailer, createTestServer } from "sansmtp";\n', code };
}

/** A server behind which somebody adds lines to the reply to STARTTLS. */
function injecting(lines: string): { imports: string; code: string } {
  const code = `  const listener = net.createServer((socket) => {
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    socket.write("220 mail.example.org\\r\\n");
    socket.on("data", (line) => {
      socket.write(/^STARTTLS/.test(line) ? ${JSON.stringify(`220 go ahead\r\n${lines}`)} : "250-mail.example.org\\r\\n250 STARTTLS\\r\\n");
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => listener.close());
  const server = { host: "127.0.0.1", port: listener.address().port, messages: [] };`;
  return { imports: 'import { once } from "node:events";\nimport net from "node:net";\nimport { createMailer } from "sansmtp";\n', code };
}
