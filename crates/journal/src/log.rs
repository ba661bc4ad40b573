//! The log as the engine sees it, and one that lives in memory.

pub use crate::seal::Seal;

use crate::{error::LogError, event::Recorded, seal::Sealer};

/// An append-only history.
///
/// First come the events of the opening (`RunStarted` and what was loaded), closed by
/// [`EventLog::open_run`]; then ticks, each closed by [`EventLog::seal`]; then `RunEnded`, if the
/// run came to its end, and [`EventLog::close`]. What is appended becomes history only when it is
/// closed: the events of a tick that was never sealed are never written.
///
/// Events carry their `seq` without gaps from that of the first one on; a caller that breaks the
/// order is wrong, which panics.
pub trait EventLog: Send {
    /// Takes in an event.
    ///
    /// # Errors
    /// The event cannot be written as it is, or the log takes no more.
    fn append(&mut self, recorded: &Recorded) -> Result<(), LogError>;

    /// Closes the opening; from here on the run exists and has its inputs.
    fn open_run(&mut self) -> Result<(), LogError>;

    /// Closes the tick and returns the `TickSealed` that did.
    fn seal(&mut self, seal: Seal) -> Result<Recorded, LogError>;

    /// Ends the log: makes it durable and readable for everyone. A second call does nothing.
    fn close(&mut self) -> Result<(), LogError>;
}

/// A log that keeps nothing but its hashes, which are those of the log in a folder; for runs of
/// which only the figures are wanted.
#[derive(Default)]
pub struct NoLog(Sealer);

impl EventLog for NoLog {
    fn append(&mut self, recorded: &Recorded) -> Result<(), LogError> {
        self.0.append(recorded)
    }

    fn open_run(&mut self) -> Result<(), LogError> {
        self.0.open_run();
        Ok(())
    }

    fn seal(&mut self, seal: Seal) -> Result<Recorded, LogError> {
        self.0.seal(seal).map(|(sealed, _)| sealed)
    }

    fn close(&mut self) -> Result<(), LogError> {
        self.0.end_run();
        Ok(())
    }
}

/// A log that keeps its events; for tests.
///
/// Its chain hashes are those of the log in a folder.
#[derive(Default)]
pub struct MemoryLog {
    events: Vec<Recorded>,
    written: usize,
    sealer: Sealer,
}

impl MemoryLog {
    /// The history: all events up to the last one that was closed.
    pub fn events(&self) -> &[Recorded] {
        &self.events[..self.written]
    }
}

impl EventLog for MemoryLog {
    fn append(&mut self, recorded: &Recorded) -> Result<(), LogError> {
        self.sealer.append(recorded)?;
        self.events.push(recorded.clone());
        Ok(())
    }

    fn open_run(&mut self) -> Result<(), LogError> {
        self.sealer.open_run();
        self.written = self.events.len();
        Ok(())
    }

    fn seal(&mut self, seal: Seal) -> Result<Recorded, LogError> {
        let (sealed, _) = self.sealer.seal(seal)?;
        self.events.push(sealed.clone());
        self.written = self.events.len();
        Ok(sealed)
    }

    fn close(&mut self) -> Result<(), LogError> {
        if self.sealer.end_run().is_some() {
            self.written = self.events.len();
        }
        Ok(())
    }
}
