//! Devices that nothing couples, each by the exact algorithm.
//!
//! Stored energy is counted in units that do not decay, `S_j/A_j` with `A_j = Π a`, and without
//! what flows by itself; then a slot costs two straight lines in the energy x that enters, one for
//! x > 0 and one for x < 0, and the value function of [`voltide_schedule`] applies. Prices of
//! stored energy at later instants, such as the preference for a full storage, are sums over the
//! slots that follow.
//!
//! A wish at a price becomes a bound, as far as it can be met, where its price is above all that
//! moving energy can ever gain: then no schedule of least cost breaches it further. With the
//! distance `d_t` from a schedule to the nearest one that meets the wish, mending the former costs
//! at most the spread of the slopes per kWh of every local maximum of d, and each of these is a
//! breach that was paid for.

use crate::{
    envelope::{Envelope, TOLERANCE},
    problem::{Device, Members, Paid, Problem, Subject, Term, loss_coefficients},
};
use voltide_schedule::{Method, Options, Outcome, PerSlot, Solver, StorageProblem, TieRule};

/// Below this share of the stock that is left at the end, units that do not decay lose precision.
const LEAST_LEFT: f64 = 1e-3;

/// What came of trying.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// Powers of all devices, kW, and how good they are.
    Solved(Vec<Vec<f64>>, Outcome),
    /// No schedule keeps the hard constraints.
    Infeasible,
    /// Something couples devices, slots or directions; a program is needed.
    Coupled,
}

/// A device on its own, with prices per kW and slot.
#[derive(Debug)]
struct Alone {
    device: Device,
    buy: Vec<f64>,
    sell: Vec<f64>,
}

/// Solves a problem whose devices can be treated one by one.
pub(crate) fn solve(problem: &Problem) -> Attempt {
    let Some(alone) = separate(problem) else { return Attempt::Coupled };
    let mut powers = Vec::with_capacity(alone.len());
    let mut outcome = Outcome::Optimal;
    for (index, alone) in alone.iter().enumerate() {
        match alone.solve(problem, index) {
            Attempt::Solved(mut power, found) => {
                powers.append(&mut power);
                if found != Outcome::Optimal {
                    outcome = found;
                }
            }
            other => return other,
        }
    }
    Attempt::Solved(powers, outcome)
}

/// The least and the most flow of some devices in a slot, kW.
pub(crate) fn flow_range(problem: &Problem, members: &Members, j: usize) -> (f64, f64) {
    let fixed: f64 = members.fixed.iter().map(|&index| problem.fixed[index].power[j]).sum();
    members.devices.iter().fold((fixed, fixed), |(low, high), &index| {
        (low - problem.devices[index].discharge_max[j], high + problem.devices[index].charge_max[j])
    })
}

/// How a term prices a flow or a stock between `low` and `high` around its baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Slopes {
    /// The same price throughout.
    Straight(f64),
    /// Different prices below and above the baseline.
    Bent { up: f64, down: f64 },
}

impl Slopes {
    pub(crate) fn between(term: &Term, j: usize, baseline: f64, low: f64, high: f64) -> Self {
        let (up, down) = (term.up[j], term.down[j]);
        if high <= baseline + TOLERANCE {
            Self::Straight(down)
        } else if low >= baseline - TOLERANCE || (up - down).abs() < f64::EPSILON {
            Self::Straight(up)
        } else {
            Self::Bent { up, down }
        }
    }

    /// Whether it costs nothing.
    pub(crate) fn is_free(self) -> bool {
        let price = |price: f64| price.abs() < f64::MIN_POSITIVE;
        match self {
            Self::Straight(slope) => price(slope),
            Self::Bent { up, down } => price(up) && price(down),
        }
    }
}

/// Each device with its own limits and prices; `None` where devices are coupled.
fn separate(problem: &Problem) -> Option<Vec<Alone>> {
    let slots = problem.grid.slots;
    let free = || vec![0.0; slots];
    let mut alone: Vec<Alone> = problem
        .devices
        .iter()
        .map(|device| Alone { device: device.clone(), buy: free(), sell: free() })
        .collect();
    if alone.iter().any(|alone| !alone.device.bands.is_empty()) {
        return None;
    }
    for limit in &problem.limits {
        for j in 0..slots {
            let (low, high) = flow_range(problem, &limit.members, j);
            if low >= limit.least[j] - TOLERANCE && high <= limit.most[j] + TOLERANCE {
                continue;
            }
            let &[index] = limit.members.devices.as_slice() else { return None };
            let device = &mut alone[index].device;
            let fixed = high - problem.devices[index].charge_max[j];
            let (most, least) = (limit.most[j] - fixed, limit.least[j] - fixed);
            // Capacities cannot say that a device must consume or must produce.
            if most < 0.0 || least > 0.0 {
                return None;
            }
            device.charge_max[j] = device.charge_max[j].min(most);
            device.discharge_max[j] = device.discharge_max[j].min(-least);
        }
    }
    for term in &problem.terms {
        if let Subject::Flow(members) = &term.subject {
            for j in 0..slots {
                price_flow(problem, term, members, j, &mut alone)?;
            }
        }
    }
    Some(alone)
}

/// Adds a term's price of one slot to its members; `None` where it couples them.
fn price_flow(
    problem: &Problem,
    term: &Term,
    members: &Members,
    j: usize,
    alone: &mut [Alone],
) -> Option<()> {
    let Some(baseline) = term.baseline[j] else { return Some(()) };
    let (low, high) = flow_range(problem, members, j);
    let slopes = Slopes::between(term, j, baseline, low, high);
    if slopes.is_free() {
        return Some(());
    }
    // What is paid once for all slots is no price of a slot.
    if term.paid == Paid::Largest {
        return None;
    }
    match slopes {
        Slopes::Straight(slope) => {
            for &index in &members.devices {
                alone[index].buy[j] += slope;
                alone[index].sell[j] += slope;
            }
        }
        Slopes::Bent { up, down } => {
            let &[index] = members.devices.as_slice() else { return None };
            let kink = baseline - (high - problem.devices[index].charge_max[j]);
            // The algorithm knows one kink a slot, between consuming and producing.
            if kink.abs() > TOLERANCE {
                return None;
            }
            alone[index].buy[j] += up;
            alone[index].sell[j] += down;
        }
    }
    Some(())
}

/// The storage problem in units that do not decay.
#[derive(Debug, Default)]
struct Scaled {
    /// Stored energy per unit, at the end of each slot.
    unit: Vec<f64>,
    /// Units stored per kW consumed, and taken per kW produced.
    gained: Vec<f64>,
    lost: Vec<f64>,
    /// What has flowed in by itself by the end of each slot.
    drifted: Vec<f64>,
    up: Vec<f64>,
    down: Vec<f64>,
    buy: Vec<f64>,
    sell: Vec<f64>,
}

impl Alone {
    fn solve(&self, problem: &Problem, index: usize) -> Attempt {
        let device = &self.device;
        let hours = problem.grid.hours();
        let Some(envelope) = Envelope::between(device, &device.floor, &device.ceiling, hours)
        else {
            return Attempt::Infeasible;
        };
        let mut scaled = self.scale(hours);
        if scaled.unit.last().is_some_and(|&unit| unit < LEAST_LEFT) {
            return Attempt::Coupled;
        }
        let terms = || problem.terms.iter().filter(|term| term.subject == Subject::Stock(index));
        let Some(wishes) = scaled.price_stock(terms(), &envelope) else { return Attempt::Coupled };
        let (mut floor, mut ceiling) = (envelope.low.clone(), envelope.high.clone());
        for wish in &wishes {
            // A wish that costs less may be worth breaching, which a bound cannot say.
            if wish.price * scaled.unit[wish.slot] <= scaled.spread() {
                return Attempt::Coupled;
            }
            let j = wish.slot;
            if wish.below {
                floor[j] = floor[j].max(wish.level.min(envelope.high[j]));
            } else {
                ceiling[j] = ceiling[j].min(wish.level.max(envelope.low[j]));
            }
        }
        // Wishes that cannot all be met are weighed against each other, which a bound cannot say
        // either.
        let Some(envelope) = Envelope::between(device, &floor, &ceiling, hours) else {
            return Attempt::Coupled;
        };
        scaled.solve(device, &envelope)
    }

    fn scale(&self, hours: f64) -> Scaled {
        let mut scaled = Scaled::default();
        let mut unit = 1.0;
        let mut drifted = 0.0;
        for j in 0..self.buy.len() {
            let device = &self.device;
            let (a, b) = loss_coefficients(device.storage_efficiency[j]);
            unit *= a;
            drifted += b * device.drift[j] / unit;
            let gained = b * device.charge_efficiency[j] * hours / unit;
            let lost = b * hours / device.discharge_efficiency[j] / unit;
            scaled.unit.push(unit);
            scaled.gained.push(gained);
            scaled.lost.push(lost);
            scaled.drifted.push(drifted);
            scaled.up.push(device.charge_max[j] * gained);
            scaled.down.push(device.discharge_max[j] * lost);
            scaled.buy.push(self.buy[j] / gained);
            scaled.sell.push(self.sell[j] / lost);
        }
        scaled
    }
}

/// A bound at a price, at the end of a slot.
#[derive(Debug, Clone, Copy)]
struct Wish {
    slot: usize,
    below: bool,
    level: f64,
    price: f64,
}

/// Notes what a term asks for within the energies that there can be.
fn note_wishes(term: &Term, envelope: &Envelope, wishes: &mut Vec<Wish>) -> Option<()> {
    for slot in 0..term.baseline.len() {
        let Some(level) = term.baseline[slot] else { continue };
        let (up, down) = (term.up[slot], -term.down[slot]);
        if up < 0.0 || down < 0.0 {
            return None;
        }
        for (below, price, matters) in
            [(true, down, envelope.low[slot] < level), (false, up, envelope.high[slot] > level)]
        {
            if matters && price > 0.0 {
                wishes.push(Wish { slot, below, level, price });
            }
        }
    }
    Some(())
}

/// Adds the price of stored energy at the end of each slot, where it does not bend.
fn add_slopes(term: &Term, envelope: &Envelope, slopes: &mut [f64]) -> Option<()> {
    for (slot, slope) in slopes.iter_mut().enumerate() {
        let Some(level) = term.baseline[slot] else { continue };
        match Slopes::between(term, slot, level, envelope.low[slot], envelope.high[slot]) {
            Slopes::Straight(price) => *slope += price,
            Slopes::Bent { .. } => return None,
        }
    }
    Some(())
}

impl Scaled {
    /// Takes straight prices of the stock into the slots' prices; gives the wishes that remain, or
    /// `None` where a term is neither.
    fn price_stock<'a>(
        &mut self,
        terms: impl Iterator<Item = &'a Term>,
        envelope: &Envelope,
    ) -> Option<Vec<Wish>> {
        let terms: Vec<&Term> = terms.collect();
        let mut wishes = Vec::new();
        let mut slopes = vec![0.0; self.unit.len()];
        // A wish costs something for its largest breach, and something for each.
        let pairs = |paid, term: &Term| {
            terms.iter().any(|other| other.paid == paid && other.baseline == term.baseline)
        };
        for term in &terms {
            match term.paid {
                Paid::Largest if pairs(Paid::Each, term) => {}
                Paid::Largest => return None,
                Paid::Each if pairs(Paid::Largest, term) => {
                    note_wishes(term, envelope, &mut wishes)?;
                }
                Paid::Each => add_slopes(term, envelope, &mut slopes)?,
            }
        }
        self.add_later(&slopes);
        Some(wishes)
    }

    /// Energy that enters in a slot is there at the end of all that follow.
    fn add_later(&mut self, slopes: &[f64]) {
        let mut later = 0.0;
        for (j, slope) in slopes.iter().enumerate().rev() {
            later += slope * self.unit[j];
            self.buy[j] += later;
            self.sell[j] += later;
        }
    }

    /// Most that moving a unit from one slot to another can gain.
    fn spread(&self) -> f64 {
        let slopes = || self.buy.iter().chain(&self.sell).copied();
        slopes().fold(f64::NEG_INFINITY, f64::max) - slopes().fold(f64::INFINITY, f64::min)
    }

    fn solve(&self, device: &Device, envelope: &Envelope) -> Attempt {
        let slots = self.unit.len();
        let units = |energy: &[f64]| -> Vec<f64> {
            (0..slots).map(|j| energy[j] / self.unit[j] - self.drifted[j]).collect()
        };
        let (floor, ceiling) = (units(&envelope.low), units(&envelope.high));
        let problem = StorageProblem {
            // Hours and efficiencies are in the slopes and limits already, which are per unit that
            // enters.
            slot_hours: 1.0,
            buy: &self.buy,
            sell: &self.sell,
            degradation: 0.0,
            charge_kw_max: PerSlot::Each(&self.up),
            discharge_kw_max: PerSlot::Each(&self.down),
            energy_kwh_min: PerSlot::Each(&floor),
            energy_kwh_max: PerSlot::Each(&ceiling),
            // A unit is a kWh at the start: nothing has decayed by then.
            energy_kwh: device.soc_at_start.unwrap_or(0.0),
            // What is wanted at the end is a floor like any other.
            target_kwh: floor.last().copied().unwrap_or(0.0),
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            terminal_value: 0.0,
            tie: TieRule::Earliest,
            load_kw: &[],
        };
        let mut moved = vec![0.0; slots];
        let Ok(answer) =
            Solver::default().solve(&problem, Method::Exact, Options::default(), &mut moved)
        else {
            return Attempt::Coupled;
        };
        if !answer.outcome.has_solution() {
            return Attempt::Coupled;
        }
        let power = moved.iter().enumerate().map(|(j, &moved)| {
            let power = moved / if moved > 0.0 { self.gained[j] } else { self.lost[j] };
            // Adding 0 makes a plain zero of a negative one.
            power.clamp(-device.discharge_max[j], device.charge_max[j]) + 0.0
        });
        Attempt::Solved(vec![power.collect()], answer.outcome)
    }
}
