//! Random power systems, and a check of schedules that shares no code with their making.

use crate::instances::Random;
use std::num::NonZeroU32;
use voltide_model::{
    cost::QuadraticCost,
    device::{
        Commitment, Electrolyser, Exchange, InterruptibleLoad, MustTake, Renewable, RenewableKind,
        Store, StoreKind, ThermalUnit, Unit,
    },
    dispatch::SlotDispatch,
    flexibility::{CutUp, FlexStorage, LastStep, Readings, UpDown, VreDown},
    forecast::Forecast,
    plant::Plant,
    quantity::{Hours, KilowattHours, Kilowatts, KilowattsPerHour, Share},
    rules::Rules,
    series::Series,
    two_stage::{SearchLimits, SlackPrices},
    unit::{UnitSlot, UnitState},
};
use voltide_schedule::grid::{Course, Dispatch, DispatchProblem, EnergyEnd, Exogenous, UnitTask};

/// Most nodes of a search in these tests: a few random systems would take a hundred times as many.
pub(crate) const NODES: u32 = 5_000;

/// A plant and what it is asked, apart from margins.
pub(crate) struct System {
    pub(crate) plant: Plant,
    pub(crate) slot_hours: f64,
    pub(crate) exogenous: Exogenous,
    /// What is asked of each unit.
    pub(crate) units: Vec<UnitTask>,
    pub(crate) readings: Readings,
}

fn nothing() -> Series {
    Series { name: "none".into(), unit: "kW".into(), values: [].into() }
}

fn share(value: f64) -> Share {
    Share::new(value).unwrap()
}

/// A thermal unit; `switched` may be turned off.
pub(crate) fn thermal(random: &mut Random, name: &str, switched: bool) -> ThermalUnit {
    let power_max = random.between(50.0, 400.0);
    ThermalUnit {
        name: name.into(),
        power_min: Kilowatts(power_max * random.between(0.0, 0.6)),
        power_max: Kilowatts(power_max),
        ramp: KilowattsPerHour(power_max * random.pick(&[0.1, 0.3, 1.0, 5.0])),
        cost: QuadraticCost {
            a: random.pick(&[0.0, 5e-5, 3e-4]),
            b: random.between(0.1, 0.6),
            c: random.between(0.0, 5.0),
        },
        commitment: switched.then(|| Commitment {
            start_cost: random.between(0.0, 60.0),
            up_min: Hours(random.pick(&[0.0, 1.0, 3.0])),
            down_min: Hours(random.pick(&[0.0, 1.0, 2.5])),
            initially_on: random.below(2) == 0,
            initial_hours: Hours(random.pick(&[0.5, 1.0, 8.0])),
        }),
        initial_power: None,
        deviation_max: (random.below(2) == 0).then(|| Kilowatts(random.between(0.0, 100.0))),
    }
}

pub(crate) fn store(random: &mut Random, name: &str) -> Store {
    let capacity = random.between(20.0, 900.0);
    Store {
        name: name.into(),
        kind: if random.below(2) == 0 { StoreKind::PumpedHydro } else { StoreKind::Ess },
        charge_max: Kilowatts(random.between(0.0, 200.0)),
        discharge_max: Kilowatts(random.between(0.0, 200.0)),
        energy_min: KilowattHours(capacity * random.pick(&[0.0, 0.1, 0.3])),
        energy_max: KilowattHours(capacity),
        charge_efficiency: share(random.pick(&[0.8, 0.9, 0.95, 1.0])),
        discharge_efficiency: share(random.pick(&[0.8, 0.9, 0.95, 1.0])),
        throughput_cost: random.pick(&[0.0, 0.1, 0.5]),
        initial_energy: KilowattHours(capacity * random.between(0.3, 1.0)),
        day_end_energy: None,
        holds_each_day: false,
    }
}

fn renewable(random: &mut Random, name: &str) -> Renewable {
    Renewable {
        name: name.into(),
        kind: if random.below(2) == 0 { RenewableKind::Wind } else { RenewableKind::Pv },
        available: nothing(),
        forecast: Forecast::Perfect,
        cost: random.between(0.0, 0.2),
        waste_price: random.pick(&[0.0, 0.3, 1.0]),
    }
}

/// An electrolyser; `switched` gives it a least power.
fn electrolyser(random: &mut Random, name: &str, switched: bool) -> Electrolyser {
    let (power_max, tank) = (random.between(10.0, 200.0), random.between(0.0, 400.0));
    let switched = switched && random.below(3) == 0;
    Electrolyser {
        name: name.into(),
        power_min: Kilowatts(if switched { power_max * random.between(0.0, 0.6) } else { 0.0 }),
        power_max: Kilowatts(power_max),
        efficiency: share(random.pick(&[0.5, 0.65, 0.8])),
        tank: KilowattHours(tank),
        initial_energy: KilowattHours(tank * random.between(0.0, 1.0)),
        day_end_energy: KilowattHours(0.0),
        holds_each_day: false,
        demand: nothing(),
        backup_price: random.pick(&[0.1, 0.3, 1.0]),
    }
}

fn each<T>(
    random: &mut Random,
    most: usize,
    mut one: impl FnMut(&mut Random, &str) -> T,
) -> Vec<T> {
    let count = random.below(most + 1);
    (0..count).map(|at| one(random, &format!("unit {at}"))).collect()
}

fn plant(random: &mut Random, commitment: bool) -> Plant {
    let thermal = each(random, 3, |random, name| {
        let switched = commitment && random.below(2) == 0;
        thermal(random, name, switched)
    });
    let stores = each(random, 3, store);
    let renewables = each(random, 3, renewable);
    let must_take =
        each(random, 2, |_, name| MustTake { name: name.into(), output: nothing(), cost: 0.05 });
    let loads = each(random, 2, |random, name| InterruptibleLoad {
        name: name.into(),
        power_max: Kilowatts(random.between(0.0, 300.0)),
        price: random.between(1.0, 4.0),
    });
    let exchanges = each(random, 1, |random, name| Exchange {
        name: name.into(),
        import_max: Kilowatts(random.between(0.0, 200.0)),
        export_max: Kilowatts(random.between(0.0, 200.0)),
        import_price: nothing(),
        export_price: nothing(),
    });
    let electrolysers = each(random, 1, |random, name| electrolyser(random, name, commitment));
    let steered = Plant::default().with(renewables).with(must_take).with(thermal);
    steered.with(stores).with(loads).with(exchanges).with(electrolysers)
}

/// The series of each unit.
fn series(random: &mut Random, plant: &Plant, slots: usize, scale: f64) -> Vec<Vec<Vec<f64>>> {
    let mut column =
        |low: f64, high: f64| (0..slots).map(|_| random.between(low, high)).collect::<Vec<f64>>();
    let of = |unit: &Unit| match unit {
        Unit::Exchange(_) => {
            let import = column(-0.1, 0.8);
            let export = import.iter().map(|price| price - 0.05).collect();
            vec![import, export]
        }
        Unit::Renewable(_) => vec![column(0.0, 0.5 * scale)],
        Unit::MustTake(_) => vec![column(0.0, 0.2 * scale)],
        Unit::Electrolyser(_) => vec![column(0.0, 0.1 * scale)],
        Unit::Thermal(_) | Unit::Store(_) | Unit::Interruptible(_) => Vec::new(),
    };
    plant.units.iter().map(of).collect()
}

/// Where each unit stands.
fn states(random: &mut Random, plant: &Plant) -> Vec<UnitState> {
    let outside = random.below(6) == 0;
    let mut of = |unit: &Unit| {
        let mut state = unit.device().initial();
        match unit {
            Unit::Thermal(thermal) => {
                let within = random.between(thermal.power_min.0, thermal.power_max.0);
                state.power_kw = match random.below(4) {
                    0 => None,
                    1 => Some(random.between(0.0, 600.0)),
                    _ => Some(if state.on { within } else { 0.0 }),
                };
            }
            Unit::Store(_) | Unit::Electrolyser(_) if outside => {
                state.energy_kwh += random.between(-400.0, 400.0);
            }
            Unit::Store(_)
            | Unit::Electrolyser(_)
            | Unit::Renewable(_)
            | Unit::MustTake(_)
            | Unit::Interruptible(_)
            | Unit::Exchange(_) => {}
        }
        state
    };
    plant.units.iter().map(&mut of).collect()
}

fn exogenous(random: &mut Random, slots: usize, scale: f64) -> Exogenous {
    Exogenous {
        load_kw: (0..slots).map(|_| random.between(0.2 * scale, scale)).collect(),
        car_supply_kw: if random.below(3) == 0 {
            vec![UpDown { up: 5.0, down: -2.0 }; slots]
        } else {
            Vec::new()
        },
        net_load_next_kw: random.between(0.0, scale),
        ..Exogenous::default()
    }
}

fn end(random: &mut Random, store: &Store) -> EnergyEnd {
    let wish = random.between(0.0, store.energy_max.0);
    match random.below(5) {
        0 => EnergyEnd::Idle,
        1 => EnergyEnd::Free,
        2 => EnergyEnd::AtLeast(wish),
        _ => EnergyEnd::Softened(wish),
    }
}

fn course(random: &mut Random, unit: &ThermalUnit, slots: usize, given: bool) -> Course {
    let near = |random: &mut Random| random.between(unit.power_min.0, unit.power_max.0);
    Course {
        on: (given && random.below(2) == 0)
            .then(|| (0..slots).map(|_| random.below(4) > 0).collect()),
        reference_kw: (random.below(2) == 0).then(|| (0..slots).map(|_| near(random)).collect()),
        ..Course::default()
    }
}

impl System {
    /// A random system; `commitment` lets some units be switched, by the schedule or as given.
    pub(crate) fn random(seed: u64, commitment: bool) -> Self {
        let random = &mut Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let slots = 2 + random.below(if commitment { 6 } else { 12 });
        let plant = plant(random, commitment);
        let scale = random.pick(&[100.0, 400.0, 1200.0]);
        let series = series(random, &plant, slots, scale);
        let states = states(random, &plant);
        let mut units: Vec<UnitTask> = series
            .into_iter()
            .zip(states)
            .map(|(series, state)| UnitTask { state, series, ..UnitTask::default() })
            .collect();
        for (unit, task) in plant.units.iter().zip(&mut units) {
            if let Unit::Store(store) = unit {
                task.end = end(random, store);
            }
            if let Unit::Electrolyser(unit) = unit {
                task.end = EnergyEnd::AtLeast(random.between(0.0, unit.tank.0));
            }
            if let Unit::Thermal(unit) = unit {
                task.course = course(random, unit, slots, commitment);
            }
        }
        Self {
            slot_hours: random.pick(&[0.25, 1.0]),
            exogenous: exogenous(random, slots, scale),
            units,
            readings: Readings {
                cut_up: if random.below(2) == 0 { CutUp::Literal } else { CutUp::Physical },
                vre_down: if random.below(2) == 0 { VreDown::Literal } else { VreDown::Physical },
                flex_storage: if random.below(2) == 0 {
                    FlexStorage::Printed
                } else {
                    FlexStorage::Reachable
                },
                ev_in_supply: false,
                last_step: LastStep::Wrap,
            },
            plant,
        }
    }

    pub(crate) fn problem(&self, margins: bool) -> DispatchProblem<'_> {
        DispatchProblem {
            plant: &self.plant,
            slot_hours: self.slot_hours,
            exogenous: self.exogenous.clone(),
            units: self.units.clone(),
            margins,
            readings: self.readings,
            prices: SlackPrices::default(),
            segments: NonZeroU32::new(4).unwrap(),
            search: SearchLimits { nodes: NODES, gap: 0.0 },
            rules: Rules::TODAY,
        }
    }
}

/// Asserts that a schedule keeps every law of its system: balance, limits, energy, ramps, one
/// direction.
#[track_caller]
pub(crate) fn assert_lawful(system: &System, found: &Dispatch) {
    let relaxed = !found.unmet.is_empty();
    let mut before: Vec<UnitState> = system.units.iter().map(|task| task.state).collect();
    for (slot_at, slot) in found.slots.iter().enumerate() {
        assert!(slot.residual_kw().abs() <= 1e-6, "residual {} kW", slot.residual_kw());
        assert_within_limits(&system.plant, slot);
        for (at, (unit, did)) in system.plant.units.iter().zip(&slot.units).enumerate() {
            let (now, is_on, before) = (did.given_kw, did.on, &mut before[at]);
            if let Unit::Store(store) = unit {
                assert_store(system, &system.units[at], store, did, before.energy_kwh);
                before.energy_kwh = did.energy_kwh;
            }
            if let Unit::Electrolyser(electrolyser) = unit {
                let demand_kw = system.units[at].series[0][slot_at];
                let held = (system.units[at].state.energy_kwh, before.energy_kwh);
                assert_hydrogen(system, electrolyser, did, held, demand_kw);
                before.energy_kwh = did.energy_kwh;
            }
            let Unit::Thermal(unit) = unit else { continue };
            assert_eq!(did.started, is_on && !before.on, "a start is a change from off to on");
            if !relaxed {
                assert_ramp(unit, now, is_on, before, system.slot_hours);
            }
            if system.units[at].course.on.is_none() && is_on != before.on {
                assert_rested(unit, before);
            }
            let hours = system.slot_hours + if before.on == is_on { before.hours } else { 0.0 };
            *before = UnitState { power_kw: Some(now), on: is_on, hours, ..*before };
        }
    }
}

/// Minimum times are kept where the schedule decides.
#[track_caller]
fn assert_rested(unit: &ThermalUnit, before: &UnitState) {
    let how = unit.commitment.unwrap();
    let least = if before.on { how.up_min } else { how.down_min };
    assert!(
        before.hours >= least.0 - 1e-9,
        "{} changed after {} h, not {}",
        unit.name,
        before.hours,
        least.0
    );
}

#[track_caller]
fn assert_ramp(unit: &ThermalUnit, now: f64, is_on: bool, before: &UnitState, hours: f64) {
    let step = unit.ramp.0 * hours;
    let Some(power) = before.power_kw else { return };
    let (was, edge) = (if before.on { power } else { 0.0 }, step.max(unit.power_min.0));
    let most = if is_on && before.on { step } else { edge };
    assert!((now - was).abs() <= most + 1e-6, "{} moved from {was} to {now} kW", unit.name);
}

#[track_caller]
fn assert_within_limits(plant: &Plant, slot: &SlotDispatch) {
    for (unit, did) in plant.units.iter().zip(&slot.units) {
        let (least, most) = match unit {
            Unit::Thermal(unit) if did.on => (unit.power_min.0, unit.power_max.0),
            Unit::Thermal(_) | Unit::Electrolyser(_) => (0.0, 0.0),
            Unit::Renewable(_) => (0.0, did.available_kw),
            Unit::Interruptible(load) => (0.0, load.power_max.0),
            Unit::Exchange(unit) => (-unit.export_max.0, unit.import_max.0),
            Unit::Store(store) => (0.0, store.discharge_max.0),
            Unit::MustTake(_) => (did.given_kw, did.given_kw),
        };
        let power = did.given_kw;
        assert!((least..=most).contains(&power), "{power} kW outside {least} to {most}");
    }
    assert!(slot.unserved_kw >= 0.0 && slot.spilled_kw >= 0.0);
}

#[track_caller]
fn assert_store(system: &System, task: &UnitTask, store: &Store, did: &UnitSlot, held_kwh: f64) {
    let (charge, discharge) = (did.charge_kw, did.given_kw);
    assert!(charge.min(discharge) <= 1e-6, "both directions at once: {charge}, {discharge} kW");
    assert!((0.0..=store.charge_max.0).contains(&charge));
    assert!((0.0..=store.discharge_max.0).contains(&discharge));
    let gained = store.charge_efficiency.get() * charge * system.slot_hours;
    let lost = discharge * system.slot_hours / store.discharge_efficiency.get();
    assert!((did.energy_kwh - held_kwh - gained + lost).abs() <= 1e-6, "energy is lost or made");
    let start = task.state.energy_kwh;
    let (least, most) = (store.energy_min.0.min(start), store.energy_max.0.max(start));
    assert!(did.energy_kwh >= least - 1e-6 && did.energy_kwh <= most + 1e-6);
    if task.end == EnergyEnd::Idle {
        assert!(charge + discharge <= 0.0);
    }
}

/// It runs within its limits or not at all, and what is made, taken and bought is what its tank
/// holds more.
#[track_caller]
fn assert_hydrogen(
    system: &System,
    unit: &Electrolyser,
    did: &UnitSlot,
    (start_kwh, held_kwh): (f64, f64),
    demand_kw: f64,
) {
    let (draw, bought) = (did.charge_kw, did.available_kw);
    assert!(draw == 0.0 || (unit.power_min.0..=unit.power_max.0).contains(&draw), "{draw} kW");
    assert!((0.0..=demand_kw).contains(&bought), "{bought} kW are bought of {demand_kw} kW");
    let gained = (unit.efficiency.get() * draw - demand_kw + bought) * system.slot_hours;
    assert!((did.energy_kwh - held_kwh - gained).abs() <= 1e-6, "hydrogen is lost or made");
    let (least, most) = (start_kwh.min(0.0), start_kwh.max(unit.tank.0));
    assert!(did.energy_kwh >= least - 1e-6 && did.energy_kwh <= most + 1e-6, "{}", did.energy_kwh);
}
