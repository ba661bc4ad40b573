//! What a policy is shown: every column of an observation, from a world in which no two numbers
//! are alike.

use crate::engine::{events_by, scenario};
use std::{fmt::Write, fs, path::Path, sync::mpsc};
use voltide_policy::{
    Observation,
    observation::NO_SITE,
    planner::{PolicyInfo, Replan},
};

/// Base load of 100 kW at midnight and 2 kW more every hour.
fn write_load(folder: &Path) {
    let mut csv = "ts,kw\n".to_owned();
    for hour in 0..24 {
        writeln!(csv, "2024-06-03T{hour:02}:00:00+02:00,{}", 100 + 2 * hour).unwrap();
    }
    fs::write(folder.join("load.csv"), csv).unwrap();
}

const WORLD: &str = r#"(
    name: "seen", seed: 3, currency: "EUR",
    clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "1 h", days: 1),
    tariff: Fixed("0.30 EUR/kWh"), feed_in: Fixed("0.11 EUR/kWh"),
    tariffs: {"night": (buy: Fixed("0.25 EUR/kWh"), sell: Fixed("0.07 EUR/kWh"))},
    system: (base_load: (path: "load.csv", column: "kw", unit: "kW")),
    incentive: (rho: 0.5, price_feedback: None),
    sites: {
        "street": (import_limit: "40 kW", export_limit: "13 kW"),
        "house": (import_limit: "21 kW", export_limit: "5 kW", parent: "street"),
    },
    fleets: {
        "early": (
            count: 2,
            battery: (
                capacity: "64 kWh", soc_min: 0.125, soc_max: 0.875, soc_min_v2g: 0.25,
                charge_efficiency: 0.9, discharge_efficiency: 0.8, degradation: "0.02 EUR/kWh",
            ),
            charger: (charge_max: "11 kW", discharge_max: "6 kW", site: "house"),
            stays: Workplace(arrive: "10:00", leave: "18:00", days: Daily),
            trip_energy: "1 kWh", soc_on_arrival: 0.375, departure_soc: 0.75, tariff: "night",
            soc_minima: [(from: "2024-06-03T14:00", to: "2024-06-03T14:00", soc: 0.5)],
            soc_maxima: [(from: "2024-06-03T14:00", to: "2024-06-03T14:00", soc: 0.625)],
            willingness: (
                optimistic: (a: 1, b: 2, c: 1), pessimistic: (a: 1, b: 2, c: 1),
                participation: Threshold(0.5),
            ),
        ),
        "later": (
            count: 1, battery: (capacity: "64 kWh"), charger: (charge_max: "11 kW", site: "street"),
            stays: Workplace(arrive: "11:00", leave: "18:00", days: Daily),
            trip_energy: "1 kWh", soc_on_arrival: 0.25, departure_soc: 0.75,
        ),
        "last": (
            count: 1, battery: (capacity: "64 kWh"), charger: (charge_max: "11 kW"),
            stays: Workplace(arrive: "12:00", leave: "18:00", days: Daily),
            trip_energy: "1 kWh", soc_on_arrival: 0.25, departure_soc: 0.75,
        ),
    },
)"#;

/// (1), (2) and (4) for an hour of the day.
fn incentive_price(tou: f64, hour: u32) -> f64 {
    // Of 100, 102 and so on to 146 kW.
    let mean = 123.0;
    (1.0 + 0.5 * (f64::from(100 + 2 * hour) - mean) / mean) * tou
}

/// Columns as text, to a precision that rounding does not reach.
fn rounded(values: &[f64]) -> String {
    values.iter().fold(String::new(), |text, value| text + &format!("{value:.9} "))
}

/// What is shown at ten o'clock, when both cars come, column by column.
fn shown(seen: &Observation<'_>) -> Vec<(&'static str, String)> {
    vec![
        ("tick", seen.tick.to_string()),
        ("unix_ms", seen.unix_ms.to_string()),
        ("slot_hours", rounded(&[seen.slot_hours])),
        ("horizon", seen.horizon.to_string()),
        ("stay_id", format!("{:?}", seen.stay_id)),
        ("ev_id", format!("{:?}", seen.ev_id)),
        ("site_id", format!("{:?}", seen.site_id)),
        ("tariff_id", format!("{:?}", seen.tariff_id)),
        ("arrival_slot", format!("{:?}", seen.arrival_slot)),
        ("departure_slot", format!("{:?}", seen.departure_slot)),
        ("willingness", rounded(seen.willingness)),
        ("energy_kwh", rounded(seen.energy_kwh)),
        ("capacity_kwh", rounded(seen.capacity_kwh)),
        ("energy_kwh_min", rounded(seen.energy_kwh_min)),
        ("energy_kwh_max", rounded(seen.energy_kwh_max)),
        ("departure_energy_kwh", rounded(seen.departure_energy_kwh)),
        ("charge_kw_max", rounded(seen.charge_kw_max)),
        ("discharge_kw_max", rounded(seen.discharge_kw_max)),
        ("charge_efficiency", rounded(seen.charge_efficiency)),
        ("discharge_efficiency", rounded(seen.discharge_efficiency)),
        ("degradation_per_kwh", rounded(seen.degradation_per_kwh)),
        ("v2g_eligible", format!("{:?}", seen.v2g_eligible)),
        ("bound_offset", format!("{:?}", seen.bound_offset)),
        ("bound_slot", format!("{:?}", seen.bound_slot)),
        ("bound_kwh_min", rounded(seen.bound_kwh_min)),
        ("bound_kwh_max", rounded(seen.bound_kwh_max)),
        ("agreed", format!("{:?}", seen.agreed)),
        ("planned_kw", rounded(seen.planned_kw)),
        ("last_asked_kw", rounded(seen.last_asked_kw)),
        ("last_allowed_kw", rounded(seen.last_allowed_kw)),
        ("last_drawn_kw", rounded(seen.last_drawn_kw)),
        ("buy_price", rounded(seen.buy_price)),
        ("sell_price", rounded(seen.sell_price)),
        ("tou_price", rounded(seen.tou_price)),
        ("incentive_price", rounded(seen.incentive_price)),
        ("known_slots", seen.known_slots.to_string()),
        ("known_buy_price", rounded(seen.known_buy_price)),
        ("known_sell_price", rounded(seen.known_sell_price)),
        ("net_load_kw", rounded(seen.net_load_kw)),
        ("base_load_kw", rounded(seen.base_load_kw)),
        ("wind_kw", rounded(seen.wind_kw)),
        ("pv_kw", rounded(seen.pv_kw)),
        ("committed_ev_kw", rounded(seen.committed_ev_kw)),
        ("parent_site", format!("{:?}", seen.parent_site)),
        ("site_import_kw_max", rounded(seen.site_import_kw_max)),
        ("site_export_kw_max", rounded(seen.site_export_kw_max)),
        ("site_committed_kw", rounded(seen.site_committed_kw)),
    ]
}

/// A value of the world's tariff in every hour from ten to six, then one of the night's.
fn of_tariffs(own: impl Fn(u32) -> f64, night: impl Fn(u32) -> f64) -> String {
    rounded(&(10..18).map(own).chain((10..18).map(night)).collect::<Vec<_>>())
}

/// A value of the street in every hour, then one of the house.
fn of_sites(street: f64, house: f64) -> String {
    of_tariffs(|_| street, |_| house)
}

/// What is shown in every slot to a policy that plans each car to charge with a power of its own.
fn told() -> Vec<Vec<(&'static str, String)>> {
    let folder = tempfile::tempdir().unwrap();
    write_load(folder.path());
    let scenario = scenario(WORLD, folder.path());
    let (tell, told) = mpsc::channel();
    let info = PolicyInfo { replan: Replan::EveryTick, ..PolicyInfo::default() };
    events_by(&scenario, info, move |seen, schedules| {
        tell.send(shown(seen)).unwrap();
        for stay in seen.stays() {
            let power_kw = PLANNED_KW[seen.ev_id[stay.row] as usize];
            stay.window().for_each(|slot| schedules.row(stay).set(slot, power_kw));
        }
        Vec::new()
    });
    told.iter().collect()
}

/// What the policy plans for the two early cars, the later and the last one, kW.
const PLANNED_KW: [f64; 4] = [2.0, 2.5, 1.5, 1.25];

#[test]
fn a_policy_is_shown_every_column_as_the_world_says() {
    let both = |value: f64| rounded(&[value; 2]);
    let none = String::new;
    let load = || rounded(&(10..18).map(|hour| f64::from(100 + 2 * hour)).collect::<Vec<_>>());
    // The ratio at ten is 1 + K_p with K_p = -1.5/123, and both curves are 1/(1 + exp(-2·K_p)).
    let willingness = 0.493_902_741_285;
    let expected = vec![
        ("tick", "10".to_owned()),
        // Ten o'clock in Berlin is eight in UTC.
        ("unix_ms", "1717401600000".to_owned()),
        ("slot_hours", rounded(&[1.0])),
        ("horizon", "8".to_owned()),
        ("stay_id", "[0, 1]".to_owned()),
        ("ev_id", "[0, 1]".to_owned()),
        ("site_id", "[1, 1]".to_owned()),
        ("tariff_id", "[1, 1]".to_owned()),
        ("arrival_slot", "[10, 10]".to_owned()),
        ("departure_slot", "[18, 18]".to_owned()),
        ("willingness", both(willingness)),
        ("energy_kwh", both(24.0)),
        ("capacity_kwh", both(64.0)),
        ("energy_kwh_min", both(16.0)),
        ("energy_kwh_max", both(56.0)),
        ("departure_energy_kwh", both(48.0)),
        ("charge_kw_max", both(11.0)),
        ("discharge_kw_max", both(6.0)),
        ("charge_efficiency", both(0.9)),
        ("discharge_efficiency", both(0.8)),
        ("degradation_per_kwh", both(0.02)),
        // Emptying 8 kWh takes 8/(6/0.8) h and filling 32 kWh 32/(11·0.9): 4.3 of the eight hours.
        ("v2g_eligible", "[1, 1]".to_owned()),
        ("bound_offset", "[0, 1, 2]".to_owned()),
        ("bound_slot", "[14, 14]".to_owned()),
        ("bound_kwh_min", both(32.0)),
        ("bound_kwh_max", both(40.0)),
        // The ratio is above 1 from twelve o'clock on.
        ("agreed", "[252, 252]".to_owned()),
        ("planned_kw", none()),
        // They have only just come.
        ("last_asked_kw", both(0.0)),
        ("last_allowed_kw", both(0.0)),
        ("last_drawn_kw", both(0.0)),
        ("buy_price", of_tariffs(|_| 0.30, |_| 0.25)),
        ("sell_price", of_tariffs(|_| 0.11, |_| 0.07)),
        ("tou_price", of_tariffs(|_| 0.30, |_| 0.25)),
        (
            "incentive_price",
            of_tariffs(|hour| incentive_price(0.30, hour), |hour| incentive_price(0.25, hour)),
        ),
        // To two days beyond the end of the run, after six o'clock when the cars leave.
        ("known_slots", "62".to_owned()),
        ("known_buy_price", rounded(&[[0.30; 62], [0.25; 62]].concat())),
        ("known_sell_price", rounded(&[[0.11; 62], [0.07; 62]].concat())),
        ("net_load_kw", load()),
        ("base_load_kw", load()),
        ("wind_kw", rounded(&[0.0; 8])),
        ("pv_kw", rounded(&[0.0; 8])),
        ("committed_ev_kw", rounded(&[0.0; 8])),
        ("parent_site", format!("[{NO_SITE}, 0]")),
        ("site_import_kw_max", of_sites(40.0, 21.0)),
        ("site_export_kw_max", of_sites(13.0, 5.0)),
        ("site_committed_kw", rounded(&[0.0; 16])),
    ];
    let told = told();
    assert_eq!(told[0].len(), expected.len());
    for (found, expected) in told[0].iter().zip(expected) {
        assert_eq!(*found, expected);
    }
}

#[test]
fn a_policy_is_shown_what_is_planned_by_car_site_and_in_all() {
    let told = told();
    let at_noon: Vec<_> = ["planned_kw", "committed_ev_kw", "site_committed_kw"]
        .map(|name| told[2].iter().find(|(column, _)| *column == name).unwrap().1.clone())
        .into();
    let all_day =
        |values: &[f64]| rounded(&values.iter().flat_map(|&kw| [kw; 6]).collect::<Vec<_>>());
    let [first, second, later, _] = PLANNED_KW;
    assert_eq!(
        at_noon,
        [
            // The last car has no plan yet.
            all_day(&[first, second, later, 0.0]),
            all_day(&[first + second + later]),
            all_day(&[first + second + later, first + second]),
        ]
    );
}
