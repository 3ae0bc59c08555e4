"""Sends the message on standard input with smtplib. The only argument is a JSON object."""

import json
import smtplib
import ssl
import sys

options = json.loads(sys.argv[1])
message = sys.stdin.buffer.read()
context = ssl.create_default_context(cafile=options["ca"])
where = {
    "host": options["host"],
    "port": options["port"],
    "local_hostname": options["ehlo_name"],
    "timeout": 60,
}
if options["security"] == "implicit":
    smtp = smtplib.SMTP_SSL(**where, context=context)
else:
    smtp = smtplib.SMTP(**where)
with smtp:
    smtp.set_debuglevel(1)
    if options["security"] == "starttls":
        smtp.starttls(context=context)
    smtp.ehlo()
    if options["mechanism"]:
        smtp.user, smtp.password = options["user"], options["password"]
        method = "auth_" + options["mechanism"].lower().replace("-", "_")
        smtp.auth(options["mechanism"], getattr(smtp, method))
    ascii_only = all(address.isascii() for address in options["recipients"])
    refused = smtp.sendmail(
        options["reverse_path"],
        options["recipients"],
        message,
        mail_options=["BODY=8BITMIME"] + ([] if ascii_only else ["SMTPUTF8"]),
    )
    for address, reply in refused.items():
        print("refused:", address, *reply)
