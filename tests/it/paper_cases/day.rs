//! Kind `two_stage_day`: a day-ahead schedule and 96 windows, three ways of charging, with margins
//! and without. Prices and plans come from the whole program; to the grid, what cars draw is given.

use super::{
    Case, Disagreement, agree, fleet,
    system::{Paper, series},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use voltide_model::{
    clock::Clock,
    cost::SystemCost,
    dispatch::{GridState, SlotDispatch, bill, supply},
    flexibility::{UpDown, demand},
    forecast::Forecast,
    plant::Plant,
    rules::Rules,
    series::Series,
    two_stage::Grid,
    unit::UnitSlot,
};
use voltide_schedule::grid::{Day, DayAheadPlan, Stages};

const DAY: Day = Day { first: 0, slots: 96 };

#[derive(Deserialize)]
struct Inputs {
    id_step: u32,
    ev_kw: BTreeMap<String, EvPower>,
    da_reference: BTreeMap<String, BTreeMap<String, Reference>>,
}

#[derive(Deserialize)]
struct EvPower {
    charge: Vec<f64>,
    discharge: Vec<f64>,
}

/// The reference's day-ahead schedule, by hours.
#[derive(Deserialize)]
struct Reference {
    objective: f64,
    pg: Vec<f64>,
    wh: Vec<f64>,
    we: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    case1: Rows,
    case2: Rows,
    column_order: Vec<String>,
    tolerance: Tolerance,
}

/// One value a way of charging, in `column_order`.
#[derive(Deserialize)]
struct Rows {
    thermal: Vec<f64>,
    phs: Vec<f64>,
    ess: Vec<f64>,
    wind: Vec<f64>,
    pv: Vec<f64>,
    penalty: Vec<f64>,
    total: Vec<f64>,
    short_up_kw: Vec<f64>,
    short_dn_kw: Vec<f64>,
    short_kwh: Vec<f64>,
    nl_peak: Vec<f64>,
    nl_std: Vec<f64>,
    fd_up_kw: Vec<f64>,
    fd_down_kw: Vec<f64>,
}

#[derive(Deserialize)]
struct Tolerance {
    day_ahead_objective_rel: f64,
    given_day_ahead: RowTolerance,
    own_day_ahead: RowTolerance,
    shortfall_rel: f64,
}

#[derive(Deserialize, Clone, Copy)]
struct RowTolerance {
    total_rel: f64,
    row_rel: f64,
    row_rmb: f64,
}

/// A day of the case study, with or without margins.
struct World {
    grid: Grid,
    base: Series,
    clock: Clock,
}

/// A committed day.
struct Committed {
    cost: SystemCost,
    shortfall: UpDown,
    demand: UpDown,
    net_loads: Vec<f64>,
}

fn column(text: &str, name: &str) -> Vec<f64> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let at = rows.headers().unwrap().iter().position(|header| header == name).unwrap();
    rows.records().map(|row| row.unwrap()[at].parse().unwrap()).collect()
}

fn each_four_times(hours: &[f64]) -> Vec<f64> {
    hours.iter().flat_map(|&hour| [hour; 4]).collect()
}

impl World {
    fn new(case: &Case, id_step: u32, margins: bool) -> Self {
        let paper: Paper = serde_json::from_str(&case.text_of("params")).unwrap();
        let day = case.text_of("day_csv");
        let hours = case.text_of("day24_csv");
        let ahead = |name| Forecast::Series(series(name, &each_four_times(&column(&hours, name))));
        let forecasts = [ahead("wind_da_kw"), ahead("pv_da_kw")];
        let (wind, pv) = (column(&day, "wind_actual_kw"), column(&day, "pv_actual_kw"));
        let plant = paper.sys.plant(&wind, &pv, &forecasts);
        let start = "2024-06-03T00:00:00".parse().unwrap();
        Self {
            grid: paper.sys.grid(plant, margins, id_step),
            base: series("base", &column(&day, "base_kw")),
            clock: Clock::new(start, chrono_tz::Asia::Shanghai, 900, 1).unwrap(),
        }
    }

    fn stages(&self) -> Stages<'_> {
        Stages::new(&self.grid, Some(&self.base), &self.clock, 0, Rules::TODAY)
    }

    /// The day-ahead schedule for this load of cars: its objective, and the plan.
    fn day_ahead(&self, ev_kw: &[f64]) -> (f64, DayAheadPlan) {
        let state = GridState::initial(&self.grid.plant);
        let problem = self.stages().day_ahead(DAY, |slot| ev_kw[slot as usize % 96], &state);
        let found = problem.solve().unwrap();
        (found.objective, self.followed(found.slots))
    }

    /// A schedule by hours that begins with what stores hold at first, to be followed.
    fn followed(&self, steps: Vec<SlotDispatch>) -> DayAheadPlan {
        let energy_start_kwh = GridState::initial(&self.grid.plant).energy_kwh();
        DayAheadPlan { step: 4, energy_start_kwh, steps, path: Vec::new() }
    }

    /// All windows of the day, each committed for its first `id_step` slots.
    fn intra_day(&self, ev_kw: &[f64], plan: &DayAheadPlan) -> Committed {
        let mut state = GridState::initial(&self.grid.plant);
        let (step, stages, mut slots) = (self.grid.rules.step.get(), self.stages(), Vec::new());
        for k in (0..96).step_by(step as usize) {
            let ev = |slot: u32| ev_kw[slot as usize % 96];
            let problem = stages.window(DAY, k, ev, Vec::new(), plan, &state);
            let found = problem.solve().unwrap();
            assert!(found.unmet.is_empty() && found.size.integers == 0, "{k}: {:?}", found.unmet);
            for slot in found.slots.into_iter().take(step as usize) {
                state.advance(&self.grid.plant, &slot, 0.25);
                slots.push(slot);
            }
        }
        self.committed(&slots)
    }

    /// What the day came to, after the fact.
    fn committed(&self, slots: &[SlotDispatch]) -> Committed {
        assert_eq!(slots.len(), 96);
        let (plant, rules) = (&self.grid.plant, &self.grid.rules);
        let net_loads: Vec<f64> = slots.iter().map(|slot| slot.net_load_kw(plant)).collect();
        let (mut cost, mut shortfall, mut demands) = Default::default();
        for (at, slot) in slots.iter().enumerate() {
            let demand = demand(net_loads[at], net_loads[(at + 1) % slots.len()]);
            let supply: UpDown = supply(plant, slot, 0.25, rules.readings).into_iter().sum();
            shortfall += (supply - demand).shortfall();
            demands += demand;
            cost += bill(plant, slot, 0.25);
            assert!(
                slot.unserved_kw == 0.0
                    && slot.spilled_kw == 0.0
                    && slot.residual_kw().abs() < 1e-9
            );
        }
        Committed { cost, shortfall, demand: demands, net_loads }
    }
}

impl EvPower {
    fn net(&self) -> Vec<f64> {
        self.charge
            .iter()
            .zip(&self.discharge)
            .map(|(charge, discharge)| charge - discharge)
            .collect()
    }
}

impl Reference {
    /// Its hours: what the thermal unit gives, and what both stores hold.
    fn steps(&self, plant: &Plant) -> Vec<SlotDispatch> {
        let step = |hour: usize| {
            let mut units: Vec<UnitSlot> =
                plant.devices().map(|unit| UnitSlot::idle(unit.kind())).collect();
            (units[2].given_kw, units[2].on) = (self.pg[hour], true);
            units[3].energy_kwh = self.wh[hour];
            units[4].energy_kwh = self.we[hour];
            SlotDispatch { units, ..SlotDispatch::default() }
        };
        (0..self.pg.len()).map(step).collect()
    }
}

/// The load of cars that the day-ahead stage is shown: V2G is not known the day before.
fn shown_ahead(mode: &str) -> &str {
    if mode == "v2g" { "smart" } else { mode }
}

/// `|found - expected| <= tolerance`.
fn within(what: &str, found: f64, expected: f64, tolerance: f64) -> Result<(), Disagreement> {
    let agrees = (found - expected).abs() <= tolerance;
    agrees.then_some(()).ok_or_else(|| format!("{what} is {found}, not {expected}"))
}

/// Holds a committed day against one column of the reference's tables.
fn check(
    what: &str,
    day: &Committed,
    rows: &Rows,
    at: usize,
    tolerance: RowTolerance,
    shortfall_rel: f64,
) -> Result<(), Disagreement> {
    let cost = |row: &str| day.cost.row(row);
    let table = [
        ("thermal", cost("thermal"), &rows.thermal),
        ("pumped hydro", cost("pumped_hydro"), &rows.phs),
        ("battery", cost("ess"), &rows.ess),
        ("wind", cost("wind"), &rows.wind),
        ("pv", cost("pv"), &rows.pv),
        ("penalty", cost("penalty"), &rows.penalty),
    ];
    for (row, found, expected) in table {
        let allowed = (tolerance.row_rel * expected[at]).max(tolerance.row_rmb);
        within(&format!("{what} {row}"), found, expected[at], allowed)?;
    }
    within(
        &format!("{what} total"),
        day.cost.total(),
        rows.total[at],
        tolerance.total_rel * rows.total[at],
    )?;
    let short = [
        ("up", day.shortfall.up, rows.short_up_kw[at]),
        ("down", day.shortfall.down, rows.short_dn_kw[at]),
        ("kWh", 0.25 * (day.shortfall.up + day.shortfall.down), rows.short_kwh[at]),
    ];
    for (way, found, expected) in short {
        within(
            &format!("{what} shortfall {way}"),
            found,
            expected,
            (shortfall_rel * expected).max(1e-6),
        )?;
    }
    // Facts of the data, printed with one decimal.
    let peak = day.net_loads.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mean = day.net_loads.iter().sum::<f64>() / 96.0;
    let variance = day.net_loads.iter().map(|load| (load - mean).powi(2)).sum::<f64>() / 96.0;
    within(&format!("{what} peak"), peak, rows.nl_peak[at], 0.051)?;
    within(&format!("{what} sd"), variance.sqrt(), rows.nl_std[at], 0.051)?;
    within(&format!("{what} demand up"), day.demand.up, rows.fd_up_kw[at], 0.051)?;
    within(&format!("{what} demand down"), day.demand.down, rows.fd_down_kw[at], 0.051)
}

/// Prices and plans, then each stage by itself and both together, for every way of charging, with
/// margins off and on.
pub(crate) fn two_stage_day(case: &Case) -> Result<(), Disagreement> {
    fleet::user_costs(case)?;
    let inputs: Inputs = case.read_inputs();
    let expected: Expected = case.read_expected();
    let tolerance = &expected.tolerance;
    for (name, rows, margins) in
        [("case1", &expected.case1, false), ("case2", &expected.case2, true)]
    {
        let world = World::new(case, inputs.id_step, margins);
        for (at, mode) in expected.column_order.iter().enumerate() {
            let what = format!("{name} {mode}");
            let reference = &inputs.da_reference[name][mode];
            let ev_kw = inputs.ev_kw[mode].net();
            let (objective, plan) = world.day_ahead(&inputs.ev_kw[shown_ahead(mode)].net());
            let relative = tolerance.day_ahead_objective_rel;
            agree(
                &format!("{what} day-ahead objective"),
                objective,
                reference.objective,
                relative,
            )?;
            let given =
                world.intra_day(&ev_kw, &world.followed(reference.steps(&world.grid.plant)));
            let shortfall_rel = tolerance.shortfall_rel;
            check(&what, &given, rows, at, tolerance.given_day_ahead, shortfall_rel)?;
            let own = world.intra_day(&ev_kw, &plan);
            check(
                &format!("{what}, own plan,"),
                &own,
                rows,
                at,
                tolerance.own_day_ahead,
                shortfall_rel,
            )?;
        }
    }
    Ok(())
}
