// The written dialogues of the core's tests, replayed through the wasm build, in pieces of several sizes. What only
// relays need (LMTP, ETRN, XCLIENT, messages that overlap) is not built into the module.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Client, Server } from "sansmtp";

const scripts = new URL("../../../crates/sansmtp/tests/dialogue/", import.meta.url);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The cases of a script: `{ name, options, lines }`. Each may begin behind other lines. */
function cases(file, behind = () => []) {
  return readFileSync(new URL(file, scripts), "utf8")
    .split("\n# ")
    .slice(1)
    .map((text) => {
      const [title, ...lines] = text.split("\n");
      const [name, options = ""] = title.split(" | ");
      const words = options.split(" ");
      return { name, words, lines: [...behind(words), ...lines.filter((line) => line !== "")] };
    });
}

function unescape(text) {
  const [whole, end] = text.endsWith("~") ? [text.slice(0, -1), ""] : [text, "\r\n"];
  const plain = { "\\r": [13], "\\n": [10], "\\t": [9], "\\0": [0] };
  const octets = [];
  const pattern = /\\[rnt0]|\\x(..)|\{([^{}]*)\*(\d+)\}|[^]/gu;
  for (const [part, hex, what, count] of whole.matchAll(pattern)) {
    if (plain[part]) octets.push(...plain[part]);
    else if (hex) octets.push(Number.parseInt(hex, 16));
    else if (what !== undefined) {
      const once = unescape(`${what}~`);
      for (let n = 0; n < Number(count); n++) octets.push(...once);
    } else octets.push(...encoder.encode(part));
  }
  octets.push(...encoder.encode(end));
  return Uint8Array.from(octets);
}

const security = (words) => (words.includes("tls") ? "tls" : words.includes("starttls") ? "starttls" : "danger-plaintext");
const reply = ({ code, enhanced, text }) => [code, enhanced, text].filter((part) => part !== undefined && part !== "").join(" ");
const STAGES = { greeting: "the greeting", hello: "EHLO", idle: "the idle connection", content: "the message", query: "the query" };
const stageName = (stage) => STAGES[stage] ?? stage.toUpperCase();

/** What both drivers do. */
class Driver {
  now = 1000;
  told = [];
  output = "";

  tell(text) {
    this.told.push(text);
  }

  transmit() {
    const bytes = this.machine.transmit(this.now);
    this.output += decoder.decode(bytes);
    return bytes.length > 0;
  }

  /** The octets in pieces. */
  *pieces(octets) {
    for (let at = 0; at < octets.length; at += this.read) yield octets.subarray(at, at + this.read);
  }

  tried(work) {
    try {
      work();
    } catch (failure) {
      this.tell(`no: ${failure.message}`);
    }
  }

  timeout() {
    const { deadline } = this.machine;
    assert.equal(this.machine.handleTimeout(deadline - 1), undefined);
    this.tell(`after ${deadline - this.now} ms`);
    this.now = deadline;
    return this.machine.handleTimeout(deadline);
  }
}

class ClientDriver extends Driver {
  peer = "S: ";
  own = "C: ";
  failed = false;

  constructor(words, read) {
    super();
    this.read = read;
    const auth = words.includes("password")
      ? { user: "user", pass: "s3cret-pw" }
      : words.includes("token")
        ? { user: "user", accessToken: "token" }
        : undefined;
    const options = { host: "mx.example.org", security: security(words), chunking: !words.includes("data"), dangerPlaintextAuth: words.includes("clear") };
    this.machine = new Client(auth ? { ...options, auth } : options, this.now);
  }

  /** All that arrives together is taken before anything is sent. */
  arrive(octets) {
    for (const piece of this.pieces(octets)) this.take(piece);
    this.transmit();
  }

  take(octets) {
    for (const event of this.machine.receive(octets, this.now)) this.event(event);
  }

  event(event) {
    switch (event.type) {
      case "reply":
        return;
      case "failed":
        return this.fail(event.failure);
      case "refused":
        return this.tell(`refused ${stageName(event.stage)}: ${reply(event.reply)}`);
      case "recipient":
        return this.tell(`recipient ${event.index} ${reply(event.reply)}`);
      case "chunk-refused":
        return this.tell(`chunk refused ${reply(event.reply)}`);
      case "not-delivered":
        return this.tell(`not delivered, ${stageName(event.stage)}${event.reply ? `: ${reply(event.reply)}` : ""}`);
      default:
        this.tell(event.reply ? `${event.type} ${reply(event.reply)}` : event.type);
    }
  }

  fail(failure) {
    if (failure.type !== "refused" && !this.failed) this.tell(`error: ${failure.message}`);
    this.failed = true;
  }

  submit(words) {
    const addresses = words.filter((word) => word.includes("@") || word === "<>");
    const [from = "", ...to] = addresses.map((address) => address.replace(/^<>$/, ""));
    const size = words.find((word) => word.startsWith("size="))?.slice(5);
    this.machine.submit(
      {
        from,
        to,
        ...(size && { size: Number(size) }),
        eightBit: words.includes("8bit"),
        binary: words.includes("binary"),
        smtputf8: words.includes("utf8"),
        ...(words.includes("dsn") && { dsn: { return: "hdrs", notify: "never" } }),
      },
      this.now,
    );
  }

  write(text, size) {
    const octets = encoder.encode(text.replaceAll("\\r", "\r").replaceAll("\\n", "\n"));
    if (!this.machine.wantsContent) {
      this.tell("no content is wanted");
      return false;
    }
    for (let at = 0; at < octets.length; at += size) {
      this.output += decoder.decode(this.machine.content(octets.subarray(at, at + size), this.now));
    }
    return true;
  }

  act(verb, rest) {
    this.tried(() => {
      const { machine, now } = this;
      switch (verb) {
        case "submit":
          return this.submit(rest.split(" "));
        case "quit":
          return machine.quit(now);
        case "tls": {
          const failure = machine.tlsEstablished(now);
          return failure && this.fail(failure);
        }
        case "eof": {
          const failure = machine.receiveEof();
          return failure && this.fail(failure);
        }
        case "timeout": {
          const failure = this.timeout();
          return failure && this.fail(failure);
        }
        case "pass":
          return (this.now += Number(rest));
        case "body":
          return this.write(rest, this.read) && machine.finish(now);
        case "part":
          return this.write(rest, this.read);
        case "push":
          return this.write(rest, Infinity);
        case "end":
          return machine.finish(now) || this.tell("no content is wanted");
        default:
          return machine.query(verb, rest, now);
      }
    });
    this.take(undefined);
    this.transmit();
  }
}

class ServerDriver extends Driver {
  peer = "C: ";
  own = "S: ";
  content = [];

  constructor(words, read) {
    super();
    this.read = read;
    this.hold = words.filter((word) => word.startsWith("hold-")).map((word) => word.slice(5));
    const number = (name) => {
      const word = words.find((word) => word.startsWith(name));
      return word && Number(word.slice(name.length));
    };
    const usual = ["PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN"];
    const offered = usual.filter((name) => !words.includes(`no-${name.toLowerCase()}`));
    this.machine = new Server(
      {
        hostname: "mx.example.org",
        security: security(words),
        mechanisms: words.includes("auth") ? ["PLAIN", "LOGIN"] : [],
        dangerPlaintextAuth: words.includes("clear"),
        requireAuth: words.includes("required"),
        extensions: words.includes("bare") ? [] : offered,
        maxSize: number("max=") ?? 1_048_576,
        ...(number("rcpts=") !== undefined && { maxRecipients: number("rcpts=") }),
        ...(number("errors=") !== undefined && { maxErrors: number("errors=") }),
        ...(number("line=") !== undefined && { maxLine: number("line=") }),
      },
      this.now,
    );
    if (!words.includes("silent")) this.take(undefined);
  }

  arrive(octets) {
    for (const piece of this.pieces(octets)) this.take(piece);
  }

  take(octets) {
    for (;;) {
      const events = this.machine.receive(octets, this.now);
      octets = undefined;
      for (const event of events) this.event(event);
      const sent = this.transmit();
      if ((!sent && events.length === 0) || events.some(({ type }) => type === "failed")) return;
    }
  }

  event(event) {
    switch (event.type) {
      case "hello":
        return;
      case "content":
        for (const octet of event.data) this.content.push(octet);
        return;
      case "reset":
        this.content = [];
        return this.tell("reset");
      case "starttls":
        return this.tell("starttls");
      case "failed":
        if (!this.failed) this.tell(`error: ${event.failure.message}`);
        this.failed = true;
        return;
      case "authenticate":
        this.tell(`login ${event.mechanism} ${JSON.stringify(event.authorization)} ${JSON.stringify(event.user)} ${JSON.stringify(event.password)}`);
        break;
      case "message": {
        assert.equal(event.size, this.content.length);
        const text = decoder.decode(Uint8Array.from(this.content));
        this.tell(this.content.length < 80 ? `message ${JSON.stringify(text).replaceAll("\\u0000", "\\0").replaceAll("\u0085", "\\u{85}").replace(/\\u00(..)/g, (_, hex) => `\\u{${Number.parseInt(hex, 16).toString(16)}}`)}` : `message of ${this.content.length} octets`);
        this.content = [];
      }
    }
    if (this.hold.includes(event.type)) return this.tell(`asked ${event.type}`);
    const name = event.from ?? event.to ?? "";
    const refused = name.startsWith("no") || (event.type === "authenticate" && event.password !== "s3cret-pw");
    if (refused) this.machine.answer({ code: 550, enhanced: "5.7.1", text: "no" });
    else this.machine.accept();
  }

  act(verb, rest) {
    this.tried(() => {
      const { machine, now } = this;
      const told = (failure) => {
        this.failed ||= machine.isClosed;
        if (failure) this.tell(`no: ${failure.message}`);
      };
      switch (verb) {
        case "tls":
          return told(machine.tlsEstablished(now));
        case "accept":
          return machine.accept();
        case "answer": {
          const [, code, text] = /^(\d+) (.*)$/.exec(rest);
          return machine.answer({ code: Number(code), text: text.replaceAll("\\n", "\n") });
        }
        case "shutdown":
          return machine.shutdown();
        case "eof":
          return told(machine.receiveEof());
        case "pass":
          return (this.now += Number(rest));
        case "timeout":
          return told(this.timeout());
        default:
          return assert.fail(`no such action: ${verb}`);
      }
    });
    this.take(undefined);
  }
}

/** Cases about buffers that are smaller in those tests than in the module. */
const OTHER_BUFFERS = new Set([
  "each kind of answer",
  "a long response at PLAIN",
  "a long response at LOGIN",
  "a long response at the password of LOGIN",
  "one octet more",
  "the end of a long line is no command",
]);

/** Plays a case; everything that the machine says and tells must stand in it. */
function play(driver, { name, lines }) {
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const place = `${name}, read ${driver.read}: ${line}`;
    const action = /^-- > (\S+) ?(.*)$/.exec(line);
    if (action) driver.act(action[1], action[2]);
    else if (line.startsWith("-- ")) assert.equal(driver.told.shift(), line.slice(3), place);
    else if (line.startsWith(driver.peer)) {
      const arriving = [...unescape(line.slice(3))];
      while (lines[at + 1]?.startsWith(driver.peer)) arriving.push(...unescape(lines[++at].slice(3)));
      driver.arrive(Uint8Array.from(arriving));
    } else {
      assert.ok(line.startsWith(driver.own), place);
      const expected = decoder.decode(unescape(line.slice(3)));
      assert.equal(driver.output.slice(0, expected.length), expected, place);
      driver.output = driver.output.slice(expected.length);
    }
  }
  assert.deepEqual([driver.told, driver.output], [[], ""], `${name}: more came`);
  driver.machine[Symbol.dispose]();
}

function replay(Kind, file, behind) {
  test(file, () => {
    const all = cases(file, behind).filter(({ name }) => !OTHER_BUFFERS.has(name));
    assert.ok(all.length > 0);
    for (const one of all) {
      const large = one.lines.some((line) => line.includes("0000}"));
      for (const read of large ? [4096, 1 << 20] : [1, 7, 1 << 20]) play(new Kind(one.words, read), one);
    }
  });
}

for (const part of ["greeting", "tls", "auth", "transaction", "trouble"]) replay(ClientDriver, `client_${part}.txt`);
replay(ClientDriver, "client_chunks.txt", () => [
  "S: 220 hi", "C: EHLO [127.0.0.1]", "S: 250-mx", "S: 250-PIPELINING", "S: 250-BINARYMIME", "S: 250 CHUNKING", "-- ready",
]);
for (const part of ["session", "order", "auth", "content", "hostile"]) replay(ServerDriver, `server_${part}.txt`);
