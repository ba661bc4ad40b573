//! The thread that turns frames into files, and the bounded channel to it.
//!
//! ```text
//! engine: copy columns ──frames──▶ [2 bundles] ──▶ writer: rows, encoding, compression, disk
//!                       ◀───────── empty frames ◀──
//! ```
//! When the writer falls behind, the engine waits: memory stays bounded. Small frames are handed
//! over many at a time, since to wake a thread costs more than a tick of a few cars.

use crate::{
    detail::Detail, error::TelemetryError, frame::Frame, table_file::WrittenFile, tables::Tables,
};
use std::{
    panic::resume_unwind,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};
use voltide_model::scenario::Scenario;

/// Bundles that may wait for the writer.
const WAITING: usize = 2;

/// A bundle is handed over when it has so many frames.
const BUNDLE_FRAMES: usize = 64;

/// A bundle is handed over when its frames have so many rows.
const BUNDLE_ROWS: usize = 4096;

/// All files that are being written.
pub(crate) struct Files {
    /// The tables that are always full; `None` where only detail is written.
    pub(crate) tables: Option<Tables>,
    /// `ev_ticks` and `charger_ticks`.
    pub(crate) detail: Detail,
}

impl Files {
    fn frame(&mut self, scenario: &Scenario, frame: &mut Frame) -> Result<(), TelemetryError> {
        // Before its rows, which are of the scenario that begins with it.
        if frame.begins {
            self.tables.iter_mut().for_each(|tables| tables.enter(scenario));
            self.detail.enter(scenario);
        }
        if let Some(tables) = &mut self.tables {
            tables.frame(scenario, frame)?;
        }
        self.detail.tick(scenario, frame)
    }

    /// Writes all footers.
    pub(crate) fn close(self) -> Result<Vec<WrittenFile>, TelemetryError> {
        let mut files = self.tables.map_or(Ok(Vec::new()), Tables::close)?;
        files.extend(self.detail.close()?);
        Ok(files)
    }
}

/// A frame, with the scenario that holds in it.
type Told = (Arc<Scenario>, Frame);

/// Frames in their order that are handed over together.
#[derive(Default)]
struct Bundle {
    frames: Vec<Told>,
    rows: usize,
}

impl Bundle {
    fn push(&mut self, scenario: &Arc<Scenario>, frame: Frame) {
        self.rows += frame.rows();
        self.frames.push((Arc::clone(scenario), frame));
    }

    fn is_full(&self) -> bool {
        self.rows >= BUNDLE_ROWS || self.frames.len() >= BUNDLE_FRAMES
    }
}

/// The writing thread, seen from the engine's. Dropped, it waits until the thread has tidied up.
pub(crate) struct Writer {
    /// What is not handed over yet.
    bundle: Bundle,
    /// `None` once the thread was told to end.
    bundles: Option<SyncSender<Bundle>>,
    emptied: Receiver<Frame>,
    thread: Option<JoinHandle<Result<Files, TelemetryError>>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn spawn(files: Files) -> Result<Self, TelemetryError> {
        let (bundles, waiting) = sync_channel(WAITING);
        // Without a bound: were both channels full, the two threads would wait for each other.
        let (empty, emptied) = channel();
        let thread = thread::Builder::new()
            .name("voltide-telemetry".into())
            .spawn(move || write_all(files, &waiting, &empty))
            .map_err(TelemetryError::file("start the thread that writes", "tables"))?;
        let bundle = Bundle::default();
        Ok(Self { bundle, bundles: Some(bundles), emptied, thread: Some(thread) })
    }

    /// Hands over a frame for an empty one, or gives the error that stopped the thread.
    pub(crate) fn send(
        &mut self,
        scenario: &Arc<Scenario>,
        frame: Frame,
    ) -> Result<Frame, TelemetryError> {
        self.bundle.push(scenario, frame);
        if self.bundle.is_full() {
            self.hand_over()?;
        }
        // Not waited for. There are never more frames than wait, are written and are filled, since
        // the other channel has a bound.
        Ok(self.emptied.try_recv().unwrap_or_default())
    }

    fn hand_over(&mut self) -> Result<(), TelemetryError> {
        let bundles = self.bundles.as_ref().ok_or(TelemetryError::Stopped)?;
        // A thread that takes no more has stopped; only joining it tells why.
        match bundles.send(std::mem::take(&mut self.bundle)) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.stop().err().unwrap_or(TelemetryError::Stopped)),
        }
    }

    /// Waits until all frames are written.
    pub(crate) fn join(&mut self) -> Result<Files, TelemetryError> {
        self.hand_over()?;
        self.stop()
    }

    /// Waits until what was handed over is written.
    fn stop(&mut self) -> Result<Files, TelemetryError> {
        self.bundles = None;
        let thread = self.thread.take().ok_or(TelemetryError::Stopped)?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.bundles = None;
        if let Some(thread) = self.thread.take() {
            // Whatever it says, its files are gone when it has ended.
            let _ = thread.join();
        }
    }
}

fn write_all(
    mut files: Files,
    waiting: &Receiver<Bundle>,
    empty: &Sender<Frame>,
) -> Result<Files, TelemetryError> {
    for (scenario, mut frame) in waiting.iter().flat_map(|bundle| bundle.frames) {
        files.frame(&scenario, &mut frame)?;
        frame.clear();
        // The engine may have gone already; then the frame is not needed any more.
        let _ = empty.send(frame);
    }
    Ok(files)
}
