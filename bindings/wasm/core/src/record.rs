//! Plain JavaScript objects, built field by field.

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

/// An object under construction. A field that is not there stays absent.
#[derive(Debug)]
pub(crate) struct Record(Object);

impl Record {
    pub(crate) fn new() -> Self {
        Self(Object::new())
    }

    /// A member of a discriminated union.
    pub(crate) fn of(kind: &str) -> Self {
        Self::new().set("type", kind)
    }

    pub(crate) fn set(self, key: &str, value: impl Into<JsValue>) -> Self {
        // Setting a field of a fresh object can not fail.
        let _ = Reflect::set(&self.0, &key.into(), &value.into());
        self
    }

    pub(crate) fn set_some(self, key: &str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    pub(crate) fn done(self) -> JsValue {
        self.0.into()
    }
}
