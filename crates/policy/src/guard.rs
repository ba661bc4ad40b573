//! Keeps a policy's panic inside the policy.
//!
//! A plugin carries its own standard library, and with it its own panic hook, which would write to
//! stderr behind the program's back. While a policy is being called, its panics go to the program's
//! log instead; at any other time the hook that was there before has them.

use crate::{
    abi::Host,
    policy::{ConfigError, LogLevel, Result},
};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    sync::Once,
};

/// Why a call did not do what it should.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The policy returned an error, which may point into its config.
    Error { message: String, offset: Option<usize> },
    /// The policy panicked.
    Panic { message: String },
}

// The hook is one for all threads, and a call is one thread's.
thread_local! {
    /// Whether a policy is being called on this thread.
    static CALLED: Cell<bool> = const { Cell::new(false) };
    /// What the hook learned of a panic during that call.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Calls a policy; a panic becomes a refusal and a line in the program's log.
pub(crate) fn run(host: &Host, call: impl FnOnce() -> Result) -> Result<(), Refusal> {
    install_hook();
    let outer = CALLED.replace(true);
    // Safe to assert: a policy that has panicked is not entered again.
    let outcome = panic::catch_unwind(AssertUnwindSafe(call));
    CALLED.set(outer);
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let offset = error.downcast_ref::<ConfigError>().and_then(|error| error.offset);
            Err(Refusal::Error { message: error.to_string(), offset })
        }
        Err(payload) => {
            // A payload may panic when it is dropped.
            std::mem::forget(payload);
            let message = LAST_PANIC.take();
            host.log(LogLevel::Error, &message);
            Err(Refusal::Panic { message })
        }
    }
}

fn install_hook() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CALLED.get() {
                LAST_PANIC.set(describe(info));
            } else {
                before(info);
            }
        }));
    });
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let message = text_of(info.payload());
    match info.location() {
        Some(place) => format!("panicked at {}:{}: {message}", place.file(), place.line()),
        None => format!("panicked: {message}"),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
