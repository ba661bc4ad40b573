//! What stops a run.

use bevy_ecs::prelude::*;
use voltide_journal::error::LogError;
use voltide_model::price::PriceError;
use voltide_policy::planner::PolicyFault;
use voltide_schedule::grid::GridError;

/// The error that stopped the tick, if one did.
#[derive(Resource, Default)]
pub(crate) struct Failure(pub Option<EngineError>);

/// Stops the tick where a system could not do its part.
pub(crate) fn stop(In(done): In<Result<(), EngineError>>, mut failure: ResMut<Failure>) {
    failure.0 = done.err();
}

/// Whether no system of the tick has failed.
pub(crate) fn goes_on(failure: Res<Failure>) -> bool {
    failure.0.is_none()
}

/// A run, or a replay, that could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The journal could not be written or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A sink could not take what happened.
    #[error("{0}")]
    Sink(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A policy failed, and nothing stood in for it.
    #[error("tick {tick}: {fault}, and no fallback could stand in")]
    Policy {
        /// The tick.
        tick: u32,
        /// What went wrong.
        fault: PolicyFault,
    },
    /// The policy does not go with the world.
    #[error("policy `{policy}` {why}")]
    Unsuited {
        /// The policy.
        policy: String,
        /// Why not, and what would go.
        why: String,
    },
    /// Incentive prices could not be formed.
    #[error("tick {tick}: {error}")]
    Price {
        /// The tick.
        tick: u32,
        /// What went wrong.
        error: PriceError,
    },
    /// Units could not be scheduled.
    #[error("tick {tick}: the {stage} schedule: {error}")]
    Grid {
        /// The tick.
        tick: u32,
        /// Which stage's.
        stage: &'static str,
        /// What went wrong.
        error: GridError,
    },
    /// What happened cannot be told in numbers.
    #[error(
        "tick {tick}: `{event}` would hold NaN or infinity in `{column}`, row {row}, so that \
         nothing of this tick is recorded; some value of the world is too large or too small to \
         reckon with"
    )]
    NotFinite {
        /// The tick.
        tick: u32,
        /// The event.
        event: &'static str,
        /// The column.
        column: &'static str,
        /// The row; 0 where the event has no rows.
        row: usize,
    },
    /// The batteries of all cars hold more than numbers tell.
    #[error(
        "all batteries together hold more kWh than can be reckoned with; give smaller capacities"
    )]
    TooMuchCapacity,
    /// A replay came to something else than the journal says.
    #[error("tick {tick}: the replay differs from the journal: {what}")]
    Diverged {
        /// The first tick that differs.
        tick: u32,
        /// What differs there.
        what: String,
    },
    /// The journal ends within a tick, or before the run began.
    #[error("the journal has no {0}")]
    Incomplete(&'static str),
}
