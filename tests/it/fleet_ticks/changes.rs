//! Changes of schedules by another way: a search, car by car and slot by slot.

use super::{of_group, scenario};
use crate::engine::shown;
use std::{ops::Range, path::Path, sync::Arc};
use voltide_host::Plugins;
use voltide_journal::{
    event::{Event, Recorded},
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    id::{EvId, StayId},
    scenario::Scenario,
    stay::NO_STAY,
};
use voltide_telemetry::{Options, RunStatus, Telemetry, TelemetryError};

/// Two fleets on tariffs of their own, asked and not asked, half of them behind another connection
/// first; over two midnights, with stays that reach beyond the end.
const STREET: &str = r#"(
    name: "street", seed: 5, currency: "EUR",
    clock: (start: "2024-06-03T18:00", time_zone: "Europe/Berlin", step: "15 min", days: 2),
    tariff: TimeOfUse(default: "0.30 EUR/kWh", bands: [
        (from: "17:00", to: "21:00", price: "0.55 EUR/kWh"), (from: "00:00", to: "05:00", price: "0.15 EUR/kWh")]),
    tariffs: {"night": (buy: Fixed("0.25 EUR/kWh"))},
    system: (base_load: TimeOfUse(default: "200 kW", bands: [(from: "17:00", to: "21:00", value: "400 kW")])),
    incentive: (rho: 0.6, floor: "0 EUR/kWh", expected_price: Proportional(1.0)),
    sites: {
        "street": (import_limit: "70 kW", export_limit: "25 kW"),
        "house": (import_limit: "40 kW", export_limit: "20 kW", parent: "street"),
    },
    fleets: {
        "asked": (
            count: 12, battery: (capacity: "50 kWh", soc_min: 0.1, soc_min_v2g: 0.3,
                charge_efficiency: 0.95, discharge_efficiency: 0.9, degradation: "0.02 EUR/kWh"),
            charger: (charge_max: "7 kW", discharge_max: "7 kW", site: "street"),
            stays: Commute(
                home: (arrive: Normal(mean: "17:30", sd: "30 min"), leave: Normal(mean: "07:00", sd: "30 min")),
                work: (arrive: "08:00", leave: Normal(mean: "16:30", sd: "30 min"))),
            trip_energy: "5 kWh", soc_on_arrival: Normal(mean: 0.5, sd: 0.15, min: 0.2, max: 1.0),
            departure_soc: Normal(mean: 0.8, sd: 0.1, min: 0.3, max: 1.0),
            willingness: (optimistic: (a: 1, b: 8, c: 0.9), pessimistic: (a: 3, b: 6, c: 0.3),
                participation: Threshold(0.5)),
        ),
        "others": (
            count: 8, tariff: "night", battery: (capacity: "60 kWh", soc_min: 0.2,
                charge_efficiency: 0.9, discharge_efficiency: 0.85),
            charger: (charge_max: "11 kW", discharge_max: "6 kW", site: "house"),
            stays: Overnight(arrive: Normal(mean: "17:30", sd: "30 min"), leave: "07:00"),
            trip_energy: "5 kWh", soc_on_arrival: 0.9, departure_soc: 0.6,
        ),
    },
)"#;

/// The whiles in slots, with what their columns are called.
const WHILES: [(usize, [&str; 3]); 3] = [
    (1, ["add_15min_kw", "cut_15min_kw", "cut_15min_agreed_kw"]),
    (4, ["add_1h_kw", "cut_1h_kw", "cut_1h_agreed_kw"]),
    (16, ["add_4h_kw", "cut_4h_kw", "cut_4h_agreed_kw"]),
];

const HOURS: f64 = 0.25;

/// What was seen of a tick, by car.
struct Tick {
    stay: Vec<StayId>,
    /// What the slot begins with, kWh.
    began_kwh: Vec<f64>,
    agreed: Vec<u8>,
    /// Power in this slot and those that follow, as planned, kW.
    powers: Vec<[f64; 16]>,
}

/// Keeps what a tick looked like, and lets tables be made of it.
struct Witness {
    telemetry: Telemetry,
    energy_kwh: Vec<f64>,
    /// Per car: what its session began with and wants, kWh.
    wanted: Vec<(f64, f64)>,
    ticks: Vec<Tick>,
    /// What sessions wanted in each tick.
    wishes: Vec<Vec<(f64, f64)>>,
}

impl Sink for Witness {
    type Error = TelemetryError;

    fn event(&mut self, scenario: &Arc<Scenario>, told: &Recorded) -> Result<(), TelemetryError> {
        if let Event::SessionStarted(started) = &told.event {
            for (row, &ev) in started.ev.iter().enumerate() {
                self.energy_kwh[ev.row()] = started.energy_kwh[row];
                self.wanted[ev.row()] = (started.energy_kwh[row], started.departure_kwh[row]);
            }
        }
        self.telemetry.event(scenario, told)
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), TelemetryError> {
        let powers = |ev: u32| {
            let (slots, kw) = columns.outlook.plan(EvId(ev));
            std::array::from_fn(|ahead| {
                let at = columns.tick + ahead as u32;
                let last = slots.iter().rposition(|&slot| slot <= at);
                let planned = last.map_or(0.0, |last| kw[last]);
                if ahead == 0 { columns.power_kw[ev as usize] } else { planned }
            })
        };
        self.ticks.push(Tick {
            stay: columns.stay.to_vec(),
            began_kwh: std::mem::replace(&mut self.energy_kwh, columns.energy_kwh.to_vec()),
            agreed: columns.agreed.to_vec(),
            powers: (0..columns.stay.len() as u32).map(powers).collect(),
        });
        self.wishes.push(self.wanted.clone());
        self.telemetry.tick(scenario, columns)
    }
}

fn witnessed(folder: &Path, policy: &str) -> (Arc<Scenario>, Witness) {
    let scenario = scenario(STREET, folder);
    let cars = scenario.population.len();
    let witness = Witness {
        telemetry: Telemetry::create(folder, &scenario, Options::default()).unwrap(),
        energy_kwh: vec![0.0; cars],
        wanted: vec![(0.0, 0.0); cars],
        ticks: Vec::new(),
        wishes: Vec::new(),
    };
    let planner = Plugins::in_folders(vec![]).load(policy, "", 0).unwrap();
    let witness = shown(&scenario, (planner, None), witness);
    (scenario, witness)
}

/// A car in a slot, and what is to come of its stay.
struct Seen<'a> {
    scenario: &'a Scenario,
    ev: EvId,
    tick: usize,
    began_kwh: f64,
    powers: &'a [f64],
    arrival_kwh: f64,
    target_kwh: f64,
    /// Slots that the car is expected to stay for.
    left: usize,
    charge_kw: f64,
    discharge_kw: f64,
}

impl Seen<'_> {
    /// Whether a change of all powers keeps the charger's limits, where discharging is held to
    /// `floor_kw`, and leaves enough energy and time for what the stay wants.
    fn holds(&self, change: f64, floor_kw: f64) -> bool {
        let population = &self.scenario.population;
        let fleet = &self.scenario.fleets[population.fleet_of(self.ev)];
        let full = population.capacity_kwh[self.ev.row()];
        let stored = fleet.battery.charge_efficiency.get() * HOURS;
        let drawn = HOURS / fleet.battery.discharge_efficiency.get();
        let least = (full * fleet.v2g_soc_min()).min(self.arrival_kwh);
        let most = full * fleet.battery.soc_max.get();
        let most = most.max(self.arrival_kwh);
        let target = self.target_kwh.min(most);
        let best = self.began_kwh + self.left as f64 * self.charge_kw * stored;
        let mut energy = self.began_kwh;
        self.powers.iter().enumerate().all(|(slot, power)| {
            let kw = power + change;
            energy += if kw > 0.0 { kw * stored } else { kw * drawn };
            let full_power = (self.left - slot - 1) as f64 * self.charge_kw * stored;
            let can_be_met = energy + full_power >= target.min(best) - 1e-7;
            let within = energy >= least - 1e-7 && energy <= most + 1e-7;
            within && can_be_met && kw <= self.charge_kw + 1e-9 && kw >= -floor_kw - 1e-9
        })
    }

    /// The largest change in a direction, by halving.
    fn most(&self, direction: f64, floor_kw: f64) -> f64 {
        let (mut possible, mut not) = (0.0, 64.0);
        for _ in 0..60 {
            let middle: f64 = 0.5 * (possible + not);
            if self.holds(direction * middle, floor_kw) { possible = middle } else { not = middle }
        }
        possible
    }

    /// What can be taken off where discharging is held to `floor_kw`; what is planned beyond that
    /// would have to stop.
    fn taken_off(&self, floor_kw: f64) -> f64 {
        let lowest = self.powers.iter().copied().fold(f64::INFINITY, f64::min);
        if lowest + floor_kw < 0.0 { lowest + floor_kw } else { self.most(-1.0, floor_kw) }
    }
}

/// A car in a tick as the search needs it; `None` where it does not stay for so many slots.
fn seen<'a>(
    scenario: &'a Scenario,
    witness: &'a Witness,
    tick: usize,
    ev: EvId,
    slots: usize,
) -> Option<Seen<'a>> {
    let told = &witness.ticks[tick];
    let stay = told.stay[ev.row()];
    if stay == NO_STAY {
        return None;
    }
    let (stays, clock) = (&scenario.population.stays, &scenario.clock);
    let end = stays.announced_end_slot(stay, clock) as usize;
    let charger = scenario.population.charger(stays.charger[stay.row()]);
    let (arrival_kwh, target_kwh) = witness.wishes[tick][ev.row()];
    (end >= tick + slots).then(|| Seen {
        scenario,
        ev,
        tick,
        began_kwh: told.began_kwh[ev.row()],
        powers: &told.powers[ev.row()][..slots],
        arrival_kwh,
        target_kwh,
        left: end - tick,
        charge_kw: charger.charge_max.0,
        discharge_kw: charger.discharge_max.0,
    })
}

/// Whether the driver of a car agrees from its slot on for so many; `None` where that is not seen
/// any more.
fn agrees(witness: &Witness, seen: &Seen<'_>, slots: usize) -> Option<bool> {
    let ticks = witness.ticks.get(seen.tick..seen.tick + slots)?;
    Some(ticks.iter().all(|tick| tick.agreed[seen.ev.row()] == 1))
}

/// What the cars of a fleet could add, and take off with all and with those who agree, kW.
fn of_fleet(
    scenario: &Scenario,
    witness: &Witness,
    tick: usize,
    (fleet, evs): (usize, Range<u32>),
    slots: usize,
) -> [Option<f64>; 3] {
    let mut sums = [Some(0.0); 3];
    for ev in evs.map(EvId) {
        let Some(seen) = seen(scenario, witness, tick, ev, slots) else { continue };
        let asked = fleet == 0;
        let eligible = is_eligible(scenario, witness, &seen);
        let may = if eligible { seen.discharge_kw } else { 0.0 };
        let agreed = if asked { agrees(witness, &seen, slots) } else { Some(true) };
        let all = seen.taken_off(may);
        let added = seen.most(1.0, f64::INFINITY);
        let with = agreed.map(|agreed| if agreed { all } else { seen.taken_off(0.0) });
        for (sum, of_car) in sums.iter_mut().zip([Some(added), Some(all), with]) {
            *sum = sum.zip(of_car).map(|(sum, of_car)| sum + of_car);
        }
    }
    sums
}

/// (13), written out.
fn is_eligible(scenario: &Scenario, witness: &Witness, seen: &Seen<'_>) -> bool {
    let population = &scenario.population;
    let fleet = &scenario.fleets[population.fleet_of(seen.ev)];
    let stay = witness.ticks[seen.tick].stay[seen.ev.row()];
    let first = population.stays.first_slot(stay, &scenario.clock) as usize;
    let least = population.capacity_kwh[seen.ev.row()] * fleet.v2g_soc_min();
    let charge = seen.charge_kw * fleet.battery.charge_efficiency.get();
    let discharge = seen.discharge_kw / fleet.battery.discharge_efficiency.get();
    let hours = (seen.target_kwh - least).max(0.0) / charge
        + (seen.arrival_kwh - least).max(0.0) / discharge;
    hours <= (seen.tick + seen.left - first) as f64 * HOURS + 1e-9
}

/// What a site has left, kW: up to its import limit, and down to its export limit.
fn left(
    scenario: &Scenario,
    witness: &Witness,
    tick: usize,
    site: usize,
    slots: usize,
) -> [f64; 2] {
    let population = &scenario.population;
    let behind = if site == 0 {
        0..population.len()
    } else {
        let evs = &population.fleets[1].evs;
        evs.start as usize..evs.end as usize
    };
    let told = &witness.ticks[tick];
    let load = |ahead: usize| {
        let plugged = behind.clone().filter(|&ev| told.stay[ev] != NO_STAY);
        plugged.map(|ev| told.powers[ev][ahead]).sum::<f64>()
    };
    let last = slots.min(witness.ticks.len() - tick);
    let loads: Vec<f64> = (0..last).map(load).collect();
    let highest = loads.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = loads.iter().copied().fold(f64::INFINITY, f64::min);
    let site = &scenario.sites[site];
    [(site.import_limit.0 - highest).max(0.0), (site.export_limit.0 + lowest).max(0.0)]
}

/// Holds sums of added and taken off power to what is left.
fn limited(sums: [Option<f64>; 3], left: [f64; 2]) -> [Option<f64>; 3] {
    let [added, all, agreed] = sums;
    let [import, export] = left;
    [added.map(|kw| kw.min(import)), all.map(|kw| kw.min(export)), agreed.map(|kw| kw.min(export))]
}

fn plus(one: [Option<f64>; 3], other: [Option<f64>; 3]) -> [Option<f64>; 3] {
    std::array::from_fn(|place| one[place].zip(other[place]).map(|(one, other)| one + other))
}

/// Rows of both fleets and both sites in each tick.
fn searched(
    scenario: &Scenario,
    witness: &Witness,
    tick: usize,
    slots: usize,
) -> [[Option<f64>; 3]; 4] {
    let ranges = &scenario.population.fleets;
    let fleet =
        |place: usize| of_fleet(scenario, witness, tick, (place, ranges[place].evs.clone()), slots);
    let [street, house] = [0, 1].map(|site| left(scenario, witness, tick, site, slots));
    let others = limited(fleet(1), house);
    [
        limited(fleet(0), street),
        limited(others, street),
        limited(plus(fleet(0), others), street),
        limited(others, street),
    ]
}

#[test]
fn changes_are_as_large_as_a_search_finds_them() {
    let folder = tempfile::tempdir().unwrap();
    for policy in ["v2g", "smart"] {
        let at = folder.path().join(policy);
        std::fs::create_dir(&at).unwrap();
        let (scenario, mut witness) = witnessed(&at, policy);
        let telemetry = std::mem::replace(
            &mut witness.telemetry,
            Telemetry::create_unkept(&scenario, Options::default()).unwrap(),
        );
        telemetry.finish(RunStatus::Finished).unwrap();
        let (mut limited, mut unlike) = (0, 0);
        for (slots, names) in WHILES {
            let groups = [("fleet", 0), ("fleet", 1), ("site", 0), ("site", 1)];
            let rows = groups.map(|(kind, number)| of_group(&at, (kind, number), names));
            for tick in 0..witness.ticks.len() {
                let found = searched(&scenario, &witness, tick, slots);
                for ((group, rows), found) in groups.iter().zip(&rows).zip(found) {
                    let row = rows[tick];
                    for (place, found) in found.into_iter().enumerate() {
                        let off = found.map_or(0.0, |found| (found - row[place]).abs());
                        let name = names[place];
                        assert!(off < 1e-5, "{policy} {tick} {group:?} {name}: {row:?} {found:?}");
                    }
                    unlike += u32::from(row[2] < row[1] - 1.0);
                    // What both export limits pass, and the outer one beside what the house draws.
                    limited += u32::from([20.0, 25.0, 45.0].contains(&row[1]));
                }
            }
        }
        assert!(unlike > 50 && limited > 20, "{policy}: {unlike} {limited}");
    }
}
