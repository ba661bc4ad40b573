//! Values over time: what each form of them is in every slot, reckoned by hand.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "what cannot be read fails the test; numbers are those of the file"
)]

use std::{fs, path::Path};
use voltide_model::scenario::Scenario;
use voltide_world::{Inputs, Override, World, load, rebuild, rebuild_with};

/// A world of one car with a clock, a tariff, and further fields.
fn text(start: &str, zone: &str, days: u32, tariff: &str, more: &str) -> String {
    format!(
        r#"(
    name: "test",
    clock: (start: "{start}", time_zone: "{zone}", step: "60 min", days: {days}),
    currency: "EUR",
    tariff: {tariff},
    {more}
    fleets: {{"cars": (
        count: 1,
        battery: (capacity: "60 kWh"),
        charger: (charge_max: "7 kW"),
        stays: Overnight(arrive: "17:30", leave: "07:00"),
        trip_energy: "7 kWh",
        soc_on_arrival: 0.6,
    )}},
)"#
    )
}

fn read(folder: &Path, world: &str, overrides: &[&str]) -> Result<World, String> {
    fs::write(folder.join("world.ron"), world).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    load(&folder.join("world.ron"), &overrides).map_err(|problems| {
        let said = problems
            .list
            .iter()
            .map(|it| format!("{it} ({})", it.help.as_deref().unwrap_or_default()));
        said.collect::<Vec<_>>().join("\n")
    })
}

/// What drivers pay in every slot.
fn prices(start: &str, zone: &str, days: u32, tariff: &str) -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    buy(&read(folder.path(), &text(start, zone, days, tariff, ""), &[]).unwrap().scenario)
}

fn buy(scenario: &Scenario) -> Vec<f64> {
    scenario.tariffs[0].buy.values.to_vec()
}

/// What is said of a tariff that is wrong.
fn refused(tariff: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let world = text("2024-06-03T00:00", "Europe/Berlin", 1, tariff, "");
    read(folder.path(), &world, &[]).map(|_| ()).unwrap_err()
}

/// The slots, as hours from the start, in which the price is 0.1 and not 0.3.
fn cheap(start: &str, zone: &str, days: u32, band: &str) -> Vec<usize> {
    let bands =
        format!(r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [({band}, value: "0.1 EUR/kWh")])"#);
    let prices = prices(start, zone, days, &bands);
    (0..prices.len()).filter(|&slot| prices[slot] == 0.1).collect()
}

const BERLIN: &str = "Europe/Berlin";

#[test]
fn a_bare_value_is_fixed_and_old_spellings_are_read_alike() {
    let of = |tariff: &str| prices("2024-06-03T00:00", BERLIN, 1, tariff);
    assert_eq!(of(r#""0.3 EUR/kWh""#), [0.3; 24]);
    assert_eq!(of(r#"Fixed("0.3 EUR/kWh")"#), [0.3; 24]);
    let old = r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [(from: "23:00", to: "07:00", price: "100 EUR/MWh")])"#;
    let expected: Vec<f64> =
        (0..24).map(|hour| if (7..23).contains(&hour) { 0.3 } else { 0.1 }).collect();
    assert_eq!(of(old), expected);
    assert_eq!(of(&old.replace("price:", "value:")), expected);
}

/// 31 May 2024 was a Friday.
#[test]
fn a_band_across_midnight_belongs_to_the_day_on_which_it_begins() {
    let night = r#"from: "22:00", to: "06:00""#;
    let friday = |days| cheap("2024-05-30T00:00", BERLIN, 4, &format!("{night}, days: {days}"));
    let friday_night: Vec<usize> = (24 + 22..48 + 6).collect();
    assert_eq!(friday("[Fri]"), friday_night);
    assert_eq!(friday("Fri"), friday_night);
    // Saturday and Sunday night, of which the run has the beginning.
    assert_eq!(friday("Weekend"), (48 + 22..72 + 6).chain(72 + 22..96).collect::<Vec<_>>());
    // A run that begins on a Thursday has the end of Wednesday's night.
    let weekdays: Vec<usize> = (0..6).chain(22..24 + 6).chain(24 + 22..48 + 6).collect();
    assert_eq!(friday("Weekdays"), weekdays);
    assert_eq!(friday("(from: Wed, to: Fri)"), weekdays);
    assert_eq!(friday("(from: Sun, to: Tue)"), (72 + 22..96).collect::<Vec<_>>());
}

#[test]
fn a_band_without_hours_is_the_whole_day() {
    assert_eq!(cheap("2024-05-30T00:00", BERLIN, 4, "days: Weekend"), (48..96).collect::<Vec<_>>());
    assert_eq!(cheap("2024-05-30T00:00", BERLIN, 1, r#"from: "20:00""#), [20, 21, 22, 23]);
    assert_eq!(cheap("2024-05-30T00:00", BERLIN, 1, r#"to: "02:00", days: [Thu]"#), [0, 1]);
}

#[test]
fn seasons_are_lists_and_ranges_of_months_over_new_year_too() {
    let last_of_march =
        |months: &str| cheap("2024-03-31T12:00", "UTC", 2, &format!("months: {months}"));
    assert_eq!(last_of_march("(from: Oct, to: Mar)"), (0..12).collect::<Vec<_>>());
    assert_eq!(last_of_march("[10, 11, 12, 1, 2, 3]"), (0..12).collect::<Vec<_>>());
    assert_eq!(last_of_march("Apr"), (12..48).collect::<Vec<_>>());
    // March's nights begin on the first of March and end in the morning of the first of April.
    let night = r#"from: "22:00", to: "06:00", months: [Mar]"#;
    assert_eq!(cheap("2024-02-29T00:00", "UTC", 2, night), [46, 47]);
    assert_eq!(
        cheap("2024-03-31T00:00", "UTC", 2, night),
        [0, 1, 2, 3, 4, 5, 22, 23, 24, 25, 26, 27, 28, 29]
    );
}

/// On 31 March 2024 the clock in Berlin goes from 02:00 to 03:00, on 27 October from 03:00 back to 02:00.
#[test]
fn bands_follow_the_wall_clock_when_it_is_set() {
    let spring = |band| cheap("2024-03-31T00:00", BERLIN, 1, band);
    assert_eq!(prices("2024-03-31T00:00", BERLIN, 1, r#""0.3 EUR/kWh""#).len(), 23);
    assert_eq!(spring(r#"from: "02:00", to: "04:00""#), [2], "of two hours one is left");
    assert_eq!(spring(r#"from: "02:00", to: "03:00""#), [0; 0], "an hour that there is not");
    assert_eq!(spring(r#"from: "22:00", to: "06:00", days: Sun"#), [21, 22]);
    let autumn = |band| cheap("2024-10-27T00:00", BERLIN, 1, band);
    assert_eq!(autumn(r#"from: "02:00", to: "03:00""#), [2, 3], "an hour that comes twice");
    assert_eq!(autumn(r#"from: "22:00", to: "06:00", days: Sat"#), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn days_begin_at_midnight_of_the_worlds_zone() {
    // Saturday in Auckland begins at noon of Friday in UTC; the run is four local days.
    let slots = cheap("2024-05-30T00:00", "Pacific/Auckland", 4, "days: Weekend");
    assert_eq!(slots, (48..96).collect::<Vec<_>>());
    let slots =
        cheap("2024-05-30T00:00", "America/Los_Angeles", 4, r#"from: "21:00", days: [Sat]"#);
    assert_eq!(slots, [69, 70, 71]);
}

/// A series of 0.10, 0.11, ... EUR/kWh by hours, and a fee in cents.
const HOURS: &str = "ts,price,fee";

fn with_series(folder: &Path) -> String {
    let rows = (0..48).map(|hour| {
        let (day, hour) = (6 + hour / 24, hour % 24);
        format!("\n2024-06-{day:02}T{hour:02}:00,{},{}", 100 + hour, 10 * hour)
    });
    fs::write(folder.join("hours.csv"), format!("{HOURS}{}", rows.collect::<String>())).unwrap();
    let path = folder.join("hours.csv").display().to_string();
    let file = |column: &str, adders: &str| {
        format!(
            r#"(path: "{path}", column: "{column}", unit: "EUR/MWh", time_zone: "UTC", adders: {{{adders}}})"#
        )
    };
    let fee = r#"TimeOfUse(default: "0.01 EUR/kWh", bands: [(days: Weekdays, from: "08:00", to: "20:00", value: "0.05 EUR/kWh")])"#;
    let adders = format!(
        r#""tax": "0.2 EUR/kWh", "grid": {fee}, "green": Series{}"#,
        file("fee", r#""levy": "1 EUR/MWh""#)
    );
    // 7 June 2024 was a Friday.
    text("2024-06-07T00:00", "UTC", 1, &format!("Series{}", file("price", &adders)), "")
}

fn sums() -> Vec<f64> {
    let grid = |hour: u32| if (8..20).contains(&hour) { 0.05 } else { 0.01 };
    (0..24)
        .map(|hour| {
            0.1 + f64::from(hour) / 1000.0 + 0.2 + grid(hour) + f64::from(hour) / 100.0 + 0.001
        })
        .collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let apart =
        found.iter().zip(expected).find(|(found, expected)| (*found - *expected).abs() > 1e-12);
    assert_eq!(apart, None);
}

#[test]
fn a_fee_on_a_series_may_change_over_time() {
    let folder = tempfile::tempdir().unwrap();
    let world = read(folder.path(), &with_series(folder.path()), &[]).unwrap();
    assert_close(&buy(&world.scenario), &sums());
}

#[test]
fn a_world_is_made_again_without_adding_twice() {
    let folder = tempfile::tempdir().unwrap();
    let world = read(folder.path(), &with_series(folder.path()), &[]).unwrap();
    let again = rebuild(&world.text, Inputs::from(&world.scenario)).unwrap();
    assert_eq!(buy(&again.scenario), buy(&world.scenario));
}

#[test]
fn a_change_deep_inside_a_series_counts_in_a_fork() {
    let folder = tempfile::tempdir().unwrap();
    let world = read(folder.path(), &with_series(folder.path()), &[]).unwrap();
    let changed = |change: &str| {
        let changes = [Override::set(change)];
        buy(&rebuild_with(&world.text, &changes, Inputs::from(&world.scenario)).unwrap().scenario)
    };
    let dearer: Vec<f64> = sums().iter().map(|price| price + 0.3).collect();
    assert_close(&changed("tariff.adders.tax=0.5 EUR/kWh"), &dearer);
    assert_close(&changed("tariff.adders.green.adders.levy=301 EUR/MWh"), &dearer);
    let doubled: Vec<f64> = (0..24).map(|hour| sums()[hour] + 0.1 + hour as f64 / 1000.0).collect();
    assert_close(&changed("tariff.scale=2"), &doubled);
    assert_close(&changed("seed=9"), &sums());
}

#[test]
fn powers_have_the_same_forms_as_prices() {
    let folder = tempfile::tempdir().unwrap();
    let load = r#"TimeOfUse(default: "1 MW", bands: [(from: "18:00", to: "22:00", days: Weekdays, value: "2500 kW")])"#;
    let system = format!(r#"system: (base_load: {load}, wind: "300 kW"),"#);
    let world = text("2024-06-07T00:00", "UTC", 2, r#""0.3 EUR/kWh""#, &system);
    let scenario = read(folder.path(), &world, &[]).unwrap().scenario;
    let expected: Vec<f64> =
        (0..48).map(|slot| if (18..22).contains(&slot) { 2500.0 } else { 1000.0 }).collect();
    assert_eq!(*scenario.system.base_load.unwrap().values, expected);
    assert_eq!(*scenario.system.wind.unwrap().values, [300.0; 48]);
    let below =
        text("2024-06-07T00:00", "UTC", 1, r#""0.3 EUR/kWh""#, r#"system: (wind: "-1 kW"),"#);
    assert_eq!(read(folder.path(), &below, &[]).map(|_| ()).unwrap_err(), "`wind` is negative ()");
}

#[test]
fn two_tariffs_have_bands_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let band = |days: &str| {
        format!(
            r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [(days: {days}, value: "0.1 EUR/kWh")])"#
        )
    };
    let more =
        format!(r#"tariffs: {{"other": (buy: {}, sell: "0.02 EUR/kWh")}},"#, band("Weekend"));
    let world = text("2024-06-07T00:00", "UTC", 2, &band("Weekdays"), &more);
    let scenario = read(folder.path(), &world, &[]).unwrap().scenario;
    let of = |index: usize| {
        (scenario.tariffs[index].buy.values[0], scenario.tariffs[index].buy.values[24])
    };
    assert_eq!((of(0), of(1)), ((0.1, 0.3), (0.3, 0.1)));
    assert_eq!(scenario.tariffs[1].sell.values[0], 0.02);
}

#[test]
fn bands_overlap_only_where_both_hold_on_one_day() {
    let two = |one: &str, other: &str| {
        let band = |fields: &str| format!(r#"({fields}, value: "0.1 EUR/kWh")"#);
        format!(r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [{}, {}])"#, band(one), band(other))
    };
    let fine = |one: &str, other: &str| {
        assert_eq!(prices("2024-06-03T00:00", BERLIN, 1, &two(one, other)).len(), 24);
    };
    fine(
        r#"from: "08:00", to: "20:00", days: Weekdays"#,
        r#"from: "08:00", to: "20:00", days: Weekend"#,
    );
    fine("months: (from: Oct, to: Mar)", "months: (from: Apr, to: Sep)");
    fine(r#"from: "22:00", to: "06:00", days: [Fri]"#, r#"to: "06:00", days: [Sun]"#);
    let wrong = |one: &str, other: &str| refused(&two(one, other));
    assert_eq!(
        wrong(r#"from: "22:00", to: "06:00", days: [Fri]"#, r#"to: "08:00", days: [Sat]"#),
        "this band overlaps an earlier one (both hold at 00:00 on a Saturday in January)"
    );
    let march = r#"from: "22:00", to: "06:00", months: [Mar]"#;
    assert!(
        wrong(march, r#"to: "01:00", months: [Apr]"#).contains("in April"),
        "in the night to 1 April"
    );
    assert!(
        wrong("days: Weekend", r#"from: "10:00", days: (from: Sun, to: Mon)"#)
            .contains("10:00 on a Sunday")
    );
}

#[test]
fn what_is_no_value_over_time_says_what_would_be() {
    let band = |fields: &str| {
        refused(&format!(r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [({fields})])"#))
    };
    assert!(band(r#"from: "08:00""#).contains("`tariff.bands.0` lacks `value`"));
    assert!(
        band(r#"value: "1 EUR/kWh", price: "1 EUR/kWh""#).contains("older word for the `value`")
    );
    assert!(band(r#"days: Weekdys, value: "1 EUR/kWh""#).contains("did you mean `Weekdays`?"));
    assert!(band(r#"days: [], value: "1 EUR/kWh""#).contains("at least one"));
    assert!(band(r#"days: [Mon, Tus], value: "1 EUR/kWh""#).contains("did you mean `Tue`?"));
    assert!(band(r#"months: [13], value: "1 EUR/kWh""#).contains("a month is 1 to 12"));
    assert!(band(r#"months: (from: Oct), value: "1 EUR/kWh""#).contains("lacks `to`"));
    assert!(band(r#"value: "2 kW""#).contains("a price is written like"));
    assert!(
        refused("Timeofuse(default: \"0.3 EUR/kWh\", bands: [])")
            .contains("did you mean `TimeOfUse`?")
    );
    assert!(refused("[1]").contains("should be a price or TimeOfUse(...), Series(...)"));
    assert!(refused(r#""0.3 USD/kWh""#).contains("a price in USD"));
}

#[test]
fn overrides_reach_into_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let tariff =
        r#"TimeOfUse(default: "0.3 EUR/kWh", bands: [(from: "20:00", value: "0.1 EUR/kWh")])"#;
    fs::write(
        folder.path().join("load.csv"),
        "ts,a,b\n2024-06-07T00:00:00Z,1,2\n2024-06-08T00:00:00Z,1,2\n",
    )
    .unwrap();
    let system = r#"system: (base_load: (path: "load.csv", column: "a", unit: "kW")),"#;
    let world = text("2024-06-07T00:00", "UTC", 1, tariff, system);
    let set = |set: &str| read(folder.path(), &world, &[set]).unwrap().scenario;
    assert_eq!(buy(&set("tariff.bands.0.value=0.2 EUR/kWh"))[23], 0.2);
    assert_eq!(buy(&set("tariff.bands.0.days=Weekend"))[23], 0.3);
    assert_eq!(buy(&set("tariff=0.25 EUR/kWh"))[23], 0.25);
    assert_eq!(set("system.base_load.column=b").system.base_load.unwrap().values[0], 2.0);
    assert_eq!(set("system.base_load=3 MW").system.base_load.unwrap().values[0], 3000.0);
}
