//! The user's wish to stop, and other signals that would end the program.

use crate::{
    failure::{Code, Failure},
    output,
};
use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Whether a run wants to be told of Ctrl-C, instead of being ended by it.
static AWAITED: AtomicBool = AtomicBool::new(false);
/// Whether it came.
static RAISED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C, or a request to terminate, is taken by a thread of its own.
///
/// Handlers would not do: a solver that is at work puts its own in their place, and stops as if it
/// had failed. Signals are blocked instead, in this thread and in all that it will start. They get
/// handlers all the same, which never run: a solver that puts back what it found would otherwise
/// put back that the signal is ignored, where the program was started so, and with that drop one
/// that is on its way.
pub(crate) fn watch_signals() -> Result<(), Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().map_err(|error| uncaught(error.into()))?;
    handle(SIGINT)?;
    handle(SIGTERM)?;
    let watch = move || {
        while signals.wait().is_ok() {
            if !AWAITED.load(Ordering::Relaxed) || RAISED.swap(true, Ordering::Relaxed) {
                // What shells call an end by Ctrl-C: 128 and the signal's number.
                std::process::exit(130);
            }
            output::complain("stopping where nothing is lost; press Ctrl-C again to stop at once");
        }
    };
    std::thread::Builder::new()
        .name("voltide-signals".into())
        .spawn(watch)
        .map(drop)
        .map_err(uncaught)
}

/// Ctrl-C, or a request to terminate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interrupt(());

impl Interrupt {
    /// From now on the first Ctrl-C only raises the flag; a second one ends the program at once.
    pub(crate) fn catch() -> Self {
        AWAITED.store(true, Ordering::Relaxed);
        Self(())
    }

    /// Whether the user wanted to stop until now; from here on it must be said anew.
    #[expect(clippy::unused_self, reason = "only who has asked for it is told")]
    pub(crate) fn heed(self) -> bool {
        RAISED.swap(false, Ordering::Relaxed)
    }

    /// Whether the user wants to stop.
    #[expect(clippy::unused_self, reason = "only who has asked for it is told")]
    pub(crate) fn raised(self) -> bool {
        RAISED.load(Ordering::Relaxed)
    }
}

/// Ends what reads a history where the user wants to stop and has been promised to be heard.
pub(crate) fn check() -> Result<(), Failure> {
    if !RAISED.load(Ordering::Relaxed) {
        return Ok(());
    }
    let what = "interrupted before it was done; what was there is as it was";
    Err(Failure::new(Code::Interrupted, what, None))
}

/// From now on a file that grows beyond its limit (`SIGXFSZ`) is an error of the write that met the
/// limit instead of the program's end.
pub(crate) fn survive_full_files() -> Result<(), Failure> {
    handle(SIGXFSZ)
}

/// Gives a signal a handler that does nothing.
fn handle(signal: i32) -> Result<(), Failure> {
    signal_hook::flag::register(signal, Arc::default()).map(drop).map_err(uncaught)
}

fn uncaught(error: io::Error) -> Failure {
    Failure::new(Code::Run, format!("signals cannot be caught: {error}"), None)
}
