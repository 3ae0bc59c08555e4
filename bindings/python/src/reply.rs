//! Replies and capabilities as Python sees them.

use pyo3::prelude::*;
use pyo3::types::PyFrozenSet;
use sansmtp::capability;
use sansmtp::wire::enhanced::EnhancedCode;
use sansmtp::wire::reply::{self as wire, Escaped, ReplyLine};

use crate::error;
use crate::repr::{self, Repr};

/// A reply of a server. The text of a received one comes from a stranger; control characters in it are
/// escaped.
#[pyclass(frozen, eq, hash, from_py_object, module = "sansmtp._core")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reply {
    /// The reply code, 200 to 599.
    #[pyo3(get)]
    pub(crate) code: u16,
    pub(crate) enhanced: Option<EnhancedCode>,
    /// The text without codes, lines separated by line feeds.
    #[pyo3(get)]
    pub(crate) text: String,
}

impl Reply {
    /// A reply from its last line and the text of the lines before, each of which ends with a line feed.
    pub(crate) fn new(before: &mut String, last: &ReplyLine<'_>) -> Self {
        let mut text = std::mem::take(before);
        push_text(&mut text, last.text);
        Self {
            code: last.code.get(),
            enhanced: last.enhanced,
            text,
        }
    }
}

/// Appends the text of a reply line.
pub(crate) fn push_text(text: &mut String, line: &[u8]) {
    use std::fmt::Write;
    match std::str::from_utf8(line) {
        Ok(line) if line.bytes().all(|b| matches!(b, b' '..=b'~')) => text.push_str(line),
        // A String takes everything.
        _ => drop(write!(text, "{}", Escaped(line))),
    }
}

#[pymethods]
impl Reply {
    /// A reply to give as a server: 2yz says yes, 4yz and 5yz say no, 421 also closes the connection. Line feeds
    /// in `text` make several lines; `enhanced_code` is such as "5.1.1".
    #[new]
    #[pyo3(signature = (code, text, *, enhanced_code = None))]
    fn checked(
        py: Python<'_>,
        code: u16,
        text: String,
        enhanced_code: Option<&str>,
    ) -> PyResult<Self> {
        let config_error = error::config(py);
        let enhanced = match enhanced_code.map(|text| EnhancedCode::parse_prefix(text.as_bytes())) {
            None => None,
            Some(Some((enhanced, []))) => Some(enhanced),
            Some(_) => return Err(config_error(&"an enhanced code is such as 5.1.1")),
        };
        wire::Reply::new(code, enhanced, &text).map_err(|e| config_error(&e))?;
        Ok(Self {
            code,
            enhanced,
            text,
        })
    }

    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("code", "enhanced_code", "text")
    }

    /// The enhanced status code such as "5.7.8" (RFC 3463), if the reply carried one.
    #[getter]
    fn enhanced_code(&self) -> Option<String> {
        self.enhanced.map(|code| code.to_string())
    }

    /// Whether the code is 2yz.
    #[getter]
    fn is_positive(&self) -> bool {
        self.code < 300
    }

    /// Whether the code is 4yz: the same may work later.
    #[getter]
    fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    fn __str__(&self) -> String {
        let enhanced = self
            .enhanced
            .map_or(String::new(), |code| format!(" {code}"));
        format!("{}{enhanced} {}", self.code, self.text)
    }

    /// It never changes, so that it is its own copy.
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// It never changes, so that it is its own copy.
    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __repr__(&self) -> String {
        repr::object(
            "Reply",
            &[
                ("code", self.code.repr()),
                ("enhanced_code", self.enhanced_code().repr()),
                ("text", self.text.repr()),
            ],
        )
    }
}

impl Repr for Reply {
    fn repr(&self) -> String {
        self.__repr__()
    }
}

/// What a server offers: the content of its EHLO reply.
#[pyclass(frozen, eq, module = "sansmtp._core")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities(pub(crate) capability::Capabilities);

#[pymethods]
impl Capabilities {
    /// The keywords of the extensions, in upper case.
    #[getter]
    fn extensions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(py, self.0.iter().map(capability::Extension::keyword))
    }

    /// The SASL mechanisms behind AUTH.
    #[getter]
    fn mechanisms<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyFrozenSet>> {
        PyFrozenSet::new(
            py,
            self.0.mechanisms.iter().map(capability::Mechanism::name),
        )
    }

    /// The largest message in octets (RFC 1870); None where no limit is stated.
    #[getter]
    fn max_size(&self) -> Option<u64> {
        (self.0.max_size > 0).then_some(self.0.max_size)
    }

    fn __contains__(&self, keyword: &str) -> bool {
        let mut offered = self.0.iter();
        offered.any(|extension| extension.keyword().eq_ignore_ascii_case(keyword))
    }

    fn __repr__(&self) -> String {
        let list = |names: Vec<&str>| names.repr();
        repr::object(
            "Capabilities",
            &[
                (
                    "extensions",
                    list(self.0.iter().map(capability::Extension::keyword).collect()),
                ),
                (
                    "mechanisms",
                    list(
                        self.0
                            .mechanisms
                            .iter()
                            .map(capability::Mechanism::name)
                            .collect(),
                    ),
                ),
                ("max_size", self.max_size().repr()),
            ],
        )
    }
}
