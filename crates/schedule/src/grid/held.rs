//! What a unit that holds energy must have left at the end, whatever it holds it in.

use super::{EnergyEnd, GridError, UnitTask, Unmet, UnmetWish, error::finite, unit::note_missed};
use crate::linear::Program;
use good_lp::{Expression, constraint, variable};
use voltide_model::two_stage::SlackPrices;

/// Checks what is held at the start and wished for at the end, by what messages call them. They
/// come from elsewhere, and may lie outside what the unit has room for.
pub(super) fn check_held(task: &UnitTask, start: &str, end: &str) -> Result<(), GridError> {
    finite(start, &[task.state.energy_kwh])?;
    let ends = task.midway.iter().map(|(_, end)| *end).chain([task.end]);
    ends.into_iter().try_for_each(|wanted| match wanted {
        EnergyEnd::Idle | EnergyEnd::Free => Ok(()),
        EnergyEnd::AtLeast(wish) | EnergyEnd::Softened(wish) => finite(end, &[wish]),
        EnergyEnd::OnPath { wish_kwh, least_kwh, most_kwh } => {
            finite(end, &[wish_kwh, least_kwh, most_kwh])
        }
    })
}

/// Has what is held after a slot meet what it must hold then, as far as `most_kwh` can be reached;
/// what is out of reach is noted, what is softened has a price a kWh.
pub(super) fn hold_after(
    program: &mut Program,
    unmet: &mut Vec<Unmet>,
    unit: &str,
    (held, most_kwh): (Expression, f64),
    end: EnergyEnd,
    prices: &SlackPrices,
) {
    match end {
        EnergyEnd::Idle | EnergyEnd::Free => {}
        EnergyEnd::AtLeast(wish) => {
            if wish > most_kwh + 1e-9 {
                let by = wish - most_kwh;
                unmet.push(Unmet { unit: unit.to_owned(), wish: UnmetWish::FinalEnergy, by });
            }
            program.require(constraint!(held >= wish.min(most_kwh)));
        }
        EnergyEnd::Softened(wish) => pay_missing(program, held, wish, prices.terminal),
        EnergyEnd::OnPath { wish_kwh, least_kwh, most_kwh: room_kwh } => {
            // What cannot be held is never too much, and what is less than nothing not too little.
            if room_kwh < most_kwh {
                pay_missing(program, -1.0 * held.clone(), -room_kwh, prices.unserved);
            }
            if least_kwh > 0.0 {
                pay_missing(program, held.clone(), least_kwh, prices.unserved);
            }
            pay_missing(program, held, wish_kwh, prices.terminal);
        }
    }
}

/// Has a price a kWh for what is held less than wished for, so that no wish is out of reach.
fn pay_missing(program: &mut Program, held: Expression, wish_kwh: f64, price: f64) {
    let missing = program.add(variable().min(0.0));
    program.pay(price * missing);
    program.require(constraint!(held + missing >= wish_kwh));
}

/// What a task says must be held after slots, with the end after the last of `slots`.
pub(super) fn wishes(task: &UnitTask, slots: usize) -> impl Iterator<Item = (usize, EnergyEnd)> {
    let last = slots.checked_sub(1).map(|last| (last, task.end));
    task.midway.iter().copied().chain(last)
}

/// What is missing of a softened wish, kWh.
pub(super) fn missing_kwh(end: EnergyEnd, held_kwh: f64) -> f64 {
    match end {
        EnergyEnd::Softened(wish_kwh) | EnergyEnd::OnPath { wish_kwh, .. } => {
            (wish_kwh - held_kwh).max(0.0)
        }
        EnergyEnd::Idle | EnergyEnd::Free | EnergyEnd::AtLeast(_) => 0.0,
    }
}

/// How far what is held at the end lies outside what the path leads on from, kWh.
pub(super) fn astray_kwh(end: EnergyEnd, held_kwh: f64) -> f64 {
    match end {
        EnergyEnd::OnPath { least_kwh, most_kwh, .. } => {
            (least_kwh - held_kwh).max(held_kwh - most_kwh).max(0.0)
        }
        EnergyEnd::Idle | EnergyEnd::Free | EnergyEnd::AtLeast(_) | EnergyEnd::Softened(_) => 0.0,
    }
}

/// Notes energy at the start that lies outside its bounds, kWh.
pub(super) fn note_outside(
    unmet: &mut Vec<Unmet>,
    unit: &str,
    held_kwh: f64,
    (least_kwh, most_kwh): (f64, f64),
) {
    let by = (least_kwh - held_kwh).max(held_kwh - most_kwh);
    note_missed(unmet, unit, UnmetWish::InitialEnergy, by);
}
