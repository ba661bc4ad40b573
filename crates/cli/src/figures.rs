//! What a comparison says of one run.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use voltide_journal::{
    event::{EndReason, Event, Recorded},
    sink::Sink,
};
use voltide_model::{columns::TickColumns, scenario::Scenario, stay::NO_STAY};
use voltide_telemetry::{RunStatus, Summary, Telemetry, TelemetryError};

/// A column of a comparison.
pub(crate) struct Column {
    /// Its name in JSON, the unit last.
    pub name: &'static str,
    /// Its heading in a table; `{}` stands for the currency.
    pub heading: &'static str,
    /// Digits after the point in a table.
    pub decimals: usize,
}

const fn column(name: &'static str, heading: &'static str, decimals: usize) -> Column {
    Column { name, heading, decimals }
}

/// The columns of a comparison, in order.
pub(crate) const COLUMNS: [Column; 11] = [
    column("net_cost", "cost {}", 2),
    column("saving_percent", "saving %", 2),
    column("charged_kwh", "charged kWh", 1),
    column("discharged_kwh", "discharged kWh", 1),
    column("net_load_peak_kw", "peak kW", 1),
    column("net_load_sd_kw", "sd kW", 2),
    column("missed_targets", "missed", 0),
    column("missing_kwh", "missing kWh", 1),
    column("short_trips", "short trips", 0),
    column("stored_difference_kwh", "stored kWh", 1),
    column("policy_faults", "faults", 0),
];

/// The values of a run, by [`COLUMNS`]; `None` where there is none.
pub(crate) type Values = [Option<f64>; COLUMNS.len()];

/// What a run came to.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// The run's summary.
    pub summary: Summary,
    /// Standard deviation of net load over the slots, kW.
    pub net_load_sd_kw: f64,
    /// Energy in the batteries at each departure, and at the run's end in those still plugged in; summed, kWh.
    pub stored_kwh: f64,
}

impl Figures {
    /// The values, measured against those of the first policy with the same draws.
    pub(crate) fn values(&self, first: &Self) -> Values {
        let summary = &self.summary;
        let saving = first.summary.net_cost - summary.net_cost;
        [
            Some(summary.net_cost),
            (first.summary.net_cost > 0.0).then(|| 100.0 * saving / first.summary.net_cost),
            Some(summary.charged_kwh),
            Some(summary.discharged_kwh),
            summary.net_load_peak.as_ref().map(|peak| peak.kw),
            Some(self.net_load_sd_kw),
            Some(summary.missed_targets as f64),
            Some(summary.missing_kwh),
            Some(summary.short_trips as f64),
            Some(self.stored_kwh - first.stored_kwh),
            Some(summary.policy_faults as f64),
        ]
    }
}

/// Values by the names of their columns.
pub(crate) fn to_json<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Map<String, Value> {
    let names = COLUMNS.iter().map(|column| column.name.to_owned());
    names.zip(values.into_iter().map(Into::into)).collect()
}

/// One run's values as JSON.
pub(crate) fn values_json(values: &Values) -> Map<String, Value> {
    to_json(values.iter().map(|value| json!(value)))
}

/// Records a run's tables, and what only a comparison asks for.
pub(crate) struct Observer {
    telemetry: Telemetry,
    net_load_kw: Spread,
    departed_kwh: f64,
    open_kwh: f64,
    /// Whether the day follows upon itself, so that who is plugged in at its end has left this morning.
    folds: bool,
}

impl Observer {
    pub(crate) fn new(telemetry: Telemetry) -> Self {
        Self { telemetry, net_load_kw: Spread::default(), departed_kwh: 0.0, open_kwh: 0.0, folds: false }
    }

    /// Closes the tables.
    pub(crate) fn finish(self, status: RunStatus) -> Result<Figures, TelemetryError> {
        Ok(Figures {
            summary: self.telemetry.finish(status)?,
            net_load_sd_kw: self.net_load_kw.of_all(),
            stored_kwh: self.departed_kwh + if self.folds { 0.0 } else { self.open_kwh },
        })
    }
}

impl Sink for Observer {
    type Error = TelemetryError;

    fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        if let Event::SessionEnded(ended) = &recorded.event {
            self.departed_kwh += ended.energy_kwh.iter().sum::<f64>();
            self.folds |= ended.reason.contains(&(EndReason::Folded as u8));
        }
        self.telemetry.event(recorded)
    }

    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), TelemetryError> {
        self.net_load_kw.add(columns.system.net_load_kw());
        let plugged = columns.stay.iter().zip(columns.energy_kwh).filter(|(stay, _)| **stay != NO_STAY);
        self.open_kwh = plugged.map(|(_, energy)| energy).sum();
        self.telemetry.tick(columns)
    }

    fn forked(&mut self, scenario: &Arc<Scenario>) -> Result<(), TelemetryError> {
        self.telemetry.forked(scenario)
    }
}

/// Mean and spread of numbers as they come, by Welford's method.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spread {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let from_old = value - self.mean;
        self.mean += from_old / self.count;
        self.squares += from_old * (value - self.mean);
    }

    /// The mean; `None` without numbers.
    pub(crate) fn mean(&self) -> Option<f64> {
        (self.count > 0.0).then_some(self.mean)
    }

    /// Standard deviation where the numbers are all there are; 0 without any.
    pub(crate) fn of_all(&self) -> f64 {
        (self.squares / self.count.max(1.0)).sqrt()
    }

    /// Standard deviation where the numbers are a sample; `None` of fewer than two.
    pub(crate) fn of_sample(&self) -> Option<f64> {
        (self.count > 1.0).then(|| (self.squares / (self.count - 1.0)).sqrt())
    }
}

impl FromIterator<f64> for Spread {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut spread = Self::default();
        values.into_iter().for_each(|value| spread.add(value));
        spread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_that_of_the_textbook() {
        let spread: Spread = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert_eq!((spread.mean(), spread.of_all()), (Some(5.0), 2.0));
        assert_eq!(spread.of_sample(), Some((32.0_f64 / 7.0).sqrt()));
        assert_eq!(Spread::from_iter([3.0]).of_sample(), None);
        assert_eq!(Spread::default().mean(), None);
    }
}
