// The simulation page in a real browser, under its strict policy.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { open } from "./serve.mjs";

let site;
before(async () => {
  site = await open();
});
after(() => site?.close());

/** Opens the page at `hash`, runs `work`, and checks that the page complained of nothing and asked nobody. */
async function on(hash, work, window) {
  const { page, errors, close } = await site.page(hash, window);
  try {
    await work(page);
    assert.deepEqual(errors, []);
  } finally {
    await close();
  }
}

/** Goes to the end; gives the labels of all lines. */
async function toEnd(page) {
  await page.locator("#last").click();
  return labels(page);
}

function labels(page) {
  return page.locator("#diagram g").evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label")));
}

const outcome = (page) => page.locator("#outcome").textContent();

test("a mail is delivered, step by step and back", () =>
  on("", async (page) => {
    assert.deepEqual(await labels(page), []);
    await page.locator("#step").click();
    await page.keyboard.press("ArrowRight");
    assert.deepEqual(await labels(page), ["Server: 220 mail.example.org ESMTP ready", "Client: EHLO laptop.example.org"]);
    await page.keyboard.press("ArrowLeft");
    assert.equal((await labels(page)).length, 1);
    const lines = await toEnd(page);
    assert.match(await outcome(page), /Delivered to bob@example\.org, carol@example\.org/);
    assert.ok(lines.includes("Connection: -- TLS --"));
    assert.ok(lines.indexOf("Connection: -- TLS --") < lines.indexOf("Client: AUTH PLAIN ****"));
    assert.equal(lines.at(-1), "Connection: The connection is closed.");
  }));

test("run plays to the end by itself", () =>
  on("", async (page) => {
    await page.locator("#speed").fill("10");
    await page.locator("#run").click();
    assert.equal(await page.locator("#run").textContent(), "Pause");
    await page.waitForFunction(() => document.querySelector("#run").textContent === "Again");
    assert.match(await outcome(page), /Delivered/);
  }));

test("secrets are masked until asked for, and never in the address", () =>
  on("", async (page) => {
    await toEnd(page);
    const row = page.locator("#diagram g[aria-label='Client: AUTH PLAIN ****']");
    await row.click();
    assert.match(await page.locator("#detail").textContent(), /They hold a secret/);
    await page.locator("#secrets").check();
    const detail = await page.locator("#detail").textContent();
    assert.ok(detail.includes(`AUTH PLAIN ${btoa("\0anna@example.org\0correct horse")}`), detail);
    assert.ok(!page.url().includes("horse"));
  }));

test("a line shows its bytes, its parse and its section", () =>
  on("", async (page) => {
    await toEnd(page);
    await page.locator("#diagram g[aria-label^='Client: MAIL FROM']").click();
    const detail = await page.locator("#detail").innerText();
    assert.match(detail, /RFC 5321, section 4\.1\.1\.2/);
    assert.match(detail, /from\s+anna@example\.org/);
    assert.match(detail, /4d 41 49 4c 20 46 52 4f\s+MAIL FRO/);
    assert.match(detail, /Server ready — mail → mail/);
  }));

test("each fault ends as it should", async () => {
  for (const [fault, expected, line] of [
    ["busy", /later|wait/i, "Server: 421 4.3.2 Too many connections, try again later"],
    ["auth", /password/i, "Server: 535 5.7.8 Authentication credentials invalid"],
    ["recipient", /Delivered to carol@example\.org .*Refused: bob@example\.org/, "Server: 550 5.1.1 <bob@example.org>: no such user here"],
    ["greylist", /Nobody got it/, "Server: 451 4.7.1 Greylisted, come back in five minutes"],
    ["spam", /Nobody got it/, "Server: 554 5.7.1 This looks like spam"],
    ["drop-ehlo", /connection was lost at EHLO/i, "Connection: The connection breaks"],
    ["drop-auth", /connection was lost at AUTH/i, "Connection: The connection breaks"],
    ["drop-rcpt", /connection was lost at/i, "Connection: The connection breaks"],
    ["drop-mail", /connection was lost at MAIL/i, "Connection: The connection breaks"],
    ["drop-dot", /unknown whether the message was accepted/, "Connection: The connection breaks"],
    ["trickle", /Delivered to bob/, "Client: AUTH PLAIN ****"],
    ["strip", /does not offer STARTTLS/, undefined],
    ["inject", /plain text after it had agreed on TLS/, "Attacker: 250-AUTH PLAIN ⏎ 250 ok"],
    ["smuggle", /Delivered to bob/, "Client: QUIT"],
  ]) {
    await on(`#fault=${fault}`, async (page) => {
      const lines = await toEnd(page);
      assert.match(await outcome(page), expected, fault);
      if (line) assert.ok(lines.includes(line), `${fault}: ${lines.join("\n")}`);
      if (fault === "strip" || fault === "inject") {
        assert.ok(!lines.some((it) => /AUTH|MAIL/.test(it) && it.startsWith("Client")), lines.join("\n"));
      }
      if (fault === "smuggle") assert.equal(lines.filter((it) => it.startsWith("Client: MAIL")).length, 1);
    });
  }
});

test("each provider says what it wants", () =>
  on("", async (page) => {
    for (const [provider, password, expected] of [
      ["gmail-465", "app password", /Delivered/],
      ["gmail-587", "app password", /Delivered/],
      ["gmail-465", "account password", /app password/],
      ["gmail-587", "wrong password", /user name or the password|password/i],
      ["gmail-465", "OAuth2 token", /Delivered/],
      ["gmail-587", "expired token", /Google|token|password/i],
      ["outlook", "account password", /password/i],
      ["outlook", "OAuth2 token", /Delivered/],
      ["office365", "password, SMTP AUTH disabled", /disabled|switched off|administrator/i],
      ["office365", "OAuth2 token", /Delivered/],
      ["gmx", "right password", /Delivered/],
    ]) {
      await page.locator("#provider").selectOption(provider);
      await page.getByRole("button", { name: password, exact: true }).click();
      const lines = await toEnd(page);
      assert.match(await outcome(page), expected, provider);
      const implicit = provider.endsWith("465") || provider === "gmx";
      assert.equal(lines[0].startsWith("Connection: -- TLS"), implicit, provider);
      if (provider.startsWith("gmail") && password === "app password") {
        assert.ok(lines.some((line) => line.startsWith("Client: BDAT ")), lines.join("\n"));
      }
      if (provider === "outlook" && password === "account password") assert.ok(lines.includes("Client: AUTH LOGIN"), lines.join("\n"));
    }
  }));

test("a port that does not fit the security is explained", () =>
  on("#port=465", async (page) => {
    await toEnd(page);
    assert.match(await outcome(page), /nobody ever says anything.*TLS from the first byte/);
  }));

test("a wrong server or port is told before anything is said", () =>
  on("", async (page) => {
    await page.locator("#host").fill("example.org");
    assert.deepEqual(await toEnd(page), ["Connection: No such host"]);
    assert.match(await outcome(page), /the server is mail\.example\.org/);
    await page.locator("#host").fill("mail.example.org");
    await page.locator("#port").fill("25");
    await toEnd(page);
    assert.match(await outcome(page), /port 25/);
  }));

test("a dialogue is copied as a transcript, for Mermaid, and as a test that passes", () =>
  on("#fault=recipient", async (page) => {
    await page.evaluate(() => {
      window.copied = [];
      navigator.clipboard.writeText = async (text) => void window.copied.push(text);
    });
    for (const id of ["transcript", "mermaid", "test"]) await page.locator(`#copy-${id}`).click();
    const [transcript, mermaid, code] = await page.evaluate(() => window.copied);
    assert.match(transcript, /^C: AUTH PLAIN \*\*\*\*$/m);
    assert.match(mermaid, /^sequenceDiagram\n    Server->>Client: 220 /);
    assert.match(mermaid, /^    Note over Client,Server: /m);
    for (const text of [transcript, mermaid, code]) assert.ok(!text.includes("correct horse"));
    const file = new URL("../../dist/copied.test.mjs", import.meta.url).pathname;
    writeFileSync(file, code.replace('"sansmtp"', '"./node.js"').replace("await using server = ", "const server = ").replace(/\n\}\);\n$/, "\n  await server.close();\n});\n"));
    try {
      execFileSync("node", ["--test", file], { stdio: "pipe" });
    } finally {
      rmSync(file);
    }
  }));

test("the address keeps the settings and the step", () =>
  on("#fault=spam&at=3", async (page) => {
    assert.equal((await labels(page)).length, 3);
    assert.equal(await page.locator("#fault").inputValue(), "spam");
    await page.locator("#subject").fill("a <b>&\"c\"");
    await page.locator("#step").click();
    assert.match(page.url(), /subject=a\+%3Cb%3E%26%22c%22/);
    await page.reload();
    assert.equal(await page.locator("#subject").inputValue(), "a <b>&\"c\"");
  }));

test("the message is shown with its dots doubled, and a wrong address is named", () =>
  on("", async (page) => {
    assert.match(await page.locator("#wire").textContent(), /\r\n\.\.this line begins with a dot,\r\n\.\.\r\n/);
    assert.equal(await page.locator("#wire mark:not(.end)").count(), 2);
    await page.locator("#text").fill("no dots");
    assert.equal(await page.locator("#wire mark:not(.end)").count(), 0);
    await page.locator("#to").fill("bob@@example.org");
    assert.match(await outcome(page), /Nothing was sent/);
  }));

test("what leaves in one write is bracketed, and a refused sign-in still says goodbye", () =>
  on("", async (page) => {
    await toEnd(page);
    assert.match(await page.locator("#diagram .flight title").textContent(), /^4 lines in one write/);
    await page.locator("#passwords button").last().click();
    const lines = await toEnd(page);
    assert.deepEqual(lines.slice(-4).map((line) => line.split(" ").slice(0, 2).join(" ")), ["Server: 535", "Client: QUIT", "Server: 221", "Connection: The"]);
  }));

test("a phone shows all of it without scrolling sideways", () =>
  on(
    "",
    async (page) => {
      await toEnd(page);
      // A tapped line is taken apart in sight.
      await page.locator("#diagram g[aria-label^='Client: MAIL FROM']").click();
      const sheet = await page.locator("#detail").boundingBox();
      assert.ok(sheet.y < 740 && sheet.y + sheet.height > 0, JSON.stringify(sheet));
      const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= window, `${wide} > ${window}`);
    },
    { width: 360, height: 740 },
  ));
