//! Phase 4: stays that need a schedule are shown to the policy.
//!
//! Where the world plans at the day's start, [`agenda`] tells which stays of the day come first.
//!
//! Due are cars that plugged in, cars that a site limit cut in the slot before, cars that stay
//! beyond their announced departure and still want energy, and those that the policy asks for
//! again. They are shown in `EvId` order in batches of a fixed size, so that results do not
//! depend on the number of threads.

pub(crate) mod again;
mod forecast;

use crate::{
    EngineError,
    agenda::{self, Agenda, Plugged, day_begins},
    apply::State,
    cars::BLOCK,
    failure::Failure,
    observe::{Batch, ToPlan},
    phase::{
        arrive::begin_at_midnight,
        price::{Incentives, reprice},
    },
    plan_book::encode,
    state::{arrival_kwh, insert_sorted},
};
use bevy_ecs::prelude::*;
use std::{collections::BTreeMap, sync::Mutex};
use voltide_journal::event::{
    AnswerNotFinite, Bytes, ClipReason, Event, NotFinite, PlansAccepted, PolicyFaulted,
    PolicyStateSaved, PricesSet, Segments, SessionStarted, SetPointClipped, TickStarted,
};
use voltide_model::stay::NO_STAY;
use voltide_policy::{
    Schedules,
    planner::{Correction, Planner, PolicyFault, Replan},
};

/// Energy that an overdue car must lack to be planned again, kWh.
const LACKING_MIN_KWH: f64 = 1e-6;

/// What a journal knows of a policy that is not in the state of the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    /// What a stateful one saved last.
    pub state: Option<Vec<u8>>,
    /// Whether it is not asked again.
    pub lost: bool,
}

/// What a policy is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Policy,
    Fallback,
    Forecaster,
}

impl Role {
    /// What the journal calls the memory of a policy in this role.
    fn memory_of(self, name: &str) -> String {
        match self {
            Self::Policy => name.to_owned(),
            Self::Fallback => format!("{name} (fallback)"),
            Self::Forecaster => format!("{name} (forecaster)"),
        }
    }
}

/// The policy, what stands in for it, and the memory of their calls.
#[derive(Resource)]
pub(crate) struct Planners {
    policy: Mutex<Box<dyn Planner>>,
    fallback: Option<Mutex<Box<dyn Planner>>>,
    /// Plans what the day-ahead stage is shown, where that is not the policy.
    forecaster: Option<Mutex<Box<dyn Planner>>>,
    batch: Batch,
    power_kw: Vec<f64>,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Policy,
    Forecaster,
}

impl Planners {
    pub(crate) fn new(
        policy: Box<dyn Planner>,
        fallback: Option<Box<dyn Planner>>,
        forecaster: Option<Box<dyn Planner>>,
    ) -> Self {
        Self {
            policy: Mutex::new(policy),
            fallback: fallback.map(Mutex::new),
            forecaster: forecaster.map(Mutex::new),
            batch: Batch::default(),
            power_kw: Vec::new(),
        }
    }

    /// Puts the policies back to where a journal leaves them.
    pub(crate) fn take_up(
        &mut self,
        memories: &BTreeMap<String, Memory>,
    ) -> Result<(), PolicyFault> {
        for (role, planner) in self.in_roles() {
            let name = planner.info().name.clone();
            if let Some(state) =
                memories.get(&role.memory_of(&name)).and_then(|it| it.state.as_ref())
            {
                planner.load(state)?;
            }
            // A stand-in that panics ends the run, so that what the journal tells is of the others.
            if role != Role::Fallback && memories.get(&name).is_some_and(|memory| memory.lost) {
                planner.give_up();
            }
        }
        Ok(())
    }

    fn in_roles(&mut self) -> impl Iterator<Item = (Role, &mut dyn Planner)> {
        fn open(planner: &mut Mutex<Box<dyn Planner>>) -> &mut dyn Planner {
            planner.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).as_mut()
        }
        let policy = std::iter::once((Role::Policy, open(&mut self.policy)));
        let fallback = self.fallback.as_mut().map(|it| (Role::Fallback, open(it)));
        policy
            .chain(fallback)
            .chain(self.forecaster.as_mut().map(|it| (Role::Forecaster, open(it))))
    }

    fn policy(&mut self) -> &mut dyn Planner {
        self.policy.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).as_mut()
    }

    fn fallback(&mut self) -> Option<&mut dyn Planner> {
        let fallback = self.fallback.as_mut()?;
        Some(fallback.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).as_mut())
    }

    fn forecaster(&mut self) -> Option<&mut dyn Planner> {
        let forecaster = self.forecaster.as_mut()?;
        Some(forecaster.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).as_mut())
    }

    /// Asks the policy or the forecaster, and where they fail their stand-in, about the batch.
    fn ask(&mut self, asked: Asked) -> Result<Answer, PolicyFault> {
        let horizon = self.batch.horizon_slots();
        let (mut power_kw, batch) =
            (std::mem::take(&mut self.power_kw), std::mem::take(&mut self.batch));
        let seen = batch.observation();
        let mut call = |planner: &mut dyn Planner| {
            power_kw.clear();
            power_kw.resize(seen.len() * horizon, 0.0);
            planner.plan(&seen, &mut Schedules { power_kw: &mut power_kw, horizon })
        };
        let first = match asked {
            Asked::Forecaster if self.forecaster.is_some() => self.forecaster().map(&mut call),
            _ => None,
        };
        let answer = match first.unwrap_or_else(|| call(self.policy())) {
            Ok(corrections) => Ok(Answer { corrections, fault: None }),
            Err(fault) => match self.fallback() {
                None => Err(fault),
                Some(fallback) => call(fallback).map(|corrections| {
                    let stand_in = fallback.info().name.clone();
                    Answer { corrections, fault: Some((fault, stand_in)) }
                }),
            },
        };
        (self.power_kw, self.batch) = (power_kw, batch);
        answer
    }
}

/// What came of a call.
struct Answer {
    corrections: Vec<Correction>,
    /// The policy's failure and the name of what stood in.
    fault: Option<(PolicyFault, String)>,
}

/// Plans the stays of a day that begins, where the world does so, and all cars that are due.
pub(crate) fn plan(
    mut state: State,
    mut planners: ResMut<Planners>,
    mut incentives: Option<ResMut<Incentives>>,
    mut failure: ResMut<Failure>,
) {
    let info = planners.policy().info().clone();
    let mut planning = PlanPhase {
        state: &mut state,
        planners: &mut planners,
        incentives: incentives.as_deref_mut(),
        whole_site: info.whole_site,
        horizon_slots: info.horizon_slots,
    };
    let planned = planning.forecast_by_another().and_then(|forecast| {
        planning.plan_day()?;
        planning.plan_due(info.replan)?;
        planning.issue_forecast(forecast)
    });
    let tick = state.now.tick;
    let saved = planned.and_then(|()| {
        save_policies(&mut state, &mut planners)
            .map_err(|fault| EngineError::Policy { tick, fault })
    });
    failure.0 = saved.err();
}

/// What planning works with.
struct PlanPhase<'a, 'w, 's> {
    state: &'a mut State<'w, 's>,
    planners: &'a mut Planners,
    incentives: Option<&'a mut Incentives>,
    whole_site: bool,
    horizon_slots: u32,
}

impl PlanPhase<'_, '_, '_> {
    /// Plans the stays of a day that begins, each batch of cars stay by stay.
    fn plan_day(&mut self) -> Result<(), EngineError> {
        if !day_begins(self.state) {
            return Ok(());
        }
        let mut agenda = Agenda::of_day(self.state, Plugged::Due);
        let size = self.batch_size(agenda.len());
        while agenda.next_cars(size) {
            self.form_prices()?;
            loop {
                let stays = agenda.next_stays(self.state);
                if stays.is_empty() {
                    break;
                }
                let expected = agenda::expected(self.state, &stays);
                if !expected.ev.is_empty() {
                    let cause = self.state.cause(&[&TickStarted::KIND]);
                    self.state.emit(cause, Event::StaysExpected(expected));
                }
                self.plan_stays(&stays)?;
                let horizon = self.planners.batch.horizon_slots();
                agenda.took(self.state, &stays, &self.planners.power_kw, horizon);
            }
        }
        begin_at_midnight(self.state, &agenda.at_midnight());
        Ok(())
    }

    /// Plans all cars that are due.
    fn plan_due(&mut self, replan: Replan) -> Result<(), EngineError> {
        let due = due_cars(self.state, replan, self.whole_site);
        for evs in due.chunks(self.batch_size(due.len())) {
            self.form_prices()?;
            let stays = plugged(self.state, evs);
            self.plan_stays(&stays)?;
        }
        Ok(())
    }

    fn batch_size(&self, all: usize) -> usize {
        let feedback = self.incentives.as_deref().and_then(Incentives::batch);
        if self.whole_site { all.max(1) } else { feedback.unwrap_or(BLOCK) }
    }

    /// Forms prices with the cars planned so far, where these feed back.
    fn form_prices(&mut self) -> Result<(), EngineError> {
        match self.incentives.as_deref_mut().filter(|incentives| incentives.batch().is_some()) {
            Some(incentives) => reprice(self.state, incentives),
            None => Ok(()),
        }
    }

    fn plan_stays(&mut self, stays: &[ToPlan]) -> Result<(), EngineError> {
        self.planners.batch.fill(self.state, stays, self.horizon_slots);
        let said = self.planners.batch.ask_drivers(self.state);
        if !said.ev.is_empty() {
            let cause = self.state.cause(&[&PricesSet::KIND, &TickStarted::KIND]);
            self.state.emit(cause, Event::WillingnessAgreed(said));
        }
        let tick = self.state.now.tick;
        let answer = self
            .planners
            .ask(Asked::Policy)
            .map_err(|fault| EngineError::Policy { tick, fault })?;
        record(self.state, self.planners, answer);
        Ok(())
    }
}

/// What is to be planned of cars that are plugged in.
fn plugged(state: &mut State, evs: &[u32]) -> Vec<ToPlan> {
    let (fixed, book) = (&state.fixed, &state.book);
    let mut table = state.cars.table();
    let cars = table.columns();
    let to_plan = |&ev: &u32| {
        let car = ev as usize;
        let (stay, energy_kwh) = (cars.stay[car], cars.energy[car]);
        let arrival_kwh = arrival_kwh(fixed, book, (ev, stay), energy_kwh, &cars.ledger[car]);
        ToPlan { ev, stay, energy_kwh, arrival_kwh }
    };
    evs.iter().map(to_plan).collect()
}

/// The plugged cars that are to be planned now, ascending.
fn due_cars(state: &mut State, replan: Replan, whole_site: bool) -> Vec<u32> {
    let mut due: Vec<u32> = state.roster.due.iter().copied().collect();
    for ev in overdue_cars(state).into_iter().chain(asked_again(state, replan)) {
        insert_sorted(&mut due, ev);
    }
    if whole_site {
        add_whole_sites(state, &mut due);
    }
    due
}

/// Cars past their announced departure that still lack energy.
fn overdue_cars(state: &mut State) -> Vec<u32> {
    let targets = &state.fixed.scenario.population.departure_energy_kwh;
    let mut table = state.cars.table();
    let energy = &*table.columns().energy;
    let lacks = |&ev: &u32| targets[ev as usize] - energy[ev as usize] > LACKING_MIN_KWH;
    state.roster.overdue.iter().copied().filter(lacks).collect()
}

/// Cars that the policy wants to see again.
fn asked_again(state: &mut State, replan: Replan) -> Vec<u32> {
    let every = match replan {
        Replan::OnPlugIn => return Vec::new(),
        Replan::EveryTick => 1,
        Replan::Every(slots) => slots.max(1),
    };
    let (stays, clock) = (&state.fixed.scenario.population.stays, &state.fixed.scenario.clock);
    let tick = state.now.tick;
    let mut table = state.cars.table();
    let plugged = (0..).zip(&*table.columns().stay).filter(|(_, stay)| **stay != NO_STAY);
    plugged
        .filter(|(_, stay)| (tick - stays.first_slot(**stay, clock)).is_multiple_of(every))
        .map(|(ev, _)| ev)
        .collect()
}

/// Adds all plugged cars of every site that has a due one.
fn add_whole_sites(state: &State, due: &mut Vec<u32>) {
    let seen = due.clone();
    for evs in &state.roster.at_site {
        if evs.iter().any(|ev| seen.binary_search(ev).is_ok()) {
            for &ev in evs {
                insert_sorted(due, ev);
            }
        }
    }
}

/// Records a call's faults, corrections and schedules.
fn record(state: &mut State, planners: &Planners, answer: Answer) {
    let batch = &planners.batch;
    record_fault(state, batch, answer.fault);
    let cause = state.cause(&[&SessionStarted::KIND, &TickStarted::KIND]);
    let (not_finite, clipped) = corrected(batch, &answer.corrections, state.now.tick);
    if !not_finite.ev.is_empty() {
        state.emit(cause, Event::AnswerNotFinite(not_finite));
    }
    if !clipped.ev.is_empty() {
        state.emit(cause, Event::SetPointClipped(clipped));
    }
    state.emit(cause, Event::PlansAccepted(plans(batch, &planners.power_kw, state.now.tick)));
}

/// What of an answer was no number, and what was more than the charger can.
fn corrected(
    batch: &Batch,
    corrections: &[Correction],
    tick: u32,
) -> (AnswerNotFinite, SetPointClipped) {
    let mut not_finite = AnswerNotFinite::default();
    let mut clipped = SetPointClipped::default();
    for correction in corrections {
        let row = correction.row as usize;
        let ev = batch.ev_id[row];
        match NotFinite::of(correction.asked_kw) {
            Some(answer) => not_finite.push(ev, batch.stay[row], tick + correction.slot, answer),
            None => {
                clipped.push(ev, correction.asked_kw, correction.applied_kw, ClipReason::Charger);
            }
        }
    }
    (not_finite, clipped)
}

/// Records that a policy failed and who stood in.
fn record_fault(state: &mut State, batch: &Batch, fault: Option<(PolicyFault, String)>) {
    let Some((fault, fallback)) = fault else { return };
    let cause = state.cause(&[&SessionStarted::KIND, &TickStarted::KIND]);
    let faulted = PolicyFaulted {
        policy: fault.policy,
        message: fault.message,
        lost: fault.lost,
        fallback,
        first_stay: batch.stay[0],
        stays: batch.stay.len() as u32,
    };
    state.emit(cause, Event::PolicyFaulted(faulted));
}

/// The schedules of a batch, run-length coded.
fn plans(batch: &Batch, power_kw: &[f64], tick: u32) -> PlansAccepted {
    let mut segments = Segments { offset: vec![0], ..Segments::default() };
    for schedule in power_kw.chunks(batch.horizon_slots().max(1)) {
        encode(schedule, tick, &mut segments.slot, &mut segments.power_kw);
        segments.offset.push(segments.slot.len() as u32);
    }
    PlansAccepted { ev: batch.ev_id.clone().into(), stay: batch.stay.clone().into(), segments }
}

/// Records what stateful policies remember; one that is lost remembers nothing.
fn save_policies(state: &mut State, planners: &mut Planners) -> Result<(), PolicyFault> {
    for (role, planner) in planners.in_roles() {
        if planner.info().stateful && !planner.is_lost() {
            let policy = role.memory_of(&planner.info().name);
            let saved = planner.save()?;
            state.emit(
                None,
                Event::PolicyStateSaved(PolicyStateSaved { policy, state: Bytes(saved) }),
            );
        }
    }
    Ok(())
}
