//! Car by car: what each does over time.

use super::slug;
use crate::{
    chart::{
        Chart, Form,
        carpet::{Carpet, Doing, Row},
    },
    columns::Columns,
    error::ReportError,
    run::Run,
    words::{count, number},
};
use std::collections::BTreeMap;

/// More cars than this are a sample.
const MOST_CARS: usize = 400;
/// Days of a carpet: stays cannot be told apart in more.
const MOST_SLOTS: usize = 10_000;

pub(super) fn charts(runs: &[Run]) -> Result<Vec<Chart>, ReportError> {
    let charts: Result<Vec<_>, _> = runs.iter().map(chart).collect();
    Ok(charts?.into_iter().flatten().collect())
}

fn chart(run: &Run) -> Result<Option<Chart>, ReportError> {
    let table = Columns::read(&run.folder, "ev_ticks", &["tick", "ev_id", "state"])?;
    let cars = Cars::of(run, &table);
    if cars.0.is_empty() {
        return Ok(None);
    }
    let of = run.made.cars as usize;
    let shown = cars.0.len();
    let sample = if shown < of {
        format!(" A sample of {shown} of {} cars.", count(of as f64))
    } else {
        String::new()
    };
    let slots = run.times.starts.len().min(MOST_SLOTS);
    let says = format!("{}{sample}", cars.says(run));
    Ok(Some(Chart {
        id: format!("carpet-{}", slug(&run.label)),
        title: format!("Every car a row, under {}, by first arrival", run.label),
        says,
        unit: String::new(),
        query: "SELECT run_id, ev_id, ts, state FROM ev_ticks ORDER BY run_id, ev_id, tick"
            .to_owned(),
        form: Form::Carpet(Carpet { times: run.times.part(0..slots), rows: cars.rows() }),
    }))
}

/// What some cars do, slot by slot, by their numbers.
struct Cars(BTreeMap<i64, Vec<Doing>>);

impl Cars {
    /// All cars that the table has, or a sample of them. A table that tells only changes holds what
    /// a car did until it does something else.
    fn of(run: &Run, table: &Columns) -> Self {
        let slots = run.times.starts.len().min(MOST_SLOTS);
        let shown = sample(run.made.cars, run.made.seed);
        let (ticks, evs) = (table.integers("tick"), table.integers("ev_id"));
        let states = table.words("state");
        let mut told: BTreeMap<i64, Vec<Option<Doing>>> = BTreeMap::new();
        for ((tick, ev), state) in ticks.iter().zip(evs).zip(states) {
            let (Some(tick), Some(ev), Some(state)) = (*tick, ev, state) else { continue };
            if tick as usize >= slots || shown.binary_search(&ev).is_err() {
                continue;
            }
            let car = told.entry(ev).or_insert_with(|| vec![None; slots]);
            car[tick as usize] = Some(Doing::of(state));
        }
        Self(told.into_iter().map(|(ev, does)| (ev, held(&does))).collect())
    }

    /// By when they first come.
    fn rows(self) -> Vec<Row> {
        let rows = self.0.into_iter().map(|(ev, does)| Row { ev, does });
        let mut rows: Vec<Row> = rows.collect();
        rows.sort_by_key(|row| row.does.iter().position(|doing| *doing != Doing::Away));
        rows
    }

    fn says(&self, run: &Run) -> String {
        let count = |doing: Doing| {
            let all = self.0.values().flatten().filter(|it| **it == doing).count();
            run.slot_hours() * all as f64 / self.0.len() as f64
        };
        let (idle, charging) = (count(Doing::Idle), count(Doing::Charging));
        let discharging = count(Doing::Discharging);
        let gives = match discharging {
            0.0 => String::new(),
            hours => format!(", {} h giving", number(hours)),
        };
        format!(
            "A car charges for {} h on average and stands idle for {} h{gives}.",
            number(charging),
            number(idle)
        )
    }
}

/// The cars that are shown, in order: all, or as many as there is room for, chosen by the seed.
fn sample(cars: i64, seed: i64) -> Vec<i64> {
    let mut all: Vec<i64> = (0..cars).collect();
    if all.len() > MOST_CARS {
        all.sort_by_key(|&car| mixed(seed as u64 ^ car as u64));
        all.truncate(MOST_CARS);
        all.sort_unstable();
    }
    all
}

/// A number that looks like chance, by the finalizer of `SplitMix64`.
fn mixed(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

/// What is not told is as it was before.
fn held(told: &[Option<Doing>]) -> Vec<Doing> {
    let mut now = Doing::Away;
    let mut does = Vec::with_capacity(told.len());
    for doing in told {
        now = doing.unwrap_or(now);
        does.push(now);
    }
    does
}
