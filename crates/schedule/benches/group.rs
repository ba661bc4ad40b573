//! Cars planned together, apart and as one program: time, cost and gap of both.
//!
//! `cargo bench -p voltide-schedule --bench group -- CARS [SLOTS] [COUPLING] [apart] [v2g]`; 200
//! cars of 96 slots behind one limit unless said otherwise. COUPLING is `limit` (1.2 times what is
//! needed on average), `missing` (0.9 times), `loose`, `streets` (20 of them, each with its limit),
//! or what the fleet's power costs beside a base load of 28 kW a car: `valley`, `peak`, `supply`,
//! `follow`, or `both` (`valley` with `streets`). One run of each, as the program of a thousand
//! cars takes minutes; `apart` leaves it out. Beside them, one car more: all are planned anew from
//! plans of the others; and each alone.

#![expect(clippy::print_stdout, reason = "it is the bench's report")]

use std::{env, time::Duration};
use voltide_schedule::{
    Method, Options, PerSlot, Solver, StorageProblem, TieRule,
    group::{
        GroupAnswer, GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay, NodeCost, Plans,
        SupplyStep, solve_group_from,
    },
};

const HOURS: f64 = 0.25;
const STREETS: usize = 20;

fn noise(at: usize) -> f64 {
    (at.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0
}

/// A car that stays to the end, or for some hours where the fleet costs.
fn car(prices: &[f64], index: usize, [discharge_kw, hours]: [f64; 2]) -> GroupMember<'_> {
    let last = if hours.is_finite() { 0.8 } else { 0.4 };
    let first_slot = (noise(index + 900) * prices.len() as f64 * last) as usize;
    let stay = hours * (0.5 + noise(index + 77)) / HOURS;
    let end = prices.len().min(first_slot.saturating_add(stay as usize));
    let problem = StorageProblem {
        slot_hours: HOURS,
        buy: &prices[first_slot..end],
        sell: &prices[first_slot..end],
        degradation: 0.05,
        charge_kw_max: PerSlot::Same(11.0),
        discharge_kw_max: PerSlot::Same(discharge_kw),
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

/// Solves a group, several times if it is quick, and says how.
fn report(
    what: &str,
    problem: &GroupProblem<'_>,
    (way, plans, runs): (GroupWay, Plans<'_>, u32),
) -> Option<GroupAnswer> {
    let options = GroupOptions { way, ..GroupOptions::default() };
    let from = cpu_time();
    for _ in 1..runs {
        std::hint::black_box(solve_group_from(problem, options, plans).ok()?);
    }
    let answer = solve_group_from(problem, options, plans).ok()?;
    println!(
        "{what}: {:?} of CPU, cost {:.6}, gap {:.1e}, missing {:.1e} kWh ({:.1e} at least)",
        cpu_time().saturating_sub(from) / runs,
        answer.cost,
        answer.gap(),
        answer.missing_kwh,
        answer.missing_bound_kwh
    );
    Some(answer)
}

/// Plans of all but the last car, and those of all from there.
fn replan(problem: &GroupProblem<'_>) {
    let Some((_, others)) = problem.members.split_last() else { return };
    let before = GroupProblem { members: others, ..*problem };
    let way = GroupWay::Decomposition;
    let Some(before) = report("one car less", &before, (way, &[], 1)) else { return };
    let plans: Vec<Option<&[f64]>> =
        before.power_kw.iter().map(|plan| Some(plan.as_slice())).chain([None]).collect();
    report("one car more", problem, (way, &plans, 5));
}

fn alone(problem: &GroupProblem<'_>) {
    let from = cpu_time();
    let mut solver = Solver::default();
    let mut cost = 0.0;
    for _ in 0..10 {
        for member in problem.members {
            let mut power_kw = vec![0.0; member.problem.slots()];
            let (options, method) = (Options::default(), Method::Exact);
            let answer = solver.solve(&member.problem, method, options, &mut power_kw);
            cost += answer.map_or(0.0, |answer| answer.objective);
        }
    }
    println!(
        "each alone: {:?} of CPU, cost {:.6}",
        cpu_time().saturating_sub(from) / 10,
        cost / 10.0
    );
}

fn main() {
    let numbers: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let says = |word: &str| env::args().any(|argument| argument == word);
    let cars = numbers.first().copied().unwrap_or(200);
    let slots = numbers.get(1).copied().unwrap_or(96);
    let costs = ["valley", "peak", "supply", "follow", "both"].into_iter().find(|word| says(word));
    let prices: Vec<f64> = match costs {
        None => (0..slots).map(|slot| 0.1 + 0.3 * noise(slot + 17)).collect(),
        Some("peak") => (0..slots).map(|slot| 0.2 + 0.1 * noise(slot / 4 + 17)).collect(),
        Some(_) => vec![0.0; slots],
    };
    let hours = if costs.is_some() { 10.0 } else { f64::INFINITY };
    let kind = [if says("v2g") { 11.0 } else { 0.0 }, hours];
    let mut members: Vec<GroupMember<'_>> =
        (0..cars).map(|index| car(&prices, index, kind)).collect();
    let needed: f64 = members
        .iter()
        .map(|car| (car.problem.target_kwh - car.problem.energy_kwh).max(0.0) / 0.95)
        .sum();
    let share = if says("missing") { 0.9 } else { 1.2 };
    let mut limit = share * needed / (slots as f64 * HOURS);
    if costs.is_some() || says("loose") {
        limit = f64::INFINITY;
    }
    // 28 kW a car, with a hump a day.
    let hump = |slot: usize| 1.0 - (2.0 * (slot % 96) as f64 / 96.0 - 1.0).abs();
    let base: Vec<f64> =
        (0..slots).map(|slot| (22.0 + 12.0 * hump(slot) + noise(slot)) * cars as f64).collect();
    let steps: Vec<SupplyStep> = (0..60)
        .map(|step| SupplyStep { kw: cars as f64, price: 0.002 * f64::from(step) })
        .collect();
    let curve = vec![steps; slots];
    let level = vec![31.0 * cars as f64; slots];
    let cost = costs.map(|word| match word {
        "peak" => NodeCost::Peak { price_per_kw: 0.5, baseline_kw: 0.0 },
        "supply" => NodeCost::Supply { steps: &curve, beyond: 0.2 },
        "follow" => NodeCost::Follow { series_kw: &level, price: 0.1 },
        _ => NodeCost::Quadratic {
            anchor_kw: PerSlot::Same(31.0 * cars as f64),
            slope: PerSlot::Same(0.01 / cars as f64),
        },
    });
    let root = GroupNode {
        import_kw_max: PerSlot::Same(limit),
        given_kw: if costs.is_some() { PerSlot::Each(&base) } else { PerSlot::Same(0.0) },
        costs: cost.as_slice(),
        ..GroupNode::open("connection", None)
    };
    let mut nodes = vec![root];
    if says("streets") || says("both") {
        nodes[0].import_kw_max = PerSlot::Same(f64::INFINITY);
        let most = 1.2 * needed / (slots as f64 * HOURS * STREETS as f64);
        let import_kw_max = PerSlot::Same(most);
        let street = GroupNode { import_kw_max, ..GroupNode::open("street", Some(0)) };
        nodes.extend([street; STREETS]);
        members.iter_mut().enumerate().for_each(|(index, car)| car.node = 1 + index % STREETS);
    }
    let problem = GroupProblem { slots, slot_hours: HOURS, members: &members, nodes: &nodes };
    alone(&problem);
    replan(&problem);
    let from = cpu_time();
    report("apart", &problem, (GroupWay::Decomposition, &[], 1));
    let middle = cpu_time();
    if !says("apart") {
        report("as one program", &problem, (GroupWay::Program, &[], 1));
        let (first, second) = (middle.saturating_sub(from), cpu_time().saturating_sub(middle));
        println!(
            "the program takes {:.1} times as long",
            second.as_secs_f64() / first.as_secs_f64()
        );
    }
}
