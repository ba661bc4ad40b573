//! Progress on stderr, on a terminal only; and the user's wish to stop.

use crate::failure::{Code, Failure};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A bar of `ticks`; hidden when stderr is no terminal.
pub(crate) fn bar(ticks: impl Into<u64>, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} ticks  {msg}  {eta} left");
    ProgressBar::new(ticks.into()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Ctrl-C, or a request to terminate.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on the first Ctrl-C only raises the flag; a second one ends the program at once.
    pub(crate) fn catch() -> Result<Self, Failure> {
        let flag = Arc::new(AtomicBool::new(false));
        let register = || {
            for signal in [SIGINT, SIGTERM] {
                signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
                signal_hook::flag::register(signal, Arc::clone(&flag))?;
            }
            Ok(())
        };
        register().map_err(uncaught)?;
        Ok(Self(flag))
    }

    /// Whether the user wants to stop.
    pub(crate) fn raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// From now on a file that grows beyond its limit (`SIGXFSZ`) is an error of the write that met the
/// limit instead of the program's end.
pub(crate) fn survive_full_files() -> Result<(), Failure> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop).map_err(uncaught)
}

fn uncaught(error: io::Error) -> Failure {
    Failure::new(Code::Run, format!("signals cannot be caught: {error}"), None)
}
