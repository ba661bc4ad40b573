//! What drivers are paid for energy fed in, where prices follow net load.

use crate::{
    program::{root, run, run_json, succeed, voltide},
    tables::{column, counts, single, words},
};
use std::{collections::BTreeSet, path::Path};

/// Most drivers of the street agree, and wear costs next to nothing, so that selling often pays.
const WILLING: [&str; 4] = [
    "fleets.commuters.willingness.participation=Threshold(0.2)",
    "fleets.commuters.battery.degradation=0.01 CNY/kWh",
    "fleets.commuters.count=30",
    "incentive.price_feedback=None",
];

/// More cars, on a tariff of their own that pays another price for energy fed in.
const NEIGHBOURS: [&str; 2] = [
    r#"tariffs.own=(buy: Fixed("0.60 CNY/kWh"), sell: Fixed("0.45 CNY/kWh"))"#,
    r#"fleets.neighbours=(count: 10, tariff: "own", battery: (capacity: "60 kWh", soc_min: 0.2),
        charger: (charge_max: "7 kW", discharge_max: "7 kW"),
        stays: Overnight(arrive: Normal(mean: "17:30", sd: "30 min"), leave: "07:00"),
        trip_energy: "5 kWh", soc_on_arrival: 0.9, departure_soc: 0.6)"#,
];

fn arguments<'a>(sets: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    ["--policy", "v2g"].into_iter().chain(sets.into_iter().flat_map(|set| ["--set", set])).collect()
}

/// (2) for every slot, from what the table says of net load: how far prices follow it.
fn factors(run: &Path) -> Vec<f64> {
    let [load, mean] = ["price_net_load_kw", "price_net_load_mean_kw"]
        .map(|name| column(run, "system_ticks", name));
    load.iter().zip(mean).map(|(load, mean)| 1.0 + 0.6 * (load - mean) / mean).collect()
}

/// Earned by some cars if each kWh fed in is paid `price` times the slot's factor.
fn revenue(run: &Path, evs: &BTreeSet<i32>, price: f64) -> f64 {
    let factors = factors(run);
    let days = ["ev_ticks-2024-06-03", "ev_ticks-2024-06-04"];
    let of_day = |day: &str| {
        let ticks = counts(run, day, "tick");
        let ids = counts(run, day, "ev_id");
        let powers = single(run, day, "discharge_kw");
        let rows = ticks.into_iter().zip(ids).zip(powers).filter(|((_, ev), _)| evs.contains(ev));
        rows.map(|((tick, _), kw)| f64::from(kw) * 0.25 * factors[tick as usize].max(0.0) * price)
            .sum::<f64>()
    };
    days.into_iter().map(of_day).sum()
}

#[test]
fn energy_fed_in_is_paid_the_incentive_factor_of_its_own_tariff() {
    let out = tempfile::tempdir().unwrap();
    for price in [0.01, 0.5, 1.0] {
        let feed_in = format!(r#"feed_in=Fixed("{price} CNY/kWh")"#);
        let sets = WILLING.into_iter().chain(NEIGHBOURS).chain([feed_in.as_str()]);
        let run = run("worlds/v2g-street.ron", out.path(), &arguments(sets));
        let fleets = words(&run, "sessions", "fleet");
        let earned = column(&run, "sessions", "v2g_revenue");
        let evs = counts(&run, "sessions", "ev_id");
        for (fleet, price) in [("commuters", price), ("neighbours", 0.45)] {
            let rows = || (0..fleets.len()).filter(|&row| fleets[row] == fleet);
            let found: f64 = rows().map(|row| earned[row]).sum();
            let expected = revenue(&run, &rows().map(|row| evs[row]).collect(), price);
            assert!(
                (found - expected).abs() < 1e-4 * expected.max(1.0),
                "{fleet}: {found}, not {expected}"
            );
            assert!(found > 0.1, "{fleet} at {price} earn {found}");
        }
        let incentive = column(&run, "system_ticks", "incentive_price_per_kwh");
        let tou = column(&run, "system_ticks", "tou_price_per_kwh");
        for ((incentive, tou), factor) in incentive.iter().zip(tou).zip(factors(&run)) {
            assert!((incentive - factor * tou).abs() < 1e-12, "energy bought costs what it did");
        }
        succeed(voltide().args(["replay", "--verify"]).arg(root().join(&run)));
    }
}

#[test]
fn more_is_fed_in_where_more_is_paid() {
    let out = tempfile::tempdir().unwrap();
    let fed_in = |feed_in: Option<&str>| {
        let sets = WILLING.into_iter().chain(feed_in);
        run_json("worlds/v2g-street.ron", out.path(), &arguments(sets))["discharged_kwh"]
            .as_f64()
            .unwrap()
    };
    let [little, much] =
        ["0.01", "1.00"].map(|price| fed_in(Some(&format!(r#"feed_in=Fixed("{price} CNY/kWh")"#))));
    // What cars bring home beyond what they want is sold at any price.
    assert!(little * 20.0 < much, "{little} and {much} kWh");
    // Without a price of its own, energy fed in is paid what energy bought costs, as in the case
    // study.
    let tariff = r#"feed_in=TimeOfUse(default: "0.80 CNY/kWh", bands: [
        (from: "23:00", to: "07:00", price: "0.43 CNY/kWh"),
        (from: "08:30", to: "11:30", price: "1.17 CNY/kWh"),
        (from: "16:00", to: "21:00", price: "1.17 CNY/kWh"),
    ])"#;
    assert_eq!(fed_in(None).to_bits(), fed_in(Some(tariff)).to_bits());
}
