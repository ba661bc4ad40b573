//! Bodies that are JSON: an event, and what caused it.

use crate::error::BodyError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A body of JSON.
#[derive(Serialize, Deserialize)]
struct Control<T> {
    cause_seq: Option<u64>,
    event: T,
}

/// A body of JSON for any content.
pub(crate) fn json<T: Serialize>(cause_seq: Option<u64>, event: &T) -> Result<Vec<u8>, BodyError> {
    Ok(serde_json::to_vec(&Control { cause_seq, event })?)
}

/// The content of a body of JSON, and what caused it.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<(Option<u64>, T), BodyError> {
    let control: Control<T> = serde_json::from_slice(body)?;
    Ok((control.cause_seq, control.event))
}
