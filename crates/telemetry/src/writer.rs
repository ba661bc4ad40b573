//! The thread that turns frames into files, and the bounded channel to it.
//!
//! ```text
//! engine: copy columns ──frame──▶ [2 frames] ──▶ writer: rows, encoding, compression, disk
//!                       ◀──────── empty frames ◀──
//! ```
//! When the writer falls behind, the engine waits: memory stays bounded.

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

/// Frames that may wait for the writer.
const WAITING: usize = 2;

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

/// The writing thread, seen from the engine's. Dropped, it waits until the thread has tidied up.
pub(crate) struct Writer {
    /// `None` once the thread was told to end.
    frames: Option<SyncSender<Told>>,
    emptied: Receiver<Frame>,
    thread: Option<JoinHandle<Result<Files, TelemetryError>>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn spawn(files: Files) -> Result<Self, TelemetryError> {
        let (frames, waiting) = sync_channel(WAITING);
        // Without a bound: were both channels full, the two threads would wait for each other.
        let (empty, emptied) = channel();
        let thread = thread::Builder::new()
            .name("voltide-telemetry".into())
            .spawn(move || write_all(files, &waiting, &empty))
            .map_err(TelemetryError::file("start the thread that writes", "tables"))?;
        Ok(Self { frames: Some(frames), emptied, thread: Some(thread) })
    }

    /// Hands over a frame for an empty one, or gives the error that stopped the thread.
    pub(crate) fn send(
        &mut self,
        scenario: &Arc<Scenario>,
        frame: Frame,
    ) -> Result<Frame, TelemetryError> {
        let frames = self.frames.as_ref().ok_or(TelemetryError::Stopped)?;
        // A thread that takes no more has stopped; only joining it tells why.
        if frames.send((Arc::clone(scenario), frame)).is_err() {
            return Err(self.join().err().unwrap_or(TelemetryError::Stopped));
        }
        // Not waited for. There are never more frames than wait, are written and are filled, since
        // the other channel has a bound.
        Ok(self.emptied.try_recv().unwrap_or_default())
    }

    /// Waits until all frames are written.
    pub(crate) fn join(&mut self) -> Result<Files, TelemetryError> {
        self.frames = None;
        let thread = self.thread.take().ok_or(TelemetryError::Stopped)?;
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.frames = None;
        if let Some(thread) = self.thread.take() {
            // Whatever it says, its files are gone when it has ended.
            let _ = thread.join();
        }
    }
}

fn write_all(
    mut files: Files,
    waiting: &Receiver<Told>,
    empty: &Sender<Frame>,
) -> Result<Files, TelemetryError> {
    for (scenario, mut frame) in waiting {
        files.frame(&scenario, &mut frame)?;
        frame.clear();
        // The engine may have gone already; then the frame is not needed any more.
        let _ = empty.send(frame);
    }
    Ok(files)
}
