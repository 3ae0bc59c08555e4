/** A dialogue with a real server, through a relay of bytes, in the form that the page shows. */
import { Connection, SmtpError, Transcript, type Transport, webSocketTransport } from "sansmtp";
import type { Settings } from "./settings.js";
import { credentialsOf, messageOf, type Moment, type Simulation } from "./simulation.js";

/** Sends the message of the settings to the server behind the relay. */
export async function sendForReal(settings: Settings, relay: string): Promise<Simulation> {
  const moments: Moment[] = [];
  const transcript = new Transcript();
  let connection: Connection | undefined;
  const note = (from: "client" | "server", bytes: Uint8Array): void => {
    for (const line of linesOf(bytes)) {
      const entries = from === "client" ? transcript.client(line) : transcript.server(line);
      // The lines of a message are summed up at its end.
      if (entries.length === 0) continue;
      const shown = entries.map(({ text }) => text).join(" ");
      const text = new TextDecoder().decode(line).replace(/\r\n$/, "");
      const content = entries.some(({ type }) => type === "content");
      const state = connection?.status.state ?? "opening";
      // What a real server is at, only it knows.
      moments.push({
        kind: content ? "content" : "line",
        from,
        shown,
        bytes: line,
        tls: false,
        client: state,
        server: "not seen",
        events: [],
        good: from === "client" || !/^[45]/.test(text),
        ...(!content && from === "client" && shown !== text && { secret: text }),
      });
    }
  };
  const end = (outcome: Simulation["outcome"]): Simulation => {
    moments.push({ kind: "end", from: "neither", shown: "The connection is closed.", bytes: new Uint8Array(0), tls: false, client: "closed", server: "not seen", events: [] });
    transcript[Symbol.dispose]();
    return { moments, given: [], real: true, outcome };
  };
  try {
    const { content, envelope } = messageOf(settings);
    const transport = tapped(await webSocketTransport(relay), note);
    connection = await Connection.open(transport, {
      host: settings.host,
      security: "danger-plaintext",
      // The relay is on this machine, and the page says that the password goes in the clear.
      dangerPlaintextAuth: true,
      ...(settings.name && { name: settings.name }),
      ...(settings.user && { auth: credentialsOf(settings) }),
    });
    const { recipients, response } = await connection.send(envelope, content);
    await connection.quit();
    const refused = recipients.filter(({ accepted }) => !accepted).map(({ address }) => address);
    const to = recipients.filter(({ accepted }) => accepted).map(({ address }) => address);
    const text = `Delivered for real to ${to.join(", ")}: ${response}.`;
    return end({ good: refused.length === 0, partly: refused.length > 0, text: refused.length > 0 ? `${text} Refused: ${refused.join(", ")}.` : text });
  } catch (error) {
    connection?.close();
    if (!(error instanceof SmtpError)) {
      const text = error instanceof Error ? error.message : String(error);
      return end({ good: false, text: `Nothing was sent: ${text}.`, nextStep: "Is the relay running, and does it allow this page and this server?" });
    }
    const { nextStep } = error;
    return end({ good: false, text: error.message, ...(nextStep && { nextStep }) });
  }
}

function tapped(transport: Transport, note: (from: "client" | "server", bytes: Uint8Array) => void): Transport {
  return {
    async read() {
      const bytes = await transport.read();
      if (bytes) note("server", bytes);
      return bytes;
    },
    async write(bytes) {
      note("client", bytes);
      await transport.write(bytes);
    },
    close: () => transport.close(),
  };
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(10, start);
    const stop = end < 0 ? bytes.length : end + 1;
    lines.push(bytes.subarray(start, stop));
    start = stop;
  }
  return lines;
}
