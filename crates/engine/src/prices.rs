//! The prices that cars were planned at, and are billed.
//!
//! Prices may be set anew while a run goes on. A car keeps those that were in force when its
//! schedule was accepted, so that it pays what it was promised.

use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use voltide_journal::event::PricesSet;

/// One tariff's prices from `first_slot` on, one a slot, per kWh.
#[derive(Debug, Clone, Default)]
pub(crate) struct TariffPrices {
    first_slot: u32,
    /// Billed for energy charged.
    pub buy: Vec<f64>,
    /// Paid for energy discharged.
    pub sell: Vec<f64>,
    /// The tariff's price, time of use or not.
    pub tou: Vec<f64>,
    /// The incentive price (1); empty where the world has none.
    pub incentive: Vec<f64>,
    /// `K_p` (2); empty likewise.
    pub k: Vec<f64>,
    /// Net load that incentive prices follow, kW; empty likewise.
    pub net_load_kw: Vec<f64>,
    /// Its daily mean, kW; empty likewise.
    pub net_load_mean_kw: Vec<f64>,
}

impl TariffPrices {
    fn new(set: &PricesSet) -> Self {
        Self {
            first_slot: set.first_slot,
            buy: set.buy.clone(),
            sell: set.sell.clone(),
            tou: set.tou.clone(),
            incentive: set.incentive.clone(),
            k: set.k.clone(),
            net_load_kw: set.net_load_kw.clone(),
            net_load_mean_kw: set.net_load_mean_kw.clone(),
        }
    }

    /// Where the values of `slot` stand.
    pub(crate) fn at(&self, slot: u32) -> usize {
        (slot - self.first_slot) as usize
    }

    /// The slot after the last priced one.
    pub(crate) fn end(&self) -> u32 {
        self.first_slot + self.buy.len() as u32
    }
}

/// All prices that any plugged car may be billed.
#[derive(Resource, Default)]
pub(crate) struct PriceBook {
    /// Per setting: the tariffs, in the scenario's order.
    settings: VecDeque<Vec<TariffPrices>>,
    /// Number of the first setting that is kept.
    first: u32,
    /// Per car: number of the setting that it was planned at. Empty until prices are set a second time.
    of_ev: Vec<u32>,
}

impl PriceBook {
    /// Takes up the price of the next tariff; with the first tariff a new setting begins.
    pub(crate) fn set(&mut self, tariffs: usize, evs: usize, set: &PricesSet) {
        if let Some(last) = self.settings.back_mut().filter(|last| last.len() < tariffs) {
            last.push(TariffPrices::new(set));
            return;
        }
        if self.settings.len() == 1 && self.of_ev.is_empty() {
            self.of_ev = vec![self.first; evs];
        }
        self.settings.push_back(vec![TariffPrices::new(set)]);
    }

    /// Forgets settings that end before `tick`.
    pub(crate) fn forget_before(&mut self, tick: u32) {
        while self.settings.len() > 1 && self.settings[0][0].end() <= tick {
            self.settings.pop_front();
            self.first += 1;
        }
    }

    /// The car is planned at the prices in force.
    pub(crate) fn planned(&mut self, ev: u32) {
        let current = self.first + self.settings.len() as u32 - 1;
        if let Some(of_ev) = self.of_ev.get_mut(ev as usize) {
            *of_ev = current;
        }
    }

    /// The prices in force.
    pub(crate) fn current(&self) -> &[TariffPrices] {
        self.settings.back().map_or(&[], |last| last.as_slice())
    }

    /// The prices that all cars pay, if they are the same for all.
    pub(crate) fn shared(&self) -> Option<&[TariffPrices]> {
        self.of_ev.is_empty().then(|| self.current())
    }

    /// The prices that a car was planned at.
    pub(crate) fn of_ev(&self, ev: usize, tariff: usize) -> &TariffPrices {
        let setting = self.of_ev.get(ev).map_or(0, |number| number.saturating_sub(self.first));
        &self.settings[setting as usize][tariff]
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "prices are handed out as they were set")]
mod tests {
    use super::*;

    fn set(first_slot: u32, price: f64) -> PricesSet {
        PricesSet { first_slot, buy: vec![price; 4], sell: vec![price; 4], ..PricesSet::default() }
    }

    #[test]
    fn a_car_keeps_the_prices_it_was_planned_at() {
        let mut book = PriceBook::default();
        book.set(1, 2, &set(0, 0.3));
        book.planned(0);
        assert!(book.shared().is_some());
        book.set(1, 2, &set(1, 0.5));
        book.planned(1);
        assert!(book.shared().is_none());
        assert_eq!(book.of_ev(0, 0).buy[0], 0.3);
        assert_eq!(book.of_ev(1, 0).buy[book.of_ev(1, 0).at(2)], 0.5);
        book.forget_before(4);
        assert_eq!(book.of_ev(1, 0).buy[0], 0.5);
    }
}
