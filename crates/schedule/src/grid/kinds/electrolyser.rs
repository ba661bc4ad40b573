//! Electrolysers: what they draw, what is bought, and what their tank holds between.
//!
//! ```text
//! H_t = H_(t-1) + η·draw·dt - (demand - bought)·dt,   0 ≤ H_t ≤ tank,   0 ≤ bought ≤ demand
//! P_min·u_t ≤ draw ≤ P_max·u_t,   u_t whole where P_min is above 0
//! ```
//! A tank that holds more than it has room for, as after a fork that makes it smaller, is emptied
//! by the demand and filled no more until it has room.

use crate::{
    grid::{
        DispatchProblem, EnergyEnd, GridError, UnitTask, Unmet,
        error::{Holds, series},
        held::{astray_kwh, check_held, hold_after, missing_kwh, note_outside, wishes},
        plan::UnitPlan,
        unit::{Kind, UnitColumns, Way, power, powers, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable, constraint, variable};
use voltide_model::{
    device::{Device, Electrolyser},
    flexibility::Readings,
    two_stage::TwoStage,
    unit::{UnitSlot, tidied},
};

/// Powers, hydrogen and what the tank holds by slot.
struct Columns<'p> {
    unit: &'p Electrolyser,
    task: &'p UnitTask,
    hours: f64,
    draw: Vec<Variable>,
    /// u, where the unit has a least power.
    on: Option<Vec<Variable>>,
    bought: Vec<Variable>,
    held: Vec<Variable>,
    /// Most that the tank may hold after each slot, kWh.
    most_kwh: Vec<f64>,
}

impl Kind for Electrolyser {
    /// What the tank holds comes from elsewhere, and may be more than it has room for.
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError> {
        self.check_shape()?;
        series(&self.name, &task.series, slots, &[("demand", Holds::Amount)])?;
        let held = format!("hydrogen in the tank of `{}`", self.name);
        check_held(task, &held, &held)
    }

    fn columns<'p>(
        &'p self,
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let hours = problem.slot_hours;
        note_outside(unmet, &self.name, task.state.energy_kwh, (0.0, self.tank.0));
        // Without a price: what it draws is paid where it is generated.
        let draw = powers(program, problem, self.power_max.0, 0.0);
        let on = (self.power_min.0 > 0.0).then(|| switch(self, program, &draw));
        let demand = task.series[0].iter();
        let bought = demand.map(|&most| power(program, hours, most, self.backup_price)).collect();
        let most_kwh = most_held(self, task, hours);
        let holds = |&most: &f64| program.add(variable().min(0.0).max(most));
        let held = most_kwh.iter().map(holds).collect();
        let this = Columns { unit: self, task, hours, draw, on, bought, held, most_kwh };
        this.balance(program);
        for (slot, end) in wishes(task, this.held.len()) {
            let held = (this.held[slot].into(), this.most_kwh[slot]);
            hold_after(program, unmet, &self.name, held, softened(end), &problem.prices);
        }
        Box::new(this)
    }

    /// Where rounding left the tank below nothing.
    fn may_supply_less_than_nothing(&self, task: &UnitTask, _readings: Readings) -> bool {
        task.state.energy_kwh < 0.0
    }

    fn ask_day_ahead(&self, task: &mut UnitTask, _rules: &TwoStage, day_ends: &[usize]) {
        task.end = EnergyEnd::Softened(self.day_end_energy.0);
        if self.holds_each_day {
            task.midway = day_ends.iter().map(|&slot| (slot, task.end)).collect();
        }
    }

    fn ask_intra_day(&self, task: &mut UnitTask, plan: UnitPlan<'_>) {
        plan.ask_to_hold(task, (0.0, self.tank.0));
    }
}

/// What the tank holds at first, as the program counts it, kWh.
fn start_kwh(task: &UnitTask) -> f64 {
    // If what is missing at first could be missing later on, hydrogen that nobody made would be
    // borrowed in between, at no price.
    task.state.energy_kwh.max(0.0)
}

/// Most that the tank may hold after each slot, kWh: what it has room for, or what is left of more
/// than that when the demand was taken from it and nothing was made.
fn most_held(unit: &Electrolyser, task: &UnitTask, hours: f64) -> Vec<f64> {
    let mut left_kwh = task.state.energy_kwh;
    let after = |demand_kw: &f64| {
        left_kwh -= demand_kw * hours;
        left_kwh.max(unit.tank.0)
    };
    task.series[0].iter().map(after).collect()
}

/// What it must hold at the end has a price in any case: a unit with a least power cannot always
/// hit it.
fn softened(end: EnergyEnd) -> EnergyEnd {
    match end {
        EnergyEnd::Idle | EnergyEnd::Free => EnergyEnd::Free,
        EnergyEnd::AtLeast(wish) | EnergyEnd::Softened(wish) => EnergyEnd::Softened(wish),
        EnergyEnd::OnPath { .. } => end,
    }
}

/// Has it draw nothing, or its least power and more: a variable a slot that is 1 while it runs.
fn switch(unit: &Electrolyser, program: &mut Program, draw: &[Variable]) -> Vec<Variable> {
    let switch = |&draw: &Variable| {
        let on = program.add(variable().binary());
        program.require(constraint!(draw >= unit.power_min.0 * on));
        program.require(constraint!(draw <= unit.power_max.0 * on));
        on
    };
    draw.iter().map(switch).collect()
}

impl Columns<'_> {
    fn balance(&self, program: &mut Program) {
        let gained = self.unit.efficiency.get() * self.hours;
        let mut before = Expression::from(start_kwh(self.task));
        for (slot, &demand) in self.task.series[0].iter().enumerate() {
            let taken = (demand - self.bought[slot]) * self.hours;
            let held = self.held[slot];
            program.require(constraint!(held - before == gained * self.draw[slot] - taken));
            before = held.into();
        }
    }

    /// What it draws in a solution, within its limits, kW.
    fn draw_kw(&self, solved: &Solved, slot: usize) -> f64 {
        let draw = value(solved, self.draw[slot]).min(self.unit.power_max.0);
        match &self.on {
            None => tidied(draw),
            // Whole but for the solver's tolerance.
            Some(on) if solved.values[&on[slot]] > 0.5 => draw.max(self.unit.power_min.0),
            Some(_) => 0.0,
        }
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        -1.0 * self.draw[slot]
    }

    /// What rounding would leave of the tank below nothing is bought.
    fn read(&self, solved: &Solved, slot: usize, before: Option<&UnitSlot>) -> UnitSlot {
        let before_kwh = before.map_or(self.task.state.energy_kwh, |before| before.energy_kwh);
        let draw_kw = self.draw_kw(solved, slot);
        let demand_kw = self.task.series[0][slot];
        let bought = value(solved, self.bought[slot]).min(demand_kw);
        let after = |bought_kw| {
            self.unit.energy_after(before_kwh, draw_kw, demand_kw - bought_kw, self.hours)
        };
        let lacking_kw = (before_kwh.min(0.0) - after(bought)).max(0.0) / self.hours;
        let bought_kw = tidied((bought + lacking_kw).min(demand_kw));
        UnitSlot {
            charge_kw: draw_kw,
            available_kw: bought_kw,
            energy_kwh: after(bought_kw),
            on: draw_kw > 0.0,
            ..UnitSlot::idle(self.unit.kind())
        }
    }

    /// As [`Device::flexibility`] has it.
    fn supply(&self, program: &mut Program, slot: usize, way: Way) -> Expression {
        if way == Way::Down && self.most_kwh[slot] > self.unit.tank.0 {
            return Expression::from(0.0);
        }
        let made_per_kw = self.unit.efficiency.get() * self.hours;
        let draw = Expression::from(self.draw[slot]);
        let held = self.held[slot];
        let (by_power, by_tank) = match way {
            Way::Up => (draw, held / made_per_kw),
            Way::Down => (self.unit.power_max.0 - draw, (self.unit.tank.0 - held) / made_per_kw),
        };
        let supply = program.add(variable());
        program.require(constraint!(supply <= by_power));
        program.require(constraint!(supply <= by_tank));
        supply.into()
    }

    /// It runs where it draws its least power already: elsewhere hydrogen can be bought.
    fn rounded(&self, relaxed: &Solved) -> Vec<(Variable, f64)> {
        let runs = |slot: usize| value(relaxed, self.draw[slot]) >= self.unit.power_min.0;
        let on = self.on.iter().flatten().enumerate();
        on.map(|(slot, &on)| (on, f64::from(u8::from(runs(slot))))).collect()
    }

    fn astray_kwh(&self, last: &UnitSlot) -> f64 {
        astray_kwh(self.task.end, last.energy_kwh)
    }

    fn missing_kwh(&self, held_kwh: &dyn Fn(usize) -> f64) -> f64 {
        let wishes = wishes(self.task, self.held.len());
        wishes.map(|(slot, end)| missing_kwh(softened(end), held_kwh(slot))).sum()
    }
}
