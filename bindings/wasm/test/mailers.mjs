// What several tests do with a mailer.
import assert from "node:assert/strict";
import { createMailer, SmtpError } from "sansmtp";

/** A mailer to a test server, without TLS. */
export function plain(server, more = {}) {
  return createMailer({ host: server.host, port: server.port, ignoreTLS: true, ...more });
}

/** The error of what has to fail. */
export async function refusal(promise) {
  const error = await promise.then(
    () => assert.fail("it should have failed"),
    (error) => error,
  );
  assert.ok(error instanceof SmtpError, String(error?.stack ?? error));
  return error;
}
