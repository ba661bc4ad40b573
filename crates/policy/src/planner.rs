//! What the engine calls: a policy, wherever it came from.

use crate::{
    observation::{Observation, Schedules},
    storage::GroupFigures,
};

/// When a policy wants to be asked again after the first schedule of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replan {
    /// Never.
    #[default]
    OnPlugIn,
    /// At every tick.
    EveryTick,
    /// Every so many slots after plug-in.
    Every(u32),
}

/// What a policy declares of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a declaration of its own, a flag of the ABI"
)]
pub struct PolicyInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the file it was loaded from, in hex; empty for the embedded one.
    pub hash: String,
    /// The file it was loaded from; empty for the embedded one.
    pub file: String,
    /// When it wants to be asked again.
    pub replan: Replan,
    /// Longest horizon that it makes use of, in slots; 0 for no limit.
    pub horizon_slots: u32,
    /// Whether all plugged cars of a site are shown when any of them is due.
    pub whole_site: bool,
    /// Whether all plugged cars of a tree of sites are shown when plans do not keep its limits.
    pub whole_tree: bool,
    /// Whether cars that are due are shown at once, and all plugged cars where it plans again.
    pub whole_fleet: bool,
    /// Whether its cars pay and are paid the incentive price, instead of their tariff.
    pub pays_incentive: bool,
    /// Whether it has state to be journaled.
    pub stateful: bool,
}

/// One correction that the host made to an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correction {
    /// The row.
    pub row: u32,
    /// First slot, from now, that was corrected.
    pub slot: u32,
    /// What was answered there, kW; may be NaN or infinite.
    pub asked_kw: f64,
    /// What it became, kW.
    pub applied_kw: f64,
}

/// A group that the program solved for a policy during a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSolved {
    /// Number of rows.
    pub rows: u32,
    /// How good their schedules are.
    pub figures: GroupFigures,
}

/// A call that did not yield schedules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy `{policy}`: {message}")]
pub struct PolicyFault {
    /// The policy.
    pub policy: String,
    /// What went wrong.
    pub message: String,
    /// Whether the policy is not asked again, because it panicked.
    pub lost: bool,
}

/// A policy that the engine can ask. Implemented by the host.
pub trait Planner: Send {
    /// What the policy declares.
    fn info(&self) -> &PolicyInfo;

    /// Fills `schedules` for the stays of `seen`.
    ///
    /// The result is finite, within the chargers' limits and zero after departure; what had to be
    /// corrected for that is returned.
    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault>;

    /// The groups that the program solved for it during the last call of [`plan`](Self::plan), in
    /// their order; none for one that has none solved.
    fn take_groups(&mut self) -> Vec<GroupSolved> {
        Vec::new()
    }

    /// The policy's state, for a stateful one.
    fn save(&mut self) -> Result<Vec<u8>, PolicyFault>;

    /// Takes up a state that [`save`](Self::save) gave.
    fn load(&mut self, state: &[u8]) -> Result<(), PolicyFault>;

    /// Whether it is not asked again: it panicked, and what it remembers cannot be trusted.
    fn is_lost(&self) -> bool;

    /// It is not asked again: it panicked earlier in a run that is resumed.
    fn give_up(&mut self);
}
