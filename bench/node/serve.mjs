// serve.mjs PORT: smtp-server, which takes all mail and drops it.
import { SMTPServer } from "smtp-server";

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  disableReverseLookup: true,
  logger: false,
  onData(stream, _session, done) {
    stream.on("data", () => {});
    stream.on("end", () => done(null, "queued"));
  },
});
server.on("error", () => {});
server.listen(Number(process.argv[2]), "127.0.0.1");
