//! Phase 2: prices become known.
//!
//! Tariffs are known from the start for all slots that a plan can reach.

use crate::apply::State;
use voltide_journal::event::{Event, PricesSet};
use voltide_model::series::Series;

/// Announces every tariff when the run begins.
pub(crate) fn set_prices(mut state: State) {
    if state.now.tick > 0 {
        return;
    }
    let scenario = state.fixed.scenario.clone();
    let (end, day) = (scenario.horizon_end(), scenario.clock.slots_per_24_hours());
    let values = |series: &Series| (0..end).map(|slot| series.at(slot, day)).collect();
    for tariff in &scenario.tariffs {
        let (buy, sell) = (values(&tariff.buy), values(&tariff.sell));
        let cause = state.cause(&["TickStarted.v1"]);
        state.emit(
            cause,
            Event::PricesSet(PricesSet { tariff: tariff.name.clone(), first_slot: 0, buy, sell }),
        );
    }
}
