//! The prices that cars were planned at, and are billed.
//!
//! Prices may be set anew while a run goes on. A car keeps those that were in force when its
//! schedule was accepted, so that it pays what it was promised.

use bevy_ecs::prelude::*;
use std::collections::VecDeque;
use voltide_journal::event::PricesSet;

/// All prices that any plugged car may be billed.
#[derive(Resource, Default)]
pub(crate) struct PriceBook {
    /// Per setting: the tariffs, in the scenario's order.
    pub(crate) settings: VecDeque<Vec<PricesSet>>,
    /// Number of the first setting that is kept.
    pub(crate) first: u32,
    /// Per car: number of the setting that it was planned at. Empty until prices are set a second time.
    pub(crate) of_ev: Vec<u32>,
    /// Whether the prices in force are outdated.
    pub(crate) outdated: bool,
}

impl PriceBook {
    /// Takes up the price of the next tariff; with the first tariff a new setting begins.
    pub(crate) fn set(&mut self, tariffs: usize, evs: usize, set: &PricesSet) {
        self.outdated = false;
        if let Some(last) = self.settings.back_mut().filter(|last| last.len() < tariffs) {
            last.push(set.clone());
            return;
        }
        if self.settings.len() == 1 && self.of_ev.is_empty() {
            self.of_ev = vec![self.first; evs];
        }
        self.settings.push_back(vec![set.clone()]);
    }

    /// The prices in force are outdated.
    pub(crate) fn announce_again(&mut self) {
        self.outdated = true;
    }

    /// Whether prices are to be announced.
    pub(crate) fn is_due(&self) -> bool {
        self.settings.is_empty() || self.outdated
    }

    /// Forgets settings that end before `tick`.
    pub(crate) fn forget_before(&mut self, tick: u32) {
        while self.settings.len() > 1 && self.settings[0][0].end() <= tick {
            self.settings.pop_front();
            self.first += 1;
        }
    }

    /// Number of the setting in force.
    pub(crate) fn setting(&self) -> u32 {
        self.first + self.settings.len() as u32 - 1
    }

    /// Cars up to a number of `evs` pay the prices in force until they are planned.
    pub(crate) fn add_cars(&mut self, evs: usize) {
        if !self.of_ev.is_empty() {
            let setting = self.setting();
            self.of_ev.resize(evs, setting);
        }
    }

    /// The car is planned at the prices of a setting.
    pub(crate) fn planned(&mut self, ev: u32, setting: u32) {
        if let Some(of_ev) = self.of_ev.get_mut(ev as usize) {
            *of_ev = setting;
        }
    }

    /// The prices in force.
    pub(crate) fn current(&self) -> &[PricesSet] {
        self.settings.back().map_or(&[], |last| last.as_slice())
    }

    /// The prices that all cars pay, if they are the same for all.
    pub(crate) fn shared(&self) -> Option<&[PricesSet]> {
        self.of_ev.is_empty().then(|| self.current())
    }

    /// The prices that a car was planned at.
    pub(crate) fn of_ev(&self, ev: usize, tariff: usize) -> &PricesSet {
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
        book.planned(0, book.setting());
        assert!(book.shared().is_some());
        book.set(1, 2, &set(1, 0.5));
        book.planned(1, book.setting());
        assert!(book.shared().is_none());
        assert_eq!(book.of_ev(0, 0).buy[0], 0.3);
        assert_eq!(book.of_ev(1, 0).buy[book.of_ev(1, 0).at(2)], 0.5);
        book.forget_before(4);
        assert_eq!(book.of_ev(1, 0).buy[0], 0.5);
    }
}
