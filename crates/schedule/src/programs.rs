//! The storage problem (14) as a linear and as a mixed-integer program.
//!
//! ```text
//! min  Σ_t dt·(buy_t·c_t − (sell_t − C_b)·d_t) − v·E_T
//!      E_t − E_{t−1} − η_c·dt·c_t + dt/η_d·d_t = 0
//!      0 ≤ c_t ≤ P_c,t,  0 ≤ d_t ≤ P_d,t,  floor_t ≤ E_t ≤ ceiling_t
//!      c_t ≤ P_c,t·u_t,  d_t ≤ P_d,t·(1 − u_t)      only where the slot's cost is not convex
//! ```
//! The printed `u·P` of (14) is a product of two unknowns; here u multiplies the limit. Without
//! integrality u projects out to `c/P_c + d/P_d ≤ 1`, the hull of the slot: that is the linear
//! program, a lower bound which is exact where every slot is convex.
//!
//! The answer is read as the net energy of each slot. In a convex slot this costs no more than
//! charging and discharging at once, so the schedule is exclusive; elsewhere what it costs more
//! than the bound is the answer's gap.

use crate::{
    answer::{Outcome, StorageAnswer},
    check,
    linear::{Budget, Program, Solved},
    options::Options,
    problem::StorageProblem,
    reach::Reach,
};
use good_lp::{Expression, Variable, constraint, variable};

/// A storage problem as a program, and its variables by slot.
#[derive(Default)]
pub struct StorageProgram {
    /// The program.
    pub program: Program,
    charge: Vec<Variable>,
    discharge: Vec<Variable>,
}

impl StorageProgram {
    /// Writes down `problem`, which must be valid, with binaries where they are needed or with
    /// hulls in their place.
    pub fn new(problem: &StorageProblem<'_>, integer: bool) -> Self {
        let mut reach = Reach::default();
        reach.explore(problem);
        Self::within(problem, &reach, integer)
    }

    fn within(problem: &StorageProblem<'_>, reach: &Reach, integer: bool) -> Self {
        let mut this = Self::default();
        let mut before = Expression::from(problem.energy_kwh);
        for slot in 0..problem.slots() {
            let (charge, discharge) = this.add_powers(problem, slot);
            let energy =
                this.program.add(variable().min(reach.floor[slot]).max(reach.ceiling[slot]));
            let hours = problem.slot_hours;
            let gained = problem.charge_efficiency * hours;
            let lost = hours / problem.discharge_efficiency;
            this.program
                .require(constraint!(energy - before == gained * charge - lost * discharge));
            if problem.needs_binary(slot) {
                this.exclude(problem, slot, charge, discharge, integer);
            }
            before = Expression::from(energy);
        }
        this.program.pay(-problem.terminal_value * before);
        this
    }

    fn add_powers(&mut self, problem: &StorageProblem<'_>, slot: usize) -> (Variable, Variable) {
        let (most, least) = (problem.charge_kw_max.at(slot), problem.discharge_kw_max.at(slot));
        let charge = self.program.add(variable().min(0.0).max(most));
        let discharge = self.program.add(variable().min(0.0).max(least));
        self.charge.push(charge);
        self.discharge.push(discharge);
        let earned = problem.sell[slot] - problem.degradation;
        self.program.pay(problem.slot_hours * (problem.buy[slot] * charge - earned * discharge));
        (charge, discharge)
    }

    /// One direction at a time.
    fn exclude(
        &mut self,
        problem: &StorageProblem<'_>,
        slot: usize,
        charge: Variable,
        discharge: Variable,
        integer: bool,
    ) {
        let (up, down) = (problem.charge_kw_max.at(slot), problem.discharge_kw_max.at(slot));
        if integer {
            let charging = self.program.add(variable().binary());
            self.program.require(constraint!(charge <= up * charging));
            self.program.require(constraint!(discharge <= down * (1.0 - charging)));
        } else {
            // Neither limit is 0 where a binary is needed.
            self.program.require(constraint!(charge / up + discharge / down <= 1.0));
        }
    }

    /// The net power of each slot in a solution, within the problem's limits, kW.
    pub fn read(&self, problem: &StorageProblem<'_>, solved: &Solved, power_kw: &mut [f64]) {
        for (slot, power) in power_kw.iter_mut().enumerate() {
            // A solver's values may lie beyond their bounds by its tolerance.
            let charge = solved.values[&self.charge[slot]].max(0.0);
            let discharge = solved.values[&self.discharge[slot]].max(0.0);
            let net =
                problem.power_for(problem.energy_for(charge) + problem.energy_for(-discharge));
            *power = net.clamp(-problem.discharge_kw_max.at(slot), problem.charge_kw_max.at(slot));
        }
    }
}

/// Solves one valid problem through CBC; `integer` chooses the mixed-integer program.
pub(crate) fn solve(
    problem: &StorageProblem<'_>,
    integer: bool,
    options: Options,
    power_kw: &mut [f64],
) -> StorageAnswer {
    let mut reach = Reach::default();
    reach.explore(problem);
    power_kw.fill(0.0);
    if options.strict && !reach.unmet.is_empty() {
        return StorageAnswer::without_schedule(Outcome::Infeasible, reach.unmet);
    }
    let model = StorageProgram::within(problem, &reach, integer);
    let budget = Budget { nodes: Some(options.nodes), gap: options.gap, cpu_seconds: None };
    let solved = model.program.solve(budget);
    if !solved.outcome.has_solution() {
        return StorageAnswer::without_schedule(solved.outcome, reach.unmet);
    }
    model.read(problem, &solved, power_kw);
    if check::within(problem, &reach, power_kw, check::SOLVER_TOLERANCE).is_err() {
        power_kw.fill(0.0);
        return StorageAnswer::without_schedule(Outcome::NoSolution, reach.unmet);
    }
    let objective = problem.objective(power_kw);
    StorageAnswer {
        outcome: Outcome::from_bound(objective, solved.bound),
        objective,
        unmet: reach.unmet,
    }
}
