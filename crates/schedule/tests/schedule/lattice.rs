//! An oracle without C and without convexity: dynamic programming over whole energy quanta.
//!
//! Where start, target, bounds and energy limits of every slot are whole multiples of one quantum,
//! some cheapest schedule moves whole quanta too: for given directions the problem is a network
//! flow with whole bounds. So trying every quantum in every slot is exact, whatever the prices.

use crate::instances::{Instance, Random, agree, count};
use voltide_schedule::{Method, Options, Outcome, Solver, check};

const QUANTUM: f64 = 0.5;

/// A problem in quanta.
struct Lattice {
    instance: Instance,
    up: Vec<usize>,
    down: Vec<usize>,
    least: Vec<usize>,
    most: Vec<usize>,
    start: usize,
    target: usize,
}

fn lattice(random: &mut Random) -> Lattice {
    let slots = 3 + random.below(12);
    let full = 10 + random.below(30);
    let lowest = random.pick(&[0.1, -0.1, -0.6]);
    let levels: Vec<f64> = (0..4).map(|_| random.between(lowest, 0.6)).collect();
    let prices: Vec<f64> = (0..slots).map(|_| random.pick(&levels)).collect();
    let mut car = Instance::car(&prices, 0.0, 0.0);
    car.sell = prices.iter().map(|price| price - random.pick(&[0.0, 0.0, 0.1])).collect();
    car.degradation = random.pick(&[0.0, 0.05, 0.2]);
    car.terminal_value = random.pick(&[0.0, 0.2, -0.1]);
    car.charge_efficiency = random.pick(&[0.85, 0.95, 1.0]);
    let most_down = random.below(6);
    let mut quanta = |most: usize| (0..slots).map(|_| random.below(most + 1)).collect::<Vec<_>>();
    let (up, down) = (quanta(6), quanta(most_down));
    let least: Vec<usize> = quanta(3).iter().map(|&q| if q == 3 { 4 } else { 0 }).collect();
    let most: Vec<usize> = quanta(3).iter().map(|&q| full - if q == 3 { 3 } else { 0 }).collect();
    let (start, target) = (random.below(full), random.below(full));
    for slot in 0..slots {
        car.charge_kw[slot] = up[slot] as f64 * QUANTUM / (car.charge_efficiency * car.slot_hours);
        car.discharge_kw[slot] =
            down[slot] as f64 * QUANTUM * car.discharge_efficiency / car.slot_hours;
        car.least[slot] = least[slot] as f64 * QUANTUM;
        car.most[slot] = most[slot] as f64 * QUANTUM;
    }
    car.energy = start as f64 * QUANTUM;
    car.target = target as f64 * QUANTUM;
    Lattice { instance: car, up, down, least, most, start, target }
}

impl Lattice {
    /// The least cost over all schedules in whole quanta; infinite where there is none.
    fn least_cost(&self) -> f64 {
        let full = 64;
        let mut cost = vec![f64::INFINITY; full];
        cost[self.start] = 0.0;
        for slot in 0..self.up.len() {
            let mut next = vec![f64::INFINITY; full];
            for (from, &so_far) in cost.iter().enumerate().filter(|(_, cost)| cost.is_finite()) {
                let floor = self.least[slot].max(from.saturating_sub(self.down[slot]));
                let top = self.most[slot].min(from + self.up[slot]);
                for (to, least) in next.iter_mut().enumerate().take(top + 1).skip(floor) {
                    *least = least.min(so_far + self.price(slot, to as f64 - from as f64));
                }
            }
            cost = next;
        }
        let value = self.instance.terminal_value * QUANTUM;
        let end = cost.iter().enumerate().skip(self.target);
        end.map(|(to, cost)| cost - value * to as f64).fold(f64::INFINITY, f64::min)
    }

    fn price(&self, slot: usize, quanta: f64) -> f64 {
        let car = &self.instance;
        let energy = quanta * QUANTUM;
        if energy > 0.0 {
            car.buy[slot] / car.charge_efficiency * energy
        } else {
            (car.sell[slot] - car.degradation) * car.discharge_efficiency * energy
        }
    }
}

#[test]
fn exact_costs_what_trying_every_quantum_finds() {
    let (mut random, mut solvable, mut with_binaries) = (Random(5), 0, 0);
    while solvable < count(3000) {
        let lattice = lattice(&mut random);
        let least_cost = lattice.least_cost();
        let (answer, power) = lattice.instance.solve(Method::Exact);
        assert_eq!(answer.unmet.is_empty(), least_cost.is_finite(), "{:?}", lattice.instance);
        if answer.unmet.is_empty() {
            solvable += 1;
            with_binaries += usize::from(lattice.instance.problem().binaries() > 0);
            assert_eq!(answer.outcome, Outcome::Optimal);
            assert!(
                agree(answer.objective, least_cost, 1e-9),
                "{} {least_cost} {:?}",
                answer.objective,
                lattice.instance
            );
            check::schedule(&lattice.instance.problem(), &power, 1e-9).unwrap();
        }
    }
    assert!(with_binaries > solvable / 10, "only {with_binaries} of {solvable} need binaries");
}

/// Prices that are negative and nearly the same defeat branch and bound; the general value function takes over.
#[test]
fn nearly_flat_negative_prices_are_solved_too() {
    let (mut random, mut too_many_nodes) = (Random(11), 0);
    for _ in 0..count(150) {
        let mut lattice = lattice(&mut random);
        let slots = 30 + random.below(40);
        let slope = random.pick(&[0.0, 0.001, 0.01]);
        let car = &mut lattice.instance;
        (car.charge_efficiency, car.discharge_efficiency) = (0.9, 0.85);
        car.buy = (0..slots).map(|slot| -0.4 + slope * slot as f64).collect();
        car.sell.clone_from(&car.buy);
        (car.degradation, car.terminal_value) = (0.01, 0.0);
        car.charge_kw = vec![4.0 * QUANTUM / (0.9 * 0.25); slots];
        car.discharge_kw = vec![3.0 * QUANTUM * 0.85 / 0.25; slots];
        (car.least, car.most) = (vec![0.0; slots], vec![20.0; slots]);
        let start = 20 + random.below(21);
        (lattice.up, lattice.down) = (vec![4; slots], vec![3; slots]);
        (lattice.least, lattice.most) = (vec![0; slots], vec![40; slots]);
        (lattice.start, lattice.target) = (start, start);
        (car.energy, car.target) = (start as f64 * QUANTUM, start as f64 * QUANTUM);
        let mut power = vec![0.0; slots];
        let mut solver = Solver::default();
        let problem = lattice.instance.problem();
        let answer = solver.solve(&problem, Method::Exact, Options::default(), &mut power).unwrap();
        too_many_nodes += usize::from(solver.nodes() >= 60);
        assert_eq!(answer.outcome, Outcome::Optimal);
        assert!(
            agree(answer.objective, lattice.least_cost(), 1e-9),
            "{} {}",
            answer.objective,
            lattice.least_cost()
        );
        check::schedule(&problem, &power, 1e-9).unwrap();
    }
    assert!(too_many_nodes > 50, "branch and bound was enough in all but {too_many_nodes}");
}
