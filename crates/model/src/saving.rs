//! What drivers save under one policy against another: like for like, whatever is left for later.
//!
//! ```text
//! saving = Σ (cost_baseline - cost) - Σ_fleet p_fleet · Σ (gained_baseline - gained)
//! p      = baseline's cost of energy charged / what it stored of it, fleet by fleet
//! ```
//! Sums run over the stays that end within both runs: the same ones, since draws are keyed. What a
//! stay gains is the energy at its end less that on arrival. Summed over a car's stays it is what
//! is on board after the last of them, and what was driven in between; as trips do not depend on
//! the policy, the difference is that of energy on board after the last stay, and of what a trip
//! lacked where a battery was too empty for it. So a run that leaves less in the batteries has to
//! pay for it, at the price at which the baseline stored it: at one flat price nothing is saved by
//! moving energy about.
//!
//! Stays that are in progress at the end count in neither sum. What a run has put off in them
//! stands beside the saving, as energy.

use crate::rounding::{Balance, without_rounding};
use std::cmp::Ordering;

/// What tells one stay from another in runs of the same draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StayKey {
    /// Number of the car in its fleet.
    pub car: u32,
    /// When it was plugged in, microseconds since 1970 (UTC).
    pub plugged_at: i64,
    /// When it was unplugged; `None` where the run was over before.
    pub unplugged_at: Option<i64>,
}

/// What came of one stay.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StayBill {
    /// What the driver pays less what the driver earns, wear included.
    pub net_cost: f64,
    /// Energy stored at the end less energy stored on arrival, kWh.
    pub gained_kwh: f64,
}

/// What energy came to on its way into batteries, or out of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exchanged {
    /// Energy on the battery's side, kWh.
    pub kwh: f64,
    /// What was paid for it, or earned by it.
    pub amount: f64,
}

impl Exchanged {
    /// Adds more of it.
    pub fn add(&mut self, kwh: f64, amount: f64) {
        self.kwh += kwh;
        self.amount += amount;
    }

    fn and(self, other: Self) -> Self {
        Self { kwh: self.kwh + other.kwh, amount: self.amount + other.amount }
    }

    /// Mean price of a stored kWh; `None` where there was none.
    fn price(self) -> Option<f64> {
        (self.kwh > 0.0).then(|| self.amount / self.kwh)
    }
}

/// All bills of a fleet in one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetBill {
    /// The fleet's name.
    pub name: String,
    /// Energy charged in all stays, and what was paid for it.
    pub charged: Exchanged,
    /// Energy discharged in all stays, and what was earned by it.
    pub discharged: Exchanged,
    /// The stays, in any order.
    pub stays: Vec<(StayKey, StayBill)>,
}

/// The bills of all drivers in one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bills {
    /// Seed of the draws: runs of other seeds have other stays.
    pub seed: u64,
    /// The fleets, each once.
    pub fleets: Vec<FleetBill>,
}

impl Bills {
    /// Puts all stays in order, as [`saving`] wants them.
    pub fn sort(&mut self) {
        for fleet in &mut self.fleets {
            // A car has one stay at a time, so that no two keys are equal.
            fleet.stays.sort_unstable_by_key(|(key, _)| *key);
        }
    }
}

/// What a fleet's stored energy is valued at.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPrice {
    /// The fleet.
    pub fleet: String,
    /// Price of a stored kWh.
    pub per_kwh: f64,
}

/// What one run saves against another.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Saving {
    /// Stays that ended in both runs.
    pub stays: u64,
    /// What they cost in the baseline.
    pub baseline_cost: f64,
    /// What they cost in the run.
    pub cost: f64,
    /// How much less the batteries hold after the last of these stays than in the baseline, and
    /// what trips lacked more than there, kWh.
    pub emptier_kwh: f64,
    /// The same, at the baseline's mean prices of a stored kWh.
    pub emptier_value: f64,
    /// What is saved: `baseline_cost - cost - emptier_value`.
    pub amount: f64,
    /// How much less the stays that are in progress at the end of both runs have gained, kWh.
    pub put_off_kwh: f64,
    /// The prices, of the fleets in both runs of which either moved energy.
    pub prices: Vec<StoredPrice>,
}

impl Saving {
    /// The saving as a share of what the baseline costs; 0 where nothing is saved, whatever that
    /// is, and `None` where there is a saving on what did not cost anything.
    pub fn share(&self) -> Option<f64> {
        match () {
            () if self.amount == 0.0 => Some(0.0),
            () if self.baseline_cost > 0.0 => Some(self.amount / self.baseline_cost),
            () => None,
        }
    }
}

/// What `run` saves against `baseline`; both are sorted. `None` where no stay ended in both.
pub fn saving(baseline: &Bills, run: &Bills) -> Option<Saving> {
    if baseline.seed != run.seed {
        return None;
    }
    let mut sums = Sums::default();
    for baseline in &baseline.fleets {
        if let Some(run) = run.fleets.iter().find(|fleet| fleet.name == baseline.name) {
            sums.add_fleet(baseline, run);
        }
    }
    let saving = sums.saving();
    (saving.stays > 0).then_some(saving)
}

/// What a saving is made of, fleet by fleet.
#[derive(Default)]
struct Sums {
    saving: Saving,
    emptier_kwh: Balance,
    emptier_value: Balance,
    put_off_kwh: Balance,
}

impl Sums {
    fn add_fleet(&mut self, baseline: &FleetBill, run: &FleetBill) {
        let mut emptier_kwh = Balance::default();
        for (key, before, after) in in_both(&baseline.stays, &run.stays) {
            if key.unplugged_at.is_none() {
                self.put_off_kwh.add(before.gained_kwh, after.gained_kwh);
                continue;
            }
            self.saving.stays += 1;
            self.saving.baseline_cost += before.net_cost;
            self.saving.cost += after.net_cost;
            emptier_kwh.add(before.gained_kwh, after.gained_kwh);
        }
        self.emptier_kwh.add_at(1.0, emptier_kwh);
        let Some(per_kwh) = stored_price(baseline, run) else { return };
        self.emptier_value.add_at(per_kwh, emptier_kwh);
        self.saving.prices.push(StoredPrice { fleet: baseline.name.clone(), per_kwh });
    }

    fn saving(self) -> Saving {
        let Saving { baseline_cost, cost, .. } = self.saving;
        let emptier_value = self.emptier_value.left();
        // Where the three cancel out, what is left is what rounding leaves of the largest.
        let subtracted = baseline_cost.abs() + cost.abs() + emptier_value.abs();
        Saving {
            emptier_kwh: self.emptier_kwh.left(),
            emptier_value,
            amount: without_rounding(baseline_cost - cost - emptier_value, subtracted),
            put_off_kwh: self.put_off_kwh.left(),
            ..self.saving
        }
    }
}

/// The baseline's mean price of a kWh that its cars have stored.
///
/// Where they stored none, it is the other run's; where neither did, what the two earned by a kWh
/// that they took out. Where nothing was moved at all, nothing needs a price.
fn stored_price(baseline: &FleetBill, run: &FleetBill) -> Option<f64> {
    let charged = baseline.charged.price().or_else(|| run.charged.price());
    charged.or_else(|| baseline.discharged.and(run.discharged).price())
}

/// The stays that two runs have in common, of two sorted lists.
fn in_both<'a>(
    left: &'a [(StayKey, StayBill)],
    right: &'a [(StayKey, StayBill)],
) -> impl Iterator<Item = (StayKey, StayBill, StayBill)> + 'a {
    let mut right = right.iter().peekable();
    left.iter().filter_map(move |&(key, before)| {
        while right.next_if(|(other, _)| other.cmp(&key) == Ordering::Less).is_some() {}
        right.next_if(|(other, _)| *other == key).map(|&(_, after)| (key, before, after))
    })
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn stay(
        car: u32,
        unplugged_at: Option<i64>,
        net_cost: f64,
        gained_kwh: f64,
    ) -> (StayKey, StayBill) {
        (StayKey { car, plugged_at: 0, unplugged_at }, StayBill { net_cost, gained_kwh })
    }

    fn bills(charged: Exchanged, stays: Vec<(StayKey, StayBill)>) -> Bills {
        let fleet = FleetBill { name: "cars".into(), charged, stays, ..FleetBill::default() };
        let mut bills = Bills { seed: 1, fleets: vec![fleet] };
        bills.sort();
        bills
    }

    /// The baseline stores 10 kWh at 0.50 in each of three cars; the run half of it at 0.20.
    fn two_runs() -> (Bills, Bills) {
        let ends = [Some(9), Some(9), None];
        let all = |cost: f64, kwh: f64| {
            (0..).zip(ends).map(|(car, end)| stay(car, end, cost, kwh)).collect()
        };
        let paid = |kwh: f64, amount: f64| Exchanged { kwh, amount };
        (bills(paid(30.0, 15.0), all(5.0, 10.0)), bills(paid(15.0, 3.0), all(1.0, 5.0)))
    }

    #[test]
    fn emptier_batteries_are_filled_up_at_the_baselines_price() {
        let (baseline, run) = two_runs();
        let saving = saving(&baseline, &run).unwrap();
        assert_eq!((saving.stays, saving.baseline_cost, saving.cost), (2, 10.0, 2.0));
        assert_eq!((saving.emptier_kwh, saving.emptier_value, saving.amount), (10.0, 5.0, 3.0));
        assert_eq!((saving.put_off_kwh, saving.share()), (5.0, Some(0.3)));
    }

    #[test]
    fn stays_that_end_at_other_times_are_not_the_same() {
        let (baseline, mut run) = two_runs();
        run.fleets[0].stays[0].0.unplugged_at = Some(8);
        run.sort();
        assert_eq!(saving(&baseline, &run).unwrap().stays, 1);
        run.seed = 2;
        assert_eq!(saving(&baseline, &run), None);
    }

    #[test]
    fn what_rounding_leaves_of_energy_and_its_value_is_nothing() {
        let ends = [Some(9), Some(9), None, None];
        let all = |kwh: [f64; 2]| {
            let stays =
                (0..).zip(ends).map(|(car, end)| stay(car, end, 1.0, kwh[car as usize % 2]));
            bills(Exchanged { kwh: 0.6, amount: 0.1 }, stays.collect())
        };
        let saving = saving(&all([0.1 + 0.2, 0.0]), &all([0.3, 0.0])).unwrap();
        assert_eq!((saving.emptier_kwh, saving.emptier_value, saving.put_off_kwh), (0.0, 0.0, 0.0));
    }

    #[test]
    fn a_baseline_that_stored_nothing_is_priced_by_the_other_run() {
        let (mut baseline, run) = two_runs();
        baseline.fleets[0].charged = Exchanged::default();
        assert_eq!(saving(&baseline, &run).unwrap().prices[0].per_kwh, 0.2);
        let nothing = bills(Exchanged::default(), run.fleets[0].stays.clone());
        assert!(saving(&baseline, &nothing).unwrap().prices.is_empty());
    }
}
