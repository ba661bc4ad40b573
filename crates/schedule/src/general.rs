//! The value function of stored energy where it is not convex: a piecewise linear curve.
//!
//! Branch and bound is quick where prices differ, and hopeless where many slots that are not
//! convex cost nearly the same. There the value function itself is carried forward: the least cost
//! `V_t(E)` of having E kWh after slot t, as a polyline. A slot's cost has corners at full
//! discharge, 0 and full charge, so between two corners of the result the best move either goes to
//! one of these three, or comes from a corner of `V_{t−1}`: at most five straight lines, whose
//! lower envelope is the curve. With power limits that do not change, corners lie on a lattice of
//! sums of full charges and discharges, so that there are at most O(T²) of them.

use crate::{answer::ENERGY_TOLERANCE, problem::StorageProblem, reach::Reach};
use std::collections::VecDeque;

/// Corners closer than this are one, kWh.
const SAME: f64 = 1e-11;

/// A corner: stored energy, kWh, and the least cost of having it.
#[derive(Debug, Clone, Copy)]
struct Corner {
    energy: f64,
    cost: f64,
}

/// What one slot allows.
#[derive(Debug, Clone, Copy)]
struct Step {
    up: f64,
    down: f64,
    charge: f64,
    discharge: f64,
}

impl Step {
    fn of(problem: &StorageProblem<'_>, reach: &Reach, slot: usize) -> Self {
        let slope = problem.slope(slot);
        Self {
            up: reach.up[slot],
            down: reach.down[slot],
            charge: slope.charge,
            discharge: slope.discharge,
        }
    }

    fn cost(&self, energy: f64) -> f64 {
        energy * if energy > 0.0 { self.charge } else { self.discharge }
    }
}

/// A straight line over one stretch between corners: its values at both ends.
#[derive(Debug, Clone, Copy)]
struct Line {
    left: f64,
    right: f64,
}

/// Solves a problem exactly; `None` where a curve gets more than `most_corners`.
/// Gives the energy that enters each slot, kWh.
pub(crate) fn solve(
    problem: &StorageProblem<'_>,
    reach: &Reach,
    most_corners: usize,
) -> Option<Vec<f64>> {
    let slots = problem.slots();
    // All of them are kept for the way back, which asks each where the best move came from.
    let mut curves = vec![vec![Corner { energy: problem.energy_kwh, cost: 0.0 }]];
    for slot in 0..slots {
        let next = advance(
            &curves[slot],
            Step::of(problem, reach, slot),
            reach.floor[slot],
            reach.ceiling[slot],
        );
        if next.len() > most_corners {
            return None;
        }
        curves.push(next);
    }
    let net = |corner: &&Corner| corner.cost - problem.terminal_value * corner.energy;
    let end = curves[slots].iter().min_by(|a, b| net(a).total_cmp(&net(b)))?;
    let mut energy = end.energy;
    let mut stored = vec![0.0; slots];
    for slot in (0..slots).rev() {
        stored[slot] = best_move(&curves[slot], Step::of(problem, reach, slot), energy)?.0;
        energy -= stored[slot];
    }
    Some(stored)
}

/// The cheapest way to `energy` in one slot: the energy moved, and the cost so far.
fn best_move(before: &[Corner], step: Step, energy: f64) -> Option<(f64, f64)> {
    let (first, last) = (before.first()?.energy, before.last()?.energy);
    let straight = [0.0, step.up, -step.down].into_iter().filter_map(|moved| {
        let from = energy - moved;
        let inside = from >= first - ENERGY_TOLERANCE && from <= last + ENERGY_TOLERANCE;
        inside.then(|| (moved, value(before, from) + step.cost(moved)))
    });
    let from_corners = before.iter().filter_map(|corner| {
        let moved = energy - corner.energy;
        let can = moved <= step.up + ENERGY_TOLERANCE && moved >= -step.down - ENERGY_TOLERANCE;
        can.then(|| (moved, corner.cost + step.cost(moved)))
    });
    straight.chain(from_corners).min_by(|a, b| a.1.total_cmp(&b.1))
}

/// The curve at `energy`, which lies in it up to rounding.
fn value(curve: &[Corner], energy: f64) -> f64 {
    let right =
        curve.partition_point(|corner| corner.energy < energy).clamp(1, curve.len().max(2) - 1);
    if curve.len() < 2 { curve[0].cost } else { through(curve[right - 1], curve[right], energy) }
}

/// The line through two corners, at `energy`.
fn through(a: Corner, b: Corner, energy: f64) -> f64 {
    a.cost + (b.cost - a.cost) * ((energy - a.energy) / (b.energy - a.energy))
}

/// The curve after one slot, between `floor` and `ceiling`.
fn advance(before: &[Corner], step: Step, floor: f64, ceiling: f64) -> Vec<Corner> {
    let (first, last) = (before[0].energy, before[before.len() - 1].energy);
    let grid = grid(before, step, (first - step.down).max(floor), (last + step.up).min(ceiling));
    let mut after = Vec::with_capacity(grid.len());
    let mut rising = Window::default();
    let mut falling = Window::default();
    for ends in grid.windows(2) {
        let (left, right) = (ends[0], ends[1]);
        // No corner can be reached over a part of a stretch only, so that its middle tells which
        // can, free of rounding at the ends.
        let middle = f64::midpoint(left, right);
        let straight =
            [0.0, step.up, -step.down].map(|moved| shifted(before, step, moved, left, right));
        let from_corner = |corner: Corner, slope: f64| Line {
            left: corner.cost + slope * (left - corner.energy),
            right: corner.cost + slope * (right - corner.energy),
        };
        let up = rising.best(before, step.charge, middle - step.up, middle);
        let down = falling.best(before, step.discharge, middle, middle + step.down);
        let up = up.map(|corner| from_corner(corner, step.charge));
        let down = down.map(|corner| from_corner(corner, step.discharge));
        let lines: Vec<Line> = straight.into_iter().chain([up, down]).flatten().collect();
        envelope(&lines, left, right, &mut after);
    }
    if after.is_empty() {
        // Bounds that meet leave one energy.
        let energy = grid[0];
        after.extend(best_move(before, step, energy).map(|(_, cost)| Corner { energy, cost }));
    }
    after
}

/// Over one stretch, the curve moved by a fixed energy at its cost; `None` where the curve has
/// ended.
fn shifted(before: &[Corner], step: Step, moved: f64, left: f64, right: f64) -> Option<Line> {
    let from = f64::midpoint(left, right) - moved;
    let piece = before.partition_point(|corner| corner.energy < from);
    let &[a, b] = before.get(piece.checked_sub(1)?..=piece)? else { return None };
    let at = |energy: f64| through(a, b, energy - moved) + step.cost(moved);
    Some(Line { left: at(left), right: at(right) })
}

/// Where the curve after a slot can have corners, apart from crossings: sorted, ends included.
fn grid(before: &[Corner], step: Step, low: f64, high: f64) -> Vec<f64> {
    let shifts = [-step.down, 0.0, step.up];
    let mut grid: Vec<f64> =
        before.iter().flat_map(|corner| shifts.map(|shift| corner.energy + shift)).collect();
    grid.retain(|&energy| energy > low + SAME && energy < high - SAME);
    grid.push(low);
    if high > low + SAME {
        grid.push(high);
    }
    grid.sort_unstable_by(f64::total_cmp);
    grid.dedup_by(|b, a| *b - *a < SAME);
    grid
}

/// The least `cost − slope·energy` among the corners in a window that moves to the right.
#[derive(Debug, Default)]
struct Window {
    entered: usize,
    /// Indices of corners that may still become the least, better ones first.
    waiting: VecDeque<usize>,
}

impl Window {
    fn best(&mut self, corners: &[Corner], slope: f64, low: f64, high: f64) -> Option<Corner> {
        let key = |index: usize| corners[index].cost - slope * corners[index].energy;
        // Both ends of the window only move to the right, as stretches do: each corner enters once.
        while self.entered < corners.len() && corners[self.entered].energy <= high {
            while self.waiting.back().is_some_and(|&index| key(index) >= key(self.entered)) {
                self.waiting.pop_back();
            }
            self.waiting.push_back(self.entered);
            self.entered += 1;
        }
        while self.waiting.front().is_some_and(|&index| corners[index].energy < low) {
            self.waiting.pop_front();
        }
        self.waiting.front().map(|&index| corners[index])
    }
}

/// Appends the lower envelope of `lines` between `left` and `right` to the curve.
fn envelope(lines: &[Line], left: f64, right: f64, curve: &mut Vec<Corner>) {
    // Position along the stretch, 0 at its left and 1 at its right end.
    let at = |line: &Line, position: f64| line.left + (line.right - line.left) * position;
    let slope = |line: &Line| line.right - line.left;
    let lower =
        |a: &&Line, b: &&Line| a.left.total_cmp(&b.left).then(slope(a).total_cmp(&slope(b)));
    let Some(mut lowest) = lines.iter().min_by(lower) else { return };
    let mut position = 0.0;
    push(curve, Corner { energy: left, cost: lowest.left });
    loop {
        let crossing = |line: &Line| {
            let closing = slope(lowest) - slope(line);
            let apart = at(line, position) - at(lowest, position);
            // Where two lines meet, rounding may put the flatter one below already.
            (closing > 0.0).then(|| position + apart.max(0.0) / closing)
        };
        let next = lines.iter().filter_map(|line| crossing(line).map(|at| (at, line)));
        let sooner = |a: &(f64, &Line), b: &(f64, &Line)| {
            a.0.total_cmp(&b.0).then(slope(a.1).total_cmp(&slope(b.1)))
        };
        match next.min_by(sooner) {
            Some((crossing, line)) if crossing < 1.0 => {
                (position, lowest) = (crossing, line);
                let energy = left + (right - left) * position;
                push(curve, Corner { energy, cost: at(line, position) });
            }
            _ => break,
        }
    }
    push(curve, Corner { energy: right, cost: lowest.right });
}

/// Appends a corner; drops the one before it where the line runs straight on.
fn push(curve: &mut Vec<Corner>, corner: Corner) {
    if let Some(last) = curve.last_mut()
        && corner.energy - last.energy < SAME
    {
        last.cost = last.cost.min(corner.cost);
        return;
    }
    // Corners on straight lines would be shifted by every slot, and their number would grow with
    // each.
    if let [.., a, b] = curve[..]
        && (through(a, corner, b.energy) - b.cost).abs() < 1e-13 * b.cost.abs().max(1.0)
    {
        curve.pop();
    }
    curve.push(corner);
}
