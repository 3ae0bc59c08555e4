// What a program gives to createMailer, sendMail and createTestServer: the habits of nodemailer's users, and what can not work.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createMailer, createTestServer, SmtpError } from "sansmtp";
import { certificates } from "./certificates.mjs";
import { plain as plainTo, refusal } from "./mailers.mjs";

const MAIL = { from: "anna@example.org", to: "bob@example.org", subject: "s", text: "t" };
const directory = mkdtempSync(join(tmpdir(), "sansmtp-given-"));
let server;
before(async () => {
  server = await createTestServer({ extensions: ["DSN", "8BITMIME"] });
});
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

const plain = (more) => plainTo(server, more);

/** Sends, and gives what arrived. */
async function arrived(mail) {
  await plain().sendMail(mail);
  return server.messages.at(-1);
}

test("an address whose domain a URL would cut off goes to nobody", async () => {
  const before = server.connections;
  for (const address of ["x@evil.example/münchen.de", "x@evil.example?ü", "x@evil.example#.ü.org", "x@ü.example:25", "x@ü%2eorg", "x@evil.example\\ü"]) {
    for (const to of [address, { name: "N", address }, `N <${address}>`]) {
      assert.equal((await refusal(plain().sendMail({ ...MAIL, to }))).code, "EMESSAGE", address);
    }
  }
  assert.equal(server.connections, before);
  assert.deepEqual((await arrived({ ...MAIL, to: "x@münchen.de" })).to, ["x@xn--mnchen-3ya.de"]);
});

test("a wrong address is named among others", async () => {
  const error = await refusal(plain().sendMail({ ...MAIL, to: ["bob@example.org", "carol@@example.org", "dave@example.org"] }));
  assert.match(error.message, /carol@@example\.org/);
});

test("nothing that a mail is given is passed over in silence", async () => {
  for (const [more, message] of [
    [{ attachment: [] }, /takes no attachment; did you mean attachments\?/],
    [{ alternatives: [{ content: "x" }] }, /raw/],
    [{ icalEvent: { content: "x" } }, /raw/],
    [{ priority: "high" }, /X-Priority/],
    [{ messageId: "<a@b>" }, /messageIdDomain/],
    [{ text: { path: "a.txt" } }, /text: give a text/],
    [{ html: Readable.from(["x"]) }, /html: give a text, not a Readable/],
    [{ subject: {} }, /subject: give a text/],
    [{ to: { name: "Team", group: [] } }, /to: give addresses/],
    [{ date: "yesterday" }, /date: yesterday is no date/],
    [{ date: new Date(Number.NaN) }, /no date/],
    [{ headers: { "X-A": { prepared: true, value: "x" } } }, /X-A: give a text/],
    [{ attachments: { filename: "a" } }, /give a list/],
    [{ attachments: ["a.txt"] }, /attachment 1: give an object/],
    [{ attachments: [{ filename: "a" }] }, /either content or path/],
    [{ attachments: [{ filename: "a", content: "x" }, { href: "https://example.org" }] }, /attachment 2 takes no href; fetch it/],
    [{ attachments: [{ path: "https://example.org/a" }] }, /fetch it/],
    [{ attachments: [{ path: "data:text/plain,x" }] }, /path is a file/],
    [{ attachments: [{ filename: "a", content: Readable.from(["x"]) }] }, /not a Readable; read files and streams first/],
    [{ attachments: [{ filename: "a", content: "zz", encoding: "hex" }] }, /not hex/],
    [{ attachments: [{ filename: "a", content: "a*", encoding: "base64" }] }, /not base64/],
    [{ attachments: [{ filename: "a", content: "a", encoding: "ebcdic" }] }, /no encoding ebcdic/],
    [{ attachments: [{ filename: "a", content: "a", contentDisposition: "inline" }] }, /inline if it has a cid/],
    [{ raw: Readable.from(["x"]) }, /raw: give a text or a Buffer/],
    [{ raw: { path: "a.eml" } }, /raw: give a text or a Buffer/],
  ]) {
    const error = await refusal(plain().sendMail({ ...MAIL, ...more }));
    assert.equal(error.code, "EMESSAGE");
    assert.match(error.message, message);
  }
  for (const mail of [undefined, null, "text"]) assert.match((await refusal(plain().sendMail(mail))).message, /a mail is an object/);
  for (const dsn of [{ notify: "sucess" }, { return: "body" }]) {
    assert.equal((await refusal(plain().sendMail({ ...MAIL, dsn }))).code, "EENVELOPE");
  }
});

test("the habits of nodemailer's users", async () => {
  const file = join(directory, "grün.txt");
  writeFileSync(file, "from a file");
  for (const [more, expected] of [
    [{ cc: null, replyTo: undefined, attachments: null, bcc: [] }, /\r\n\r\nt\r\n$/],
    [{ text: Buffer.from(".grün") }, /\r\n\r\nLmdyw7xu\r\n/],
    [{ subject: 42, headers: { "X-N": 3 } }, /Subject: 42\r\n[\s\S]*X-N: 3\r\n/],
    [{ headers: new Map([["X-M", "m"]]) }, /X-M: m\r\n/],
    [{ headers: [{ key: "X-A", value: "1" }, { key: "X-A", value: "2" }] }, /X-A: 1\r\nX-A: 2\r\n/],
    [{ date: "2024-01-02T03:04:05Z" }, /Date: Tue, 0[12] Jan 2024 /],
    [{ date: 0 }, /Date: \w+, (?:01 Jan 1970|31 Dec 1969) /],
    [{ attachments: [{ path: pathToFileURL(file) }] }, /filename\*0?\*?=utf-8''gr%C3%BCn\.txt[\s\S]*ZnJvbSBhIGZpbGU=/],
    [{ attachments: [{ filename: "l", content: "é", encoding: "latin1" }] }, /\r\n6Q==\r\n/],
    [{ html: "<b>x</b>", attachments: [{ filename: "a.png", content: "x", cid: "a@b", contentDisposition: "inline" }] }, /Content-ID: <a@b>/],
    [{ raw: "Message-ID: <own@example.org>\r\n\r\nx" }, /^Message-ID: <own@example\.org>\r\n\r\nx\r\n$/],
    [{ attachDataUrls: false, priority: undefined }, /\r\n\r\nt\r\n$/],
  ]) {
    const { text, from, to } = await arrived({ ...MAIL, ...more });
    assert.match(text, expected);
    assert.deepEqual([from, to], ["anna@example.org", ["bob@example.org"]]);
  }
  const raw = await plain().sendMail({ ...MAIL, raw: Buffer.from("Message-ID: <own@example.org>\r\n\r\nx") });
  assert.equal(raw.messageId, "<own@example.org>");
});

test("delivery reports in nodemailer's words", async () => {
  const asked = [];
  const own = await createTestServer({ extensions: ["DSN"], respond: (request) => void asked.push(request) });
  try {
    const dsn = { return: "headers", notify: "success, failure", id: "x1", recipient: "b@example.org" };
    await createMailer({ host: own.host, port: own.port, ignoreTLS: true }).sendMail({ ...MAIL, dsn });
    const [mail, recipient] = ["mail", "recipient"].map((type) => asked.find((request) => request.type === type));
    assert.deepEqual([mail.ret, mail.envid], ["hdrs", "x1"]);
    assert.deepEqual([recipient.notify, recipient.orcpt], ["success,failure", "rfc822;b@example.org"]);
  } finally {
    await own.close();
  }
});

test("a callback is refused, since nobody would call it", async () => {
  assert.equal((await refusal(plain().sendMail(MAIL, () => {}))).code, "EMISUSE");
  assert.equal((await refusal(plain().verify(() => {}))).code, "EMISUSE");
  assert.throws(() => createMailer({}, { from: "a@example.org" }), { code: "EMISUSE" });
});

test("options that can not work are told at once", () => {
  const auth = (auth) => ({ host: "127.0.0.1", auth });
  for (const [options, message] of [
    [undefined, /the options are an object/],
    ["smtp://u:p@mail.example.org", /the options are an object/],
    [{ hots: "x" }, /takes no hots/],
    [{ hostname: "x" }, /takes no hostname; did you mean host\?/],
    [{ proxy: "socks5://127.0.0.1" }, /takes no proxy/],
    [{ port: "smtp" }, /port is a number/],
    [{ port: 0 }, /port is a number/],
    [{ port: 70_000 }, /port is a number/],
    [{ secure: "false" }, /secure is true or false/],
    [{ secure: true, ignoreTLS: true }, /exclude each other/],
    [{ service: "gmail", ignoreTLS: true }, /TLS only/],
    [{ host: "smtp://mail.example.org" }, /neither a host name/],
    [{ host: "a b" }, /neither a host name/],
    [{ name: "a\r\nb" }, /EHLO name/],
    [auth({ user: "u" }), /auth\.pass is the password, not nothing/],
    [auth({ user: "u", pass: null }), /auth\.pass is the password, not nothing/],
    [auth({ user: "u", pass: 1234 }), /auth\.pass is the password, not a number/],
    [auth({ pass: "p" }), /auth\.user is the user name/],
    [auth({ type: "OAuth2", user: "u" }), /accessToken is a token, not nothing/],
    [auth({ type: "OAuth2", user: "u", refreshToken: "r" }), /takes no refreshToken; fetch a token/],
    [auth({ type: "ntlm", user: "u", pass: "p" }), /auth\.type/],
    [{ pool: true, maxConnections: 0 }, /maxConnections/],
    [{ maxMessages: 0 }, /maxMessages/],
    [{ socketTimeout: "5000" }, /socketTimeout is a number/],
    [{ connectionTimeout: -1 }, /connectionTimeout is a number/],
    [{ logger: { info() {} } }, /no method debug/],
  ]) {
    assert.throws(() => createMailer(options), { name: "SmtpError", code: "ECONFIG", message }, JSON.stringify(options));
  }
});

test("what environment variables hold is understood", async () => {
  assert.deepEqual(createMailer({ host: "h", port: "465" }).options, { host: "h", port: 465, security: "tls" });
  assert.deepEqual(createMailer({ host: "h", port: "587" }).options, { host: "h", port: 587, security: "starttls" });
  // 0 leaves it at the defaults, and a timer bears no more than 31 bits.
  for (const timeout of [0, 1e12, Number.POSITIVE_INFINITY]) {
    const mailer = plain({ connectionTimeout: timeout, greetingTimeout: timeout, socketTimeout: timeout, debug: true });
    assert.equal((await mailer.sendMail(MAIL)).accepted.length, 1);
  }
});

test("the reply of a server stands alone in the error", async () => {
  // Without AUTH the reply to MAIL is the first that is read behind the one to EHLO.
  const own = await createTestServer({ failures: [{ on: "mail", code: 550, enhanced: "5.7.1", text: "not you" }] });
  try {
    const error = await refusal(createMailer({ host: own.host, port: own.port, ignoreTLS: true }).sendMail(MAIL));
    assert.equal(error.response, "550 5.7.1 not you");
    assert.equal(error.message, "the server refused MAIL FROM: 550 5.7.1 not you");
  } finally {
    await own.close();
  }
});

test("whatever keeps a connection from coming up says what to do", async () => {
  const { key, cert } = certificates();
  const secured = await createTestServer({ tls: { key, cert } });
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  try {
    for (const [options, code, nextStep] of [
      [{ host: "127.0.0.1", port }, "ECONNECTION", /Check host and port/],
      [{ host: "none.invalid" }, "EDNS", /Check host and port/],
      // Plain SMTP where TLS is expected.
      [{ host: secured.host, port: secured.port, secure: true }, "ETLS", /`secure: true` belongs to port 465/],
      [{ host: secured.host, port: secured.port }, "ETLS", /tls: \{ ca \}/],
    ]) {
      const error = await refusal(createMailer(options).sendMail(MAIL));
      assert.equal(error.code, code);
      assert.match(error.nextStep, nextStep);
      assert.ok(!error.message.includes("ssl3_"), error.message);
      assert.equal(error.command, code === "ETLS" ? "STARTTLS" : "CONN");
    }
  } finally {
    await secured.close();
  }
});

test("a pool that was closed keeps no connection, not even one that was under way", async () => {
  const ends = () => server.log.filter((line) => line === "end").length;
  const before = ends();
  const mailer = plain({ pool: true });
  const sending = mailer.sendMail(MAIL);
  await mailer.close();
  await sending;
  await mailer.sendMail(MAIL);
  assert.equal(ends(), before + 2);
});

test("verify survives a connection that the server closed meanwhile", async () => {
  // The server goes at whatever it is asked behind the first message.
  let connections = 0;
  const listener = net.createServer((socket) => {
    const first = connections++ === 0;
    let content = false;
    let sent = false;
    socket.on("error", () => {});
    socket.write("220 x\r\n");
    socket.on("data", (bytes) => {
      for (const line of bytes.toString("latin1").split("\r\n").slice(0, -1)) {
        if (first && sent) return socket.destroy();
        if (content && line !== ".") continue;
        if (content) sent = true;
        content = line === "DATA";
        socket.write(content ? "354 go\r\n" : "250 ok\r\n");
      }
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const mailer = createMailer({ host: "127.0.0.1", port: listener.address().port, ignoreTLS: true, pool: true, socketTimeout: 5_000 });
  try {
    await mailer.sendMail(MAIL);
    assert.equal(await mailer.verify(), true);
    assert.equal(connections, 2);
  } finally {
    await mailer.close();
    listener.close();
  }
});

test("a server that never answers QUIT holds nothing up", async () => {
  const sockets = [];
  const listener = net.createServer((socket) => {
    let content = false;
    sockets.push(socket.on("error", () => {}));
    socket.write("220 x\r\n");
    socket.on("data", (bytes) => {
      for (const line of bytes.toString("latin1").split("\r\n").slice(0, -1)) {
        if (line === "QUIT" || (content && line !== ".")) continue;
        content = line === "DATA";
        socket.write(content ? "354 go\r\n" : "250 ok\r\n");
      }
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  try {
    const mailer = createMailer({ host: "127.0.0.1", port: listener.address().port, ignoreTLS: true, socketTimeout: 200 });
    assert.equal((await mailer.sendMail(MAIL)).response, "250 ok");
  } finally {
    for (const socket of sockets) socket.destroy();
    listener.close();
  }
});

test("a test server that can not do what it is told does not start", async () => {
  for (const [options, message] of [
    [{ failures: [{ on: "rcpt" }] }, /nothing is called rcpt/],
    [{ failures: [{ on: "mail", code: 250 }] }, /250 is no failure/],
    [{ failures: [{ on: "mail", code: 550, enhanced: "4.1.1" }] }, /same digit/],
    [{ extensions: ["FOO"] }, /./],
    [{ hostname: "a b" }, /./],
    [{ auth: { user: "u", pass: "p" }, mechanisms: ["CRAM-MD5"] }, /CRAM-MD5/],
    [{ secure: true }, /tls: \{ key, cert \}/],
  ]) {
    const error = await refusal(createTestServer(options));
    assert.equal(error.code, "ECONFIG");
    assert.match(error.message, message);
  }
  await assert.rejects(createTestServer({ tls: { key: "x", cert: "y" } }), /PEM|no start line/);
});

test("a test server judges OAuth2 tokens as it does passwords", async () => {
  const own = await createTestServer({ auth: { user: "anna", pass: "token" }, mechanisms: ["XOAUTH2"] });
  const mailer = (accessToken) =>
    createMailer({ host: own.host, port: own.port, ignoreTLS: true, dangerPlaintextAuth: true, auth: { type: "OAuth2", user: "anna", accessToken } });
  try {
    assert.equal((await refusal(mailer("old").sendMail(MAIL))).code, "EAUTH");
    await mailer("token").sendMail(MAIL);
    assert.equal(own.messages[0].user, "anna");
  } finally {
    await own.close();
  }
});

test("a test server can be slow", async () => {
  let go = () => {};
  const own = await createTestServer({ respond: (request) => (request.type === "mail" ? new Promise((resolve) => (go = resolve)) : undefined) });
  const mailer = (more) => createMailer({ host: own.host, port: own.port, ignoreTLS: true, ...more });
  try {
    const error = await refusal(mailer({ socketTimeout: 50 }).sendMail(MAIL));
    assert.deepEqual([error.code, error.stage], ["ETIMEDOUT", "mail"]);
    const sending = mailer().sendMail(MAIL);
    while (own.log.filter((line) => line.startsWith("mail")).length < 2) await new Promise(setImmediate);
    go({ code: 550, text: "too late" });
    assert.equal((await refusal(sending)).response, "550 5.0.0 too late");
  } finally {
    await own.close();
  }
});
