//! Plain JavaScript objects, built field by field.

use wasm_bindgen::prelude::*;

// Declared here and not taken from js-sys, whose callbacks would come along: 7 KB for nothing.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Object;
    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> Object;
    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    fn set_field(object: &Object, key: &str, value: &JsValue) -> bool;

    /// A list that grows.
    #[wasm_bindgen(js_name = Array)]
    #[derive(Clone, Debug)]
    pub(crate) type Array;
    #[wasm_bindgen(constructor, js_class = "Array")]
    pub(crate) fn new() -> Array;
    #[wasm_bindgen(method)]
    pub(crate) fn push(this: &Array, value: &JsValue) -> u32;

    /// A copy of the bytes.
    #[wasm_bindgen(js_namespace = Uint8Array, js_name = from)]
    pub(crate) fn bytes(bytes: &[u8]) -> JsValue;
}

/// A list of all that an iterator gives.
pub(crate) fn list<T: Into<JsValue>>(values: impl Iterator<Item = T>) -> Array {
    let array = Array::new();
    for value in values {
        array.push(&value.into());
    }
    array
}

/// An object under construction. A field that is not there stays absent.
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
        self.put(key, &value.into());
        self
    }

    #[inline(never)]
    fn put(&self, key: &str, value: &JsValue) {
        // Setting a field of a fresh object can not fail.
        let _ = set_field(&self.0, key, value);
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
