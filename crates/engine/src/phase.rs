//! The steps of a tick, each with the systems that decide in it and those that follow from the state.

pub(crate) mod agree;
pub(crate) mod arrive;
pub(crate) mod dispatch;
pub(crate) mod limit;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod settle;

use crate::{grid::desk, state_hash};
use bevy_ecs::{
    prelude::*,
    schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor},
    system::ScheduleSystem,
};
use voltide_journal::event::fact::Step;

/// A step of the tick, with its systems.
pub(crate) struct Phase {
    /// Which.
    pub step: Step,
    /// Decides in a live run; elsewhere what was decided comes from the journal.
    pub decides: Option<Schedule>,
    /// Follows from the state, wherever decisions come from.
    pub follows: Option<Schedule>,
}

impl Phase {
    /// The phases of a tick, in their order.
    pub(crate) fn all() -> Vec<Self> {
        Step::TICK.into_iter().map(Self::of).collect()
    }

    fn of(step: Step) -> Self {
        let (decides, follows) = match step {
            // The clock moves by itself, and not all that is recorded belongs to a tick.
            Step::Opening | Step::Start | Step::Ending => (None, None),
            Step::Arrive => (Some(system(arrive::arrive)), None),
            Step::Price => (Some(system(price::set_prices)), None),
            Step::Agree => (None, Some(system(agree::draw))),
            Step::Plan => (Some(system(plan::plan)), Some(system(answers()))),
            Step::Limit => (None, Some(system(limit::limit))),
            Step::Dispatch => (Some(system(desk::schedule)), Some(system(dispatch::dispatch))),
            Step::Settle => (None, Some(system(settle::settle))),
            Step::Seal => (None, Some(system(state_hash::hash))),
        };
        Self { step, decides, follows }
    }

    /// Its name in reports.
    pub(crate) fn name(&self) -> &'static str {
        match self.step {
            Step::Opening => "opening",
            Step::Start => "start",
            Step::Arrive => "arrive",
            Step::Price => "price",
            Step::Agree => "agree",
            Step::Plan => "plan",
            Step::Limit => "limit",
            Step::Dispatch => "dispatch",
            Step::Settle => "settle",
            Step::Seal => "record",
            Step::Ending => "ending",
        }
    }
}

/// What drivers say once all that are due are planned.
fn answers() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    (agree::draw.run_if(agree::typical_day_begins), agree::answer).chain()
}

/// The label of every schedule: none is looked up by it.
#[derive(ScheduleLabel, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct OfTick;

fn system<M>(system: impl IntoScheduleConfigs<ScheduleSystem, M>) -> Schedule {
    let mut schedule = Schedule::new(OfTick);
    schedule.set_executor(SingleThreadedExecutor::new());
    schedule.set_build_settings(ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        ..Default::default()
    });
    schedule.add_systems(system);
    schedule
}
