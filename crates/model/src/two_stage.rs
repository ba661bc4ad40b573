//! The grid of a world: its plant, and how it is scheduled in two stages.

use crate::{
    flexibility::Readings,
    forecast::{Forecast, Issue},
    plant::Plant,
    series::Series,
};
use std::num::NonZeroU32;

/// A plant and how it is scheduled.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The units.
    pub plant: Plant,
    /// How they are scheduled.
    pub rules: TwoStage,
}

impl Grid {
    /// All series with their values, in a fixed order: what a run needs besides the world's text.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        let load =
            if let Forecast::Series(series) = &self.rules.base_load { Some(series) } else { None };
        let cars = if let DayAheadEv::Series(series) = &self.rules.day_ahead_ev {
            Some(series)
        } else {
            None
        };
        self.plant.series().chain(load).chain(cars)
    }
}

/// How day-ahead and intra-day stages schedule a plant. Lengths are in slots of the world's clock,
/// whose step is the resolution of the intra-day stage.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoStage {
    /// Slots in one step of the day-ahead stage: 4 for an hour of quarter hours.
    pub day_ahead_step: NonZeroU32,
    /// Slots that the day-ahead stage looks ahead, to the run's end at most and never less than the
    /// local day, which it commits; `None` for the local day alone, beyond which nothing is seen
    /// within the day either.
    pub day_ahead_window: Option<NonZeroU32>,
    /// Slots that an intra-day window looks ahead, less where the run ends (or the day, see
    /// `day_ahead_window`): 16 for four hours.
    pub window: NonZeroU32,
    /// Slots of a window that are committed before the next one is solved; not more than `window`.
    pub step: NonZeroU32,
    /// Slots over which forecast series take over from actual ones, see
    /// [`Issue`].
    pub blend: NonZeroU32,
    /// Whether flexibility margins must hold, (32)-(35): on in the paper's Case 2, off in Case 1.
    pub margins: bool,
    /// How equations that can be read in two ways are read.
    pub readings: Readings,
    /// Whether batteries take part in the day-ahead stage; (36) leaves them out.
    pub ess_in_day_ahead: bool,
    /// Number of chords for the quadratic cost of a thermal unit.
    pub segments: NonZeroU32,
    /// Prices of what should not happen.
    pub prices: SlackPrices,
    /// What is known of base load beforehand.
    pub base_load: Forecast,
    /// Which load of cars the day-ahead stage is shown.
    pub day_ahead_ev: DayAheadEv,
    /// What is known of that load beforehand: [`Forecast::Perfect`] is every stay to the minute and
    /// what it will draw.
    pub ev_forecast: Forecast,
    /// When the search for a commitment may stop.
    pub search: SearchLimits,
}

impl TwoStage {
    /// The forecasts that a window has which begins at `slot`.
    pub fn issue_in(&self, slot: u32) -> Issue {
        Issue { slot, known: self.step.get(), blend: self.blend.get() }
    }
}

/// Prices of what a schedule should avoid, so that there always is one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlackPrices {
    /// Of a kWh not served, or not taken.
    pub unserved: f64,
    /// Of a kWh of missing flexibility margin.
    pub margin: f64,
    /// Of a kWh that a store holds less than the day-ahead stage wants at a window's end.
    pub terminal: f64,
    /// Of a kWh by which a thermal unit leaves the band around its day-ahead output.
    pub deviation: f64,
}

impl SlackPrices {
    /// What energy not served, and energy not taken, costs over `hours`.
    pub fn unserved_cost(&self, hours: f64, unserved_kw: f64, spilled_kw: f64) -> f64 {
        // The order counts: objectives stand in journals to the last digit.
        self.unserved * hours * (unserved_kw + spilled_kw)
    }
}

/// Which load of cars the day-ahead stage is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum DayAheadEv {
    /// What smart charging would plan under the policy `v2g`, as in the paper; under any other what
    /// the policy itself plans.
    #[default]
    AsPaper,
    /// What the run's own policy plans.
    Plan,
    /// What smart charging would plan.
    Smart,
    /// What uncontrolled charging would do.
    Uncontrolled,
    /// A series, kW; negative discharges.
    Series(Series),
    /// No cars.
    None,
}

impl DayAheadEv {
    /// The policy whose plans the day-ahead stage is shown when `own` is the run's; `None` where it
    /// is shown no policy's.
    pub fn policy<'a>(&self, own: &'a str) -> Option<&'a str> {
        match self {
            // The paper's day-ahead stage knows of uncontrolled or smart charging, and of no
            // discharging.
            Self::AsPaper if own == "v2g" => Some("smart"),
            Self::AsPaper | Self::Plan => Some(own),
            Self::Smart => Some("smart"),
            Self::Uncontrolled => Some("uncontrolled"),
            Self::Series(_) | Self::None => None,
        }
    }
}

/// When the search for a commitment may stop: counted, not timed, so that results do not depend on
/// the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchLimits {
    /// Most nodes of the search tree.
    pub nodes: u32,
    /// Relative gap that is good enough.
    pub gap: f64,
}

impl Default for SlackPrices {
    /// The case study's, per kWh: 50, 30, 2 and 5.
    fn default() -> Self {
        Self { unserved: 50.0, margin: 30.0, terminal: 2.0, deviation: 5.0 }
    }
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self { nodes: 20_000, gap: 1e-4 }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::SlackPrices;

    #[test]
    fn energy_that_nobody_takes_costs_what_energy_that_nobody_gives_does() {
        let prices = SlackPrices { unserved: 50.0, ..SlackPrices::default() };
        assert_eq!(prices.unserved_cost(0.5, 3.0, 1.0), 100.0);
    }
}
