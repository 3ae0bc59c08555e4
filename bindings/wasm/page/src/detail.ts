/** The pane that takes one line apart. */
import { eventText, linkOf, parseOf, referenceOf, stepsBetween } from "./explain.js";
import { speaker } from "./diagram.js";
import type { Moment, Standing } from "./simulation.js";

/** Octets that are shown of a moment. */
const SHOWN = 512;

export function detail(moments: readonly Moment[], index: number, secrets: boolean): Node[] {
  const moment = moments[index];
  if (!moment) return [];
  const before = moments.slice(0, index);
  const previous = before.at(-1);
  const reference = referenceOf(moment, before);
  const nodes: Node[] = [
    node("h2", `${index + 1}. ${speaker(moment)}`),
    node("p", secrets ? (moment.secret ?? moment.shown) : moment.shown, "said"),
    node("p", `${reference.title}. `, "reference", link(`RFC ${reference.rfc}, section ${reference.section}`, linkOf(reference))),
    ...(["client", "server"] as const).map((side) => states(side, previous?.[side] ?? "opening", moments, index)),
  ];
  const parsed = moment.secret !== undefined && !secrets ? [] : parseOf(moment);
  if (parsed.length > 0) nodes.push(node("h3", "Parse"), table(parsed));
  if (moment.events.length > 0) {
    const receiver = moment.from === "client" ? "server" : "client";
    nodes.push(node("h3", `What the ${receiver} makes of it`), list(moment.events.map(eventText)));
  }
  if (moment.bytes.length > 0) {
    nodes.push(node("h3", `Bytes (${moment.bytes.length})`));
    if (moment.secret !== undefined && !secrets) nodes.push(node("p", "They hold a secret. Tick “Show secrets” to see them.", "hint"));
    else nodes.push(dump(moment.bytes));
  }
  return nodes;
}

function states(side: "client" | "server", from: Standing, moments: readonly Moment[], index: number): HTMLElement {
  const to = moments[index]?.[side] ?? from;
  const steps = stepsBetween(from, to, moments, index).join(", ");
  const line = node("p", side === "client" ? "Client " : "Server ", "states");
  line.append(node("span", from, "badge"));
  if (from !== to) line.append(` ${steps ? `— ${steps} ` : ""}→ `, node("span", to, "badge now"));
  return line;
}

function dump(bytes: Uint8Array): HTMLElement {
  const pre = node("pre", "", "dump");
  pre.tabIndex = 0;
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, SHOWN); at += 8) {
    const part = [...bytes.subarray(at, at + 8)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const plain = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex.padEnd(23)}  ${plain}`);
  }
  if (bytes.length > SHOWN) lines.push(`… ${bytes.length - SHOWN} more`);
  pre.textContent = lines.join("\n");
  return pre;
}

function table(rows: readonly [string, string][]): HTMLElement {
  const made = document.createElement("table");
  for (const [key, value] of rows) {
    const row = made.insertRow();
    row.append(node("th", key), node("td", value));
  }
  return made;
}

function list(items: readonly string[]): HTMLElement {
  const made = document.createElement("ul");
  made.append(...items.map((item) => node("li", item)));
  return made;
}

export function link(text: string, href: string): HTMLAnchorElement {
  const made = node("a", text);
  made.href = href;
  made.target = "_blank";
  made.rel = "noreferrer";
  return made;
}

export function node<K extends keyof HTMLElementTagNameMap>(name: K, text: string, kind = "", ...children: Node[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}
