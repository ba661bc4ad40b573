//! What a policy may know: what the world declares to be foreseen, what came of its last schedule,
//! and prices as far as they are known; never what will be.

use crate::engine::{events_by, of_kind, scenario};
use std::{fmt::Write, fs, path::Path, sync::mpsc};
use voltide_journal::event::{Event, ForecastIssued, PricesSet, Recorded, SessionEnded};
use voltide_model::{dispatch::GridState, foresight::Foresight};
use voltide_policy::{
    Observation, Schedules,
    planner::{PolicyInfo, Replan},
};
use voltide_schedule::grid::{Day, Stages};

/// Load, wind and sun of two days by the hour: as they come, and as they are told to come. What
/// comes from hour `other_from` on is another in each world.
fn write_series(folder: &Path, other_from: u32) {
    let mut csv = "ts,load,wind,pv,load_told,wind_told,pv_told\n".to_owned();
    for hour in 0..48 {
        let (day, of_day) = (3 + hour / 24, hour % 24);
        let (wave, off) = (f64::from(of_day) / 8.0, if hour < other_from { 0.0 } else { 9.0 });
        let values = [100.0 + wave + off, 10.0 + wave + off, wave + off, 99.0, 11.0 + wave, wave];
        write!(csv, "2024-06-{day:02}T{of_day:02}:00:00Z").unwrap();
        for value in values {
            write!(csv, ",{value}").unwrap();
        }
        csv.push('\n');
    }
    fs::write(folder.join("series.csv"), csv).unwrap();
}

/// A world of two days in hours, with three cars that stay overnight, and more of `fields`.
fn world(system: &str, fields: &str) -> String {
    format!(
        r#"(
    name: "foreseen", seed: 5, currency: "EUR",
    clock: (start: "2024-06-03T00:00", time_zone: "UTC", step: "1 h", days: 2),
    tariff: Fixed("0.30 EUR/kWh"), feed_in: Fixed("0.10 EUR/kWh"),
    system: (
        base_load: (path: "series.csv", column: "load", unit: "kW"),
        wind: (path: "series.csv", column: "wind", unit: "kW"),
        pv: (path: "series.csv", column: "pv", unit: "kW"),
        {system}
    ),
    fleets: {{"cars": (
        count: 3, battery: (capacity: "60 kWh"), charger: (charge_max: "11 kW"),
        stays: Overnight(arrive: "18:00", leave: "07:00"),
        trip_energy: "5 kWh", soc_on_arrival: 0.5, departure_soc: 0.9,
    )}},
    {fields}
)"#
    )
}

/// A forecast by a column.
fn told(column: &str) -> String {
    format!(r#"Series(path: "series.csv", column: "{column}", unit: "kW")"#)
}

/// Forecasts of a system that fade within an hour.
fn forecasts() -> String {
    let [load, wind, pv] = ["load_told", "wind_told", "pv_told"].map(told);
    format!(r#"forecasts: (base_load: {load}, wind: {wind}, pv: {pv}, blend: "1 h"),"#)
}

/// The same with a plant.
fn grid() -> String {
    let [load, wind, pv] = ["load_told", "wind_told", "pv_told"].map(told);
    format!(
        r#"grid: (
            wind: {{"wind": (forecast: {wind})}}, pv: {{"pv": (forecast: {pv})}},
            base_load_forecast: {load}, stages: (blend: "1 h"),
            exchanges: {{"outside": (import_max: "500 kW", export_max: "500 kW", import_price: "0.1 EUR/kWh")}},
        ),"#
    )
}

/// A policy that sees its cars in every slot and pays the incentive price.
fn watchful() -> PolicyInfo {
    PolicyInfo { replan: Replan::EveryTick, pays_incentive: true, ..PolicyInfo::default() }
}

/// Charges every car with 4 kW.
fn charge(seen: &Observation<'_>, schedules: &mut Schedules<'_>) {
    for stay in seen.stays() {
        stay.window().for_each(|slot| schedules.row(stay).set(slot, 4.0));
    }
}

/// What a policy is shown, by tick.
fn shown(text: &str, other_from: u32) -> Vec<(u32, String)> {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), other_from);
    let (tell, told) = mpsc::channel();
    events_by(&scenario(text, folder.path()), watchful(), move |seen, schedules| {
        tell.send((seen.tick, format!("{seen:?}"))).unwrap();
        charge(seen, schedules);
        Vec::new()
    });
    told.iter().collect()
}

#[test]
fn a_policy_sees_what_it_could_know_then_and_never_what_will_be() {
    let incentives =
        ["", "incentive: (rho: 0.6),", "incentive: (rho: 0.6, price_feedback: Batch(1)),"];
    for incentive in incentives {
        let plant = world("", &format!("{}{incentive}", grid()));
        for text in [world(&forecasts(), incentive), plant] {
            let [one, other] = [48, 20].map(|from| shown(&text, from));
            // The slot itself and the next are known.
            let until = |seen: &[(u32, String)], end: u32| {
                seen.iter().filter(|(tick, _)| *tick < end).cloned().collect::<Vec<_>>()
            };
            assert_eq!(until(&one, 19), until(&other, 19));
            assert!(until(&one, 19).len() > 1 && until(&one, 20) != until(&other, 20));
        }
    }
    let perfect = world("", "incentive: (rho: 0.6),");
    assert_ne!(shown(&perfect, 48)[0], shown(&perfect, 20)[0], "what is known is shown");
}

#[test]
fn policies_and_prices_have_the_forecasts_of_the_stages() {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    let grid = r#"incentive: (rho: 0.6), grid: (
        wind: {"wind": (forecast: Ar1(phi: 0.9, sd: 0.3))}, pv: {"pv": ()},
        base_load_forecast: Ar1(phi: 0.8, sd: 0.1),
        exchanges: {"outside": (import_max: "500 kW", import_price: "0.1 EUR/kWh")},
    ),"#;
    let scenario = scenario(&world("", grid), folder.path());
    let plant = scenario.grid.as_deref().unwrap();
    let load = scenario.system.base_load.as_ref();
    let stages = Stages::new(plant, load, &scenario.clock, scenario.seed, scenario.rules);
    let day = Day { first: 24, slots: 24 };
    let problem = stages.day_ahead(day, |_| 0.0, &GridState::initial(&plant.plant));
    let known = Foresight::of(&scenario).day_ahead(24, 24);
    assert_eq!(known.base_load_kw, problem.exogenous.load_kw);
    assert_eq!(known.wind_kw, problem.units[0].series[0]);
    let (tell, told) = mpsc::channel();
    let events = events_by(&scenario, watchful(), move |seen, schedules| {
        tell.send((seen.tick, seen.net_load_kw.to_vec())).unwrap();
        charge(seen, schedules);
        Vec::new()
    });
    // Prices of the second day were formed when it began, of what its stage knew.
    let mut sets = of_kind(&events, |event| match event {
        Event::PricesSet(set) => Some(set),
        _ => None,
    });
    let (_, set): (u32, &PricesSet) = sets.find(|(tick, _)| *tick == 24).unwrap();
    assert_eq!(set.net_load_kw[..24], known.net_load_kw().collect::<Vec<_>>());
    // A policy sees what a window would that begins in its slot.
    for (tick, seen_kw) in told {
        let window = Foresight::of(&scenario).in_slot(tick, seen_kw.len());
        assert_eq!(seen_kw, window.net_load_kw().collect::<Vec<_>>());
    }
}

#[test]
fn a_car_pays_what_it_was_shown_whatever_is_foreseen_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    let text = world("forecasts: (wind: Ar1(phi: 0.9, sd: 0.5)),", "incentive: (rho: 0.6),");
    let (tell, told) = mpsc::channel();
    let info = PolicyInfo { pays_incentive: true, ..PolicyInfo::default() };
    let events = events_by(&scenario(&text, folder.path()), info, move |seen, schedules| {
        tell.send((seen.tick, seen.buy_price.to_vec())).unwrap();
        for stay in seen.stays() {
            schedules.row(stay).charge_from(8, 6.0);
        }
        Vec::new()
    });
    // Planned at six in the evening, and charged at two in the morning, for which prices were
    // formed anew at midnight.
    let (_, prices) = told.iter().find(|(tick, _)| *tick == 18).unwrap();
    let mut sets = of_kind(&events, |event| match event {
        Event::PricesSet(set) => Some(set),
        _ => None,
    });
    let (_, set): (u32, &PricesSet) = sets.find(|(tick, _)| *tick == 24).unwrap();
    assert!((set.buy[set.at(26)] - prices[8]).abs() > 1e-3, "the price is another by now");
    let mut ended = of_kind(&events, |event| match event {
        Event::SessionEnded(ended) => Some(ended),
        _ => None,
    });
    let (_, ended): (u32, &SessionEnded) = ended.find(|(tick, _)| *tick > 24).unwrap();
    assert!((ended.energy_cost[0] - 6.0 * prices[8]).abs() < 1e-9, "{ended:?}");
}

#[test]
fn a_policy_is_shown_what_was_asked_allowed_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    let text = world("", r#"sites: {"house": (import_limit: "9 kW")},"#)
        .replace(r#"charge_max: "11 kW""#, r#"charge_max: "11 kW", site: "house""#)
        .replace("departure_soc: 0.9", "departure_soc: 1.0");
    let (tell, told) = mpsc::channel();
    events_by(&scenario(&text, folder.path()), watchful(), move |seen, schedules| {
        let last = [seen.last_asked_kw, seen.last_allowed_kw, seen.last_drawn_kw];
        tell.send((seen.tick, last.map(<[f64]>::to_vec), seen.energy_kwh.to_vec())).unwrap();
        charge(seen, schedules);
        Vec::new()
    });
    let told: Vec<_> = told.iter().filter(|(tick, ..)| *tick >= 18).collect();
    assert_eq!(told[0].1, [[0.0; 3]; 3].map(Vec::from), "they have only just come");
    assert_eq!(told[1].1, [[4.0; 3], [3.0; 3], [3.0; 3]].map(Vec::from), "the house has 9 kW");
    // Until they are full, when each is allowed all that it asks for and takes less.
    let full = told.iter().find(|(_, _, energy_kwh)| energy_kwh.iter().all(|&kwh| kwh >= 60.0));
    let (tick, ..) = full.unwrap();
    let (_, [asked, allowed, drawn], _) = told.iter().find(|it| it.0 == tick + 1).unwrap();
    assert_eq!((asked, allowed, drawn), (&vec![4.0; 3], &vec![4.0; 3], &vec![0.0; 3]));
}

#[test]
fn a_policy_of_whole_sites_can_wait_for_hours_that_are_cheaper_after_all_have_left() {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    // Cars are there from eight to four, and again the next day, when all is cheap until ten.
    let bands = r#"TimeOfUse(default: "0.50 EUR/kWh", bands: [(from: "20:00", to: "10:00", price: "0.10 EUR/kWh")])"#;
    let text = world("", r#"sites: {"work": (import_limit: "99 kW")},"#)
        .replace(r#"tariff: Fixed("0.30 EUR/kWh")"#, &format!("tariff: {bands}"))
        .replace(r#"charge_max: "11 kW""#, r#"charge_max: "11 kW", site: "work""#)
        .replace(
            "Overnight(arrive: \"18:00\", leave: \"07:00\")",
            "Workplace(arrive: \"11:00\", leave: \"16:00\", days: Daily)",
        );
    let info = PolicyInfo { whole_site: true, ..PolicyInfo::default() };
    let (tell, told) = mpsc::channel();
    events_by(&scenario(&text, folder.path()), info, move |seen, schedules| {
        let cheapest = |prices: &[f64]| prices.iter().copied().fold(f64::INFINITY, f64::min);
        let waits = cheapest(seen.known_buy_price) < cheapest(seen.buy_price);
        tell.send((seen.tick, seen.horizon, seen.known_slots, waits)).unwrap();
        for stay in seen.stays().filter(|_| !waits) {
            schedules.row(stay).charge_from(0, 5.0);
        }
        Vec::new()
    });
    // 48 hours beyond the run's end are known.
    assert_eq!(told.iter().collect::<Vec<_>>(), [(11, 5, 85, true), (35, 5, 61, true)]);
}

#[test]
fn forecasts_that_have_no_place_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    let problems = |text: &str| {
        let path = folder.path().join("refused.ron");
        fs::write(&path, text).unwrap();
        voltide_world::load(&path, &[]).map(drop).unwrap_err().to_string()
    };
    let beside = problems(&world(&forecasts(), &grid()));
    assert!(beside.contains("`system.forecasts` beside a `grid`"), "{beside}");
    let of_nothing = world("forecasts: (pv: Ar1(phi: 0.5, sd: 0.1)),", "")
        .replace(r#"pv: (path: "series.csv", column: "pv", unit: "kW"),"#, "");
    let of_nothing = problems(&of_nothing);
    assert!(of_nothing.contains("a forecast of `pv`, and `system` has no `pv`"), "{of_nothing}");
    let broken = problems(&world(r#"forecasts: (blend: "90 min"),"#, ""));
    assert!(broken.contains("`blend` is not a whole number of slots"), "{broken}");
    let error = "day_ahead_ev_forecast: Ar1(phi: 0.5, sd: 0.1), day_ahead_ev: None, exchanges:";
    let no_cars = problems(&world("", &grid().replace("exchanges:", error)));
    assert!(no_cars.contains("has no plans of cars to be wrong about"), "{no_cars}");
    let unheard = problems(&world("forecasts: (sun: Perfect),", ""));
    assert!(unheard.contains("sun"), "{unheard}");
    // Prices that cannot be formed of what is foreseen are found before the run.
    let storm = forecasts().replace(&told("wind_told"), &told("load_told"));
    let storm = problems(&world(&storm, "incentive: (rho: 0.6),"));
    assert!(storm.contains("the mean net load of 2024-06-03"), "{storm}");
}

/// What the stages are told of cars, by the day's first slot, and the events of the run.
fn told_of_cars(fields: &str) -> (Vec<(u32, ForecastIssued)>, Vec<Recorded>) {
    let folder = tempfile::tempdir().unwrap();
    write_series(folder.path(), 48);
    let grid = format!(
        r#"grid: (
            exchanges: {{"outside": (import_max: "500 kW", import_price: "0.1 EUR/kWh")}}, {fields}
        ),"#
    );
    let info = PolicyInfo::default();
    let events = events_by(&scenario(&world("", &grid), folder.path()), info, |seen, schedules| {
        charge(seen, schedules);
        Vec::new()
    });
    let issued = of_kind(&events, |event| match event {
        Event::ForecastIssued(issued) => Some(issued),
        _ => None,
    });
    (issued.map(|(tick, issued)| (tick, issued.clone())).collect(), events)
}

#[test]
fn cars_need_not_be_known_a_day_ahead() {
    let plain = told_of_cars("");
    assert_eq!(plain.0, told_of_cars("day_ahead_ev_forecast: Known,").0);
    let off = told_of_cars("day_ahead_ev_forecast: Ar1(phi: 0.8, sd: 0.3),");
    for ((tick, known), (_, told)) in plain.0.iter().zip(&off.0) {
        let share = |slot: usize| told.values[slot] / known.values[slot];
        // Three cars with 4 kW each from six o'clock on.
        assert!((known.values[18] - 12.0).abs() < 1e-12);
        let errors = [share(18) - 1.0, share(18) - share(19)];
        assert!(errors.iter().all(|error| error.abs() > 1e-3), "{tick}: {told:?}");
        // Those that have yet to arrive are off by as much.
        let of_slot = |it: &ForecastIssued, slot: u32| -> f64 {
            it.load_slot
                .iter()
                .zip(&it.load_kw)
                .filter(|(at, _)| **at == slot)
                .map(|(_, kw)| kw)
                .sum()
        };
        let at_six = of_slot(told, tick + 18) / of_slot(known, tick + 18);
        assert!((at_six - share(18)).abs() < 1e-12);
    }
    // What cars do is as it was: an error draws nothing of theirs.
    let sessions = |events: &[Recorded]| {
        let of_cars = events.iter().filter(|it| matches!(it.event, Event::SessionEnded(_)));
        of_cars.map(|it| (it.tick, it.event.clone())).collect::<Vec<_>>()
    };
    assert_eq!(sessions(&plain.1), sessions(&off.1));
}
