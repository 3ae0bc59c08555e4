//! Random octets, from where Python has them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Fresh octets from `os.urandom`.
pub(crate) fn entropy<const N: usize>(py: Python<'_>) -> PyResult<[u8; N]> {
    let octets = py.import("os")?.call_method1("urandom", (N,))?;
    let octets = octets.cast_into::<PyBytes>()?;
    Ok(octets.as_bytes().try_into()?)
}
