//! Phase 3: drivers are asked, (5) to (10); and after phase 4, what they say.
//!
//! A driver draws when the hour begins, or when the car plugs in: [`draw`]. A plan goes by that
//! draw and the prices that are in force when it is made. What the driver says of the slot goes by
//! the prices that the car was planned at, of which it may have been told only in this tick: so
//! [`answer`] comes when all that are due are planned.

use crate::{
    cars::{Agreed, Drawn, PluggedStay, Willingness, columns_if_any, writable},
    drivers::Asking,
    prices::PriceBook,
    state::{Now, ScenarioInForce},
};
use bevy_ecs::{prelude::*, system::ScheduleSystem};
use voltide_journal::event::PricesSet;
use voltide_model::{id::EvId, stay::NO_STAY, willingness::Band};

/// What drivers say once all that are due are planned.
pub(crate) fn following() -> impl IntoScheduleConfigs<ScheduleSystem, ()> {
    (draw.run_if(typical_day_begins), answer).chain().into_configs()
}

/// Draws for every plugged car whose driver is asked and has none of this hour.
pub(crate) fn draw(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    cars: Query<(&PluggedStay, &mut Drawn)>,
) {
    let Some((stays, drawn)) = columns_if_any(cars) else { return };
    let drawn = writable(drawn);
    let hour = in_force.scenario.willingness_hour(now.tick);
    for piece in &in_force.pieces {
        if Asking::of_fleet(&in_force, piece.fleet).is_none() {
            continue;
        }
        for ev in piece.evs.clone() {
            // A draw is of a car and an hour: one that comes back within the hour has it already.
            if stays[ev].0 != NO_STAY && drawn[ev].hour != hour {
                let draw = in_force.scenario.willingness_draw(EvId(ev as u32), hour);
                drawn[ev] = Drawn { hour, draw };
            }
        }
    }
}

/// Whether a typical day begins. Cars that are plugged in then are so only when all are planned,
/// and so draw once more.
fn typical_day_begins(in_force: Res<ScenarioInForce>, now: Res<Now>) -> bool {
    in_force.scenario.clock.typical_day().is_some() && now.tick == 0
}

/// Willingness of every plugged car in this slot, and whether its driver agrees, at the prices that
/// the car was planned at.
fn answer(
    in_force: Res<ScenarioInForce>,
    now: Res<Now>,
    prices: Res<PriceBook>,
    cars: Query<(&PluggedStay, &Drawn, &mut Willingness, &mut Agreed)>,
) {
    let Some((stays, drawn, willingness, agreed)) = columns_if_any(cars) else { return };
    let willingness = writable(willingness);
    let agreed = writable(agreed);
    // Cars that have left since, and fleets that are not asked, say nothing. The latter may discharge
    // without an answer: where that counts, `Asking::of_fleet` is looked at.
    willingness.fill(Willingness(0.0));
    agreed.fill(Agreed(0));
    for piece in &in_force.pieces {
        let Some(asking) = Asking::of_fleet(&in_force, piece.fleet) else { continue };
        let tariff = in_force.fleets[piece.fleet].tariff;
        // Neighbours were mostly planned at the same prices.
        let mut seen: Option<(&PricesSet, Band)> = None;
        for ev in piece.evs.clone().filter(|&ev| stays[ev].0 != NO_STAY) {
            let prices = prices.of_ev(ev, tariff);
            let band = match seen {
                Some((by, band)) if std::ptr::eq(by, prices) => band,
                _ => asking.band(prices, now.tick),
            };
            seen = Some((prices, band));
            let (willing, agrees) = asking.answer(band, drawn[ev].draw);
            willingness[ev] = Willingness(willing);
            agreed[ev] = Agreed(u8::from(agrees));
        }
    }
}
