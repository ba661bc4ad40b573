//! Keeps a panic of a library that reads files inside the reading.
//!
//! Files come damaged, and not every library that reads them answers all damage with an error.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    /// Whether this thread reads a file under [`quietly`].
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// What `read` gives; `None` where it panicked, of which nothing is printed.
///
/// `read` must own all that it changes, since a panic leaves that in whatever state it was.
pub(crate) fn quietly<T>(read: impl FnOnce() -> T) -> Option<T> {
    install_hook();
    let outer = READING.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(read));
    READING.set(outer);
    outcome.ok()
}

/// At any other time the hook that was there before has the panic.
fn install_hook() {
    // The hook is that of the whole process, and other threads may panic for reasons of their own
    // meanwhile: it asks the thread that it runs on.
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !READING.get() {
                before(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_reading_is_no_answer() {
        assert_eq!(quietly(|| 7), Some(7));
        assert_eq!(quietly(|| -> u8 { panic!("damaged") }), None);
        assert!(!READING.get(), "panics count again");
    }
}
