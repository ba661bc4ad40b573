//! The eight phases of a tick, in their order.

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
};

/// A step of the tick.
#[derive(ScheduleLabel, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Cars unplug and plug in.
    Arrive,
    /// Prices become known.
    Price,
    /// Drivers agree to discharge, or not.
    Agree,
    /// Stays without a schedule are shown to the policy.
    Plan,
    /// Set-points are clipped to what battery and site allow.
    Limit,
    /// Units are scheduled, and the power balance is closed.
    Dispatch,
    /// The slot passes.
    Settle,
    /// The state is hashed, for the seal.
    Record,
}

impl Phase {
    /// The tick: its phases in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Arrive,
        Self::Price,
        Self::Agree,
        Self::Plan,
        Self::Limit,
        Self::Dispatch,
        Self::Settle,
        Self::Record,
    ];

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arrive => "arrive",
            Self::Price => "price",
            Self::Agree => "agree",
            Self::Plan => "plan",
            Self::Limit => "limit",
            Self::Dispatch => "dispatch",
            Self::Settle => "settle",
            Self::Record => "record",
        }
    }

    /// Whether it decides something; what a replay reads from the journal instead.
    pub(crate) fn decides(self) -> bool {
        matches!(self, Self::Arrive | Self::Price | Self::Plan)
    }

    /// Its systems.
    pub(crate) fn schedule(self) -> Schedule {
        let mut schedule = Schedule::new(self);
        schedule.set_executor(SingleThreadedExecutor::new());
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..Default::default()
        });
        match self {
            Self::Arrive => schedule.add_systems(arrive::arrive),
            Self::Price => schedule.add_systems(price::set_prices),
            Self::Agree => schedule.add_systems(agree::agree),
            Self::Plan => schedule.add_systems(plan::plan),
            Self::Limit => schedule.add_systems(limit::limit),
            Self::Dispatch => schedule.add_systems((desk::schedule, dispatch::dispatch).chain()),
            Self::Settle => schedule.add_systems(settle::settle),
            Self::Record => schedule.add_systems(state_hash::hash),
        };
        schedule
    }
}
