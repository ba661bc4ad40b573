//! Cars behind one limit, planned apart and as one program: time, cost and gap of both.
//!
//! `cargo bench -p voltide-schedule --bench group -- CARS [SLOTS] [apart]`; 200 cars of 96 slots
//! unless said otherwise. One run of each, as the program of a thousand cars takes minutes; `apart`
//! leaves it out. Beside them, one car more: all are planned anew from plans of the others.

#![expect(clippy::print_stdout, reason = "it is the bench's report")]

use std::{env, time::Duration};
use voltide_schedule::{
    PerSlot, StorageProblem, TieRule,
    group::{
        GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay, solve_group, solve_group_from,
    },
};

fn noise(at: usize) -> f64 {
    (at.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0
}

fn car(prices: &[f64], index: usize) -> GroupMember<'_> {
    let first_slot = (noise(index + 900) * prices.len() as f64 * 0.4) as usize;
    let problem = StorageProblem {
        slot_hours: 0.25,
        buy: &prices[first_slot..],
        sell: &prices[first_slot..],
        degradation: 0.05,
        charge_kw_max: PerSlot::Same(11.0),
        discharge_kw_max: PerSlot::Same(0.0),
        energy_kwh_min: PerSlot::Same(6.0),
        energy_kwh_max: PerSlot::Same(60.0),
        energy_kwh: 10.0 + 20.0 * noise(index),
        target_kwh: 35.0 + 20.0 * noise(index + 5_000),
        charge_efficiency: 0.95,
        discharge_efficiency: 0.95,
        terminal_value: 0.0,
        tie: TieRule::Earliest,
        load_kw: &[],
    };
    GroupMember { problem, first_slot, node: 0 }
}

/// CPU time of this process.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> =
        after_name.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let ticks = |at: usize| fields.get(at).copied().unwrap_or(0);
    // Hundredths of a second in user and in system mode.
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// Plans of all but the last car, and those of all from there.
fn replan(problem: &GroupProblem<'_>) {
    let options = GroupOptions { way: GroupWay::Decomposition, ..GroupOptions::default() };
    let Some((_, others)) = problem.members.split_last() else { return };
    let Ok(before) = solve_group(&GroupProblem { members: others, ..*problem }, options) else {
        return;
    };
    let plans: Vec<Option<&[f64]>> =
        before.power_kw.iter().map(|plan| Some(plan.as_slice())).chain([None]).collect();
    let from = cpu_time();
    for _ in 0..10 {
        let Ok(answer) = solve_group_from(problem, options, &plans) else { return };
        std::hint::black_box(answer);
    }
    let took = cpu_time().saturating_sub(from) / 10;
    if let Ok(answer) = solve_group_from(problem, options, &plans) {
        println!(
            "one car more: {took:?} of CPU, cost {:.6}, gap {:.1e}, missing {:.1e} kWh",
            answer.cost,
            answer.gap(),
            answer.missing_kwh
        );
    }
}

fn main() {
    let numbers: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let cars = numbers.first().copied().unwrap_or(200);
    let slots = numbers.get(1).copied().unwrap_or(96);
    let prices: Vec<f64> = (0..slots).map(|slot| 0.1 + 0.3 * noise(slot + 17)).collect();
    let members: Vec<GroupMember<'_>> = (0..cars).map(|index| car(&prices, index)).collect();
    // 1.2 times what is needed on average.
    let needed: f64 = members
        .iter()
        .map(|car| (car.problem.target_kwh - car.problem.energy_kwh).max(0.0) / 0.95)
        .sum();
    let limit = PerSlot::Same(1.2 * needed / (slots as f64 * 0.25));
    let nodes = [GroupNode { import_kw_max: limit, ..GroupNode::open("street", None) }];
    let problem = GroupProblem { slots, slot_hours: 0.25, members: &members, nodes: &nodes };
    let apart = env::args().any(|argument| argument == "apart");
    if !apart {
        replan(&problem);
    }
    let both = [GroupWay::Decomposition, GroupWay::Program];
    for &way in if apart { &both[..1] } else { &both } {
        let from = cpu_time();
        match solve_group(&problem, GroupOptions { way, ..GroupOptions::default() }) {
            Ok(answer) => println!(
                "{cars} cars, {slots} slots, {way:?}: {:?} of CPU, cost {:.6}, gap {:.1e}, \
                 missing {:.1e} kWh",
                cpu_time().saturating_sub(from),
                answer.cost,
                answer.gap(),
                answer.missing_kwh
            ),
            Err(error) => println!("{error}"),
        }
    }
}
