// A certificate authority and a server's certificate, made anew for each run.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Makes key and certificate for localhost and 127.0.0.1, signed by a new authority. */
export function certificates() {
  const directory = mkdtempSync(join(tmpdir(), "sansmtp-"));
  const file = (name) => join(directory, name);
  const openssl = (...args) => execFileSync("openssl", args, { stdio: "pipe" });
  try {
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    openssl("req", "-x509", ...ec, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-subj", "/CN=Test CA", "-days", "2");
    openssl("req", ...ec, "-keyout", file("key.pem"), "-out", file("request.pem"), "-subj", "/CN=localhost");
    writeFileSync(file("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    const authority = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    openssl("x509", "-req", "-in", file("request.pem"), ...authority, "-out", file("cert.pem"), "-days", "2", "-extfile", file("names"));
    const read = (name) => readFileSync(file(name), "utf8");
    return { ca: read("ca.pem"), key: read("key.pem"), cert: read("cert.pem") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
