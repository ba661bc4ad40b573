//! Which group problems make no sense, by name and place.

use super::{GroupMember, GroupNode, GroupProblem, NodeCost};
use crate::problem::{PerSlot, ProblemError};

/// A group problem that makes no sense, as opposed to wishes that cannot be met.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GroupError {
    /// A member's own problem makes no sense.
    #[error("member {member}: {error}")]
    Member {
        /// Its index.
        member: usize,
        /// What is wrong with it.
        error: ProblemError,
    },
    /// A member is at a node that does not exist.
    #[error("member {member} is at node {node}; there are {nodes}, counted from 0")]
    NoSuchNode {
        /// The member's index.
        member: usize,
        /// The index it names.
        node: usize,
        /// Number of nodes.
        nodes: usize,
    },
    /// A member's stay reaches beyond the group's slots.
    #[error("member {member} is there from slot {first} for {found} slots; the group has {slots}")]
    BeyondEnd {
        /// The member's index.
        member: usize,
        /// Its first slot.
        first: usize,
        /// Its number of slots.
        found: usize,
        /// The group's number of slots.
        slots: usize,
    },
    /// A member's slots have another length than the group's.
    #[error("member {member} has slots of {found} h; the group's are {expected} h")]
    SlotLength {
        /// The member's index.
        member: usize,
        /// The length of its slots, h.
        found: f64,
        /// The length of the group's, h.
        expected: f64,
    },
    /// The length of the group's slots is no length.
    #[error("the group's slots are {0} h long; it must be above 0 h")]
    NoLength(f64),
    /// A node's parent does not exist.
    #[error("node `{node}` is below node {parent}; there are {nodes}, counted from 0")]
    NoSuchParent {
        /// The node's name.
        node: String,
        /// The index it names.
        parent: usize,
        /// Number of nodes.
        nodes: usize,
    },
    /// A node is above itself.
    #[error("node `{0}` is its own ancestor; one node of the circle must have no parent")]
    OwnAncestor(String),
    /// A series of a node has another length than there are slots.
    #[error("node `{node}`: {column} has {found} values, not {expected}")]
    Length {
        /// The node's name.
        node: String,
        /// Which series.
        column: &'static str,
        /// Its length.
        found: usize,
        /// The number of slots.
        expected: usize,
    },
    /// A number of a node is outside what is allowed, or not a number.
    #[error("node `{node}`: {column} is {value} in slot {slot}; it must be {allowed}")]
    Value {
        /// The node's name.
        node: String,
        /// Which quantity.
        column: &'static str,
        /// The slot, 0 for quantities that have one value.
        slot: usize,
        /// The value found.
        value: f64,
        /// What would be right.
        allowed: &'static str,
    },
}

const FINITE: &str = "a finite number";
const NOT_NEGATIVE: &str = "finite and not negative";
const LIMIT: &str = "0 or more, or infinite for no limit";

impl GroupProblem<'_> {
    /// Checks lengths, places, signs and finiteness; what passes can be solved.
    ///
    /// # Errors
    /// The first thing that makes no sense, with its place.
    pub fn validate(&self) -> Result<(), GroupError> {
        if !(self.slot_hours > 0.0 && self.slot_hours.is_finite()) {
            return Err(GroupError::NoLength(self.slot_hours));
        }
        self.validate_forest()?;
        for node in self.nodes {
            self.validate_node(node)?;
        }
        let mut members = self.members.iter().enumerate();
        members.try_for_each(|(index, member)| self.validate_member(index, member))
    }

    fn validate_forest(&self) -> Result<(), GroupError> {
        let nodes = self.nodes.len();
        for node in self.nodes {
            if let Some(parent) = node.parent.filter(|&parent| parent >= nodes) {
                return Err(GroupError::NoSuchParent { node: node.name.into(), parent, nodes });
            }
        }
        for (index, node) in self.nodes.iter().enumerate() {
            // A way up that is longer than there are nodes goes round.
            if self.upward(index).skip(1).take(nodes).any(|above| above == index) {
                return Err(GroupError::OwnAncestor(node.name.into()));
            }
        }
        Ok(())
    }

    fn validate_member(&self, index: usize, member: &GroupMember<'_>) -> Result<(), GroupError> {
        let problem = &member.problem;
        problem.validate().map_err(|error| GroupError::Member { member: index, error })?;
        if member.node >= self.nodes.len() {
            let (node, nodes) = (member.node, self.nodes.len());
            return Err(GroupError::NoSuchNode { member: index, node, nodes });
        }
        let (first, found) = (member.first_slot, problem.slots());
        if first.checked_add(found).is_none_or(|end| end > self.slots) {
            return Err(GroupError::BeyondEnd { member: index, first, found, slots: self.slots });
        }
        let (found, expected) = (problem.slot_hours, self.slot_hours);
        if (found - expected).abs() > 1e-12 * expected {
            return Err(GroupError::SlotLength { member: index, found, expected });
        }
        Ok(())
    }

    fn validate_node(&self, node: &GroupNode<'_>) -> Result<(), GroupError> {
        let place = Place { node: node.name, slots: self.slots };
        place.series("import limit", node.import_kw_max, LIMIT, |limit| limit >= 0.0)?;
        place.series("export limit", node.export_kw_max, LIMIT, |limit| limit >= 0.0)?;
        place.series("given power", node.given_kw, FINITE, f64::is_finite)?;
        place.series("curtailable power", node.curtailable_kw, NOT_NEGATIVE, is_amount)?;
        if let Some(price) = node.breach_price {
            place.one("price of a breach", 0, price, NOT_NEGATIVE, is_amount(price))?;
        }
        node.costs.iter().try_for_each(|cost| validate_cost(place, cost))
    }
}

fn is_amount(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

fn validate_cost(place: Place<'_>, cost: &NodeCost<'_>) -> Result<(), GroupError> {
    match *cost {
        NodeCost::Peak { price_per_kw, baseline_kw } => {
            let price = price_per_kw;
            place.one("peak price", 0, price, NOT_NEGATIVE, is_amount(price))?;
            place.one("baseline", 0, baseline_kw, FINITE, baseline_kw.is_finite())
        }
        NodeCost::Supply { steps, beyond } => {
            place.one("price beyond all steps", 0, beyond, NOT_NEGATIVE, is_amount(beyond))?;
            place.length("supply curve", steps.len())?;
            for (slot, step) in steps
                .iter()
                .enumerate()
                .flat_map(|(slot, of)| of.iter().map(move |step| (slot, step)))
            {
                place.one("step's power", slot, step.kw, NOT_NEGATIVE, is_amount(step.kw))?;
                let right = is_amount(step.price) && step.price <= beyond;
                let allowed = "from 0 to the price beyond all steps";
                place.one("step's price", slot, step.price, allowed, right)?;
            }
            Ok(())
        }
        NodeCost::Follow { series_kw, price } => {
            place.one("price of the distance", 0, price, NOT_NEGATIVE, is_amount(price))?;
            place.series("series to follow", PerSlot::Each(series_kw), FINITE, f64::is_finite)
        }
        NodeCost::Quadratic { anchor_kw, slope } => {
            place.series("anchor", anchor_kw, FINITE, f64::is_finite)?;
            place.series("slope of the price", slope, NOT_NEGATIVE, is_amount)
        }
        NodeCost::Meter { buy, sell } => {
            place.series("buy price", PerSlot::Each(buy), FINITE, f64::is_finite)?;
            place.series("sell price", PerSlot::Each(sell), FINITE, f64::is_finite)?;
            let allowed = "at most the price of buying at the meter";
            let mut both = buy.iter().zip(sell).enumerate();
            both.try_for_each(|(slot, (buy, &sell))| {
                place.one("sell price", slot, sell, allowed, sell <= *buy)
            })
        }
    }
}

/// A node, as errors name it.
#[derive(Clone, Copy)]
struct Place<'a> {
    node: &'a str,
    slots: usize,
}

impl Place<'_> {
    fn one(
        self,
        column: &'static str,
        slot: usize,
        value: f64,
        allowed: &'static str,
        right: bool,
    ) -> Result<(), GroupError> {
        let error = || GroupError::Value { node: self.node.into(), column, slot, value, allowed };
        if right { Ok(()) } else { Err(error()) }
    }

    fn length(self, column: &'static str, found: usize) -> Result<(), GroupError> {
        let expected = self.slots;
        let error = || GroupError::Length { node: self.node.into(), column, found, expected };
        if found == expected { Ok(()) } else { Err(error()) }
    }

    fn series(
        self,
        column: &'static str,
        values: PerSlot<'_>,
        allowed: &'static str,
        right: fn(f64) -> bool,
    ) -> Result<(), GroupError> {
        match values {
            PerSlot::Same(value) => self.one(column, 0, value, allowed, right(value)),
            PerSlot::Each(values) => {
                self.length(column, values.len())?;
                let mut values = values.iter().enumerate();
                values.try_for_each(|(slot, &value)| {
                    self.one(column, slot, value, allowed, right(value))
                })
            }
        }
    }
}
