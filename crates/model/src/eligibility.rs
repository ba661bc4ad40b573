//! Which stays are long enough for V2G, (13).
//!
//! A stay that is not may not discharge at all, however willing its driver is; it is still
//! charged, at the incentive price. The equation is that of the scheduling paper behind the
//! case study, with the stricter minimum `SOC_min^V2G` in both of its terms.

use crate::{fleet::Fleet, site::Charger};

/// A stay, as far as (13) looks at it: power in kW on the grid side, stored energy in kWh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct V2gStay {
    /// Stored energy on arrival, `S_0·E`.
    pub arrival_energy_kwh: f64,
    /// Stored energy wanted at departure, `S_e·E`.
    pub departure_energy_kwh: f64,
    /// Stored energy that discharging must leave, `SOC_min^V2G·E`.
    pub v2g_energy_kwh_min: f64,
    /// Highest charging power.
    pub charge_kw_max: f64,
    /// Highest discharging power.
    pub discharge_kw_max: f64,
    /// Stored energy per grid-side energy charged, one way.
    pub charge_efficiency: f64,
    /// Grid-side energy per stored energy discharged, one way.
    pub discharge_efficiency: f64,
    /// Length of the slots wholly within the stay, hours.
    pub hours: f64,
}

impl V2gStay {
    /// A stay of a car with this capacity, from what it stores on arrival to what it wants at
    /// departure, kWh, over the slots that it has until then.
    pub fn new(
        fleet: &Fleet,
        charger: &Charger,
        capacity_kwh: f64,
        (arrival_energy_kwh, departure_energy_kwh): (f64, f64),
        hours: f64,
    ) -> Self {
        Self {
            arrival_energy_kwh,
            departure_energy_kwh,
            v2g_energy_kwh_min: capacity_kwh * fleet.v2g_soc_min(),
            charge_kw_max: charger.charge_max.0,
            discharge_kw_max: charger.discharge_max.0,
            charge_efficiency: fleet.battery.charge_efficiency.get(),
            discharge_efficiency: fleet.battery.discharge_efficiency.get(),
            hours,
        }
    }
}

/// Why a stay must not discharge at all; it is still charged.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Ineligible {
    /// Car or charger cannot discharge.
    #[error("nothing can be discharged here")]
    NoDischarge,
    /// There is no time to empty the battery as far as V2G may and to fill it again.
    #[error("a full turn takes {needed_hours:.2} h, the stay has {hours:.2} h")]
    StayTooShort {
        /// Left side of (13).
        needed_hours: f64,
        /// Its right side.
        hours: f64,
    },
}

/// Whether a stay is long enough for V2G (13).
///
/// ```text
/// max(0, S_e - m)·E/(P_c·η_c) + max(0, S_0 - m)·E/(P_d/η_d) <= hours,   m = SOC_min^V2G
/// ```
///
/// # Errors
/// The reason, where it is not.
pub fn v2g_eligible(stay: &V2gStay) -> Result<(), Ineligible> {
    // A billionth of an hour, lest rounding decide where both sides are equal.
    const ROUNDING_HOURS: f64 = 1e-9;
    if stay.discharge_kw_max <= 0.0 {
        return Err(Ineligible::NoDischarge);
    }
    let fill = stay.departure_energy_kwh - stay.v2g_energy_kwh_min;
    let empty = stay.arrival_energy_kwh - stay.v2g_energy_kwh_min;
    let needed_hours = hours_to_move(fill, stay.charge_kw_max * stay.charge_efficiency)
        + hours_to_move(empty, stay.discharge_kw_max / stay.discharge_efficiency);
    if needed_hours <= stay.hours + ROUNDING_HOURS {
        return Ok(());
    }
    Err(Ineligible::StayTooShort { needed_hours, hours: stay.hours })
}

/// Hours that a power on the battery's side takes for some stored energy; for ever at no power.
fn hours_to_move(energy_kwh: f64, stored_kw: f64) -> f64 {
    if energy_kwh <= 0.0 { 0.0 } else { energy_kwh / stored_kw }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A car of reference case 08; `arrival` and `departure` are states of charge.
    fn stay(arrival: f64, departure: f64, hours: f64) -> V2gStay {
        V2gStay {
            arrival_energy_kwh: 60.0 * arrival,
            departure_energy_kwh: 60.0 * departure,
            v2g_energy_kwh_min: 18.0,
            charge_kw_max: 7.0,
            discharge_kw_max: 7.0,
            charge_efficiency: 0.95,
            discharge_efficiency: 0.95,
            hours,
        }
    }

    /// From reference case 08, `eq13_holds`.
    #[test]
    fn a_session_of_the_paper_is_eligible_if_it_is_long_enough() {
        assert_eq!(v2g_eligible(&stay(0.78, 0.8, 13.25)), Ok(()));
        let short = v2g_eligible(&stay(0.8, 0.85, 8.0)).unwrap_err();
        let needed = 33.0 / (7.0 * 0.95) + 30.0 / (7.0 / 0.95);
        assert!(
            matches!(short, Ineligible::StayTooShort { needed_hours, hours: 8.0 } if (needed_hours - needed).abs() < 1e-12)
        );
        assert_eq!(short.to_string(), "a full turn takes 9.03 h, the stay has 8.00 h");
        assert_eq!(v2g_eligible(&stay(0.2, 0.3, 0.0)), Ok(()), "nothing to move takes no time");
        let one_way = V2gStay { discharge_kw_max: 0.0, ..stay(0.2, 0.3, 8.0) };
        assert_eq!(v2g_eligible(&one_way), Err(Ineligible::NoDischarge));
        let dead = V2gStay { charge_kw_max: 0.0, ..stay(0.2, 0.8, 8.0) };
        assert!(matches!(v2g_eligible(&dead), Err(Ineligible::StayTooShort { .. })));
    }

    proptest! {
        #[test]
        fn more_time_or_power_never_ends_eligibility(
            arrival in 0.0..1.0_f64, departure in 0.0..1.0_f64, hours in 0.0..24.0_f64, more in 0.0..5.0_f64,
        ) {
            let stay = stay(arrival, departure, hours);
            let longer = V2gStay { hours: hours + more, ..stay };
            let stronger = V2gStay { charge_kw_max: 7.0 + more, discharge_kw_max: 7.0 + more, ..stay };
            if v2g_eligible(&stay).is_ok() {
                prop_assert_eq!(v2g_eligible(&longer), Ok(()));
                prop_assert_eq!(v2g_eligible(&stronger), Ok(()));
            }
        }
    }
}
