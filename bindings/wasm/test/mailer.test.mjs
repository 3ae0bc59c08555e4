// createMailer against createTestServer over real sockets.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { createMailer, createTestServer } from "sansmtp";
import { certificates } from "./certificates.mjs";
import { plain, refusal } from "./mailers.mjs";

const { ca, key, cert } = certificates();
const AUTH = { user: "anna@example.org", pass: "s3cret-pw" };
const MAIL = { from: "Anna <anna@example.org>", to: "bob@example.org", subject: "Grüße", text: ".one\n..two\n.\nend" };

/** Runs `work` with a test server, and ends that. */
async function withServer(options, work) {
  const server = await createTestServer(options);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

test("a mail over STARTTLS with AUTH arrives as it was written", () =>
  withServer({ tls: { key, cert }, auth: AUTH }, async (server) => {
    const mailer = createMailer({ host: server.host, port: server.port, auth: AUTH, tls: { ca } });
    const sent = await mailer.sendMail({ ...MAIL, attachments: [{ filename: "ü.txt", content: "hello" }] });
    assert.deepEqual(sent.accepted, ["bob@example.org"]);
    const [message] = server.messages;
    assert.equal(message.tls, true);
    assert.equal(message.user, AUTH.user);
    assert.equal(message.from, "anna@example.org");
    assert.match(message.text, /^\.one\r\n\.\.two\r\n\.\r\nend\r\n/m);
    assert.ok(message.text.includes(sent.messageId));
    assert.equal(message.content.length, sent.messageSize);
  }));

test("implicit TLS", () =>
  withServer({ tls: { key, cert }, secure: true, auth: AUTH, mechanisms: ["LOGIN"] }, async (server) => {
    const mailer = createMailer({ host: "localhost", port: server.port, secure: true, auth: AUTH, tls: { ca } });
    await mailer.sendMail(MAIL);
    assert.equal(server.messages[0].user, AUTH.user);
  }));

test("a certificate that nobody vouches for is refused, with either kind of TLS", async () => {
  for (const secure of [true, false]) {
    await withServer({ tls: { key, cert }, secure }, async (server) => {
      const error = await refusal(createMailer({ host: server.host, port: server.port, secure }).sendMail(MAIL));
      assert.equal(error.code, "ETLS");
      assert.match(error.message, /certificate/);
      assert.equal(server.messages.length, 0);
    });
  }
});

test("a certificate for another name is refused", () =>
  withServer({ tls: { key, cert } }, async (server) => {
    const tls = { ca, servername: "other.example.org" };
    const error = await refusal(createMailer({ host: server.host, port: server.port, tls }).sendMail(MAIL));
    assert.equal(error.code, "ETLS");
    assert.match(error.message, /other\.example\.org/);
  }));

test("without STARTTLS nothing is sent unless it was asked for", () =>
  withServer({}, async (server) => {
    const error = await refusal(createMailer({ host: server.host, port: server.port }).sendMail(MAIL));
    assert.equal(error.code, "ETLS");
    assert.equal(error.failure.requirement, "starttls");
    assert.deepEqual(server.log.slice(0, 1), ["connect"]);
    assert.ok(!server.log.some((line) => line.startsWith("mail")));
  }));

test("a wrong password is EAUTH, and explained", () =>
  withServer({ tls: { key, cert }, auth: AUTH }, async (server) => {
    const auth = { user: AUTH.user, pass: "wrong" };
    const error = await refusal(createMailer({ host: server.host, port: server.port, auth, tls: { ca } }).sendMail(MAIL));
    assert.equal(error.code, "EAUTH");
    assert.equal(error.command, "AUTH");
    assert.equal(error.responseCode, 535);
    assert.equal(error.response, "535 5.7.8 Authentication credentials invalid");
    assert.ok(error.nextStep.length > 20);
    assert.ok(!JSON.stringify(error).includes("wrong"));
  }));

test("a password does not go in the clear", () =>
  withServer({ auth: AUTH }, async (server) => {
    const error = await refusal(plain(server, { auth: AUTH }).sendMail(MAIL));
    assert.equal(error.code, "EAUTH");
    assert.ok(!server.log.some((line) => line.startsWith("authenticate")));
  }));

test("each recipient has a result of its own", () =>
  withServer({ failures: [{ on: "recipient", match: /^no/, code: 550, enhanced: "5.1.1", text: "No such user" }] }, async (server) => {
    const mail = { ...MAIL, to: ["bob@example.org", { name: "Nobody", address: "no@example.org" }], bcc: "eve@example.org" };
    const sent = await plain(server).sendMail(mail);
    assert.deepEqual(sent.accepted, ["bob@example.org", "eve@example.org"]);
    assert.deepEqual(sent.rejected, ["no@example.org"]);
    assert.equal(sent.rejectedErrors[0].code, "EENVELOPE");
    assert.equal(sent.rejectedErrors[0].recipient, "no@example.org");
    assert.deepEqual(server.messages[0].to, ["bob@example.org", "eve@example.org"]);
    assert.ok(!server.messages[0].text.includes("eve@"));

    const error = await refusal(plain(server).sendMail({ ...MAIL, to: "no@example.org, no2@example.org" }));
    assert.equal(error.code, "EENVELOPE");
    assert.deepEqual(error.rejected, ["no@example.org", "no2@example.org"]);
    assert.equal(error.rejectedErrors.length, 2);
  }));

test("what a server refuses has nodemailer's code", async () => {
  for (const [failure, code, stage] of [
    [{ on: "connect", code: 554, text: "go away" }, "EPROTOCOL", "greeting"],
    [{ on: "connect", code: 421, text: "too busy" }, "ECONNECTION", "greeting"],
    [{ on: "mail", code: 550, text: "not you" }, "EENVELOPE", "mail"],
    [{ on: "mail", code: 451, text: "later" }, "EENVELOPE", "mail"],
    // The server has CHUNKING: it asks at the first chunk.
    [{ on: "data", code: 554, text: "no" }, "EMESSAGE", "content"],
    [{ on: "message", code: 554, text: "spam" }, "EMESSAGE", "content"],
    [{ on: "connect", drop: true }, "ECONNECTION", "greeting"],
    [{ on: "mail", drop: true }, "ECONNECTION", "mail"],
  ]) {
    await withServer({ failures: [failure] }, async (server) => {
      const error = await refusal(plain(server).sendMail(MAIL));
      assert.deepEqual([error.code, error.stage], [code, stage], JSON.stringify(failure));
      assert.equal(error.temporary, failure.drop ?? failure.code < 500);
      assert.equal(error.outcomeUnknown, false);
      if (failure.text) assert.ok(error.message.includes(failure.text), error.message);
    });
  }
});

test("a connection lost behind the final dot leaves the outcome open", () =>
  withServer({ failures: [{ on: "message", drop: true }] }, async (server) => {
    const error = await refusal(plain(server).sendMail(MAIL));
    assert.equal(error.code, "ECONNECTION");
    assert.equal(error.outcomeUnknown, true);
    assert.match(error.nextStep, /before you send it again/);
  }));

test("a silent server is ETIMEDOUT", async () => {
  const sockets = [];
  const silent = net.createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address();
  const error = await refusal(createMailer({ host: "127.0.0.1", port, greetingTimeout: 20 }).sendMail(MAIL));
  assert.equal(error.code, "ETIMEDOUT");
  assert.equal(error.stage, "greeting");
  for (const socket of sockets) socket.destroy();
  silent.close();
  await once(silent, "close");
  const refused = await refusal(createMailer({ host: "127.0.0.1", port }).sendMail(MAIL));
  assert.equal(refused.code, "ECONNECTION");
});

test("a logger gets the dialogue without secrets", () =>
  withServer({ tls: { key, cert }, auth: AUTH }, async (server) => {
    const lines = [];
    const logger = { debug: ({ component, connection }, line) => lines.push(`${component} ${connection} ${line}`) };
    const mailer = createMailer({ host: server.host, port: server.port, auth: AUTH, tls: { ca }, logger });
    await mailer.sendMail(MAIL);
    assert.match(lines[0], /^smtp 1 S: 220 /);
    const tls = lines.indexOf("smtp 1 -- TLS --");
    assert.ok(tls > 0 && tls < lines.indexOf("smtp 1 C: AUTH PLAIN ****"), lines.join("\n"));
    assert.ok(lines.includes("smtp 1 C: MAIL FROM:<anna@example.org> SIZE=" + server.messages[0].content.length), lines.join("\n"));
    assert.ok(lines.includes("smtp 1 C: QUIT"));
    for (const secret of [AUTH.pass, btoa(`\0${AUTH.user}\0${AUTH.pass}`), ".two"]) assert.ok(!lines.join("\n").includes(secret));
  }));

/** Runs `work` with a server that states these limits; `says` can answer a command in its own way. */
async function withLimits(limits, work, says = () => undefined) {
  const sessions = [];
  const sockets = new Set();
  const listener = net.createServer((socket) => {
    const transactions = [];
    sessions.push(transactions);
    sockets.add(socket.on("error", () => {}));
    let [rest, content] = ["", false];
    const reply = (line) => socket.write(`${line}\r\n`);
    reply("220 limits.example.org");
    socket.on("data", (bytes) => {
      const lines = (rest + bytes.toString("latin1")).split("\r\n");
      rest = lines.pop();
      for (const line of lines) {
        if (content) {
          if (line !== ".") continue;
          content = false;
          reply("250 2.0.0 taken");
          continue;
        }
        const verb = line.slice(0, 4).toUpperCase();
        const [, address] = /<(.*)>/.exec(line) ?? [];
        const own = says(line, transactions, sessions);
        if (own === "drop") return socket.destroy();
        if (own) reply(own);
        else if (verb === "EHLO") reply(`250-limits.example.org\r\n250-ENHANCEDSTATUSCODES\r\n250 LIMITS ${limits}`);
        else if (verb === "DATA") reply("354 go on");
        else reply("250 2.0.0 fine");
        if (verb === "MAIL" && !own) transactions.push([]);
        if (verb === "RCPT" && !own) transactions.at(-1).push(address);
        if (verb === "DATA" && !own) content = true;
        if (verb === "QUIT") socket.end();
      }
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    await work({ host: "127.0.0.1", port: listener.address().port }, sessions);
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
  }
}

const FIVE = ["a@one.example", "b@two.example", "c@ONE.example", "d@one.example", "e@two.example"];

test("the limits that a server states split a mail into transactions and connections", async () => {
  for (const [limits, expected] of [
    ["RCPTMAX=2", [[FIVE.slice(0, 2), FIVE.slice(2, 4), FIVE.slice(4)]]],
    ["RCPTMAX=2 MAILMAX=2", [[FIVE.slice(0, 2), FIVE.slice(2, 4)], [FIVE.slice(4)]]],
    ["RCPTDOMAINMAX=1", [[[FIVE[0], FIVE[2], FIVE[3]]], [[FIVE[1], FIVE[4]]]]],
    ["RCPTMAX=5", [[FIVE]]],
  ]) {
    for (const pool of [false, true]) {
      await withLimits(limits, async (server, sessions) => {
        const mailer = plain(server, { pool });
        const sent = await mailer.sendMail({ ...MAIL, to: FIVE });
        await mailer.close();
        assert.deepEqual(sessions, expected, limits);
        assert.deepEqual(sent.accepted, FIVE);
        assert.deepEqual(sent.recipients.map(({ address }) => address), FIVE);
        assert.equal(sent.response, "250 2.0.0 taken");
      });
    }
  }
});

test("limits that were stated before TLS count no more", async () => {
  const { Connection } = await import("sansmtp");
  const said = (text) => new TextEncoder().encode(text);
  /** Gives these replies octet by octet, one with each write. */
  const scripted = (replies, startTls) => {
    const octets = [];
    const next = () => octets.push(...said(replies.shift() ?? ""));
    next();
    return {
      read: async () => (octets.length > 0 ? Uint8Array.of(octets.shift()) : undefined),
      write: async () => next(),
      close() {},
      ...(startTls && { startTls }),
    };
  };
  for (const [inside, expected] of [
    ["250-x\r\n250-limits MAILMAX=9 RCPTMAX=2\r\n250 SIZE\r\n", [true, true, false]],
    ["250-x\r\n250 LIMITS RCPTMAX=2 RCPTMAXIMUM=1 RCPTDOMAINMAX=0\r\n", [true, true, false]],
    ["250-x\r\n250 LIMITSX RCPTMAX=2\r\n", [true, true, true]],
    ["250 x\r\n", [true, true, true]],
  ]) {
    const secured = scripted([""]);
    secured.write = async () => {
      secured.read = scripted([inside]).read;
    };
    const clear = scripted(["220 x\r\n", "250-x\r\n250-STARTTLS\r\n250 LIMITS RCPTMAX=1\r\n", "220 go\r\n"], async () => secured);
    const connection = await Connection.open(clear, { host: "x", security: "starttls" });
    assert.deepEqual(connection.admitted(FIVE.slice(0, 3)), expected, inside);
    connection.close();
  }
});

test("a pool does not keep a connection that has had all its messages", () =>
  withLimits("MAILMAX=2", async (server, sessions) => {
    const mailer = plain(server, { pool: true, maxConnections: 1 });
    for (let n = 0; n < 5; n++) await mailer.sendMail(MAIL);
    await mailer.close();
    assert.deepEqual(sessions.map(({ length }) => length), [2, 2, 1]);
  }));

test("recipients that are too many for one transaction get another one, stated or not", () =>
  withLimits(
    "RCPTMAX=1000",
    async (server, sessions) => {
      const sent = await plain(server).sendMail({ ...MAIL, to: FIVE });
      assert.deepEqual(sessions, [[FIVE.slice(0, 3), FIVE.slice(3)]]);
      assert.deepEqual(sent.accepted, FIVE);
    },
    (line, transactions) => (line.startsWith("RCPT") && transactions.at(-1).length === 3 ? "452 4.5.3 Too many recipients" : undefined),
  ));

test("a recipient that a later transaction is refused for stands in the result", () =>
  withLimits(
    "RCPTMAX=2",
    async (server) => {
      const sent = await plain(server).sendMail({ ...MAIL, to: FIVE });
      assert.deepEqual(sent.accepted, FIVE.slice(0, 4));
      assert.deepEqual(sent.rejected, FIVE.slice(4));
      assert.equal(sent.rejectedErrors[0].responseCode, 550);
      assert.equal(sent.recipients[4].response, "550 5.1.1 nobody");
    },
    (line) => (line.startsWith(`RCPT TO:<${FIVE[4]}>`) ? "550 5.1.1 nobody" : undefined),
  ));

test("a server that refuses every transaction refuses all recipients", () =>
  withLimits(
    "RCPTMAX=2",
    async (server) => {
      const error = await refusal(plain(server).sendMail({ ...MAIL, to: FIVE }));
      assert.equal(error.responseCode, 550);
      assert.deepEqual(error.rejected, FIVE);
      assert.equal(error.rejectedErrors.length, 5);
    },
    (line) => (line.startsWith("RCPT") ? "550 5.1.1 nobody" : undefined),
  ));

test("a connection lost between two transactions loses nobody, and nobody gets the mail twice", async () => {
  // The server closes at the second MAIL of a session: another connection goes on.
  await withLimits(
    "RCPTMAX=2",
    async (server, sessions) => {
      const sent = await plain(server).sendMail({ ...MAIL, to: FIVE });
      assert.deepEqual(sent.accepted, FIVE);
      assert.deepEqual(sessions, [[FIVE.slice(0, 2)], [FIVE.slice(2, 4)], [FIVE.slice(4)]]);
    },
    (line, transactions) => (line.startsWith("MAIL") && transactions.length === 1 ? "drop" : undefined),
  );
  // No further connection is taken: who has got the mail is told all the same.
  await withLimits(
    "RCPTMAX=2 MAILMAX=1",
    async (server, sessions) => {
      const sent = await plain(server).sendMail({ ...MAIL, to: FIVE });
      assert.deepEqual(sent.accepted, FIVE.slice(0, 2));
      assert.deepEqual(sent.rejected, FIVE.slice(2));
      for (const error of sent.rejectedErrors) assert.deepEqual([error.code, error.outcomeUnknown], ["ECONNECTION", false]);
      assert.equal(sessions.length, 2);
    },
    (line, _, sessions) => (line.startsWith("EHLO") && sessions.length === 2 ? "drop" : undefined),
  );
});

test("a pool keeps connections and survives one that the server closed", async () => {
  const failures = [];
  await withServer({ failures }, async (server) => {
    const mailer = plain(server, { pool: true, maxConnections: 2, maxMessages: 50 });
    await Promise.all(Array.from({ length: 20 }, (_, n) => mailer.sendMail({ ...MAIL, subject: `mail ${n}` })));
    assert.equal(server.messages.length, 20);
    assert.ok(server.connections <= 2, `${server.connections} connections`);
    // The server says 421 to the next MAIL on both, as it does to a session that was idle for too long.
    failures.push({ on: "mail", code: 421, text: "idle for too long", times: 1 });
    await mailer.sendMail(MAIL);
    assert.equal(server.messages.length, 21);
    await mailer.close();
  });
});

test("maxMessages ends a connection", () =>
  withServer({}, async (server) => {
    const mailer = plain(server, { pool: true, maxConnections: 1, maxMessages: 2 });
    for (let n = 0; n < 5; n++) await mailer.sendMail(MAIL);
    await mailer.close();
    assert.equal(server.connections, 3);
  }));

test("a message of several megabytes, and an empty one", () =>
  withServer({}, async (server) => {
    const text = `${"x".repeat(70)}\n`.repeat(60_000);
    await plain(server).sendMail({ ...MAIL, text });
    assert.equal(server.messages[0].text.match(/x{70}\r\n/g).length, 60_000);
    await plain(server).sendMail({ raw: "", envelope: { from: "", to: ["b@example.org"] } });
    assert.equal(server.messages[1].content.length, 0);
    assert.equal(server.messages[1].from, "");
    await plain(server).sendMail({ raw: "a\r\n.\r\nb", envelope: { from: "a@b", to: "b@example.org" } });
    assert.equal(server.messages[2].text, "a\r\n.\r\nb\r\n");
  }));

test("options that can not work are ECONFIG, and a misspelt provider is recognised", () => {
  assert.throws(() => createMailer({ service: "gmial" }), { code: "ECONFIG", message: /did you mean gmail/ });
  assert.deepEqual(createMailer({ service: "gmail" }).options, { host: "smtp.gmail.com", port: 465, security: "tls" });
  const starttls = createMailer({ service: "Gmail", port: 587 }).options;
  assert.deepEqual(starttls, { host: "smtp.gmail.com", port: 587, security: "starttls" });
});

test("what can not be written in a message is refused before anything is sent", () =>
  withServer({}, async (server) => {
    for (const mail of [
      { ...MAIL, subject: "a\r\nBcc: eve@example.org" },
      { ...MAIL, headers: { "X-A": "b\nc" } },
      { ...MAIL, headers: { "X A": "b" } },
      { ...MAIL, to: "bob@example.org>\r\nRCPT TO:<eve@example.org" },
    ]) {
      const error = await refusal(plain(server).sendMail(mail));
      assert.equal(error.code, "EMESSAGE", error.message);
    }
    assert.equal(server.connections, 0);
  }));
