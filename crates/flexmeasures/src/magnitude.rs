//! The units a problem is solved in, so that tolerances are relative to its magnitudes.
//!
//! Solvers and roundings have tolerances that suit powers from watts to many megawatts and prices
//! from a thousandth to a thousand a kWh. A problem outside of that is solved in units of a power
//! of two of kW, kWh and money, which changes no digit but those that were lost before.

use crate::{
    answer::{Answer, Slack},
    problem::{Course, Device, Paid, Problem, Subject, Term},
};

/// Powers of two of kW that need no other unit.
const USUAL_POWER: (i32, i32) = (-3, 17);
/// Powers of two of money per kWh that need no other unit.
const USUAL_PRICE: (i32, i32) = (-10, 10);

/// Units in kW (and kWh), and in money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Units {
    power: f64,
    money: f64,
}

impl Units {
    /// Those that suit the largest power of a device, and the largest price of energy.
    pub(crate) fn of(problem: &Problem) -> Self {
        let powers = problem
            .devices
            .iter()
            .flat_map(|device| device.charge_max.iter().chain(&device.discharge_max));
        let power = unit(largest(powers.copied()), USUAL_POWER);
        let each = problem.terms.iter().filter(|term| is_energy(term));
        let prices = each.flat_map(|term| term.up.iter().chain(&term.down));
        // Terms pay for kW in a slot; the usual range is of prices per kWh.
        let price = unit(largest(prices.copied()) / problem.grid.hours(), USUAL_PRICE);
        Self { power, money: price * power }
    }

    /// The same problem in these units.
    pub(crate) fn shrink(self, problem: &Problem) -> Problem {
        let mut small = problem.clone();
        let per = 1.0 / self.power;
        small.devices.iter_mut().for_each(|device| scale_device(device, per));
        small.fixed.iter_mut().for_each(|device| scale(&mut device.power, per));
        for limit in &mut small.limits {
            scale(&mut limit.least, per);
            scale(&mut limit.most, per);
        }
        for term in &mut small.terms {
            scale_some(&mut term.baseline, per);
            scale(&mut term.up, self.power / self.money);
            scale(&mut term.down, self.power / self.money);
        }
        small
    }

    /// An answer in these units, in kW, kWh and money again.
    pub(crate) fn grow(self, mut answer: Answer) -> Answer {
        if let Some(Course { power, energy }) = &mut answer.course {
            power.iter_mut().chain(energy).for_each(|column| scale(column, self.power));
        }
        answer.costs.iter_mut().for_each(|(_, cost)| *cost *= self.money);
        let slacks = answer.unresolved.iter_mut().chain(&mut answer.resolved);
        slacks.for_each(|Slack { amount, .. }| *amount *= self.power);
        answer
    }
}

/// Whether a term is a price of energy or of each deviation of a flow.
fn is_energy(term: &Term) -> bool {
    term.paid == Paid::Each
        && matches!(term.subject, Subject::Flow(_))
        && term.baseline.iter().all(|baseline| is_zero(*baseline))
}

fn is_zero(baseline: Option<f64>) -> bool {
    baseline.is_some_and(|baseline| baseline.abs() < f64::MIN_POSITIVE)
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    // Infinite is a limit that there is not.
    values.map(f64::abs).filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// 1 where `largest` is usual, else the power of two below it.
fn unit(largest: f64, (least, most): (i32, i32)) -> f64 {
    if largest < f64::MIN_POSITIVE {
        return 1.0;
    }
    let exponent = libm::floor(libm::log2(largest)) as i32;
    if (least..=most).contains(&exponent) { 1.0 } else { libm::exp2(f64::from(exponent)) }
}

fn scale(values: &mut [f64], factor: f64) {
    for value in values {
        *value *= factor;
    }
}

fn scale_some(values: &mut [Option<f64>], factor: f64) {
    for value in values.iter_mut().flatten() {
        *value *= factor;
    }
}

fn scale_device(device: &mut Device, factor: f64) {
    let (least, most) = &mut device.static_range;
    for energy in [&mut device.soc_at_start, least, most].into_iter().flatten() {
        *energy *= factor;
    }
    for column in [
        &mut device.charge_max,
        &mut device.discharge_max,
        &mut device.drift,
        &mut device.floor,
        &mut device.ceiling,
    ] {
        scale(column, factor);
    }
    for (low, high) in &mut device.bands {
        *low *= factor;
        *high *= factor;
    }
    for wishes in
        [&mut device.minima, &mut device.maxima, &mut device.targets].into_iter().flatten()
    {
        scale_some(wishes, factor);
    }
}
