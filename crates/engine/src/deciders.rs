//! What decides in a live run besides the world's calendar; a replay goes without.

use crate::{
    failure::EngineError,
    phase::{plan::Planners, price::Incentives},
};
use bevy_ecs::prelude::*;
use voltide_model::{clock::Boundary, price::PriceFeedback, scenario::Scenario};
use voltide_policy::planner::{Planner, PolicyInfo, Replan};

/// The policies, and where the world has one the incentive price.
pub(crate) struct Deciders {
    pub(crate) planners: Planners,
    pub(crate) incentives: Option<Incentives>,
}

impl Deciders {
    pub(crate) fn new(
        scenario: &Scenario,
        planner: Box<dyn Planner>,
        fallback: Option<Box<dyn Planner>>,
        forecaster: Option<Box<dyn Planner>>,
    ) -> Result<Self, EngineError> {
        // Before anything is written: a run that cannot be is not begun.
        check_suited(scenario, planner.info())?;
        let incentives = Incentives::new(scenario, planner.info().pays_incentive, 0).transpose()?;
        Ok(Self { planners: Planners::new(planner, fallback, forecaster), incentives })
    }

    /// Lets them decide from here on.
    pub(crate) fn enter(self, world: &mut World) {
        let Self { planners, incentives } = self;
        world.insert_resource(planners);
        match incentives {
            Some(incentives) => world.insert_resource(incentives),
            // A fork may take the incentive price away.
            None => drop(world.remove_resource::<Incentives>()),
        }
    }
}

/// Whether the world lets the policy plan as it declares to.
///
/// # Errors
/// [`EngineError::Unsuited`] says why it does not, [`EngineError::Price`] that no incentive prices
/// can be formed.
pub fn check_suited(scenario: &Scenario, policy: &PolicyInfo) -> Result<(), EngineError> {
    let feedback = scenario.incentive.map(|incentive| incentive.feedback);
    let why = match feedback {
        Some(PriceFeedback::Batch(cars)) if policy.whole_site => format!(
            "plans all cars of a site at once, but `price_feedback: Batch({cars})` forms prices \
             anew after every {cars} cars; use `price_feedback: None`"
        ),
        _ if scenario.clock.boundary == Boundary::Fold && policy.replan != Replan::OnPlugIn => {
            "wants to plan again while cars are plugged in, but the day of `boundary: Fold` is \
             planned once, before it begins; use `boundary: Open`"
                .to_owned()
        }
        _ => return Incentives::new(scenario, policy.pays_incentive, 0).transpose().map(drop),
    };
    Err(EngineError::Unsuited { policy: policy.name.clone(), why })
}
