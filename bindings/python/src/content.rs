//! The encoding of mail content alone, for drivers that speak the commands themselves.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sansmtp::wire::dot::Encoder;

use crate::octets::Octets;

/// Encodes a whole message as DATA wants it (RFC 5321, section 4.5.2): a line that begins with a dot gets
/// another one, a bare CR or LF becomes CR LF, and the end mark is added.
#[pyfunction]
pub(crate) fn encode_content<'py>(py: Python<'py>, data: Octets) -> Bound<'py, PyBytes> {
    let mut rest = data.as_slice();
    let mut encoded = vec![0; rest.len() + rest.len() / 32 + 64];
    let mut length = 0;
    let mut encoder = Encoder::LineStart;
    while !rest.is_empty() {
        let room = encoded.get_mut(length..).unwrap_or_default();
        let (read, written) = encoder.encode(rest, room);
        rest = rest.get(read..).unwrap_or_default();
        length += written;
        if length == encoded.len() {
            encoded.resize(length + rest.len() + 64, 0);
        }
    }
    encoded.truncate(length);
    encoded.extend_from_slice(encoder.terminator());
    PyBytes::new(py, &encoded)
}

/// The end mark of a message that DATA takes as it is, so that it can be sent from where it lies; None if
/// `encode_content` would change it.
#[pyfunction]
pub(crate) fn content_end<'py>(py: Python<'py>, data: Octets) -> Option<Bound<'py, PyBytes>> {
    let data = data.as_slice();
    let (passed, place) = Encoder::LineStart.pass(data);
    (passed == data.len()).then(|| PyBytes::new(py, place.terminator()))
}
