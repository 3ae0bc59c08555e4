//! The wasm module of the npm package `sansmtp`: both machines, the message writer, the provider table and
//! the wire's parsers, in a form that JavaScript can hold.
//!
//! It decides nothing. An object here is a session of the core as plain data plus the data that the core
//! borrows; each call takes the session up, does its work, and puts it aside again. What the peer does comes
//! back as events, failures included; only a wrong call or argument throws. People use the TypeScript layer
//! above it, which gives these objects their types and idiomatic names.
#![cfg_attr(target_arch = "wasm32", no_std)]
extern crate alloc;

mod client;
#[cfg(feature = "message")]
mod composer;
mod envelope;
mod event;
mod failure;
mod names;
#[cfg(feature = "provider")]
pub mod providers;
mod record;
mod server;
#[cfg(feature = "tools")]
mod transcript;
#[cfg(feature = "tools")]
pub mod wire;

pub use client::Client;
#[cfg(feature = "message")]
pub use composer::Composer;
pub use server::Server;
#[cfg(feature = "tools")]
pub use transcript::Transcript;

#[cfg(target_arch = "wasm32")]
mod runtime {
    /// Frees what is freed, and is a third of the size of the standard library's.
    #[global_allocator]
    static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

    /// The core can not panic; what is left is memory that ran out.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
