//! What couples members: convex terms of the power of nodes, each with prices of its own.
//!
//! A term f of a node's power P has a price λ a slot. At prices of all terms a group falls apart:
//! its members, and each term by itself, which is worth `max_z λ·(z − idle) − f(z)`. The augmented
//! Lagrangian puts a spring between P and z:
//!
//! ```text
//! λ' = λ + ρ·(P − z)   with z where f's own slope is λ'
//! ```
//! A hard limit is a term with infinite slopes, a quadratic one needs no spring. Prices and slopes
//! here are per kW and slot; power is a node's with what is given there.

use super::{GroupNode, GroupProblem, NodeCost, cost::Pieces};
use crate::problem::PerSlot;

/// One convex term of a node's power.
pub(super) enum Term {
    /// Hard limits, kW: most drawn and most fed in, by slot.
    Limits {
        /// Most drawn.
        import: Vec<f64>,
        /// Most fed in.
        export: Vec<f64>,
    },
    /// Straight lines, by slot.
    Lines(Vec<Line>),
    /// A slope that rises by so much a kW of distance from an anchor, by slot.
    Quadratic {
        /// Where the slope is 0, kW.
        anchor: Vec<f64>,
        /// By what it rises.
        rise: Vec<f64>,
    },
    /// A price on the highest power above a baseline.
    Peak {
        /// Per kW.
        price: f64,
        /// What is free, kW.
        baseline: f64,
    },
}

/// A convex function of straight lines: one more slope than there are breaks.
pub(super) struct Line {
    breaks: Vec<f64>,
    slopes: Vec<f64>,
    /// What it is at the breaks.
    values: Vec<f64>,
}

impl Line {
    fn of(pieces: &Pieces, hours: f64) -> Self {
        let mut this = Self { breaks: vec![pieces.anchor], slopes: Vec::new(), values: vec![0.0] };
        let side = |sign: f64| pieces.pieces.iter().filter(move |piece| piece.sign * sign > 0.0);
        for piece in side(-1.0).filter(|piece| piece.kw > 0.0) {
            this.slopes.insert(0, -piece.price * hours);
            if piece.kw.is_finite() {
                this.breaks.insert(0, this.breaks[0] - piece.kw);
                this.values.insert(0, this.values[0] + piece.price * hours * piece.kw);
            }
        }
        for piece in side(1.0).filter(|piece| piece.kw > 0.0) {
            this.slopes.push(piece.price * hours);
            if piece.kw.is_finite() {
                let last = this.breaks.len() - 1;
                this.breaks.push(this.breaks[last] + piece.kw);
                this.values.push(this.values[last] + piece.price * hours * piece.kw);
            }
        }
        this
    }

    /// A price a kWh beyond limits.
    fn beyond(import: f64, export: f64, price: f64) -> Self {
        let (mut breaks, mut slopes) = (Vec::new(), vec![0.0]);
        if export.is_finite() {
            breaks.push(-export);
            slopes.insert(0, -price);
        }
        if import.is_finite() {
            breaks.push(import);
            slopes.push(price);
        }
        Self { values: vec![0.0; breaks.len()], breaks, slopes }
    }

    fn value(&self, power: f64) -> f64 {
        let at = self.breaks.partition_point(|&kw| kw < power);
        let near = at.saturating_sub(1);
        let Some(&kw) = self.breaks.get(near) else { return 0.0 };
        self.values[near] + self.slopes[at] * (power - kw)
    }

    fn slope(&self, power: f64) -> f64 {
        self.slopes[self.breaks.partition_point(|&kw| kw < power)]
    }

    /// λ' of the module's header.
    fn price(&self, price: f64, stiffness: f64, power: f64) -> f64 {
        let (mut low, mut high) = (0, self.breaks.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let there = price + stiffness * (power - self.breaks[middle]);
            if there > self.slopes[middle + 1] { low = middle + 1 } else { high = middle }
        }
        match self.breaks.get(low) {
            Some(kw) => (price + stiffness * (power - kw)).max(self.slopes[low]),
            None => self.slopes[low],
        }
    }

    /// The power nearest to `power` at which its slope is `price`.
    fn wanted(&self, price: f64, power: f64) -> f64 {
        let below = self.slopes.partition_point(|&slope| slope < price);
        let upto = self.slopes.partition_point(|&slope| slope <= price);
        let at = |index: usize| self.breaks.get(index).copied();
        let least = below.checked_sub(1).and_then(at).unwrap_or(f64::NEG_INFINITY);
        let most = upto.checked_sub(1).and_then(at).unwrap_or(f64::INFINITY);
        power.max(least).min(most)
    }

    fn clamp(&self, price: f64) -> f64 {
        let (least, most) = (self.slopes[0], self.slopes[self.slopes.len() - 1]);
        price.clamp(least, most)
    }
}

/// The least level from `least` on above which values lie by no more than `sum` together.
fn level(values: impl Iterator<Item = f64> + Clone, sum: f64, least: f64) -> f64 {
    let mut level = least;
    // Newton on a convex function from below: no step goes too far.
    loop {
        let above = values.clone().map(|value| value - level).filter(|&above| above > 0.0);
        let (total, count) =
            above.fold((0.0, 0.0), |(sum, count), above| (sum + above, count + 1.0));
        let step = (total - sum) / f64::max(count, 1.0);
        if step <= 1e-13 * level.abs().max(1.0) {
            return level;
        }
        level += step;
    }
}

/// λ' of hard limits, given λ and ρ.
#[inline]
fn limit_price((price, stiffness): (f64, f64), power: f64, (import, export): (f64, f64)) -> f64 {
    let over = price.max(0.0) + stiffness * (power - import);
    let under = (-price).max(0.0) + stiffness * (-power - export);
    over.max(0.0) - under.max(0.0)
}

/// λ' of a peak whose level is known.
#[inline]
fn peak_price((price, stiffness): (f64, f64), power: f64, level: f64) -> f64 {
    (price + stiffness * (power - level)).max(0.0)
}

/// Sum of changes times prices at a share of the changes.
#[inline]
fn sum_along(
    (power, changes, share): (&[f64], &[(usize, f64)], f64),
    price: impl Fn(usize, f64) -> f64,
) -> f64 {
    changes.iter().map(|&(slot, by)| by * price(slot, power[slot] + share * by)).sum()
}

/// The highest price of a limit: nothing where there is none.
fn room_price(limit: f64) -> f64 {
    if limit.is_finite() { f64::INFINITY } else { 0.0 }
}

impl Term {
    /// What λ' depends on beside a slot's own power: the level above which a peak is paid for.
    pub(super) fn level(
        &self,
        prices: &[f64],
        stiffness: f64,
        power: impl Iterator<Item = f64> + Clone,
    ) -> f64 {
        match *self {
            Self::Peak { price, baseline } => {
                let leaning = power.zip(prices).map(|(power, price)| power + price / stiffness);
                level(leaning, price / stiffness, baseline)
            }
            Self::Limits { .. } | Self::Lines(_) | Self::Quadratic { .. } => 0.0,
        }
    }

    /// λ' of a slot at a power, given λ.
    pub(super) fn price(
        &self,
        slot: usize,
        (price, stiffness): (f64, f64),
        power: f64,
        level: f64,
    ) -> f64 {
        match self {
            Self::Limits { import, export } => {
                limit_price((price, stiffness), power, (import[slot], export[slot]))
            }
            Self::Lines(lines) => lines[slot].price(price, stiffness, power),
            Self::Quadratic { anchor, rise } => rise[slot] * (power - anchor[slot]),
            Self::Peak { .. } => peak_price((price, stiffness), power, level),
        }
    }

    /// How it rises along changes, by slot and kW, at a share of them; its kind is asked once.
    pub(super) fn slope_along(
        &self,
        (prices, stiffness): (&[f64], f64),
        (power, changes, share): (&[f64], &[(usize, f64)], f64),
        level: f64,
    ) -> f64 {
        let way = (power, changes, share);
        match self {
            Self::Limits { import, export } => sum_along(way, |slot, power| {
                limit_price((prices[slot], stiffness), power, (import[slot], export[slot]))
            }),
            Self::Lines(lines) => {
                sum_along(way, |slot, power| lines[slot].price(prices[slot], stiffness, power))
            }
            Self::Quadratic { anchor, rise } => {
                sum_along(way, |slot, power| rise[slot] * (power - anchor[slot]))
            }
            Self::Peak { .. } => {
                sum_along(way, |slot, power| peak_price((prices[slot], stiffness), power, level))
            }
        }
    }

    /// Its slope at a node's powers, where it has one.
    pub(super) fn marginal(&self, power: &[f64]) -> Vec<f64> {
        let slots = power.iter().enumerate();
        match self {
            Self::Limits { .. } => vec![0.0; power.len()],
            Self::Lines(lines) => slots.map(|(slot, &power)| lines[slot].slope(power)).collect(),
            Self::Quadratic { anchor, rise } => {
                slots.map(|(slot, power)| rise[slot] * (power - anchor[slot])).collect()
            }
            Self::Peak { price, baseline } => {
                let highest = power.iter().fold(*baseline, |most, &power| most.max(power));
                let near =
                    |power: f64| power > *baseline && power >= highest - PEAK * highest.abs();
                let count = power.iter().filter(|&&power| near(power)).count().max(1) as f64;
                let share = |&power: &f64| if near(power) { price / count } else { 0.0 };
                power.iter().map(share).collect()
            }
        }
    }

    /// What it costs, hard limits left aside.
    pub(super) fn cost(&self, power: &[f64]) -> f64 {
        let slots = power.iter().enumerate();
        match self {
            Self::Limits { .. } => 0.0,
            Self::Lines(lines) => slots.map(|(slot, &power)| lines[slot].value(power)).sum(),
            Self::Quadratic { anchor, rise } => slots
                .map(|(slot, power)| {
                    let distance = power - anchor[slot];
                    0.5 * rise[slot] * distance * distance
                })
                .sum(),
            Self::Peak { price, baseline } => {
                price * power.iter().fold(0.0, |most: f64, power| most.max(power - baseline))
            }
        }
    }

    /// The powers that it would choose at prices, of several the nearest to `power`.
    fn wanted(&self, prices: &[f64], power: &[f64]) -> Vec<f64> {
        let slots = power.iter().zip(prices).enumerate();
        match self {
            Self::Limits { import, export } => slots
                .map(|(slot, (&power, &price))| {
                    let (most, least) = (import[slot], -export[slot]);
                    if price > 0.0 || (price == 0.0 && power > most) {
                        most
                    } else if price < 0.0 || power < least {
                        least
                    } else {
                        power
                    }
                })
                .collect(),
            Self::Lines(lines) => {
                slots.map(|(slot, (&power, &price))| lines[slot].wanted(price, power)).collect()
            }
            Self::Quadratic { anchor, rise } => slots
                .map(
                    |(slot, (power, price))| {
                        if rise[slot] > 0.0 { anchor[slot] + price / rise[slot] } else { *power }
                    },
                )
                .collect(),
            Self::Peak { price, baseline } => {
                let level = if prices.iter().sum::<f64>() < price * (1.0 - 1e-9) {
                    *baseline
                } else {
                    let at_top = power.iter().zip(prices).filter(|(_, price)| **price > 0.0);
                    let (sum, count) = at_top
                        .fold((0.0, 0.0), |(sum, count), (power, _)| (sum + power, count + 1.0));
                    baseline.max(sum / f64::max(count, 1.0))
                };
                let one = |(_, (power, price)): (usize, (&f64, &f64))| {
                    if *price > 0.0 { level } else { power.min(level) }
                };
                slots.map(one).collect()
            }
        }
    }

    /// What it is worth by itself at prices that it [knows](Self::project).
    fn worth(&self, prices: &[f64], idle: &[f64]) -> f64 {
        let slots = prices.iter().zip(idle).enumerate().filter(|(_, (price, _))| **price != 0.0);
        match self {
            Self::Limits { import, export } => slots
                .map(|(slot, (&price, idle))| {
                    let kw = if price > 0.0 { import[slot] } else { -export[slot] };
                    price * (kw - idle)
                })
                .sum(),
            // A price of 0 has its worth, too.
            Self::Lines(lines) => {
                let one = |((line, &price), &idle): ((&Line, &f64), &f64)| {
                    let kw = line.wanted(price, idle);
                    price * (kw - idle) - line.value(kw)
                };
                lines.iter().zip(prices).zip(idle).map(one).sum()
            }
            Self::Quadratic { anchor, rise } => slots
                .map(|(slot, (price, idle))| {
                    price * (anchor[slot] - idle) + 0.5 * price * price / rise[slot]
                })
                .sum(),
            Self::Peak { baseline, .. } => {
                slots.map(|(_, (price, idle))| price * (baseline - idle)).sum()
            }
        }
    }

    /// Moves prices to the nearest ones at which the term is worth something finite.
    pub(super) fn project(&self, prices: &mut [f64]) {
        match self {
            Self::Limits { import, export } => {
                for ((price, import), export) in prices.iter_mut().zip(import).zip(export) {
                    let (least, most) = (room_price(*export), room_price(*import));
                    *price = price.clamp(-least, most);
                }
            }
            Self::Lines(lines) => {
                prices.iter_mut().zip(lines).for_each(|(price, line)| *price = line.clamp(*price));
            }
            Self::Quadratic { rise, .. } => {
                let flat = prices.iter_mut().zip(rise).filter(|(_, rise)| **rise <= 0.0);
                flat.for_each(|(price, _)| *price = 0.0);
            }
            Self::Peak { price, .. } => {
                let above = level(prices.iter().copied(), *price, 0.0);
                for price in prices.iter_mut() {
                    *price = (*price - above).max(0.0);
                }
            }
        }
    }
}

/// Share of the highest power within which a power is as good as the highest.
const PEAK: f64 = 1e-2;

/// All terms of a group: first the hard limits of each node, by its index, then what costs.
pub(super) struct Terms {
    pub(super) all: Vec<Term>,
    /// Nodes of the terms.
    pub(super) node: Vec<usize>,
    /// Indices of the terms, by node.
    pub(super) at: Vec<Vec<usize>>,
    /// Power of nodes where nobody moves, kW.
    pub(super) idle_kw: Vec<Vec<f64>>,
    limits: usize,
}

impl Terms {
    pub(super) fn of(problem: &GroupProblem<'_>) -> Self {
        let each =
            |of: PerSlot<'_>| -> Vec<f64> { (0..problem.slots).map(|at| of.at(at)).collect() };
        let open = || vec![f64::INFINITY; problem.slots];
        let limits = problem.nodes.len();
        let mut this = Self {
            all: Vec::new(),
            node: (0..limits).collect(),
            at: (0..limits).map(|node| vec![node]).collect(),
            idle_kw: problem.idle_powers(),
            limits,
        };
        for node in problem.nodes {
            let (import, export) = match node.breach_price {
                Some(_) => (open(), open()),
                None => (each(node.import_kw_max), each(node.export_kw_max)),
            };
            this.all.push(Term::Limits { import, export });
        }
        for (index, node) in problem.nodes.iter().enumerate() {
            let soft = node.breach_price.map(|price| soft(problem, node, price));
            let costs = node.costs.iter().map(|cost| term(problem, cost));
            for term in soft.into_iter().chain(costs) {
                this.at[index].push(this.all.len());
                this.node.push(index);
                this.all.push(term);
            }
        }
        this
    }

    /// Whether something costs beside what members pay.
    pub(super) fn have_costs(&self) -> bool {
        self.all.len() > self.limits
    }

    /// Whether a term counts; `costs`: what costs does.
    pub(super) fn counts(&self, term: usize, costs: bool) -> bool {
        costs || term < self.limits
    }

    /// What powers of nodes cost.
    pub(super) fn cost(&self, node_kw: &[Vec<f64>]) -> f64 {
        let costs = self.all.iter().zip(&self.node).skip(self.limits);
        costs.map(|(term, &node)| term.cost(&node_kw[node])).sum()
    }

    /// The slope of each term at powers of nodes; 0 for limits.
    pub(super) fn marginal(&self, node_kw: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.all.iter().zip(&self.node).map(|(term, &node)| term.marginal(&node_kw[node])).collect()
    }

    /// Sums of the terms' prices, by node.
    pub(super) fn by_node(&self, prices: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut sums = prices[..self.limits].to_vec();
        for (prices, &node) in prices.iter().zip(&self.node).skip(self.limits) {
            sums[node].iter_mut().zip(prices).for_each(|(sum, price)| *sum += price);
        }
        sums
    }

    /// Room of a node's hard limit on what is drawn beside what is given, kW.
    pub(super) fn import_room(&self, node: usize, slot: usize) -> f64 {
        match &self.all[node] {
            Term::Limits { import, .. } => import[slot] - self.idle_kw[node][slot],
            Term::Lines(_) | Term::Quadratic { .. } | Term::Peak { .. } => f64::INFINITY,
        }
    }

    /// The largest breach of each node's hard limits, as a share of the room there or of `least` kW.
    pub(super) fn breaches(&self, node_kw: &[Vec<f64>], least: f64) -> Vec<f64> {
        let one = |(node, powers): (usize, &Vec<f64>)| {
            let Term::Limits { import, export } = &self.all[node] else { return 0.0 };
            let mut breach = 0.0_f64;
            for (slot, power) in powers.iter().enumerate() {
                let idle = self.idle_kw[node][slot];
                let over = (power - import[slot]) / (import[slot] - idle).max(least);
                let under = (-power - export[slot]) / (export[slot] + idle).max(least);
                breach = breach.max(over).max(under);
            }
            breach
        };
        node_kw.iter().enumerate().map(one).collect()
    }

    /// What the terms that count are worth by themselves at prices.
    pub(super) fn worth(&self, prices: &[Vec<f64>], costs: bool) -> f64 {
        let counting = (0..self.all.len()).filter(|&term| self.counts(term, costs));
        counting
            .map(|term| self.all[term].worth(&prices[term], &self.idle_kw[self.node[term]]))
            .sum()
    }

    /// How a bound rises with each price where nodes have these powers.
    pub(super) fn slopes(
        &self,
        prices: &[Vec<f64>],
        node_kw: &[Vec<f64>],
        costs: bool,
    ) -> Vec<Vec<f64>> {
        let one = |term: usize| {
            let power = &node_kw[self.node[term]];
            if !self.counts(term, costs) {
                return vec![0.0; power.len()];
            }
            let wanted = self.all[term].wanted(&prices[term], power);
            power.iter().zip(wanted).map(|(power, wanted)| power - wanted).collect()
        };
        (0..self.all.len()).map(one).collect()
    }

    pub(super) fn project(&self, prices: &mut [Vec<f64>], costs: bool) {
        for (term, prices) in prices.iter_mut().enumerate() {
            if self.counts(term, costs) {
                self.all[term].project(prices);
            }
        }
    }
}

fn soft(problem: &GroupProblem<'_>, node: &GroupNode<'_>, price: f64) -> Term {
    let line = |slot| {
        let (import, export) = (node.import_kw_max.at(slot), node.export_kw_max.at(slot));
        Line::beyond(import, export, price * problem.slot_hours)
    };
    Term::Lines((0..problem.slots).map(line).collect())
}

fn term(problem: &GroupProblem<'_>, cost: &NodeCost<'_>) -> Term {
    let hours = problem.slot_hours;
    match *cost {
        NodeCost::Peak { price_per_kw, baseline_kw } => {
            Term::Peak { price: price_per_kw, baseline: baseline_kw }
        }
        NodeCost::Quadratic { anchor_kw, slope } => Term::Quadratic {
            anchor: (0..problem.slots).map(|slot| anchor_kw.at(slot)).collect(),
            rise: (0..problem.slots).map(|slot| slope.at(slot) * hours).collect(),
        },
        NodeCost::Supply { .. } | NodeCost::Follow { .. } | NodeCost::Meter { .. } => {
            let pieces = (0..problem.slots).filter_map(|slot| cost.pieces(slot, &[]));
            Term::Lines(pieces.map(|pieces| Line::of(&pieces, hours)).collect())
        }
    }
}
