//! What a log holds, as programs read it.

use serde_json::json;
use voltide_journal::reader::LogSummary;

/// The fields of a line `log`.
pub(crate) fn summary_json(summary: &LogSummary) -> serde_json::Value {
    let kinds: serde_json::Map<_, _> = summary
        .kinds
        .iter()
        .map(|(kind, of)| {
            ((*kind).to_owned(), json!({ "events": of.events, "rows": of.rows, "bytes": of.bytes }))
        })
        .collect();
    json!({
        "segments": summary.segments,
        "bytes": summary.bytes,
        "ticks": summary.ticks,
        "events": summary.events(),
        "outcome": summary.outcome,
        "chain_hash": hex::encode(summary.chain_hash),
        "kinds": kinds,
    })
}
