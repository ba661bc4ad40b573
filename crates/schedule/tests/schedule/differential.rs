//! The exact algorithm against CBC on random instances.
//!
//! `VOLTIDE_INSTANCES=1500 cargo test --release -p voltide-schedule differential -- --nocapture`
//! runs more of them.

use crate::instances::{Instance, Prices, Random, agree, count, random};
use voltide_schedule::{Method, Outcome, check};

fn instance(seed: u64) -> Instance {
    let mut draw = Random(seed.wrapping_mul(0x1234_5678_9abc_def1));
    let slots = 4 + draw.below(33);
    random(&mut draw, Prices::of(seed as usize), slots)
}

/// Both costs of an instance, after checking the exact schedule.
fn costs(seed: u64, referee: Method) -> (f64, f64) {
    let instance = instance(seed);
    let problem = instance.problem();
    let (exact, power) = instance.solve(Method::Exact);
    assert_eq!(exact.outcome, Outcome::Optimal, "seed {seed}");
    check::schedule(&problem, &power, 1e-9)
        .unwrap_or_else(|breach| panic!("seed {seed}: {breach}"));
    let (other, _) = instance.solve(referee);
    assert_eq!(other.outcome, Outcome::Optimal, "seed {seed}");
    assert_eq!(exact.unmet, other.unmet, "seed {seed}");
    (exact.objective, other.objective)
}

#[test]
fn exact_costs_what_the_mixed_integer_program_costs() {
    for seed in 0..count(600) as u64 {
        let (exact, milp) = costs(seed, Method::Milp);
        assert!(agree(exact, milp, 1e-6), "seed {seed}: exact {exact}, MILP {milp}");
    }
}

#[test]
fn exact_costs_what_the_linear_program_costs_where_slots_are_convex() {
    let convex = (10_000..).filter(|&seed| instance(seed).problem().binaries() == 0);
    for seed in convex.take(count(1000)) {
        let (exact, lp) = costs(seed, Method::Lp);
        assert!(agree(exact, lp, 1e-6), "seed {seed}: exact {exact}, LP {lp}");
    }
}

#[test]
fn the_linear_program_never_costs_more_than_its_own_gap_says() {
    for seed in 0..count(300) as u64 {
        let instance = instance(seed);
        let (exact, _) = instance.solve(Method::Exact);
        let (lp, _) = instance.solve(Method::Lp);
        let gap = if let Outcome::Feasible { gap } = lp.outcome { gap } else { 1e-6 };
        assert!(
            lp.objective - exact.objective <= gap * lp.objective.abs().max(1.0) + 1e-6,
            "seed {seed}"
        );
        assert!(lp.objective >= exact.objective - 1e-6, "seed {seed}");
    }
}

/// CBC's preprocessing answers this one with "proven optimal", the right objective, and 14 kW and
/// 21 kW where 7 kW is the most.
#[test]
fn a_proven_optimum_out_of_bounds_is_solved_again() {
    let (exact, milp) = costs(368, Method::Milp);
    assert!(agree(exact, milp, 1e-6));
}
