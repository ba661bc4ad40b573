//! Who is asked for schedules: the policy, what stands in for it, and who forecasts.

use super::answer::Answer;
use crate::{
    batch::{Batch, ToPlan},
    cars::BLOCK,
    phase::price::Incentives,
    planning::Planning,
};
use bevy_ecs::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use voltide_journal::event::WillingnessAgreed;
use voltide_policy::{
    Schedules,
    observation::Shown,
    planner::{Correction, Planner, PolicyFault, PolicyInfo, Replan},
};

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
pub(super) enum Role {
    Policy,
    Fallback,
    Forecaster,
}

impl Role {
    /// What the journal calls the memory of a policy in this role.
    pub(super) fn memory_of(self, name: &str) -> String {
        // One policy may stand in two roles, and remembers something else in each.
        match self {
            Self::Policy => name.to_owned(),
            Self::Fallback => format!("{name} (fallback)"),
            Self::Forecaster => format!("{name} (forecaster)"),
        }
    }
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Policy,
    /// The policy where nobody else forecasts.
    Forecaster,
}

/// A planner as a resource: it may be sent to another thread, but not be used by two, which bevy
/// asks of resources.
type Kept = Mutex<Box<dyn Planner>>;

/// The policy, what stands in for it, and the memory of their calls.
#[derive(Resource)]
pub(crate) struct Planners {
    policy: Kept,
    fallback: Option<Kept>,
    /// Plans what the day-ahead stage is shown, where that is not the policy.
    forecaster: Option<Kept>,
    /// When the policy wants to be asked again.
    pub(super) replan: Replan,
    pub(super) batch: Batch,
    /// What the last call answered: a row of the batch's horizon for each of its stays, kW.
    pub(super) power_kw: Vec<f64>,
}

impl Planners {
    pub(crate) fn new(
        policy: Box<dyn Planner>,
        fallback: Option<Box<dyn Planner>>,
        forecaster: Option<Box<dyn Planner>>,
    ) -> Self {
        Self {
            replan: policy.info().replan,
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

    pub(super) fn in_roles(&mut self) -> impl Iterator<Item = (Role, &mut dyn Planner)> {
        let policy = std::iter::once((Role::Policy, opened(&mut self.policy)));
        let fallback = self.fallback.as_mut().map(|it| (Role::Fallback, opened(it)));
        let forecaster = self.forecaster.as_mut().map(|it| (Role::Forecaster, opened(it)));
        policy.chain(fallback).chain(forecaster)
    }

    /// What the policy declares of itself.
    pub(super) fn info(&mut self) -> &PolicyInfo {
        opened(&mut self.policy).info()
    }

    /// What the forecaster declares of itself, where it is not the policy.
    pub(super) fn forecaster(&mut self) -> Option<&PolicyInfo> {
        self.forecaster.as_mut().map(|it| opened(it).info())
    }

    /// Cars that are shown at once.
    pub(super) fn batch_size(&mut self, incentives: Option<&Incentives>) -> usize {
        if self.info().whole_site || self.info().whole_fleet {
            // It shares power out among all of its cars, and so has to see them at once.
            return usize::MAX;
        }
        // Any fixed size does, as long as it does not depend on the machine: the second batch is
        // shown what the first will draw.
        incentives.and_then(Incentives::batch).unwrap_or(BLOCK)
    }

    /// Fills the batch for `stays`, and asks their drivers; gives what these said.
    pub(super) fn show(
        &mut self,
        seen: &Planning,
        stays: &[ToPlan],
        shown: Shown,
    ) -> WillingnessAgreed {
        let Self { policy, batch, .. } = self;
        batch.fill(seen, stays, shown, opened(policy).info());
        self.batch.ask_drivers(seen)
    }

    /// Asks about the batch; where who is asked fails, its stand-in.
    pub(super) fn ask(&mut self, asked: Asked) -> Result<Answer, PolicyFault> {
        let Self { policy, fallback, forecaster, batch, power_kw, .. } = self;
        let first = match asked {
            Asked::Policy => policy,
            Asked::Forecaster => forecaster.as_mut().unwrap_or(policy),
        };
        let fault = match call(opened(first), batch, power_kw) {
            Ok(corrections) => {
                let groups = opened(first).take_groups();
                return Ok(Answer { corrections, groups, fault: None });
            }
            Err(fault) => fault,
        };
        let Some(fallback) = fallback.as_mut().map(opened) else { return Err(fault) };
        let corrections = call(fallback, batch, power_kw)?;
        let groups = fallback.take_groups();
        Ok(Answer { corrections, groups, fault: Some((fault, fallback.info().name.clone())) })
    }
}

/// A planner to be used. Its lock is never held, so that no panic can have poisoned it.
fn opened(planner: &mut Kept) -> &mut dyn Planner {
    planner.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
}

/// Asks a planner about a batch. What it left of an answer before it failed is not seen by the
/// next.
fn call(
    planner: &mut dyn Planner,
    batch: &Batch,
    power_kw: &mut Vec<f64>,
) -> Result<Vec<Correction>, PolicyFault> {
    let seen = batch.observation();
    let horizon = batch.horizon_slots();
    power_kw.clear();
    power_kw.resize(seen.len() * horizon, 0.0);
    planner.plan(&seen, &mut Schedules { power_kw, horizon })
}
