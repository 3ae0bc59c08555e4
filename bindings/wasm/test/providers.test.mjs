// The look-ups over the provider table give what the core gives.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allProviders, explain, findProvider, nearestProvider, userNameFor } from "sansmtp";

const { names, refusals } = JSON.parse(readFileSync(new URL("../src/core/answers.json", import.meta.url), "utf8"));

test("every name, address and host, and slips of the hand", () => {
  assert.ok(names.length > 5000);
  for (const [text, found, near] of names) {
    assert.equal(findProvider(text)?.id ?? "", found, `find ${text}`);
    assert.equal(nearestProvider(text)?.id ?? "", near, `nearest ${text}`);
  }
});

test("every refusal is explained alike", () => {
  assert.ok(refusals.length > 10_000);
  for (const [host, stage, code, enhanced, text, meaning, nextStep] of refusals) {
    const explanation = explain(host, stage, { code, text, ...(enhanced && { enhanced }) });
    assert.deepEqual([explanation?.meaning ?? "", explanation?.nextStep ?? ""], [meaning, nextStep], `${host} ${stage} ${code} ${enhanced} ${text}`);
  }
});

test("a provider has what a mail program asks for", () => {
  const gmail = findProvider("someone@googlemail.com");
  assert.deepEqual(gmail.submission.map(({ port, security }) => [port, security]), [[465, "tls"], [587, "starttls"]]);
  assert.deepEqual(gmail.imap[0], { host: "imap.gmail.com", port: 993, security: "tls" });
  assert.equal(userNameFor(gmail, " anna@gmail.com "), "anna@gmail.com");
  assert.equal(userNameFor(findProvider("sendgrid"), "anna@example.org"), "apikey");
  assert.ok(allProviders().length > 150);
});
