/** Wires the page: settings on one side, the dialogue in the middle, details on the other. */
import { dotStuff } from "sansmtp";
import { findProvider } from "sansmtp/providers";
import { accountOf, GROUPS } from "./accounts.js";
import { detail, link, node } from "./detail.js";
import { draw, speaker } from "./diagram.js";
import { isTestable, toMermaid, toTest, toTranscript } from "./export.js";
import { FAULTS, faultOf } from "./faults.js";
import { sendForReal } from "./real.js";
import { defaultsOf, fromHash, type Settings, toHash } from "./settings.js";
import { messageOf, simulate, type Simulation } from "./simulation.js";

function get<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found as T;
}

const FIELDS = ["provider", "host", "port", "security", "user", "method", "password", "name", "from", "to", "subject", "text", "fault"] as const;
type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

const start = fromHash(location.hash);
let settings: Settings = start.settings;
let simulation: Simulation = simulate(settings);
let at = Math.min(start.at, simulation.moments.length);
let selected: number | undefined;
let secrets = false;
let timer: ReturnType<typeof setTimeout> | undefined;

get<HTMLSelectElement>("provider").append(
  ...GROUPS.map(({ label, accounts }) => {
    const group = document.createElement("optgroup");
    group.label = label;
    group.append(...accounts.map((account) => new Option(account.label, account.id)));
    return group;
  }),
);
get<HTMLSelectElement>("fault").append(...FAULTS.map(({ id, label }) => new Option(label, id)));

function fill(): void {
  for (const name of FIELDS) if (name !== "text") get<Field>(name).value = String(settings[name]);
}

function read(): Settings {
  const value = (name: (typeof FIELDS)[number]) => get<Field>(name).value;
  const port = Number.parseInt(value("port"), 10);
  return {
    provider: value("provider"),
    host: value("host").trim(),
    port: port > 0 && port < 65_536 ? port : 0,
    security: value("security") as Settings["security"],
    user: value("user"),
    method: value("method") as Settings["method"],
    password: value("password"),
    name: value("name").trim(),
    from: value("from"),
    to: value("to"),
    subject: value("subject"),
    text: get<HTMLTextAreaElement>("text").disabled ? settings.text : value("text"),
    fault: value("fault"),
  };
}

/** Runs the machines anew, since a setting has changed. */
function restart(): void {
  pause();
  simulation = simulate(settings);
  at = 0;
  selected = undefined;
  show();
}

function show(): void {
  const account = accountOf(settings.provider);
  const provider = findProvider(account.host);
  const help = get("provider-help");
  help.replaceChildren();
  if (provider) {
    help.append(`Takes: ${provider.signIn}. ${provider.help} `);
    if (provider.helpUrl) help.append(link("How", provider.helpUrl));
  }
  get("passwords").replaceChildren(
    ...account.secrets.map(({ label, method, value }) => {
      const chip = node("button", label, "chip");
      chip.type = "button";
      chip.setAttribute("aria-pressed", String(settings.password === value && settings.method === method));
      chip.addEventListener("click", () => change({ method, password: value }));
      return chip;
    }),
  );
  get("secret-name").textContent = settings.method === "oauth2" ? "Access token" : "Password";
  get("why-security").textContent = WHY_SECURITY[settings.security];
  const fault = faultOf(settings.fault);
  get("fault-help").textContent = fault.help;
  // A fault that is in the text is seen there.
  const text = get<HTMLTextAreaElement>("text");
  const shown = fault.text?.replaceAll("\r\n", "\n") ?? settings.text;
  text.disabled = fault.text !== undefined;
  if (text.value !== shown) text.value = shown;
  showWire();
  showDialogue();
}

const WHY_SECURITY: Record<Settings["security"], string> = {
  tls: "TLS comes before the first word of SMTP. Nobody on the way sees or changes anything.",
  starttls: "The first words are plain, then both switch to TLS. The client insists: without it, nothing more is said.",
  "danger-plaintext": "Everybody on the way can read and change the mail, so the client keeps the password to itself.",
};

/** The message as DATA carries it; the dots that were added stand out. */
function showWire(): void {
  const wire = get("wire");
  let added = 0;
  try {
    const { content } = messageOf(settings);
    if (accountOf(settings.provider).extensions.includes("CHUNKING")) {
      wire.textContent = new TextDecoder().decode(content);
      get("wire-help").textContent = `This server offers CHUNKING: all ${content.length} octets go as they are, behind a command that says how many there are. No dot is added.`;
      return;
    }
    const lines = new TextDecoder().decode(dotStuff(content)).split("\r\n").slice(0, -1);
    wire.replaceChildren(
      ...lines.flatMap((line, index): (Node | string)[] => {
        if (index === lines.length - 1) return [node("mark", ".", "end"), "\r\n"];
        if (!line.startsWith("..")) return [`${line}\r\n`];
        added++;
        return [node("mark", "."), `${line.slice(1)}\r\n`];
      }),
    );
    const dots = added === 0 ? "No line begins with a dot." : `${added === 1 ? "One line begins" : `${added} lines begin`} with a dot and got another one (marked).`;
    get("wire-help").textContent = `${dots} The dot alone at the end says that the message is over.`;
  } catch (error) {
    wire.textContent = error instanceof Error ? error.message : String(error);
    get("wire-help").textContent = "";
  }
}

function showDialogue(): void {
  const { moments, outcome } = simulation;
  const diagram = get("diagram");
  const focused = diagram.contains(document.activeElement);
  const width = Math.max(240, diagram.clientWidth);
  diagram.replaceChildren(draw({ moments, at, selected, secrets, width }, choose));
  if (focused) focusRow();
  const status = get("outcome");
  const over = at >= moments.length;
  status.className = over ? (outcome.good ? "good" : outcome.partly ? "partly" : "bad") : "";
  status.replaceChildren();
  if (over) {
    status.append(node("strong", outcome.text));
    if (outcome.lesson) status.append(` ${outcome.lesson}`);
    if (outcome.nextStep) status.append(node("span", ` ${outcome.nextStep} `));
    if (outcome.url) status.append(link("More", outcome.url));
  } else if (at === 0) {
    status.append("Press Run, or step with the arrow keys. A click on a line takes it apart.");
  } else {
    const moment = moments[at - 1];
    status.append(`Step ${at} of ${moments.length}`);
    // The line itself is in the diagram, for those who see it.
    if (moment) status.append(node("span", `. ${speaker(moment)}: ${moment.shown}`, "unseen"));
  }
  const shown = selected ?? (at > 0 ? at - 1 : undefined);
  get("detail").replaceChildren(
    ...(shown === undefined ? [node("p", "Nothing has happened yet.", "hint")] : detail(moments, shown, secrets)),
  );
  get<HTMLButtonElement>("back").disabled = at === 0;
  get<HTMLButtonElement>("first").disabled = at === 0;
  get<HTMLButtonElement>("step").disabled = over;
  get<HTMLButtonElement>("last").disabled = over;
  get("run").textContent = timer ? "Pause" : over ? "Again" : "Run";
  get<HTMLButtonElement>("copy-test").disabled = !isTestable(simulation);
  history.replaceState(null, "", `#${toHash(settings, at)}`);
}

function choose(index: number): void {
  selected = selected === index ? undefined : index;
  showDialogue();
  focusRow();
}

function focusRow(): void {
  document.querySelector<SVGGElement>("#diagram g[tabindex='0']")?.focus({ preventScroll: true });
}

function go(to: number): void {
  at = Math.max(0, Math.min(to, simulation.moments.length));
  selected = undefined;
  showDialogue();
  // The newest line stays in sight.
  if (at > 0) reveal(at - 1);
}

/** Brings a row between the bar above and, on a phone, the sheet below. */
function reveal(index: number): void {
  const row = document.querySelector(`#diagram g[data-index='${index}']`)?.getBoundingClientRect();
  if (!row) return;
  const bar = document.querySelector(".bar")?.getBoundingClientRect();
  const sheet = get("detail");
  const low = getComputedStyle(sheet).bottom === "0px" ? innerHeight - sheet.offsetHeight : innerHeight;
  const high = Math.max(0, bar && bar.top <= 0 ? bar.bottom : 0);
  const over = row.top < high ? row.top - high - 8 : row.bottom > low ? row.bottom - low + 8 : 0;
  if (over !== 0) scrollBy({ top: over });
}

function pause(): void {
  clearTimeout(timer);
  timer = undefined;
}

function run(): void {
  if (timer) {
    pause();
    showDialogue();
    return;
  }
  if (at >= simulation.moments.length) at = 0;
  const tick = () => {
    timer = setTimeout(() => {
      if (at + 1 >= simulation.moments.length) pause();
      else tick();
      go(at + 1);
    }, 1600 / get<HTMLInputElement>("speed").valueAsNumber);
  };
  tick();
  showDialogue();
}

function change(some: Partial<Settings>): void {
  settings = { ...settings, ...some };
  fill();
  restart();
}

get("settings").addEventListener("submit", (event) => event.preventDefault());
get("settings").addEventListener("input", (event) => {
  const changed = (event.target as HTMLElement).id;
  if (changed === "relay") return;
  const previous = settings;
  settings = read();
  if (changed === "provider") {
    const { host, port, security, user, method, password, from } = defaultsOf(settings.provider);
    // A sender that was typed by hand stays.
    const kept = previous.from === defaultsOf(previous.provider).from ? from : settings.from;
    change({ host, port, security, user, method, password, from: kept });
  } else restart();
});
get("first").addEventListener("click", () => go(0));
get("back").addEventListener("click", () => (pause(), go(at - 1)));
get("run").addEventListener("click", run);
get("step").addEventListener("click", () => (pause(), go(at + 1)));
get("last").addEventListener("click", () => (pause(), go(Number.POSITIVE_INFINITY)));
get<HTMLInputElement>("secrets").addEventListener("change", (event) => {
  secrets = (event.target as HTMLInputElement).checked;
  get<HTMLInputElement>("password").type = secrets ? "text" : "password";
  showDialogue();
});

async function copy(button: HTMLElement, text: string): Promise<void> {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed here";
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}
get("copy-transcript").addEventListener("click", (event) => copy(event.currentTarget as HTMLElement, toTranscript(simulation.moments)));
get("copy-mermaid").addEventListener("click", (event) => copy(event.currentTarget as HTMLElement, toMermaid(simulation.moments)));

get("copy-test").addEventListener("click", (event) =>
  copy(event.currentTarget as HTMLElement, toTest(settings, simulation)),
);

get("send").addEventListener("click", async (event) => {
  const button = event.currentTarget as HTMLButtonElement;
  const relay = get<HTMLInputElement>("relay");
  pause();
  button.disabled = true;
  simulation = await sendForReal(settings, relay.value || relay.placeholder);
  button.disabled = false;
  selected = undefined;
  go(Number.POSITIVE_INFINITY);
});

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (target.closest("input, textarea, select, pre, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
  const onButton = target.closest("button") !== null;
  switch (event.key) {
    case "ArrowRight":
      pause();
      go(at + 1);
      break;
    case "ArrowLeft":
      pause();
      go(at - 1);
      break;
    case "ArrowDown":
    case "ArrowUp": {
      if (at === 0) return;
      const current = selected ?? at - 1;
      selected = Math.max(0, Math.min(at - 1, current + (event.key === "ArrowDown" ? 1 : -1)));
      showDialogue();
      focusRow();
      reveal(selected);
      break;
    }
    case "Home":
      go(0);
      break;
    case "End":
      pause();
      go(Number.POSITIVE_INFINITY);
      break;
    case " ":
      if (onButton) return;
      run();
      break;
    default:
      return;
  }
  event.preventDefault();
});
window.addEventListener("hashchange", () => {
  const next = fromHash(location.hash);
  settings = next.settings.provider === settings.provider ? { ...next.settings, password: settings.password } : next.settings;
  fill();
  restart();
  go(next.at);
});
new ResizeObserver(() => showDialogue()).observe(get("diagram"));

fill();
show();
