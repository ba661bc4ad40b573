//! The one way in which state changes: [`State::apply`], live and in replay.

use crate::{
    cars::Cars,
    drivers::Drivers,
    grid::GridBook,
    outbox::Outbox,
    plan_book::{Ahead, PlanBook},
    prices::PriceBook,
    settle,
    state::{Fixed, Now, Outcome, Roster, insert_sorted, remove_sorted},
    state_hash::{Component, Dirty},
    workers::Workers,
};
use bevy_ecs::{prelude::*, system::SystemParam};
use voltide_journal::event::{
    Event, PlansAccepted, RunForked, SessionEnded, SessionStarted, StaysExpected, fact::Kind,
};
use voltide_model::{columns::Ledger, stay::NO_STAY};

/// Energy within which a car arrives as it was expected to, kWh.
const EXPECTED_WITHIN_KWH: f64 = 1e-6;

/// The state of a run, with the means to change it.
#[derive(SystemParam)]
pub(crate) struct State<'w, 's> {
    pub cars: Cars<'w, 's>,
    pub drivers: Drivers<'w, 's>,
    pub fixed: Res<'w, Fixed>,
    pub now: ResMut<'w, Now>,
    pub prices: ResMut<'w, PriceBook>,
    pub roster: ResMut<'w, Roster>,
    pub book: ResMut<'w, PlanBook>,
    pub dirty: ResMut<'w, Dirty>,
    pub outcome: ResMut<'w, Outcome>,
    pub grid: ResMut<'w, GridBook>,
    pub workers: Res<'w, Workers>,
    outbox: ResMut<'w, Outbox>,
}

impl State<'_, '_> {
    /// Records an event and applies it. Returns its number.
    pub(crate) fn emit(&mut self, cause_seq: Option<u64>, event: Event) -> u64 {
        let tick = self.now.tick;
        self.take_in(cause_seq, tick, event)
    }

    /// Records an event of a given tick and applies it. Returns its number.
    pub(crate) fn take_in(&mut self, cause_seq: Option<u64>, tick: u32, event: Event) -> u64 {
        self.apply(tick, &event);
        self.outbox.push(cause_seq, tick, event)
    }

    /// The number of this tick's last event of the same kind as one of `kinds`.
    pub(crate) fn cause(&self, kinds: &[&Kind]) -> Option<u64> {
        self.outbox.last_of(kinds)
    }

    /// Changes the state by one event.
    fn apply(&mut self, tick: u32, event: &Event) {
        match event {
            Event::TickStarted(_) => {
                self.now.tick = tick;
                self.prices.forget_before(tick);
                if self.prices.is_crowded() {
                    self.prices.forget_unused(self.book.settings_ahead());
                }
            }
            Event::PricesSet(set) => {
                let scenario = &self.fixed.scenario;
                self.prices.set(scenario.tariffs.len(), scenario.population.len(), set);
            }
            Event::SessionEnded(ended) => self.unplug(ended),
            Event::SessionStarted(started) => self.plug_in(started),
            Event::StaysExpected(expected) => self.expect(expected),
            Event::PlansAccepted(plans) => self.accept_plans(plans),
            Event::ForecastIssued(forecast) => self.grid.expect(forecast),
            Event::UnitsDispatched(dispatched) => {
                if let Some(grid) = &self.fixed.scenario.grid {
                    self.grid.dispatched(&grid.plant, dispatched);
                }
            }
            Event::SlotElapsed(_) => self.pass_slot(),
            Event::RunForked(forked) => self.branch_off(forked),
            Event::RunStarted(_)
            | Event::SeriesLoaded(_)
            | Event::StaysLoaded(_)
            | Event::RunEnded(_)
            | Event::TargetMissed(_)
            | Event::TripShort(_)
            | Event::SolveFinished(_)
            | Event::MarginViolated(_)
            | Event::PolicyFaulted(_)
            | Event::PolicyStateSaved(_)
            | Event::WillingnessAgreed(_)
            | Event::AnswerNotFinite(_)
            | Event::SetPointClipped(_)
            | Event::LimitViolated(_)
            | Event::TickSealed(_) => {}
        }
    }

    fn unplug(&mut self, ended: &SessionEnded) {
        let mut table = self.cars.table();
        let cars = table.columns();
        for (&ev, &stay) in ended.ev.iter().zip(&ended.stay) {
            let car = ev as usize;
            let sites = self.fixed.sites_of(stay);
            self.book.withdraw(ev, sites, self.now.tick);
            if let Some(&site) = sites.first() {
                remove_sorted(&mut self.roster.at_site[site as usize], ev);
            }
            cars.stay[car] = NO_STAY;
            cars.set_point[car] = 0.0;
            cars.power[car] = 0.0;
            cars.ledger[car] = Ledger::default();
            self.dirty.mark_all(car);
        }
        self.roster.plugged -= ended.ev.len() as u32;
        self.roster.unmark_due(&ended.ev);
        self.roster.overdue.retain(|ev| ended.ev.binary_search(ev).is_err());
    }

    fn plug_in(&mut self, started: &SessionStarted) {
        let mut table = self.cars.table();
        let cars = table.columns();
        for (row, &ev) in started.ev.iter().enumerate() {
            let (car, stay) = (ev as usize, started.stay[row]);
            assert_eq!(cars.stay[car], NO_STAY, "car {ev} is plugged in twice");
            self.roster.stored_kwh += started.energy_kwh[row] - cars.energy[car];
            cars.energy[car] = started.energy_kwh[row];
            cars.stay[car] = stay;
            if let Some(&site) = self.fixed.sites_of(stay).first() {
                insert_sorted(&mut self.roster.at_site[site as usize], ev);
            }
            if let Some(cut) = self.roster.site_cut.get_mut(car) {
                *cut = false;
            }
            let energy_kwh = started.energy_kwh[row];
            let first =
                self.fixed.scenario.population.stays.first_slot(stay, &self.fixed.scenario.clock);
            match self.book.begin(ev, stay, first, self.now.tick) {
                Some(ahead) => {
                    self.prices.planned(ev, ahead.setting);
                    if self.fixed.scenario.period().is_none()
                        && (ahead.expected_kwh - energy_kwh).abs() > EXPECTED_WITHIN_KWH
                    {
                        self.roster.mark_due(ev);
                    }
                }
                None => self.roster.mark_due(ev),
            }
            if self.now.tick == 0 && self.fixed.calendar.folded().binary_search(&stay).is_ok() {
                self.roster.at_midnight.push((ev, energy_kwh));
            }
            self.dirty.mark_all(car);
        }
        self.roster.plugged += started.ev.len() as u32;
    }

    fn expect(&mut self, expected: &StaysExpected) {
        let stays = expected.stay.iter().copied();
        self.roster.expected_kwh.extend(stays.zip(expected.expected_kwh.iter().copied()));
    }

    /// Puts schedules into force, or keeps them until their stays begin.
    fn accept_plans(&mut self, plans: &PlansAccepted) {
        let (now, setting) = (self.now.tick, self.prices.setting());
        for (row, &ev) in plans.ev.iter().enumerate() {
            let (slots, kw) = plans.segments.of(row);
            let stay = plans.stay[row];
            let sites = self.fixed.sites_of(stay);
            if let Some(expected_kwh) = self.roster.expected_kwh.remove(&stay) {
                let (segment_slot, segment_kw) = (slots.to_vec(), kw.to_vec());
                self.book.announce(
                    stay,
                    Ahead { segment_slot, segment_kw, expected_kwh, setting },
                    sites,
                    now,
                );
            } else {
                self.book.accept(ev, slots, kw, sites, now);
                self.prices.planned(ev, setting);
            }
        }
        self.roster.unmark_due(&plans.ev);
    }

    /// Makes due what a change at a fork asks for, and drops what was planned of cars that are gone.
    fn branch_off(&mut self, forked: &RunForked) {
        let population = &self.fixed.scenario.population;
        let ahead = self.book.stays_ahead();
        let gone: Vec<u32> = ahead
            .filter(|&stay| population.range_of(population.stays.ev[stay as usize]).removed)
            .collect();
        for stay in gone {
            self.book.call_off(stay, self.fixed.sites_of(stay), forked.at_tick);
        }
        if forked.reprice {
            self.prices.announce_again();
        }
        if forked.replan {
            let mut table = self.cars.table();
            let plugged = (0..).zip(&*table.columns().stay).filter(|(_, stay)| **stay != NO_STAY);
            plugged.for_each(|(ev, _)| self.roster.mark_due(ev));
        }
    }

    /// Moves every battery and ledger by the applied power.
    fn pass_slot(&mut self) {
        let before = self.roster.stored_kwh;
        let moved =
            settle::settle(&mut self.cars, &self.fixed, &self.prices, self.now.tick, &self.workers);
        let expected = before + moved.charged_kwh - moved.discharged_kwh;
        let tolerance = 1e-9 * expected.abs() + 1e-6;
        assert!(
            (moved.stored_kwh - expected).abs() <= tolerance,
            "energy is conserved: {} kWh are stored, {expected} kWh should be",
            moved.stored_kwh
        );
        self.roster.stored_kwh = moved.stored_kwh;
        self.grid.advance(self.now.tick, self.fixed.scenario.clock.slot_hours());
        for block in moved.active_blocks {
            self.dirty.mark(Component::Energy, block);
            self.dirty.mark(Component::Ledger, block);
        }
        let state = &mut *self;
        for &ev in &state.outcome.site_clipped {
            state.roster.mark_due(ev);
            state.roster.site_cut[ev as usize] = true;
        }
        for &stay in state.fixed.calendar.overdue_from(state.now.tick + 1) {
            insert_sorted(
                &mut state.roster.overdue,
                state.fixed.scenario.population.stays.ev[stay as usize],
            );
        }
        if self.now.tick + 1 == self.fixed.scenario.clock.slots {
            self.assert_day_closes();
        }
    }

    /// Where the day follows upon itself, it ends with the energy that it began with.
    fn assert_day_closes(&mut self) {
        let mut table = self.cars.table();
        let energy = &*table.columns().energy;
        for &(ev, began_with) in &self.roster.at_midnight {
            let ends_with = energy[ev as usize];
            assert!(
                (ends_with - began_with).abs() <= EXPECTED_WITHIN_KWH,
                "a day that follows upon itself ends as it began: car {ev} with {ends_with} kWh, not {began_with} kWh"
            );
        }
    }
}
