//! What a policy does wrong, said when it first happens.

use crate::output::{self, decimal};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};
use voltide_model::id::EvId;
use voltide_policy::{
    observation::{Observation, Schedules},
    planner::{Correction, GroupSolved, Planner, PolicyFault, PolicyInfo},
};

/// What was said, by policy and kind: a program may make many runs.
static SAID: Mutex<BTreeSet<(String, &str)>> = Mutex::new(BTreeSet::new());

/// A policy whose first fault and first broken answers are said on stderr.
pub(crate) struct Watched {
    /// The policy.
    policy: Box<dyn Planner>,
    /// Who answers where it fails; without one a fault ends the run, which says why.
    fallback: Option<String>,
}

impl Watched {
    /// A policy, watched; `fallback` answers where it fails.
    pub(crate) fn boxed(policy: Box<dyn Planner>, fallback: Option<String>) -> Box<dyn Planner> {
        Box::new(Self { policy, fallback })
    }

    /// Says something in passing unless it has been said of this policy before.
    fn say_once(&self, kind: &'static str, what: impl FnOnce() -> String) {
        let name = &self.policy.info().name;
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert((name.clone(), kind)) {
            output::complain(&format!("! {}", what()));
        }
    }

    fn say_fault(&self, tick: u32, fault: &PolicyFault) {
        let Some(fallback) = &self.fallback else { return };
        let kind = if fault.lost { "lost" } else { "failed" };
        let until = if fault.lost { " for the rest of the run" } else { "" };
        self.say_once(kind, || {
            format!("slot {tick}: {fault}; `{fallback}` answers in its place{until}")
        });
    }

    fn say_correction(&self, tick: u32, ev: EvId, correction: &Correction) {
        let policy = &self.policy.info().name;
        let slot = tick + correction.slot;
        if correction.asked_kw.is_finite() {
            self.say_once("clipped", || {
                format!(
                    "slot {tick}: policy `{policy}` broke the contract: {} kW for car {ev} in \
                     slot {slot}, cut to {} kW; the summary counts all such answers",
                    decimal(correction.asked_kw, 1),
                    decimal(correction.applied_kw, 1)
                )
            });
        } else {
            self.say_once("not finite", || {
                format!(
                    "slot {tick}: policy `{policy}` broke the contract: {} for car {ev} in slot \
                     {slot}, taken as 0 kW; the summary counts all such answers",
                    correction.asked_kw
                )
            });
        }
    }
}

impl Planner for Watched {
    fn info(&self) -> &PolicyInfo {
        self.policy.info()
    }

    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault> {
        let answer = self.policy.plan(seen, schedules);
        match &answer {
            Ok(corrections) => {
                for correction in corrections {
                    self.say_correction(
                        seen.tick,
                        EvId(seen.ev_id[correction.row as usize]),
                        correction,
                    );
                }
            }
            Err(fault) => self.say_fault(seen.tick, fault),
        }
        answer
    }

    fn take_groups(&mut self) -> Vec<GroupSolved> {
        self.policy.take_groups()
    }

    fn save(&mut self) -> Result<Vec<u8>, PolicyFault> {
        self.policy.save()
    }

    fn load(&mut self, state: &[u8]) -> Result<(), PolicyFault> {
        self.policy.load(state)
    }

    fn is_lost(&self) -> bool {
        self.policy.is_lost()
    }

    fn give_up(&mut self) {
        self.policy.give_up();
    }
}
