//! Phase 4: stays that need a schedule are shown to the policy.
//!
//! Where the world plans at the day's start, [`stays_of_day`] tells which stays of the day come
//! first.
//!
//! Due are cars that plugged in, cars that a site limit cut in the slot before, cars that stay
//! beyond their announced departure and still want energy, and those that the policy asks for
//! again. They are shown in `EvId` order in batches of a fixed size, so that results do not
//! depend on the number of threads.

pub(crate) mod again;
mod forecast;

pub(crate) use forecast::TrialOfDay;

use crate::{
    EngineError,
    batch::{Batch, ToPlan},
    cars::BLOCK,
    failure::{goes_on, stop},
    outbox::Recorder,
    phase::{
        arrive::{InProgressAtMidnight, begin_at_midnight},
        price::{Incentives, announce},
    },
    plan_book::encode,
    planning::PlanningState,
    sites::CarsBehind,
    state::{Now, insert_sorted},
    stays_of_day::{self, Plugged, StaysOfDay, day_begins},
};
use bevy_ecs::{
    prelude::*,
    system::{ScheduleSystem, SystemParam},
};
use std::{collections::BTreeMap, sync::Mutex};
use voltide_journal::event::{
    AnswerNotFinite, Bytes, ClipReason, Event, NotFinite, PlansAccepted, PolicyFaulted,
    PolicyStateSaved, PricesSet, Segments, SessionStarted, SetPointClipped, TickStarted,
    WillingnessAgreed,
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
pub(crate) struct PolicyMemory {
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
    pub(crate) fn restore(
        &mut self,
        memories: &BTreeMap<String, PolicyMemory>,
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
        let mut power_kw = std::mem::take(&mut self.power_kw);
        let batch = std::mem::take(&mut self.batch);
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
pub(crate) fn deciding() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    let planned = (plan_day.pipe(stop), begin_at_midnight, plan_due.pipe(stop));
    let forecast = (forecast::by_the_policy.pipe(stop), forecast::issue);
    let all = (
        forecast::by_another.pipe(stop),
        planned.chain(),
        forecast.chain(),
        save_policies.pipe(stop),
    );
    // Nothing of a tick that stopped is recorded, so that what comes after need not be done.
    all.chain().distributive_run_if(goes_on).into_configs()
}

/// What planning works with: what it plans from, and whom it asks.
#[derive(SystemParam)]
struct PlanPhase<'w, 's> {
    state: PlanningState<'w, 's>,
    planners: ResMut<'w, Planners>,
    incentives: Option<ResMut<'w, Incentives>>,
    record: Recorder<'w>,
}

/// Plans the stays of a day that begins, each batch of cars stay by stay.
fn plan_day(
    mut phase: PlanPhase,
    mut at_midnight: ResMut<InProgressAtMidnight>,
) -> Result<(), EngineError> {
    if !day_begins(&phase.state) {
        return Ok(());
    }
    let mut day = StaysOfDay::beginning(&phase.state, Plugged::Due);
    let size = phase.batch_size(day.len());
    while day.next_cars(size) {
        phase.form_prices()?;
        loop {
            let stays = day.next_stays(&phase.state);
            if stays.is_empty() {
                break;
            }
            phase.expect(&stays);
            phase.plan_stays(&stays)?;
            let horizon = phase.planners.batch.horizon_slots();
            day.note_schedules(&phase.state, &stays, &phase.planners.power_kw, horizon);
        }
    }
    at_midnight.0 = day.at_midnight();
    Ok(())
}

/// Plans all cars that are due.
fn plan_due(mut phase: PlanPhase) -> Result<(), EngineError> {
    let replan = phase.planners.policy().info().replan;
    let whole_site = phase.planners.policy().info().whole_site;
    let due = due_cars(&phase.state, replan, whole_site);
    for evs in due.chunks(phase.batch_size(due.len())) {
        phase.form_prices()?;
        let stays = plugged(&phase.state, evs);
        phase.plan_stays(&stays)?;
    }
    Ok(())
}

impl PlanPhase<'_, '_> {
    /// Cars of a batch, of `all` that there are.
    fn batch_size(&mut self, all: usize) -> usize {
        let feedback = self.incentives.as_deref().and_then(Incentives::batch);
        let whole_site = self.planners.policy().info().whole_site;
        if whole_site { all.max(1) } else { feedback.unwrap_or(BLOCK) }
    }

    /// Forms prices with the cars planned so far, where these feed back.
    fn form_prices(&mut self) -> Result<(), EngineError> {
        let incentives = self.incentives.as_deref_mut();
        let Some(incentives) = incentives.filter(|incentives| incentives.batch().is_some()) else {
            return Ok(());
        };
        let PlanningState { in_force, now, plans, prices, .. } = &mut self.state;
        let sets = incentives.formed_anew(&in_force.scenario, plans, now.tick)?;
        announce(sets, &in_force.scenario, prices, &mut self.record);
        Ok(())
    }

    /// Records with what energy those of `stays` are expected to begin that have not begun.
    fn expect(&mut self, stays: &[ToPlan]) {
        let expected = stays_of_day::expected(&self.state, stays);
        if !expected.ev.is_empty() {
            let cause = self.record.cause(&[&TickStarted::KIND]);
            let state = &mut self.state;
            self.record.emit(cause, expected, Event::StaysExpected, |it| state.expect(it));
        }
    }

    /// Fills the batch for `stays`, and asks their drivers.
    fn fill_batch(&mut self, stays: &[ToPlan]) -> WillingnessAgreed {
        let horizon_slots = self.planners.policy().info().horizon_slots;
        self.planners.batch.fill(&self.state, stays, horizon_slots);
        self.planners.batch.ask_drivers(&self.state)
    }

    fn plan_stays(&mut self, stays: &[ToPlan]) -> Result<(), EngineError> {
        let said = self.fill_batch(stays);
        if !said.ev.is_empty() {
            let cause = self.record.cause(&[&PricesSet::KIND, &TickStarted::KIND]);
            self.record.note(cause, Event::WillingnessAgreed(said));
        }
        let tick = self.state.now.tick;
        let answer = self
            .planners
            .ask(Asked::Policy)
            .map_err(|fault| EngineError::Policy { tick, fault })?;
        self.accept(answer);
        Ok(())
    }

    /// Records a call's faults and corrections, and accepts its schedules.
    fn accept(&mut self, answer: Answer) {
        let Self { state, planners, record, .. } = self;
        let batch = &planners.batch;
        let tick = state.now.tick;
        record_fault(record, batch, answer.fault);
        let cause = record.cause(&[&SessionStarted::KIND, &TickStarted::KIND]);
        let (not_finite, clipped) = corrected(batch, &answer.corrections, tick);
        if !not_finite.ev.is_empty() {
            record.note(cause, Event::AnswerNotFinite(not_finite));
        }
        if !clipped.ev.is_empty() {
            record.note(cause, Event::SetPointClipped(clipped));
        }
        let plans = plans(batch, &planners.power_kw, tick);
        record.emit(cause, plans, Event::PlansAccepted, |plans| state.accept(plans));
    }
}

/// What is to be planned of cars that are plugged in.
fn plugged(state: &PlanningState, evs: &[u32]) -> Vec<ToPlan> {
    let (energies, stays, _) = state.cars();
    let to_plan = |&ev: &u32| ToPlan {
        ev,
        stay: stays[ev as usize],
        energy_kwh: energies[ev as usize],
        arrival_kwh: state.arrival_kwh(ev),
    };
    evs.iter().map(to_plan).collect()
}

/// The plugged cars that are to be planned now, ascending.
fn due_cars(state: &PlanningState, replan: Replan, whole_site: bool) -> Vec<u32> {
    let mut due: Vec<u32> = state.due.due.iter().copied().collect();
    for ev in overdue_cars(state).into_iter().chain(asked_again(state, replan)) {
        insert_sorted(&mut due, ev);
    }
    if whole_site {
        add_whole_sites(&state.sites, &mut due);
    }
    due
}

/// Cars past their announced departure that still lack energy.
fn overdue_cars(state: &PlanningState) -> Vec<u32> {
    let targets = &state.in_force.scenario.population.departure_energy_kwh;
    let (energies, ..) = state.cars();
    let lacks = |&ev: &u32| targets[ev as usize] - energies[ev as usize] > LACKING_MIN_KWH;
    state.due.overdue.iter().copied().filter(lacks).collect()
}

/// Cars that the policy wants to see again.
fn asked_again(state: &PlanningState, replan: Replan) -> Vec<u32> {
    let every = match replan {
        Replan::OnPlugIn => return Vec::new(),
        Replan::EveryTick => 1,
        Replan::Every(slots) => slots.max(1),
    };
    let scenario = &state.in_force.scenario;
    let (_, stays, _) = state.cars();
    let plugged = (0..).zip(stays).filter(|(_, stay)| **stay != NO_STAY);
    let since = |stay| state.now.tick - scenario.population.stays.first_slot(stay, &scenario.clock);
    plugged.filter(|(_, stay)| since(**stay).is_multiple_of(every)).map(|(ev, _)| ev).collect()
}

/// Adds all plugged cars of every site that has a due one.
fn add_whole_sites(sites: &Query<&CarsBehind>, due: &mut Vec<u32>) {
    let seen = due.clone();
    for CarsBehind(evs) in sites {
        if evs.iter().any(|ev| seen.binary_search(ev).is_ok()) {
            for &ev in evs {
                insert_sorted(due, ev);
            }
        }
    }
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
fn record_fault(record: &mut Recorder, batch: &Batch, fault: Option<(PolicyFault, String)>) {
    let Some((fault, fallback)) = fault else { return };
    let cause = record.cause(&[&SessionStarted::KIND, &TickStarted::KIND]);
    let faulted = PolicyFaulted {
        policy: fault.policy,
        message: fault.message,
        lost: fault.lost,
        fallback,
        first_stay: batch.stay[0],
        stays: batch.stay.len() as u32,
    };
    record.note(cause, Event::PolicyFaulted(faulted));
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
fn save_policies(
    now: Res<Now>,
    mut planners: ResMut<Planners>,
    mut record: Recorder,
) -> Result<(), EngineError> {
    for (role, planner) in planners.in_roles() {
        if planner.info().stateful && !planner.is_lost() {
            let policy = role.memory_of(&planner.info().name);
            let tick = now.tick;
            let saved = planner.save().map_err(|fault| EngineError::Policy { tick, fault })?;
            let saved = PolicyStateSaved { policy, state: Bytes(saved) };
            record.note(None, Event::PolicyStateSaved(saved));
        }
    }
    Ok(())
}
