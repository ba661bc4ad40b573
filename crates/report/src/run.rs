//! One run, as its tables tell it.

use crate::{columns::Columns, error::ReportError, local_time::Times};
use chrono_tz::Tz;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use voltide_model::saving::{Bills, FleetBill, StayBill, StayKey};

/// A run that is shown.
pub(crate) struct Run {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What tells it from the others that are shown.
    pub(crate) label: String,
    /// What was run.
    pub(crate) made: Made,
    /// The slots that were simulated.
    pub(crate) times: Times,
    /// Table `system_ticks`.
    pub(crate) system: Columns,
    /// Table `unit_ticks`.
    pub(crate) units: Columns,
    /// Table `sessions`.
    pub(crate) sessions: Columns,
    /// Table `costs`.
    pub(crate) costs: Columns,
    /// Table `site_ticks`.
    pub(crate) sites: Columns,
    /// Table `windows`.
    pub(crate) windows: Columns,
    /// Table `fleet_ticks`.
    pub(crate) fleets: Columns,
    /// Table `solves`.
    pub(crate) solves: Columns,
}

/// The row of table `runs`, as far as it is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Made {
    /// Name of the run, which is that of its folder.
    pub id: String,
    /// Name of the world.
    pub world: String,
    /// Policy that planned.
    pub policy: String,
    /// Seed of every draw.
    pub seed: i64,
    /// Number of cars.
    pub cars: i64,
    /// ISO 4217 code of all money.
    pub currency: String,
    /// How it ended.
    pub status: String,
    /// Hash of the world without seed and policy; empty where it is not known.
    pub world_hash: String,
    /// What a fork changed; `None` where it is none.
    pub changes: Option<String>,
    /// Version of voltide.
    pub version: String,
}

const RUNS: [&str; 14] = [
    "world",
    "policy",
    "seed",
    "ev_count",
    "currency",
    "status",
    "world_hash",
    "changes",
    "engine_version",
    "time_zone",
    "tick_s",
    "sim_start",
    "sim_end",
    "parent_run_id",
];
const SYSTEM: [&str; 23] = [
    "ts",
    "base_load_kw",
    "wind_available_kw",
    "wind_kw",
    "pv_available_kw",
    "pv_kw",
    "ev_charge_kw",
    "ev_discharge_kw",
    "net_load_kw",
    "tou_price_per_kwh",
    "incentive_price_per_kwh",
    "flex_demand_up_kw",
    "flex_demand_down_kw",
    "flex_supply_up_kw",
    "flex_supply_down_kw",
    "margin_up_kw",
    "margin_down_kw",
    "curtailed_kw",
    "unserved_kw",
    "spilled_kw",
    "plugged",
    "agreed",
    "stage",
];
const UNITS: [&str; 5] = ["tick", "stage", "unit_kind", "output_kw", "step_h"];
const SESSIONS: [&str; 14] = [
    "fleet",
    "car",
    "plugged_at",
    "unplugged_at",
    "charged_kwh",
    "discharged_kwh",
    "energy_cost",
    "v2g_revenue",
    "degradation_cost",
    "net_cost",
    "missing_kwh",
    "stored_kwh",
    "drawn_kwh",
    "missed_reason",
];
const COSTS: [&str; 3] = ["stage", "component", "amount"];
const SITES: [&str; 5] = ["tick", "site", "power_kw", "limit_kw", "export_limit_kw"];
const FLEETS: [&str; 9] =
    ["kind", "name", "plugged", "soc_05", "soc_25", "soc_50", "soc_75", "soc_95", "soc_target"];
const WINDOWS: [&str; 5] = ["stage", "slot", "step_h", "committed", "load_kw"];
const SOLVES: [&str; 4] = ["tick", "stage", "status", "gap"];

impl Run {
    /// Reads a run's tables.
    pub(crate) fn read(folder: &Path) -> Result<Self, ReportError> {
        if !folder.join("runs.parquet").is_file() {
            return Err(ReportError::NoRun(folder.to_owned()));
        }
        let runs = Columns::read(folder, "runs", &RUNS)?;
        let system = Columns::read(folder, "system_ticks", &SYSTEM)?;
        let times = times(folder, &runs, &system)?;
        Ok(Self {
            folder: folder.to_owned(),
            label: String::new(),
            made: Made::of(folder, &runs),
            times,
            system,
            units: Columns::read(folder, "unit_ticks", &UNITS)?,
            sessions: Columns::read(folder, "sessions", &SESSIONS)?,
            costs: Columns::read(folder, "costs", &COSTS)?,
            sites: Columns::read(folder, "site_ticks", &SITES)?,
            windows: Columns::read(folder, "windows", &WINDOWS)?,
            fleets: Columns::read(folder, "fleet_ticks", &FLEETS)?,
            solves: Columns::read(folder, "solves", &SOLVES)?,
        })
    }

    /// Length of a slot, h.
    pub(crate) fn slot_hours(&self) -> f64 {
        self.times.step as f64 / 3.6e9
    }

    /// Net load, kW, one a slot.
    pub(crate) fn net_load_kw(&self) -> Vec<f64> {
        self.system.numbers("net_load_kw")
    }

    /// Load with cars, less what they give, kW, one a slot: what units serve.
    pub(crate) fn load_kw(&self) -> Vec<f64> {
        let number = |name| self.system.numbers(name);
        let (base, charged) = (number("base_load_kw"), number("ev_charge_kw"));
        let cars =
            charged.iter().zip(number("ev_discharge_kw")).map(|(drawn, given)| drawn - given);
        base.iter().zip(cars).map(|(base, cars)| base + cars).collect()
    }

    /// Settled output of each kind of unit, kW, one a slot, in the order of the table.
    pub(crate) fn output_by_kind(&self) -> Vec<(String, Vec<f64>)> {
        let ticks = self.units.integers("tick");
        let stages = self.units.words("stage");
        let outputs = self.units.numbers("output_kw");
        let mut kinds: Vec<(String, Vec<f64>)> = Vec::new();
        for (row, kind) in self.units.words("unit_kind").into_iter().enumerate() {
            let (Some("settled"), Some(kind), Some(tick)) = (stages[row], kind, ticks[row]) else {
                continue;
            };
            let at = kinds.iter().position(|(name, _)| name == kind).unwrap_or_else(|| {
                kinds.push((kind.to_owned(), vec![0.0; self.times.starts.len()]));
                kinds.len() - 1
            });
            if let Some(slot) = kinds[at].1.get_mut(tick as usize) {
                *slot += outputs[row];
            }
        }
        // What does nothing all the time is not told.
        kinds.retain(|(_, kw)| kw.iter().any(|kw| *kw != 0.0));
        kinds
    }

    /// Sum of a power of `system_ticks` over the run, kWh.
    pub(crate) fn energy_kwh(&self, power: &str) -> f64 {
        self.slot_hours() * known(self.system.numbers(power)).sum::<f64>()
    }

    /// Stored energy that is missing to targets at departure, kWh.
    pub(crate) fn missing_kwh(&self) -> f64 {
        known(self.sessions.numbers("missing_kwh")).sum()
    }

    /// Sum of a column of `sessions`.
    pub(crate) fn of_sessions(&self, column: &str) -> f64 {
        known(self.sessions.numbers(column)).sum()
    }

    /// What the system costs, by component, in the order of the table; nothing where nothing of it
    /// has a price.
    pub(crate) fn system_costs(&self) -> Vec<(String, f64)> {
        let stages = self.costs.words("stage");
        let components = self.costs.words("component");
        let mut sums: Vec<(String, f64)> = Vec::new();
        for ((stage, component), amount) in
            stages.iter().zip(components).zip(self.costs.numbers("amount"))
        {
            let (Some("settled"), Some(component)) = (*stage, component) else { continue };
            match sums.iter_mut().find(|(name, _)| name == component) {
                Some((_, sum)) => *sum += amount,
                None => sums.push((component.to_owned(), amount)),
            }
        }
        sums
    }

    /// All that drivers were billed, to be compared like for like.
    pub(crate) fn bills(&self) -> Bills {
        let mut fleets: BTreeMap<&str, FleetBill> = BTreeMap::new();
        let number = |name| self.sessions.numbers(name);
        let (charged, discharged) = (number("stored_kwh"), number("drawn_kwh"));
        let (paid, earned) = (number("energy_cost"), number("v2g_revenue"));
        let (net, cars) = (number("net_cost"), self.sessions.integers("car"));
        let (from, to) =
            (self.sessions.integers("plugged_at"), self.sessions.integers("unplugged_at"));
        for (row, fleet) in self.sessions.words("fleet").into_iter().enumerate() {
            let name = fleet.unwrap_or_default();
            let bill = fleets
                .entry(name)
                .or_insert_with(|| FleetBill { name: name.to_owned(), ..FleetBill::default() });
            bill.charged.add(charged[row], paid[row]);
            bill.discharged.add(discharged[row], earned[row]);
            let key = StayKey {
                car: cars[row].unwrap_or_default() as u32,
                plugged_at: from[row].unwrap_or_default(),
                unplugged_at: to[row],
            };
            let gained_kwh = charged[row] - discharged[row];
            bill.stays.push((key, StayBill { net_cost: net[row], gained_kwh }));
        }
        let mut bills =
            Bills { seed: self.made.seed as u64, fleets: fleets.into_values().collect() };
        bills.sort();
        bills
    }
}

/// The numbers that there are.
fn known(numbers: Vec<f64>) -> impl Iterator<Item = f64> {
    numbers.into_iter().filter(|number| number.is_finite())
}

impl Made {
    fn of(folder: &Path, runs: &Columns) -> Self {
        let word = |name| runs.words(name).first().copied().flatten();
        let whole = |name| runs.integers(name).first().copied().flatten();
        let text = |name| word(name).unwrap_or_default().to_owned();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Self {
            id: name.trim_start_matches("run_id=").to_owned(),
            world: text("world"),
            policy: text("policy"),
            seed: whole("seed").unwrap_or_default(),
            cars: whole("ev_count").unwrap_or_default(),
            currency: text("currency"),
            status: text("status"),
            world_hash: text("world_hash"),
            changes: word("changes").map(str::to_owned),
            version: text("engine_version"),
        }
    }
}

fn times(folder: &Path, runs: &Columns, system: &Columns) -> Result<Times, ReportError> {
    let zone = runs.words("time_zone").first().copied().flatten().unwrap_or_default();
    let zone: Tz = zone.parse().map_err(|_| ReportError::Content {
        path: folder.to_owned(),
        column: "time_zone",
        what: zone.to_owned(),
    })?;
    let step = runs.integers("tick_s").first().copied().flatten().unwrap_or(900);
    let starts = system.integers("ts").into_iter().flatten().collect();
    Ok(Times { starts, step: step * 1_000_000, zone })
}

/// Gives each run a label that tells it from the others: its policy where that does, else what it
/// differs in.
pub(crate) fn label(runs: &mut [Run]) {
    let made: Vec<Made> = runs.iter().map(|run| run.made.clone()).collect();
    for run in runs {
        run.label = label_of(&run.made, &made);
    }
}

fn label_of(made: &Made, all: &[Made]) -> String {
    let others = || all.iter().filter(|other| other.id != made.id);
    let alike = |of: fn(&Made) -> String| others().all(|other| of(other) == of(made));
    let mut parts = vec![made.policy.clone()];
    if !alike(|it| it.world.clone()) {
        parts.push(made.world.clone());
    }
    if !alike(|it| it.seed.to_string()) {
        parts.push(format!("seed {}", made.seed));
    }
    if let Some(changes) = &made.changes {
        parts.push(format!("fork {changes}"));
    }
    let label = parts.join(", ");
    let hash = made.id.rsplit('-').next().unwrap_or_default();
    let is_alone = others().all(|other| {
        (&other.policy, &other.world, other.seed, &other.changes)
            != (&made.policy, &made.world, made.seed, &made.changes)
    });
    if is_alone { label } else { format!("{label} ({hash})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(policy: &str, seed: i64, hash: &str) -> Made {
        Made {
            id: format!("w-{policy}-s{seed}-{hash}"),
            world: "w".to_owned(),
            policy: policy.to_owned(),
            seed,
            cars: 1,
            currency: "EUR".to_owned(),
            status: "finished".to_owned(),
            world_hash: String::new(),
            changes: None,
            version: String::new(),
        }
    }

    #[test]
    fn a_label_says_what_tells_a_run_from_the_others() {
        let label = |all: &[Made]| all.iter().map(|it| label_of(it, all)).collect::<Vec<_>>();
        assert_eq!(label(&[made("smart", 1, "a"), made("v2g", 1, "b")]), ["smart", "v2g"]);
        let seeds = [made("smart", 1, "a"), made("smart", 2, "b")];
        assert_eq!(label(&seeds), ["smart, seed 1", "smart, seed 2"]);
        let cases = [made("v2g", 1, "a"), made("v2g", 1, "b")];
        assert_eq!(label(&cases), ["v2g (a)", "v2g (b)"]);
    }
}
