//! The group problem as one program.
//!
//! Every node and slot has a balance row, whose price is that of power at the node; a member has
//! its powers, and its stored energy as columns. One that only charges, and whose bounds on the
//! way hold whatever it does, has one row for its end and no energies.

use super::{
    GroupMember, GroupNode, GroupProblem, NodeCost, cost::Pieces, draft::Draft, tangents::Tangents,
};
use crate::{problem::StorageProblem, reach::Reach};
use voltide_clp::Entry;

/// Columns of a member.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MemberColumns {
    /// Charging, by slot of the stay.
    pub(super) charge: Vec<usize>,
    /// Discharging, by slot; empty for one that never does.
    pub(super) discharge: Vec<usize>,
    /// Energy missing at the end; none where the target is met from the start.
    pub(super) missing: Option<usize>,
    /// What it wants and could have alone, kWh.
    pub(super) wanted_kwh: f64,
    /// What it misses even alone, kWh.
    pub(super) lone_missing_kwh: f64,
}

/// A program with the places of what it is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Layout {
    pub(super) draft: Draft,
    pub(super) members: Vec<MemberColumns>,
    /// Balance rows, by node and slot.
    pub(super) balance: Vec<Vec<u32>>,
    /// Curtailed power, by node and slot.
    pub(super) curtailed: Vec<Vec<Option<usize>>>,
    /// Breaches of hard limits, kW.
    pub(super) violation: Vec<usize>,
    /// Breaches of limits by node and slot, over and under, kW.
    pub(super) breach: Vec<Vec<Option<[usize; 2]>>>,
    /// Distances from energy bounds on the way, kWh.
    pub(super) off_bounds: Vec<usize>,
    /// Cost of each column.
    pub(super) cost: Vec<f64>,
    /// Cost whatever is done.
    pub(super) constant: f64,
}

impl Layout {
    /// Writes the problem, which is valid, as a linear program, quadratic costs as their tangents.
    pub(super) fn new(problem: &GroupProblem<'_>, tangents: &Tangents) -> Self {
        let mut this = Self::default();
        let reaches: Vec<Reach> = problem.members.iter().map(|of| reach(&of.problem)).collect();
        let forced = problem.members.iter().zip(&reaches).any(|(member, reach)| {
            let energy = member.problem.energy_kwh;
            reach.floor.iter().any(|&floor| floor > energy)
                || reach.ceiling.iter().any(|&ceiling| ceiling < energy)
        });
        for node in problem.nodes {
            let given = |slot| node.given_kw.at(slot);
            let rows = (0..problem.slots).map(|slot| this.draft.row(given(slot), given(slot)));
            let rows = rows.collect();
            this.balance.push(rows);
        }
        let idle = problem.idle_powers();
        for (index, idle) in idle.iter().enumerate() {
            this.add_node(problem, index, (idle, &tangents.kw[index]), forced);
        }
        for (member, reach) in problem.members.iter().zip(&reaches) {
            this.add_member(member, reach);
        }
        this.cost.resize(this.draft.columns.len(), 0.0);
        this
    }

    fn pay(&mut self, column: usize, cost: f64) {
        self.cost.resize(self.draft.columns.len(), 0.0);
        self.cost[column] += cost;
    }

    fn add_node(
        &mut self,
        problem: &GroupProblem<'_>,
        index: usize,
        (idle, tangents): (&[f64], &[Vec<f64>]),
        forced: bool,
    ) {
        let node = &problem.nodes[index];
        let hours = problem.slot_hours;
        let peaks = self.add_peaks(node);
        let mut breaches = Vec::new();
        let mut curtailed = Vec::new();
        for (slot, &idle) in idle.iter().enumerate() {
            let mut entries = vec![Entry { row: self.balance[index][slot], factor: 1.0 }];
            if let Some(parent) = node.parent {
                entries.push(Entry { row: self.balance[parent][slot], factor: -1.0 });
            }
            let (least, most) = (-node.export_kw_max.at(slot), node.import_kw_max.at(slot));
            let may_breach = node.breach_price.is_some() || forced || node.breach(slot, idle) > 0.0;
            let breach =
                may_breach.then(|| self.add_breach(node, (least, most), &mut entries, hours));
            breaches.push(breach);
            for cost in node.costs {
                let Some(pieces) = cost.pieces(slot, &tangents[slot]) else { continue };
                self.add_pieces(pieces, &mut entries, hours);
            }
            for &(column, baseline) in &peaks {
                let row = self.draft.row(f64::NEG_INFINITY, baseline);
                self.draft.enter(column, row, -1.0);
                entries.push(Entry { row, factor: 1.0 });
            }
            let bounds =
                if may_breach { (f64::NEG_INFINITY, f64::INFINITY) } else { (least, most) };
            self.draft.column(bounds.0, bounds.1, entries);
            curtailed.push(self.add_curtailed(node, index, slot));
        }
        self.breach.push(breaches);
        self.curtailed.push(curtailed);
    }

    /// A column of the highest power above each peak price's baseline, with that baseline.
    fn add_peaks(&mut self, node: &GroupNode<'_>) -> Vec<(usize, f64)> {
        let mut peaks = Vec::new();
        for cost in node.costs {
            match *cost {
                NodeCost::Peak { price_per_kw, baseline_kw } => {
                    let column = self.draft.column(0.0, f64::INFINITY, Vec::new());
                    self.pay(column, price_per_kw);
                    peaks.push((column, baseline_kw));
                }
                NodeCost::Supply { .. }
                | NodeCost::Follow { .. }
                | NodeCost::Quadratic { .. }
                | NodeCost::Meter { .. } => {}
            }
        }
        peaks
    }

    /// Columns of power over and under the limits.
    fn add_breach(
        &mut self,
        node: &GroupNode<'_>,
        (least, most): (f64, f64),
        power: &mut Vec<Entry>,
        hours: f64,
    ) -> [usize; 2] {
        let row = self.draft.row(least, most);
        power.push(Entry { row, factor: 1.0 });
        [-1.0, 1.0].map(|factor| {
            let column = self.draft.column(0.0, f64::INFINITY, vec![Entry { row, factor }]);
            match node.breach_price {
                Some(price) => self.pay(column, price * hours),
                None => self.violation.push(column),
            }
            column
        })
    }

    fn add_pieces(&mut self, pieces: Pieces, power: &mut Vec<Entry>, hours: f64) {
        let row = self.draft.row(pieces.anchor, pieces.anchor);
        power.push(Entry { row, factor: 1.0 });
        for piece in pieces.pieces {
            let entry = Entry { row, factor: -piece.sign };
            let column = self.draft.column(0.0, piece.kw, vec![entry]);
            self.pay(column, piece.price * hours);
        }
    }

    fn add_curtailed(&mut self, node: &GroupNode<'_>, index: usize, slot: usize) -> Option<usize> {
        let most = node.curtailable_kw.at(slot);
        let entry = Entry { row: self.balance[index][slot], factor: -1.0 };
        (most > 0.0).then(|| self.draft.column(0.0, most, vec![entry]))
    }

    fn add_member(&mut self, member: &GroupMember<'_>, reach: &Reach) {
        let problem = &member.problem;
        let mut columns = MemberColumns::default();
        let balance = |slot: usize| self.balance[member.node][member.first_slot + slot];
        let balance: Vec<u32> = (0..problem.slots()).map(balance).collect();
        let worth = problem.terminal_value;
        self.constant -= worth * problem.energy_kwh;
        let discharges = (0..problem.slots()).any(|slot| problem.discharge_kw_max.at(slot) > 0.0);
        for (slot, &row) in balance.iter().enumerate() {
            let gained = problem.charge_kwh_per_kw();
            let most = problem.charge_kw_max.at(slot);
            let charge = self.draft.column(0.0, most, vec![Entry { row, factor: -1.0 }]);
            self.pay(charge, problem.slot_hours * problem.buy[slot] - worth * gained);
            columns.charge.push(charge);
            if discharges {
                let lost = problem.discharge_kwh_per_kw();
                let most = problem.discharge_kw_max.at(slot);
                let column = self.draft.column(0.0, most, vec![Entry { row, factor: 1.0 }]);
                let earned = problem.sell[slot] - problem.degradation;
                self.pay(column, worth * lost - problem.slot_hours * earned);
                columns.discharge.push(column);
            }
        }
        self.add_missing(problem, reach, &mut columns);
        if discharges || !is_bound_at_end_only(problem, reach) {
            self.add_energies(problem, reach, &columns);
        } else {
            self.add_end(problem, reach, &columns);
        }
        self.members.push(columns);
    }

    fn add_missing(
        &mut self,
        problem: &StorageProblem<'_>,
        reach: &Reach,
        columns: &mut MemberColumns,
    ) {
        let wanted = problem.target_kwh - problem.energy_kwh;
        // One that may discharge could end below a target that it has met from the start.
        if wanted > 0.0 || !columns.discharge.is_empty() {
            let column = self.draft.column(0.0, f64::INFINITY, Vec::new());
            columns.missing = Some(column);
        }
        columns.lone_missing_kwh = reach.unmet.target.map_or(0.0, |missed| missed.missing_kwh);
        columns.wanted_kwh = (wanted - columns.lone_missing_kwh).max(0.0);
    }

    /// The end of a member that only charges, in one row or two.
    fn add_end(&mut self, problem: &StorageProblem<'_>, reach: &Reach, columns: &MemberColumns) {
        let gained = problem.charge_kwh_per_kw();
        let most: f64 = columns.charge.iter().map(|&at| self.draft.columns[at].upper).sum();
        let ceiling = reach.ceiling.last().map_or(0.0, |most| most - problem.energy_kwh);
        if most * gained > ceiling {
            let row = self.draft.row(f64::NEG_INFINITY, ceiling);
            columns.charge.iter().for_each(|&column| self.draft.enter(column, row, gained));
        }
        if let Some(missing) = columns.missing {
            let row = self.draft.row(problem.target_kwh - problem.energy_kwh, f64::INFINITY);
            columns.charge.iter().for_each(|&column| self.draft.enter(column, row, gained));
            self.draft.enter(missing, row, 1.0);
        }
    }

    fn add_energies(
        &mut self,
        problem: &StorageProblem<'_>,
        reach: &Reach,
        columns: &MemberColumns,
    ) {
        let mut before: Option<usize> = None;
        for slot in 0..problem.slots() {
            let start = if before.is_none() { problem.energy_kwh } else { 0.0 };
            let row = self.draft.row(start, start);
            if let Some(before) = before {
                self.draft.enter(before, row, -1.0);
            }
            self.draft.enter(columns.charge[slot], row, -problem.charge_kwh_per_kw());
            if let Some(&discharge) = columns.discharge.get(slot) {
                self.draft.enter(discharge, row, problem.discharge_kwh_per_kw());
            }
            let (floor, ceiling) = (reach.floor[slot], reach.ceiling[slot]);
            let energy = self.draft.column(floor, ceiling, vec![Entry { row, factor: 1.0 }]);
            if floor > problem.energy_kwh {
                self.soften(energy, (floor, f64::INFINITY), 1.0);
                self.draft.columns[energy].lower = f64::NEG_INFINITY;
            }
            if ceiling < problem.energy_kwh {
                self.soften(energy, (f64::NEG_INFINITY, ceiling), -1.0);
                self.draft.columns[energy].upper = f64::INFINITY;
            }
            before = Some(energy);
        }
        if let (Some(end), Some(missing)) = (before, columns.missing) {
            let row = self.draft.row(problem.target_kwh, f64::INFINITY);
            self.draft.enter(end, row, 1.0);
            self.draft.enter(missing, row, 1.0);
        }
    }

    /// A bound that standing still does not keep, and so limits may not let it.
    fn soften(&mut self, energy: usize, (least, most): (f64, f64), sign: f64) {
        let row = self.draft.row(least, most);
        self.draft.enter(energy, row, 1.0);
        let off = self.draft.column(0.0, f64::INFINITY, vec![Entry { row, factor: sign }]);
        self.off_bounds.push(off);
    }

    /// Charging and discharging of a member's slot exclude each other by a binary.
    pub(super) fn exclude(&mut self, member: usize, slot: usize) {
        let columns = &self.members[member];
        let (charge, discharge) = (columns.charge[slot], columns.discharge[slot]);
        let (up, down) = (self.draft.columns[charge].upper, self.draft.columns[discharge].upper);
        let charging = self.draft.row(f64::NEG_INFINITY, 0.0);
        let discharging = self.draft.row(f64::NEG_INFINITY, down);
        self.draft.enter(charge, charging, 1.0);
        self.draft.enter(discharge, discharging, 1.0);
        let entries =
            vec![Entry { row: charging, factor: -up }, Entry { row: discharging, factor: down }];
        let binary = self.draft.column(0.0, 1.0, entries);
        self.draft.columns[binary].whole = true;
        self.cost.resize(self.draft.columns.len(), 0.0);
    }
}

/// Energies that a member can reach, its target left aside; `unmet` says what it misses alone.
pub(super) fn reach(problem: &StorageProblem<'_>) -> Reach {
    let mut with_target = Reach::default();
    with_target.explore(problem);
    let mut reach = Reach::default();
    reach.explore(&StorageProblem { target_kwh: f64::NEG_INFINITY, ..*problem });
    reach.unmet = with_target.unmet;
    reach
}

/// Whether a member that only charges keeps its bounds on the way if it keeps the last ceiling.
fn is_bound_at_end_only(problem: &StorageProblem<'_>, reach: &Reach) -> bool {
    let Some(&end) = reach.ceiling.last() else { return true };
    let energy = problem.energy_kwh;
    end >= energy
        && reach.floor.iter().all(|&floor| floor <= energy)
        && reach.ceiling.iter().all(|&ceiling| ceiling >= end)
}

impl GroupProblem<'_> {
    /// Powers of nodes where no member does anything and nothing is curtailed, kW.
    pub(super) fn idle_powers(&self) -> Vec<Vec<f64>> {
        let given = |node: &GroupNode<'_>| (0..self.slots).map(|at| node.given_kw.at(at)).collect();
        let given: Vec<Vec<f64>> = self.nodes.iter().map(given).collect();
        self.with_below(&given)
    }

    /// The least and the highest powers that nodes could have, limits left aside, kW.
    pub(super) fn reachable_powers(&self) -> [Vec<Vec<f64>>; 2] {
        let given = |node: &GroupNode<'_>| (0..self.slots).map(|at| node.given_kw.at(at)).collect();
        let mut least: Vec<Vec<f64>> = self.nodes.iter().map(given).collect();
        let mut most = least.clone();
        for (node, most) in self.nodes.iter().zip(&mut most) {
            let slots = most.iter_mut().enumerate();
            slots.for_each(|(slot, most)| *most += node.curtailable_kw.at(slot));
        }
        for member in self.members {
            for slot in 0..member.problem.slots() {
                let at = member.first_slot + slot;
                most[member.node][at] += member.problem.charge_kw_max.at(slot);
                least[member.node][at] -= member.problem.discharge_kw_max.at(slot);
            }
        }
        [self.with_below(&least), self.with_below(&most)]
    }
}
