//! What a run comes to, in a few numbers, and how it differs from the first.

use crate::{
    run::Run,
    words::{energy_unit, number, power_unit, share},
};
use voltide_model::saving::saving;

/// A number of every run.
pub(crate) struct KeyFigure {
    /// Its key in the page's data.
    pub key: &'static str,
    /// What it is.
    pub name: String,
    /// What it is measured in.
    pub unit: String,
    /// A query that gives it.
    pub query: &'static str,
    /// One a run; NaN for none.
    pub values: Vec<f64>,
    /// Its difference to the first run, as a share of that; NaN where there is none.
    pub changes: Vec<f64>,
}

impl KeyFigure {
    fn new(
        key: &'static str,
        name: impl Into<String>,
        unit: impl Into<String>,
        query: &'static str,
        values: Vec<f64>,
    ) -> Self {
        let first = values.first().copied().unwrap_or(f64::NAN);
        let changes = values.iter().map(|value| (value - first) / first.abs()).collect();
        Self { key, name: name.into(), unit: unit.into(), query, values, changes }
    }

    /// The value of a run and its difference, in words.
    pub(crate) fn told(&self, run: usize) -> (String, String) {
        let value = number(self.values[run]);
        let change = if run == 0 || !self.changes[run].is_finite() {
            String::new()
        } else {
            share(self.changes[run])
        };
        (value, change)
    }

    /// Whether any run has it.
    fn is_there(&self) -> bool {
        self.values.iter().any(|value| value.is_finite())
    }
}

/// Highest of some numbers; NaN where there are none.
pub(crate) fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

/// Highest net load of each run, kW.
pub(crate) fn peaks_kw(runs: &[Run]) -> Vec<f64> {
    runs.iter().map(|run| highest(&run.net_load_kw())).collect()
}

/// What each run saves its drivers against the first, like for like, as a share; NaN where that
/// cannot be said.
pub(crate) fn saved_shares(runs: &[Run]) -> Vec<f64> {
    let first = runs[0].bills();
    let share = |run: &Run| saving(&first, &run.bills())?.share();
    runs.iter().map(|run| share(run).unwrap_or(f64::NAN)).collect()
}

/// The figures of all runs, those that decide first.
pub(crate) fn all(runs: &[Run]) -> Vec<KeyFigure> {
    let each = |of: &dyn Fn(&Run) -> f64| runs.iter().map(of).collect::<Vec<f64>>();
    let currency = &runs[0].made.currency;
    let peaks = peaks_kw(runs);
    let (power, power_name) = power_unit(highest(&peaks));
    let charged = each(&|run| run.energy_kwh("ev_charge_kw"));
    let (energy, energy_name) = energy_unit(highest(&charged));
    let scaled = |values: Vec<f64>, by: f64| values.into_iter().map(|it| it * by).collect();
    let system = each(&|run| match run.system_costs() {
        costs if costs.is_empty() => f64::NAN,
        costs => costs.iter().map(|(_, amount)| amount).sum(),
    });
    let figures = vec![
        KeyFigure::new("peak", "highest net load", power_name, PEAK, scaled(peaks, power)),
        drivers(runs),
        KeyFigure::new("missing", "missing at departure", "kWh", MISSING, each(&Run::missing_kwh)),
        KeyFigure::new("system", "the system costs", currency, SYSTEM_COST, system),
        KeyFigure::new("charged", "cars charge", energy_name, CHARGED, scaled(charged, energy)),
        KeyFigure::new(
            "discharged",
            "cars discharge",
            energy_name,
            DISCHARGED,
            scaled(each(&|run| run.energy_kwh("ev_discharge_kw")), energy),
        ),
        KeyFigure::new(
            "curtailed",
            "wind and sun curtailed",
            energy_name,
            CURTAILED,
            scaled(each(&|run| run.energy_kwh("curtailed_kw")), energy),
        ),
        KeyFigure::new(
            "unserved",
            "load not served",
            energy_name,
            UNSERVED,
            scaled(each(&|run| run.energy_kwh("unserved_kw")), energy),
        ),
    ];
    figures.into_iter().filter(KeyFigure::is_there).collect()
}

/// What drivers pay as it is, and the differences like for like: what is put off would look like a
/// saving.
fn drivers(runs: &[Run]) -> KeyFigure {
    let paid = runs.iter().map(|run| run.of_sessions("net_cost")).collect();
    let changes = saved_shares(runs).into_iter().map(|saved| -saved).collect();
    let currency = &runs[0].made.currency;
    KeyFigure { changes, ..KeyFigure::new("drivers", "drivers pay", currency, DRIVERS, paid) }
}

const PEAK: &str = "SELECT run_id, max(net_load_kw) FROM system_ticks GROUP BY run_id";
const DRIVERS: &str = "SELECT run_id, sum(net_cost) FROM sessions GROUP BY run_id";
const MISSING: &str = "SELECT run_id, sum(missing_kwh) FROM sessions GROUP BY run_id";
const SYSTEM_COST: &str =
    "SELECT run_id, sum(amount) FROM costs WHERE stage = 'settled' GROUP BY run_id";
const CHARGED: &str = "SELECT run_id, sum(ev_charge_kw * step_h) FROM system_ticks GROUP BY run_id";
const DISCHARGED: &str =
    "SELECT run_id, sum(ev_discharge_kw * step_h) FROM system_ticks GROUP BY run_id";
const CURTAILED: &str =
    "SELECT run_id, sum(curtailed_kw * step_h) FROM system_ticks GROUP BY run_id";
const UNSERVED: &str = "SELECT run_id, sum(unserved_kw * step_h) FROM system_ticks GROUP BY run_id";
