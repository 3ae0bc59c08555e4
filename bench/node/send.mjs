// send.mjs nodemailer|PATH_OF_SANSMTP HOST PORT MESSAGES OCTETS new|reuse SESSIONS
import { pathToFileURL } from "node:url";

const [name, host, port, messages, size, mode, sessions] = process.argv.slice(2);
const nodemailer = name === "nodemailer";
const library = await import(nodemailer ? name : pathToFileURL(name).href);
const create = nodemailer ? library.default.createTransport : library.createMailer;
const line = "abcdefghijklmnopqrstuvwxyz".repeat(3) + "\r\n";
const header = "From: <alice@example.com>\r\nTo: <bob@example.org>\r\nSubject: bench\r\n\r\n";
const whole = header + line.repeat(Math.ceil(Number(size) / line.length) + 1);
const raw = Buffer.from(whole.slice(0, Number(size) - 2) + "\r\n");
const pool = { pool: true, maxConnections: Number(sessions), maxMessages: Infinity };
const transport = create({
  host,
  port: Number(port),
  secure: false,
  ignoreTLS: true,
  name: "a.example.com",
  ...(mode === "reuse" ? pool : {}),
});
const envelope = { from: "alice@example.com", to: ["bob@example.org"] };
let left = Number(messages);
async function worker() {
  while (left-- > 0) await transport.sendMail({ envelope, raw });
}
await Promise.all(Array.from({ length: Number(sessions) }, worker));
await transport.close();
