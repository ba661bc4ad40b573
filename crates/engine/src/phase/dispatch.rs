//! Phase 6: the power balance is closed.
//!
//! `base load + charging = wind + sun + discharging + import`, with import below zero when power
//! flows out. Wind and sun deliver all that is available.

use crate::{
    apply::State,
    phase::agree::{Opinions, form_opinions},
    state::{Fixed, LANES, padded},
};
use bevy_ecs::prelude::*;
use voltide_journal::event::PricesSet;
use voltide_model::{
    columns::{IncentiveTick, SystemTick, UnitKind, UnitTick},
    series::Series,
};

/// Largest imbalance that rounding may leave, kW.
const RESIDUAL_KW_MAX: f64 = 1e-6;

/// A generating unit, or the connection to the world outside.
#[derive(Component, Clone, Copy)]
pub(crate) struct Unit {
    pub id: u32,
    pub kind: UnitKind,
}

/// Power that a unit gives and could give, kW.
#[derive(Component, Clone, Copy, Default)]
pub(crate) struct Output {
    pub kw: f64,
    pub available_kw: f64,
}

/// Spawns the world's units, in the order of their ids.
pub(crate) fn spawn_units(world: &mut World, wind: bool, pv: bool) {
    let kinds = [wind.then_some(UnitKind::Wind), pv.then_some(UnitKind::Pv), Some(UnitKind::ImportExport)];
    for (id, kind) in (0..).zip(kinds.into_iter().flatten()) {
        world.spawn((Unit { id, kind }, Output::default()));
    }
}

/// Sums the cars' power and lets the outside connection take up the rest.
pub(crate) fn dispatch(
    mut state: State,
    mut opinions: ResMut<Opinions>,
    mut units: Query<(&Unit, &mut Output)>,
) {
    let tick = state.now.tick;
    let (charge, discharge) = ev_power(&mut state);
    let agreed = form_opinions(&mut state, &mut opinions);
    price_cars(&mut state);
    let fixed = &state.fixed;
    let system = &fixed.scenario.system;
    let value = |series: &Option<Series>| series.as_ref().map_or(0.0, |series| series.values[tick as usize]);
    let (base_load_kw, wind, pv) = (value(&system.base_load), value(&system.wind), value(&system.pv));
    let prices = &state.prices.current()[0];
    let mut now = SystemTick {
        base_load_kw,
        wind_available_kw: wind,
        wind_kw: wind,
        pv_available_kw: pv,
        pv_kw: pv,
        ev_charge_kw: charge,
        ev_discharge_kw: discharge,
        import_kw: 0.0,
        tou_price_per_kwh: prices.tou[prices.at(tick)],
        incentive: incentive_tick(fixed, prices, tick),
        plugged: state.roster.plugged,
        agreed,
    };
    now.import_kw = now.net_load_kw();
    assert!(now.residual_kw().abs() <= RESIDUAL_KW_MAX, "the power balance is closed");
    for (unit, mut output) in &mut units {
        let kw = match unit.kind {
            UnitKind::Wind => now.wind_kw,
            UnitKind::Pv => now.pv_kw,
            UnitKind::ImportExport => now.import_kw,
        };
        *output = Output { kw, available_kw: kw };
    }
    state.outcome.system = now;
    state.outcome.units = unit_ticks(&units);
}

/// The incentive price in force, where the world has one.
fn incentive_tick(fixed: &Fixed, prices: &PricesSet, tick: u32) -> Option<IncentiveTick> {
    let (incentive, at) = (fixed.scenario.incentive?, prices.at(tick));
    Some(IncentiveTick {
        net_load_kw: prices.net_load_kw[at],
        net_load_mean_kw: prices.net_load_mean_kw[at],
        price_per_kwh: prices.incentive[at],
        ratio: incentive.expected.incentive_ratio(prices.k[at], prices.incentive[at]),
    })
}

/// Notes what each car pays in this slot, where that is not simply its tariff.
fn price_cars(state: &mut State) {
    if state.fixed.scenario.incentive.is_none() {
        return;
    }
    let (tick, prices) = (state.now.tick, &state.prices);
    let of_ev = |ev, tariff| {
        let prices: &PricesSet = prices.of_ev(ev, tariff);
        prices.buy[prices.at(tick)]
    };
    let pieces = state.fixed.pieces.iter().map(|piece| (piece, state.fixed.fleets[piece.fleet].tariff));
    let priced =
        pieces.flat_map(|(piece, tariff)| piece.evs.clone().map(move |ev| of_ev(ev, tariff))).collect();
    state.outcome.price_per_kwh = priced;
}

fn unit_ticks(units: &Query<(&Unit, &mut Output)>) -> Vec<UnitTick> {
    let mut ticks: Vec<UnitTick> = units
        .iter()
        .map(|(unit, output)| UnitTick {
            unit: unit.id,
            kind: unit.kind,
            output_kw: output.kw,
            available_kw: output.available_kw,
        })
        .collect();
    ticks.sort_by_key(|tick| tick.unit);
    ticks
}

/// Charging and discharging power of all cars, kW; summed piece by piece, so always in one order.
fn ev_power(state: &mut State) -> (f64, f64) {
    let mut table = state.cars.table();
    let power = &*table.columns().power;
    let mut sum = (0.0, 0.0);
    for piece in &state.fixed.pieces {
        let (charge, discharge) = piece_power(&power[piece.evs.clone()]);
        sum = (sum.0 + charge, sum.1 + discharge);
    }
    sum
}

fn piece_power(power: &[f64]) -> (f64, f64) {
    let (mut charge, mut discharge) = ([0.0; LANES], [0.0; LANES]);
    let mut add = |power: &[f64; LANES]| {
        for lane in 0..LANES {
            charge[lane] += power[lane].max(0.0);
            discharge[lane] += (-power[lane]).max(0.0);
        }
    };
    let (eights, last) = power.as_chunks();
    eights.iter().for_each(&mut add);
    add(&padded(last));
    (charge.iter().sum(), discharge.iter().sum())
}
