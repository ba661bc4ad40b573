//! What a comparison says of one run.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use voltide_journal::{event::Recorded, sink::Sink};
use voltide_model::{
    columns::TickColumns,
    saving::{Bills, Saving, saving},
    scenario::Scenario,
};
use voltide_telemetry::{RunStatus, Summary, Telemetry, TelemetryError};

/// A column of a comparison.
pub(crate) struct Column {
    /// Its name in JSON, the unit last.
    pub name: &'static str,
    /// Its heading in a table; `{}` stands for the currency. `None` where only JSON has it.
    pub heading: Option<&'static str>,
    /// Digits after the point in a table.
    pub decimals: usize,
}

const fn column(name: &'static str, heading: &'static str, decimals: usize) -> Column {
    Column { name, heading: Some(heading), decimals }
}

const fn in_json(name: &'static str) -> Column {
    Column { name, heading: None, decimals: 0 }
}

/// The columns of a comparison, in order.
pub(crate) const COLUMNS: [Column; 17] = [
    column("net_cost", "cost {}", 2),
    column("saving_percent", "saving %", 2),
    in_json("saving"),
    in_json("compared_stays"),
    in_json("compared_cost"),
    column("emptier_kwh", "emptier kWh", 1),
    in_json("emptier_value"),
    column("put_off_kwh", "put off kWh", 1),
    column("charged_kwh", "charged kWh", 1),
    column("discharged_kwh", "discharged kWh", 1),
    column("net_load_peak_kw", "peak kW", 1),
    column("net_load_sd_kw", "sd kW", 2),
    column("missed_targets", "missed", 0),
    column("missing_kwh", "missing kWh", 1),
    column("short_trips", "short trips", 0),
    column("policy_faults", "faults", 0),
    column("broken_answers", "broken answers", 0),
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
    /// The drivers' bills.
    pub bills: Arc<Bills>,
}

impl Figures {
    /// What drivers save against another run; `None` where no stay ended in both.
    pub(crate) fn saving(&self, baseline: &Self) -> Option<Saving> {
        saving(&baseline.bills, &self.bills)
    }

    /// The values, measured against those of the first policy with the same draws.
    pub(crate) fn values(&self, first: &Self) -> Values {
        let summary = &self.summary;
        let saving = self.saving(first);
        let saving = saving.as_ref();
        [
            Some(summary.net_cost),
            saving.and_then(Saving::share).map(|share| 100.0 * share),
            saving.map(|saving| saving.amount),
            saving.map(|saving| saving.stays as f64),
            saving.map(|saving| saving.cost),
            saving.map(|saving| saving.emptier_kwh),
            saving.map(|saving| saving.emptier_value),
            saving.map(|saving| saving.put_off_kwh),
            Some(summary.charged_kwh),
            Some(summary.discharged_kwh),
            summary.net_load_peak.as_ref().map(|peak| peak.kw),
            Some(self.net_load_sd_kw),
            Some(summary.missed_targets as f64),
            Some(summary.missing_kwh),
            Some(summary.short_trips as f64),
            Some(summary.policy_faults as f64),
            Some((summary.answers_not_finite + summary.clipped_by_charger) as f64),
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
}

impl Observer {
    /// `telemetry` keeps the bills.
    pub(crate) fn new(telemetry: Telemetry) -> Self {
        Self { telemetry, net_load_kw: Spread::default() }
    }

    /// Closes the tables.
    pub(crate) fn finish(self, status: RunStatus) -> Result<Figures, TelemetryError> {
        let (summary, bills) = self.telemetry.finish_with_bills(status)?;
        Ok(Figures { summary, net_load_sd_kw: self.net_load_kw.of_all(), bills: Arc::new(bills) })
    }
}

impl Sink for Observer {
    type Error = TelemetryError;

    fn event(&mut self, recorded: &Recorded) -> Result<(), TelemetryError> {
        self.telemetry.event(recorded)
    }

    fn tick(&mut self, columns: &TickColumns<'_>) -> Result<(), TelemetryError> {
        self.net_load_kw.add(columns.system.net_load_kw());
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
