//! `repr` in the form that Python people expect.

/// A value as `repr` shows it.
pub(crate) trait Repr {
    fn repr(&self) -> String;
}

impl Repr for str {
    fn repr(&self) -> String {
        format!("{self:?}")
    }
}

impl Repr for String {
    fn repr(&self) -> String {
        self.as_str().repr()
    }
}

impl Repr for bool {
    fn repr(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Repr for $number {
            fn repr(&self) -> String {
                self.to_string()
            }
        })*
    };
}

numbers!(i8, u16, i32, u32, u64, usize, f64);

impl<T: Repr> Repr for Option<T> {
    fn repr(&self) -> String {
        self.as_ref().map_or_else(|| "None".to_owned(), Repr::repr)
    }
}

impl<T: Repr> Repr for Vec<T> {
    fn repr(&self) -> String {
        let items: Vec<String> = self.iter().map(Repr::repr).collect();
        format!("[{}]", items.join(", "))
    }
}

impl<T: Repr + ?Sized> Repr for &T {
    fn repr(&self) -> String {
        (**self).repr()
    }
}

/// `Name(field=value, ...)`.
pub(crate) fn object(name: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    format!("{name}({})", fields.join(", "))
}

/// Declares a frozen class with attributes, equality, hash, `repr` and `__match_args__`.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[pyo3::pyclass(frozen, eq, hash, get_all, module = "sansmtp._core")]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: $type),*
        }

        #[pyo3::pymethods]
        impl $name {
            #[classattr]
            #[allow(non_snake_case)]
            fn __match_args__(
                py: pyo3::Python<'_>,
            ) -> pyo3::PyResult<pyo3::Bound<'_, pyo3::types::PyTuple>> {
                let names: &[&str] = &[$(stringify!($field)),*];
                pyo3::types::PyTuple::new(py, names)
            }

            /// It never changes, so that it is its own copy.
            fn __copy__(slf: pyo3::Py<Self>) -> pyo3::Py<Self> {
                slf
            }

            /// It never changes, so that it is its own copy.
            fn __deepcopy__(
                slf: pyo3::Py<Self>,
                _memo: &pyo3::Bound<'_, pyo3::PyAny>,
            ) -> pyo3::Py<Self> {
                slf
            }

            fn __repr__(&self) -> String {
                $crate::repr::object(
                    stringify!($name),
                    &[$((stringify!($field), $crate::repr::Repr::repr(&self.$field))),*],
                )
            }
        }
    };
}

pub(crate) use event;
