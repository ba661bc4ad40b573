//! Events as a table with a row per car or site, for those who want to look into batches.

use crate::{
    error::TelemetryError,
    file::Place,
    rows::RowTable,
    table::events::{Columns, EventRow, Row},
    table_file::WrittenFile,
};
use std::path::Path;
use voltide_journal::event::Recorded;
use voltide_model::clock::Clock;

/// Writes `events.parquet` with the columns of the table `events`, a row per entity of a batch.
pub struct Export {
    table: RowTable<Columns>,
    clock: Clock,
}

impl Export {
    /// Begins the file in `folder`, hidden until [`finish`](Self::finish).
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(folder: &Path, clock: Clock) -> Result<Self, TelemetryError> {
        Ok(Self { table: RowTable::create(&Place::folder(folder))?, clock })
    }

    /// Adds an event.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        let whole = EventRow::of(recorded);
        let Some(rows) = recorded.event.entity_rows() else {
            return self.table.push(whole.row(&self.clock));
        };
        for row in rows {
            let mut payload = serde_json::Value::Object(row.fields);
            payload.sort_all_objects();
            self.table.push(Row {
                entity_kind: Some(row.entity.kind),
                entity_id: Some(&row.entity.id),
                session_id: row.stay,
                payload: &payload.to_string(),
                ..whole.row(&self.clock)
            })?;
        }
        Ok(())
    }

    /// Closes the file; gives its rows and bytes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self) -> Result<(u64, u64), TelemetryError> {
        let file: WrittenFile = self.table.close()?;
        let rows = file.rows;
        let bytes = file.bytes;
        file.publish()?;
        Ok((rows, bytes))
    }
}
