//! Charging below a price and selling above one.
//!
//! The stay is gone through once, slot by slot. Looking ahead, three quantities are known per slot:
//!
//! | quantity        | the stored energy at a slot's beginning ...                                |
//! |-----------------|----------------------------------------------------------------------------|
//! | [`Ahead::must`] | from which full power until departure just reaches the target              |
//! | [`Ahead::keep`] | from which full power in the cheap slots until departure just reaches it   |
//! | [`Ahead::want`] | that is the target, and what the dear slots until departure can still sell |

use serde::Deserialize;
use std::ops::Range;
use voltide_policy::{Host, Observation, Policy, Result, Schedules};

/// Charges a car when energy is cheap, and sells from its battery when energy is dear.
///
/// * A slot is **cheap** when the price that the car pays is at or below `charge_below`. The car
///   then charges up to its target, and beyond it as much as it can sell before it leaves.
/// * A slot is **dear** when it is not cheap, the price that the car is paid is above
///   `discharge_above`, the stay is eligible and the driver agreed or is not asked. The car then sells, as long as
///   it keeps its minimum, and enough to reach its target in cheap slots to come.
/// * In the other slots it charges only when its laxity runs out: as much as its target needs.
///
/// Thresholds are prices per kWh in the world's currency. One that is not given is the mean of the
/// price that the car pays over its stay, as far as the horizon shows it. Wear is not looked at: a
/// `discharge_above` that is to pay for it has to lie that much higher.
///
/// The rule is the one by which W. Kempton and J. Tomić let vehicles sell, Vehicle-to-Grid Power
/// Fundamentals, Journal of Power Sources 144, 2005: when the price is above what the energy cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// Most that is paid for energy which could wait, per kWh.
    pub charge_below: Option<f64>,
    /// Price that must be exceeded for energy to be sold, per kWh.
    pub discharge_above: Option<f64>,
}

impl Policy for Threshold {
    const NAME: &'static str = "threshold";
    const PAYS_INCENTIVE: bool = true;

    fn plan(
        &mut self,
        _host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        for (row, power_kw) in schedules.rows().enumerate() {
            let window = seen.window(row);
            let kinds = self.kinds(seen, row, window.clone());
            Battery::of(seen, row).trade(&kinds, &mut power_kw[window]);
        }
        Ok(())
    }
}

/// What the prices make of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cheap,
    Dear,
    Other,
}

impl Threshold {
    /// What the slots of a stay are; where no prices are known, all are cheap.
    fn kinds(&self, seen: &Observation<'_>, row: usize, window: Range<usize>) -> Vec<Kind> {
        let start = seen.tariff_id[row] as usize * seen.horizon;
        let prices = |series: &[f64]| series.get(start..).unwrap_or_default().to_vec();
        let (buy, sell) = (prices(seen.buy_price), prices(seen.sell_price));
        let at = |prices: &[f64], slot: usize| prices.get(slot).copied().unwrap_or(0.0);
        let mean =
            window.clone().map(|slot| at(&buy, slot)).sum::<f64>() / window.len().max(1) as f64;
        let (below, above) =
            (self.charge_below.unwrap_or(mean), self.discharge_above.unwrap_or(mean));
        let kind = |slot| match slot {
            slot if at(&buy, slot) <= below => Kind::Cheap,
            slot if at(&sell, slot) > above && seen.may_discharge(row, slot) => Kind::Dear,
            _ => Kind::Other,
        };
        window.map(kind).collect()
    }
}

/// A battery and what it is wanted to hold, on the stored side, kWh; power is on the grid side.
struct Battery {
    energy: f64,
    energy_min: f64,
    energy_max: f64,
    target: f64,
    /// Most that a slot adds.
    charge_max: f64,
    /// Most that a slot takes away.
    discharge_max: f64,
    charge_kw_max: f64,
    discharge_kw_max: f64,
}

/// What a battery has to hold at the beginning of a slot, kWh; see the table above.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    must: f64,
    keep: f64,
    want: f64,
}

impl Battery {
    fn of(seen: &Observation<'_>, row: usize) -> Self {
        let charge = seen.slot_hours * seen.charge_efficiency[row];
        let discharge = seen.slot_hours / seen.discharge_efficiency[row];
        Self {
            energy: seen.energy_kwh[row],
            energy_min: seen.energy_kwh_min[row],
            energy_max: seen.energy_kwh_max[row],
            target: seen.departure_energy_kwh[row].min(seen.energy_kwh_max[row]),
            charge_max: seen.charge_kw_max[row] * charge,
            discharge_max: seen.discharge_kw_max[row] * discharge,
            charge_kw_max: seen.charge_kw_max[row],
            discharge_kw_max: seen.discharge_kw_max[row],
        }
    }

    /// Writes the power of each slot, kW.
    fn trade(mut self, kinds: &[Kind], power_kw: &mut [f64]) {
        let ahead = self.ahead(kinds);
        for ((kind, power), after) in kinds.iter().zip(power_kw).zip(&ahead[1..]) {
            let bought = self.charged(*kind, after);
            // Who has to charge by now does not sell, however dear the slot is.
            let sold = if *kind == Kind::Dear && bought == 0.0 { self.sold(after) } else { 0.0 };
            self.energy += bought - sold;
            *power = share(bought, self.charge_max) * self.charge_kw_max
                - share(sold, self.discharge_max) * self.discharge_kw_max;
        }
    }

    /// What has to be there at the beginning of each slot and at departure.
    fn ahead(&self, kinds: &[Kind]) -> Vec<Ahead> {
        let target = self.target;
        // Not kept within the battery's bounds here: they hold where energy is moved.
        let mut ahead = vec![Ahead { must: target, keep: target, want: target }; kinds.len() + 1];
        for slot in (0..kinds.len()).rev() {
            let cheap = kinds[slot] == Kind::Cheap;
            let dear = kinds[slot] == Kind::Dear;
            let Ahead { must, keep, want } = ahead[slot + 1];
            ahead[slot] = Ahead {
                must: must - self.charge_max,
                keep: keep - if cheap { self.charge_max } else { 0.0 },
                want: want + if dear { self.discharge_max } else { 0.0 },
            };
        }
        ahead
    }

    /// Energy that a slot adds, given what has to be there after it, kWh.
    fn charged(&self, kind: Kind, after: &Ahead) -> f64 {
        let goal = match kind {
            Kind::Cheap => after.want.min(self.energy_max),
            Kind::Dear | Kind::Other => after.must,
        };
        worth_it((goal - self.energy).min(self.charge_max))
    }

    /// Energy that a dear slot takes away, given what has to be there after it, kWh.
    fn sold(&self, after: &Ahead) -> f64 {
        worth_it((self.energy - after.keep.max(self.energy_min)).min(self.discharge_max))
    }
}

/// The part `of` a whole, 0 of nothing.
fn share(part: f64, of: f64) -> f64 {
    if part > 0.0 { part / of } else { 0.0 }
}

/// The energy, or 0 where there is next to none or less.
fn worth_it(energy_kwh: f64) -> f64 {
    if energy_kwh > super::NOTHING_KWH { energy_kwh } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use voltide_policy::testing::{Car, ObservationBuilder, plan};

    /// Slots of an hour, at the same price to pay and to be paid.
    fn at(prices: &[f64]) -> ObservationBuilder {
        let mut shown = ObservationBuilder::new(prices.len());
        shown.slot_hours = 1.0;
        shown.buy_price = prices.to_vec();
        shown.sell_price = prices.to_vec();
        shown
    }

    /// Lacks 4 kWh, charges and sells with 4 kW, and can hold 20 kWh more than it wants.
    fn car() -> Car {
        Car {
            energy_kwh: 36.0,
            departure_energy_kwh: 40.0,
            charge_kw_max: 4.0,
            discharge_kw_max: 4.0,
            v2g_eligible: 1,
            ..Car::default()
        }
    }

    fn planned(policy: Threshold, shown: &ObservationBuilder) -> Vec<f64> {
        plan(&mut policy.clone(), shown).unwrap().remove(0)
    }

    #[test]
    fn it_buys_below_the_mean_and_sells_above_it() {
        let shown = at(&[0.3, 0.1, 0.1, 0.5]).car(car());
        assert_eq!(planned(Threshold::default(), &shown), [-4.0, 4.0, 4.0, 0.0]);
        let shown = at(&[0.2, 0.1, 0.1, 0.5]).car(car());
        assert_eq!(planned(Threshold::default(), &shown), [4.0, 4.0, 0.0, -4.0]);
    }

    #[test]
    fn who_is_not_eligible_or_did_not_agree_only_charges_when_it_is_cheap() {
        let shown = at(&[0.3, 0.1, 0.1, 0.5]).car(Car { v2g_eligible: 0, ..car() });
        assert_eq!(planned(Threshold::default(), &shown), [0.0, 4.0, 0.0, 0.0]);
        let mut shown = at(&[0.3, 0.1, 0.1, 0.5]).car(car());
        shown.agreed = vec![0b0111];
        assert_eq!(planned(Threshold::default(), &shown), [-4.0, 4.0, 4.0, 0.0]);
        shown.agreed = vec![0b1110];
        assert_eq!(planned(Threshold::default(), &shown), [0.0, 4.0, 4.0, -4.0]);
    }

    #[test]
    fn when_laxity_runs_out_it_charges_at_any_price() {
        let policy = Threshold { charge_below: Some(0.05), discharge_above: Some(9.0) };
        let shown = at(&[0.1; 4]).car(Car { energy_kwh: 34.0, ..car() });
        assert_eq!(planned(policy, &shown), [0.0, 0.0, 2.0, 4.0]);
    }

    #[test]
    fn thresholds_are_what_the_config_says() {
        let policy = Threshold { charge_below: Some(0.2), discharge_above: Some(0.4) };
        let shown = at(&[0.3, 0.2, 0.4, 0.41, 0.2]).car(car());
        assert_eq!(planned(policy, &shown), [0.0, 4.0, 0.0, -4.0, 4.0]);
        let read = voltide_policy::policy::from_config("(charge_below: 0.2, discharge_above: 0.4)");
        assert_eq!(read, Ok(policy));
    }

    #[test]
    fn without_prices_it_charges_at_once() {
        let mut shown = at(&[0.0; 3]).car(car());
        shown.buy_price.clear();
        shown.sell_price.clear();
        assert_eq!(planned(Threshold::default(), &shown), [4.0, 0.0, 0.0]);
    }

    fn any_car() -> impl Strategy<Value = Car> {
        let battery = (20.0..80.0, 0.2..=1.0, 0.7..=1.0, 0.7..=1.0);
        (battery, 0.0..30.0, 0.0..30.0, 0_u32..12, 1_u32..30, 0_u8..2).prop_map(|parts| {
            let (battery, charge_kw_max, discharge_kw_max, arrival_slot, slots, v2g_eligible) =
                parts;
            let (energy_kwh, soc_max, charge_efficiency, discharge_efficiency) = battery;
            Car {
                energy_kwh,
                capacity_kwh: 80.0,
                energy_kwh_min: 16.0,
                energy_kwh_max: 80.0 * soc_max,
                departure_energy_kwh: 60.0,
                charge_kw_max,
                discharge_kw_max,
                charge_efficiency,
                discharge_efficiency,
                arrival_slot,
                departure_slot: arrival_slot + slots,
                v2g_eligible,
                ..Car::default()
            }
        })
    }

    /// Stored energy after each slot, kWh.
    fn stored(car: &Car, powers: &[f64]) -> Vec<f64> {
        let mut energy = car.energy_kwh;
        let after = powers.iter().map(|power| {
            energy +=
                power.max(0.0) * car.charge_efficiency + power.min(0.0) / car.discharge_efficiency;
            energy
        });
        after.collect()
    }

    proptest! {
        #[test]
        fn it_reaches_the_target_wherever_charging_at_once_does(
            car in any_car(),
            prices in prop::collection::vec(-0.2..1.0, 24),
            below in prop::option::of(0.0..0.8),
            above in prop::option::of(0.0..0.8),
        ) {
            let policy = Threshold { charge_below: below, discharge_above: above };
            let shown = at(&prices).car(car);
            let powers = planned(policy, &shown);
            let window = shown.build().window(0);
            let target = car.departure_energy_kwh.min(car.energy_kwh_max);
            let reach = car.energy_kwh + window.len() as f64 * car.charge_kw_max * car.charge_efficiency;
            let stored = stored(&car, &powers);
            let last = stored[23];
            prop_assert!(last >= target.min(reach).min(car.energy_kwh.max(target)) - 1e-6, "{last}");
            prop_assert!(last <= car.energy_kwh.max(target) + 1e-6, "{last}");
            for (slot, (&power, &energy)) in powers.iter().zip(&stored).enumerate() {
                prop_assert!(power == 0.0 || window.contains(&slot));
                prop_assert!((-car.discharge_kw_max..=car.charge_kw_max).contains(&power));
                prop_assert!(power >= 0.0 || (energy >= 16.0 - 1e-6 && car.v2g_eligible == 1));
                prop_assert!(power <= 0.0 || energy <= car.energy_kwh_max + 1e-6);
                prop_assert!(power >= 0.0 || above.is_none_or(|above| prices[slot] > above));
            }
        }
    }
}
