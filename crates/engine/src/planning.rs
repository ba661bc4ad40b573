//! What is planned from, for reading, and the schedules, for writing.
//!
//! Planning reads cars and schedules and writes schedules alone. Whoever only asks (a trial, a
//! policy that is asked again) takes them for reading.

use crate::{
    cars::{Drawn, PluggedStay, Session, SetPoint, StoredEnergy, columns},
    drivers::Drivers,
    due::DueCars,
    grid::UnitSchedule,
    plan_book::{Ahead, PlanBook},
    prices::PriceBook,
    state::{ExpectedStays, LastCut, LastCuts, NetLoadMost, Now, ScenarioInForce, arrival_kwh},
};
use bevy_ecs::{prelude::*, system::SystemParam};
use bytemuck::cast_slice;
use voltide_journal::event::{PlansAccepted, StaysExpected};
use voltide_model::{
    columns::Ledger,
    id::{EvId, StayId},
};

/// What is planned from.
#[derive(Clone, Copy)]
pub(crate) struct Planning<'a> {
    pub in_force: &'a ScenarioInForce,
    pub tick: u32,
    /// Per car: what it holds, kWh.
    pub energy_kwh: &'a [f64],
    /// Per car: the stay that it is plugged in for.
    pub stay: &'a [StayId],
    /// Per car: the ledger of the open session.
    session: &'a [Ledger],
    /// Per car: what its schedule asked for in the slot before, kW.
    set_point_kw: &'a [f64],
    cuts: &'a LastCuts,
    pub schedule: &'a UnitSchedule,
    /// Highest net load so far, kW.
    pub net_load_most_kw: f64,
    /// Per car: what its driver drew last; empty where nobody is asked.
    pub drawn: &'a [Drawn],
    pub plans: &'a PlanBook,
    pub prices: &'a PriceBook,
    pub due: &'a DueCars,
    pub expected: &'a ExpectedStays,
}

impl Planning<'_> {
    /// Stored energy that the stay of a plugged-in car began with, kWh.
    pub(crate) fn arrival_kwh(&self, ev: EvId) -> f64 {
        let car = ev.row();
        let of_stay = (ev, self.stay[car]);
        let session = &self.session[car];
        arrival_kwh(self.in_force, self.plans, of_stay, self.energy_kwh[car], session)
    }

    /// What came of the schedule of a car in the slot before, while set-points are still that
    /// slot's.
    pub(crate) fn last_slot(&self, ev: EvId) -> LastSlot {
        let asked_kw = self.set_point_kw[ev.row()];
        match self.cuts.of(ev) {
            None => LastSlot { asked_kw, allowed_kw: asked_kw, drawn_kw: asked_kw },
            Some(LastCut { drawn_kw, by_site, .. }) => {
                let allowed_kw = if by_site { drawn_kw } else { asked_kw };
                LastSlot { asked_kw, allowed_kw, drawn_kw }
            }
        }
    }
}

/// What came of a car's schedule in a slot, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[expect(clippy::struct_field_names, reason = "a unit stands last in a name")]
pub(crate) struct LastSlot {
    /// What the schedule asked for.
    pub asked_kw: f64,
    /// What sites left of it.
    pub allowed_kw: f64,
    /// What batteries left of that.
    pub drawn_kw: f64,
}

/// The cars, as planning finds them.
#[derive(SystemParam)]
pub(crate) struct CarsToPlan<'w, 's> {
    in_force: Res<'w, ScenarioInForce>,
    now: Res<'w, Now>,
    drivers: Drivers<'w, 's>,
    cuts: Res<'w, LastCuts>,
    most: Res<'w, NetLoadMost>,
    schedule: Res<'w, UnitSchedule>,
    cars: Query<'w, 's, CarsPlanned>,
}

/// What planning reads of the cars.
type CarsPlanned =
    (&'static StoredEnergy, &'static PluggedStay, &'static Session, &'static SetPoint);

/// The schedules, for reading.
#[derive(SystemParam)]
pub(crate) struct SchedulesSeen<'w> {
    plans: Res<'w, PlanBook>,
    prices: Res<'w, PriceBook>,
    due: Res<'w, DueCars>,
    expected: Res<'w, ExpectedStays>,
}

/// The schedules, with who is due and the prices that they are made at: changed by what is planned.
#[derive(SystemParam)]
pub(crate) struct Schedules<'w> {
    in_force: Res<'w, ScenarioInForce>,
    now: Res<'w, Now>,
    pub plans: ResMut<'w, PlanBook>,
    pub prices: ResMut<'w, PriceBook>,
    due: ResMut<'w, DueCars>,
    expected: ResMut<'w, ExpectedStays>,
}

impl CarsToPlan<'_, '_> {
    /// What a system sees that only asks.
    pub(crate) fn seen<'a>(&'a self, schedules: &'a SchedulesSeen) -> Planning<'a> {
        let SchedulesSeen { plans, prices, due, expected } = schedules;
        self.with(plans, prices, due, expected)
    }

    /// What a system sees that plans, as its schedules are by now.
    pub(crate) fn seen_by_planning<'a>(&'a self, schedules: &'a Schedules) -> Planning<'a> {
        let Schedules { plans, prices, due, expected, .. } = schedules;
        self.with(plans, prices, due, expected)
    }

    fn with<'a>(
        &'a self,
        plans: &'a PlanBook,
        prices: &'a PriceBook,
        due: &'a DueCars,
        expected: &'a ExpectedStays,
    ) -> Planning<'a> {
        let (energies, stays, sessions, set_points) = columns(self.cars.as_readonly());
        Planning {
            in_force: &self.in_force,
            tick: self.now.tick,
            energy_kwh: cast_slice(energies),
            stay: cast_slice(stays),
            session: cast_slice(sessions),
            set_point_kw: cast_slice(set_points),
            cuts: &self.cuts,
            schedule: &self.schedule,
            net_load_most_kw: self.most.0,
            drawn: self.drivers.drawn(),
            plans,
            prices,
            due,
            expected,
        }
    }
}

impl Schedules<'_> {
    /// Stays are expected to begin with some energy: what is planned of them is planned ahead.
    pub(crate) fn expect(&mut self, expected: &StaysExpected) {
        let stays = expected.stay.iter().copied();
        self.expected.0.extend(stays.zip(expected.expected_kwh.iter().copied()));
    }

    /// Puts schedules into force, or keeps them until their stays begin.
    pub(crate) fn accept(&mut self, plans: &PlansAccepted) {
        let now = self.now.tick;
        // The prices in force are those that the policy was shown: a car is billed by what it was
        // planned at.
        let setting = self.prices.setting();
        for (row, &ev) in plans.ev.iter().enumerate() {
            let (slots, kw) = plans.segments.of(row);
            let stay = plans.stay[row];
            let sites = self.in_force.sites_of(stay);
            // A stay that is expected has not begun: its schedule waits for it.
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
        self.due.unmark(&plans.ev);
    }
}
