//! What the power of a node costs, as pieces of straight lines.

use super::{GroupNode, GroupProblem, NodeCost, fit};

/// A piece of a convex cost of power: going away from the anchor costs so much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    /// 1 where power rises along it, −1 where it falls.
    pub(super) sign: f64,
    /// Its length, kW; infinite for the last one.
    pub(super) kw: f64,
    /// Cost per kWh along it.
    pub(super) price: f64,
}

/// A convex cost of power in one slot: 0 at the anchor, and pieces from there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pieces {
    /// Where it costs nothing, kW.
    pub(super) anchor: f64,
    /// In each direction the cheapest first.
    pub(super) pieces: Vec<Piece>,
}

impl Pieces {
    /// What `kw` costs, per hour.
    pub(super) fn at(&self, kw: f64) -> f64 {
        let distance = kw - self.anchor;
        let mut left = distance.abs();
        let mut cost = 0.0;
        for piece in self.pieces.iter().filter(|piece| piece.sign * distance > 0.0) {
            let used = left.min(piece.kw);
            cost += used * piece.price;
            left -= used;
        }
        cost
    }
}

/// Tangents of a quadratic cost at its anchor and at distances from there, kW, the nearest first:
/// two of them meet halfway.
fn tangent_pieces(sign: f64, slope: f64, distances: impl Iterator<Item = f64>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut before, mut from) = (0.0, 0.0);
    for distance in distances {
        let meeting = 0.5 * (before + distance);
        pieces.push(Piece { sign, kw: meeting - from, price: slope * before });
        (before, from) = (distance, meeting);
    }
    pieces.push(Piece { sign, kw: f64::INFINITY, price: slope * before });
    pieces
}

impl NodeCost<'_> {
    /// The cost of one slot's power; none where it depends on all slots. Of a quadratic cost these
    /// are its tangents at `tangents`, kW in rising order, and at its anchor.
    pub(super) fn pieces(&self, slot: usize, tangents: &[f64]) -> Option<Pieces> {
        let last = |sign, price| Piece { sign, kw: f64::INFINITY, price };
        match *self {
            Self::Peak { .. } => None,
            Self::Supply { steps, beyond } => {
                let step =
                    |step: &super::SupplyStep| Piece { sign: 1.0, kw: step.kw, price: step.price };
                let mut pieces: Vec<Piece> = steps[slot].iter().map(step).collect();
                pieces.sort_by(|a, b| a.price.total_cmp(&b.price));
                pieces.extend([last(1.0, beyond), last(-1.0, 0.0)]);
                Some(Pieces { anchor: 0.0, pieces })
            }
            Self::Follow { series_kw, price } => {
                let pieces = vec![last(1.0, price), last(-1.0, price)];
                Some(Pieces { anchor: series_kw[slot], pieces })
            }
            Self::Quadratic { anchor_kw, slope } => {
                let (anchor, slope) = (anchor_kw.at(slot), slope.at(slot));
                let above = tangents.iter().map(|kw| kw - anchor).filter(|&kw| kw > 0.0);
                let below = tangents.iter().rev().map(|kw| anchor - kw).filter(|&kw| kw > 0.0);
                let mut pieces = tangent_pieces(1.0, slope, above);
                pieces.extend(tangent_pieces(-1.0, slope, below));
                Some(Pieces { anchor, pieces })
            }
            Self::Meter { buy, sell } => {
                let pieces = vec![last(1.0, buy[slot]), last(-1.0, -sell[slot])];
                Some(Pieces { anchor: 0.0, pieces })
            }
        }
    }

    /// What powers cost, all slots together.
    pub(super) fn of(&self, power_kw: &[f64], slot_hours: f64) -> f64 {
        match *self {
            Self::Peak { price_per_kw, baseline_kw } => {
                let above = power_kw.iter().map(|power| power - baseline_kw);
                price_per_kw * above.fold(0.0, f64::max)
            }
            Self::Quadratic { anchor_kw, slope } => {
                let slot = |(slot, &power): (usize, &f64)| {
                    0.5 * slope.at(slot) * (power - anchor_kw.at(slot)).powi(2)
                };
                slot_hours * power_kw.iter().enumerate().map(slot).sum::<f64>()
            }
            Self::Supply { .. } | Self::Follow { .. } | Self::Meter { .. } => {
                let slot = |(slot, &power): (usize, &f64)| {
                    self.pieces(slot, &[]).map_or(0.0, |pieces| pieces.at(power))
                };
                slot_hours * power_kw.iter().enumerate().map(slot).sum::<f64>()
            }
        }
    }
}

impl GroupNode<'_> {
    /// How far `kw` lies beyond the limits in `slot`, kW.
    pub(super) fn breach(&self, slot: usize, kw: f64) -> f64 {
        let (most, least) = (self.import_kw_max.at(slot), -self.export_kw_max.at(slot));
        (kw - most).max(least - kw).max(0.0)
    }

    fn breach_kwh(&self, power_kw: &[f64], slot_hours: f64) -> f64 {
        let breach = |(slot, &power): (usize, &f64)| self.breach(slot, power);
        slot_hours * power_kw.iter().enumerate().map(breach).sum::<f64>()
    }
}

impl GroupProblem<'_> {
    /// Cost of schedules: each member's own, that of the nodes' powers, and of soft breaches.
    pub(super) fn cost(&self, power_kw: &[Vec<f64>], node_kw: &[Vec<f64>]) -> f64 {
        let members = self.members.iter().zip(power_kw);
        let own: f64 = members.map(|(member, power)| member.problem.objective(power)).sum();
        let of_node = |(node, power): (&GroupNode<'_>, &Vec<f64>)| {
            let costs = node.costs.iter().map(|cost| cost.of(power, self.slot_hours)).sum::<f64>();
            let price = node.breach_price.unwrap_or(0.0);
            costs + price * node.breach_kwh(power, self.slot_hours)
        };
        own + self.nodes.iter().zip(node_kw).map(of_node).sum::<f64>()
    }

    /// Violation of hard limits, kWh.
    pub(super) fn violation(&self, node_kw: &[Vec<f64>]) -> f64 {
        let hard = self.nodes.iter().zip(node_kw).filter(|(node, _)| node.breach_price.is_none());
        hard.map(|(node, power)| node.breach_kwh(power, self.slot_hours)).sum()
    }

    /// Stored energy below the members' targets at their ends, kWh each.
    pub(super) fn missing(&self, power_kw: &[Vec<f64>]) -> Vec<f64> {
        let members = self.members.iter().zip(power_kw);
        let one = |(member, power): (&super::GroupMember<'_>, &Vec<f64>)| {
            fit::missing(&member.problem, power)
        };
        members.map(one).collect()
    }
}
