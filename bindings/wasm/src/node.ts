/** The entry for Node: carries the module in itself, so that bundlers have no file to lose, and adds what works over sockets. */
import { initSync } from "./core/core.js";
import { MODULE } from "./module.js";

initSync({ module: Buffer.from(MODULE, "base64") });

export * from "./common.js";
export * from "./providers.js";
export * from "./node/mailer.js";
export type { Mail, MailAttachment, MailReports } from "./node/mail.js";
export type { Logger, MailerAuth, MailerOptions } from "./node/options.js";
export { connect, type SocketOptions, socketTransport } from "./node/socket.js";
export * from "./node/test-server.js";
