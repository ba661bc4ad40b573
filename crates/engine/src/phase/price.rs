//! Phase 2: prices become known.
//!
//! Tariffs are known from the start. Where the world has an incentive price, it follows the
//! forecast of net load, (1) to (4), as it is known when the local day begins; with
//! `PriceFeedback::Batch(n)` it is formed anew after every n cars, with the load of those planned so
//! far.

use crate::{
    EngineError,
    outbox::Recorder,
    plan_book::PlanBook,
    prices::PriceBook,
    state::{Now, ScenarioInForce},
};
use bevy_ecs::prelude::*;
use std::ops::Range;
use voltide_journal::event::{Event, PlansAccepted, PricesSet, TickStarted};
use voltide_model::{
    foresight::Foresight,
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
    /// Base load less wind and sun per slot, kW: as it is known when the day begins.
    forecast_kw: Vec<f64>,
    /// The local day at whose beginning that was issued; `None` where all is known from the start.
    issued: Option<Range<usize>>,
    signal: NetLoadSignal,
    /// What the signal was formed from: the forecast, with planned cars where they feed back.
    net_load_kw: Vec<f64>,
    /// Whether the cars of the policy pay the incentive price.
    paid: bool,
}

impl Incentives {
    /// The incentive price of a world in a slot, formed without cars.
    pub(crate) fn new(
        scenario: &Scenario,
        paid: bool,
        tick: u32,
    ) -> Option<Result<Self, EngineError>> {
        let rule = scenario.incentive?;
        let days = LocalDays::covering(&scenario.clock, scenario.horizon_end());
        let slots = days.slots() as usize;
        let mut formed = Self {
            rule,
            days,
            forecast_kw: vec![0.0; slots],
            issued: None,
            signal: NetLoadSignal { mean_kw: vec![0.0; slots], k: vec![0.0; slots] },
            net_load_kw: vec![0.0; slots],
            paid,
        };
        let foresight = Foresight::of(scenario);
        let known = if foresight.is_perfect() {
            let day = scenario.clock.slots_per_24_hours();
            let slots = 0..formed.days.slots();
            let net_load_kw = scenario.system.net_load_kw(slots.clone(), day).collect();
            formed.take_up(slots, net_load_kw, 0)
        } else {
            formed.foresee(foresight, tick)
        };
        Some(known.map(|()| formed))
    }

    /// Takes up what is known of the day that begins, where not all is known from the start.
    fn revise(&mut self, scenario: &Scenario, tick: u32) -> Result<(), EngineError> {
        if self.issued.as_ref().is_none_or(|day| day.contains(&(tick as usize))) {
            return Ok(());
        }
        self.foresee(Foresight::of(scenario), tick)
    }

    fn foresee(&mut self, foresight: Foresight, tick: u32) -> Result<(), EngineError> {
        let (slots, net_load_kw) = foresight.of_prices(&self.days, tick);
        self.take_up(slots, net_load_kw, tick)?;
        self.issued = Some(self.days.range(self.days.day_of(tick)));
        Ok(())
    }

    /// Forms prices of some days from their net load, kW.
    fn take_up(
        &mut self,
        slots: Range<u32>,
        net_load_kw: Vec<f64>,
        tick: u32,
    ) -> Result<(), EngineError> {
        let places = slots.start as usize..slots.end as usize;
        self.net_load_kw[places.clone()].copy_from_slice(&net_load_kw);
        self.forecast_kw[places].copy_from_slice(&net_load_kw);
        let formed = self.signal.refresh(&self.rule.rule, &self.net_load_kw, &self.days, slots);
        formed.map_err(|error| EngineError::Price { tick, error })
    }

    /// Whether prices are formed anew in a slot because more is known than the day before.
    fn is_revised_in(&self, tick: u32) -> bool {
        self.issued.as_ref().is_some_and(|day| day.start == tick as usize)
    }

    /// The slot to which prices are announced: two days ahead where they are formed anew before
    /// these are over, else to the end.
    fn end(&self, scenario: &Scenario, tick: u32) -> u32 {
        match self.issued {
            Some(_) => two_days_ahead(scenario, tick),
            None => scenario.horizon_end(),
        }
    }

    /// Number of cars after which prices are formed anew.
    pub(crate) fn batch(&self) -> Option<usize> {
        match self.rule.feedback {
            PriceFeedback::None => None,
            PriceFeedback::Batch(cars) => Some(cars.get() as usize),
        }
    }

    /// Every tariff's prices for the next two days, formed with the cars planned so far where these
    /// feed back.
    pub(crate) fn formed_anew(
        &mut self,
        scenario: &Scenario,
        plans: &PlanBook,
        tick: u32,
    ) -> Result<Vec<PricesSet>, EngineError> {
        // No schedule reaches further than prices are known. Prices to the end of the run would be
        // formed anew after every batch for slots that hardly a car is planned in.
        let end = two_days_ahead(scenario, tick);
        self.revise(scenario, tick)?;
        if self.batch().is_some() {
            self.refresh(plans, tick, end)?;
        }
        Ok(all_tariffs(scenario, Some(self), tick, end))
    }

    fn refresh(&mut self, book: &PlanBook, from: u32, end: u32) -> Result<(), EngineError> {
        // All slots, not only those that are announced: a price goes by where net load stands in
        // the mean of its local day, (4), part of which may be over.
        for ((slot, net_load), forecast) in (0..).zip(&mut self.net_load_kw).zip(&self.forecast_kw)
        {
            *net_load = forecast + book.committed_kw(slot);
        }
        let refreshed =
            self.signal.refresh(&self.rule.rule, &self.net_load_kw, &self.days, from..end);
        refreshed.map_err(|error| EngineError::Price { tick: from, error })
    }
}

/// The slot two days after `tick`, or the end of all that plans may reach to.
fn two_days_ahead(scenario: &Scenario, tick: u32) -> u32 {
    scenario.horizon_end().min(tick + 2 * scenario.clock.slots_per_24_hours())
}

/// Announces all prices when the run begins, and when a fork changed them; those that follow
/// forecasts also when a day begins, and those that follow planned cars when they come to an end,
/// because no car was planned for days.
pub(crate) fn set_prices(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    plans: Res<PlanBook>,
    mut prices: ResMut<PriceBook>,
    mut incentives: Option<ResMut<Incentives>>,
    mut record: Recorder,
) -> Result<(), EngineError> {
    let scenario = &in_force.scenario;
    if let Some(incentives) = incentives.as_deref_mut() {
        incentives.revise(scenario, now.tick)?;
    }
    let anew = |it: &&mut Incentives| prices.is_over(now.tick) || it.is_revised_in(now.tick);
    if prices.is_due() {
        // To the end where only planned cars and forks move them: without feedback none ends
        // before.
        let to_the_end = scenario.horizon_end();
        let end = incentives.as_deref().map_or(to_the_end, |it| it.end(scenario, now.tick));
        let sets = all_tariffs(scenario, incentives.as_deref(), now.tick, end);
        announce(sets, scenario, &mut prices, &mut record);
    } else if let Some(incentives) = incentives.as_deref_mut().filter(anew) {
        let sets = incentives.formed_anew(scenario, &plans, now.tick)?;
        announce(sets, scenario, &mut prices, &mut record);
    }
    Ok(())
}

/// Announces the prices of all tariffs.
pub(crate) fn announce(
    sets: Vec<PricesSet>,
    scenario: &Scenario,
    prices: &mut PriceBook,
    record: &mut Recorder,
) {
    let cause = record.cause(&[&PlansAccepted::KIND, &TickStarted::KIND]);
    for set in sets {
        record.emit(cause, set, Event::PricesSet, |set| prices.announced(scenario, set));
    }
}

/// Every tariff's prices from a slot to `end`.
fn all_tariffs(
    scenario: &Scenario,
    incentives: Option<&Incentives>,
    from: u32,
    end: u32,
) -> Vec<PricesSet> {
    let set = |tariff| prices(scenario, tariff, incentives, from, end);
    scenario.tariffs.iter().map(set).collect()
}

/// What a world announces from a slot to `end`, as long as no planned car has moved its prices;
/// `paid` says whether cars pay the incentive price. `None` where no prices can be formed.
pub(crate) fn of_world(
    scenario: &Scenario,
    paid: bool,
    from: u32,
    end: u32,
) -> Option<Vec<PricesSet>> {
    let incentives = Incentives::new(scenario, paid, from).transpose().ok()?;
    Some(all_tariffs(scenario, incentives.as_ref(), from, end))
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
    let buy = values(&tariff.buy);
    let sell = values(&tariff.sell);
    // `buy` may become the incentive price, which is reckoned from the tariff.
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
