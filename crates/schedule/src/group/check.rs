//! Holds the answer to a group problem against it.

use super::{GroupAnswer, GroupProblem, build::reach};

/// What a limit may be exceeded by, kW.
pub const LIMIT_TOLERANCE: f64 = 1e-9;

/// What a stored energy may be off by, kWh, and a sum of money, relative to it.
const TOLERANCE: f64 = 1e-6;

/// How an answer breaks its problem. A schedule is one net power a slot, so that no member charges
/// and discharges at once.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GroupBreach {
    /// There is not one value for each member, node and slot.
    #[error("the answer has another shape than the problem")]
    Shape,
    /// A member's power is outside its limits, or not a number.
    #[error("member {member} has {kw} kW in slot {slot} of its stay")]
    Power {
        /// The member's index.
        member: usize,
        /// Slot of its stay.
        slot: usize,
        /// The power, kW.
        kw: f64,
    },
    /// A member's energy is farther outside its bounds than where it was at the start.
    #[error("member {member} has {kwh} kWh at the end of slot {slot} of its stay")]
    Energy {
        /// The member's index.
        member: usize,
        /// Slot of its stay.
        slot: usize,
        /// The energy, kWh.
        kwh: f64,
    },
    /// More is curtailed than may be.
    #[error("node `{node}` curtails {kw} kW in slot {slot}")]
    Curtailed {
        /// The node's name.
        node: String,
        /// The slot.
        slot: usize,
        /// The power, kW.
        kw: f64,
    },
    /// Limits are broken by more than the answer admits.
    #[error("node `{node}` is {kw} kW beyond its limits in slot {slot}")]
    Limit {
        /// The node's name.
        node: String,
        /// The slot.
        slot: usize,
        /// Power beyond them, kW.
        kw: f64,
    },
    /// A figure is not that of the schedules.
    #[error("{what} is {found}; the schedules have {expected}")]
    Figure {
        /// Which one.
        what: &'static str,
        /// As answered.
        found: f64,
        /// As recomputed.
        expected: f64,
    },
}

/// Checks limits, bounds and figures.
///
/// # Errors
/// The first thing that does not hold.
pub fn check_group(problem: &GroupProblem<'_>, answer: &GroupAnswer) -> Result<(), GroupBreach> {
    check_shape(problem, answer)?;
    for (index, power) in answer.power_kw.iter().enumerate() {
        check_member(problem, index, power)?;
    }
    for (node, curtailed) in problem.nodes.iter().zip(&answer.curtailed_kw) {
        for (slot, &kw) in curtailed.iter().enumerate() {
            if !(kw >= 0.0 && kw <= node.curtailable_kw.at(slot)) {
                return Err(GroupBreach::Curtailed { node: node.name.into(), slot, kw });
            }
        }
    }
    check_limits(problem, answer)?;
    check_figures(problem, answer)?;
    check_violation(answer)
}

fn check_shape(problem: &GroupProblem<'_>, answer: &GroupAnswer) -> Result<(), GroupBreach> {
    let is_stay = |(member, power): (&super::GroupMember<'_>, &Vec<f64>)| {
        power.len() == member.problem.slots()
    };
    let by_node = |of: &[Vec<f64>]| {
        of.len() == problem.nodes.len() && of.iter().all(|slots| slots.len() == problem.slots)
    };
    let fits = answer.power_kw.len() == problem.members.len()
        && problem.members.iter().zip(&answer.power_kw).all(is_stay)
        && by_node(&answer.curtailed_kw)
        && by_node(&answer.price);
    if fits { Ok(()) } else { Err(GroupBreach::Shape) }
}

fn check_member(group: &GroupProblem<'_>, member: usize, power: &[f64]) -> Result<(), GroupBreach> {
    let problem = &group.members[member].problem;
    let reach = reach(problem);
    let start = problem.energy_kwh;
    let mut kwh = start;
    for (slot, &kw) in power.iter().enumerate() {
        if !(kw >= -problem.discharge_kw_max.at(slot) && kw <= problem.charge_kw_max.at(slot)) {
            return Err(GroupBreach::Power { member, slot, kw });
        }
        kwh += problem.energy_for(kw);
        // Limits may hold a member where it was, never push it farther out.
        let (least, most) = (reach.floor[slot].min(start), reach.ceiling[slot].max(start));
        if !(kwh >= least - TOLERANCE && kwh <= most + TOLERANCE) {
            return Err(GroupBreach::Energy { member, slot, kwh });
        }
    }
    Ok(())
}

fn check_limits(problem: &GroupProblem<'_>, answer: &GroupAnswer) -> Result<(), GroupBreach> {
    let powers = problem.node_powers(&answer.power_kw, &answer.curtailed_kw);
    let least = answer.violation_bound_kwh;
    // Where some violation must be, it is the least in sum, and no slot has more than all of it.
    let admitted =
        if least > 0.0 { least / problem.slot_hours + TOLERANCE } else { LIMIT_TOLERANCE };
    for (node, power) in problem.nodes.iter().zip(&powers) {
        for (slot, &power) in power.iter().enumerate() {
            let kw = node.breach(slot, power);
            if node.breach_price.is_none() && (kw > admitted || kw.is_nan()) {
                return Err(GroupBreach::Limit { node: node.name.into(), slot, kw });
            }
        }
    }
    Ok(())
}

fn check_violation(answer: &GroupAnswer) -> Result<(), GroupBreach> {
    let (found, expected) = (answer.violation_kwh, answer.violation_bound_kwh);
    if found <= expected + TOLERANCE * expected.max(1.0) {
        return Ok(());
    }
    Err(GroupBreach::Figure { what: "least violation", found, expected })
}

fn check_figures(problem: &GroupProblem<'_>, answer: &GroupAnswer) -> Result<(), GroupBreach> {
    let powers = problem.node_powers(&answer.power_kw, &answer.curtailed_kw);
    let missing = problem.missing(&answer.power_kw).iter().sum();
    for (what, found, expected) in [
        ("violation", answer.violation_kwh, problem.violation(&powers)),
        ("missing energy", answer.missing_kwh, missing),
        ("cost", answer.cost, problem.cost(&answer.power_kw, &powers)),
    ] {
        let apart = (found - expected).abs();
        if apart > TOLERANCE * expected.abs().max(1.0) || apart.is_nan() {
            return Err(GroupBreach::Figure { what, found, expected });
        }
    }
    Ok(())
}
