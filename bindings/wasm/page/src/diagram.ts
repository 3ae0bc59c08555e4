/** The sequence diagram: two lifelines, one row for each moment. */
import type { Moment } from "./simulation.js";

const SVG = "http://www.w3.org/2000/svg";
const HEAD = 68;
const ROW = 40;
/** The room beside the lifelines: less on a phone. */
const edge = (width: number): number => (width < 520 ? 44 : 62);
/** The width of a character of the labels. */
const CHARACTER = 7.25;

export interface View {
  readonly moments: readonly Moment[];
  /** How many of them have happened. */
  readonly at: number;
  readonly selected: number | undefined;
  readonly secrets: boolean;
  readonly width: number;
}

/** Draws the diagram anew. `choose` is called with the number of a row. */
export function draw(view: View, choose: (index: number) => void): SVGSVGElement {
  const { at, width } = view;
  const height = HEAD + Math.max(1, at) * ROW + 16;
  const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "listbox", "aria-label": "Sequence of lines" });
  const [left, right] = [edge(width), width - edge(width)];
  band(svg, view, left, right, height);
  const now = view.moments[at - 1];
  for (const [x, name, state] of [
    [left, "Client", now?.client ?? "opening"],
    [right, "Server", now?.server ?? "opening"],
  ] as const) {
    svg.append(element("line", { class: "life", x1: x, x2: x, y1: HEAD - 10, y2: height }));
    svg.append(element("rect", { class: "actor", x: x - 40, y: 4, width: 80, height: 28, rx: 6 }));
    svg.append(text(name, { class: "actor-name", x, y: 23, "text-anchor": "middle" }));
    const wide = state.length * 6.2 + 16;
    svg.append(element("rect", { class: "state-badge", x: x - wide / 2, y: 36, width: wide, height: 18, rx: 9 }));
    svg.append(text(state, { class: "state", x, y: 49, "text-anchor": "middle" }));
  }
  flights(svg, view, left);
  for (let index = 0; index < at; index++) {
    const moment = view.moments[index];
    if (moment) svg.append(row(view, moment, index, left, right, choose));
  }
  return svg;
}

/** The part that goes through TLS, with a lock. */
function band(svg: SVGSVGElement, view: View, left: number, right: number, height: number): void {
  const start = view.moments.slice(0, view.at).findIndex(({ tls }) => tls);
  if (start < 0) return;
  const y = HEAD + start * ROW + 19;
  svg.append(element("rect", { class: "tls", x: left, y, width: right - left, height: height - y }));
}

/** A bracket beside what left in one write. */
function flights(svg: SVGSVGElement, { moments, at }: View, left: number): void {
  for (let first = 0; first < at; ) {
    const { flight } = moments[first] as Moment;
    let end = first + 1;
    while (end < at && flight !== undefined && moments[end]?.flight === flight) end++;
    if (end - first > 1) {
      const [from, to] = [HEAD + first * ROW + 20, HEAD + end * ROW - 6];
      const bracket = element("path", { class: "flight", d: `M ${left - 6} ${from} h -6 V ${to} h 6` });
      const title = document.createElementNS(SVG, "title");
      title.textContent = `${end - first} lines in one write: the client does not wait in between (PIPELINING)`;
      bracket.append(title);
      svg.append(bracket);
    }
    first = end;
  }
}

function row(view: View, moment: Moment, index: number, left: number, right: number, choose: (index: number) => void): SVGGElement {
  const y = HEAD + index * ROW;
  const middle = (left + right) / 2;
  const label = view.secrets ? (moment.secret ?? moment.shown) : moment.shown;
  const selected = view.selected === index;
  const group = element("g", {
    class: `row ${moment.from} ${moment.kind}${moment.good === false ? " bad" : ""}${selected ? " selected" : ""}`,
    role: "option",
    tabindex: selected || (view.selected === undefined && index === view.at - 1) ? 0 : -1,
    "data-index": index,
    "aria-label": `${speaker(moment)}: ${label}`,
    "aria-selected": selected ? "true" : "false",
  });
  group.append(element("rect", { class: "hit", x: 0, y, width: view.width, height: ROW, rx: 6 }));
  const line = y + 28;
  if (moment.from === "neither") {
    group.append(element("line", { class: "across", x1: left, x2: right, y1: line - 8, y2: line - 8 }));
    const shown = moment.kind === "tls" ? "TLS from here on" : moment.shown;
    const locked = moment.kind === "tls";
    const wide = Math.min(right - left, shown.length * CHARACTER + (locked ? 46 : 28));
    const plate = middle - wide / 2;
    group.append(element("rect", { class: "plate", x: plate, y: line - 20, width: wide, height: 22, rx: 11 }));
    group.append(text(shown, { class: "label", x: middle + (locked ? 8 : 0), y: line - 5, "text-anchor": "middle" }));
    if (locked) group.append(lock(plate + 16, line - 10));
  } else {
    const toServer = moment.from === "client";
    const [from, to] = toServer ? [left, right] : [moment.from === "attacker" ? middle : right, moment.lost ? middle : left];
    const tip = toServer ? to - 9 : to + 9;
    const room = Math.floor((right - left - 24) / CHARACTER);
    group.append(element("line", { class: "arrow", x1: from, x2: tip, y1: line, y2: line }));
    group.append(element("path", { class: "head", d: `M ${to} ${line} L ${tip} ${line - 5} L ${tip} ${line + 5} Z` }));
    const prefix = moment.from === "attacker" ? "attacker: " : "";
    const anchor = moment.from === "server" ? { x: right - 12, "text-anchor": "end" } : { x: left + 12, "text-anchor": "start" };
    group.append(text(cut(prefix + label, room), { class: "label", y: line - 7, ...anchor }));
  }
  if (moment.tls && moment.kind !== "tls" && moment.kind !== "end") {
    group.append(lock(right + 20, line - 3));
  }
  group.addEventListener("click", () => choose(index));
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter") choose(index);
  });
  return group;
}

/** A padlock around this point. */
function lock(x: number, y: number): SVGPathElement {
  return element("path", { class: "lock", d: `M ${x - 5} ${y - 2} h 10 v 8 h -10 z M ${x - 3} ${y - 2} v -3 a 3 3 0 0 1 6 0 v 3` });
}

export function speaker(moment: Moment): string {
  return { client: "Client", server: "Server", attacker: "Attacker", neither: "Connection" }[moment.from];
}

function cut(label: string, room: number): string {
  const characters = [...label];
  return characters.length > room ? `${characters.slice(0, Math.max(1, room - 1)).join("")}…` : label;
}

function element<K extends keyof SVGElementTagNameMap>(name: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function text(content: string, attributes: Record<string, string | number>): SVGTextElement {
  const made = element("text", attributes);
  made.textContent = content;
  return made;
}
