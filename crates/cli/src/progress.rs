//! Progress on stderr, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A bar of `ticks`; hidden when stderr is no terminal.
pub(crate) fn bar(ticks: impl Into<u64>, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template(width()));
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(ticks.into()).with_style(style);
    *shown() = Some(bar.clone());
    bar
}

/// Columns of the terminal on stderr; those of a usual one where it does not say.
fn width() -> u16 {
    terminal_size::terminal_size_of(io::stderr()).map_or(80, |(width, _)| width.0)
}

/// What a bar shows. A line that wraps is left behind at every redraw, so that its last part, what it is
/// at, is cut to what is left of the line.
fn template(width: u16) -> &'static str {
    match width {
        ..60 => "{pos}/{len}  {wide_msg}",
        60..80 => "{pos}/{len}  {eta} left  {wide_msg}",
        80.. => "{bar:24} {pos}/{len}  {eta} left  {wide_msg}",
    }
}

/// The bar that was begun last.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints to stderr while no bar is in the way.
pub(crate) fn aside(print: impl FnOnce()) {
    let bar = shown().clone();
    match bar.filter(|bar| !bar.is_finished()) {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}
