//! The day's path: what its units can do slot by slot with the commitment that was decided, to which
//! intra-day windows lead back.
//!
//! A window ends before the day does, and what it leaves a unit with must allow what comes after:
//! stops, ramps and full stores of which the window sees nothing. Where all units can do in the
//! next slot what they do on a path that serves the load, there is a way on. The day-ahead stage
//! itself is no such path: it has a mean for each of its steps, which hides what the first slots
//! of a step ask of ramps.

use super::{Course, Day, Dispatch, DispatchProblem, Fallback, GridError, Stages};
use std::num::NonZeroU32;
use voltide_model::dispatch::GridState;

/// What the path may lack more than the steps do before the commitment is searched for again, as a
/// share of the load.
const LACKING: f64 = 1e-6;

/// How many nodes of the limit make one of a search with all slots in view: its programs are larger
/// than those of the steps, and it begins with their commitment.
const FEWER_NODES: u32 = 4;

/// What was asked of a stage, and what it answers.
#[derive(Debug, Clone)]
pub struct Answered<'a> {
    /// What was asked.
    pub problem: DispatchProblem<'a>,
    /// The answer.
    pub found: Dispatch,
}

/// What is planned of a day before it begins.
#[derive(Debug, Clone)]
pub struct DayPlanned<'a> {
    /// By the day-ahead stage, in its steps.
    pub steps: Answered<'a>,
    /// The path, in slots; `None` where nothing is seen beyond the day.
    pub path: Option<Answered<'a>>,
}

impl<'a> Stages<'a> {
    /// Plans a day: its steps, (36), and the path with their commitment. `ev_kw` and `state` are as
    /// [`day_ahead`](Self::day_ahead) has them.
    ///
    /// Where units cannot serve the load slot by slot as the steps have them do, commitment is
    /// searched for again with all slots in view, to be switched between steps as before.
    ///
    /// # Errors
    /// Where a problem makes no sense.
    pub fn plan_day(
        &self,
        day: Day,
        ev_kw: impl Fn(u32) -> f64,
        state: &GridState,
    ) -> Result<DayPlanned<'a>, GridError> {
        let steps = asked(self.day_ahead(day, &ev_kw, state))?;
        let Some(slots) = self.day_in_slots(day, &ev_kw, state) else {
            return Ok(DayPlanned { steps, path: None });
        };
        let step = self.day_ahead_step();
        let path = follow(&slots, &steps, (step, day))?;
        let may_lack = LACKING * slots.exogenous.load_kw.iter().sum::<f64>() * slots.slot_hours;
        let serves = path.lacks_kwh() <= steps.lacks_kwh() + may_lack;
        if !serves
            && steps.found.fallback.is_none()
            && let Some(steps) = in_view_of_slots(&slots, &steps, step)?
        {
            let again = follow(&slots, &steps, (step, day))?;
            if again.lacks_kwh() + may_lack < path.lacks_kwh() {
                return Ok(DayPlanned { steps, path: Some(again) });
            }
        }
        Ok(DayPlanned { steps, path: Some(path) })
    }
}

impl Answered<'_> {
    /// Load not served and power not taken, kWh.
    fn lacks_kwh(&self) -> f64 {
        let slots = self.found.slots.iter();
        slots.map(|slot| slot.unserved_kw + slot.spilled_kw).sum::<f64>() * self.problem.slot_hours
    }
}

fn asked(problem: DispatchProblem<'_>) -> Result<Answered<'_>, GridError> {
    let found = problem.schedule()?;
    Ok(Answered { problem, found })
}

/// The path with the commitment of `steps` of so many slots. Of what is whole, commitment alone is
/// kept: a path is not followed, it only has to lead somewhere.
fn follow<'a>(
    slots: &DispatchProblem<'a>,
    steps: &Answered<'a>,
    (step, day): (NonZeroU32, Day),
) -> Result<Answered<'a>, GridError> {
    let mut problem = slots.clone();
    for (unit, task) in problem.units.iter_mut().enumerate() {
        let did = |slot: usize| &steps.found.slots[slot / step.get() as usize].units[unit];
        let output_kw = |slot| did(slot).given_kw;
        task.course = Course {
            on: Some((0..slots.slots()).map(|slot| did(slot).on).collect()),
            // What is seen of the days after is nobody's plan.
            reference_kw: Some((0..day.slots as usize).map(output_kw).collect()),
            ..Course::default()
        };
    }
    problem.validate()?;
    let found = Fallback::ALL[1..].iter().find_map(|&fallback| {
        let found = problem.by(fallback)?;
        let is_asked = fallback == Fallback::WithoutIntegers;
        Some(Dispatch { fallback: (!is_asked).then_some(fallback), ..found })
    });
    let found = found.unwrap_or_else(|| unreachable!("a plan in force needs no solver"));
    Ok(Answered { problem, found })
}

/// The steps with a commitment that was searched for in `slots`; nothing where none was found.
fn in_view_of_slots<'a>(
    slots: &DispatchProblem<'a>,
    steps: &Answered<'a>,
    step: NonZeroU32,
) -> Result<Option<Answered<'a>>, GridError> {
    let mut search = slots.clone();
    for task in &mut search.units {
        task.course = Course { switch_every: Some(step), ..Course::default() };
    }
    search.search.nodes = (search.search.nodes / FEWER_NODES).max(1);
    search.validate()?;
    let is_on =
        |unit: usize, slot: usize| steps.found.slots[slot / step.get() as usize].units[unit].on;
    let Some(switched) = search.switched_from(is_on) else { return Ok(None) };
    let mut problem = steps.problem.clone();
    for (unit, task) in problem.units.iter_mut().enumerate() {
        let in_step = switched.slots.chunks(step.get() as usize);
        task.course.on = Some(in_step.map(|slots| slots[0].units[unit].on).collect());
    }
    let found = problem.schedule()?;
    // What the steps alone would cost is still the bound: it is they that are asked for less.
    let found = found.with_bound(steps.found.bound);
    Ok(Some(Answered { problem: steps.problem.clone(), found }))
}
