//! Electrolysers: optima by hand, limits, and what happens where the tank is not enough.

use std::num::NonZeroU32;
use voltide_model::{
    device::{Device, Electrolyser, Exchange},
    flexibility::{Readings, UpDown},
    plant::Plant,
    quantity::{KilowattHours, Kilowatts, Share},
    rules::Rules,
    series::Series,
    two_stage::{SearchLimits, SlackPrices},
    unit::UnitState,
};
use voltide_schedule::grid::{
    Dispatch, DispatchProblem, EnergyEnd, Exogenous, UnitTask, UnmetWish,
};

fn nothing() -> Series {
    Series { name: "none".into(), unit: "kW".into(), values: [].into() }
}

/// 100 kW make 50 kW of hydrogen; the tank holds 50 kWh.
fn electrolyser() -> Electrolyser {
    Electrolyser {
        name: "h2".into(),
        power_min: Kilowatts(0.0),
        power_max: Kilowatts(100.0),
        efficiency: Share::new(0.5).unwrap(),
        tank: KilowattHours(50.0),
        initial_energy: KilowattHours(0.0),
        day_end_energy: KilowattHours(0.0),
        holds_each_day: false,
        demand: nothing(),
        backup_price: 1.0,
    }
}

/// What is asked of an electrolyser for four hours.
struct Asked {
    unit: Electrolyser,
    /// Price of a kWh of power.
    prices: [f64; 4],
    demand_kw: f64,
    start_kwh: f64,
    end: EnergyEnd,
    margins: bool,
    net_load_next_kw: f64,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            unit: electrolyser(),
            prices: [0.1, 0.4, 0.1, 0.4],
            demand_kw: 25.0,
            start_kwh: 0.0,
            end: EnergyEnd::Free,
            margins: false,
            net_load_next_kw: 0.0,
        }
    }
}

impl Asked {
    fn solve(&self) -> Dispatch {
        let line = Exchange {
            name: "line".into(),
            import_max: Kilowatts(1000.0),
            export_max: Kilowatts(0.0),
            import_price: nothing(),
            export_price: nothing(),
        };
        let plant = Plant::default().with([line]).with([self.unit.clone()]);
        let prices = self.prices.to_vec();
        let problem = DispatchProblem {
            plant: &plant,
            slot_hours: 1.0,
            exogenous: Exogenous {
                load_kw: vec![0.0; 4],
                net_load_next_kw: self.net_load_next_kw,
                ..Exogenous::default()
            },
            units: vec![
                UnitTask { series: vec![prices.clone(), prices], ..UnitTask::default() },
                UnitTask {
                    state: UnitState { energy_kwh: self.start_kwh, ..UnitState::default() },
                    series: vec![vec![self.demand_kw; 4]],
                    end: self.end,
                    ..UnitTask::default()
                },
            ],
            margins: self.margins,
            readings: Readings::default(),
            prices: SlackPrices::default(),
            segments: NonZeroU32::MIN,
            search: SearchLimits { nodes: 1000, gap: 0.0 },
            rules: Rules::TODAY,
        };
        problem.solve().unwrap()
    }
}

fn draws(found: &Dispatch) -> Vec<f64> {
    found.slots.iter().map(|slot| slot.units[1].charge_kw).collect()
}

fn bought(found: &Dispatch) -> Vec<f64> {
    found.slots.iter().map(|slot| slot.units[1].available_kw).collect()
}

fn held(found: &Dispatch) -> Vec<f64> {
    found.slots.iter().map(|slot| slot.units[1].energy_kwh).collect()
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
    assert!(near && found.len() == expected.len(), "{found:?}, not {expected:?}");
}

/// Twice 100 kWh at 0.1: half of what is made is taken at once, half an hour later.
#[test]
fn it_runs_when_power_is_cheap_and_the_tank_bridges_the_rest() {
    let found = Asked::default().solve();
    assert_near(&draws(&found), &[100.0, 0.0, 100.0, 0.0]);
    assert_near(&held(&found), &[25.0, 0.0, 25.0, 0.0]);
    assert_near(&[found.objective, found.parts.of_units("hydrogen")], &[20.0, 0.0]);
}

/// Who is paid for drawing power draws it, and yet a tank that holds 150 kWh and has room for 60 is
/// emptied by 25 an hour until it has room: 75 - 25 + 0.5 * 20 = 60.
#[test]
fn a_tank_that_holds_more_than_it_has_room_for_is_filled_no_more() {
    let asked = Asked {
        unit: Electrolyser { tank: KilowattHours(60.0), ..electrolyser() },
        prices: [-0.1; 4],
        start_kwh: 150.0,
        ..Asked::default()
    };
    let found = asked.solve();
    assert_near(&held(&found), &[125.0, 100.0, 75.0, 60.0]);
    assert_near(&draws(&found), &[0.0, 0.0, 0.0, 20.0]);
}

/// A kWh of hydrogen takes 2 kWh of power: 0.2 in cheap hours, 0.8 in dear ones.
#[test]
fn hydrogen_is_bought_where_that_is_cheaper_than_to_make_it() {
    let with = |backup_price| Asked {
        unit: Electrolyser { backup_price, ..electrolyser() },
        ..Asked::default()
    };
    let cheap = with(0.15).solve();
    assert_near(&draws(&cheap), &[0.0; 4]);
    assert_near(&bought(&cheap), &[25.0; 4]);
    assert_near(&[cheap.objective, cheap.parts.of_units("hydrogen")], &[15.0, 15.0]);
    assert_near(&bought(&with(0.25).solve()), &[0.0; 4]);
}

/// Nothing is made of nothing: what the most power cannot make is bought, and no more. When it is
/// bought is all the same, as long as the tank has room.
#[test]
fn what_the_tank_cannot_give_is_bought_and_the_balance_of_hydrogen_closes() {
    let found = Asked { demand_kw: 70.0, ..Asked::default() }.solve();
    assert_near(&draws(&found), &[100.0; 4]);
    let (bought, mut balance) = (bought(&found), 0.0);
    for (bought, held) in bought.iter().zip(held(&found)) {
        balance += 50.0 + bought - 70.0;
        assert!((held - balance).abs() < 1e-6, "{held} kWh, not {balance}");
    }
    assert!((bought.iter().sum::<f64>() - 80.0).abs() < 1e-6 && balance.abs() < 1e-6);
    assert!((found.objective - (100.0 * 1.0 + 80.0)).abs() < 1e-6, "{}", found.objective);
}

/// It draws 60 kW at least, or nothing: 40 kWh of hydrogen in four hours are 80 kWh of power, in
/// one hour of 80 kW.
#[test]
fn it_runs_at_its_least_power_or_not_at_all() {
    let unit = Electrolyser { power_min: Kilowatts(60.0), ..electrolyser() };
    let found = Asked { unit, demand_kw: 10.0, ..Asked::default() }.solve();
    let draws = draws(&found);
    assert!(draws.iter().all(|&kw| kw == 0.0 || (60.0..=100.0).contains(&kw)), "{draws:?}");
    assert_near(&draws, &[80.0, 0.0, 0.0, 0.0]);
    assert_eq!(found.slots.iter().filter(|slot| slot.units[1].on).count(), 1);
}

#[test]
fn the_tank_ends_as_it_should_as_far_as_it_can() {
    let with = |end| Asked { end, demand_kw: 0.0, ..Asked::default() }.solve();
    let enough = with(EnergyEnd::AtLeast(40.0));
    assert_near(&held(&enough)[3..], &[40.0]);
    assert!((enough.objective - 8.0).abs() < 1e-6 && enough.unmet.is_empty());
    let weak = Electrolyser { power_max: Kilowatts(10.0), ..electrolyser() };
    for end in [EnergyEnd::AtLeast(40.0), EnergyEnd::Softened(40.0)] {
        let found = Asked { unit: weak.clone(), end, demand_kw: 0.0, ..Asked::default() }.solve();
        // 2 a kWh that is missing is more than 0.8.
        assert_near(&[held(&found)[3], found.parts.terminal], &[20.0, 40.0]);
    }
}

/// 80 kW for an hour would make 40 kWh, of which the tank has room for 30: it cannot run, and there
/// is a schedule all the same.
#[test]
fn an_end_that_no_least_power_can_hit_is_missed_at_its_price() {
    let unit = Electrolyser { power_min: Kilowatts(80.0), ..electrolyser() };
    let end = EnergyEnd::AtLeast(45.0);
    let asked = Asked { unit, end, start_kwh: 20.0, demand_kw: 0.0, ..Asked::default() };
    let found = asked.solve();
    assert_near(&draws(&found), &[0.0; 4]);
    assert!((found.parts.terminal - 50.0).abs() < 1e-6 && (found.objective - 50.0).abs() < 1e-6);
}

#[test]
fn a_tank_that_holds_more_than_it_has_room_for_is_noted_and_emptied() {
    let prices = [0.3, 0.4, 0.1, 0.4];
    let found = Asked { start_kwh: 80.0, prices, ..Asked::default() }.solve();
    assert_eq!((found.unmet.len(), found.unmet[0].wish), (1, UnmetWish::InitialEnergy));
    assert_near(&held(&found)[..2], &[55.0, 30.0]);
    assert!(found.slots.iter().all(|slot| slot.residual_kw().abs() < 1e-9));
}

/// Net load falls by 60 kW after the last hour, which only more hydrogen can take up.
#[test]
fn it_leaves_room_where_margins_ask_for_it() {
    let with = |margins| Asked {
        end: EnergyEnd::AtLeast(50.0),
        demand_kw: 0.0,
        start_kwh: 50.0,
        margins,
        net_load_next_kw: -60.0,
        ..Asked::default()
    };
    let without = with(false).solve();
    assert!((without.margins[3].shortfall().down - 60.0).abs() < 1e-6, "the tank is full");
    let emptier = Asked { end: EnergyEnd::AtLeast(0.0), start_kwh: 20.0, ..with(true) }.solve();
    let margin = emptier.margins[3];
    assert!(margin.shortfall().down < 1e-6, "{margin:?}");
    // 30 kWh of room are 60 kW for an hour.
    assert_eq!(margin.supply, UpDown { up: 0.0, down: 60.0 });
}

#[test]
fn limits_and_the_tank_hold_in_what_is_read() {
    let unit = electrolyser();
    assert!(Device::check(&Electrolyser { demand: nothing(), ..unit.clone() }).is_ok());
    let found = Asked::default().solve();
    let mut before = 0.0;
    for did in found.slots.iter().map(|slot| slot.units[1]) {
        assert!((0.0..=100.0).contains(&did.charge_kw) && did.given_kw == 0.0);
        assert!((-1e-9..=50.0 + 1e-9).contains(&did.energy_kwh));
        let taken = 25.0 - did.available_kw;
        let after = unit.energy_after(before, did.charge_kw, taken, 1.0);
        assert!((after - did.energy_kwh).abs() < 1e-9);
        before = did.energy_kwh;
    }
}
