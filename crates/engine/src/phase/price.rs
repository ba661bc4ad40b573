//! Phase 2: prices become known.
//!
//! Tariffs are known from the start. Where the world has an incentive price, it follows the
//! forecast of net load, (1) to (4); with `PriceFeedback::Batch(n)` it is formed anew after every n
//! cars, with the load of those planned so far.

use crate::{EngineError, apply::State, failure::Failure, plan_book::PlanBook};
use bevy_ecs::prelude::*;
use voltide_journal::event::{Event, PlansAccepted, PricesSet, TickStarted};
use voltide_model::{
    price::{LocalDays, NetLoadSignal, PriceFeedback},
    rules::Rules,
    scenario::{Incentive, Scenario, Tariff},
    series::Series,
};

/// What incentive prices are formed from; absent where the world has none.
#[derive(Resource)]
pub(crate) struct Incentives {
    rule: Incentive,
    days: LocalDays,
    /// Base load less wind and sun per slot, kW.
    forecast_kw: Vec<f64>,
    signal: NetLoadSignal,
    /// What the signal was formed from: the forecast, with planned cars where they feed back.
    net_load_kw: Vec<f64>,
    /// Whether the cars of the policy pay the incentive price.
    paid: bool,
}

impl Incentives {
    /// The incentive price of a world, formed without cars.
    pub(crate) fn new(scenario: &Scenario, paid: bool) -> Option<Result<Self, EngineError>> {
        let rule = scenario.incentive?;
        let days = LocalDays::covering(&scenario.clock, scenario.horizon_end());
        let day = scenario.clock.slots_per_24_hours();
        let forecast_kw: Vec<f64> = scenario.system.net_load_kw(0..days.slots(), day).collect();
        let signal = rule.rule.signal(&forecast_kw, &days);
        let signal = signal.map_err(|error| EngineError::Price { tick: 0, error });
        Some(signal.map(|signal| Self {
            rule,
            days,
            net_load_kw: forecast_kw.clone(),
            forecast_kw,
            signal,
            paid,
        }))
    }

    /// Number of cars after which prices are formed anew.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self.rule.feedback {
            PriceFeedback::None => None,
            PriceFeedback::Batch(cars) => Some(cars.get() as usize),
        }
    }

    fn refresh(&mut self, book: &PlanBook, from: u32, end: u32) -> Result<(), EngineError> {
        for ((slot, net_load), forecast) in (0..).zip(&mut self.net_load_kw).zip(&self.forecast_kw)
        {
            *net_load = forecast + book.committed_kw(slot);
        }
        let refreshed =
            self.signal.refresh(&self.rule.rule, &self.net_load_kw, &self.days, from..end);
        refreshed.map_err(|error| EngineError::Price { tick: from, error })
    }
}

/// Announces all prices when the run begins, and when a fork changed them; those that follow planned
/// cars also when they come to an end, because no car was planned for days.
pub(crate) fn set_prices(
    mut state: State,
    mut incentives: Option<ResMut<Incentives>>,
    mut failure: ResMut<Failure>,
) {
    if state.prices.is_due() {
        let end = state.fixed.scenario.horizon_end();
        announce(&mut state, incentives.as_deref(), end);
    } else if let Some(incentives) =
        incentives.as_deref_mut().filter(|_| state.prices.is_over(state.now.tick))
    {
        failure.0 = reprice(&mut state, incentives).err();
    }
}

/// Forms incentive prices anew with the cars planned so far, and announces them for the next two days.
pub(crate) fn reprice(state: &mut State, incentives: &mut Incentives) -> Result<(), EngineError> {
    let (tick, scenario) = (state.now.tick, &state.fixed.scenario);
    let end = scenario.horizon_end().min(tick + 2 * scenario.clock.slots_per_24_hours());
    incentives.refresh(&state.book, tick, end)?;
    announce(state, Some(incentives), end);
    Ok(())
}

/// Announces every tariff's prices from now to `end`.
fn announce(state: &mut State, incentives: Option<&Incentives>, end: u32) {
    let (tick, scenario) = (state.now.tick, state.fixed.scenario.clone());
    let cause = state.cause(&[&PlansAccepted::KIND, &TickStarted::KIND]);
    for tariff in &scenario.tariffs {
        let set = prices(&scenario, tariff, incentives, tick, end);
        state.emit(cause, Event::PricesSet(set));
    }
}

/// What a world announces from a slot to `end`, as long as no planned car has moved its prices; `paid`
/// says whether cars pay the incentive price. `None` where no prices can be formed.
pub(crate) fn of_world(
    scenario: &Scenario,
    paid: bool,
    from: u32,
    end: u32,
) -> Option<Vec<PricesSet>> {
    let incentives = Incentives::new(scenario, paid).transpose().ok()?;
    let set = |tariff| prices(scenario, tariff, incentives.as_ref(), from, end);
    Some(scenario.tariffs.iter().map(set).collect())
}

/// The prices of a tariff from a slot to `end`.
fn prices(
    scenario: &Scenario,
    tariff: &Tariff,
    incentives: Option<&Incentives>,
    from: u32,
    end: u32,
) -> PricesSet {
    let mut set = tariff_prices(tariff, from, end, scenario.clock.slots_per_24_hours());
    if let Some(incentives) = incentives {
        add_incentive(&mut set, incentives, end, scenario.rules);
    }
    set
}

fn tariff_prices(tariff: &Tariff, from: u32, end: u32, day: u32) -> PricesSet {
    let values =
        |series: &Series| (from..end).map(|slot| series.at(slot, day)).collect::<Vec<f64>>();
    let (buy, sell) = (values(&tariff.buy), values(&tariff.sell));
    let tou = buy.clone();
    PricesSet {
        tariff: tariff.name.clone(),
        first_slot: from,
        buy,
        sell,
        tou,
        ..PricesSet::default()
    }
}

/// Adds what the incentive price comes from and, where cars pay it, puts it in the place of the
/// tariff: of both of its prices. Up to [`Rules::V1`] what was paid for energy fed in was the
/// incentive price of energy bought.
fn add_incentive(set: &mut PricesSet, incentives: &Incentives, end: u32, rules: Rules) {
    let slots = set.first_slot as usize..end as usize;
    set.k = incentives.signal.k[slots.clone()].to_vec();
    set.net_load_mean_kw = incentives.signal.mean_kw[slots.clone()].to_vec();
    set.net_load_kw = incentives.net_load_kw[slots].to_vec();
    let rule = &incentives.rule.rule;
    let of_tariff = |tariff: &[f64]| -> Vec<f64> {
        set.k.iter().zip(tariff).map(|(&k, &price)| rule.price(k, price)).collect()
    };
    let bought = of_tariff(&set.tou);
    if incentives.paid {
        set.sell = if rules >= Rules::V2 { of_tariff(&set.sell) } else { bought.clone() };
        set.buy.clone_from(&bought);
    }
    set.incentive = bought;
}
