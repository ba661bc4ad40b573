//! The problem in numbers: devices, limits they share, and what deviations cost.
//!
//! ```text
//! min  Σ_terms price·deviation
//!      P_j = c_j − d_j,   0 ≤ c_j ≤ C_j,   0 ≤ d_j ≤ D_j,   never both at once
//!      S_j = a_j·S_{j−1} + b_j·(h·(η_up·c_j − d_j/η_down) + drift_j)
//!      floor_j ≤ S_j ≤ ceiling_j,   least_j ≤ Σ_members P_j ≤ most_j
//! ```
//! with a the share that storage keeps over a slot and b = (a − 1)/ln a, or 1 without losses. Every
//! price is that of a [`Term`]: a deviation of a flow (the site's, a group's or a device's) or of a
//! stock from a baseline, paid in every slot or once for the largest. Powers are kW and positive
//! where they consume, energies kWh, prices per kW or kWh.

use crate::{series::Notice, time::Grid};
use std::{cmp::Ordering, ops::Range};

/// Deviations below this are rounding, kW and kWh.
pub(crate) const ROUNDING: f64 = 1e-7;

/// A storage device; every slice of slots has one value a slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its sensor, or `battery` where it has no name.
    pub name: String,
    /// Stored energy at the start, kWh; `None` where the stock does not matter.
    pub soc_at_start: Option<f64>,
    /// `soc-min` and `soc-max`, kWh.
    pub static_range: (Option<f64>, Option<f64>),
    /// Most that may be consumed, kW.
    pub charge_max: Vec<f64>,
    /// Most that may be produced, kW.
    pub discharge_max: Vec<f64>,
    /// Stored per energy consumed.
    pub charge_efficiency: Vec<f64>,
    /// Energy produced per energy taken from the stock.
    pub discharge_efficiency: Vec<f64>,
    /// Share of the stock that is left after a slot.
    pub storage_efficiency: Vec<f64>,
    /// Energy that enters (> 0) or leaves the stock by itself in a slot, kWh.
    pub drift: Vec<f64>,
    /// Least stored energy at the end of each slot, kWh; minus infinity where there is no bound.
    pub floor: Vec<f64>,
    /// Most stored energy at the end of each slot, kWh.
    pub ceiling: Vec<f64>,
    /// Bands of power, one of which must be kept to, kW; empty where any power will do.
    pub bands: Vec<(f64, f64)>,
    /// `soc-minima` as asked for, at the end of each slot, kWh.
    pub minima: Option<Vec<Option<f64>>>,
    /// `soc-maxima` as asked for.
    pub maxima: Option<Vec<Option<f64>>>,
    /// `soc-targets` as asked for.
    pub targets: Option<Vec<Option<f64>>>,
}

/// A device whose power is given.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedDevice {
    /// Its sensor.
    pub name: String,
    /// Power of each slot, kW.
    pub power: Vec<f64>,
}

/// Devices whose flow is summed: indices into the devices, then into the fixed devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    /// Storage devices.
    pub devices: Vec<usize>,
    /// Fixed devices.
    pub fixed: Vec<usize>,
}

/// A hard limit of the summed flow of some devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The field that asks for it.
    pub name: String,
    /// Whose flow it limits.
    pub members: Members,
    /// Least flow of each slot, kW; minus infinity where there is no limit.
    pub least: Vec<f64>,
    /// Most flow of each slot, kW.
    pub most: Vec<f64>,
}

/// What a term measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The summed flow of some devices, kW.
    Flow(Members),
    /// The stored energy of a device at the end of each slot, kWh.
    Stock(usize),
}

/// How a term pays for deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// For the deviation of each slot.
    Each,
    /// Once a [group](Term::groups), for the largest.
    Largest,
}

/// A price for deviating from a baseline: `up` times what is above, and `down` times what is below
/// (a negative number, so that a penalty has a negative `down`).
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Its name in the split of costs.
    pub name: String,
    /// What is measured.
    pub subject: Subject,
    /// How it is paid.
    pub paid: Paid,
    /// The baseline of each slot; `None` where nothing is agreed.
    pub baseline: Vec<Option<f64>>,
    /// Price of each slot above it.
    pub up: Vec<f64>,
    /// Price of each slot below it.
    pub down: Vec<f64>,
}

/// A whole problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The slots.
    pub grid: Grid,
    /// Three capital letters.
    pub currency: String,
    /// What is scheduled.
    pub devices: Vec<Device>,
    /// What is behind the same connection and cannot be moved.
    pub fixed: Vec<FixedDevice>,
    /// Hard limits of flows.
    pub limits: Vec<Limit>,
    /// Prices.
    pub terms: Vec<Term>,
    /// What was taken for something that the file does not say.
    pub notices: Vec<Notice>,
}

/// The coefficients of what is left and of what flows in under storage losses.
pub(crate) fn loss_coefficients(kept: f64) -> (f64, f64) {
    if (kept - 1.0).abs() < f64::EPSILON {
        // The quotient below is 0/0 here, and 1 in the limit.
        (1.0, 1.0)
    } else {
        (kept, (kept - 1.0) / libm::log(kept))
    }
}

impl Device {
    /// Energy that `power` brings into the stock in slot `j`, before losses, kWh.
    pub(crate) fn stored(&self, j: usize, power: f64, hours: f64) -> f64 {
        let factor = if power > 0.0 {
            self.charge_efficiency[j]
        } else {
            1.0 / self.discharge_efficiency[j]
        };
        power * factor * hours
    }

    /// Stored energy after slot `j`.
    pub(crate) fn after(&self, j: usize, energy: f64, power: f64, hours: f64) -> f64 {
        let (a, b) = loss_coefficients(self.storage_efficiency[j]);
        a * energy + b * (self.stored(j, power, hours) + self.drift[j])
    }

    /// Stored energy at the start and at the end of every slot, kWh.
    pub fn energies(&self, power: &[f64], hours: f64) -> Vec<f64> {
        let mut energies = vec![self.soc_at_start.unwrap_or(0.0)];
        for (j, &power) in power.iter().enumerate() {
            energies.push(self.after(j, energies[j], power, hours));
        }
        energies
    }
}

/// Powers of all devices with what follows from them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Power of each device in each slot, kW.
    pub power: Vec<Vec<f64>>,
    /// Stored energy of each device, first at the start, then at the end of each slot, kWh.
    pub energy: Vec<Vec<f64>>,
}

impl Problem {
    /// Follows the powers of all devices.
    pub fn course(&self, power: Vec<Vec<f64>>) -> Course {
        let hours = self.grid.hours();
        let energy = self
            .devices
            .iter()
            .zip(&power)
            .map(|(device, power)| device.energies(power, hours))
            .collect();
        Course { power, energy }
    }

    /// The summed flow of some devices, kW.
    pub fn flow(&self, members: &Members, power: &[Vec<f64>]) -> Vec<f64> {
        let given = members.fixed.iter().map(|&index| &self.fixed[index].power);
        let moved = members.devices.iter().map(|&index| &power[index]);
        let mut sum = vec![0.0; self.grid.slots];
        for column in moved.chain(given) {
            sum.iter_mut().zip(column).for_each(|(sum, power)| *sum += power);
        }
        sum
    }

    /// All devices, the fixed ones included.
    pub fn site(&self) -> Members {
        Members {
            devices: (0..self.devices.len()).collect(),
            fixed: (0..self.fixed.len()).collect(),
        }
    }

    /// What a term costs under a course.
    pub fn cost(&self, term: &Term, course: &Course) -> f64 {
        match &term.subject {
            Subject::Flow(members) => term.cost(&self.flow(members, &course.power)),
            Subject::Stock(device) => term.cost(&course.energy[*device][1..]),
        }
    }

    /// What every term costs; costs of one name are summed, in the order of the terms.
    pub fn costs(&self, course: &Course) -> Vec<(String, f64)> {
        let mut costs: Vec<(String, f64)> = Vec::new();
        for term in &self.terms {
            let cost = self.cost(term, course);
            match costs.iter_mut().find(|(name, _)| *name == term.name) {
                Some((_, sum)) => *sum += cost,
                None => costs.push((term.name.clone(), cost)),
            }
        }
        costs
    }

    /// The sum of all costs.
    pub fn objective(&self, course: &Course) -> f64 {
        self.terms.iter().map(|term| self.cost(term, course)).sum()
    }

    /// Whether a course keeps the limits of flows, the capacities and the bounds of stocks.
    pub fn keeps(&self, course: &Course, tolerance: f64) -> bool {
        let within = |value: f64, least: f64, most: f64| is_within(value, least, most, tolerance);
        let devices = self.devices.iter().zip(course.power.iter().zip(&course.energy));
        let devices_keep = devices.into_iter().all(|(device, (power, energy))| {
            (0..self.grid.slots).all(|j| {
                within(power[j], -device.discharge_max[j], device.charge_max[j])
                    && within(energy[j + 1], device.floor[j], device.ceiling[j])
                    && device.keeps_to_a_band(power[j], tolerance)
            })
        });
        devices_keep
            && self.limits.iter().all(|limit| {
                let flow = self.flow(&limit.members, &course.power);
                (0..self.grid.slots).all(|j| within(flow[j], limit.least[j], limit.most[j]))
            })
    }
}

impl Device {
    fn keeps_to_a_band(&self, power: f64, tolerance: f64) -> bool {
        self.bands.is_empty()
            || self
                .bands
                .iter()
                .any(|&(low, high)| power >= low - tolerance && power <= high + tolerance)
    }
}

impl Term {
    /// What deviations of `values`, one a slot, cost.
    pub fn cost(&self, values: &[f64]) -> f64 {
        let deviations =
            values.iter().zip(&self.baseline).enumerate().filter_map(|(j, (value, baseline))| {
                let deviation = value - (*baseline)?;
                // At thousands for a kWh of breach, what rounding leaves would be seen in the
                // costs.
                (deviation.abs() > ROUNDING).then_some((j, deviation))
            });
        let price =
            |j: usize, deviation: f64| if deviation > 0.0 { self.up[j] } else { self.down[j] };
        match self.paid {
            Paid::Each => {
                deviations.fold(0.0, |sum, (j, deviation)| sum + price(j, deviation) * deviation)
            }
            Paid::Largest => {
                let mut deviations = deviations.peekable();
                let groups = self.groups().into_iter();
                groups
                    .map(|group| {
                        let (mut above, mut below) = (0.0_f64, 0.0_f64);
                        while let Some((_, deviation)) = deviations.next_if(|(j, _)| *j < group.end)
                        {
                            (above, below) = (above.max(deviation), below.min(deviation));
                        }
                        self.up[group.start] * above + self.down[group.start] * below
                    })
                    .sum()
            }
        }
    }

    /// The stretches of slots of which the largest deviation is paid for: a new one begins wherever
    /// a price or the baseline changes, and on either side of slots without a baseline. Where all
    /// that there is of them is one value, all slots are one.
    ///
    /// That is how FlexMeasures 1.0.1 groups the slots of a commitment of type `any`; it compares
    /// for equality, and what is missing equals nothing.
    pub fn groups(&self) -> Vec<Range<usize>> {
        let slots = self.baseline.len();
        let starts: Vec<usize> = (0..slots).filter(|&j| j == 0 || !self.goes_on(j)).collect();
        if self.is_constant() {
            // No group at all where there is no slot.
            return starts.first().map(|_| 0..slots).into_iter().collect();
        }
        let ends = starts.iter().skip(1).copied().chain([slots]);
        starts.iter().zip(ends).map(|(&start, end)| start..end).collect()
    }

    /// Whether prices and baseline of slot `j` are those of the slot before.
    fn goes_on(&self, j: usize) -> bool {
        same(self.up[j], self.up[j - 1])
            && same(self.down[j], self.down[j - 1])
            && matches!((self.baseline[j], self.baseline[j - 1]), (Some(now), Some(before)) if same(now, before))
    }

    fn is_constant(&self) -> bool {
        all_same(self.up.iter().copied())
            && all_same(self.down.iter().copied())
            && all_same(self.baseline.iter().flatten().copied())
    }
}

/// Whether a value keeps two bounds, up to a share of itself that is rounding.
fn is_within(value: f64, least: f64, most: f64, tolerance: f64) -> bool {
    let slack = tolerance * value.abs().max(1.0);
    value >= least - slack && value <= most + slack
}

/// Whether two numbers are one, as FlexMeasures compares them.
fn same(a: f64, b: f64) -> bool {
    a.partial_cmp(&b).is_some_and(Ordering::is_eq)
}

fn all_same(values: impl Iterator<Item = f64>) -> bool {
    let mut values = values;
    let first = values.next();
    values.all(|value| first.is_some_and(|first| same(first, value)))
}
