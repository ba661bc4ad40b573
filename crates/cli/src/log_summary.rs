//! What a log holds, figure by figure.

use crate::{
    figure::{Line, Told, told_json},
    output::bytes,
};
use serde_json::{Map, Value, json};
use voltide_journal::reader::{KindSummary, LogSummary};

/// The figures of a line `log`, in order; what `log ls` shows.
pub(crate) const OF_LOG: [Line<LogSummary>; 7] = [
    Line::<LogSummary>::new("segments", "", |it| Told::new(it.segments, it.segments.to_string()))
        .shown("files", 0)
        .means("files of the log"),
    Line::<LogSummary>::new("bytes", "", |it| Told::new(it.bytes, bytes(it.bytes)))
        .shown("size", 0)
        .means("their length together, in bytes"),
    Line::<LogSummary>::new("ticks", "", |it| Told::count(it.ticks.into()))
        .shown("ticks", 0)
        .means("ticks that are complete"),
    Line::<LogSummary>::new("events", "", |it| Told::count(it.events()))
        .shown("events", 0)
        .means("events of all kinds"),
    Line::<LogSummary>::new("outcome", "", |it| {
        let text = it.outcome.clone().unwrap_or_else(|| "unfinished".into());
        Told::new(it.outcome.clone(), text)
    })
    .shown("outcome", 0)
    .means("\"finished\", or why the run failed; null where it may go on"),
    Line::<LogSummary>::new("chain_hash", "", |it| Told::words(hex::encode(it.chain_hash)))
        .shown("chain", 0)
        .means("the hash of all history, in hex"),
    Line::<LogSummary>::new("kinds", "", |it| Told::new(kinds(it), ""))
        .means("by the name of a kind of event, its version last, what the log holds of it"),
];

/// The figures of a kind of event; what `log stats` shows.
pub(crate) const OF_KIND: [Line<KindSummary>; 3] = [
    Line::<KindSummary>::new("events", "", |it| Told::count(it.events))
        .shown("count", 0)
        .means("events of this kind"),
    Line::<KindSummary>::new("rows", "", |it| Told::count(it.rows))
        .shown("rows", 0)
        .means("rows of batches; of other events, one each"),
    Line::<KindSummary>::new("bytes", "", |it| Told::new(it.bytes, bytes(it.bytes)))
        .shown("size", 0)
        .means("length of their bodies, in bytes"),
];

/// The fields of a line `log`.
pub(crate) fn summary_json(summary: &LogSummary) -> Value {
    Value::Object(told_json(&OF_LOG, summary))
}

fn kinds(summary: &LogSummary) -> Map<String, Value> {
    let kinds = summary.kinds.iter();
    kinds.map(|(kind, of)| ((*kind).to_owned(), json!(told_json(&OF_KIND, of)))).collect()
}
