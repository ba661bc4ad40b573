//! Events as a table with a row per car or site, for those who want to look into batches.

use crate::{
    error::TelemetryError,
    events,
    file::{Place, WrittenFile},
    rows::{Cell, RowTable},
    table,
};
use std::path::Path;
use voltide_journal::event::Recorded;
use voltide_model::{clock::Clock, columns::slot_micros};

/// Writes `events.parquet` with the columns of the table `events`, a row per entity of a batch.
pub struct Export {
    table: RowTable,
    clock: Clock,
}

impl Export {
    /// Begins the file in `folder`, hidden until [`finish`](Self::finish).
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(folder: &Path, clock: Clock) -> Result<Self, TelemetryError> {
        Ok(Self { table: RowTable::create(&Place::folder(folder), &table::EVENTS)?, clock })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        let whole = events::row(recorded);
        let Some(rows) = recorded.event.entity_rows() else {
            let entity = whole.entity.as_ref().map(|entity| (entity.kind, entity.id.as_str()));
            return self.row(recorded, whole.kind, entity, whole.session_id, &whole.payload);
        };
        for row in rows {
            let entity = Some((row.entity.kind, row.entity.id.as_str()));
            let mut payload = serde_json::Value::Object(row.fields);
            payload.sort_all_objects();
            self.row(recorded, whole.kind, entity, row.stay, &payload.to_string())?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        recorded: &Recorded,
        kind: &str,
        entity: Option<(&str, &str)>,
        session: Option<u32>,
        payload: &str,
    ) -> Result<(), TelemetryError> {
        self.table.push(&[
            recorded.seq.into(),
            Cell::Time(slot_micros(&self.clock, recorded.tick)),
            recorded.tick.into(),
            kind.into(),
            entity.map(|(kind, _)| kind).into(),
            entity.map(|(_, id)| id).into(),
            session.into(),
            recorded.cause_seq.into(),
            payload.into(),
        ])
    }

    /// Closes the file; gives its rows and bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(u64, u64), TelemetryError> {
        let file: WrittenFile = self.table.close()?;
        let (rows, bytes) = (file.rows, file.bytes);
        file.publish()?;
        Ok((rows, bytes))
    }
}
