//! Phase 6: units are scheduled, and the power balance is closed.
//!
//! `base load + charging = wind + sun + plant + discharging + shed load + import`, with import
//! below zero when power flows out. Where the world has no plant, wind and sun deliver all that is
//! available, and the connection to the outside takes up the rest. Where it has one, the
//! [scheduler](crate::grid::scheduler) decides, and [`dispatch`] follows what was decided, live and
//! in replay.

use crate::{
    grid::{
        UnitSchedule, car_flexibility, day_of,
        load::{CarLoad, value},
    },
    outbox::Recorder,
    prices::PriceBook,
    state::{Balance, ChargingPrices, Now, PluggedIn, ScenarioInForce},
    units::{Output, UnitId},
};
use bevy_ecs::{prelude::*, system::ScheduleSystem};
use voltide_journal::event::{Event, MarginViolated, PricesSet, TickStarted, UnitsDispatched};
use voltide_model::{
    columns::{FlexibilityTick, IncentiveTick, SystemTick, UnitTick},
    device::Device,
    dispatch::{SlotDispatch, supply, unit_rows},
    flexibility::{self, LastStep, SHORTFALL_MIN_KW, UpDown},
    plant::Plant,
    scenario::{Given, Scenario},
    series::Series,
    two_stage::Grid,
};

/// Largest imbalance that rounding may leave, kW and as a share of the load.
const RESIDUAL_MAX: f64 = 1e-6;

/// What follows from what was decided: what each car pays, and the balance.
pub(crate) fn following() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    (price_cars, dispatch).into_configs()
}

/// Sums the cars' power and closes the balance.
fn dispatch(
    cars: CarLoad,
    plugged: Res<PluggedIn>,
    plant: Res<UnitSchedule>,
    mut balance: ResMut<Balance>,
    mut units: Query<(&UnitId, &mut Output)>,
    mut record: Recorder,
) {
    let scenario = &*cars.in_force.scenario;
    let mut now = system_of_cars(&cars, &plugged);
    let ticks = match &scenario.grid {
        Some(grid) => follow_schedule(&cars, &plant, grid, &mut now),
        None => import_the_rest(scenario, cars.now.tick, &mut now),
    };
    let tolerance = RESIDUAL_MAX * (now.base_load_kw + now.ev_charge_kw).max(1.0);
    assert!(
        now.residual_kw().abs() <= tolerance,
        "the power balance is closed: {} kW",
        now.residual_kw()
    );
    for (unit, mut output) in &mut units {
        output.0 = ticks[unit.0 as usize];
    }
    balance.0 = now;
    let missing = now.flexibility.map(|it| it.margin().shortfall()).unwrap_or_default();
    if missing.up > SHORTFALL_MIN_KW || missing.down > SHORTFALL_MIN_KW {
        let cause = record.cause(&[&UnitsDispatched::KIND, &TickStarted::KIND]);
        let violated = MarginViolated { up_kw: missing.up, down_kw: missing.down };
        record.note(cause, Event::MarginViolated(violated));
    }
}

/// The system with all that does not depend on units.
fn system_of_cars(cars: &CarLoad, plugged: &PluggedIn) -> SystemTick {
    let tick = cars.now.tick;
    let (charge, discharge) = cars.power();
    let agreed = cars.drivers.agreed().iter().map(|agreed| u32::from(agreed.0)).sum();
    let in_force = &cars.in_force;
    let prices = &cars.prices.current()[0];
    SystemTick {
        base_load_kw: value(in_force.scenario.system.base_load.as_ref(), tick),
        ev_charge_kw: charge,
        ev_discharge_kw: discharge,
        tou_price_per_kwh: prices.tou[prices.at(tick)],
        incentive: incentive_tick(in_force, prices, tick),
        plugged: plugged.0,
        agreed,
        ..SystemTick::default()
    }
}

/// Without a plant: wind and sun deliver all, and the outside takes up the rest.
fn import_the_rest(scenario: &Scenario, tick: u32, now: &mut SystemTick) -> Vec<UnitTick> {
    let system = &scenario.system;
    let (wind, pv) = (value(system.wind.as_ref(), tick), value(system.pv.as_ref(), tick));
    (now.wind_available_kw, now.wind_kw) = (wind, wind);
    (now.pv_available_kw, now.pv_kw) = (pv, pv);
    now.import_kw = now.net_load_kw();
    let unit = |(unit, of): (u32, Given<'_>)| {
        let row = |kw| UnitTick::new(unit, of.kind, kw);
        match of.series {
            Some(series) => {
                let kw = series.values[tick as usize];
                UnitTick { available_kw: Some(kw), ..row(kw) }
            }
            None => row(now.import_kw),
        }
    };
    (0..).zip(scenario.given_units()).map(unit).collect()
}

/// With a plant: units do as was decided.
fn follow_schedule(
    cars: &CarLoad,
    state: &UnitSchedule,
    grid: &Grid,
    now: &mut SystemTick,
) -> Vec<UnitTick> {
    let tick = cars.now.tick;
    let slot = state.slot(tick).cloned().unwrap_or_else(|| unreachable!("every slot is scheduled"));
    let hours = cars.in_force.scenario.clock.slot_hours();
    let supply = supply(&grid.plant, &slot, hours, grid.rules.readings);
    let of_cars = if grid.rules.readings.ev_in_supply {
        car_flexibility::supply(cars, 1)
    } else {
        Vec::new()
    };
    let demand =
        flexibility::demand(slot.net_load_kw(&grid.plant), next_net_load(cars, state, grid));
    let all = supply.iter().copied().chain(of_cars).sum::<UpDown>();
    now.flexibility = Some(FlexibilityTick { demand, supply: all });
    let slot = slot.tidied(&grid.plant);
    let ticks = unit_ticks(&grid.plant, &slot, &supply, hours);
    let units: Vec<_> = grid.plant.devices().map(Device::counts_as).zip(&ticks).collect();
    now.count(&units);
    (now.unserved_kw, now.spilled_kw) = (slot.unserved_kw, slot.spilled_kw);
    ticks
}

/// Net load in the slot after this one, by the series as they are and the cars as planned, kW.
fn next_net_load(cars: &CarLoad, state: &UnitSchedule, grid: &Grid) -> f64 {
    let scenario = &cars.in_force.scenario;
    let tick = cars.now.tick;
    let day = day_of(&scenario.clock, tick);
    let wraps =
        grid.rules.readings.last_step == LastStep::Wrap && tick + 1 == day.first + day.slots;
    let next = if wraps { day.first } else { tick + 1 };
    let at = |series: &Series| series.at(next, scenario.clock.slots_per_24_hours());
    let base = scenario.system.base_load.as_ref().map_or(0.0, at);
    grid.plant.net_of_unsteered(base + cars.planned_kw(state, next), |_, unit| {
        unit.unsteered().map_or(0.0, |unit| at(unit.actual))
    })
}

fn unit_ticks(plant: &Plant, slot: &SlotDispatch, supply: &[UpDown], hours: f64) -> Vec<UnitTick> {
    let rows = unit_rows(plant, slot, hours).into_iter().zip(supply);
    rows.map(|(row, &supply)| UnitTick { flexibility: Some(supply), ..row }).collect()
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
