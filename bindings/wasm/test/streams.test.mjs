// The drivers over byte streams, as a page or a worker uses them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, serve, SmtpError, streamTransport, transportPair } from "sansmtp";

const OPTIONS = { host: "mx.example.org", security: "danger-plaintext" };
const SERVER = { hostname: "mx.example.org", security: "danger-plaintext" };
const MESSAGE = new TextEncoder().encode("Subject: x\r\n\r\n.dot\r\n");

test("a client and a server over two streams", async () => {
  const [here, there] = transportPair();
  const stored = [];
  const served = serve(there, SERVER, {
    request: async (request) => {
      // The verdict may come later.
      await Promise.resolve();
      return request.type === "recipient" && request.to.startsWith("no") ? { code: 550, text: "no" } : undefined;
    },
    event: (event) => event.type === "content" && stored.push(...event.data),
  });
  const connection = await Connection.open(here, OPTIONS);
  assert.ok(connection.status.extensions.includes("PIPELINING"));
  for (let n = 0; n < 2; n++) {
    const { recipients, response } = await connection.send({ from: "a@b", to: ["c@d", "no@d"] }, MESSAGE);
    assert.deepEqual(recipients.map(({ accepted }) => accepted), [true, false]);
    assert.equal(response, "250 2.0.0 Message accepted");
  }
  await connection.noop();
  await connection.quit();
  assert.equal(await served, undefined);
  assert.deepEqual(Uint8Array.from(stored), Uint8Array.from([...MESSAGE, ...MESSAGE]));
});

test("a stream that breaks is a lost connection", async () => {
  let broken;
  const readable = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("220 hi\r\n"));
      broken = () => controller.error(new Error("the relay is gone"));
    },
  });
  const writable = new WritableStream({ write: () => broken() });
  const error = await Connection.open(streamTransport({ readable, writable }), OPTIONS).catch((error) => error);
  assert.ok(error instanceof SmtpError);
  assert.deepEqual([error.code, error.stage, error.outcomeUnknown], ["ECONNECTION", "hello", false]);
});

test("a transport that can not do TLS says so, before a password is sent", async () => {
  const [here, there] = transportPair();
  const served = serve(there, { ...SERVER, security: "starttls" }, { request: () => undefined });
  const options = { ...OPTIONS, security: "starttls", auth: { user: "u", pass: "p" } };
  const error = await Connection.open(here, options).catch((error) => error);
  assert.equal(error.code, "ETLS");
  assert.match(error.message, /this transport can not do it/);
  await served;
});

test("more recipients than a narrow pipe holds replies for", async () => {
  const [here, there] = transportPair();
  const served = serve(there, { ...SERVER, maxRecipients: 10_000 }, { request: () => undefined });
  const connection = await Connection.open(here, { ...OPTIONS, timeout: 60_000 });
  const to = Array.from({ length: 5000 }, (_, n) => `recipient${n}@example.org`);
  const { recipients } = await connection.send({ from: "a@example.org", to }, MESSAGE);
  assert.equal(recipients.filter(({ accepted }) => accepted).length, to.length);
  await connection.quit();
  assert.equal(await served, undefined);
});
