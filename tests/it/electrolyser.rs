//! An electrolyser in a whole world, among a thermal unit, a battery, sun and a connection, for two
//! days.

use crate::{
    program::{assert_same_files, fail, files, run, run_json, succeed, voltide},
    resume::{chain, kill_in_its_run, outputs, start},
    tables::{column, counts, words},
};
use serde_json::Value;
use std::{path::Path, time::Duration};

const WORLD: &str = "worlds/hydrogen.ron";

/// Slots of a day; each is half an hour.
const DAY: usize = 48;

/// One slot of the electrolyser as it was settled.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tick: usize,
    draw_kw: f64,
    held_kwh: f64,
    cost: f64,
    flex_up_kw: f64,
    flex_down_kw: f64,
}

impl Slot {
    fn hour(self) -> f64 {
        (self.tick % DAY) as f64 / 2.0
    }

    /// What the works takes of hydrogen, as the world says, kW.
    fn demand_kw(self) -> f64 {
        if (6.0..22.0).contains(&self.hour()) { 1200.0 } else { 400.0 }
    }
}

fn slots(run: &Path) -> Vec<Slot> {
    let kinds = words(run, "unit_ticks", "unit_kind");
    let stages = words(run, "unit_ticks", "stage");
    let ticks = counts(run, "unit_ticks", "tick");
    let of = ["charge_kw", "energy_kwh", "cost", "flex_up_kw", "flex_down_kw"]
        .map(|name| column(run, "unit_ticks", name));
    let rows =
        (0..kinds.len()).filter(|&row| kinds[row] == "electrolyser" && stages[row] == "settled");
    let slot = |row: usize| Slot {
        tick: ticks[row] as usize,
        draw_kw: of[0][row],
        held_kwh: of[1][row],
        cost: of[2][row],
        flex_up_kw: of[3][row],
        flex_down_kw: of[4][row],
    };
    rows.map(slot).collect()
}

/// Energy drawn between two hours of every day, kWh.
fn drawn_kwh(slots: &[Slot], from: f64, to: f64) -> f64 {
    let within = slots.iter().filter(|slot| (from..to).contains(&slot.hour()));
    within.map(|slot| slot.draw_kw * 0.5).sum()
}

#[test]
fn it_runs_when_power_is_cheap_and_its_tank_is_there_in_dear_hours() {
    let out = tempfile::tempdir().unwrap();
    let summary = run_json(WORLD, out.path(), &[]);
    let run = Path::new(summary["folder"].as_str().unwrap());
    let slots = slots(run);
    assert_eq!(slots.len(), 2 * DAY);
    assert!(drawn_kwh(&slots, 18.0, 21.0) < 1e-6, "power is dearest then, and the sun is low");
    let (cheap, all) =
        (drawn_kwh(&slots, 0.0, 5.0) + drawn_kwh(&slots, 9.0, 15.0), drawn_kwh(&slots, 0.0, 24.0));
    assert!(cheap > 0.7 * all, "{cheap} of {all} kWh");
    assert!(column(run, "system_ticks", "residual_kw").iter().all(|kw| kw.abs() <= 1e-6));
    assert!(summary["unserved_kwh"].as_f64().unwrap() < 1e-6);
}

/// Over midnight and to the run's end: what is made, taken and bought is what the tank holds more
/// or less.
#[test]
fn hydrogen_is_neither_lost_nor_made_and_limits_hold() {
    let out = tempfile::tempdir().unwrap();
    // So small a tank and so cheap a substitute that some is bought.
    let tight = [
        "--set",
        "grid.electrolysers.electrolyser.tank=5 MWh",
        "--set",
        "grid.electrolysers.electrolyser.backup_price=0.10 EUR/kWh",
    ];
    let every_day = ["--set", "grid.electrolysers.electrolyser.day_end_energy=4 MWh"];
    for (sets, some_is_bought, ends) in [
        (&[][..], false, &[2 * DAY][..]),
        (&every_day[..], false, &[DAY, 2 * DAY]),
        (&tight[..], true, &[2 * DAY]),
    ] {
        let run = run(WORLD, out.path(), &[&["--policy", "v2g"][..], sets].concat());
        let price = if some_is_bought { 0.10 } else { 0.30 };
        let tank = if some_is_bought { 5000.0 } else { 12_000.0 };
        // The numbers are the world's: it begins with 4 MWh, makes hydrogen of 65 %, and draws
        // nothing or 0.4 to 4 MW.
        let (mut held, mut bought_kwh) = (4000.0, 0.0);
        let slots = slots(&run);
        for slot in &slots {
            let bought_kw = slot.cost / (price * 0.5);
            let taken = slot.demand_kw() - bought_kw;
            held += 0.5 * (0.65 * slot.draw_kw - taken);
            assert!((held - slot.held_kwh).abs() < 1e-6, "{held} kWh, not {slot:?}");
            assert!((-1e-6..=tank + 1e-6).contains(&slot.held_kwh), "{slot:?}");
            assert!(slot.draw_kw == 0.0 || (400.0..=4000.0).contains(&slot.draw_kw), "{slot:?}");
            assert!(slot.flex_up_kw <= slot.draw_kw + 1e-6 && slot.flex_up_kw >= 0.0);
            assert!(slot.flex_down_kw <= 4000.0 - slot.draw_kw + 1e-6 && slot.flex_down_kw >= 0.0);
            held = slot.held_kwh;
            bought_kwh += bought_kw * 0.5;
        }
        assert_eq!(bought_kwh > 1.0, some_is_bought, "{bought_kwh} kWh are bought");
        // As much as at first where the day-ahead schedule stops looking, or at each day's end if the
        // world says so; windows follow it as far as that pays.
        for end in ends {
            assert!(slots[end - 1].held_kwh > 3900.0, "{:?}", slots[end - 1]);
        }
        assert_billed(&run, bought_kwh * price);
        succeed(voltide().args(["replay", "--verify"]).arg(&run));
    }
}

/// The component `hydrogen` of the bill.
#[track_caller]
fn assert_billed(run: &Path, expected: f64) {
    let components = words(run, "costs", "component");
    let amounts = column(run, "costs", "amount");
    let of_hydrogen =
        components.iter().zip(&amounts).filter(|(component, _)| *component == "hydrogen");
    let billed: f64 = of_hydrogen.map(|(_, amount)| amount).sum();
    assert!((billed - expected).abs() < 1e-6, "{billed}, not {expected}");
    assert!(components.contains(&"hydrogen".to_owned()));
}

/// The parts of every schedule's objective, with that of hydrogen, add up to it.
#[test]
fn what_hydrogen_costs_is_a_part_of_every_objective() {
    let out = tempfile::tempdir().unwrap();
    let run = run(WORLD, out.path(), &["--set", "clock.days=1"]);
    let printed = succeed(voltide().args(["--json", "log", "cat"]).arg(&run));
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let solves: Vec<Value> =
        lines.filter(|line| line.to_string().contains("SolveFinished")).collect();
    assert_eq!(solves.len(), 2 + DAY, "the day ahead, its path, and windows");
    for solve in solves {
        let payload = solve.pointer("/payload").unwrap_or(&solve).clone();
        let parts = payload["components"].as_array().unwrap();
        assert!(parts.iter().any(|part| part[0] == "hydrogen"), "{parts:?}");
        let sum: f64 = parts.iter().map(|part| part[1].as_f64().unwrap()).sum();
        let objective = payload["objective"].as_f64().unwrap();
        assert!((sum - objective).abs() <= 1e-9 * objective.abs().max(1.0));
    }
}

#[test]
fn a_run_with_a_tank_goes_on_after_a_kill_and_is_the_same_for_any_threads() {
    let out = tempfile::tempdir().unwrap();
    let on = |threads: &str| {
        run(WORLD, &out.path().join(threads), &["--policy", "v2g", "--threads", threads])
    };
    let (whole, other) = (on("1"), on("2"));
    assert_same_files(&files(&whole), &files(&other));
    let killed = out.path().join("killed");
    let arguments = ["run", WORLD, "--policy", "v2g", "--threads", "1", "--out"];
    let cut_off = kill_in_its_run(start(&arguments, &killed), &killed, Duration::from_millis(300));
    succeed(voltide().arg("resume").arg(&cut_off));
    assert_same_files(&outputs(&whole), &outputs(&cut_off));
    assert_eq!(chain(&whole), chain(&cut_off));
}

/// What a unit holds is known by its place in the list, so that another name there is another unit.
#[test]
fn a_fork_cannot_give_a_units_state_to_another() {
    let out = tempfile::tempdir().unwrap();
    let parent = run(WORLD, out.path(), &["--set", "clock.days=1"]);
    let renamed = "grid.batteries={\"other\": (charge_max: \"500 kW\", discharge_max: \"500 kW\", \
                   energy_max: \"1 MWh\", charge_efficiency: 0.95, discharge_efficiency: 0.95, \
                   initial_energy: \"500 kWh\")}";
    let mut fork = voltide();
    let (code, message) = fail(fork.args(["fork", "--at", "5", "--set", renamed]).arg(&parent));
    assert_eq!(code, 3, "{message}");
    assert!(message.contains("cannot change this of its parent: units"), "{message}");
}
