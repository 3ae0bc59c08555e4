/** The dialogue as text for other places. Credentials stay masked. */
import type { Moment } from "./simulation.js";

/** One line each, `C:` and `S:`. */
export function toTranscript(moments: readonly Moment[]): string {
  return moments
    .map(({ from, shown }) => ({ client: "C: ", server: "S: ", attacker: "!: ", neither: "-- " })[from] + shown)
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
