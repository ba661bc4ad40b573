//! What is planned from, and the schedules, as systems that plan see them.

use crate::{
    cars::{PluggedStay, Session, StoredEnergy, columns},
    drivers::Drivers,
    plan_book::{Ahead, PlanBook},
    prices::PriceBook,
    sites::CarsBehind,
    state::{DueCars, ExpectedStays, Now, ScenarioInForce, arrival_kwh},
};
use bevy_ecs::{prelude::*, system::SystemParam};
use bytemuck::cast_slice;
use voltide_journal::event::{PlansAccepted, StaysExpected};
use voltide_model::columns::Ledger;

/// What is planned from, and the schedules.
#[derive(SystemParam)]
pub(crate) struct PlanningState<'w, 's> {
    pub in_force: Res<'w, ScenarioInForce>,
    pub now: Res<'w, Now>,
    pub drivers: Drivers<'w, 's>,
    pub plans: ResMut<'w, PlanBook>,
    pub prices: ResMut<'w, PriceBook>,
    pub due: ResMut<'w, DueCars>,
    pub expected: ResMut<'w, ExpectedStays>,
    pub cars: Query<'w, 's, CarsToPlan>,
    pub sites: Query<'w, 's, &'static CarsBehind>,
}

/// What planning reads of cars.
type CarsToPlan = (&'static StoredEnergy, &'static PluggedStay, &'static Session);

impl PlanningState<'_, '_> {
    /// Stored energy, kWh, stay and ledger of each car, by `EvId`.
    pub(crate) fn cars(&self) -> (&[f64], &[u32], &[Ledger]) {
        let (energies, stays, ledgers) = columns(self.cars.as_readonly());
        (cast_slice(energies), cast_slice(stays), cast_slice(ledgers))
    }

    /// Stored energy that the stay of a plugged-in car began with, kWh.
    pub(crate) fn arrival_kwh(&self, ev: u32) -> f64 {
        let (energies, stays, ledgers) = self.cars();
        let car = ev as usize;
        arrival_kwh(&self.in_force, &self.plans, (ev, stays[car]), energies[car], &ledgers[car])
    }

    /// Stays are expected to begin with some energy: what is planned of them is planned ahead.
    pub(crate) fn expect(&mut self, expected: &StaysExpected) {
        let stays = expected.stay.iter().copied();
        self.expected.0.extend(stays.zip(expected.expected_kwh.iter().copied()));
    }

    /// Puts schedules into force, or keeps them until their stays begin.
    pub(crate) fn accept(&mut self, plans: &PlansAccepted) {
        let now = self.now.tick;
        let setting = self.prices.setting();
        for (row, &ev) in plans.ev.iter().enumerate() {
            let (slots, kw) = plans.segments.of(row);
            let stay = plans.stay[row];
            let sites = self.in_force.sites_of(stay);
            if let Some(expected_kwh) = self.expected.0.remove(&stay) {
                let segment_slot = slots.to_vec();
                let segment_kw = kw.to_vec();
                let ahead = Ahead { segment_slot, segment_kw, expected_kwh, setting };
                self.plans.announce(stay, ahead, sites, now);
            } else {
                self.plans.accept(ev, slots, kw, sites, now);
                self.prices.planned(ev, setting);
            }
        }
        self.due.unmark_due(&plans.ev);
    }
}
