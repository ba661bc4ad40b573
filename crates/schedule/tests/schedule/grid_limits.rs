//! Systems at their limits: always a schedule, with what is missing by name; and problems that make no sense.

use crate::{
    grid_systems::{System, assert_lawful},
    instances::Random,
};
use std::num::NonZeroU32;
use voltide_model::{
    cost::QuadraticCost,
    device::{Commitment, Device, PlantError, Renewable, ThermalUnit, Unit},
    flexibility::{FlexStorage, Readings},
    plant::Plant,
    quantity::{Hours, Kilowatts, KilowattsPerHour},
    two_stage::{SearchLimits, SlackPrices},
    unit::UnitState,
};
use voltide_schedule::{
    Outcome,
    grid::{
        Dispatch, DispatchProblem, EnergyEnd, Exogenous, GridError, NextSlot, UnitTask, UnmetWish,
    },
};

fn unit(power_min: f64, power_max: f64, ramp: f64) -> ThermalUnit {
    ThermalUnit {
        name: "north".into(),
        power_min: Kilowatts(power_min),
        power_max: Kilowatts(power_max),
        ramp: KilowattsPerHour(ramp),
        cost: QuadraticCost { a: 0.0, b: 0.2, c: 1.0 },
        commitment: None,
        initial_power: None,
        deviation_max: None,
    }
}

/// What is asked of a unit that begins as it says.
fn begins(unit: &dyn Device) -> UnitTask {
    UnitTask { state: unit.initial(), ..UnitTask::default() }
}

/// Thermal units and stores against a load, in hours.
fn system(plant: Plant, load_kw: &[f64]) -> System {
    System {
        slot_hours: 1.0,
        exogenous: Exogenous {
            load_kw: load_kw.to_vec(),
            net_load_next_kw: load_kw.last().copied().unwrap_or_default(),
            ..Exogenous::default()
        },
        units: plant.devices().map(begins).collect(),
        readings: Readings::default(),
        plant,
    }
}

fn thermal(units: Vec<ThermalUnit>, load_kw: &[f64]) -> System {
    system(Plant::default().with(units), load_kw)
}

fn unserved(found: &Dispatch) -> f64 {
    found.slots.iter().map(|slot| slot.unserved_kw).sum()
}

#[test]
fn capacity_below_load_leaves_load_unserved_at_its_price() {
    let system = thermal(vec![unit(0.0, 100.0, 1e3)], &[80.0, 130.0]);
    let found = system.problem(false).solve().unwrap();
    assert!((unserved(&found) - 30.0).abs() < 1e-6);
    assert!((found.parts.unserved - 50.0 * 30.0).abs() < 1e-4);
    assert_lawful(&system, &found);
}

/// A unit of 0.2 a kWh and 1 an hour: 11 and 13 an hour for 50 and 60 kW.
#[test]
fn a_quarter_of_an_hour_costs_a_quarter_of_the_hour_and_no_schedule_costs_less() {
    let hourly = thermal(vec![unit(0.0, 100.0, 1e3)], &[50.0, 60.0]);
    let system = System { slot_hours: 0.25, ..hourly };
    let found = system.problem(false).solve().unwrap();
    assert_eq!(found.outcome, Outcome::Optimal);
    assert!((found.objective - 6.0).abs() < 1e-6 && (found.bound - 6.0).abs() < 1e-6);
}

#[test]
fn a_unit_that_stays_on_falls_no_further_than_its_ramp() {
    let mut system = thermal(vec![unit(10.0, 100.0, 20.0)], &[40.0]);
    system.units[0].state = UnitState { power_kw: Some(90.0), on: true, ..UnitState::default() };
    system.units[0].course.on = Some(vec![true]);
    let found = system.problem(false).solve().unwrap();
    assert!((found.slots[0].units[0].given_kw - 70.0).abs() < 1e-6, "{:?}", found.slots);
    assert_lawful(&system, &found);
}

/// As the paper prints (23), a store that holds too little gives less than nothing: a margin is
/// missing where no rise is expected, too. The unit gives all that it can.
#[test]
fn a_store_below_its_least_takes_what_it_lacks_off_the_margin() {
    let store = crate::grid_systems::store(&mut Random(1), "low");
    let least_kwh = store.energy_min.0;
    let plant = Plant::default().with([unit(0.0, 100.0, 1e4)]).with([store]);
    let mut system = system(plant, &[100.0]);
    system.readings.flex_storage = FlexStorage::Printed;
    system.units[1].state.energy_kwh = least_kwh - 5.0;
    let found = system.problem(true).solve().unwrap();
    assert_eq!(found.outcome, Outcome::Optimal);
    assert!(found.margins[0].supply.up < -1.0 && found.parts.margin > 0.0, "{:?}", found.margins);
}

#[test]
fn least_output_above_load_is_spilled() {
    let found = thermal(vec![unit(60.0, 100.0, 1e3)], &[40.0]).problem(false).solve().unwrap();
    assert!((found.slots[0].spilled_kw - 20.0).abs() < 1e-6 && unserved(&found) <= 0.0);
}

#[test]
fn a_ramp_that_cannot_follow_leaves_load_unserved() {
    let system = thermal(vec![unit(0.0, 100.0, 10.0)], &[50.0, 90.0, 90.0]);
    let found = system.problem(false).solve().unwrap();
    // It may start high, at a price: spilling 20 now serves 20 more twice. 70, 80, 90.
    assert!((unserved(&found) - 10.0).abs() < 1e-6, "{:?}", found.slots);
    assert_lawful(&system, &found);
}

#[test]
fn an_output_out_of_reach_of_the_limits_is_noted() {
    let mut system = thermal(vec![unit(50.0, 100.0, 10.0)], &[60.0]);
    system.units[0].state.power_kw = Some(20.0);
    let found = system.problem(false).solve().unwrap();
    assert!((found.slots[0].units[0].given_kw - 50.0).abs() < 1e-9);
    assert_eq!((found.unmet.len(), found.unmet[0].wish), (1, UnmetWish::RampIntoLimits));
    assert!((found.unmet[0].by - 20.0).abs() < 1e-9 && found.unmet[0].unit == "north");
}

#[test]
fn a_stop_that_the_ramp_forbids_is_noted() {
    let mut system = thermal(vec![unit(30.0, 100.0, 20.0)], &[90.0, 0.0]);
    system.units[0].state.power_kw = Some(100.0);
    system.units[0].course.on = Some(vec![true, false]);
    let found = system.problem(false).solve().unwrap();
    assert_eq!((found.unmet.len(), found.unmet[0].wish), (1, UnmetWish::RampToStop));
    // At best 80 in the slot before, where 30 would have been enough.
    assert!(
        (found.unmet[0].by - 50.0).abs() < 1e-9 && found.slots[0].units[0].given_kw <= 80.0 + 1e-9
    );
}

/// A unit of 30 to 100 kW with a ramp of 20 kW a slot of a quarter of an hour, over a load of 100 kW
/// that it wants to serve; what it gives in the last slot when it is to do `next` after that, and what
/// that costs for the path. Four such slots without some load cost less than to leave the path by it.
fn last_before(next: Option<NextSlot>, slots: usize, before_kw: f64) -> (f64, f64) {
    let hourly = thermal(vec![unit(30.0, 100.0, 80.0)], &vec![100.0; slots]);
    let mut system = System { slot_hours: 0.25, ..hourly };
    system.units[0].state =
        UnitState { power_kw: Some(before_kw), on: true, ..UnitState::default() };
    system.units[0].course.on = Some(vec![true; slots]);
    system.units[0].course.next = next;
    let found = system.problem(false).solve().unwrap();
    assert!(found.unmet.is_empty(), "{:?}", found.unmet);
    assert_lawful(&system, &found);
    (found.slots[slots - 1].units[0].given_kw, found.parts.path.unwrap_or_default())
}

/// It stops at 30 kW or less, and goes on by 20 kW a slot at most.
#[test]
fn a_window_ends_where_a_ramp_leads_to_what_comes_after() {
    let on = |output_kw| Some(NextSlot { on: true, output_kw });
    let off = Some(NextSlot { on: false, output_kw: 0.0 });
    for (next, last_kw) in [(off, 30.0), (on(30.0), 50.0), (on(55.0), 75.0), (on(90.0), 100.0)] {
        let (found_kw, path) = last_before(next, 5, 100.0);
        assert!((found_kw - last_kw).abs() < 1e-6, "{next:?}: {found_kw}");
        assert!(path.abs() < 1e-9, "{next:?}: {path}");
    }
    assert!((last_before(None, 5, 100.0).0 - 100.0).abs() < 1e-6);
}

/// From 100 kW it comes down to 80 in the one slot that is left, and not to 30: the 50 kW between
/// are paid as load not served for an hour, at 50 a kWh.
#[test]
fn a_unit_that_cannot_come_down_in_time_pays_for_the_rest() {
    let off = Some(NextSlot { on: false, output_kw: 0.0 });
    let (found_kw, path) = last_before(off, 1, 100.0);
    assert!((found_kw - 80.0).abs() < 1e-6, "{found_kw}");
    assert!((path - 50.0 * 50.0).abs() < 1e-6, "{path}");
}

/// The same upwards: from 30 kW the ramp leads to 50, and 90 are wanted in the slot after.
#[test]
fn a_unit_rises_in_time_for_what_comes_after() {
    let next = Some(NextSlot { on: true, output_kw: 90.0 });
    let (found_kw, path) = last_before(next, 1, 30.0);
    assert!((found_kw - 50.0).abs() < 1e-6, "{found_kw}");
    assert!((path - 50.0 * 20.0).abs() < 1e-6, "{path}");
}

#[test]
fn a_store_of_no_size_does_nothing() {
    let mut store = crate::grid_systems::store(&mut Random(1), "empty");
    (store.energy_min.0, store.energy_max.0, store.initial_energy.0) = (0.0, 0.0, 0.0);
    let plant = Plant::default().with([unit(0.0, 100.0, 1e3)]).with([store]);
    let system = system(plant, &[20.0, 90.0]);
    let found = system.problem(true).solve().unwrap();
    assert!(found.slots.iter().all(|slot| slot.units[1].given_kw + slot.units[1].charge_kw < 1e-6));
    assert_lawful(&system, &found);
}

#[test]
fn a_store_outside_its_bounds_is_noted_and_never_goes_further_out() {
    let mut store = crate::grid_systems::store(&mut Random(1), "deep");
    (store.energy_min.0, store.energy_max.0) = (100.0, 500.0);
    let plant = Plant::default().with([unit(0.0, 50.0, 1e3)]).with([store]);
    let mut system = system(plant, &[60.0, 60.0]);
    system.units[1].state.energy_kwh = 40.0;
    let found = system.problem(false).solve().unwrap();
    assert_eq!((found.unmet.len(), found.unmet[0].wish), (1, UnmetWish::InitialEnergy));
    assert!((found.unmet[0].by - 60.0).abs() < 1e-9);
    assert!(found.slots.iter().all(|slot| slot.units[1].energy_kwh >= 40.0 - 1e-9));
    assert!((unserved(&found) - 20.0).abs() < 1e-6);
}

#[test]
fn an_end_out_of_reach_is_met_as_far_as_can_be_and_noted() {
    let mut store = crate::grid_systems::store(&mut Random(1), "slow");
    (store.energy_min.0, store.energy_max.0, store.charge_max.0) = (0.0, 500.0, 10.0);
    let gained = 2.0 * 10.0 * store.charge_efficiency.get();
    let plant = Plant::default().with([unit(0.0, 100.0, 1e3)]).with([store]);
    let mut system = system(plant, &[60.0, 60.0]);
    system.units[1].state.energy_kwh = 100.0;
    system.units[1].end = EnergyEnd::AtLeast(400.0);
    let found = system.problem(false).solve().unwrap();
    assert_eq!((found.unmet.len(), found.unmet[0].wish), (1, UnmetWish::FinalEnergy));
    assert!((found.unmet[0].by - (300.0 - gained)).abs() < 1e-6);
    assert!((found.slots[1].units[1].energy_kwh - 100.0 - gained).abs() < 1e-5);
}

#[test]
fn a_missing_margin_is_priced_and_shown() {
    // The unit can rise by 10 kW a slot, and net load is about to rise by 40.
    let mut system = thermal(vec![unit(0.0, 200.0, 10.0)], &[100.0]);
    system.exogenous.net_load_next_kw = 140.0;
    let found = system.problem(true).solve().unwrap();
    assert!((found.margins[0].shortfall().up - 30.0).abs() < 1e-6);
    assert!((found.parts.margin - 30.0 * 30.0).abs() < 1e-4);
}

#[test]
fn a_unit_that_is_not_needed_is_switched_off_and_starts_cost() {
    let switched = |cost: f64| ThermalUnit {
        commitment: Some(Commitment {
            start_cost: cost,
            up_min: Hours(2.0),
            down_min: Hours(2.0),
            initially_on: true,
            initial_hours: Hours(5.0),
        }),
        cost: QuadraticCost { a: 0.0, b: 0.2, c: 10.0 },
        ..unit(40.0, 100.0, 1e3)
    };
    let load = [150.0, 50.0, 50.0, 150.0];
    let on = |start_cost| {
        let system = thermal(vec![unit(0.0, 100.0, 1e3), switched(start_cost)], &load);
        let found = system.problem(false).solve().unwrap();
        assert_lawful(&system, &found);
        (
            found.slots.iter().map(|slot| slot.units[1].on).collect::<Vec<_>>(),
            found.parts.of_units("starts"),
        )
    };
    // Two idle hours cost 20; a start that costs less is worth it.
    assert_eq!(on(15.0), (vec![true, false, false, true], 15.0));
    assert_eq!(on(25.0), (vec![true; 4], 0.0));
}

/// The thermal unit of a system that begins with one.
fn north(system: &mut System) -> &mut ThermalUnit {
    let Unit::Thermal(unit) = &mut system.plant.units[0] else { panic!("it begins with another") };
    unit
}

fn refused(change: impl FnOnce(&mut System)) -> GridError {
    let mut system = thermal(vec![unit(10.0, 100.0, 50.0)], &[60.0, 60.0]);
    change(&mut system);
    system.problem(true).solve().unwrap_err()
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let message = |change: fn(&mut System)| refused(change).to_string();
    assert_eq!(
        message(|system| north(system).power_min.0 = 200.0),
        "the least output of `north`, 200, is above the most, 100"
    );
    assert_eq!(
        message(|system| north(system).cost.b = -1.0),
        "cost.b of `north` is -1; it must be finite and not negative"
    );
    assert!(matches!(
        refused(|system| north(system).cost.a = f64::NAN),
        GridError::Plant(PlantError::Value { field: "cost.a", .. })
    ));
    assert_eq!(
        message(|system| system.exogenous.load_kw[1] = f64::NAN),
        "load is NaN in slot 1; it must be finite"
    );
    assert_eq!(
        message(|system| system.units[0].course.reference_kw = Some(vec![50.0; 3])),
        "day-ahead output of `north` has 3 values, not 2"
    );
}

#[test]
fn a_forecast_shorter_than_the_window_is_refused() {
    let mut system = System::random(3, false);
    let renewable = system.plant.each::<Renewable>().count();
    assert!(renewable > 0, "this seed has wind or sun");
    system.units[0].series[0].pop();
    let slots = system.exogenous.load_kw.len();
    let error = system.problem(true).solve().unwrap_err();
    let expected = format!("available power of `unit 0` has {} values, not {slots}", slots - 1);
    assert_eq!(error.to_string(), expected);
}

#[test]
fn power_is_burnt_only_where_the_system_says_so() {
    // 60 kW must run, nobody needs them, and a lossless cycle could not burn them: a lossy one could.
    let mut store = crate::grid_systems::store(&mut Random(4), "sponge");
    (store.energy_min.0, store.energy_max.0, store.throughput_cost) = (0.0, 100.0, 0.0);
    (store.charge_max.0, store.discharge_max.0) = (60.0, 60.0);
    let half = voltide_model::quantity::Share::new(0.5).unwrap();
    (store.charge_efficiency, store.discharge_efficiency) = (half, half);
    let plant = Plant::default().with([unit(60.0, 60.0, 1e3)]).with([store]);
    let mut system = system(plant, &[0.0, 0.0]);
    system.units[1].state.energy_kwh = 100.0;
    let found = system.problem(false).solve().unwrap();
    assert!(found.size.solves > 1, "{:?}", found.size);
    assert_lawful(&system, &found);
}

#[test]
fn an_hour_of_prices_and_search_limits_reaches_the_solver() {
    let system = thermal(vec![unit(0.0, 100.0, 1e3)], &[130.0]);
    let prices = SlackPrices { unserved: 7.0, ..SlackPrices::default() };
    let search = SearchLimits { nodes: 1, gap: 0.0 };
    let problem =
        DispatchProblem { prices, search, segments: NonZeroU32::MIN, ..system.problem(false) };
    assert!((problem.solve().unwrap().parts.unserved - 210.0).abs() < 1e-6);
}
