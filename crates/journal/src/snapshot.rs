//! Snapshots: the state after a tick, kept beside the log so that a reader need not begin at zero.
//!
//! A cache and never a fact: whoever finds one compares its chain hash with the log's at that tick,
//! and its state with the hashes sealed there; one that does not fit is passed over.
//!
//! ```text
//! snapshots/000095.snap   one line of JSON: tick, chain hash, and of each part the name, the
//!                         length and the BLAKE3 hash; one line with the hash of the first;
//!                         then the parts: Arrow IPC streams, zstd, a row whose columns are lists
//! ```

use crate::{
    body::{self, Encoder},
    error::LogError,
    event::{Event, Recorded},
    plain,
    seal::{hash_from_hex, hash_to_hex},
};
use arrow_array::{
    Array, ArrayRef, ListArray, PrimitiveArray, RecordBatch,
    cast::AsArray,
    types::{ArrowPrimitiveType, Float64Type, UInt8Type, UInt32Type, UInt64Type},
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_ipc::{
    CompressionType,
    reader::StreamReader,
    writer::{IpcWriteOptions, StreamWriter},
};
use arrow_schema::{ArrowError, Field, Schema};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Name of the folder in a run's folder.
const FOLDER: &str = "snapshots";
/// Version of the format.
const FORMAT: u32 = 2;
/// What the name of a column that holds an event begins with; its kind follows.
const EVENT: &str = "event:";

/// Values of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Bytes and flags.
    Bytes(Vec<u8>),
    /// Ids, slots, counts.
    Ids(Vec<u32>),
    /// Long numbers.
    Numbers(Vec<u64>),
    /// Quantities.
    Reals(Vec<f64>),
}

/// A part of the state, as columns of any lengths, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    columns: Vec<(String, Column)>,
}

/// The state after a tick.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The tick.
    pub tick: u32,
    /// The chain hash that the log has there.
    pub chain_hash: [u8; 32],
    /// The parts by name.
    pub parts: Vec<(String, Part)>,
}

/// A part that does not hold what was expected of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot has no {0}")]
pub struct Lacking(pub String);

impl Part {
    /// Adds a column.
    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.to_owned(), column));
        self
    }

    /// Adds an event.
    ///
    /// # Panics
    /// If the journal could not hold it either.
    #[must_use]
    pub fn with_event(self, event: Event) -> Self {
        let name = format!("{EVENT}{}", event.kind());
        let recorded = Recorded { seq: 0, cause_seq: None, tick: 0, event };
        let body = Encoder::new().encode(&recorded).expect("the journal holds this event");
        self.with(&name, Column::Bytes(body))
    }

    /// The ids of a column.
    pub fn ids(&self, name: &str) -> Result<&[u32], Lacking> {
        let Column::Ids(ids) = self.column(name)? else { return Err(Lacking(name.to_owned())) };
        Ok(ids)
    }

    /// The quantities of a column.
    pub fn reals(&self, name: &str) -> Result<&[f64], Lacking> {
        let Column::Reals(reals) = self.column(name)? else { return Err(Lacking(name.to_owned())) };
        Ok(reals)
    }

    /// The bytes of a column.
    pub fn bytes(&self, name: &str) -> Result<&[u8], Lacking> {
        let Column::Bytes(bytes) = self.column(name)? else { return Err(Lacking(name.to_owned())) };
        Ok(bytes)
    }

    /// The long numbers of a column.
    pub fn numbers(&self, name: &str) -> Result<&[u64], Lacking> {
        let Column::Numbers(numbers) = self.column(name)? else {
            return Err(Lacking(name.to_owned()));
        };
        Ok(numbers)
    }

    /// All events, in the order in which they were added.
    pub fn events(&self) -> Result<Vec<Event>, Lacking> {
        let stored = self
            .columns
            .iter()
            .filter_map(|(name, column)| Some((name.strip_prefix(EVENT)?, column)));
        let event = |(kind, column): (&str, &Column)| {
            let lacking = || Lacking(kind.to_owned());
            let Column::Bytes(body) = column else { return Err(lacking()) };
            body::decode(kind, body.clone()).map(|(_, event)| event).map_err(|_| lacking())
        };
        stored.map(event).collect()
    }

    fn column(&self, name: &str) -> Result<&Column, Lacking> {
        let found = self.columns.iter().find(|(known, _)| known == name);
        found.map(|(_, column)| column).ok_or_else(|| Lacking(name.to_owned()))
    }
}

impl Snapshot {
    /// A part by its name.
    pub fn part(&self, name: &str) -> Result<&Part, Lacking> {
        let found = self.parts.iter().find(|(known, _)| known == name);
        found.map(|(_, part)| part).ok_or_else(|| Lacking(name.to_owned()))
    }
}

/// The first line of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    tick: u32,
    chain_hash: String,
    parts: Vec<PartHeader>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartHeader {
    name: String,
    bytes: u64,
    blake3: String,
}

/// A snapshot as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    tick: u32,
    content: Vec<u8>,
}

impl Encoded {
    /// The content of a snapshot's file.
    ///
    /// # Errors
    /// It holds what cannot be written.
    pub fn of(snapshot: &Snapshot) -> Result<Self, LogError> {
        let unwritable = |error: ArrowError| LogError::Unwritable {
            kind: "a snapshot",
            what: error.to_string(),
        };
        Ok(Self { tick: snapshot.tick, content: encode(snapshot).map_err(unwritable)? })
    }

    /// Length of the file.
    pub fn bytes(&self) -> u64 {
        self.content.len() as u64
    }

    /// Writes it beside the log of `run_folder`, whole or not at all. It is not made durable: a
    /// cache may be lost.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, run_folder: &Path) -> Result<(), LogError> {
        let folder = run_folder.join(FOLDER);
        plain::create_folder(&folder).map_err(LogError::io("create", &folder))?;
        let path = folder.join(file_name(self.tick));
        let new = path.with_extension("new");
        let mut file = plain::create(&new).map_err(LogError::io("create", &new))?;
        file.write_all(&self.content).map_err(LogError::io("write", &new))?;
        // Nothing is synced: a snapshot that a power cut tore fails its hashes and is passed over.
        fs::rename(&new, &path).map_err(LogError::io("rename", &new))
    }
}

/// Bytes of all snapshots of a run.
pub fn bytes(run_folder: &Path) -> u64 {
    let length =
        |tick| fs::metadata(run_folder.join(FOLDER).join(file_name(tick))).map_or(0, |it| it.len());
    ticks(run_folder).into_iter().map(length).sum()
}

/// The ticks of which there are snapshots, the latest first.
pub fn ticks(run_folder: &Path) -> Vec<u32> {
    let folder = run_folder.join(FOLDER);
    let is_folder = plain::is_folder(&folder).unwrap_or(false);
    let entries =
        is_folder.then(|| fs::read_dir(folder).ok()).flatten().into_iter().flatten().flatten();
    let tick = |path: PathBuf| {
        let tick = path.file_stem()?.to_str()?.parse().ok()?;
        (path.file_name()? == file_name(tick).as_str()).then_some(tick)
    };
    let mut ticks: Vec<u32> = entries.filter_map(|entry| tick(entry.path())).collect();
    // The latest first, which leaves least to be played back.
    ticks.sort_unstable_by(|one, other| other.cmp(one));
    ticks
}

/// Reads the snapshot of a tick; `None` where there is none that is whole.
pub fn read(run_folder: &Path, tick: u32) -> Option<Snapshot> {
    let folder = run_folder.join(FOLDER);
    plain::is_folder(&folder).ok()?;
    let content = plain::read(&folder.join(file_name(tick))).ok()?;
    decode(&content).filter(|snapshot| snapshot.tick == tick)
}

fn file_name(tick: u32) -> String {
    format!("{tick:06}.snap")
}

fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, ArrowError> {
    let mut bodies = Vec::new();
    let mut parts = Vec::new();
    for (name, part) in &snapshot.parts {
        let body = encode_part(part)?;
        let blake3 = blake3::hash(&body).to_string();
        parts.push(PartHeader { name: name.clone(), bytes: body.len() as u64, blake3 });
        bodies.extend(body);
    }
    let chain_hash = hash_to_hex(&snapshot.chain_hash);
    let header = Header { format: FORMAT, tick: snapshot.tick, chain_hash, parts };
    let line = serde_json::to_string(&header).expect("numbers and texts are JSON");
    let mut content = format!("{line}\n{}\n", blake3::hash(line.as_bytes())).into_bytes();
    content.extend(bodies);
    Ok(content)
}

fn decode(content: &[u8]) -> Option<Snapshot> {
    let (line, rest) = split_line(content)?;
    let (check, mut rest) = split_line(rest)?;
    if check != blake3::hash(line).to_string().as_bytes() {
        return None;
    }
    let header: Header =
        serde_json::from_slice(line).ok().filter(|header: &Header| header.format == FORMAT)?;
    let mut parts = Vec::new();
    for PartHeader { name, bytes, blake3 } in header.parts {
        let (body, after) = rest.split_at_checked(usize::try_from(bytes).ok()?)?;
        if blake3::hash(body).to_string() != blake3 {
            return None;
        }
        parts.push((name, decode_part(body).ok()?));
        rest = after;
    }
    let chain_hash = hash_from_hex(&header.chain_hash)?;
    rest.is_empty().then_some(Snapshot { tick: header.tick, chain_hash, parts })
}

fn split_line(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = content.iter().position(|&byte| byte == b'\n')?;
    Some((&content[..end], &content[end + 1..]))
}

fn encode_part(part: &Part) -> Result<Vec<u8>, ArrowError> {
    let arrays: Vec<ArrayRef> = part.columns.iter().map(|(_, column)| to_array(column)).collect();
    // The place keeps apart what is of one name, as events are.
    let field = |(place, ((name, _), array)): (usize, (&(String, Column), &ArrayRef))| {
        Field::new(format!("{place}/{name}"), array.data_type().clone(), false)
    };
    let fields: Vec<Field> = part.columns.iter().zip(&arrays).enumerate().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options)?;
    if !arrays.is_empty() {
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays)?)?;
    }
    writer.into_inner()
}

fn decode_part(body: &[u8]) -> Result<Part, ArrowError> {
    let reader = StreamReader::try_new(body, None)?;
    let mut part = Part::default();
    for batch in reader {
        let batch = batch?;
        for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
            let name = field.name().split_once('/').map_or(field.name().as_str(), |(_, name)| name);
            part.columns.push((name.to_owned(), from_array(array)?));
        }
    }
    Ok(part)
}

fn to_array(column: &Column) -> ArrayRef {
    match column {
        Column::Bytes(values) => list::<UInt8Type>(values),
        Column::Ids(values) => list::<UInt32Type>(values),
        Column::Numbers(values) => list::<UInt64Type>(values),
        Column::Reals(values) => list::<Float64Type>(values),
    }
}

fn list<T: ArrowPrimitiveType>(values: &[T::Native]) -> ArrayRef {
    let item = Arc::new(Field::new("item", T::DATA_TYPE, false));
    let values = PrimitiveArray::<T>::new(ScalarBuffer::from(values.to_vec()), None);
    Arc::new(ListArray::new(
        item,
        OffsetBuffer::from_lengths([values.len()]),
        Arc::new(values),
        None,
    ))
}

fn from_array(array: &ArrayRef) -> Result<Column, ArrowError> {
    let unlike = || ArrowError::SchemaError("a list was expected".to_owned());
    let list = array.as_list_opt::<i32>().filter(|list| list.len() == 1).ok_or_else(unlike)?;
    let values = list.value(0);
    if let Some(bytes) = values.as_primitive_opt::<UInt8Type>() {
        Ok(Column::Bytes(bytes.values().to_vec()))
    } else if let Some(ids) = values.as_primitive_opt::<UInt32Type>() {
        Ok(Column::Ids(ids.values().to_vec()))
    } else if let Some(numbers) = values.as_primitive_opt::<UInt64Type>() {
        Ok(Column::Numbers(numbers.values().to_vec()))
    } else if let Some(reals) = values.as_primitive_opt::<Float64Type>() {
        Ok(Column::Reals(reals.values().to_vec()))
    } else {
        Err(unlike())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RunEnded;

    fn snapshot() -> Snapshot {
        let ended = |outcome: &str| Event::RunEnded(RunEnded { outcome: outcome.to_owned() });
        let part = Part::default()
            .with("energy", Column::Reals(vec![1.5, -0.0, f64::MAX]))
            .with("stay", Column::Ids((0..5000).collect()))
            .with("flags", Column::Bytes(vec![1, 0]))
            .with("hashes", Column::Numbers(vec![]))
            .with_event(ended("one"))
            .with_event(ended("other"));
        let parts = vec![("cars".to_owned(), part), ("nothing".to_owned(), Part::default())];
        Snapshot { tick: 95, chain_hash: [7; 32], parts }
    }

    #[test]
    fn a_snapshot_is_read_back_as_it_was_written() {
        let run = tempfile::tempdir().unwrap();
        let encoded = Encoded::of(&snapshot()).unwrap();
        encoded.write(run.path()).unwrap();
        assert_eq!(bytes(run.path()), encoded.bytes());
        let read = read(run.path(), 95).unwrap();
        assert_eq!(read, snapshot());
        assert_eq!(read.part("cars").unwrap().events().unwrap().len(), 2);
        assert_eq!(ticks(run.path()), [95]);
        assert_eq!(read.part("cars").unwrap().ids("energy"), Err(Lacking("energy".into())));
    }

    #[test]
    fn a_damaged_snapshot_is_none() {
        let content = encode(&snapshot()).unwrap();
        for at in 0..content.len() {
            assert_eq!(decode(&content[..at]), None, "cut at {at}");
            let mut flipped = content.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(decode(&flipped), None, "flipped at {at}");
        }
    }
}
