//! Both stages over days, as an engine asks them, held against a linear program that sees all days
//! at once and has the same commitment.

use crate::{
    grid_systems::{store, thermal},
    instances::Random,
};
use std::num::NonZeroU32;
use voltide_model::{
    clock::Clock,
    device::{Store, ThermalUnit, Unit},
    dispatch::{GridState, SlotDispatch},
    flexibility::{CutUp, FlexStorage, LastStep, Readings, VreDown},
    forecast::Forecast,
    plant::Plant,
    rules::Rules,
    series::Series,
    two_stage::{DayAheadEv, Grid, SearchLimits, SlackPrices, TwoStage},
};
use voltide_schedule::grid::{
    Course, Day, DayAheadPlan, DispatchProblem, EnergyEnd, Exogenous, Fallback, Stages, UnitTask,
};

const HOURS: f64 = 0.25;
const DAYS: u32 = 3;
/// What rounding in a chain of some hundred solves comes to, kWh.
const ROUNDING_KWH: f64 = 1e-3;

/// A plant of three units and what it has to serve.
struct Days {
    grid: Grid,
    load: Series,
    clock: Clock,
}

/// What units did, and what of it nobody wished for.
struct Done {
    slots: Vec<SlotDispatch>,
    missing_kwh: f64,
}

fn slots(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn rules() -> TwoStage {
    TwoStage {
        day_ahead_step: slots(4),
        day_ahead_window: Some(slots(192)),
        window: slots(16),
        step: slots(4),
        blend: slots(16),
        margins: false,
        readings: Readings {
            cut_up: CutUp::Physical,
            vre_down: VreDown::Physical,
            flex_storage: FlexStorage::Reachable,
            ev_in_supply: false,
            last_step: LastStep::NextDay,
        },
        ess_in_day_ahead: true,
        segments: slots(4),
        prices: SlackPrices::default(),
        base_load: Forecast::Perfect,
        day_ahead_ev: DayAheadEv::None,
        ev_forecast: Forecast::Perfect,
        search: SearchLimits::default(),
    }
}

/// Three units, of which two at least are thermal.
fn plant(random: &mut Random) -> Plant {
    let base = free(random, "base", true);
    let switched = random.below(2) == 0;
    let middle = free(random, "middle", switched);
    let units = Plant::default().with([base]).with([middle]);
    match random.below(3) {
        0 => units.with([free(random, "peak", true)]),
        1 => units.with([free(random, "peak", false)]),
        _ => {
            let store = store(random, "store");
            let day_end_energy = Some(store.initial_energy);
            units.with([Store { day_end_energy, ..store }])
        }
    }
}

/// A thermal unit without a band around its day-ahead output: to leave that is no worse than to
/// lack energy.
fn free(random: &mut Random, name: &str, switched: bool) -> ThermalUnit {
    ThermalUnit { deviation_max: None, ..thermal(random, name, switched) }
}

/// A load that wanders between a night's and a day's, in quarter hours, within what thermal units
/// can give.
#[expect(clippy::disallowed_methods, reason = "both sides of a comparison have these loads")]
fn load(random: &mut Random, plant: &Plant) -> Vec<f64> {
    let most_kw: f64 = plant.units.iter().map(most_kw).sum();
    let (valley, peak) = (random.between(0.2, 0.6), random.between(0.6, 1.0));
    let jumps = random.pick(&[0.02, 0.1, 0.2]);
    let mut stray = 0.0;
    let at = |slot: u32| {
        let of_day = 0.5 - 0.5 * (f64::from(slot % 96) / 96.0 * std::f64::consts::TAU).cos();
        stray = 0.8 * stray + jumps * random.between(-1.0, 1.0);
        most_kw * (valley + (peak - valley) * of_day + stray).clamp(0.1, 1.0)
    };
    (0..DAYS * 96).map(at).collect()
}

fn most_kw(unit: &Unit) -> f64 {
    if let Unit::Thermal(unit) = unit { unit.power_max.0 } else { 0.0 }
}

impl Days {
    fn random(seed: u64) -> Self {
        let random = &mut Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let plant = plant(random);
        let load = load(random, &plant);
        Self::new(plant, load)
    }

    fn new(plant: Plant, load: Vec<f64>) -> Self {
        let days = load.len() as u32 / 96;
        let start = "2024-06-03T00:00:00".parse().unwrap();
        Self {
            grid: Grid { plant, rules: rules() },
            load: Series { name: "load".into(), unit: "kW".into(), values: load.into() },
            clock: Clock::new(start, chrono_tz::UTC, 900, days).unwrap(),
        }
    }

    /// Both stages, day by day and window by window.
    fn done(&self) -> Done {
        let plant = &self.grid.plant;
        let stages = Stages::new(&self.grid, Some(&self.load), &self.clock, 0, Rules::TODAY);
        let mut state = GridState::initial(plant);
        let mut slots = Vec::new();
        for first in (0..self.load.values.len() as u32).step_by(96) {
            let day = Day { first, slots: 96 };
            let planned = stages.plan_day(day, |_| 0.0, &state).unwrap();
            let mut steps = planned.steps.found.slots;
            steps.truncate(24);
            let path = planned.path.unwrap().found.slots;
            let energy_start_kwh = state.energy_kwh();
            let plan = DayAheadPlan { step: 4, energy_start_kwh, steps, path };
            for k in (0..96).step_by(4) {
                let window = stages.window(day, k, |_| 0.0, Vec::new(), &plan, &state);
                for slot in window.schedule().unwrap().slots.into_iter().take(4) {
                    state.advance(plant, &slot, HOURS);
                    slots.push(slot);
                }
            }
        }
        self.counted(slots)
    }

    /// What a linear program over all days comes to, with units on as they were in `done`, that
    /// wants nothing but to lack little.
    fn at_best(&self, done: &Done) -> Done {
        let plant = &self.grid.plant;
        let state = GridState::initial(plant);
        let task = |(at, unit): (usize, &Unit)| UnitTask {
            state: state.units[at],
            course: Course {
                on: Some(done.slots.iter().map(|slot| slot.units[at].on).collect()),
                ..Course::default()
            },
            end: wish(unit).map_or(EnergyEnd::Free, EnergyEnd::Softened),
            ..UnitTask::default()
        };
        let dear = 1e3;
        let problem = DispatchProblem {
            plant,
            slot_hours: HOURS,
            exogenous: Exogenous { load_kw: self.load.values.to_vec(), ..Exogenous::default() },
            units: plant.units.iter().enumerate().map(task).collect(),
            margins: false,
            readings: self.grid.rules.readings,
            prices: SlackPrices { unserved: dear, terminal: dear, ..SlackPrices::default() },
            segments: self.grid.rules.segments,
            search: self.grid.rules.search,
            rules: Rules::TODAY,
        };
        problem.validate().unwrap();
        self.counted(problem.by(Fallback::WithoutIntegers).unwrap().slots)
    }

    fn counted(&self, slots: Vec<SlotDispatch>) -> Done {
        let last = slots.last().unwrap();
        let open_kw: f64 = slots.iter().map(|slot| slot.unserved_kw + slot.spilled_kw).sum();
        let units = self.grid.plant.units.iter().zip(&last.units);
        let missing = units.filter_map(|(unit, did)| Some((wish(unit)? - did.energy_kwh).max(0.0)));
        Done { missing_kwh: open_kw * HOURS + missing.sum::<f64>(), slots }
    }
}

/// What a unit must hold in the end, kWh.
fn wish(unit: &Unit) -> Option<f64> {
    if let Unit::Store(store) = unit { store.day_end_energy.map(|end| end.0) } else { None }
}

/// Windows and days end, and what comes after is seen all the same.
#[test]
fn nothing_is_lacking_that_one_program_with_the_same_commitment_does_not_lack() {
    let systems = std::env::var("VOLTIDE_SYSTEMS").map_or(10, |count| count.parse().unwrap());
    let mut lacking = Vec::new();
    for seed in 1..=systems {
        let days = Days::random(seed);
        let done = days.done();
        let best = days.at_best(&done);
        if done.missing_kwh > best.missing_kwh + ROUNDING_KWH {
            lacking.push((seed, done.missing_kwh, best.missing_kwh));
        }
    }
    assert!(lacking.is_empty(), "{lacking:?}");
}
