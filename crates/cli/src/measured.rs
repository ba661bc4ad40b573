//! What a comparison says of one run.

use crate::{
    figure::{Figure, MONEY, to_json},
    spread::Spread,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use voltide_journal::{event::Recorded, sink::Sink};
use voltide_model::{
    columns::TickColumns,
    saving::{Bills, Saving, saving},
    scenario::Scenario,
};
use voltide_telemetry::{RunStatus, Summary, Telemetry, TelemetryError};

/// A figure of a comparison.
pub(crate) type Column = Figure<fn(&Measured<'_>) -> Option<f64>>;

/// The figures of a comparison, in the order of its columns.
pub(crate) const COLUMNS: [Column; 17] = [
    Column::new("net_cost", MONEY, |it| Some(it.summary.net_cost))
        .shown("cost", 2)
        .explained("what drivers pay less what they earn, wear included"),
    Column::new("saving_percent", "%", |it| it.saving()?.share().map(|share| 100.0 * share))
        .shown("saving", 2)
        .means("`saving` as a share of what those stays cost under {first}")
        .explained(
            "of the cost of the stays that end within both runs, against {first}{stored_price}",
        ),
    Column::new("saving", MONEY, |it| it.saving().map(|saving| saving.amount))
        .means("what drivers save in the stays that end within both runs, against {first}"),
    Column::new("compared_stays", "", |it| it.saving().map(|saving| saving.stays as f64))
        .means("how many stays those are"),
    Column::new("compared_cost", MONEY, |it| it.saving().map(|saving| saving.cost))
        .means("what they cost in this run"),
    Column::new("emptier_kwh", "kWh", |it| it.saving().map(|saving| saving.emptier_kwh))
        .shown("emptier", 1)
        .explained("what batteries hold less than under {first} after the last of those stays"),
    Column::new("emptier_value", MONEY, |it| it.saving().map(|saving| saving.emptier_value))
        .means("what it costs to fill them up, which is taken off what is saved"),
    Column::new("put_off_kwh", "kWh", |it| it.saving().map(|saving| saving.put_off_kwh))
        .shown("put off", 1)
        .explained(
            "what the stays still in progress at the end have gained less than under {first}",
        ),
    Column::new("charged_kwh", "kWh", |it| Some(it.summary.charged_kwh)).shown("charged", 1),
    Column::new("discharged_kwh", "kWh", |it| Some(it.summary.discharged_kwh))
        .shown("discharged", 1),
    Column::new("net_load_peak_kw", "kW", |it| {
        it.summary.net_load_peak.as_ref().map(|peak| peak.kw)
    })
    .shown("peak", 1)
    .explained("highest net load"),
    Column::new("net_load_sd_kw", "kW", |it| Some(it.net_load_sd_kw))
        .shown("sd", 2)
        .explained("standard deviation of net load over the slots"),
    Column::new("missed_targets", "", |it| Some(it.summary.missed_targets as f64))
        .shown("missed", 0)
        .notable()
        .explained("targets missed at departure"),
    Column::new("missing_kwh", "kWh", |it| Some(it.summary.missing_kwh))
        .shown("missing", 1)
        .notable()
        .explained("the stored energy that they lacked"),
    Column::new("short_trips", "", |it| Some(it.summary.short_trips as f64))
        .shown("short trips", 0)
        .notable(),
    Column::new("policy_faults", "", |it| Some(it.summary.policy_faults as f64))
        .shown("faults", 0)
        .wrong(),
    Column::new("broken_answers", "", |it| Some(it.summary.broken_answers() as f64))
    .shown("broken answers", 0)
    .wrong()
    .means(
        "schedules that held NaN or infinity, and set-points that were more than the charger can",
    ),
];

/// The values of a run, by [`COLUMNS`]; `None` where there is none.
pub(crate) type Values = [Option<f64>; COLUMNS.len()];

/// What is known of a run that is compared.
#[derive(Debug, Clone)]
pub(crate) struct RunFigures {
    /// The run's summary.
    pub summary: Summary,
    /// Standard deviation of net load over the slots, kW.
    pub net_load_sd_kw: f64,
    /// The drivers' bills.
    pub bills: Arc<Bills>,
}

/// A run beside the one that it is measured against.
pub(crate) struct Measured<'a> {
    summary: &'a Summary,
    net_load_sd_kw: f64,
    saving: Option<Saving>,
}

impl Measured<'_> {
    fn saving(&self) -> Option<&Saving> {
        self.saving.as_ref()
    }
}

impl RunFigures {
    /// What drivers save against another run; `None` where no stay ended in both.
    pub(crate) fn saving(&self, baseline: &Self) -> Option<Saving> {
        saving(&baseline.bills, &self.bills)
    }

    /// The values, measured against those of the first policy with the same draws, where there are
    /// any.
    pub(crate) fn values(&self, first: Option<&Self>) -> Values {
        let measured = Measured {
            summary: &self.summary,
            net_load_sd_kw: self.net_load_sd_kw,
            saving: first.and_then(|first| self.saving(first)),
        };
        COLUMNS.map(|column| (column.of)(&measured))
    }
}

/// One run's values as JSON.
pub(crate) fn values_json(values: &Values) -> Map<String, Value> {
    to_json(&COLUMNS, values.iter().map(|value| json!(value)))
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
    pub(crate) fn finish(self, status: RunStatus) -> Result<RunFigures, TelemetryError> {
        let (summary, bills) = self.telemetry.finish_with_bills(status)?;
        Ok(RunFigures {
            summary,
            net_load_sd_kw: self.net_load_kw.of_all(),
            bills: Arc::new(bills),
        })
    }
}

impl Sink for Observer {
    type Error = TelemetryError;

    fn event(
        &mut self,
        scenario: &Arc<Scenario>,
        recorded: &Recorded,
    ) -> Result<(), TelemetryError> {
        self.telemetry.event(scenario, recorded)
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), TelemetryError> {
        self.net_load_kw.add(columns.system.net_load_kw());
        self.telemetry.tick(scenario, columns)
    }
}
