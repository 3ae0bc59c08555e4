// Sends a mail: SMTP_HOST=... SMTP_PORT=587 SMTP_USER=... SMTP_PASS=... node send.mjs from@example.org to@example.org
import { createMailer } from "sansmtp";

const { SMTP_HOST: host, SMTP_PORT: port, SMTP_USER: user, SMTP_PASS: pass } = process.env;
const [from, to] = process.argv.slice(2);
const mailer = createMailer({ host, port: Number(port ?? 587), auth: { user, pass } });
const { messageId, response } = await mailer.sendMail({ from, to, subject: "Grüße aus Node", text: ".Hello\n" });
console.log(messageId, response);
