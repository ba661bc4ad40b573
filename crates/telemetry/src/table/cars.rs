//! The table `cars`: what is known of each car, whatever it does.

use crate::{rows::rows, value::Word};
use voltide_model::{id::EvId, scenario::Scenario, site::Charger};

rows! {
    /// One row per car, as it is at the run's end: what a fork changes holds from its
    /// forked_at_tick on, and cars that it takes out or adds have a row, too. Power of a charger is
    /// on the grid side.
    pub cars by ev_id {
        /// the car, as in ev_ticks and sessions
        ev_id: u32;
        /// its fleet
        fleet: Word;
        /// number of the car in its fleet, from 0; with the fleet's name it keys the car's draws
        car: u32;
        /// whether a fork took it out of the world
        removed: bool;
        /// what its battery holds when full
        capacity_kwh: f64 = "kWh";
        /// stored per energy charged, 0..1
        charge_efficiency: f64;
        /// delivered per stored energy discharged, 0..1
        discharge_efficiency: f64;
        /// lowest state of charge (0..1) of the battery
        soc_min: f64;
        /// highest state of charge (0..1) of the battery
        soc_max: f64;
        /// state of charge (0..1) that V2G must leave; not below soc_min
        v2g_soc_min: f64;
        /// price of wear by energy discharged, grid side
        degradation_per_kwh: f64 = "currency/kWh";
        /// whether any of its chargers can discharge it
        can_discharge: bool;
        /// whether its driver is asked to agree to discharge
        driver_asked: bool;
        /// its tariff
        tariff: Word;
        /// its charger: at home, or at work where it has none at home; of a recorded session the
        /// station
        charger_id: u32;
        /// most that it charges with there
        charge_max_kw: f64 = "kW";
        /// most that it discharges with there; 0 where it cannot
        discharge_max_kw: f64 = "kW";
        /// the site behind whose limit that charger stands; null where none
        site_id: Option<u32>;
        /// its charger at work where it has one at home, too
        second_charger_id: Option<u32>;
        /// most that it charges with there
        second_charge_max_kw: Option<f64> = "kW";
        /// most that it discharges with there
        second_discharge_max_kw: Option<f64> = "kW";
        /// the site behind whose limit that charger stands
        second_site_id: Option<u32>;
    }
}

impl<'a> Row<'a> {
    /// The row of a car of a scenario.
    fn of(ev: EvId, scenario: &'a Scenario) -> Self {
        let population = &scenario.population;
        let range = population.range_of(ev);
        let fleet = &scenario.fleets[range.fleet];
        let battery = &fleet.battery;
        let mut ids = population.chargers_of(ev, fleet);
        // Every car has at least one.
        let charger_id = ids.next().unwrap_or_default();
        let second_charger_id = ids.next();
        let first = population.charger(charger_id);
        let second = second_charger_id.map(|id| population.charger(id));
        let discharges = |charger: &Charger| charger.discharge_max.0 > 0.0;
        Self {
            ev_id: ev.0,
            fleet: &fleet.name,
            car: range.index_of(ev),
            removed: range.removed,
            capacity_kwh: population.capacity_kwh[ev.row()],
            charge_efficiency: battery.charge_efficiency.get(),
            discharge_efficiency: battery.discharge_efficiency.get(),
            soc_min: battery.soc_min.get(),
            soc_max: battery.soc_max.get(),
            v2g_soc_min: fleet.v2g_soc_min(),
            degradation_per_kwh: battery.degradation_per_kwh,
            can_discharge: discharges(first) || second.is_some_and(discharges),
            driver_asked: scenario.asks_drivers(range.fleet).is_some(),
            tariff: &scenario.tariffs[fleet.tariff as usize].name,
            charger_id: charger_id.0,
            charge_max_kw: first.charge_max.0,
            discharge_max_kw: first.discharge_max.0,
            site_id: first.site.map(u32::from),
            second_charger_id: second_charger_id.map(u32::from),
            second_charge_max_kw: second.map(|charger| charger.charge_max.0),
            second_discharge_max_kw: second.map(|charger| charger.discharge_max.0),
            second_site_id: second.and_then(|charger| charger.site).map(u32::from),
        }
    }
}

/// All cars of a scenario.
pub(crate) fn rows(scenario: &Scenario) -> impl Iterator<Item = Row<'_>> {
    (0..scenario.population.len() as u32).map(|ev| Row::of(EvId(ev), scenario))
}
