//! Octets from Python: `bytes` without a copy, every other object of the buffer protocol with one.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// The content of a bytes-like object.
pub(crate) enum Octets {
    /// It can not change: shared.
    Shared(PyBackedBytes),
    /// It could change: copied.
    Copied(Vec<u8>),
}

impl Octets {
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Copied(bytes) => bytes,
        }
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Octets {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Shared(PyBackedBytes::from(bytes.to_owned())));
        }
        match PyBuffer::<u8>::get(&object) {
            Ok(buffer) => Ok(Self::Copied(buffer.to_vec(object.py())?)),
            Err(_) => Err(PyTypeError::new_err(format!(
                "bytes, bytearray or memoryview wanted, not {}",
                object.get_type().name()?
            ))),
        }
    }
}
