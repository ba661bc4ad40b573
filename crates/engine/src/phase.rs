//! The steps of a tick, each with the systems that decide in it and those that follow from the
//! state.

pub(crate) mod agree;
pub(crate) mod arrive;
pub(crate) mod dispatch;
pub(crate) mod limit;
pub(crate) mod plan;
pub(crate) mod price;
pub(crate) mod settle;

use crate::{failure::stop, grid::scheduler, state_hash};
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
            Step::Arrive => (Some(systems(arrive::deciding())), None),
            Step::Price => (Some(systems(price::set_prices.pipe(stop))), None),
            Step::Agree => (None, Some(systems(agree::draw))),
            Step::Plan => (Some(systems(plan::deciding())), Some(systems(agree::following()))),
            Step::Limit => (None, Some(systems(limit::following()))),
            Step::Dispatch => (
                Some(systems(scheduler::schedule.pipe(stop).run_if(dispatch::has_plant))),
                Some(systems(dispatch::following())),
            ),
            Step::Settle => (None, Some(systems(settle::following()))),
            Step::Seal => (None, Some(systems(state_hash::hash))),
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

/// The label of every schedule: none is looked up by it.
#[derive(ScheduleLabel, Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct OfTick;

/// Systems that must not depend on an order that is not said: where one writes what another uses,
/// and neither waits for the other, the schedule is an error. They run one after the other on the
/// caller's thread; those that go through all cars share their work between [`Workers`], which
/// pays off where a few systems side by side would not.
///
/// [`Workers`]: crate::workers::Workers
fn systems<M>(systems: impl IntoScheduleConfigs<ScheduleSystem, M>) -> Schedule {
    let mut schedule = Schedule::new(OfTick);
    schedule.set_executor(SingleThreadedExecutor::new());
    schedule.set_build_settings(ScheduleBuildSettings {
        ambiguity_detection: LogLevel::Error,
        ..Default::default()
    });
    schedule.add_systems(systems);
    schedule
}
