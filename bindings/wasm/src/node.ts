/** The entry for Node: reads the module that lies beside it, and adds what works over sockets. */
import { readFileSync } from "node:fs";
import { initSync } from "./core/core.js";

initSync({ module: readFileSync(new URL("./smtp.wasm", import.meta.url)) });

export * from "./common.js";
export * from "./providers.js";
export * from "./node/mailer.js";
export type { Mail, MailAttachment, MailReports } from "./node/mail.js";
export type { Logger, MailerAuth, MailerOptions } from "./node/options.js";
export { connect, type SocketOptions, socketTransport } from "./node/socket.js";
export * from "./node/test-server.js";
