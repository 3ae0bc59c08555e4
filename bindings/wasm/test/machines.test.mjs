// Client and server machine against each other, in memory, through the wasm module.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, Server, parseCommand, parseReply, dotStuff, transitions } from "sansmtp";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MESSAGE = encoder.encode("Subject: t\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n");

/** Sends one message and says goodbye; bytes travel in pieces of `size`. */
function dialogue({ security = "danger-plaintext", mechanisms = [], size = 4096 } = {}) {
  const client = new Client(
    {
      host: "mx.example.org",
      security,
      dangerPlaintextAuth: true,
      ...(mechanisms.length > 0 && { auth: { user: "anna", pass: "s3cret-pw" } }),
    },
    0,
  );
  const server = new Server({ hostname: "mx.example.org", security, mechanisms, dangerPlaintextAuth: true }, 0);
  const run = { client: "", server: "", events: [], requests: [], stored: [] };
  let [toServer, toClient, content] = [[], [], []];
  const pieces = (bytes) => {
    const list = [];
    for (let at = 0; at < bytes.length; at += size) list.push(bytes.subarray(at, at + size));
    return list;
  };
  for (let round = 0; round < 10_000; round++) {
    if (client.isClosed && server.isClosed) return run;
    if (client.wantsTls && server.wantsTls && toClient.length === 0) {
      assert.equal(client.tlsEstablished(0), undefined);
      assert.equal(server.tlsEstablished(0), undefined);
    }
    for (const piece of [undefined, ...toServer.splice(0), undefined]) {
      let events = server.receive(piece, 0);
      for (;;) {
        for (const event of events) {
          if (event.type === "content") content.push(...event.data);
          else if (event.type === "failed") assert.fail(event.failure.message);
          else if (!["hello", "reset", "starttls"].includes(event.type)) {
            run.requests.push(event);
            if (event.type === "message") run.stored.push(decoder.decode(Uint8Array.from(content.splice(0))));
            if (event.type === "recipient" && event.to.startsWith("no")) {
              server.answer({ code: 550, enhanced: "5.1.1", text: "not here" });
            } else server.accept();
          }
        }
        const bytes = server.transmit(0);
        run.server += decoder.decode(bytes);
        toClient.push(...pieces(bytes));
        events = server.receive(undefined, 0);
        if (events.length === 0 && bytes.length === 0) break;
      }
    }
    for (const piece of toClient.splice(0)) {
      for (const event of client.receive(piece, 0)) {
        run.events.push(event);
        if (event.type === "failed") assert.fail(event.failure.message);
        if (event.type === "ready") {
          client.submit({ from: "a@example.org", to: ["b@example.org", "no@example.org"], size: MESSAGE.length }, 0);
        }
        if (event.type === "content") {
          const bytes = client.content(MESSAGE, 0);
          run.client += decoder.decode(bytes);
          toServer.push(...pieces(bytes));
          assert.ok(client.finish(0));
        }
        if (event.type === "delivered" || event.type === "not-delivered") client.quit(0);
      }
    }
    const bytes = client.transmit(0);
    run.client += decoder.decode(bytes);
    toServer.push(...pieces(bytes));
  }
  assert.fail("the dialogue does not end");
}

test("every split of the bytes gives the same dialogue", () => {
  for (const security of ["danger-plaintext", "starttls", "tls"]) {
    for (const mechanisms of [[], ["PLAIN"], ["LOGIN"]]) {
      const whole = dialogue({ security, mechanisms });
      assert.deepEqual(whole.stored, [decoder.decode(MESSAGE)]);
      const login = whole.requests.find(({ type }) => type === "authenticate");
      assert.equal(login?.user, mechanisms.length > 0 ? "anna" : undefined);
      assert.equal(login?.password, mechanisms.length > 0 ? "s3cret-pw" : undefined);
      const replies = whole.events.filter(({ type }) => type === "recipient").map(({ reply }) => reply.code);
      assert.deepEqual(replies, [250, 550]);
      for (const size of [1, 2, 3, 7, 31]) {
        assert.deepEqual(dialogue({ security, mechanisms, size }), whole, `${security} ${mechanisms} ${size}`);
      }
    }
  }
});

test("nothing that a server says makes the client throw", () => {
  let seed = 1;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const parts = ["220 hi\r\n", "250-x\r\n", "250 STARTTLS\r\n", "250 AUTH PLAIN\r\n", "334 \r\n", "\0\xff", "\n", "\r", "999 x\r\n", "250", "421 bye\r\n", "354 go\r\n"];
  for (let round = 0; round < 2000; round++) {
    const client = new Client({ host: "h", security: round % 2 ? "danger-plaintext" : "starttls" }, 0);
    for (let step = 0; step < 12; step++) {
      const text = parts[random(parts.length)];
      for (const event of client.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)), step)) {
        assert.equal(typeof event.type, "string");
        if (event.type === "ready") client.submit({ from: "", to: ["a@b"] }, step);
      }
      client.transmit(step);
      client.handleTimeout(step * 100_000);
    }
    client[Symbol.dispose]();
  }
});

test("nothing that a client says makes the server throw", () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const parts = ["EHLO x\r\n", "AUTH LOGIN\r\n", "AUTH PLAIN =\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n", ".\r\n", "x", "\n.\n", "\0", "QUIT\r\n", "BDAT 9999999999999\r\n", "é".repeat(9000), "dXNlcg==\r\n", "STARTTLS\r\nNOOP\r\n"];
  for (let round = 0; round < 2000; round++) {
    const server = new Server({ hostname: "s", security: "danger-plaintext", mechanisms: ["PLAIN", "LOGIN"], dangerPlaintextAuth: true }, 0);
    for (let step = 0; step < 16; step++) {
      server.receive(encoder.encode(parts[random(parts.length)]), step);
      if (server.status.asking) server.accept();
      server.transmit(step);
    }
    server[Symbol.dispose]();
  }
});

test("plain text behind STARTTLS fails the client, in the same read or a later one", () => {
  for (const split of [true, false]) {
    const client = new Client({ host: "h", security: "starttls" }, 0);
    client.receive(encoder.encode("220 h\r\n"), 0);
    client.transmit(0);
    client.receive(encoder.encode("250-h\r\n250 STARTTLS\r\n"), 0);
    client.transmit(0);
    const agreed = client.receive(encoder.encode(`220 go\r\n${split ? "" : "250 injected\r\n"}`), 0);
    const later = split ? client.receive(encoder.encode("250 injected\r\n"), 0) : [];
    const failed = [...agreed, ...later].find(({ type }) => type === "failed");
    assert.equal(failed?.failure.fault, "plaintext-after-starttls");
    assert.equal(client.wantsTls, false);
  }
});

test("addresses and names can not carry a command", () => {
  assert.throws(() => new Client({ host: "h", security: "tls", name: "x\r\nMAIL FROM:<>" }), /EHLO name/);
  assert.throws(() => new Client({ host: "a\r\nb", security: "tls" }), /host name/);
  const client = new Client({ host: "h", security: "danger-plaintext" }, 0);
  client.receive(encoder.encode("220 h\r\n"), 0);
  client.transmit(0);
  client.receive(encoder.encode("250 h\r\n"), 0);
  assert.throws(() => client.submit({ from: "a@b>\r\nRSET", to: ["c@d"] }), /address/);
  assert.throws(() => client.submit({ from: "a@b", to: ["c@d>\r\nRSET"] }), /address/);
  assert.equal(client.isReady, true);
});

test("a kind of security that is not known is refused, and does not become none", () => {
  for (const security of ["ssl", "STARTTLS", "", undefined]) {
    assert.throws(() => new Client({ host: "h", security }), /security is one of tls,starttls,danger-plaintext/);
    assert.throws(() => new Server({ hostname: "h", security }), /security is one of/);
  }
});

test("tools take lines apart", () => {
  assert.deepEqual(parseReply(encoder.encode("550-5.1.1 no \u001b[2J")), {
    code: 550,
    enhanced: "5.1.1",
    text: "no \\u{1b}[2J",
    last: false,
  });
  assert.equal(parseReply(encoder.encode("hello")), undefined);
  assert.deepEqual(parseCommand(encoder.encode("AUTH PLAIN AHUAcHc=")), { verb: "AUTH", mechanism: "PLAIN", initialResponse: true });
  const mail = parseCommand(encoder.encode("MAIL FROM:<a@b> SIZE=7 BODY=8BITMIME"));
  assert.deepEqual([mail.verb, mail.from, mail.size, mail.body], ["MAIL", "a@b", 7, "8bitmime"]);
  assert.equal(parseCommand(encoder.encode("FROB")).error, "unrecognized");
  assert.equal(decoder.decode(dotStuff(encoder.encode(".a\n.b"))), "..a\r\n..b\r\n.\r\n");
  assert.ok(transitions().some(([from, step, to]) => from === "ready" && step === "agree-tls" && to === "handshake"));
});
