// The package as a consumer sees it: packed, installed into a project, and loaded each way it promises.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const top = new URL("..", import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), "sansmtp-consumer-"));
const run = (program, ...args) => execFileSync(program, args, { cwd: project, encoding: "utf8", stdio: "pipe" });

before(() => {
  execFileSync("npm", ["pack", "--pack-destination", project], { cwd: top, stdio: "pipe" });
  const tarball = readdirSync(project).find((name) => name.endsWith(".tgz"));
  writeFileSync(join(project, "package.json"), '{ "name": "consumer", "private": true }');
  run("npm", "install", "--offline", "--no-audit", "--no-fund", `./${tarball}`);
});
after(() => rmSync(project, { recursive: true }));

test("the README shows the example that is tested", () => {
  const example = readFileSync(join(top, "examples/send.mjs"), "utf8");
  assert.ok(readFileSync(join(top, "README.md"), "utf8").includes("```js\n" + example + "```"));
  assert.ok(example.split("\n").length <= 10);
});

test("the package is as its tools want it", () => {
  const tool = (name, ...args) => execFileSync(join(top, "node_modules/.bin", name), args, { cwd: top, encoding: "utf8", stdio: "pipe" });
  assert.match(tool("publint", "--strict"), /All good/);
  // The module itself is an asset without types.
  tool("attw", join(project, readdirSync(project).find((name) => name.endsWith(".tgz"))), "--profile", "node16", "--exclude-entrypoints", "smtp.wasm");
});

const GREETING = 'const c = new Client({ host: "h", security: "danger-plaintext" }); c.receive(new TextEncoder().encode("220 h\\r\\n")); console.log(new TextDecoder().decode(c.transmit()).trim());';

test("the licenses go along", () => {
  const names = readdirSync(join(project, "node_modules/sansmtp"));
  assert.deepEqual(names.filter((name) => name.startsWith("LICENSE")), ["LICENSE-APACHE", "LICENSE-MIT"]);
});

test("import in Node", () => {
  writeFileSync(join(project, "a.mjs"), `import { Client, createMailer } from "sansmtp"; ${GREETING} createMailer({ service: "gmail" });`);
  assert.equal(run("node", "a.mjs"), "EHLO [127.0.0.1]\n");
});

test("require in Node", () => {
  writeFileSync(join(project, "a.cjs"), `const { Client, createTestServer } = require("sansmtp"); ${GREETING} createTestServer().then((s) => s.close());`);
  assert.equal(run("node", "a.cjs"), "EHLO [127.0.0.1]\n");
});

test("bundled for Node, it needs no file beside it", () => {
  writeFileSync(join(project, "bundled.mjs"), `import { Client, createMailer } from "sansmtp"; ${GREETING} createMailer({ service: "gmail" });`);
  for (const [format, ending] of [["esm", "mjs"], ["cjs", "cjs"]]) {
    const elsewhere = mkdtempSync(join(tmpdir(), "sansmtp-bundle-"));
    const file = join(elsewhere, `bundle.${ending}`);
    try {
      run(join(top, "node_modules/.bin/esbuild"), "bundled.mjs", "--bundle", "--platform=node", `--format=${format}`, `--outfile=${file}`, "--log-level=error");
      assert.equal(run("node", file), "EHLO [127.0.0.1]\n", format);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  }
});

test("./inline and ./slim", () => {
  writeFileSync(join(project, "inline.mjs"), `import { Client } from "sansmtp/inline"; ${GREETING}`);
  assert.equal(run("node", "inline.mjs"), "EHLO [127.0.0.1]\n");
  writeFileSync(
    join(project, "slim.mjs"),
    `import { readFileSync } from "node:fs"; import { createRequire } from "node:module"; import { Client, initSync } from "sansmtp/slim";
     initSync({ module: readFileSync(createRequire(import.meta.url).resolve("sansmtp/smtp.wasm")) }); ${GREETING}`,
  );
  assert.equal(run("node", "slim.mjs"), "EHLO [127.0.0.1]\n");
});

test("the types fit strict TypeScript, and the events are a union that a switch can exhaust", () => {
  const code = (importing) => `${importing}
    function name(event: S.ClientEvent): string {
      switch (event.type) {
        case "reply": case "refused": case "sender": case "chunk-refused": case "delivered": case "answer": return event.reply.text;
        case "recipient": return String(event.index);
        case "not-delivered": return event.reply?.text ?? event.stage;
        case "starttls": case "ready": case "content": case "closed": return event.type;
        case "failed": return event.failure.nextStep;
        default: { const never: never = event; return never; }
      }
    }
    console.log(name);
    const mailer: S.Mailer = S.createMailer({ host: "h", port: 587, auth: { user: "u", pass: "p" } });
    mailer.sendMail({ from: "a@b", to: ["c@d"], text: "x" }).then((sent) => { const n: number = sent.messageSize; return n; });
    // @ts-expect-error: there is no such security
    new S.Client({ host: "h", security: "ssl" });
  `;
  writeFileSync(join(project, "types.mts"), code('import * as S from "sansmtp";'));
  writeFileSync(join(project, "types.cts"), code('import S = require("sansmtp");'));
  const tsc = join(top, "node_modules/.bin/tsc");
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
  // A page, compiled for a library without `Disposable`, and without the types of Node.
  writeFileSync(
    join(project, "page.ts"),
    'import { Client } from "sansmtp"; import { findProvider } from "sansmtp/providers"; console.log(new Client({ host: "h", security: "tls" }).receive(), findProvider("gmail")?.name);',
  );
  run(tsc, "--strict", "--noEmit", "--module", "esnext", "--moduleResolution", "bundler", "--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--types", "", "page.ts");
  run(tsc, ...options, "--typeRoots", join(top, "node_modules/@types"), "--types", "node", "types.mts", "types.cts");
});
