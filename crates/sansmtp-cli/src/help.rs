//! The examples below each help text.

/// `sansmtp --help`
pub(crate) const TOP: &str = "\
Examples:
  sansmtp demo                             see a mail sent and received over TLS
  sansmtp providers gmail                  what Gmail needs
  sansmtp check me@gmail.com               does my account work?
  sansmtp send --from me@gmail.com --to you@example.org --subject Hi --body Hello
  sansmtp serve --maildir mail --domain example.org

`sansmtp help COMMAND` tells more about each.

Exit codes (sysexits.h):
   0  done                          69  the server can not be reached
  64  wrong command line            74  file error, or it is unknown whether
  65  wrong address or message          the mail arrived: look before you resend
  66  a file can not be read        75  not now: try again later
  67  a recipient was refused       76  the server breaks the protocol
  68  no such host                  77  sign-in refused, certificate not trusted
                                    78  the settings can not work";

/// `sansmtp send --help`
pub(crate) const SEND: &str = "\
Examples:
  With an account at a provider; the domain of --from finds it, and the password
  is asked for, or taken from the environment variable SANSMTP_PASSWORD:
    sansmtp send --from me@gmail.com --to you@example.org -s Hi -b 'Hello!'

  A report with an attachment through a server of your own:
    sansmtp send --server smtps://me@mail.example.org --password-file ~/.smtp \\
        --from me@example.org --to a@example.org,b@example.org \\
        --subject Report --body-file report.txt --attach data.csv

  The text from another program:
    df -h | sansmtp send --provider fastmail --from me@fastmail.com \\
        --to ops@example.org --subject Disks

  A finished message; look at it first:
    sansmtp send --server smtp://localhost:2525 --eml mail.eml --dry-run

  Held until the evening, and given back rather than passed on without TLS:
    sansmtp send --server smtps://me@mail.example.org --from me@example.org \\
        --to you@example.org -s Hi -b Hello --hold-for 6h --require-tls

  To a delivery agent by LMTP, which answers for each recipient:
    sansmtp send --server lmtp://localhost:2424 --danger-plaintext --eml mail.eml

Several recipients: each gets its own result. If it is unknown whether a mail
arrived, that is said, and it is never sent again without you.";

/// `sansmtp serve --help`
pub(crate) const SERVE: &str = "\
Each listener prints one line on standard output, as
  listening smtp://127.0.0.1:2525
A mail is on disk before the sender gets its 250. Mail is stored, never sent on:
that of users who signed in too, whoever it is for. Stop it with Ctrl-C: open
transactions may end first.

A fault is `[COUNTx ]STEP[=SUBJECT][ wait SECONDS][ close|REPLY]`. Steps are connect,
auth, mail, recipient, data, content, message (which is then not stored), and stored
(it is, but the client does not hear so). The subject is a recipient, a user or,
at other steps, a sender.

Examples:
  Catch the mail of a program under development:
    sansmtp serve --maildir mail --domain example.org

  A server where users sign in, with TLS both ways:
    sansmtp serve --listen smtp://0.0.0.0:587 --listen smtps://0.0.0.0:465 \\
        --hostname mail.example.org --cert chain.pem --key key.pem \\
        --users users.txt --domain example.org --maildir /var/mail/all

  For tests: a free port, and a certificate that clients can trust with --ca:
    sansmtp serve --listen smtps://127.0.0.1:0 --write-cert ca.pem --maildir mail \\
        --domain example.org

  Behind a balancer that says by the PROXY protocol who the client is:
    sansmtp serve --listen smtp://10.0.0.5:25 --proxy-from 10.0.0.1 \\
        --domain example.org --maildir mail

  A server that misbehaves: one unknown recipient, busy for the first two mails:
    sansmtp serve --maildir mail --domain example.org \\
        --fault 'recipient=bad@example.org 550 5.1.1 No such user' \\
        --fault '2x mail 451 4.3.0 Try again later'";

/// `sansmtp check --help`
pub(crate) const CHECK: &str = "\
Looks the name up, connects, sets up TLS, says EHLO and signs in. Each step shows
its time and whether it worked; what fails is explained. No mail is sent.

Examples:
  sansmtp check me@gmail.com
  sansmtp check smtps://mail.example.org
  sansmtp check smtp://me@mail.example.org:587 --password-file ~/.smtp";

/// `sansmtp providers --help`
pub(crate) const PROVIDERS: &str = "\
Examples:
  sansmtp providers                        the whole table
  sansmtp providers gmail                  servers, sign-in, what to do
  sansmtp providers someone@gmx.de         found by the address";

/// `sansmtp demo --help`
pub(crate) const DEMO: &str = "\
Starts a server on the loopback interface with a throw-away certificate authority
and a Maildir in a temporary directory. Sends one alert with an attachment over
STARTTLS and AUTH and one over implicit TLS, shows the dialogue, reads the stored
mail back, compares it byte by byte and counts the round trips. Nothing leaves
this machine. Ends with 0 only if everything is as it should be.";
