//! Phase 6: units are scheduled, and the power balance is closed.
//!
//! `base load + charging = wind + sun + plant + discharging + shed load + import`, with import
//! below zero when power flows out. Where the world has no plant, wind and sun deliver all that is
//! available, and the connection to the outside takes up the rest. Where it has one, the
//! [scheduler](crate::grid::scheduler) decides, and units do as was decided, live and in replay.

use crate::{
    grid::{
        UnitSchedule, car_flexibility,
        load::{CarLoad, value},
    },
    outbox::Recorder,
    prices::PriceBook,
    state::{Balance, ChargingPrices, NetLoadMost, Now, PluggedIn, ScenarioInForce},
    units::{self, DoingMut, Flexibility, Shown},
};
use bevy_ecs::{prelude::*, schedule::common_conditions::not, system::ScheduleSystem};
use voltide_journal::event::{Event, MarginViolated, PricesSet, TickStarted, UnitsDispatched};
use voltide_model::{
    columns::{FlexibilityTick, IncentiveTick, SystemTick, UnitTick},
    device::Device,
    dispatch::{supply, unit_rows},
    flexibility::{self, LastStep, SHORTFALL_MIN_KW, UpDown},
    scenario::Given,
    series::Series,
    two_stage::Grid,
    unit::tidied,
};

/// Largest imbalance that rounding may leave, kW and as a share of the load.
const RESIDUAL_MAX: f64 = 1e-6;

/// What follows from what was decided: what each car pays, and the balance, from cars to units.
pub(crate) fn following() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    let plant = (follow_schedule, offer_flexibility, count_units).chain().run_if(has_plant);
    let units = (plant, import_the_rest.run_if(not(has_plant))).chain();
    (price_cars, (count_cars, units, close_balance, note_most).chain()).into_configs()
}

/// Whether the world has a plant.
pub(crate) fn has_plant(in_force: Res<ScenarioInForce>) -> bool {
    in_force.scenario.grid.is_some()
}

/// Notes the highest net load, for policies that a peak is sunk for.
fn note_most(balance: Res<Balance>, mut most: ResMut<NetLoadMost>) {
    most.0 = most.0.max(balance.0.net_load_kw());
}

/// Begins the balance with all that does not depend on units.
fn count_cars(cars: CarLoad, plugged: Res<PluggedIn>, mut balance: ResMut<Balance>) {
    let tick = cars.now.tick;
    let (charge, discharge) = cars.power();
    let agreed = cars.drivers.agreed().iter().map(|agreed| u32::from(agreed.0)).sum();
    let in_force = &cars.in_force;
    // The system has one price where tariffs have several: the first one's.
    let prices = &cars.prices.current()[0];
    balance.0 = SystemTick {
        base_load_kw: value(in_force.scenario.system.base_load.as_ref(), tick),
        ev_charge_kw: charge,
        ev_discharge_kw: discharge,
        tou_price_per_kwh: prices.tou[prices.at(tick)],
        incentive: incentive_tick(in_force, prices, tick),
        plugged: plugged.0,
        agreed,
        ..SystemTick::default()
    };
}

/// Without a plant: wind and sun deliver all, and the outside takes up the rest.
fn import_the_rest(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    mut balance: ResMut<Balance>,
    mut units: Query<DoingMut>,
) {
    let scenario = &in_force.scenario;
    let system = &scenario.system;
    let wind = value(system.wind.as_ref(), now.tick);
    let pv = value(system.pv.as_ref(), now.tick);
    let balance = &mut balance.0;
    (balance.wind_available_kw, balance.wind_kw) = (wind, wind);
    (balance.pv_available_kw, balance.pv_kw) = (pv, pv);
    balance.import_kw = balance.net_load_kw();
    let rows = (0..).zip(scenario.given_units());
    let rows = rows.map(|(unit, of)| given_row(unit, of, now.tick, balance.import_kw));
    units::follow(&mut units, rows);
}

/// What a unit does that a world without a plant has: its series, or else it is the connection.
fn given_row(unit: u32, of: Given<'_>, tick: u32, import_kw: f64) -> UnitTick {
    let Some(series) = of.series else { return UnitTick::new(unit, of.kind, import_kw) };
    let kw = series.values[tick as usize];
    UnitTick { available_kw: Some(kw), ..UnitTick::new(unit, of.kind, kw) }
}

/// With a plant: units do as was decided.
fn follow_schedule(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    schedule: Res<UnitSchedule>,
    mut units: Query<DoingMut>,
) {
    let Some(grid) = &in_force.scenario.grid else { return };
    // What the solver's tolerance left where nothing is meant is not shown.
    let slot = schedule.followed(now.tick).tidied(&grid.plant);
    let hours = in_force.scenario.clock.slot_hours();
    units::follow(&mut units, unit_rows(&grid.plant, &slot, hours));
}

/// How far units could move, (21) to (29): from where the solver has them, as its margins do.
fn offer_flexibility(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    schedule: Res<UnitSchedule>,
    mut units: Query<&mut Flexibility>,
) {
    let Some(grid) = &in_force.scenario.grid else { return };
    let slot = schedule.followed(now.tick);
    let hours = in_force.scenario.clock.slot_hours();
    let supply = supply(&grid.plant, slot, hours, grid.rules.readings);
    for (mut flexibility, supply) in units.iter_mut().zip(supply) {
        flexibility.0 = Some(supply);
    }
}

/// Adds what the plant does to the balance, and what cars and units could do beyond it.
fn count_units(
    cars: CarLoad,
    schedule: Res<UnitSchedule>,
    units: Query<Shown>,
    mut balance: ResMut<Balance>,
) {
    let Some(grid) = &cars.in_force.scenario.grid else { return };
    let slot = schedule.followed(cars.now.tick);
    let rows = units::rows(&units);
    let of_cars = if grid.rules.readings.ev_in_supply {
        car_flexibility::supply(&cars, 1)
    } else {
        Vec::new()
    };
    let demand =
        flexibility::demand(slot.net_load_kw(&grid.plant), next_net_load(&cars, &schedule, grid));
    let of_units = rows.iter().filter_map(|row| row.flexibility);
    let supply = of_units.chain(of_cars).sum::<UpDown>();
    balance.0.flexibility = Some(FlexibilityTick { demand, supply });
    let units: Vec<_> = grid.plant.devices().map(Device::counts_as).zip(&rows).collect();
    balance.0.count(&units);
    balance.0.unserved_kw = tidied(slot.unserved_kw);
    balance.0.spilled_kw = tidied(slot.spilled_kw);
}

/// Holds that power that goes in comes out, and records where flexibility is short.
fn close_balance(balance: Res<Balance>, mut record: Recorder) {
    let now = &balance.0;
    let tolerance = RESIDUAL_MAX * (now.base_load_kw + now.ev_charge_kw).max(1.0);
    assert!(
        now.residual_kw().abs() <= tolerance,
        "the power balance is closed: {} kW",
        now.residual_kw()
    );
    let missing = now.flexibility.map(|it| it.margin().shortfall()).unwrap_or_default();
    if missing.up > SHORTFALL_MIN_KW || missing.down > SHORTFALL_MIN_KW {
        let cause = record.cause(&[&UnitsDispatched::KIND, &TickStarted::KIND]);
        let violated = MarginViolated { up_kw: missing.up, down_kw: missing.down };
        record.note(cause, Event::MarginViolated(violated));
    }
}

/// Net load in the slot after this one, by the series as they are and the cars as planned, kW.
fn next_net_load(cars: &CarLoad, schedule: &UnitSchedule, grid: &Grid) -> f64 {
    let scenario = &cars.in_force.scenario;
    let tick = cars.now.tick;
    let day = scenario.clock.local_day(tick);
    // Where a day is taken to come again, its last slot is followed by its first.
    let wraps = grid.rules.readings.last_step == LastStep::Wrap && tick + 1 == day.end;
    let next = if wraps { day.start } else { tick + 1 };
    let at = |series: &Series| series.at(next, scenario.clock.slots_per_24_hours());
    let base = scenario.system.base_load.as_ref().map_or(0.0, at);
    grid.plant.net_of_unsteered(base + cars.planned_kw(schedule, next), |_, unit| {
        unit.unsteered().map_or(0.0, |unit| at(unit.actual))
    })
}

/// The incentive price in force, where the world has one.
fn incentive_tick(
    in_force: &ScenarioInForce,
    prices: &PricesSet,
    tick: u32,
) -> Option<IncentiveTick> {
    let incentive = in_force.scenario.incentive?;
    let at = prices.at(tick);
    Some(IncentiveTick {
        net_load_kw: prices.net_load_kw[at],
        net_load_mean_kw: prices.net_load_mean_kw[at],
        price_per_kwh: prices.incentive[at],
        ratio: incentive.expected.incentive_ratio(prices.k[at], prices.incentive[at]),
    })
}

/// Notes what each car pays in this slot, where that is not simply its tariff.
fn price_cars(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    prices: Res<PriceBook>,
    mut charging: ResMut<ChargingPrices>,
) {
    if in_force.scenario.incentive.is_none() {
        return;
    }
    charging.0.clear();
    for piece in &in_force.pieces {
        let tariff = in_force.fleets[piece.fleet].tariff;
        charging.0.extend(piece.evs.clone().map(|ev| {
            let prices = prices.of_ev(ev, tariff);
            prices.buy[prices.at(now.tick)]
        }));
    }
}
