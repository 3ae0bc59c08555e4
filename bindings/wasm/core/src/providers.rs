//! The provider table and the explanations of replies.

use crate::names;
use crate::record::{Array, Record, list};
use alloc::string::String;
use sansmtp::provider::{Endpoint, Provider, Refusal, SignIn, UserName, explain as explained};
use sansmtp::wire::enhanced::EnhancedCode;
use wasm_bindgen::prelude::*;

/// The provider for a name, a mail address, a domain or a host; `undefined` if there is none.
#[wasm_bindgen(js_name = findProvider)]
pub fn find_provider(text: &str) -> JsValue {
    Provider::find(text).map_or(JsValue::UNDEFINED, provider)
}

/// The provider whose name is nearest to a misspelt one.
#[wasm_bindgen(js_name = nearestProvider)]
pub fn nearest_provider(text: &str) -> JsValue {
    Provider::did_you_mean(text).map_or(JsValue::UNDEFINED, provider)
}

/// All providers.
#[wasm_bindgen(js_name = allProviders)]
pub fn all_providers() -> JsValue {
    list(Provider::all().map(provider)).into()
}

/// The user name for a mail address at the provider with this id.
#[wasm_bindgen(js_name = userNameFor)]
pub fn user_name_for(id: &str, address: &str) -> Option<String> {
    Provider::by_name(id)?
        .user_name_for(address)
        .map(String::from)
}

/// What a refusal means; `host` helps to know the provider.
#[wasm_bindgen]
pub fn explain(
    host: &str,
    stage: &str,
    code: u16,
    enhanced: Option<String>,
    text: &str,
) -> JsValue {
    let enhanced = enhanced
        .as_deref()
        .and_then(|code| EnhancedCode::parse_prefix(code.as_bytes()))
        .map(|(code, _)| code);
    let Some(stage) = names::stage_from(stage) else {
        return JsValue::UNDEFINED;
    };
    let refusal = Refusal {
        code,
        enhanced,
        text: text.as_bytes(),
        stage,
    };
    match explained(Provider::by_host(host), &refusal) {
        Some(explanation) => Record::new()
            .set("meaning", explanation.meaning)
            .set("nextStep", explanation.next_step)
            .set_some("url", explanation.url)
            .done(),
        None => JsValue::UNDEFINED,
    }
}

fn provider(provider: &'static Provider) -> JsValue {
    let user_name = match provider.user_name {
        UserName::Address => "address",
        UserName::LocalPart => "local-part",
        UserName::Fixed(name) => name,
        UserName::Issued => "issued",
        _ => "none",
    };
    Record::new()
        .set("id", provider.id)
        .set("name", provider.name)
        .set("submission", endpoints(provider.submission))
        .set("signIn", provider.sign_in.describe())
        .set("acceptsPassword", provider.sign_in.accepts_password())
        .set("acceptsOAuth2", provider.sign_in.accepts_oauth2())
        .set("needsAuth", provider.sign_in != SignIn::NotNeeded)
        .set("userName", user_name)
        .set("help", provider.help)
        .set_some("helpUrl", provider.help_url)
        .done()
}

fn endpoints(endpoints: &[Endpoint]) -> Array {
    list(endpoints.iter().map(|endpoint| {
        Record::new()
            .set("host", endpoint.host)
            .set("port", endpoint.port)
            .set("security", names::security(endpoint.security))
            .done()
    }))
}
