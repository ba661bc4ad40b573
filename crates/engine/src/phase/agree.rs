//! Phase 3: drivers are asked, (5) to (10).
//!
//! Each car has one draw an hour of the wall clock. Willingness follows from it and from the
//! incentive ratio of the prices that the car was planned at; draws are recomputed in a replay,
//! never logged.

use crate::{apply::State, state::Fixed};
use bevy_ecs::prelude::*;
use voltide_journal::event::PricesSet;
use voltide_model::{
    price::ExpectedPrice,
    stay::NO_STAY,
    willingness::{Band, Draw, Participation, Willingness},
};

/// What plugged cars' drivers think in this slot; columns are empty where nobody is asked.
#[derive(Resource, Default)]
pub(crate) struct Opinions {
    /// The hour of the draws.
    hour: u32,
    /// Per car: the stay that it was drawn for, so that a car that plugs in is drawn anew.
    drawn_for: Vec<u32>,
    draws: Vec<Draw>,
    /// Per car: willingness (10), 0..1; 0 when not plugged in.
    pub willingness: Vec<f64>,
    /// Per car: 1 where the driver agrees.
    pub agreed: Vec<u8>,
}

/// How the drivers of one fleet are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    pub willingness: Willingness,
    pub participation: Participation,
    pub expected: ExpectedPrice,
}

impl Asking {
    /// How a fleet's drivers are asked, where they are.
    pub(crate) fn of_fleet(fixed: &Fixed, fleet: usize) -> Option<Self> {
        let expected = fixed.scenario.incentive?.expected;
        let (willingness, participation) = fixed.scenario.asks_drivers(fleet)?;
        Some(Self { willingness, participation, expected })
    }

    /// Whether the drivers of any fleet are asked.
    pub(crate) fn anyone(fixed: &Fixed) -> bool {
        (0..fixed.fleets.len()).any(|fleet| Self::of_fleet(fixed, fleet).is_some())
    }

    /// What the drivers that see these prices think of a slot, which differs by their draws alone.
    pub(crate) fn band(&self, prices: &PricesSet, slot: u32) -> Band {
        let at = prices.at(slot);
        self.willingness.band(self.expected.incentive_ratio(prices.k[at], prices.incentive[at]))
    }

    /// Willingness in the slot of a band, and whether the driver agrees.
    pub(crate) fn answer(&self, band: Band, draw: Draw) -> (f64, bool) {
        let willingness = band.sample(draw.normal);
        (willingness, self.participation.agrees(willingness, draw))
    }
}

/// Draws for every plugged car that has none for this hour.
pub(crate) fn agree(mut state: State, mut opinions: ResMut<Opinions>) {
    draw(&mut state, &mut opinions);
}

fn draw(state: &mut State, opinions: &mut Opinions) {
    let fixed = &state.fixed;
    let scenario = &fixed.scenario;
    if !Asking::anyone(fixed) {
        return;
    }
    let hour = scenario.willingness_hour(state.now.tick);
    opinions.drawn_for.resize(scenario.population.len(), NO_STAY);
    opinions.draws.resize(scenario.population.len(), Draw { normal: 0.0, uniform: 0.5 });
    if opinions.hour != hour {
        opinions.drawn_for.fill(NO_STAY);
        opinions.hour = hour;
    }
    let mut table = state.cars.table();
    let stays = &*table.columns().stay;
    for (ev, (&stay, drawn_for)) in stays.iter().zip(&mut opinions.drawn_for).enumerate() {
        if stay != NO_STAY && *drawn_for != stay {
            opinions.draws[ev] = scenario.willingness_draw(ev as u32, hour);
            *drawn_for = stay;
        }
    }
}

/// Fills the columns of this slot's willingness, at the prices that each car was planned at.
pub(crate) fn form_opinions(state: &mut State, opinions: &mut Opinions) -> u32 {
    // Cars that are plugged in when a typical day begins were so only after all had been planned.
    draw(state, opinions);
    if opinions.draws.is_empty() {
        return 0;
    }
    let fixed = &state.fixed;
    let (tick, cars) = (state.now.tick, opinions.draws.len());
    opinions.willingness.clear();
    opinions.willingness.resize(cars, 0.0);
    opinions.agreed.clear();
    opinions.agreed.resize(cars, 0);
    let mut table = state.cars.table();
    let stays = &*table.columns().stay;
    for piece in &fixed.pieces {
        let Some(asking) = Asking::of_fleet(fixed, piece.fleet) else { continue };
        let tariff = fixed.fleets[piece.fleet].tariff;
        let mut seen: Option<(&PricesSet, Band)> = None;
        for ev in piece.evs.clone().filter(|&ev| stays[ev] != NO_STAY) {
            let prices = state.prices.of_ev(ev, tariff);
            let band = match seen {
                Some((by, band)) if std::ptr::eq(by, prices) => band,
                _ => asking.band(prices, tick),
            };
            seen = Some((prices, band));
            let (willingness, agrees) = asking.answer(band, opinions.draws[ev]);
            opinions.willingness[ev] = willingness;
            opinions.agreed[ev] = u8::from(agrees);
        }
    }
    opinions.agreed.iter().map(|&agreed| u32::from(agreed)).sum()
}
