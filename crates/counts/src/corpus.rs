//! What is parsed and moved: the lines and contents that other makers' parsers were measured with.

/// Eight commands of a plain transaction, with CR LF.
pub(crate) const COMMON: &[&str] = &[
    "EHLO client.example.com\r\n",
    "MAIL FROM:<alice@example.com>\r\n",
    "RCPT TO:<bob@example.org>\r\n",
    "RCPT TO:<carol.long-name+tag@mail.department.example.net>\r\n",
    "DATA\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "QUIT\r\n",
];

/// Twenty-four commands as modern clients send them.
pub(crate) const MIXED: &[&str] = &[
    "EHLO client.example.com\r\n",
    "EHLO [192.0.2.17]\r\n",
    "HELO mx1.example.org\r\n",
    "STARTTLS\r\n",
    "AUTH PLAIN AHVzZXJAZXhhbXBsZS5jb20AY29ycmVjdCBob3JzZSBiYXR0ZXJ5\r\n",
    "AUTH LOGIN\r\n",
    "AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==\r\n",
    "MAIL FROM:<alice@example.com>\r\n",
    "MAIL FROM:<>\r\n",
    "MAIL FROM:<alice@example.com> SIZE=48211 BODY=8BITMIME\r\n",
    "MAIL FROM:<list-bounces+bob=example.org@lists.example.com> SIZE=1048576 BODY=8BITMIME SMTPUTF8\r\n",
    "MAIL FROM:<alice@example.com> RET=HDRS ENVID=QQ314159 SIZE=2048\r\n",
    "RCPT TO:<bob@example.org>\r\n",
    "RCPT TO:<carol.long-name+tag@mail.department.example.net>\r\n",
    "RCPT TO:<dave@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;dave@example.org\r\n",
    "RCPT TO:<\"quoted local\"@example.org>\r\n",
    "DATA\r\n",
    "BDAT 65536\r\n",
    "BDAT 1234 LAST\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "VRFY postmaster\r\n",
    "HELP\r\n",
    "QUIT\r\n",
];

/// The offer of a large provider.
pub(crate) const EHLO_REPLY: &[&str] = &[
    "250-smtp.example.com at your service, [192.0.2.17]\r\n",
    "250-SIZE 35882577\r\n",
    "250-8BITMIME\r\n",
    "250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\r\n",
    "250-ENHANCEDSTATUSCODES\r\n",
    "250-PIPELINING\r\n",
    "250-CHUNKING\r\n",
    "250 SMTPUTF8\r\n",
];

/// Seven replies of one to three lines.
pub(crate) const REPLIES: &[&str] = &[
    "220 smtp.example.com ESMTP ready\r\n",
    "250 2.1.0 Ok\r\n",
    "250 2.1.5 Ok\r\n",
    "354 End data with <CR><LF>.<CR><LF>\r\n",
    "250 2.0.0 Ok: queued as 4Zk1Qm3Yz9z9sWk\r\n",
    "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\r\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\r\n550 5.7.26 See https://support.example.com/mail/answer/81126 for details.\r\n",
    "221 2.0.0 Bye\r\n",
];

/// Contents of about one MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Lines of 78 letters; each fiftieth begins with a dot.
    Text,
    /// Lines of 76 letters.
    Base64,
    /// Lines of any length up to 140 letters, some empty, some words in UTF-8.
    Prose,
    /// Lines of six letters; each begins with a dot.
    Dotted,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Prose => "prose",
            Self::Dotted => "every line dotted",
        }
    }

    pub(crate) fn content(self, size: usize) -> Vec<u8> {
        let mut content = header();
        let mut line = 0_usize;
        while content.len() < size {
            line += 1;
            match self {
                Self::Text => letters(&mut content, line, 78, line.is_multiple_of(50)),
                Self::Base64 => letters(&mut content, line, 76, false),
                Self::Dotted => letters(&mut content, line, 6, true),
                Self::Prose => {
                    letters(
                        &mut content,
                        line,
                        (line * 7919) % 141,
                        line.is_multiple_of(80),
                    );
                    if line.is_multiple_of(9) {
                        content.extend_from_slice("caf\u{e9}".as_bytes());
                    }
                }
            }
            content.extend_from_slice(b"\r\n");
        }
        content
    }
}

/// A message of this size exactly, in octets: a header and lines of 78 letters.
pub(crate) fn message(size: usize) -> Vec<u8> {
    let mut message = Kind::Base64.content(size);
    message.truncate(size.saturating_sub(2));
    message.extend_from_slice(b"\r\n");
    message
}

fn header() -> Vec<u8> {
    b"From: <alice@example.com>\r\nTo: <bob@example.org>\r\nSubject: bench\r\n\r\n".to_vec()
}

fn letters(content: &mut Vec<u8>, line: usize, width: usize, dotted: bool) {
    for column in 0..width {
        let letter = b'a' + ((column * 7 + line) % 26) as u8;
        content.push(if dotted && column == 0 { b'.' } else { letter });
    }
}

/// As it stands on the wire: with dots added, and the final dot.
pub(crate) fn on_wire(content: &[u8]) -> Vec<u8> {
    let mut coded = Vec::with_capacity(content.len() * 2);
    let mut line_start = true;
    for &octet in content {
        if line_start && octet == b'.' {
            coded.push(b'.');
        }
        coded.push(octet);
        line_start = octet == b'\n';
    }
    coded.extend_from_slice(b".\r\n");
    coded
}
