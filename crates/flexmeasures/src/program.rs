//! The whole problem as a linear or mixed-integer program, for what couples devices or slots.
//!
//! Every device has three columns a slot (consumption c, production d, stock S), every set of
//! devices whose flow is limited or priced has one (F), and every price that bends has the
//! deviations above and below its baseline:
//!
//! ```text
//! min  Σ up·u + down·v
//!      S_j − a·S_{j−1} − b·h·(η_up·c_j − d_j/η_down) = b·drift_j
//!      F_j = Σ (c_j − d_j) + fixed,   F_j − baseline_j = u_j − v_j
//!      D ≥ F_j − baseline_j                    where the largest deviation is paid for
//! ```
//! Binaries stand only where a price bends the wrong way (paid more for producing than consuming
//! costs), for bands of power, and in the slots in which a solution without them consumes and
//! produces at once and gains by it.

use crate::{
    envelope::Envelope,
    exact::{Slopes, flow_range},
    hull,
    problem::{Course, Device, Members, Paid, Problem, Subject, Term, loss_coefficients},
};
use good_lp::{Expression, Variable, constraint, variable};
use voltide_schedule::{
    Outcome,
    linear::{Budget, Program, Solved},
};

/// Costs are scaled up by this, so that preferences of a millionth of a price are not within the
/// solver's tolerance of reduced costs.
const SCALE: f64 = 1e4;
/// What a schedule may be off by, kW and kWh.
const TOLERANCE: f64 = 1e-6;
/// Power below this in one direction is rounding, kW.
const AT_ONCE: f64 = 1e-7;
/// Programs that are tried with more and more binaries.
const ROUNDS: usize = 8;
/// Relaxed programs that are solved for more slots that need binaries before a search.
const RELAXATIONS: usize = 12;
/// Share of the objective that a search need not close: half of what counts as rounding. The other
/// half is for what a schedule costs more than CBC claims.
const GAP: f64 = 5e-8;
/// A relaxed binary this near to 0 or 1 is left there at first, where the problem is not large.
const WHOLE: f64 = 1e-6;
/// Most nodes of a search tree of few device-slots.
const NODES_MAX: u32 = 200_000;
/// Nodes times the square of device-slots that a search may go through: what a node costs grows so,
/// and this many take seconds, or some tens of them where the root is hard.
const WORK: f64 = 5e7;
/// Of more device-slots even the root of a search tree takes minutes: relaxed binaries are rounded.
const SEARCHED: usize = 1_000;

/// Columns of a device, one a slot.
#[derive(Debug, Default)]
struct Columns {
    charge: Vec<Variable>,
    discharge: Vec<Variable>,
    stock: Vec<Variable>,
    /// The binary of a slot, where there is one: 1 allows to charge, 0 to discharge.
    charging: Vec<Option<Variable>>,
}

/// A program under construction.
struct Builder<'a> {
    problem: &'a Problem,
    envelopes: &'a [Envelope],
    program: Program,
    binaries: Binaries<'a>,
    columns: Vec<Columns>,
    /// Flows that are limited or priced, one column a slot.
    flows: Vec<(Members, Vec<Variable>)>,
}

/// Bounds of a flow, kW, with the columns that count what is beyond them.
#[derive(Debug, Clone, Copy)]
struct Band {
    least: f64,
    most: f64,
    above: Option<Variable>,
    below: Option<Variable>,
}

impl Default for Band {
    fn default() -> Self {
        Self { least: f64::NEG_INFINITY, most: f64::INFINITY, above: None, below: None }
    }
}

/// Whether binaries must be whole.
#[derive(Debug, Clone, Copy)]
enum Binaries<'a> {
    Whole,
    Relaxed,
    /// Whole, and as they are where a relaxed solution has them nearer to whole than this.
    Near(&'a Bound, f64),
}

/// A solution with relaxed binaries.
#[derive(Debug)]
struct Bound {
    /// What no schedule costs less than, scaled.
    cost: f64,
    /// The binaries of each device.
    charging: Vec<Vec<Option<f64>>>,
}

/// Solves a problem through CBC, within a bound of work that depends on its size alone: what is not
/// proven by then comes with its gap.
pub(crate) fn solve(problem: &Problem) -> (Outcome, Option<Course>) {
    let hours = problem.grid.hours();
    let envelopes: Option<Vec<Envelope>> = problem
        .devices
        .iter()
        .map(|device| Envelope::between(device, &device.floor, &device.ceiling, hours))
        .collect();
    let Some(envelopes) = envelopes else { return (Outcome::Infeasible, None) };
    // Slots in which a device has a binary.
    let mut exclusive = vec![vec![false; problem.grid.slots]; problem.devices.len()];
    // What costs more than CBC claimed, for want of binaries.
    let mut dearer = None;
    for round in 0..ROUNDS {
        let bound = relax(problem, &envelopes, &mut exclusive);
        let least = bound.as_ref().map_or(f64::NEG_INFINITY, |bound| bound.cost / SCALE);
        let mut nearby = bound.and_then(|bound| near(problem, &envelopes, &exclusive, &bound));
        if let Some(Found { cost, course }) = &nearby
            && Outcome::from_bound(*cost, least) == Outcome::Optimal
        {
            return (Outcome::Optimal, Some(course.clone()));
        }
        if let Some(found) = nearby.take_if(|_| is_large(problem)) {
            return found.against(least);
        }
        let builder = Builder::new(problem, &envelopes, &exclusive, Binaries::Whole);
        let mut solved = builder.program.solve(budget(problem));
        if solved.outcome == Outcome::NoSolution {
            if let Some(found) = nearby {
                return found.against(least);
            }
            // A schedule that takes long is better than none.
            solved = builder.program.solve(Budget { nodes: Some(NODES_MAX), ..budget(problem) });
        }
        if !solved.outcome.has_solution() {
            return (solved.outcome, None);
        }
        let found = builder.kept(&solved);
        let is_as_claimed = found.as_ref().is_some_and(|found| found.is_as_claimed(&solved));
        if let Some(found) = found {
            let cheapest = nearby.filter(|near| near.cost < found.cost).unwrap_or(found);
            let judged = cheapest.against(least.max(solved.bound / SCALE));
            if is_as_claimed || judged.0 == Outcome::Optimal {
                return judged;
            }
            dearer = Some(judged);
        }
        if !builder.exclude(&solved, round, &mut exclusive) {
            break;
        }
    }
    dearer.unwrap_or((Outcome::NoSolution, None))
}

/// A schedule that keeps all limits, and what it costs.
#[derive(Debug)]
struct Found {
    cost: f64,
    course: Course,
}

impl Found {
    /// Whether it costs no more than CBC claims of it: a device that charges and discharges at once
    /// may.
    fn is_as_claimed(&self, solved: &Solved) -> bool {
        let claimed = solved.objective / SCALE;
        self.cost <= claimed + GAP * claimed.abs().max(1.0)
    }

    /// How good it is where no schedule costs less than `bound`.
    fn against(self, bound: f64) -> (Outcome, Option<Course>) {
        (Outcome::from_bound(self.cost, bound), Some(self.course))
    }
}

fn device_slots(problem: &Problem) -> usize {
    problem.devices.len() * problem.grid.slots
}

/// Whether a problem is too large for a search tree.
fn is_large(problem: &Problem) -> bool {
    device_slots(problem) > SEARCHED
}

/// How far a search goes.
fn budget(problem: &Problem) -> Budget {
    let device_slots = device_slots(problem) as f64;
    let nodes = WORK / (device_slots * device_slots);
    Budget { nodes: Some((nodes as u32).min(NODES_MAX)), gap: GAP, cpu_seconds: None }
}

/// The program with relaxed binaries, in as many more slots as its solutions show to need them;
/// none where no slot has one.
fn relax(problem: &Problem, envelopes: &[Envelope], exclusive: &mut [Vec<bool>]) -> Option<Bound> {
    if !exclusive.iter().flatten().any(|&exclusive| exclusive) {
        return None;
    }
    let mut bound = None;
    for _ in 0..RELAXATIONS {
        let builder = Builder::new(problem, envelopes, exclusive, Binaries::Relaxed);
        let solved = builder.program.solve(Budget::default());
        if solved.outcome != Outcome::Optimal {
            return None;
        }
        bound = Some(Bound { cost: solved.objective, charging: builder.charging(&solved) });
        if !builder.exclude(&solved, 0, exclusive) {
            break;
        }
    }
    bound
}

/// The schedule near a relaxed solution, if one is found soon.
fn near(
    problem: &Problem,
    envelopes: &[Envelope],
    exclusive: &[Vec<bool>],
    bound: &Bound,
) -> Option<Found> {
    // All rounded at first: that leaves nothing to search, where it has a schedule.
    let distances: &[f64] = if is_large(problem) { &[0.5, WHOLE] } else { &[WHOLE] };
    distances.iter().find_map(|&distance| {
        let builder = Builder::new(problem, envelopes, exclusive, Binaries::Near(bound, distance));
        let solved = builder.program.solve(budget(problem));
        let found = solved.outcome.has_solution().then(|| builder.kept(&solved)).flatten();
        found.filter(|found| found.is_as_claimed(&solved))
    })
}

impl<'a> Builder<'a> {
    fn new(
        problem: &'a Problem,
        envelopes: &'a [Envelope],
        exclusive: &[Vec<bool>],
        binaries: Binaries<'a>,
    ) -> Self {
        let mut builder = Self {
            problem,
            envelopes,
            program: Program::default(),
            binaries,
            columns: Vec::new(),
            flows: Vec::new(),
        };
        for (index, device) in problem.devices.iter().enumerate() {
            builder.add_device(index, device, &exclusive[index]);
        }
        for limit in &problem.limits {
            builder.add_limit(&limit.members, &limit.least, &limit.most);
            for j in 0..problem.grid.slots {
                builder.add_hull(&limit.members, j, &Band::default());
            }
        }
        for term in &problem.terms {
            builder.add_term(term);
        }
        builder
    }

    /// A column that is 0 or 1, or between where binaries are relaxed.
    fn choice(&mut self) -> Variable {
        self.program.add(match self.binaries {
            Binaries::Whole | Binaries::Near(..) => variable().binary(),
            Binaries::Relaxed => variable().min(0.0).max(1.0),
        })
    }

    /// Whether a device may charge in a slot.
    fn direction(&mut self, index: usize, j: usize) -> Variable {
        let Binaries::Near(bound, distance) = self.binaries else { return self.choice() };
        match bound.charging[index][j].filter(|value| (value - value.round()).abs() <= distance) {
            Some(value) => self.program.add(variable().min(value.round()).max(value.round())),
            None => self.choice(),
        }
    }

    /// The binaries of each device in a solution.
    fn charging(&self, solved: &Solved) -> Vec<Vec<Option<f64>>> {
        let values = |columns: &Columns| {
            columns
                .charging
                .iter()
                .map(|column| column.map(|column| solved.values[&column]))
                .collect()
        };
        self.columns.iter().map(values).collect()
    }

    fn add_device(&mut self, index: usize, device: &Device, exclusive: &[bool]) {
        let hours = self.problem.grid.hours();
        let mut columns = Columns { charging: vec![None; exclusive.len()], ..Columns::default() };
        let mut before = Expression::from(device.soc_at_start.unwrap_or(0.0));
        for (j, &exclusive) in exclusive.iter().enumerate() {
            let charge = self.program.add(variable().min(0.0).max(device.charge_max[j]));
            let discharge = self.program.add(variable().min(0.0).max(device.discharge_max[j]));
            let (low, high) = (self.envelopes[index].low[j], self.envelopes[index].high[j]);
            // No course leaves the envelope, which is finite also where the device has no bounds;
            // prices around a baseline need that.
            let stock = self.program.add(variable().min(low).max(high));
            let (a, b) = loss_coefficients(device.storage_efficiency[j]);
            let gained = b * hours * device.charge_efficiency[j];
            let lost = b * hours / device.discharge_efficiency[j];
            self.program.require(constraint!(
                stock - a * before == gained * charge - lost * discharge + b * device.drift[j]
            ));
            if !device.bands.is_empty() {
                self.keep_to_bands(device, j, charge, discharge);
            }
            if exclusive {
                let charging = self.direction(index, j);
                columns.charging[j] = Some(charging);
                self.program.require(constraint!(charge <= device.charge_max[j] * charging));
                self.program
                    .require(constraint!(discharge <= device.discharge_max[j] * (1.0 - charging)));
            }
            columns.charge.push(charge);
            columns.discharge.push(discharge);
            columns.stock.push(stock);
            before = Expression::from(stock);
        }
        self.columns.push(columns);
    }

    /// One band holds: its ends bound the power, and what it does not allow is 0.
    fn keep_to_bands(&mut self, device: &Device, j: usize, charge: Variable, discharge: Variable) {
        let mut chosen = Expression::default();
        let mut least = Expression::default();
        let mut most = Expression::default();
        let (mut charges, mut discharges) = (Expression::default(), Expression::default());
        for &(low, high) in &device.bands {
            let (low, high) = (low.max(-device.discharge_max[j]), high.min(device.charge_max[j]));
            // A band that the slot's power does not reach is no choice. Where none is left, nothing
            // can sum up to 1 below, and there is no schedule.
            if low > high {
                continue;
            }
            let mode = self.choice();
            chosen += mode;
            least += low * mode;
            most += high * mode;
            charges += high.max(0.0) * mode;
            discharges += (-low).max(0.0) * mode;
        }
        self.program.require(constraint!(chosen == 1.0));
        self.program.require(constraint!(charge - discharge >= least));
        self.program.require(constraint!(charge - discharge <= most));
        // By its net power alone a band would be kept that is consumed in and produced in at once.
        self.program.require(constraint!(charge <= charges));
        self.program.require(constraint!(discharge <= discharges));
    }

    /// The columns of a flow; those of a single device without fixed ones are its own.
    fn flow(&mut self, members: &Members) -> Vec<Expression> {
        let slots = self.problem.grid.slots;
        let net = |this: &Self, j: usize| {
            let each = members.devices.iter().map(|&index| &this.columns[index]);
            each.fold(Expression::default(), |sum, columns| {
                sum + columns.charge[j] - columns.discharge[j]
            })
        };
        let fixed = |j: usize| -> f64 {
            members.fixed.iter().map(|&index| self.problem.fixed[index].power[j]).sum()
        };
        if members.devices.len() < 2 {
            return (0..slots).map(|j| net(self, j) + fixed(j)).collect();
        }
        // One column for all limits and prices of a flow.
        let known = self.flows.iter().position(|(flow, _)| flow == members);
        let index = known.unwrap_or_else(|| {
            let column = (0..slots).map(|j| {
                let (low, high) = flow_range(self.problem, members, j);
                let flow = self.program.add(variable().min(low).max(high));
                let sum = net(self, j) + fixed(j);
                self.program.require(constraint!(flow == sum));
                flow
            });
            let column = column.collect();
            self.flows.push((members.clone(), column));
            self.flows.len() - 1
        });
        self.flows[index].1.iter().map(|&flow| Expression::from(flow)).collect()
    }

    fn add_limit(&mut self, members: &Members, least: &[f64], most: &[f64]) {
        for (j, flow) in self.flow(members).into_iter().enumerate() {
            let (low, high) = flow_range(self.problem, members, j);
            // No row for what capacities keep in any case, nor for an infinite limit.
            if high > most[j] {
                self.program.require(constraint!(flow.clone() <= most[j]));
            }
            if low < least[j] {
                self.program.require(constraint!(flow >= least[j]));
            }
        }
    }

    /// What members of a flow can do together in a slot in which some of them choose a direction.
    fn add_hull(&mut self, members: &Members, j: usize, band: &Band) {
        let chooses = |&index: &usize| self.columns[index].charging[j].is_some();
        if members.devices.len() < 2 || !members.devices.iter().any(chooses) {
            return;
        }
        let given: f64 =
            members.fixed.iter().map(|&index| self.problem.fixed[index].power[j]).sum();
        let (least, most) = self.hard_range(members, j);
        let (least, most) = (least.max(band.least) - given, most.min(band.most) - given);
        let capacity = |&index: &usize| {
            let device = &self.problem.devices[index];
            (device.charge_max[j], device.discharge_max[j])
        };
        let capacities: Vec<(f64, f64)> = members.devices.iter().map(capacity).collect();
        for cut in hull::cuts(&capacities, least, most) {
            let columns = members.devices.iter().map(|&index| &self.columns[index]);
            let mut sum = columns.fold(Expression::default(), |sum, columns| {
                sum + cut.consumed * columns.charge[j] + cut.produced * columns.discharge[j]
            });
            sum -= band.above.map_or_else(Expression::default, |above| cut.consumed * above);
            sum -= band.below.map_or_else(Expression::default, |below| cut.produced * below);
            self.program.require(constraint!(sum <= cut.most));
        }
    }

    /// What the hard limits of a flow leave of it, kW.
    fn hard_range(&self, members: &Members, j: usize) -> (f64, f64) {
        let limits = self.problem.limits.iter().filter(|limit| limit.members == *members);
        limits.fold((f64::NEG_INFINITY, f64::INFINITY), |(least, most), limit| {
            (least.max(limit.least[j]), most.min(limit.most[j]))
        })
    }

    /// The hulls beside a price that bends: what is above the baseline counts as not consumed, and
    /// what is below it as not produced.
    fn add_bent_hulls(
        &mut self,
        term: &Term,
        j: usize,
        above: Option<Variable>,
        below: Option<Variable>,
    ) {
        let (Subject::Flow(members), Some(baseline)) = (&term.subject, term.baseline[j]) else {
            return;
        };
        if above.is_some() {
            self.add_hull(members, j, &Band { most: baseline, above, ..Band::default() });
        }
        if below.is_some() {
            self.add_hull(members, j, &Band { least: baseline, below, ..Band::default() });
        }
    }

    fn add_term(&mut self, term: &Term) {
        let prices = term.up.iter().chain(&term.down);
        if prices.copied().all(|price| price.abs() < f64::MIN_POSITIVE)
            || term.baseline.iter().all(Option::is_none)
        {
            return;
        }
        let (values, range): (Vec<Expression>, Vec<(f64, f64)>) = match &term.subject {
            Subject::Flow(members) => {
                let range =
                    (0..term.up.len()).map(|j| flow_range(self.problem, members, j)).collect();
                (self.flow(members), range)
            }
            Subject::Stock(index) => {
                let envelope = &self.envelopes[*index];
                let stock = self.columns[*index]
                    .stock
                    .iter()
                    .map(|&stock| Expression::from(stock))
                    .collect();
                (stock, envelope.low.iter().copied().zip(envelope.high.iter().copied()).collect())
            }
        };
        match term.paid {
            Paid::Each => self.pay_each(term, values, &range),
            Paid::Largest => self.pay_largest(term, &values, &range),
        }
    }

    fn pay_each(&mut self, term: &Term, values: Vec<Expression>, range: &[(f64, f64)]) {
        for (j, value) in values.into_iter().enumerate() {
            let (Some(baseline), (low, high)) = (term.baseline[j], range[j]) else { continue };
            let (up, down) = match Slopes::between(term, j, baseline, low, high) {
                Slopes::Straight(slope) => {
                    if slope.abs() > 0.0 {
                        self.pay(slope * (value - baseline));
                    }
                    continue;
                }
                Slopes::Bent { up, down } => (up, down),
            };
            let above = self.program.add(variable().min(0.0).max(high - baseline));
            let below = self.program.add(variable().min(0.0).max(baseline - low));
            self.program.require(constraint!(value - baseline == above - below));
            self.pay(up * above - down * below);
            self.add_bent_hulls(term, j, Some(above), Some(below));
            // Being above and below at once would earn the difference.
            if up < down {
                let sign = self.choice();
                self.program.require(constraint!(above <= (high - baseline) * sign));
                self.program.require(constraint!(below <= (baseline - low) * (1.0 - sign)));
            }
        }
    }

    fn pay_largest(&mut self, term: &Term, values: &[Expression], range: &[(f64, f64)]) {
        for group in term.groups() {
            let (up, down) = (term.up[group.start], -term.down[group.start]);
            let (mut above, mut below) = (None, None);
            for j in group {
                let (Some(baseline), (low, high)) = (term.baseline[j], range[j]) else { continue };
                // A price above 0 presses the column down to the largest deviation, which is what
                // it costs.
                if up > 0.0 && high > baseline {
                    let above = *above.get_or_insert_with(|| self.program.add(variable().min(0.0)));
                    self.program.require(constraint!(above >= values[j].clone() - baseline));
                    self.add_bent_hulls(term, j, Some(above), None);
                }
                if down > 0.0 && low < baseline {
                    let below = *below.get_or_insert_with(|| self.program.add(variable().min(0.0)));
                    self.program.require(constraint!(below >= baseline - values[j].clone()));
                    self.add_bent_hulls(term, j, None, Some(below));
                }
            }
            self.pay_for(above, up);
            self.pay_for(below, down);
        }
    }

    fn pay_for(&mut self, deviation: Option<Variable>, price: f64) {
        if let Some(deviation) = deviation {
            self.pay(price * deviation);
        }
    }

    fn pay(&mut self, cost: Expression) {
        self.program.pay(cost * SCALE);
    }

    /// The schedule in a solution: what enters and leaves a stock in a slot counts as its net.
    fn read(&self, solved: &Solved) -> Course {
        let hours = self.problem.grid.hours();
        let power = self.problem.devices.iter().zip(&self.columns).map(|(device, columns)| {
            let slot = |j: usize| {
                let (charge, discharge) = both(columns, solved, j);
                let net = device.stored(j, charge, hours) + device.stored(j, -discharge, hours);
                let factor = if net > 0.0 {
                    1.0 / device.charge_efficiency[j]
                } else {
                    device.discharge_efficiency[j]
                };
                // Adding 0 makes a plain zero of a negative one.
                (net * factor / hours).clamp(-device.discharge_max[j], device.charge_max[j]) + 0.0
            };
            (0..self.problem.grid.slots).map(slot).collect()
        });
        self.problem.course(power.collect())
    }

    /// The schedule in a solution; none where it does not keep what it must.
    fn kept(&self, solved: &Solved) -> Option<Found> {
        let course = self.read(solved);
        let cost = self.problem.objective(&course);
        self.problem.keeps(&course, TOLERANCE).then_some(Found { cost, course })
    }

    /// Marks slots in which a device must choose a direction; false where nothing new is marked.
    fn exclude(&self, solved: &Solved, round: usize, exclusive: &mut [Vec<bool>]) -> bool {
        let mut found = false;
        for (columns, exclusive) in self.columns.iter().zip(exclusive) {
            let at_once = |j: usize| {
                let (charge, discharge) = both(columns, solved, j);
                charge.min(discharge) > AT_ONCE
            };
            for (j, exclusive) in exclusive.iter_mut().enumerate() {
                // With a binary in every slot the last rounds have nothing left to mark, so that
                // they end.
                let marked = at_once(j) || round + 2 >= ROUNDS;
                found |= marked && !*exclusive;
                *exclusive |= marked;
            }
        }
        found
    }
}

/// Consumption and production of a device in a solution, kW.
fn both(columns: &Columns, solved: &Solved, j: usize) -> (f64, f64) {
    (solved.values[&columns.charge[j]].max(0.0), solved.values[&columns.discharge[j]].max(0.0))
}
