// The simulation page in a real browser, under its strict policy.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** What the buttons put into the clipboard. */
async function copied(page, ...buttons) {
  await page.evaluate(() => {
    window.copied = [];
    navigator.clipboard.writeText = async (text) => void window.copied.push(text);
  });
  for (const id of buttons) await page.locator(`#copy-${id}`).click();
  return page.evaluate(() => window.copied);
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

test("a dialogue is copied as a transcript and for Mermaid", () =>
  on("#fault=recipient", async (page) => {
    const [transcript, mermaid] = await copied(page, "transcript", "mermaid");
    assert.match(transcript, /^C: AUTH PLAIN \*\*\*\*$/m);
    assert.match(mermaid, /^sequenceDiagram\n    Server->>Client: 220 /);
    assert.match(mermaid, /^    Note over Client,Server: /m);
    for (const text of [transcript, mermaid]) assert.ok(!text.includes("correct horse"));
  }));

test("every fault, provider and secret is copied as a test that passes", async () => {
  const directory = new URL("../../dist/copied/", import.meta.url).pathname;
  mkdirSync(directory);
  try {
    await on("", async (page) => {
      const write = async (name) => {
        const [code] = await copied(page, "test");
        assert.ok(!/correct horse|My-Google|abcdefghij|ya29/.test(code), code);
        writeFileSync(join(directory, `${name}.test.mjs`), code.replace('"sansmtp"', '"../node.js"'));
      };
      const values = await page.locator("#fault option").evaluateAll((options) => options.map(({ value }) => value));
      for (const provider of ["own", "gmail-465"]) {
        await page.locator("#provider").selectOption(provider);
        for (const fault of values) {
          await page.locator("#fault").selectOption(fault);
          await write(`${provider}-${fault}`);
        }
      }
      for (const provider of ["gmail-587", "outlook", "office365"]) {
        await page.locator("#provider").selectOption(provider);
        const secrets = await page.locator("#passwords button").count();
        for (let secret = 0; secret < secrets; secret++) {
          await page.locator("#passwords button").nth(secret).click();
          for (const fault of ["none", "drop-auth"]) {
            await page.locator("#fault").selectOption(fault);
            await write(`${provider}-${secret}-${fault}`);
          }
        }
      }
      await page.locator("#user").fill("");
      await write("nobody");
    });
    execFileSync("node", ["--test", ...readdirSync(directory).map((name) => join(directory, name))], { stdio: "pipe", encoding: "utf8" });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what never was a dialogue is no test case", () =>
  on("#port=25", async (page) => {
    assert.ok(await page.locator("#copy-test").isDisabled());
    await page.locator("#port").fill("587");
    assert.ok(await page.locator("#copy-test").isEnabled());
    await page.locator("#name").fill("no name");
    assert.ok(await page.locator("#copy-test").isDisabled());
    assert.match(await outcome(page), /EHLO name/);
  }));

test("a missing user or recipient is explained", () =>
  on("", async (page) => {
    await page.locator("#user").fill("");
    await toEnd(page);
    assert.match(await outcome(page), /Give user name and password/);
    await page.locator("#user").fill("anna");
    await page.locator("#to").fill("");
    await toEnd(page);
    assert.match(await outcome(page), /at least one recipient/);
  }));

test("a secret that the page proposes comes back with the address, one that was typed does not", () =>
  on("#provider=gmail-465&secret=3", async (page) => {
    assert.equal(await page.locator("#method").inputValue(), "oauth2");
    const lines = await toEnd(page);
    assert.ok(lines.some((line) => /Client: AUTH (?:XOAUTH2|OAUTHBEARER)/.test(line)), lines.join("\n"));
    await page.getByRole("button", { name: "account password", exact: true }).click();
    assert.match(page.url(), /secret=1/);
    await page.reload();
    await toEnd(page);
    assert.match(await outcome(page), /Google wants an app password/);
    await page.locator("#password").fill("typed-by-hand");
    const hash = await page.evaluate(() => location.hash);
    assert.ok(!/typed|secret/.test(hash), hash);
  }));

test("an attacker is seen to take STARTTLS away from what the real server offers", () =>
  on("#fault=strip", async (page) => {
    const lines = await toEnd(page);
    const at = lines.indexOf("Server: 250-STARTTLS");
    assert.equal(lines[at + 1], "Attacker: 250-XXXXXXXA");
    assert.match(await outcome(page), /no user, no password, no mail/);
    assert.match(await page.locator("#diagram .state").first().textContent(), /failed/);
    await page.locator("#provider").selectOption("gmail-465");
    await toEnd(page);
    assert.match(await outcome(page), /leaves nothing to take away/);
  }));

test("the steps between two states are those that were taken", async () => {
  const steps = async (page, label) => {
    await page.locator(`#diagram g[aria-label^='${label}']`).last().click();
    return page.locator("#detail .states").allInnerTexts();
  };
  await on("#provider=gmail-465", async (page) => {
    await toEnd(page);
    assert.equal((await steps(page, "Client: BDAT"))[1], "Server recipients — go-ahead, chunk, go-ahead, complete, judge → ready");
  });
  await on("#provider=outlook", async (page) => {
    await toEnd(page);
    assert.equal((await steps(page, "Server: 535"))[0], "Client authenticating — deny-authentication → ready");
  });
});

test("a line of the reply to EHLO leads to the RFC of what it offers", () =>
  on("", async (page) => {
    await toEnd(page);
    await page.locator("#diagram g[aria-label='Server: 250-PIPELINING']").first().click();
    assert.match(await page.locator("#detail .reference").innerText(), /RFC 2920/);
  }));

test("with CHUNKING the message is shown without added dots", () =>
  on("#provider=gmail-465", async (page) => {
    assert.equal(await page.locator("#wire mark").count(), 0);
    assert.match(await page.locator("#wire-help").textContent(), /CHUNKING/);
  }));

test("a fault that is in the text is seen there, and the own text comes back", () =>
  on("", async (page) => {
    await page.locator("#text").fill("mine");
    await page.locator("#fault").selectOption("smuggle");
    assert.match(await page.locator("#text").inputValue(), /MAIL FROM:<boss@example\.org>/);
    await toEnd(page);
    assert.match(await outcome(page), /one mail: the commands in its text stayed text/);
    await page.locator("#fault").selectOption("none");
    assert.equal(await page.locator("#text").inputValue(), "mine");
    assert.match(page.url(), /text=mine/);
  }));

test("the chosen line stays in sight, with the keyboard too", async () => {
  for (const window of [undefined, { width: 375, height: 740 }, { width: 900, height: 700 }]) {
    await on(
      "",
      async (page) => {
        const inSight = async (row) => {
          const [top, bottom, bar, sheet] = await page.evaluate((row) => {
            const box = (selector) => document.querySelector(selector).getBoundingClientRect();
            return [box(row).top, box(row).bottom, box(".bar").bottom, box("#detail").top];
          }, row);
          assert.ok(top >= bar - 1 && bottom <= (window ? sheet : 900) + 1, JSON.stringify({ window, row, top, bottom, bar, sheet }));
        };
        for (let n = 0; n < 37; n++) {
          await page.keyboard.press("ArrowRight");
          await inSight(`#diagram g[data-index='${n}']`);
        }
        for (let n = 0; n < 36; n++) {
          await page.keyboard.press("ArrowUp");
          await inSight("#diagram g.selected");
        }
        assert.equal(await page.locator("#diagram g:focus").getAttribute("aria-selected"), "true");
      },
      window,
    );
  }
});

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
    { width: 320, height: 740 },
  ));
