//! What people read when a world is wrong, word for word.

use miette::{GraphicalReportHandler, GraphicalTheme};
use std::{fs, path::Path};
use voltide_world::{Problems, load};

const WORLD: &str = r#"(
    name: "test",
    clock: (start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 1),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    sites: {"depot": (import_limit: "50 kW")},
    fleets: {
        "cars": (
            count: 3,
            battery: (capacity: "60 kWh", soc_min: 0.2, charge_efficiency: 0.95),
            charger: (charge_max: "7 kW", site: "depot"),
            stays: Overnight(arrive: "17:30", leave: "07:00"),
            trip_energy: "7 kWh",
            soc_on_arrival: 0.6,
        ),
    },
)
"#;

/// The same world with a load from `load.csv`.
fn with_load() -> String {
    let system =
        "    system: (base_load: (path: \"load.csv\", column: \"load_mw\", unit: \"MW\")),\n";
    WORLD.replacen("    sites:", &format!("{system}    sites:"), 1)
}

/// The same world with a load from `load.csv` and these fields of `incentive`.
fn with_incentive(fields: &str) -> String {
    with_load().replacen("    sites:", &format!("    incentive: ({fields}),\n    sites:"), 1)
}

/// A world with prices that follow its load, and `edit` worked into the terms of its drivers.
fn with_willingness(edit: (&str, &str)) -> String {
    let willingness = "            willingness: (
                optimistic: (a: 1, b: 8, c: 0.65),
                pessimistic: (a: 3, b: 6, c: 0.145),
                participation: Threshold(0.5),
            ),
";
    assert!(willingness.contains(edit.0), "{}", edit.0);
    let last = "            soc_on_arrival: 0.6,\n";
    with_incentive("rho: 0.6")
        .replace(last, &format!("{last}{}", willingness.replacen(edit.0, edit.1, 1)))
}

/// The same world with a unit of every kind, and `edit` worked into them.
fn with_grid(edit: (&str, &str)) -> String {
    let grid = r#"    grid: (
        wind: {"hill": (
            available: (path: "load.csv", column: "load_mw", unit: "MW"),
            forecast: Ar1(phi: 0.8, sd: 0.2),
            waste_price: "0.1 EUR/kWh",
        )},
        thermal: {"north": (
            power_min: "40 MW",
            power_max: "90 MW",
            ramp: "60 MW/h",
            cost: (a: 0.0001, b: "40 EUR/MWh", c: 5),
            commitment: (start_cost: 500, up_min: "2 h", down_min: "2 h"),
        )},
        batteries: {"box": (
            charge_max: "10 MW",
            discharge_max: "10 MW",
            energy_min: "2 MWh",
            energy_max: "20 MWh",
            charge_efficiency: 0.95,
            initial_energy: "10 MWh",
        )},
        interruptible: {"mill": (power_max: "5 MW", price: "3 EUR/kWh")},
        exchanges: {"border": (
            import_max: "50 MW",
            import_price: Fixed("60 EUR/MWh"),
            export_price: Fixed("50 EUR/MWh"),
        )},
        margins: false,
        stages: (window: "4 h", step: "30 min"),
    ),
"#;
    assert!(grid.contains(edit.0), "{}", edit.0);
    with_load().replacen(
        "    sites:",
        &format!("{}    sites:", grid.replacen(edit.0, edit.1, 1)),
        1,
    )
}

/// The message for a world with units.
fn unit(from: &str, to: &str) -> String {
    loaded(&with_grid((from, to)))
}

/// An electrolyser, before what comes after it.
fn electrolyser(demand: &str, tank: &str) -> String {
    format!(
        "electrolysers: {{\"h2\": (
            power_max: \"5 MW\",
            efficiency: 0.6,
            tank: {tank},
            initial_energy: \"6 MWh\",
            demand: {demand},
            backup_price: \"300 EUR/MWh\",
        )}},
        exchanges:"
    )
}

/// The message for a world with a load.
fn loaded(world: &str) -> String {
    message(world, &[("load.csv", &load_csv(("", "")))], &[])
}

/// The same world with sessions from `sessions.csv`.
fn with_sessions() -> String {
    WORLD
        .replace("            count: 3,\n", "")
        .replace("            trip_energy: \"7 kWh\",\n            soc_on_arrival: 0.6,\n", "")
        .replace(
            "Overnight(arrive: \"17:30\", leave: \"07:00\")",
            "Sessions(path: \"sessions.csv\")",
        )
}

/// A day of hourly load that covers the world's run, with `edit` worked in.
fn load_csv(edit: (&str, &str)) -> String {
    let row = |hour: u32| {
        let (day, of_day) = if hour < 2 { (2, hour + 22) } else { (3, hour - 2) };
        format!("2024-06-{day:02}T{of_day:02}:00:00Z,{}.5\n", 40 + of_day)
    };
    let rows = (0..25).map(row).collect::<Vec<_>>().concat();
    format!("ts,load_mw\n{rows}").replacen(edit.0, edit.1, 1)
}

fn rendered(problems: &Problems, folder: &Path) -> String {
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(90);
    let mut text = String::new();
    handler.render_report(&mut text, problems).expect("strings take everything");
    text.replace(&format!("{}/", folder.display()), "")
}

/// The message for `world` among `files`, with overrides.
fn message(world: &str, files: &[(&str, &str)], overrides: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (name, text) in files.iter().chain(&[("world.ron", world)]) {
        fs::write(folder.path().join(name), text).expect("the folder is writable");
    }
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    match load(&folder.path().join("world.ron"), &overrides) {
        Ok(_) => "the world is fine".to_owned(),
        Err(problems) => rendered(&problems, folder.path()),
    }
}

/// The message for the world with `from` replaced by `to`.
fn edited(from: &str, to: &str) -> String {
    assert!(WORLD.contains(from), "{from}");
    message(&WORLD.replacen(from, to, 1), &[], &[])
}

macro_rules! messages {
    ($($name:ident: $message:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), $message);
        }
    )*};
}

messages! {
    a_world_is_fine: message(WORLD, &[], &[]);
    a_world_file_is_missing: {
        let problems = load(Path::new("no/such/world.ron"), &[]).expect_err("it does not exist");
        rendered(&problems, Path::new("/nowhere"))
    };
    the_text_is_not_ron: edited("days: 1),", "days: 1,");
    the_file_is_empty: message("", &[], &[]);
    a_field_is_unknown: edited("soc_min", "soc_mim");
    a_field_is_missing: edited("capacity: \"60 kWh\", ", "");
    fields_of_a_fleet_are_missing: message(&WORLD.replace("count: 3,", "").replace("trip_energy: \"7 kWh\",", ""), &[], &[]);
    a_field_is_given_twice: edited("currency: \"EUR\"", "currency: \"EUR\",\n    currency: \"USD\"");
    a_fleet_is_given_twice: edited("\"depot\": (import_limit: \"50 kW\")", "\"a\": (import_limit: \"1 kW\"), \"a\": (import_limit: \"2 kW\")");
    a_variant_is_unknown: edited("Overnight(", "Overnigt(");
    a_unit_is_wrong: edited("charge_max: \"7 kW\"", "charge_max: \"7 kWh\"");
    a_unit_is_missing: edited("\"60 kWh\"", "\"60\"");
    a_quantity_is_a_bare_number: edited("\"60 kWh\"", "60");
    a_share_is_a_percentage: edited("soc_min: 0.2", "soc_min: 20");
    a_share_is_nan: edited("soc_min: 0.2", "soc_min: NaN");
    a_capacity_is_negative: edited("\"60 kWh\"", "\"-60 kWh\"");
    a_capacity_may_be_negative: edited("\"60 kWh\"", "Normal(mean: \"60 kWh\", sd: \"10 kWh\")");
    a_power_is_negative: edited("charge_max: \"7 kW\"", "charge_max: \"-7 kW\"");
    a_power_is_infinite: edited("charge_max: \"7 kW\"", "charge_max: \"1e999 kW\"");
    an_efficiency_is_zero: edited("charge_efficiency: 0.95", "charge_efficiency: 0");
    soc_bounds_are_crossed: edited("soc_min: 0.2", "soc_min: 0.9, soc_max: 0.5");
    a_departure_is_above_soc_max: message(&WORLD.replace("soc_min: 0.2", "soc_max: 0.8").replace("soc_on_arrival: 0.6", "soc_on_arrival: 0.6,\n            departure_soc: Uniform(min: 0.5, max: 0.9)"), &[], &[]);
    bounds_cut_everything_away: edited("soc_on_arrival: 0.6", "soc_on_arrival: Normal(mean: 0.1, sd: 0.01, min: 0.8)");
    a_deviation_is_negative: edited("trip_energy: \"7 kWh\"", "trip_energy: Normal(mean: \"7 kWh\", sd: \"-1 kWh\")");
    there_are_no_cars: edited("count: 3", "count: 0");
    a_count_is_negative: edited("count: 3", "count: -3");
    there_are_no_fleets: message(&format!("{}fleets: {{}},)", WORLD.split("fleets:").next().unwrap_or("")), &[], &[]);
    a_site_is_unknown: edited("site: \"depot\"", "site: \"deppot\"");
    sites_lead_round_in_a_circle: edited("import_limit: \"50 kW\"", "import_limit: \"50 kW\", parent: \"depot\"");
    a_tariff_is_unknown: edited("soc_on_arrival: 0.6", "soc_on_arrival: 0.6, tariff: \"night\"");
    a_time_zone_is_unknown: edited("Europe/Berlin", "Europe/Berln");
    a_step_does_not_divide_an_hour: edited("15 min", "7 min");
    a_start_is_no_time: edited("2024-06-03T00:00", "3 June 2024");
    a_world_has_no_days: edited("days: 1", "days: 0");
    a_currency_differs: edited("0.30 EUR/kWh", "0.30 USD/kWh");
    a_band_edge_is_within_a_slot: edited("Fixed(\"0.30 EUR/kWh\")", "TimeOfUse(default: \"0.30 EUR/kWh\", bands: [(from: \"23:00\", to: \"07:05\", price: \"0.18 EUR/kWh\")])");
    bands_overlap: edited("Fixed(\"0.30 EUR/kWh\")", "TimeOfUse(default: \"0.3 EUR/kWh\", bands: [(from: \"23:00\", to: \"07:00\", price: \"0.1 EUR/kWh\"), (from: \"06:00\", to: \"08:00\", price: \"0.2 EUR/kWh\")])");
    work_ends_before_it_begins: edited("Overnight(arrive", "Workplace(arrive");
    a_name_has_a_space: edited("name: \"test\"", "name: \"my world\"");
    several_things_are_wrong: message(&WORLD.replace("count: 3", "count: 0").replace("0.30 EUR", "0.30 USD").replace("days: 1", "dayz: 1").replace("\"7 kW\"", "7"), &[], &[]);
    an_override_is_wrong: message(WORLD, &[], &["fleets.cars.charger.charge_max=7 kWh"]);
    an_override_leads_nowhere: message(WORLD, &[], &["seed=1", "fleets.cras.count=7"]);
    an_override_is_no_assignment: message(WORLD, &[], &["seed"]);
    an_override_makes_the_world_wrong: message(WORLD, &[], &["currency=USD"]);
    a_data_file_is_missing: message(&with_load(), &[], &[]);
    a_data_file_is_of_another_kind: message(&with_load().replace("load.csv", "load.xlsx"), &[("load.xlsx", "")], &[]);
    a_column_is_missing: message(&with_load().replace("load_mw", "load_nw"), &[("load.csv", &load_csv(("", "")))], &[]);
    a_series_has_an_energy_unit: message(&with_load().replace("\"MW\"", "\"MWh\""), &[("load.csv", &load_csv(("", "")))], &[]);
    a_series_has_a_gap: message(&with_load(), &[("load.csv", &load_csv(("2024-06-03T04:00:00Z,44.5\n", "")))], &[]);
    a_series_has_a_duplicate: message(&with_load(), &[("load.csv", &load_csv(("03T04:00", "03T03:00")))], &[]);
    a_series_is_unsorted: message(&with_load(), &[("load.csv", &load_csv(("03T04:00", "03T01:00")))], &[]);
    a_series_is_too_short: message(&with_load(), &[("load.csv", &load_csv(("", "")))], &["clock.days=2"]);
    a_series_begins_too_late: message(&with_load().replace("2024-06-03", "2024-06-02"), &[("load.csv", &load_csv(("", "")))], &[]);
    a_series_has_no_rows: message(&with_load(), &[("load.csv", "ts,load_mw\n")], &[]);
    a_cell_is_no_number: message(&with_load(), &[("load.csv", &load_csv((",46.5", ",n/a")))], &[]);
    a_cell_is_nan: message(&with_load(), &[("load.csv", &load_csv((",46.5", ",NaN")))], &[]);
    a_cell_is_empty: message(&with_load(), &[("load.csv", &load_csv((",46.5", ",")))], &[]);
    a_row_is_too_long: message(&with_load(), &[("load.csv", &load_csv((",46.5", ",46,5")))], &[]);
    a_timestamp_has_no_zone: message(&with_load(), &[("load.csv", &load_csv(("T22:00:00Z", "T22:00:00")))], &[]);
    a_world_with_incentive_and_willingness_is_fine: loaded(&with_willingness(("", "")));
    an_incentive_has_no_base_load: edited("    sites:", "    incentive: (rho: 0.6),\n    sites:");
    a_mean_net_load_is_not_positive: loaded(&with_incentive("rho: 0.6").replace("unit: \"MW\"))", "unit: \"MW\"), wind: (path: \"load.csv\", column: \"load_mw\", unit: \"MW\", scale: 1.5))"));
    a_rho_is_negative: loaded(&with_incentive("rho: -0.6"));
    a_floor_is_in_another_currency: loaded(&with_incentive("rho: 0.6, floor: \"0 CNY/kWh\""));
    an_expected_price_is_zero: loaded(&with_incentive("rho: 0.6, expected_price: Fixed(\"0 EUR/kWh\")"));
    a_batch_has_no_cars: loaded(&with_incentive("rho: 0.6, price_feedback: Batch(0)"));
    drivers_are_asked_without_an_incentive: loaded(&with_willingness(("", "")).replace("    incentive: (rho: 0.6),\n", ""));
    curves_cross: loaded(&with_willingness(("(a: 1,", "(a: 30,")));
    ceilings_are_crossed: loaded(&with_willingness(("c: 0.65", "c: 0.1")));
    a_curve_rises_above_one: loaded(&with_willingness(("c: 0.65", "c: 65")));
    a_threshold_is_above_one: loaded(&with_willingness(("0.5", "1.5")));
    a_v2g_minimum_is_below_soc_min: edited("soc_min: 0.2", "soc_min: 0.2, soc_min_v2g: 0.1");
    a_v2g_minimum_is_above_soc_max: edited("soc_min: 0.2", "soc_min: 0.2, soc_max: 0.9, soc_min_v2g: 0.95");
    a_world_with_a_grid_is_fine: unit("", "");
    a_units_least_output_is_above_its_most: unit("power_min: \"40 MW\"", "power_min: \"400 MW\"");
    a_units_cost_is_negative: unit("\"40 EUR/MWh\"", "\"-40 EUR/MWh\"");
    a_units_cost_is_nan: unit("a: 0.0001", "a: NaN");
    a_units_cost_is_in_another_currency: unit("\"40 EUR/MWh\"", "\"40 CNY/MWh\"");
    a_ramp_is_a_power: unit("\"60 MW/h\"", "\"60 MW\"");
    a_store_starts_outside_its_bounds: unit("initial_energy: \"10 MWh\"", "initial_energy: \"25 MWh\"");
    a_stores_efficiency_is_zero: unit("charge_efficiency: 0.95", "charge_efficiency: 0");
    a_stores_bounds_are_crossed: unit("energy_min: \"2 MWh\"", "energy_min: \"30 MWh\"");
    an_electrolyser_is_asked_for_more_than_it_makes: unit("exchanges:", &electrolyser("\"4 MW\"", "\"10 MWh\""));
    a_tank_is_smaller_than_what_it_holds: unit("exchanges:", &electrolyser("\"2 MW\"", "\"5 MWh\""));
    two_units_have_one_name: unit("\"mill\"", "\"north\"");
    a_wind_farm_has_no_series: unit("available: (path: \"load.csv\", column: \"load_mw\", unit: \"MW\"),", "");
    an_error_follows_itself_for_ever: unit("phi: 0.8", "phi: 1");
    exports_earn_more_than_imports_cost: unit("\"50 EUR/MWh\"", "\"70 EUR/MWh\"");
    a_step_is_longer_than_the_window: unit("step: \"30 min\"", "step: \"5 h\"");
    a_step_is_no_whole_slots: unit("step: \"30 min\"", "step: \"20 min\"");
    margins_are_no_number: unit("margins: false", "margins: 1");
    a_reading_is_unknown: unit("margins: false", "readings: (cut_up: Reachable)");
    a_price_of_slack_is_negative: unit("margins: false", "slack: (unserved: \"-1 EUR/kWh\")");
    a_unit_has_no_such_field: unit("power_max: \"90 MW\"", "powr_max: \"90 MW\"");
    a_car_leaves_before_it_arrives: message(&with_sessions(), &[("sessions.csv", SESSIONS)], &[]);
    two_cars_are_at_one_station: message(&with_sessions(), &[("sessions.csv", &SESSIONS.replace("T07:00:00Z,4.0", "T09:00:00Z,4.0"))], &[]);
    no_session_is_within_the_run: message(&with_sessions(), &[("sessions.csv", &SESSIONS.replace("2024-06", "2025-06").replace("T07:00:00Z,4.0", "T12:00:00Z,4.0"))], &[]);
    recorded_sessions_tell_the_count: message(&with_sessions().replace("battery:", "count: 3,\n            battery:"), &[("sessions.csv", SESSIONS)], &[]);
}

const SESSIONS: &str = "\
station_id,arrival,departure,requested_kwh
A-1,2024-06-03T06:00:00Z,2024-06-03T10:00:00Z,12.5
A-1,2024-06-03T08:00:00Z,2024-06-03T07:00:00Z,4.0
";
