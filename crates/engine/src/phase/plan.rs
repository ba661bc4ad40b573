//! Phase 4: stays that need a schedule are shown to the policy.
//!
//! [`queue`] has who they are, and why: one queue, which named sources fill. At a day's start the
//! stays of the day come out of it first, where the world plans so; and then, as in every slot, the
//! cars that are plugged in. Policies see both alike: batch by batch, each in the light of what the
//! one before it will draw. Where plans then do not keep the limits of a tree of sites together,
//! [`tree`] has them shown once more, all stays of that tree at once.

pub(crate) mod again;
mod answer;
pub(crate) mod cut;
mod day_start;
mod forecast;
pub(crate) mod new_policy;
pub(crate) mod overdue;
mod planners;
pub(crate) mod plug_in;
pub(crate) mod queue;
mod replan;
pub(crate) mod tree;

pub(crate) use forecast::TrialOfDay;
pub(crate) use planners::{Planners, PolicyMemory};

use crate::{
    EngineError,
    batch::ToPlan,
    due::{DueCars, LeftEarly},
    failure::{goes_on, stop},
    outbox::Recorder,
    phase::{
        arrive::{InProgressAtMidnight, begin_at_midnight},
        price::{Incentives, announce},
    },
    planning::{CarsToPlan, Planning, Schedules},
    sites::CarsBehind,
    state::{Now, ScenarioInForce},
};
use answer::{Answer, cause, schedules};
use bevy_ecs::{
    prelude::*,
    system::{ScheduleSystem, SystemParam},
};
use day_start::{Plugged, is_planned};
use planners::Asked;
use queue::Queue;
use tree::Trees;
use voltide_journal::event::{
    Bytes, Event, LimitUnkept, PlansAccepted, PolicyStateSaved, PricesSet, TickStarted,
};
use voltide_model::{id::StayId, rules::Rules, scenario::Planning as Plans};
use voltide_policy::observation::Shown;

/// Plans what the queue has, and forecasts what the day-ahead stage is to know of it.
pub(crate) fn deciding() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    // On trial before anything is planned: it forecasts those that are due as well. Cars that are
    // in progress at a midnight that comes again plug in with the energy that the day's plans have
    // brought them to, and so after these.
    let day = (forecast::by_another.pipe(stop), plan_day.pipe(stop), begin_at_midnight);
    let forecast = (forecast::by_the_policy.pipe(stop), forecast::issue);
    let all = (
        day.chain().distributive_run_if(goes_on).run_if(day_begins),
        plan_plugged.pipe(stop).run_if(goes_on).run_if(any_may_be_due),
        forecast.chain().distributive_run_if(goes_on).run_if(day_begins),
        // Last, when nobody is asked in this tick any more.
        save_policies.pipe(stop).run_if(goes_on),
    );
    // Nothing of a tick that stopped is recorded, so that what comes after need not be done.
    all.chain().into_configs()
}

/// Whether a day begins for which anything is planned or foreseen.
fn day_begins(in_force: Res<ScenarioInForce>, now: Res<Now>) -> bool {
    let scenario = &in_force.scenario;
    // Asked first, since to find the local day takes longer.
    let any_by_day = scenario.grid.is_some() || scenario.planning == Plans::AtDayStart;
    any_by_day && scenario.clock.begins_day(now.tick)
}

/// Whether any source might put a plugged car in. To look at all that planning reads costs more
/// than the tick of a car that nobody plans.
fn any_may_be_due(due: Res<DueCars>, early: Res<LeftEarly>, planners: Res<Planners>) -> bool {
    queue::may_have_plugged(&due, planners.replan) || !early.stays.is_empty()
}

/// What planning works with: what it plans from, and whom it asks.
#[derive(SystemParam)]
struct PlanPhase<'w, 's> {
    in_force: Res<'w, ScenarioInForce>,
    cars: CarsToPlan<'w, 's>,
    schedules: Schedules<'w>,
    planners: ResMut<'w, Planners>,
    incentives: Option<ResMut<'w, Incentives>>,
    record: Recorder<'w>,
}

/// Plans the stays of a day that begins, where the world plans so.
fn plan_day(
    mut phase: PlanPhase,
    trees: Trees,
    mut at_midnight: ResMut<InProgressAtMidnight>,
) -> Result<(), EngineError> {
    if !is_planned(&phase.seen()) {
        return Ok(());
    }
    let mut day = day_start::stays(&phase.seen(), Plugged::Due);
    phase.plan(&mut day)?;
    phase.plan_trees(day.stays(), LeftEarly::default(), &trees)?;
    at_midnight.0 = day.at_midnight();
    Ok(())
}

/// Plans all plugged cars that are to be planned now.
fn plan_plugged(
    mut phase: PlanPhase,
    sites: Query<&CarsBehind>,
    trees: Trees,
    mut early: ResMut<LeftEarly>,
) -> Result<(), EngineError> {
    let policy = phase.planners.info().clone();
    let mut cars = queue::plugged_cars(&phase.seen(), &policy, sites);
    phase.plan(&mut cars)?;
    phase.plan_trees(cars.stays(), std::mem::take(&mut *early), &trees)
}

impl PlanPhase<'_, '_> {
    fn seen(&self) -> Planning<'_> {
        self.cars.seen_by_planning(&self.schedules)
    }

    /// Plans what is in the queue, each batch of cars stay by stay.
    fn plan(&mut self, queue: &mut Queue) -> Result<(), EngineError> {
        let size = self.planners.batch_size(self.incentives.as_deref());
        let seen = self.cars.seen_by_planning(&self.schedules);
        let shown = replan::shown(&seen, self.planners.info());
        while queue.next_cars(&self.seen(), size) {
            self.form_prices()?;
            while let Some(stays) = queue.next_stays(&self.seen()) {
                self.expect(&stays);
                self.plan_stays(&stays, shown)?;
                let seen = self.cars.seen_by_planning(&self.schedules);
                let horizon = self.planners.batch.horizon_slots();
                queue.note_schedules(&seen, &stays, &self.planners.power_kw, horizon);
            }
        }
        Ok(())
    }

    /// Forms prices with the cars planned so far, where these feed back.
    fn form_prices(&mut self) -> Result<(), EngineError> {
        let incentives = self.incentives.as_deref_mut();
        let Some(incentives) = incentives.filter(|incentives| incentives.batch().is_some()) else {
            return Ok(());
        };
        let scenario = &self.in_force.scenario;
        let Schedules { plans, prices, .. } = &mut self.schedules;
        let sets = incentives.formed_anew(scenario, plans, self.record.tick())?;
        announce(sets, scenario, prices, &mut self.record);
        Ok(())
    }

    /// Records with what energy those of `stays` are expected to begin that have not begun: before
    /// they are planned, so that a replay knows which schedules to keep until then.
    fn expect(&mut self, stays: &[ToPlan]) {
        let expected = day_start::expected(&self.seen(), stays);
        if !expected.ev.is_empty() {
            let cause = self.record.cause(&[&TickStarted::KIND]);
            let schedules = &mut self.schedules;
            self.record.emit(cause, expected, Event::StaysExpected, |it| schedules.expect(it));
        }
    }

    /// Shows stays to the policy, and accepts what it answers.
    fn plan_stays(&mut self, stays: &[ToPlan], shown: Shown) -> Result<(), EngineError> {
        let seen = self.cars.seen_by_planning(&self.schedules);
        let said = self.planners.show(&seen, stays, shown);
        if !said.ev.is_empty() {
            let cause = self.record.cause(&[&PricesSet::KIND, &TickStarted::KIND]);
            self.record.note(cause, Event::WillingnessAgreed(said));
        }
        let tick = self.record.tick();
        let answer = self.planners.ask(Asked::Policy);
        self.accept(&answer.map_err(|fault| EngineError::Policy { tick, fault })?, shown);
        Ok(())
    }

    /// Shows whole trees that stays which were just `planned` alone, or cars that left `early`,
    /// make due.
    fn plan_trees(
        &mut self,
        planned: &[StayId],
        early: LeftEarly,
        trees: &Trees,
    ) -> Result<(), EngineError> {
        let seen = self.cars.seen_by_planning(&self.schedules);
        if !tree::are_shown(&seen, self.planners.info()) {
            return Ok(());
        }
        for root in tree::due(&self.seen(), planned, early) {
            let stays = trees.stays(&self.seen(), root);
            if !stays.is_empty() {
                self.expect(&stays);
                self.plan_stays(&stays, Shown::Tree)?;
                let unkept = tree::unkept(&self.seen(), root, &stays);
                self.note_unkept(unkept);
            }
        }
        Ok(())
    }

    /// Records which limits plans of a whole tree do not keep.
    fn note_unkept(&mut self, unkept: LimitUnkept) {
        if !unkept.site.is_empty() {
            let cause = self.record.cause(&[&PlansAccepted::KIND]);
            self.record.note(cause, Event::LimitUnkept(unkept));
        }
    }

    /// Records a call's faults and corrections, and accepts its schedules.
    fn accept(&mut self, answer: &Answer, shown: Shown) {
        let Self { schedules: in_force, planners, record, .. } = self;
        let tick = record.tick();
        answer.record_fault(&planners.batch, shown, record);
        // What a fault led to is not put down to it: a stand-in's schedules are as good as any.
        let cause = cause(record, shown);
        if self.in_force.scenario.rules >= Rules::V2 {
            let site = tree::top_of(&self.in_force, &planners.batch.stay, shown);
            answer.record_groups(site, shown, record);
        }
        answer.record_corrections(&planners.batch, tick, shown, record);
        let plans = schedules(&planners.batch, &planners.power_kw, tick);
        record.emit(cause, plans, Event::PlansAccepted, |plans| in_force.accept(plans));
    }
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
