//! The one way in which what is decided changes the state: by events, live and in replay.
//!
//! | event                               | changes                         | applied by       |
//! |-------------------------------------|---------------------------------|------------------|
//! | `TickStarted`                       | the clock; prices that are over | [`start_tick`]   |
//! | `SessionEnded`, `SessionStarted`    | cars, and what is known of them | [`Sessions`]     |
//! | `PricesSet`                         | the prices in force             | [`PriceBook`]    |
//! | `StaysExpected`, `PlansAccepted`    | schedules, and who is due       | [`Schedules`]    |
//! | `ForecastIssued`, `UnitsDispatched` | what the plant will do          | [`UnitSchedule`] |
//! | `SlotElapsed`                       | batteries, ledgers, the plant   | phase `settle`   |
//! | `RunForked`                         | what a change asks for          | [`branch_off`]   |
//!
//! All others tell of what is so already, and so does what follows from the state: the set-points
//! of a slot, draws and cuts are written by the phase that follows, live and in replay alike. A
//! system that decides writes what its events change, and may read more.

use crate::{
    cars::{AppliedPower, CarState, PluggedStay, columns, writable},
    due::DueCars,
    grid::UnitSchedule,
    phase::plan::{new_policy, plug_in},
    plan_book::PlanBook,
    planning::Schedules,
    prices::PriceBook,
    sites::Places,
    state::{Now, PluggedAtMidnight, PluggedIn, ScenarioInForce, SiteCuts, StoredInAll},
    state_hash::Dirty,
    units::{self, Standing},
};
use bevy_ecs::{
    prelude::*,
    system::{SystemInput, SystemParam},
};
use voltide_journal::event::{
    Event, ForecastIssued, PlansAccepted, PricesSet, RunForked, SessionEnded, SessionStarted,
    StaysExpected, UnitsDispatched,
};
use voltide_model::{columns::Ledger, id::StayId, stay::NO_STAY};

/// Changes the state by an event of `tick` that was decided elsewhere.
pub(crate) fn apply(world: &mut World, tick: u32, event: &Event) {
    match event {
        Event::TickStarted(_) => run(world, start_tick, tick),
        Event::PricesSet(set) => run(world, set_prices, set),
        Event::SessionEnded(ended) => run(world, unplug, ended),
        Event::SessionStarted(started) => run(world, plug_in, started),
        Event::StaysExpected(expected) => run(world, expect_stays, expected),
        Event::PlansAccepted(plans) => run(world, accept_plans, plans),
        Event::ForecastIssued(forecast) => run(world, expect_load, forecast),
        Event::UnitsDispatched(dispatched) => run(world, schedule_units, dispatched),
        Event::RunForked(forked) => run(world, branch_off, forked),
        Event::SlotElapsed(_)
        | Event::RunStarted(_)
        | Event::SeriesLoaded(_)
        | Event::StaysLoaded(_)
        | Event::RunEnded(_)
        | Event::TargetMissed(_)
        | Event::TripShort(_)
        | Event::GroupSolved(_)
        | Event::LimitUnkept(_)
        | Event::SolveFinished(_)
        | Event::WindowForeseen(_)
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

/// Makes the systems that apply events known to a world, before its cars are spawned: each is a
/// resource, and one that comes behind a million cars costs four bytes a car.
pub(crate) fn register(world: &mut World) {
    world.register_system_cached(start_tick);
    world.register_system_cached(set_prices);
    world.register_system_cached(unplug);
    world.register_system_cached(plug_in);
    world.register_system_cached(expect_stays);
    world.register_system_cached(accept_plans);
    world.register_system_cached(expect_load);
    world.register_system_cached(schedule_units);
    world.register_system_cached(branch_off);
}

fn run<I: SystemInput + 'static, M>(
    world: &mut World,
    system: impl IntoSystem<I, (), M> + 'static,
    input: I::Inner<'_>,
) {
    let done = world.run_system_cached_with(system, input);
    assert!(done.is_ok(), "the state's resources are inserted");
}

fn start_tick(
    In(tick): In<u32>,
    mut now: ResMut<Now>,
    mut prices: ResMut<PriceBook>,
    plans: Res<PlanBook>,
) {
    now.tick = tick;
    // Nobody is billed by prices that are over.
    prices.forget_before(tick);
    if prices.is_crowded() {
        prices.forget_unused(plans.settings_ahead());
    }
}

fn set_prices(
    InRef(set): InRef<PricesSet>,
    in_force: Res<ScenarioInForce>,
    mut prices: ResMut<PriceBook>,
) {
    prices.announced(&in_force.scenario, set);
}

fn unplug(InRef(ended): InRef<SessionEnded>, mut sessions: Sessions) {
    sessions.unplug(ended);
}

fn plug_in(InRef(started): InRef<SessionStarted>, mut sessions: Sessions) {
    sessions.plug_in(started);
}

fn expect_stays(InRef(expected): InRef<StaysExpected>, mut schedules: Schedules) {
    schedules.expect(expected);
}

fn accept_plans(InRef(plans): InRef<PlansAccepted>, mut schedules: Schedules) {
    schedules.accept(plans);
}

fn expect_load(InRef(forecast): InRef<ForecastIssued>, mut schedule: ResMut<UnitSchedule>) {
    schedule.expect(forecast);
}

fn schedule_units(
    InRef(dispatched): InRef<UnitsDispatched>,
    in_force: Res<ScenarioInForce>,
    units: Query<Standing>,
    mut schedule: ResMut<UnitSchedule>,
) {
    if let Some(of_world) = &in_force.scenario.grid {
        schedule.dispatched(&of_world.plant, dispatched, &units::state(&units));
    }
}

/// Makes due what a change at a fork asks for, and drops what was planned of cars that are gone.
fn branch_off(
    InRef(forked): InRef<RunForked>,
    in_force: Res<ScenarioInForce>,
    cars: Query<&PluggedStay>,
    mut plans: ResMut<PlanBook>,
    mut prices: ResMut<PriceBook>,
    mut due: ResMut<DueCars>,
) {
    let population = &in_force.scenario.population;
    // What was planned ahead of cars that the fork takes away would stay in the sums: they never
    // plug in, so that nothing would take it off.
    let ahead = plans.stays_ahead();
    let gone: Vec<StayId> = ahead
        .filter(|&stay| population.range_of(population.stays.ev[stay.row()]).removed)
        .collect();
    for stay in gone {
        plans.call_off(stay, in_force.sites_of(stay), forked.at_tick);
    }
    if forked.reprice {
        prices.announce_again();
    }
    if forked.replan {
        new_policy::mark(columns(cars), &mut due);
    }
}

/// Sessions of cars, and all that begins and ends with them.
#[derive(SystemParam)]
pub(crate) struct Sessions<'w, 's> {
    pub in_force: Res<'w, ScenarioInForce>,
    pub now: Res<'w, Now>,
    pub cars: Query<'w, 's, CarState>,
    pub cuts: ResMut<'w, SiteCuts>,
    power: ResMut<'w, AppliedPower>,
    pub plans: ResMut<'w, PlanBook>,
    prices: ResMut<'w, PriceBook>,
    plugged: ResMut<'w, PluggedIn>,
    places: Places<'w, 's>,
    due: ResMut<'w, DueCars>,
    stored: ResMut<'w, StoredInAll>,
    at_midnight: ResMut<'w, PluggedAtMidnight>,
    dirty: ResMut<'w, Dirty>,
}

impl Sessions<'_, '_> {
    /// Ends sessions: their cars are away.
    pub(crate) fn unplug(&mut self, ended: &SessionEnded) {
        let (_, set_points, stays, ledgers) = columns(self.cars.reborrow());
        let set_points = writable(set_points);
        let stays = writable(stays);
        let ledgers = writable(ledgers);
        for (&ev, &stay) in ended.ev.iter().zip(&ended.stay) {
            let car = ev.row();
            // It may leave before its schedule ends: what it was to draw from now on is off the
            // sums.
            self.plans.withdraw(ev, self.in_force.sites_of(stay), self.now.tick);
            self.places.unplug(&self.in_force, ev, stay);
            stays[car].0 = NO_STAY;
            set_points[car].0 = 0.0;
            self.power.0[car] = 0.0;
            ledgers[car].0 = Ledger::default();
            self.dirty.mark_all(car);
        }
        self.plugged.0 -= ended.ev.len() as u32;
        self.due.leave(&ended.ev);
    }

    /// Begins sessions: their cars are plugged in, and due unless they were planned ahead.
    pub(crate) fn plug_in(&mut self, started: &SessionStarted) {
        let (energies, _, stays, _) = columns(self.cars.reborrow());
        let energies = writable(energies);
        let stays = writable(stays);
        let scenario = &self.in_force.scenario;
        for (row, &ev) in started.ev.iter().enumerate() {
            let car = ev.row();
            let stay = started.stay[row];
            assert_eq!(stays[car].0, NO_STAY, "car {ev} is plugged in twice");
            let energy_kwh = started.energy_kwh[row];
            // The trip took energy that all cars held, or brought some where the day comes again.
            self.stored.0 += energy_kwh - energies[car].0;
            energies[car].0 = energy_kwh;
            stays[car].0 = stay;
            self.places.plug_in(&self.in_force, ev, stay);
            // What a site cut is a reason to miss the target of that session, and of no other.
            if let Some(cut) = self.cuts.in_session.get_mut(car) {
                *cut = false;
            }
            let first = scenario.population.stays.first_slot(stay, &scenario.clock);
            let ahead = self.plans.begin(ev, stay, first, self.now.tick);
            if let Some(ahead) = &ahead {
                self.prices.planned(ev, ahead.setting);
            }
            plug_in::mark(&mut self.due, ev, energy_kwh, ahead.as_ref(), &scenario.clock);
            // A day that comes again has to end with what it began with, which is asserted then.
            if self.now.tick == 0 && self.in_force.calendar.folded().binary_search(&stay).is_ok() {
                self.at_midnight.0.push((ev, energy_kwh));
            }
            self.dirty.mark_all(car);
        }
        self.plugged.0 += started.ev.len() as u32;
    }
}
