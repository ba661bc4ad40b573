//! The prices that cars were planned at, and are billed.
//!
//! Prices may be set anew while a run goes on. A car keeps those that were in force when its
//! schedule was accepted, so that it pays what it was promised.

use bevy_ecs::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use voltide_journal::event::PricesSet;
use voltide_model::{id::EvId, scenario::Scenario};

/// All prices that any plugged car may be billed.
#[derive(Resource, Default)]
pub(crate) struct PriceBook {
    /// Per setting: the tariffs, in the scenario's order; none where it is forgotten.
    pub(crate) settings: VecDeque<Vec<PricesSet>>,
    /// Number of the first setting that is kept.
    pub(crate) first: u32,
    /// Per car: number of the setting that it was planned at. Empty until prices are set a second
    /// time.
    pub(crate) of_ev: Vec<u32>,
    /// Whether the prices in force are outdated.
    pub(crate) outdated: bool,
    /// Settings at which it is time to look for those that no car is billed by.
    crowded_at: usize,
}

/// Settings that are tolerated before it is looked for those that no car is billed by.
const CROWD: usize = 64;

impl PriceBook {
    /// Takes up what a world announces.
    pub(crate) fn announced(&mut self, scenario: &Scenario, set: &PricesSet) {
        self.set(scenario.tariffs.len(), scenario.population.len(), set);
    }

    /// Takes up the price of the next tariff; with the first tariff a new setting begins.
    pub(crate) fn set(&mut self, tariffs: usize, evs: usize, set: &PricesSet) {
        self.outdated = false;
        if let Some(last) = self.settings.back_mut().filter(|last| last.len() < tariffs) {
            last.push(set.clone());
            return;
        }
        // As long as there is one setting, all cars pay by it, and none has to be remembered.
        if self.settings.len() == 1 && self.of_ev.is_empty() {
            self.of_ev = vec![self.first; evs];
        }
        self.settings.push_back(vec![set.clone()]);
        // Until now prices that had come to an end were in force, for want of others.
        self.forget_before(set.first_slot);
    }

    /// The prices in force are outdated.
    pub(crate) fn announce_again(&mut self) {
        self.outdated = true;
    }

    /// Whether prices are to be announced.
    pub(crate) fn is_due(&self) -> bool {
        self.settings.is_empty() || self.outdated
    }

    /// Whether the prices in force have come to an end.
    pub(crate) fn is_over(&self, tick: u32) -> bool {
        self.current().first().is_some_and(|set| set.end() <= tick)
    }

    /// Forgets settings that end before `tick`.
    pub(crate) fn forget_before(&mut self, tick: u32) {
        self.forget(|_, sets| sets.first().is_some_and(|set| set.end() <= tick));
    }

    /// Whether there are so many settings that it is worth looking for those that are not used.
    pub(crate) fn is_crowded(&self) -> bool {
        self.settings.len() > self.crowded_at.max(CROWD)
    }

    /// Forgets settings by which no car is billed, now or when it begins one of the stays that were
    /// planned `ahead` at them.
    pub(crate) fn forget_unused(&mut self, ahead: impl Iterator<Item = u32>) {
        let used = self.used(ahead);
        self.forget(|number, _| !used.contains(&number));
        // Looking goes through all cars: not again before there are twice as many.
        self.crowded_at = 2 * self.settings.len();
    }

    /// Settings by which cars are billed, now or when they begin one of the stays that were planned
    /// `ahead` at them; and the one in force.
    pub(crate) fn used(&self, ahead: impl Iterator<Item = u32>) -> BTreeSet<u32> {
        let current = std::iter::once(self.setting());
        self.of_ev.iter().copied().chain(ahead).chain(current).collect()
    }

    /// Forgets settings other than the one in force.
    fn forget(&mut self, is_over: impl Fn(u32, &[PricesSet]) -> bool) {
        let before_last = self.settings.len().saturating_sub(1);
        for (number, sets) in (self.first..).zip(&mut self.settings).take(before_last) {
            if is_over(number, sets) {
                *sets = Vec::new();
            }
        }
        // Cars know settings by their number, so that one in the middle keeps its place.
        while self.settings.front().is_some_and(Vec::is_empty) {
            self.settings.pop_front();
            self.first += 1;
        }
    }

    /// Number of the setting in force.
    pub(crate) fn setting(&self) -> u32 {
        (self.first + self.settings.len() as u32).saturating_sub(1)
    }

    /// Cars up to a number of `evs` pay the prices in force until they are planned.
    pub(crate) fn add_cars(&mut self, evs: usize) {
        if !self.of_ev.is_empty() {
            let setting = self.setting();
            self.of_ev.resize(evs, setting);
        }
    }

    /// The car is planned at the prices of a setting.
    pub(crate) fn planned(&mut self, ev: EvId, setting: u32) {
        if let Some(of_ev) = self.of_ev.get_mut(ev.row()) {
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

    /// The prices that a car was planned at, if they are kept; those in force where they were set
    /// once.
    pub(crate) fn planned_at(&self, ev: usize, tariff: usize) -> Option<&PricesSet> {
        if self.of_ev.is_empty() {
            return self.current().get(tariff);
        }
        let place = self.of_ev.get(ev).and_then(|number| number.checked_sub(self.first))?;
        self.settings.get(place as usize)?.get(tariff)
    }

    /// The prices that a car was planned at; those in force where these have come to an end.
    pub(crate) fn of_ev(&self, ev: usize, tariff: usize) -> &PricesSet {
        &self.settings[(self.setting_of(ev) - self.first) as usize][tariff]
    }

    /// Number of the setting that a car was planned at; of the one in force where that has come to
    /// an end.
    pub(crate) fn setting_of(&self, ev: usize) -> u32 {
        // Neither a car without a number nor a setting that is over is an error: prices in force
        // hold.
        let is_kept = |number: &u32| {
            let place = number.checked_sub(self.first);
            place
                .and_then(|place| self.settings.get(place as usize))
                .is_some_and(|set| !set.is_empty())
        };
        self.of_ev.get(ev).copied().filter(is_kept).unwrap_or_else(|| self.setting())
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
        book.planned(EvId(0), book.setting());
        assert!(book.shared().is_some());
        book.set(1, 2, &set(1, 0.5));
        book.planned(EvId(1), book.setting());
        assert!(book.shared().is_none());
        assert_eq!(book.of_ev(0, 0).buy[0], 0.3);
        assert_eq!(book.of_ev(1, 0).buy[book.of_ev(1, 0).at(2)], 0.5);
        book.forget_before(4);
        assert_eq!(book.of_ev(1, 0).buy[0], 0.5);
        assert_eq!(
            book.of_ev(0, 0).buy[0],
            0.5,
            "prices that came to an end give way to those in force"
        );
    }

    #[test]
    fn prices_that_no_car_is_billed_by_are_forgotten() {
        let mut book = PriceBook::default();
        for slot in 0..6 {
            book.set(1, 3, &set(0, f64::from(slot)));
            if slot < 3 {
                book.planned(EvId(slot), book.setting());
            }
        }
        book.planned(EvId(0), 3);
        book.forget_unused([4].into_iter());
        let kept: Vec<bool> = book.settings.iter().map(|sets| !sets.is_empty()).collect();
        assert_eq!((book.first, kept), (1, vec![true; 5]));
        book.planned(EvId(1), 5);
        book.forget_unused(std::iter::empty());
        let kept: Vec<bool> = book.settings.iter().map(|sets| !sets.is_empty()).collect();
        assert_eq!((book.first, kept), (2, vec![true, true, false, true]));
        let prices = [0, 1, 2].map(|ev| book.of_ev(ev, 0).buy[0]);
        assert_eq!((prices, book.setting()), ([3.0, 5.0, 2.0], 5));
    }

    #[test]
    fn as_many_settings_as_are_tolerated_are_no_crowd() {
        let mut book = PriceBook::default();
        for slot in 0..CROWD {
            book.set(1, 1, &set(0, slot as f64));
        }
        assert!(!book.is_crowded());
        book.set(1, 1, &set(0, 1.0));
        assert!(book.is_crowded());
    }
}
