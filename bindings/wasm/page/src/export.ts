/** The dialogue as text for other places. Credentials stay masked. */
import { accountOf } from "./accounts.js";
import { faultOf } from "./faults.js";
import type { Settings } from "./settings.js";
import type { Moment } from "./simulation.js";

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
  const lines = moments.map(({ from, shown }) => {
    switch (from) {
      case "client":
        return `    Client->>Server: ${clean(shown)}`;
      case "server":
        return `    Server->>Client: ${clean(shown)}`;
      case "attacker":
        return `    Attacker->>Client: ${clean(shown)}`;
      default:
        return `    Note over Client,Server: ${clean(shown)}`;
    }
  });
  return ["sequenceDiagram", ...lines].join("\n");
}

/** A test for `node --test`: the same server, fault and message, and what the client must have said. */
export function toTest(settings: Settings, moments: readonly Moment[], good: boolean): string {
  const account = accountOf(settings.provider);
  const fault = faultOf(settings.fault);
  const said = moments.filter(({ from, kind }) => from === "client" && kind === "line").map(({ shown }) => shown.split(" ")[0]);
  const refusals = moments.flatMap(({ from, shown }, index) => {
    const [, code, enhanced, text] = /^([45]\d\d)[ -](?:([45]\.\d+\.\d+) )?(.*)$/.exec(from === "server" ? shown : "") ?? [];
    if (!code) return [];
    const before = moments.slice(0, index).findLast((it) => it.from === "client")?.shown.split(/[ :]/)[0];
    const on = ({ MAIL: "mail", RCPT: "recipient", DATA: "data", AUTH: "authenticate" } as Record<string, string>)[before ?? ""] ?? (before ? "message" : "connect");
    return [{ on, times: 1, code: Number(code), ...(enhanced && { enhanced }), text }];
  });
  const drop = fault.dropBehind;
  const dropped = drop && { on: ({ ".": "message", MAIL: "mail", RCPT: "recipient", AUTH: "authenticate" } as Record<string, string>)[drop] ?? "connect", drop: true };
  const failures = JSON.stringify(dropped ? [dropped] : refusals);
  const mail = JSON.stringify({ from: settings.from, to: settings.to, subject: settings.subject, text: fault.text ?? settings.text }, undefined, 2);
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { createMailer, createTestServer } from "sansmtp";

// ${account.label}; ${fault.label}. In the simulation the client said: ${said.join(" ")}
test(${JSON.stringify(`${account.label}: ${fault.label}`)}, async () => {
  await using server = await createTestServer({
    extensions: ${JSON.stringify(account.extensions)},
    maxSize: ${account.maxSize},
    failures: ${failures},
  });
  const mailer = createMailer({ host: server.host, port: server.port, ignoreTLS: true });
  const sent = mailer.sendMail(${mail.replaceAll("\n", "\n  ")});
${
  good
    ? "  await sent;\n  assert.equal(server.messages.length, 1);"
    : moments.some(({ events }) => events.some(({ type }) => type === "delivered"))
      ? "  assert.ok((await sent).rejected.length > 0);"
      : "  await assert.rejects(sent, { name: \"SmtpError\" });\n  assert.equal(server.messages.length, 0);"
}
});
`;
}
