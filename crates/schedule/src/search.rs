//! Branch and bound over a linear program, on one model of Clp's that goes on from node to node.
//!
//! Beside whole columns it knows pairs of which one must be nothing: these need no binary, a node
//! holds one column of the pair at zero. Every node is one solve by the dual simplex from where its
//! parent ended. Nodes with the least bound come first; from there the search goes down, one child
//! at a time, until nothing is left to decide. The fork to branch at is the one whose two sides
//! raise the bound most by what was seen of it so far; a fork of which nothing was seen is tried.
//!
//! Work is counted in pivots and nodes, never in time, so that the same program is given the same
//! answer everywhere.

use std::{cmp::Ordering, collections::BinaryHeap, rc::Rc};
use voltide_clp::{LinearProgram, Outcome, Session, Vertex};

/// Pivots after which Clp has lost its way in one solve.
const PIVOTS_OF_NODE: u32 = 100_000;
/// Pivots for a first look at one side of a fork.
const PIVOTS_OF_TRIAL: u32 = 100;
/// Forks that are tried at a node at most.
const TRIALS: usize = 8;
/// What a column may be off by to count as whole, or as nothing beside its largest value.
const DECIDED: f64 = 1e-6;

/// What must be decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fork {
    /// A column is whole.
    Whole(usize),
    /// A column that can be whole wherever all else is decided.
    Count(usize),
    /// One of two columns that are not negative is nothing.
    OneOf(usize, usize),
}

/// New bounds of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) column: usize,
    pub(crate) lower: f64,
    pub(crate) upper: f64,
}

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work {
    /// Most solves of the program.
    pub(crate) nodes: u32,
    /// Relative gap that is good enough.
    pub(crate) gap: f64,
}

/// By how much an answer may lie above the best one and be good enough, of an objective.
pub(crate) fn forgiven(objective: f64, gap: f64) -> f64 {
    (gap * objective.abs()).max(1e-9 * objective.abs().max(1.0))
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The best values; `None` where no node had any.
    pub(crate) best: Option<Vec<f64>>,
    /// No values have a lower objective, as the program counts it.
    pub(crate) bound: f64,
}

/// A node that is still to be looked at.
struct Node {
    bound: f64,
    /// Of two with the same bound the younger one comes first: it is deeper.
    number: u32,
    path: Vec<Bounds>,
    vertex: Rc<Vertex>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        other.bound.total_cmp(&self.bound).then(self.number.cmp(&other.number))
    }
}

/// What was seen of the two sides of a fork: by how much a unit of what is undecided raised bounds.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    raised: [f64; 2],
    times: [u32; 2],
}

struct Search<'p> {
    session: Session<'p>,
    forks: &'p [Fork],
    scale: Vec<f64>,
    seen: Vec<Seen>,
    root: (Vec<f64>, Vec<f64>),
    work: Work,
    offset: f64,
    nodes: u32,
    best: Option<Vec<f64>>,
    best_at: f64,
    /// The least bound among nodes that were cut off although they lie below the best.
    cut_off: f64,
    open: BinaryHeap<Node>,
    number: u32,
}

/// Finds the least objective with every fork decided. Each of `starts` holds columns where a good
/// answer is thought to be. `offset` is what the objective has beside the program's costs.
pub(crate) fn search(
    program: &LinearProgram,
    offset: f64,
    forks: &[Fork],
    starts: &[Vec<Bounds>],
    work: Work,
) -> Found {
    let (lower, upper) = program.bounds();
    let scale = forks.iter().map(|fork| match *fork {
        Fork::Whole(_) | Fork::Count(_) => 1.0,
        Fork::OneOf(one, other) => upper[one].min(upper[other]).clamp(1e-9, 1e9),
    });
    let mut search = Search {
        session: Session::new(program),
        forks,
        scale: scale.collect(),
        seen: vec![Seen::default(); forks.len()],
        root: (lower.to_vec(), upper.to_vec()),
        work,
        offset,
        nodes: 0,
        best: None,
        best_at: f64::INFINITY,
        cut_off: f64::INFINITY,
        open: BinaryHeap::new(),
        number: 0,
    };
    search.run(starts)
}

/// What is to be done with a fork at a node.
struct Branch {
    /// The side that is looked at first, and the other one.
    sides: [Bounds; 2],
    bounds: [f64; 2],
}

impl Search<'_> {
    fn run(&mut self, starts: &[Vec<Bounds>]) -> Found {
        if self.solve(&[]) == Outcome::Optimal {
            let vertex = Rc::new(self.session.vertex());
            let bound = self.session.objective();
            let values = self.session.values().to_vec();
            self.push(bound, Vec::new(), vertex.clone());
            let rounded = self.rounded(&values);
            for start in starts.iter().chain([&rounded]) {
                self.session.go_to(&vertex);
                self.dive(start.clone(), f64::NEG_INFINITY, false);
            }
            while let Some(node) = self.open.pop() {
                if self.is_cut_off(node.bound) || self.is_spent() {
                    self.open.push(node);
                    break;
                }
                self.session.go_to(&node.vertex);
                self.dive(node.path, node.bound, true);
            }
        }
        let open = self.open.iter().map(|node| node.bound).fold(f64::INFINITY, f64::min);
        Found { best: self.best.take(), bound: open.min(self.cut_off).min(self.best_at) }
    }

    fn is_spent(&self) -> bool {
        self.nodes >= self.work.nodes
    }

    /// Whether nothing that is better by more than the gap can lie beyond a bound.
    fn is_cut_off(&self, bound: f64) -> bool {
        bound >= self.best_at - forgiven(self.best_at + self.offset, self.work.gap)
    }

    fn push(&mut self, bound: f64, path: Vec<Bounds>, vertex: Rc<Vertex>) {
        if self.is_cut_off(bound) {
            self.cut_off = self.cut_off.min(bound);
            return;
        }
        self.number += 1;
        self.open.push(Node { bound, number: self.number, path, vertex });
    }

    /// Solves a node.
    fn solve(&mut self, path: &[Bounds]) -> Outcome {
        self.nodes += 1;
        self.attempt(path, PIVOTS_OF_NODE)
    }

    fn attempt(&mut self, path: &[Bounds], pivots_max: u32) -> Outcome {
        let (mut lower, mut upper) = self.root.clone();
        for bounds in path {
            lower[bounds.column] = lower[bounds.column].max(bounds.lower);
            upper[bounds.column] = upper[bounds.column].min(bounds.upper);
        }
        self.session.solve(&lower, &upper, pivots_max)
    }

    /// Goes down from a node until nothing is left to decide; `keeps` the sides that are left
    /// aside.
    fn dive(&mut self, mut path: Vec<Bounds>, mut bound: f64, keeps: bool) {
        loop {
            match self.solve(&path) {
                Outcome::Optimal => bound = bound.max(self.session.objective()),
                Outcome::Infeasible => return,
                Outcome::Unbounded | Outcome::Stopped => return self.leave(bound, keeps),
            }
            if self.is_cut_off(bound) {
                return self.leave(bound, keeps);
            }
            let values = self.session.values().to_vec();
            let Some(branch) = self.branch(&values, &path, bound, keeps) else {
                return self.keep(&path, values);
            };
            let vertex = Rc::new(self.session.vertex());
            if keeps {
                let mut aside = path.clone();
                aside.push(branch.sides[1]);
                self.push(branch.bounds[1], aside, vertex.clone());
                if self.is_spent() {
                    path.push(branch.sides[0]);
                    self.push(branch.bounds[0], path, vertex);
                    return;
                }
            }
            path.push(branch.sides[0]);
            bound = bound.max(branch.bounds[0]);
        }
    }

    /// Remembers that a node was left which is not known to hold nothing better.
    fn leave(&mut self, bound: f64, keeps: bool) {
        if keeps {
            self.cut_off = self.cut_off.min(bound);
        }
    }

    /// Takes values with every fork decided for the best, with whole columns exactly whole.
    fn keep(&mut self, path: &[Bounds], values: Vec<f64>) {
        let whole = self.forks.iter().filter_map(|fork| match *fork {
            Fork::Whole(column) => {
                let value = values[column].round();
                Some(Bounds { column, lower: value, upper: value })
            }
            Fork::OneOf(..) | Fork::Count(_) => None,
        });
        let mut exact = path.to_vec();
        exact.extend(whole);
        let objective = self.session.objective();
        if exact.len() > path.len() && self.solve(&exact) == Outcome::Optimal {
            if self.session.objective() < self.best_at {
                self.best_at = self.session.objective();
                self.best = Some(self.session.values().to_vec());
            }
            return;
        }
        self.best_at = objective;
        self.best = Some(values);
    }

    /// How much of a fork is undecided on its first and its second side, and the sides.
    fn sides(&self, at: usize, values: &[f64]) -> ([f64; 2], [Bounds; 2]) {
        match self.forks[at] {
            Fork::Whole(column) | Fork::Count(column) => {
                let value = values[column];
                let below = value.floor();
                let (lower, upper) = (self.root.0[column], self.root.1[column]);
                (
                    [value - below, below + 1.0 - value],
                    [
                        Bounds { column, lower, upper: below },
                        Bounds { column, lower: below + 1.0, upper },
                    ],
                )
            }
            Fork::OneOf(one, other) => {
                let nothing = |column| Bounds { column, lower: 0.0, upper: 0.0 };
                (
                    [values[one], values[other]].map(|v| v / self.scale[at]),
                    [nothing(one), nothing(other)],
                )
            }
        }
    }

    /// The fork that is worth most; nothing where all are decided. Forks of which nothing is known
    /// are tried where that pays.
    fn branch(
        &mut self,
        values: &[f64],
        path: &[Bounds],
        bound: f64,
        tries: bool,
    ) -> Option<Branch> {
        let mut undecided: Vec<(f64, usize)> = (0..self.forks.len())
            .filter_map(|at| {
                let (open, _) = self.sides(at, values);
                let least = open[0].min(open[1]);
                (least * self.scale[at] > DECIDED).then_some((least, at))
            })
            .collect();
        // Counts are means to decide the rest, and nothing beside it.
        if undecided.iter().all(|&(_, at)| matches!(self.forks[at], Fork::Count(_))) {
            return None;
        }
        undecided.sort_by(|one, next| next.0.total_cmp(&one.0).then(one.1.cmp(&next.1)));
        if !tries && let Some(branch) = self.towards_one(&undecided, values, bound) {
            return Some(branch);
        }
        if tries {
            self.try_out(&undecided, values, path, bound);
        }
        let mean = self.mean();
        let score = |&(_, at): &(f64, usize)| {
            let (open, _) = self.sides(at, values);
            let gain = |side: usize| (open[side] * self.rate(at, side, mean)).max(1e-6);
            gain(0) * gain(1)
        };
        let best = undecided
            .iter()
            .map(|of| (score(of), of.1))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        let (open, sides) = self.sides(best.1, values);
        // The nearer side is looked at first.
        let [first, second] = if open[0] <= open[1] { [0, 1] } else { [1, 0] };
        Some(Branch { sides: [sides[first], sides[second]], bounds: [bound; 2] })
    }

    /// The whole column that is nearest to being one more, and made so; nothing where none is open.
    fn towards_one(
        &self,
        undecided: &[(f64, usize)],
        values: &[f64],
        bound: f64,
    ) -> Option<Branch> {
        let open = undecided.iter().filter(|of| matches!(self.forks[of.1], Fork::Whole(_)));
        let nearest = open
            .map(|&(_, at)| (self.sides(at, values), at))
            .reduce(|best, next| if next.0.0[1] < best.0.0[1] { next } else { best })?;
        let sides = nearest.0.1;
        Some(Branch { sides: [sides[1], sides[0]], bounds: [bound; 2] })
    }

    fn rate(&self, at: usize, side: usize, mean: f64) -> f64 {
        let Seen { raised, times } = self.seen[at];
        if times[side] == 0 { mean } else { raised[side] / f64::from(times[side]) }
    }

    fn mean(&self) -> f64 {
        let seen = self.seen.iter().flat_map(|seen| {
            (0..2).filter(|&s| seen.times[s] > 0).map(|s| seen.raised[s] / f64::from(seen.times[s]))
        });
        let (sum, count) = seen.fold((0.0, 0.0), |(sum, count), rate| (sum + rate, count + 1.0));
        if count > 0.0 { sum / count } else { 1.0 }
    }

    /// Looks at both sides of forks of which nothing is known yet.
    fn try_out(&mut self, undecided: &[(f64, usize)], values: &[f64], path: &[Bounds], bound: f64) {
        let unknown = |&&(_, at): &&(f64, usize)| self.seen[at].times.contains(&0);
        let tried: Vec<usize> =
            undecided.iter().filter(unknown).take(TRIALS).map(|of| of.1).collect();
        if tried.is_empty() {
            return;
        }
        let vertex = self.session.vertex();
        for at in tried {
            let (open, sides) = self.sides(at, values);
            for side in 0..2 {
                self.session.go_to(&vertex);
                let mut there = path.to_vec();
                there.push(sides[side]);
                self.nodes += 1;
                let outcome = self.attempt(&there, PIVOTS_OF_TRIAL);
                let raised = match outcome {
                    Outcome::Optimal | Outcome::Stopped => {
                        (self.session.objective() - bound).max(0.0)
                    }
                    Outcome::Infeasible | Outcome::Unbounded => bound.abs().max(1.0),
                };
                self.seen[at].raised[side] += raised / open[side];
                self.seen[at].times[side] += 1;
            }
        }
        self.session.go_to(&vertex);
    }

    /// Columns held where the larger part of every fork is.
    fn rounded(&self, values: &[f64]) -> Vec<Bounds> {
        let held = |at: usize| {
            let (open, sides) = self.sides(at, values);
            match self.forks[at] {
                Fork::OneOf(..) if open[0].max(open[1]) * self.scale[at] <= DECIDED => None,
                Fork::OneOf(..) => Some(if open[0] <= open[1] { sides[0] } else { sides[1] }),
                Fork::Whole(_) | Fork::Count(_) => None,
            }
        };
        (0..self.forks.len()).filter_map(held).collect()
    }
}
