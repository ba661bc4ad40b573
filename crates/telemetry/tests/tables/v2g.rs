//! Prices, willingness and eligibility in the tables.

use crate::{
    history::{asking_scenario, play, price_of, willingness_of},
    read::{CARS, Rows, written, written_of},
};
use tempfile::tempdir;
use voltide_model::{
    id::{EvId, StayId},
    scenario::EvTicks,
};
use voltide_telemetry::{Options, RunStatus, Telemetry};

#[test]
fn only_plugged_cars_of_fleets_that_are_asked_have_an_opinion() {
    let (folder, scenario, _) = written_of(asking_scenario(CARS, 2, EvTicks::Full));
    let commuters = scenario.population.fleets[0].evs.end;
    let cars = Rows::read(folder.path(), "ev_ticks");
    let keys: Vec<(u32, u32)> =
        (0..scenario.clock.slots).flat_map(|tick| (0..CARS).map(move |ev| (tick, ev))).collect();
    let plugged = cars.ints("session_id").into_iter().map(|session| session.is_some());
    let wanted: Vec<Option<f64>> = (keys.iter().zip(plugged))
        .map(|(&(tick, ev), plugged)| {
            (plugged && ev < commuters).then(|| willingness_of(EvId(ev), tick))
        })
        .collect();
    let singles: Vec<_> =
        wanted.iter().map(|cell| cell.map(|willingness| willingness as f32)).collect();
    assert_eq!(cars.singles("willingness"), singles);
    let agreed: Vec<_> =
        wanted.iter().map(|cell| cell.map(|willingness| willingness > 0.3)).collect();
    assert_eq!(cars.flags("participating"), agreed);
    let prices: Vec<_> = keys.iter().map(|&(_, ev)| Some(price_of(EvId(ev)) as f32)).collect();
    assert_eq!(cars.singles("price_per_kwh"), prices);
    let per_tick = agreed
        .chunks(CARS as usize)
        .map(|cells| cells.iter().flatten().filter(|&&yes| yes).count());
    let system = Rows::read(folder.path(), "system_ticks");
    assert!(system.ints("agreed").into_iter().eq(per_tick.map(|count| i32::try_from(count).ok())));
}

/// Two fleets, of which one is asked: cars of the other count neither way.
#[test]
fn the_willing_share_is_that_of_the_table_whose_cells_are_of_those_who_are_asked() {
    let (folder, scenario, summary) = written_of(asking_scenario(CARS, 2, EvTicks::Full));
    assert_eq!(
        (0..2).map(|fleet| scenario.asks_drivers(fleet).is_some()).collect::<Vec<_>>(),
        [true, false]
    );
    let said: Vec<bool> = Rows::read(folder.path(), "ev_ticks")
        .flags("participating")
        .into_iter()
        .flatten()
        .collect();
    let agreed = said.iter().filter(|&&yes| yes).count();
    assert_eq!(summary.willing_share, Some(agreed as f64 / said.len() as f64));
}

#[test]
fn one_car_has_the_opinions_that_it_has_among_all() {
    let (full, scenario, _) = written_of(asking_scenario(CARS, 2, EvTicks::Full));
    let (folder, ev) = (tempdir().unwrap(), 5);
    let options = Options { ev: Some(ev), ..Options::default() };
    let mut detail = Telemetry::create_detail(folder.path(), &scenario, options).unwrap();
    play(&scenario, &mut detail, scenario.clock.slots).unwrap();
    detail.finish(RunStatus::Finished).unwrap();
    let (full, one) = (Rows::read(full.path(), "ev_ticks"), Rows::read(folder.path(), "ev_ticks"));
    let of_car = |cells: Vec<Option<f32>>| {
        cells.into_iter().skip(ev as usize).step_by(CARS as usize).collect::<Vec<_>>()
    };
    for name in ["willingness", "price_per_kwh"] {
        assert_eq!(one.singles(name), of_car(full.singles(name)), "{name}");
    }
}

#[test]
fn a_world_without_incentives_has_tariffs_and_no_opinions() {
    let (folder, ..) = written(EvTicks::Full);
    let cars = Rows::read(folder.path(), "ev_ticks");
    assert!(cars.singles("willingness").iter().all(Option::is_none));
    assert!(cars.flags("participating").iter().all(Option::is_none));
    assert!(cars.singles("price_per_kwh").iter().all(|&price| price == Some(0.3)));
    let system = Rows::read(folder.path(), "system_ticks");
    assert!(system.ints("agreed").iter().all(Option::is_none));
    for name in INCENTIVE_COLUMNS {
        assert!(system.reals(name).is_empty(), "{name}");
    }
}

#[test]
fn the_system_has_what_the_incentive_price_came_from() {
    let (folder, scenario, _) = written_of(asking_scenario(CARS, 1, EvTicks::Off));
    let system = Rows::read(folder.path(), "system_ticks");
    for (name, value) in INCENTIVE_COLUMNS.into_iter().zip([500.0, 400.0, 0.375, 1.25]) {
        assert_eq!(system.reals(name), vec![value; scenario.clock.slots as usize], "{name}");
    }
}

const INCENTIVE_COLUMNS: [&str; 4] =
    ["price_net_load_kw", "price_net_load_mean_kw", "incentive_price_per_kwh", "incentive_ratio"];

/// (13) written out once more, with the V2G terms' minimum of 0.3, which is stricter than the battery's.
#[test]
fn a_session_is_eligible_where_a_full_turn_fits_into_its_announced_time() {
    let (folder, scenario, _) = written(EvTicks::Off);
    let sessions = Rows::read(folder.path(), "sessions");
    let (soc_arrival, soc_target) = (sessions.reals("soc_arrival"), sessions.reals("soc_target"));
    let (stays, clock) = (&scenario.population.stays, &scenario.clock);
    let mut wanted = Vec::new();
    for (row, session) in sessions.ints("session_id").into_iter().flatten().enumerate() {
        let stay = StayId(session.cast_unsigned());
        let full = scenario.population.capacity_kwh[stays.ev[stay.row()].row()];
        let slots = stays.announced_end_slot(stay, clock) - stays.first_slot(stay, clock);
        let hours = (soc_target[row] - 0.3).max(0.0) * full / (7.0 * 0.95)
            + (soc_arrival[row] - 0.3).max(0.0) * full / (7.0 / 0.95);
        let at_home = scenario.population.charger(stays.charger[stay.row()]).site.is_none();
        wanted.push(at_home.then_some(hours <= f64::from(slots) * 0.25));
    }
    let found = sessions.flags("v2g_eligible");
    assert_eq!(found, wanted);
    for answer in [None, Some(true), Some(false)] {
        assert!(found.contains(&answer), "{answer:?}");
    }
}
