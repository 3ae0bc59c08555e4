// A real mail: from the page in the browser, through the relay, to our server, and into its Maildir.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { open } from "./serve.mjs";

const built = process.env.SANSMTP_BUILT ?? new URL("../../../../target/debug/", import.meta.url).pathname;

/** Starts a program and waits for the line that `pattern` finds; gives its first group. */
async function start(t, name, args, pattern) {
  const child = spawn(join(built, name), args, { stdio: ["ignore", "pipe", "inherit"] });
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const found = pattern.exec(line);
    if (found) return found[1];
  }
  return assert.fail(`${name} ended early`);
}

test("the page sends a mail through the relay, and only to a server that is allowed", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "sansmtp-relay-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const maildir = join(directory, "mail");
  const serve = ["serve", "--listen", "smtp://127.0.0.1:0", "--maildir", maildir, "--domain", "example.org"];
  const port = await start(t, "sansmtp", serve, /127\.0\.0\.1:(\d+)/);
  const relay = await start(t, "websocket_relay", ["--listen", "127.0.0.1:0", "--allow", `127.0.0.1:${port}`], /^(ws:\/\/.*)$/);

  const site = await open();
  t.after(() => site.close());
  const { page, errors, close } = await site.page("#user=&subject=through+the+relay");
  await page.getByText("Send it to a server on this machine").click();
  const send = async (address) => {
    await page.locator("#relay").fill(address);
    await page.locator("#send").click();
    await page.locator("#send:enabled").waitFor();
    return page.locator("#outcome").textContent();
  };
  assert.match(await send(relay), /Delivered for real to bob@example\.org, carol@example\.org: 250 /);
  const lines = await page.locator("#diagram g").evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label")));
  assert.match(lines[0], /^Server: 220 /);
  assert.ok(lines.some((line) => line.startsWith("Client: MAIL FROM:<anna@example.org>")), lines.join("\n"));
  const stored = readdirSync(join(maildir, "new")).map((name) => readFileSync(join(maildir, "new", name), "utf8"));
  assert.ok(stored.length >= 1);
  assert.match(stored[0], /^Subject: through the relay\r?$/m);
  assert.match(stored[0], /^\.this line begins with a dot,\r?\n\.\r?$/m);

  // The nobody of another domain is refused while the others get it.
  await page.locator("#to").fill("bob@example.org, eve@elsewhere.example");
  assert.match(await send(relay), /Delivered for real to bob@example\.org.* Refused: eve@elsewhere\.example/);
  assert.deepEqual(errors, []);
  assert.match(await send(relay.replace(/\d+$/, "1")), /no connection by the relay/);
  await close();
});
