//! Thermal units: chords, ramps, the band around the day-ahead output, and commitment.
//!
//! ```text
//! P_t = P_min·u_t + Σ_k s_k,t,   0 ≤ s_k,t ≤ width·u_t                                         (37)
//! u_t - u_(t-1) = v_t - w_t,   Σ_(τ in the last up_min) v_τ ≤ u_t,   Σ_(last down_min) w_τ ≤ 1 - u_t
//! P_t - P_(t-1) ≤ R·dt·u_(t-1) + S·v_t,   P_(t-1) - P_t ≤ R·dt·u_t + S·w_t,   S = max(P_min, R·dt)
//! ```
//! A unit starts and stops at S or less: it may reach its least output in one slot, whatever its
//! ramp. u is whole only where the schedule decides; elsewhere it is a number. v and w are then
//! whole by themselves: minimum times are at least one slot, so that `v ≤ u_t` and `w ≤ 1 - u_t`.

use crate::{
    grid::{
        Course, DispatchProblem, GridError, NextSlot, UnitTask, Unmet, UnmetWish,
        error::{Holds, column, length, not_negative},
        plan::UnitPlan,
        unit::{Kind, Room, UnitColumns, Way, note_missed, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable, VariableDefinition, constraint, variable};
use voltide_model::{
    cost::{Chord, chords, chords_per_hour},
    device::{Commitment, Device, ThermalUnit},
    unit::{UnitSlot, UnitState},
};

/// For how long load has to be unserved at least before output leaves the day's path for it, h:
/// neither fuel prices nor a band around the day-ahead output are worth that.
const UNSERVED_H: f64 = 1.0;

/// The same as a share of a longer window. Load that swings is unserved and not taken in turn: what
/// one of them gains by another output, the other loses. It is followed where it is three quarters
/// of the window on one side of what units can do, as under a forecast that errs for long.
const UNSERVED_SHARE: f64 = 0.5;

/// A unit of which a solution without integers has more on is turned on.
const PART_ON: f64 = 1e-6;

/// A thermal unit in the program.
struct Columns<'p> {
    unit: &'p ThermalUnit,
    course: &'p Course,
    /// Whether it is on before the first slot.
    was_on: bool,
    /// Its output before the first slot, where it is on and that is known, kW.
    power_kw: Option<f64>,
    hours: f64,
    /// The curve between its limits.
    chords: Vec<Chord>,
    thermal: Thermal,
}

impl Kind for ThermalUnit {
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError> {
        Device::check(self)?;
        let before = format!("output of `{}` before the first slot", self.name);
        not_negative(&before, 0, task.state.power_kw.unwrap_or(0.0))?;
        if let Some(on) = &task.course.on {
            length(&format!("commitment of `{}`", self.name), on.len(), slots)?;
        }
        match &task.course.reference_kw {
            // Beyond the day there is none.
            Some(output) => {
                let planned = output.len().min(slots);
                column("day-ahead output", &self.name, output, planned, Holds::Amount)
            }
            None => Ok(()),
        }
    }

    /// Adds it from where it stands, on its course.
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        UnitTask { state, course, .. }: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let hours = problem.slot_hours;
        let step = self.ramp.0 * hours;
        let thermal = match (&course.on, self.commitment) {
            (None, Some(how)) => {
                let every = course.switch_every.map_or(1, |slots| slots.get() as usize);
                free(program, unmet, problem, self, state, (how, every))
            }
            (None, None) => {
                let on = vec![true; problem.slots()];
                fixed(program, unmet, self, state, &on, step)
            }
            (Some(on), _) => fixed(program, unmet, self, state, on, step),
        };
        let chords = chords(self.cost, self.power_min.0, self.power_max.0, problem.segments);
        thermal.pay(program, hours, self, &chords);
        thermal.stay_close(program, problem, self, course);
        thermal.lead_on(program, problem, self, course);
        let was_on = state.on;
        let power_kw = state.power_kw.filter(|_| was_on);
        Box::new(Columns { unit: self, course, was_on, power_kw, hours, chords, thermal })
    }

    /// Commitment is decided the day before.
    fn ask_intra_day(&self, task: &mut UnitTask, plan: UnitPlan<'_>) {
        task.course = plan.course();
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.thermal.output[slot].into()
    }

    fn read(&self, solved: &Solved, slot: usize, before: Option<&UnitSlot>) -> UnitSlot {
        let on = self.thermal.on.in_solution(solved, slot);
        let output = value(solved, self.thermal.output[slot]);
        let within = output.clamp(self.unit.power_min.0, self.unit.power_max.0);
        let was_on = before.map_or(self.was_on, |before| before.on);
        let given_kw = if on { within } else { 0.0 };
        UnitSlot { given_kw, on, started: on && !was_on, ..UnitSlot::idle(self.unit.kind()) }
    }

    fn room(&self, did: &UnitSlot) -> Option<Room> {
        let (least_kw, most_kw) = (self.unit.power_min.0, self.unit.power_max.0);
        did.on.then_some(Room { turn: 0, least_kw, most_kw })
    }

    /// (21), (22).
    fn supply(&self, program: &mut Program, slot: usize, way: Way) -> Expression {
        if self.thermal.on.is_off(slot) {
            return Expression::default();
        }
        let output = self.thermal.output[slot];
        let on = self.thermal.on.at(slot);
        let ramp = self.unit.ramp.0 * self.hours;
        let room = match way {
            Way::Up => self.unit.power_max.0 * on.clone() - output,
            Way::Down => output - self.unit.power_min.0 * on.clone(),
        };
        let supply = program.add(variable().min(0.0).max(ramp));
        program.require(constraint!(supply <= room));
        if self.thermal.on.is_free() {
            // Of half a unit half a ramp: whole solutions keep this by the other two bounds, and
            // the search has a tighter one.
            program.require(constraint!(supply <= ramp * on));
        }
        supply.into()
    }

    fn rounded(&self, relaxed: &Solved) -> Vec<(Variable, f64)> {
        let (On::Free { on, .. }, Some(how)) = (&self.thermal.on, self.unit.commitment) else {
            return Vec::new();
        };
        let mut is_on: Vec<bool> = on.iter().map(|on| relaxed.values[on] > PART_ON).collect();
        let least = [how.up_min, how.down_min].map(|least| slots_in(least.0, self.hours));
        stay_on(&mut is_on, self.was_on, least);
        on.iter().zip(is_on).map(|(&on, is_on)| (on, f64::from(u8::from(is_on)))).collect()
    }

    /// On as it is known to be, or as it stands; its output follows what was planned.
    fn in_force(&self) -> Vec<(Variable, f64)> {
        let unit = self.unit;
        let step = unit.ramp.0 * self.hours;
        let planned = self.course.reference_kw.as_deref().unwrap_or_default();
        let highest_kw = self.thermal.highest_kw(step);
        let mut output_kw = self.power_kw;
        let mut values = Vec::new();
        for (slot, &output) in self.thermal.output.iter().enumerate() {
            let wanted = planned.get(slot).copied().or(output_kw).unwrap_or(unit.power_min.0);
            let most = highest_kw[slot].max(unit.power_min.0);
            let within = wanted.clamp(unit.power_min.0, most);
            let reached =
                output_kw.map_or(within, |before| within.clamp(before - step, before + step));
            let is_on = self.thermal.on.in_force(slot, self.was_on);
            output_kw = is_on.then(|| reached.clamp(unit.power_min.0, unit.power_max.0));
            values.push((output, output_kw.unwrap_or_default()));
        }
        if let On::Free { on, .. } = &self.thermal.on {
            values.extend(on.iter().map(|&on| (on, f64::from(u8::from(self.was_on)))));
        }
        values
    }

    fn switches(&self) -> Option<(&[Variable], &[Variable])> {
        match &self.thermal.on {
            On::Fixed(_) => None,
            On::Free { on, starts, .. } => Some((on, starts)),
        }
    }

    fn on_chords_per_hour(&self, did: &UnitSlot) -> Option<f64> {
        if !did.on {
            return Some(0.0);
        }
        let least_kw = self.unit.power_min.0;
        Some(chords_per_hour(self.unit.cost, least_kw, &self.chords, did.given_kw))
    }

    fn deviation_kw(&self, did: &UnitSlot, slot: usize) -> f64 {
        match (&self.course.reference_kw, self.unit.deviation_max) {
            (Some(reference), Some(band)) if did.on && slot < reference.len() => {
                ((did.given_kw - reference[slot]).abs() - band.0).max(0.0)
            }
            _ => 0.0,
        }
    }

    fn astray_kwh(&self, last: &UnitSlot) -> f64 {
        if !last.on {
            return 0.0;
        }
        let (least_kw, most_kw) = leading_on(self.unit, self.course, self.hours);
        let beyond_kw = (least_kw - last.given_kw).max(last.given_kw - most_kw).max(0.0);
        unserved_hours(self.thermal.output.len(), self.hours) * beyond_kw
    }
}

/// How long load has to be unserved in a window before its end leaves the day's path, h.
fn unserved_hours(slots: usize, slot_hours: f64) -> f64 {
    (UNSERVED_SHARE * slots as f64 * slot_hours).max(UNSERVED_H)
}

/// The outputs in the last slot from which its ramp leads to what is to come, kW: all of them where
/// that is not known, or where it is off then and may stop from any.
fn leading_on(unit: &ThermalUnit, course: &Course, hours: f64) -> (f64, f64) {
    let (least, most) = (unit.power_min.0, unit.power_max.0);
    let step = unit.ramp.0 * hours;
    match course.next {
        None => (least, most),
        Some(NextSlot { on: true, output_kw }) => {
            ((output_kw - step).clamp(least, most), (output_kw + step).clamp(least, most))
        }
        Some(NextSlot { on: false, .. }) => (least, step.max(least).min(most)),
    }
}

/// Variables of a thermal unit, by slot.
struct Thermal {
    output: Vec<Variable>,
    /// Most that it may give by its starts and stops, kW.
    most_kw: Vec<f64>,
    on: On,
}

/// Whether a thermal unit is on, by slot.
enum On {
    /// As given.
    Fixed(Vec<bool>),
    /// As the schedule decides.
    Free {
        /// u: 1 while on.
        on: Vec<Variable>,
        /// v: 1 in a slot where it starts.
        starts: Vec<Variable>,
        /// w: 1 in a slot where it is off again.
        stops: Vec<Variable>,
    },
}

impl On {
    /// u of one slot.
    fn at(&self, slot: usize) -> Expression {
        match self {
            Self::Fixed(on) => Expression::from(f64::from(u8::from(on[slot]))),
            Self::Free { on, .. } => on[slot].into(),
        }
    }

    /// Whether the schedule decides.
    fn is_free(&self) -> bool {
        matches!(self, Self::Free { .. })
    }

    /// Whether it is on in a slot of a solution.
    fn in_solution(&self, solved: &Solved, slot: usize) -> bool {
        match self {
            Self::Fixed(on) => on[slot],
            // Whole but for the solver's tolerance.
            Self::Free { on, .. } => solved.values[&on[slot]] > 0.5,
        }
    }

    /// Whether it is on in a slot where nothing is decided anew; before the first it `was_on` or not.
    fn in_force(&self, slot: usize, was_on: bool) -> bool {
        match self {
            Self::Fixed(on) => on[slot],
            Self::Free { .. } => was_on,
        }
    }

    /// Whether the unit is off for certain.
    fn is_off(&self, slot: usize) -> bool {
        matches!(self, Self::Fixed(on) if !on[slot])
    }
}

impl Thermal {
    /// Most that it may give so that it comes down in time for each stop, kW.
    fn highest_kw(&self, step: f64) -> Vec<f64> {
        let mut highest = self.most_kw.clone();
        for slot in (1..highest.len()).rev() {
            // In a slot in which it is off nothing asks it to come down: its stop has been said.
            if !self.on.is_off(slot) {
                highest[slot - 1] = highest[slot - 1].min(highest[slot] + step);
            }
        }
        highest
    }

    /// (37) on chords.
    fn pay(&self, program: &mut Program, hours: f64, unit: &ThermalUnit, chords: &[Chord]) {
        let least = unit.power_min.0;
        for (slot, &output) in self.output.iter().enumerate() {
            if self.on.is_off(slot) {
                continue;
            }
            let on = self.on.at(slot);
            let mut above = Expression::default();
            for chord in chords {
                let used = program.add(variable().min(0.0).max(chord.width_kw));
                program.pay(chord.slope_per_kwh * hours * used);
                above += used;
                if self.on.is_free() {
                    // Row by row: the sum alone would let a half-started unit fill its cheapest
                    // chords.
                    program.require(constraint!(used <= chord.width_kw * on.clone()));
                }
            }
            program.pay(on.clone() * (unit.cost.per_hour(least) * hours));
            program.require(constraint!(output == above + least * on));
        }
    }

    /// Pays for output outside the band around the reference.
    fn stay_close(
        &self,
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &ThermalUnit,
        course: &Course,
    ) {
        let (Some(reference), Some(band)) = (&course.reference_kw, unit.deviation_max) else {
            return;
        };
        for (slot, (&output, &reference)) in self.output.iter().zip(reference).enumerate() {
            let (least, most) = (reference - band.0, reference + band.0);
            // A band as wide as the range is never left.
            let inside = least <= unit.power_min.0 && most >= unit.power_max.0;
            if inside || self.on.is_off(slot) {
                continue;
            }
            let excess = program.add(variable().min(0.0));
            program.pay(problem.prices.deviation * problem.slot_hours * excess);
            program.require(constraint!(output - excess <= most));
            program.require(constraint!(output + excess >= least * self.on.at(slot)));
        }
    }
}

impl Thermal {
    /// Pays for a last output from which no ramp leads to what is to come.
    fn lead_on(
        &self,
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &ThermalUnit,
        course: &Course,
    ) {
        let Some(&output) = self.output.last() else { return };
        if self.on.is_off(self.output.len() - 1) {
            return;
        }
        let (least, most) = leading_on(unit, course, problem.slot_hours);
        if least <= unit.power_min.0 && most >= unit.power_max.0 {
            return;
        }
        let astray = program.add(variable().min(0.0));
        let hours = unserved_hours(self.output.len(), problem.slot_hours);
        program.pay(problem.prices.unserved * hours * astray);
        program.require(constraint!(output - astray <= most));
        program.require(constraint!(output + astray >= least));
    }
}

/// A unit whose commitment is given. Ramps that it cannot follow are relaxed and noted.
fn fixed(
    program: &mut Program,
    unmet: &mut Vec<Unmet>,
    unit: &ThermalUnit,
    state: &UnitState,
    on: &[bool],
    step: f64,
) -> Thermal {
    let bounds = fixed_bounds(unmet, unit, state, on, step);
    let output: Vec<Variable> =
        bounds.iter().map(|&(least, most)| program.add(variable().min(least).max(most))).collect();
    let before = std::iter::once(state.on).chain(on.iter().copied());
    let starts = on.iter().zip(before).filter(|&(&on, before)| on && !before).count();
    // They are given, and count all the same: the objective is held against what is billed.
    program.pay(unit.commitment.map_or(0.0, |how| how.start_cost) * starts as f64);
    // Ramps over the whole range bind nowhere.
    let spans_range = step >= unit.power_max.0 - unit.power_min.0;
    for slot in 1..on.len() {
        if on[slot] && on[slot - 1] && !spans_range {
            let now = output[slot];
            let before = output[slot - 1];
            program.require(constraint!(now - before <= step));
            program.require(constraint!(before - now <= step));
        }
    }
    let most_kw = bounds.iter().map(|&(_, most)| most).collect();
    Thermal { output, most_kw, on: On::Fixed(on.to_vec()) }
}

/// What the output of each slot may be, as far as starts, stops and the output before allow.
fn fixed_bounds(
    unmet: &mut Vec<Unmet>,
    unit: &ThermalUnit,
    state: &UnitState,
    on: &[bool],
    step: f64,
) -> Vec<(f64, f64)> {
    let (least, most) = (unit.power_min.0, unit.power_max.0);
    let stop = step.max(least).min(most);
    let mut note = |wish, by| note_missed(unmet, &unit.name, wish, by);
    let mut bounds: Vec<(f64, f64)> = Vec::with_capacity(on.len());
    // The lowest output that ramps allow to have been reached; `None` while off or unknown.
    let mut lowest = state.power_kw.filter(|_| state.on);
    // Where no output is known, the first one is free, as if it had been on.
    let mut was_on = state.on || state.power_kw.is_none();
    for (slot, &is_on) in on.iter().enumerate() {
        if is_on {
            let start = if slot == 0 { state.power_kw.filter(|_| state.on) } else { None };
            // A start reaches no further than a stop, `S`.
            let (mut low, mut high) = (least, if was_on { most } else { stop });
            if let Some(power) = start {
                note(
                    UnmetWish::RampIntoLimits,
                    (least - power - step).max(power - step - most).max(0.0),
                );
                (low, high) =
                    ((power - step).clamp(least, most), (power + step).clamp(least, most));
            }
            lowest = Some(lowest.map_or(low, |before| (before - step).clamp(low, most)));
            bounds.push((low, high));
        } else {
            if let (Some(before), Some(last)) = (lowest, bounds.last_mut()) {
                note(UnmetWish::RampToStop, (before - stop).max(0.0));
                // As low as a stop must be, or where ramps do not get there, as low as they do.
                last.1 = last.1.min(stop.max(before));
            } else if let Some(before) = lowest {
                // Off from the first slot on: what was before is past, and can only be noted.
                note(UnmetWish::RampToStop, (before - stop).max(0.0));
            }
            lowest = None;
            bounds.push((0.0, 0.0));
        }
        was_on = is_on;
    }
    bounds
}

/// A unit whose commitment the schedule decides, as `how` asks, `every` so many slots.
fn free(
    program: &mut Program,
    unmet: &mut Vec<Unmet>,
    problem: &DispatchProblem<'_>,
    unit: &ThermalUnit,
    state: &UnitState,
    (how, every): (Commitment, usize),
) -> Thermal {
    let slots = problem.slots();
    let hours = problem.slot_hours;
    let mut columns = |count: usize, one: fn() -> VariableDefinition| {
        (0..count).map(|_| program.add(one())).collect::<Vec<Variable>>()
    };
    let share = || variable().min(0.0).max(1.0);
    let switches = columns(slots.div_ceil(every), || variable().binary());
    let on: Vec<Variable> = (0..slots).map(|slot| switches[slot / every]).collect();
    let starts = columns(slots, share);
    let stops = columns(slots, share);
    let most = unit.power_max.0;
    let output: Vec<Variable> =
        (0..slots).map(|_| program.add(variable().min(0.0).max(most))).collect();
    let was_on = f64::from(u8::from(state.on));
    for slot in 0..slots {
        let before = if slot == 0 { Expression::from(was_on) } else { on[slot - 1].into() };
        program.pay(how.start_cost * starts[slot]);
        program.require(constraint!(on[slot] - before == starts[slot] - stops[slot]));
        let up = since(&starts, slot, slots_in(how.up_min.0, hours));
        program.require(constraint!(up <= on[slot]));
        let down = since(&stops, slot, slots_in(how.down_min.0, hours));
        program.require(constraint!(down + on[slot] <= 1.0));
    }
    hold_initial(program, &on, state, how, hours);
    let most_kw = vec![most; slots];
    let thermal = Thermal { output, most_kw, on: On::Free { on, starts, stops } };
    thermal.ramp(program, unmet, unit, state, hours);
    thermal
}

/// The number of slots that cover so many hours, at least 1.
fn slots_in(hours: f64, slot_hours: f64) -> usize {
    // A whole number of slots may come out a little above itself, and must not become one more.
    ((hours / slot_hours - 1e-9).ceil() as usize).max(1)
}

/// Has a unit stay on for its minimum times, up and down in slots: after each start, and where it
/// would be off for too short a time. What held before the first slot must be kept already.
fn stay_on(is_on: &mut [bool], was_on: bool, [up, down]: [usize; 2]) {
    let mut started = None;
    for slot in 0..is_on.len() {
        let before = if slot == 0 { was_on } else { is_on[slot - 1] };
        if is_on[slot] && !before {
            started = Some(slot);
        }
        is_on[slot] |= started.is_some_and(|start| slot < start + up);
    }
    let mut last_on = was_on.then_some(0);
    for slot in 0..is_on.len() {
        if !is_on[slot] {
            continue;
        }
        // `last_on` counts the slots up to the end of the last one in which it was on.
        if let Some(end) = last_on.filter(|end| slot - end < down) {
            is_on[end..slot].fill(true);
        }
        last_on = Some(slot + 1);
    }
}

/// The sum over the last `count` slots up to `slot`.
fn since(variables: &[Variable], slot: usize, count: usize) -> Expression {
    variables[(slot + 1).saturating_sub(count)..=slot].iter().sum()
}

/// Minimum times that began before the first slot.
fn hold_initial(
    program: &mut Program,
    on: &[Variable],
    state: &UnitState,
    how: Commitment,
    hours: f64,
) {
    let least = if state.on { how.up_min.0 } else { how.down_min.0 };
    let left = least - state.hours;
    if left <= 0.0 {
        return;
    }
    let held = f64::from(u8::from(state.on));
    for &on in on.iter().take(slots_in(left, hours)) {
        program.require(constraint!(on == held));
    }
}

impl Thermal {
    /// Ramps of a unit that may start and stop.
    fn ramp(
        &self,
        program: &mut Program,
        unmet: &mut Vec<Unmet>,
        unit: &ThermalUnit,
        state: &UnitState,
        hours: f64,
    ) {
        let On::Free { on, starts, stops } = &self.on else { return };
        let step = unit.ramp.0 * hours;
        let edge = step.max(unit.power_min.0);
        // Also where no ramp binds below: it notes an output that lies outside.
        let initial = state.power_kw.map(|power| initial_power(unmet, unit, state, power));
        // Starting, stopping and anything between are then a ramp that it can follow.
        if step >= unit.power_max.0 {
            return;
        }
        for slot in 0..on.len() {
            let (now, before, was_on) = if let Some(last) = slot.checked_sub(1) {
                (self.output[slot], Expression::from(self.output[last]), Expression::from(on[last]))
            } else if let Some(power) = initial {
                let was_on = f64::from(u8::from(state.on));
                (self.output[slot], power.into(), was_on.into())
            } else {
                continue;
            };
            let rise = now - before.clone();
            let fall = before - now;
            program.require(constraint!(rise <= step * was_on + edge * starts[slot]));
            program.require(constraint!(fall <= step * on[slot] + edge * stops[slot]));
        }
    }
}

/// The output before the first slot, moved into the unit's limits where it was outside.
fn initial_power(unmet: &mut Vec<Unmet>, unit: &ThermalUnit, state: &UnitState, power: f64) -> f64 {
    if !state.on {
        return 0.0;
    }
    let inside = power.clamp(unit.power_min.0, unit.power_max.0);
    note_missed(unmet, &unit.name, UnmetWish::RampIntoLimits, (power - inside).abs());
    inside
}
