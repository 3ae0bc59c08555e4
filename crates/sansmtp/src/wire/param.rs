//! ESMTP parameters of MAIL and RCPT (RFC 5321, section 4.1.2) and their typed
//! forms.

#[cfg(feature = "mta")]
use super::handling::Handling;
use super::window::Window;
use crate::capability::{Capabilities, Extension};
use crate::octets::OctetKind;

/// What the content may hold: the BODY parameter (RFC 6152, RFC 3030).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// ASCII lines of at most 998 octets.
    SevenBit,
    /// Lines of at most 998 octets of any value but NUL, CR and LF.
    EightBitMime,
    /// Any octets, in lines or not; only BDAT carries them (RFC 3030).
    BinaryMime,
}

/// How much of the message a failure report returns: RET (RFC 3461, section
/// 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its headers.
    Headers,
}

/// The parameters of MAIL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailParameters<'a> {
    /// The size of the message in octets (RFC 1870).
    pub size: Option<u64>,
    /// What the content holds.
    pub body: Option<Body>,
    /// Addresses or headers are in UTF-8 (RFC 6531).
    pub smtputf8: bool,
    /// How much a report returns.
    pub ret: Option<Ret>,
    /// The sender's name for this transaction, in xtext form (RFC 3461, section
    /// 4.4): printable ASCII.
    pub envid: Option<Xtext<'a>>,
    /// Who submitted the message first, in xtext form or `<>` (RFC 4954,
    /// section 5). It may stand for UTF-8.
    pub auth: Option<Xtext<'a>>,
    /// How the message is to be handled on its way.
    #[cfg(feature = "mta")]
    pub handling: Handling,
}

/// When the sender wants a report: NOTIFY (RFC 3461, section 4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notify {
    /// On success.
    pub success: bool,
    /// On failure.
    pub failure: bool,
    /// On delay.
    pub delay: bool,
}

/// The parameters of RCPT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RcptParameters<'a> {
    /// When the sender wants a report; all three false stands for NEVER.
    pub notify: Option<Notify>,
    /// The original recipient as `addr-type ";" xtext` (RFC 3461, section 4.2), or as
    /// `"utf-8;"` and an address in UTF-8 (RFC 6533, section 3).
    pub orcpt: Option<Orcpt<'a>>,
}

/// Text that was checked to be xtext with a printable meaning (RFC 3461,
/// section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Xtext<'a>(&'a str);

impl<'a> Xtext<'a> {
    /// Checks encoded text: `xtext = *( xchar / hexchar )`, where
    /// `hexchar = "+" 2(%x30-39 / %x41-46)` must stand for printable US-ASCII (RFC
    /// 3461, sections 4.2 and 4.4); at most 500 octets.
    pub fn parse(encoded: &'a str) -> Option<Self> {
        Self::check(encoded, 0x7e, false)
    }

    /// The same, but a `hexchar` may stand for an octet of UTF-8: those who send AUTH=
    /// and XCLIENT encode names so.
    pub(crate) fn parse_octets(encoded: &'a str) -> Option<Self> {
        Self::check(encoded, 0xff, false)
    }

    /// A `hexchar` stands for nothing below the space nor over `last`; `utf8` may also
    /// stand as it is.
    fn check(encoded: &'a str, last: u8, utf8: bool) -> Option<Self> {
        if encoded.len() > 500 {
            return None;
        }
        let mut rest = encoded.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = match byte {
                b'+' => {
                    let (&[high, low], tail) = tail.split_first_chunk()?;
                    let value = upper_hex(high)?
                        .wrapping_mul(16)
                        .wrapping_add(upper_hex(low)?);
                    if value < b' ' || value == 0x7f || value > last {
                        return None;
                    }
                    tail
                }
                b'!'..=b'<' | b'>'..=b'~' => tail,
                0x80.. if utf8 => tail,
                _ => return None,
            };
        }
        Some(Self(encoded))
    }

    /// Encodes a text: `+`, `=` and the space become `+` with two hexadecimal digits.
    /// `None` if the text holds anything but printable US-ASCII, or the outcome is
    /// longer than 500 octets or `buffer`.
    pub fn encode(text: &str, buffer: &'a mut [u8]) -> Option<Self> {
        let mut window = Window::new(0, buffer);
        for byte in text.bytes() {
            match byte {
                b'!'..=b'~' if byte != b'+' && byte != b'=' => window.put(&[byte]),
                _ => window.put(&[b'+', hex_digit(byte >> 4), hex_digit(byte & 15)]),
            }
        }
        let written = window.finished().then(|| window.written())?;
        let encoded: &'a [u8] = buffer;
        Self::parse(core::str::from_utf8(encoded.get(..written)?).ok()?)
    }

    /// The encoded form.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// The octets that the text stands for.
    pub fn decoded(&self) -> impl Iterator<Item = u8> + 'a {
        let mut bytes = self.0.bytes();
        core::iter::from_fn(move || match bytes.next()? {
            b'+' => Some(
                upper_hex(bytes.next()?)?
                    .wrapping_mul(16)
                    .wrapping_add(upper_hex(bytes.next()?)?),
            ),
            plain => Some(plain),
        })
    }
}

/// An original recipient: the type of its address and the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Orcpt<'a> {
    addr_type: &'a str,
    address: Xtext<'a>,
}

impl<'a> Orcpt<'a> {
    /// Checks a value such as `rfc822;b@example.org`: the type of the address,
    /// and the address in xtext form; 500 octets in all (RFC 3461, section 4.2).
    ///
    /// An address of the type `utf-8` may also stand in UTF-8, where SMTPUTF8 is in
    /// force; its other form is ASCII and writes such characters as `\x{E9}` (RFC 6533,
    /// section 3).
    pub fn parse(value: &'a str) -> Option<Self> {
        let (addr_type, address) = crate::octets::split_first(value, b';')?;
        let atom = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let empty = addr_type.is_empty() || address.is_empty();
        if empty || !addr_type.bytes().all(atom) || value.len() > 500 {
            return None;
        }
        let utf8 = addr_type.eq_ignore_ascii_case("utf-8");
        Some(Self {
            addr_type,
            address: Xtext::check(address, 0x7e, utf8)?,
        })
    }

    /// The type of the address: `rfc822` or `utf-8`.
    pub const fn addr_type(&self) -> &'a str {
        self.addr_type
    }

    /// The address, as it stands behind the type. [`Xtext::decoded`] takes the encoding
    /// off.
    pub const fn address(&self) -> Xtext<'a> {
        self.address
    }

    /// Whether the address stands in UTF-8, so that SMTPUTF8 is needed (RFC 6533,
    /// section 3).
    pub fn needs_smtputf8(&self) -> bool {
        !crate::octets::is_ascii(self.address.0)
    }
}

/// Why parameters were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// The keyword is not known or not offered: 555.
    Unknown,
    /// The form of a value is wrong, or a keyword stands twice: 501.
    Syntax,
    /// SIZE is larger than can be counted: 552.
    TooLarge,
}

impl<'a> MailParameters<'a> {
    /// Reads all parameters of a MAIL line. Only keywords of offered extensions
    /// are known.
    pub(crate) fn parse(
        mut input: &'a [u8],
        offered: &Capabilities,
    ) -> Result<Self, ParameterError> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        // BODY belongs to both (RFC 6152, section 2; RFC 3030, section 3).
        let offered = &if offered.has(Extension::BinaryMime) {
            offered.with(Extension::EightBitMime)
        } else {
            *offered
        };
        let mut parameters = Self::default();
        let mut seen = 0_u8;
        while let Some((keyword, value)) = next(&mut input)? {
            const KEYWORDS: [(&[u8], Extension); 6] = [
                (b"SIZE", Extension::Size),
                (b"BODY", Extension::EightBitMime),
                (b"SMTPUTF8", Extension::SmtpUtf8),
                (b"RET", Extension::Dsn),
                (b"ENVID", Extension::Dsn),
                (b"AUTH", Extension::Auth),
            ];
            let which = match known(keyword, &KEYWORDS, offered, &mut seen) {
                #[cfg(feature = "mta")]
                Err(ParameterError::Unknown) => {
                    let value = value.map(utf8).transpose()?;
                    parameters.handling.take(keyword, value, offered)?;
                    continue;
                }
                which => which?,
            };
            let value = value.ok_or(ParameterError::Syntax);
            match which {
                0 => parameters.size = Some(size(value?)?),
                1 => {
                    let body = choose(
                        value?,
                        &[
                            ("7BIT", Body::SevenBit),
                            ("8BITMIME", Body::EightBitMime),
                            ("BINARYMIME", Body::BinaryMime),
                        ],
                    )?;
                    if body == Body::BinaryMime && !offered.has(Extension::BinaryMime) {
                        return Err(ParameterError::Syntax);
                    }
                    parameters.body = Some(body);
                }
                2 if value.is_ok() => return Err(ParameterError::Syntax),
                2 => parameters.smtputf8 = true,
                3 => {
                    parameters.ret = Some(choose(
                        value?,
                        &[("FULL", Ret::Full), ("HDRS", Ret::Headers)],
                    )?)
                }
                4 => parameters.envid = Some(short_xtext(utf8(value?)?)?),
                _ => {
                    let text = utf8(value?)?;
                    let checked = Xtext::parse_octets(text);
                    parameters.auth = Some(checked.ok_or(ParameterError::Syntax)?)
                }
            }
        }
        Ok(parameters)
    }

    pub(crate) fn render(&self, out: &mut Window<'_>) {
        if let Some(size) = self.size {
            out.put(b" SIZE=");
            out.put_decimal(size);
        }
        match self.body {
            None => {}
            Some(Body::SevenBit) => out.put(b" BODY=7BIT"),
            Some(Body::EightBitMime) => out.put(b" BODY=8BITMIME"),
            Some(Body::BinaryMime) => out.put(b" BODY=BINARYMIME"),
        }
        if self.smtputf8 {
            out.put(b" SMTPUTF8");
        }
        match self.ret {
            None => {}
            Some(Ret::Full) => out.put(b" RET=FULL"),
            Some(Ret::Headers) => out.put(b" RET=HDRS"),
        }
        for (keyword, text) in [(" ENVID=", self.envid), (" AUTH=", self.auth)] {
            if let Some(text) = text {
                out.put(keyword.as_bytes());
                out.put(text.as_str().as_bytes());
            }
        }
        #[cfg(feature = "mta")]
        self.handling.render(out);
    }
}

impl<'a> RcptParameters<'a> {
    /// Reads all parameters of a RCPT line. Only keywords of offered extensions
    /// are known.
    pub(crate) fn parse(
        mut input: &'a [u8],
        offered: &Capabilities,
    ) -> Result<Self, ParameterError> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        let mut parameters = Self::default();
        let mut seen = 0_u8;
        while let Some((keyword, value)) = next(&mut input)? {
            const KEYWORDS: [(&[u8], Extension); 2] =
                [(b"NOTIFY", Extension::Dsn), (b"ORCPT", Extension::Dsn)];
            let which = known(keyword, &KEYWORDS, offered, &mut seen)?;
            let value = value.ok_or(ParameterError::Syntax)?;
            match which {
                0 => parameters.notify = Some(notify(value).ok_or(ParameterError::Syntax)?),
                _ => {
                    let text = utf8(value)?;
                    let orcpt = Orcpt::parse(text).filter(|orcpt| {
                        offered.has(Extension::SmtpUtf8) || !orcpt.needs_smtputf8()
                    });
                    parameters.orcpt = Some(orcpt.ok_or(ParameterError::Syntax)?)
                }
            }
        }
        Ok(parameters)
    }

    pub(crate) fn render(&self, out: &mut Window<'_>) {
        if let Some(notify) = self.notify {
            out.put(b" NOTIFY=");
            let mut separator: &[u8] = b"";
            for (wanted, name) in [
                (notify == Notify::default(), "NEVER"),
                (notify.success, "SUCCESS"),
                (notify.failure, "FAILURE"),
                (notify.delay, "DELAY"),
            ] {
                if wanted {
                    out.put(separator);
                    out.put(name.as_bytes());
                    separator = b",";
                }
            }
        }
        if let Some(orcpt) = self.orcpt {
            out.put(b" ORCPT=");
            out.put(orcpt.addr_type.as_bytes());
            out.put(b";");
            out.put(orcpt.address.as_str().as_bytes());
        }
    }
}

/// A number of 1 to 20 digits that fits 64 bits.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let (last, others) = digits.split_last()?;
    // Nineteen digits always fit.
    if others.len() > 19 {
        return None;
    }
    let mut value = 0_u64;
    for digit in others {
        value = value.wrapping_mul(10).wrapping_add(digit_value(*digit)?);
    }
    // Not `checked_mul`, which brings a product of 128 bits into wasm.
    if value > u64::MAX / 10 {
        return None;
    }
    value.wrapping_mul(10).checked_add(digit_value(*last)?)
}

fn digit_value(digit: u8) -> Option<u64> {
    let value = digit.wrapping_sub(b'0');
    (value < 10).then_some(u64::from(value))
}

/// `size-value = 1*20DIGIT` (RFC 1870, section 4)
fn size(value: &[u8]) -> Result<u64, ParameterError> {
    decimal(value).ok_or_else(|| {
        if value.len() == 20 && value.iter().all(u8::is_ascii_digit) {
            ParameterError::TooLarge
        } else {
            ParameterError::Syntax
        }
    })
}

/// ENVID is limited to 100 characters (RFC 3461, section 4.4).
fn short_xtext(value: &str) -> Result<Xtext<'_>, ParameterError> {
    Xtext::parse(value)
        .filter(|text| !text.as_str().is_empty() && text.as_str().len() <= 100)
        .ok_or(ParameterError::Syntax)
}

fn utf8(value: &[u8]) -> Result<&str, ParameterError> {
    core::str::from_utf8(value).map_err(|_| ParameterError::Syntax)
}

fn choose<T: Copy>(value: &[u8], choices: &[(&str, T)]) -> Result<T, ParameterError> {
    choices
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(value))
        .map(|(_, choice)| *choice)
        .ok_or(ParameterError::Syntax)
}

/// `NEVER / 1#( SUCCESS / FAILURE / DELAY )`
fn notify(value: &[u8]) -> Option<Notify> {
    let mut notify = Notify::default();
    if value.eq_ignore_ascii_case(b"NEVER") {
        return Some(notify);
    }
    for word in value.split(|b| *b == b',') {
        let flag = if word.eq_ignore_ascii_case(b"SUCCESS") {
            &mut notify.success
        } else if word.eq_ignore_ascii_case(b"FAILURE") {
            &mut notify.failure
        } else if word.eq_ignore_ascii_case(b"DELAY") {
            &mut notify.delay
        } else {
            return None;
        };
        if core::mem::replace(flag, true) {
            return None;
        }
    }
    Some(notify)
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0'.wrapping_add(value)
    } else {
        b'A'.wrapping_sub(10).wrapping_add(value)
    }
}

fn upper_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

/// Which of the keywords it is, if its extension is offered and it comes for
/// the first time.
fn known(
    keyword: &[u8],
    keywords: &[(&[u8], Extension)],
    offered: &Capabilities,
    seen: &mut u8,
) -> Result<usize, ParameterError> {
    let which = keywords
        .iter()
        .position(|(name, extension)| name.eq_ignore_ascii_case(keyword) && offered.has(*extension))
        .ok_or(ParameterError::Unknown)?;
    let bit = 1_u8.wrapping_shl(which as u32);
    if *seen & bit != 0 {
        return Err(ParameterError::Syntax);
    }
    *seen |= bit;
    Ok(which)
}

/// Takes the next `SP esmtp-keyword ["=" esmtp-value]` from the front of the input; `None` at its end.
/// Trailing spaces are passed over (RFC 5321, section 4.1.1).
#[cfg_attr(not(feature = "memchr"), inline(never))]
fn next<'a>(input: &mut &'a [u8]) -> Result<Option<Parameter<'a>>, ParameterError> {
    let mut rest = *input;
    loop {
        rest = match rest {
            [] | [b' '] => return Ok(None),
            [b' ', behind @ ..] => behind,
            _ => return Err(ParameterError::Syntax),
        };
        if !matches!(rest.first(), Some(b' ')) {
            break;
        }
    }
    let (keyword, behind) = split(rest, OctetKind::KEYWORD);
    if !keyword.first().is_some_and(u8::is_ascii_alphanumeric) {
        return Err(ParameterError::Syntax);
    }
    rest = behind;
    let mut value = None;
    if let Some((b'=', behind)) = rest.split_first() {
        let (octets, behind) = split(behind, OctetKind::VALUE);
        if octets.is_empty() {
            return Err(ParameterError::Syntax);
        }
        rest = behind;
        value = Some(octets);
    }
    if !matches!(rest.first(), None | Some(b' ')) {
        return Err(ParameterError::Syntax);
    }
    *input = rest;
    Ok(Some((keyword, value)))
}

/// A keyword and perhaps its value.
type Parameter<'a> = (&'a [u8], Option<&'a [u8]>);

fn split(input: &[u8], kind: OctetKind) -> (&[u8], &[u8]) {
    input.split_at_checked(kind.span(input)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn offered() -> Capabilities {
        [
            Extension::Size,
            Extension::EightBitMime,
            Extension::SmtpUtf8,
            Extension::Dsn,
            Extension::Auth,
        ]
        .into_iter()
        .fold(Capabilities::NONE, Capabilities::with)
    }

    fn rendered(render: impl FnOnce(&mut Window<'_>)) -> String {
        let mut out = [0; 256];
        let mut window = Window::new(0, &mut out);
        render(&mut window);
        let written = window.written();
        String::from_utf8(out[..written].to_vec()).unwrap()
    }

    #[test]
    fn mail_parameters_there_and_back() {
        for text in [
            "",
            " SIZE=0",
            " SIZE=18446744073709551615 BODY=8BITMIME SMTPUTF8",
            " BODY=7BIT RET=HDRS ENVID=QQ+2B314 AUTH=<>",
            " AUTH=caf+C3+A9@example.org",
        ] {
            let parameters = MailParameters::parse(text.as_bytes(), &offered()).unwrap();
            assert_eq!(rendered(|out| parameters.render(out)), text);
        }
        let lower = MailParameters::parse(b" size=10  body=8bitmime ", &offered()).unwrap();
        assert_eq!(
            (lower.size, lower.body),
            (Some(10), Some(Body::EightBitMime))
        );
    }

    #[test]
    fn xtext_is_encoded() {
        let mut buffer = [0; 500];
        for (text, encoded) in [
            ("", ""),
            ("QQ314159", "QQ314159"),
            ("a+b=c d", "a+2Bb+3Dc+20d"),
        ] {
            let xtext = Xtext::encode(text, &mut buffer).unwrap();
            assert_eq!(xtext.as_str(), encoded);
            assert!(xtext.decoded().eq(text.bytes()), "{text}");
        }
        assert_eq!(Xtext::encode("a\r\nb", &mut buffer), None);
        assert_eq!(Xtext::encode("\u{7f}", &mut buffer), None);
        assert_eq!(Xtext::encode("caf\u{e9}", &mut buffer), None);
        assert_eq!(Xtext::parse("caf+C3+A9"), None);
        assert_eq!(Xtext::encode("a b", &mut [0; 4]), None);
        assert_eq!(Xtext::encode(&"x".repeat(501), &mut [0; 600]), None);
    }

    #[test]
    fn body_belongs_to_two_extensions() {
        let binary = Capabilities::NONE.with(Extension::BinaryMime);
        for (offered, text, good) in [
            (binary, " BODY=BINARYMIME", true),
            (binary, " BODY=8BITMIME", true),
            (offered(), " BODY=BINARYMIME", false),
            (Capabilities::NONE, " BODY=7BIT", false),
        ] {
            let parsed = MailParameters::parse(text.as_bytes(), &offered);
            assert_eq!(parsed.is_ok(), good, "{text}");
        }
    }

    #[test]
    fn rcpt_parameters_there_and_back() {
        for text in [
            "",
            " NOTIFY=NEVER",
            " NOTIFY=SUCCESS,DELAY",
            " NOTIFY=FAILURE ORCPT=rfc822;b+2Bc@d",
        ] {
            let parameters = RcptParameters::parse(text.as_bytes(), &offered()).unwrap();
            assert_eq!(rendered(|out| parameters.render(out)), text);
        }
        let orcpt = RcptParameters::parse(b" ORCPT=rfc822;b+2Bc@d", &offered())
            .unwrap()
            .orcpt
            .unwrap();
        assert!(orcpt.address.decoded().eq(*b"b+c@d"));
        assert!(!orcpt.needs_smtputf8());
        // RFC 6533, section 3
        let ascii = " ORCPT=utf-8;b\\x{E9}@d";
        let utf8 = " ORCPT=UTF-8;b\u{e9}+2B@d";
        for text in [ascii, utf8] {
            let parameters = RcptParameters::parse(text.as_bytes(), &offered()).unwrap();
            assert_eq!(rendered(|out| parameters.render(out)), text);
            assert_eq!(parameters.orcpt.unwrap().needs_smtputf8(), text == utf8);
        }
        let without = Capabilities::NONE.with(Extension::Dsn);
        assert!(RcptParameters::parse(ascii.as_bytes(), &without).is_ok());
        assert!(RcptParameters::parse(utf8.as_bytes(), &without).is_err());
        for bad in [
            "",
            ";a",
            "rfc822;",
            "rfc822",
            "x\r\nQUIT;a",
            "x y;a",
            "x;a\r\n",
            "x;a b",
            "rfc822;b\u{e9}@d",
            "rfc822;b+C3+A9@d",
            "utf-8;b\u{e9} @d",
            "utf-8;b=\u{e9}@d",
        ] {
            assert_eq!(Orcpt::parse(bad), None, "{bad:?}");
        }
        let long = std::format!("x;{}", "a".repeat(498));
        assert!(Orcpt::parse(&long).is_some());
        assert_eq!(Orcpt::parse(&std::format!("{long}a")), None);
    }

    #[test]
    fn parameters_that_are_refused() {
        use ParameterError::*;
        for (text, why) in [
            (" FOO=BAR", Unknown),
            (" REQUIRETLS", Unknown),
            (" NOTIFY=NEVER", Unknown),
            (" SIZE=", Syntax),
            (" SIZE", Syntax),
            (" SIZE=-1", Syntax),
            (" SIZE=0x10", Syntax),
            (" SIZE=1 SIZE=1", Syntax),
            (" SIZE=18446744073709551616", TooLarge),
            (" SIZE=340282366920938463463374607431768211457", Syntax),
            (" BODY=9BIT", Syntax),
            (" BODY", Syntax),
            (" SMTPUTF8=1", Syntax),
            (" ENVID=a+0D+0AX", Syntax),
            (" ENVID=a+2b", Syntax),
            (" ENVID=a+C3+A9", Syntax),
            (" RET=ALL", Syntax),
            (" =1", Syntax),
            (" -X=1", Syntax),
            ("SIZE=1", Syntax),
            (" SIZE=1\nRCPT", Syntax),
        ] {
            assert_eq!(
                MailParameters::parse(text.as_bytes(), &offered()),
                Err(why),
                "{text:?}"
            );
        }
        assert_eq!(
            MailParameters::parse(b" SIZE=1", &Capabilities::NONE),
            Err(Unknown)
        );
        for text in [
            " NOTIFY=NEVER,SUCCESS",
            " NOTIFY=SUCCESS,SUCCESS",
            " NOTIFY=",
            " ORCPT=rfc822;b+Z9",
            " ORCPT=x",
            " ORCPT=;b",
        ] {
            assert_eq!(
                RcptParameters::parse(text.as_bytes(), &offered()),
                Err(Syntax),
                "{text:?}"
            );
        }
    }
}
