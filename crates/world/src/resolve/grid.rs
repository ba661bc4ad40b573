//! The grid: how it is scheduled; lengths become slots. Its plant is resolved beside it, in
//! `units.rs`.

use super::Resolver;
use crate::{
    dialect::is_limited,
    grid_file::{
        Ar1File, DayAheadEvFile, EvForecastFile, ForecastFile, GridFile, SlackFile, StagesFile,
    },
    ranges::Limits,
    values::Count,
};
use ron_places::{Place, Spanned};
use std::num::NonZeroU32;
use voltide_model::{
    clock::Clock,
    forecast::Forecast,
    physical,
    quantity::{Hours, Price},
    rules::Rules,
    scenario::SystemSeries,
    two_stage::{DayAheadEv, Grid, SearchLimits, SlackPrices, TwoStage},
};

impl Resolver<'_> {
    /// The grid, if there is one; `system` is `None` where a problem with it was reported.
    #[expect(clippy::option_option, reason = "the outer one says that a problem was reported")]
    pub(super) fn grid(
        &mut self,
        system: Option<&SystemSeries>,
        clock: &Clock,
    ) -> Option<Option<Grid>> {
        let world = self.file;
        let Some(file) = world.grid.get()? else { return Some(None) };
        let named = self.check_names(file);
        let plant = self.plant(file, system, clock);
        let rules = self.rules(file, clock);
        // Not before plant and rules are read: what is wrong with them is to be told as well.
        named?;
        if plant.as_ref().is_some_and(|plant| plant.names().next().is_none()) {
            let help =
                "give it units, or leave `grid` out: then import or export closes the balance";
            self.report.add_help(
                file.place,
                "`grid` has no units".to_owned(),
                "nothing to schedule",
                help,
            );
            return None;
        }
        Some(Some(Grid { plant: plant?, rules: rules? }))
    }

    pub(super) fn forecast(
        &mut self,
        name: &str,
        file: &ForecastFile,
        clock: &Clock,
    ) -> Option<Forecast> {
        Some(match file {
            ForecastFile::Perfect => Forecast::Perfect,
            ForecastFile::Series(series) => {
                Forecast::Series(self.power_series(name, series, true, clock)?)
            }
            ForecastFile::Ar1(error) => self.forecast_error(error)?,
        })
    }

    fn forecast_error(&mut self, error: &Ar1File) -> Option<Forecast> {
        let phi = error.phi.value;
        self.in_range(&error.phi, "`phi`", (0.0..1.0).contains(&phi), "0 to below 1")?;
        let sd = error.sd.value;
        self.in_range(&error.sd, "`sd`", sd >= 0.0, "at least 0")?;
        self.report.within(&physical::FORECAST_ERROR, "sd", sd, error.sd.place)?;
        Some(Forecast::Ar1 { phi, sd })
    }

    /// What is known of the load of cars; a load that the world gives is a forecast by itself.
    fn ev_forecast(&mut self, file: &GridFile) -> Option<Forecast> {
        let EvForecastFile::Ar1(error) = &file.day_ahead_ev_forecast else {
            return Some(Forecast::Perfect);
        };
        if matches!(file.day_ahead_ev, DayAheadEvFile::Series(_) | DayAheadEvFile::None) {
            let message =
                "`day_ahead_ev_forecast` has no plans of cars to be wrong about".to_owned();
            let help = "leave it out, or let `day_ahead_ev` be what a policy plans";
            self.report.add_help(error.sd.place, message, "an error of nothing", help);
            return None;
        }
        self.forecast_error(error)
    }

    fn in_range(
        &mut self,
        value: &Spanned<f64>,
        what: &str,
        right: bool,
        wanted: &str,
    ) -> Option<()> {
        if right {
            return Some(());
        }
        self.report.add(
            value.place,
            format!("{what} is {}; it must be {wanted}", value.value),
            "out of range",
        );
        None
    }

    pub(super) fn price_or(&mut self, price: Option<&Spanned<Price>>, default: f64) -> Option<f64> {
        price.map_or(Some(default), |price| self.price(price))
    }

    fn rules(&mut self, file: &GridFile, clock: &Clock) -> Option<TwoStage> {
        let StagesFile { day_ahead_step, day_ahead_window, window, step, blend, .. } = &file.stages;
        let lengths = [
            self.slots("day_ahead_step", day_ahead_step, clock),
            self.slots("day_ahead_window", day_ahead_window, clock),
            self.slots("window", window, clock),
            step.as_ref().map_or(Some(NonZeroU32::MIN), |step| self.slots("step", step, clock)),
            self.slots("blend", blend, clock),
        ];
        let prices = self.slack(&file.slack);
        let base_load = self.forecast("grid.base_load_forecast", &file.base_load_forecast, clock);
        let day_ahead_ev = self.day_ahead_ev(file, clock);
        let ev_forecast = self.ev_forecast(file);
        let segments = self.counted("segments", &file.stages.segments);
        let search = self.search(&file.stages);
        let [day_ahead_step, day_ahead_window, window, step, blend] = lengths;
        let window = window?;
        let step = step?;
        if step > window {
            let place = file.stages.step.as_ref().map_or(file.place, |step| step.place);
            let message = "a window commits more than it looks ahead".to_owned();
            self.report.add_help(place, message, "longer than `window`", "make `step` shorter");
            return None;
        }
        Some(TwoStage {
            day_ahead_step: day_ahead_step?,
            day_ahead_window: match self.values.rules() {
                Rules::V1 => None,
                Rules::V2 => Some(day_ahead_window?),
            },
            window,
            step,
            blend: blend?,
            margins: file.margins,
            readings: file.readings,
            ess_in_day_ahead: file.stages.ess_in_day_ahead,
            segments: segments?,
            prices: prices?,
            base_load: base_load?,
            day_ahead_ev: day_ahead_ev?,
            ev_forecast: ev_forecast?,
            search: search?,
        })
    }

    /// A length in whole slots.
    pub(super) fn slots(
        &mut self,
        field: &str,
        length: &Spanned<Hours>,
        clock: &Clock,
    ) -> Option<NonZeroU32> {
        // Both are in hours, of which few are exact in binary.
        let slots = length.0 / clock.slot_hours();
        let whole = (slots - slots.round()).abs() < 1e-6 && (1.0..1e6).contains(&slots.round());
        if whole {
            return NonZeroU32::new(slots.round() as u32);
        }
        let message = format!("`{field}` is not a whole number of slots");
        let help = format!("the clock's step is {} min", clock.slot_seconds / 60);
        self.report.add_help(length.place, message, "not whole slots", help);
        None
    }

    /// A number from 1 to `MOST`, which earlier versions had no limit for.
    fn counted<const MOST: u32>(
        &mut self,
        field: &str,
        count: &Spanned<Count<MOST>>,
    ) -> Option<NonZeroU32> {
        let found = NonZeroU32::new(count.value.0);
        if found.is_none() {
            self.report.add(
                count.place,
                format!("`{field}` must be at least 1"),
                "must be at least 1",
            );
        }
        if count.value.0 > MOST && is_limited(self.report, count.place) {
            let message = format!("`{field}` is {}; the most is {MOST}", count.value.0);
            self.report.add(count.place, message, "too many");
            return None;
        }
        found
    }

    fn search(&mut self, file: &StagesFile) -> Option<SearchLimits> {
        self.in_range(&file.gap, "`gap`", (0.0..1.0).contains(&file.gap.value), "0 to below 1")?;
        let nodes = self.counted("nodes", &file.nodes)?;
        Some(SearchLimits { nodes: nodes.get(), gap: file.gap.value })
    }

    fn slack(&mut self, file: &SlackFile) -> Option<SlackPrices> {
        let usual = SlackPrices::default();
        let mut price = |given: Option<&Spanned<Price>>, default| {
            let price = self.price_or(given, default)?;
            let place = given.map_or(Place::NOWHERE, |given| given.place);
            if price >= 0.0 {
                return Some(price);
            }
            self.report.add(place, "a price of slack is negative", "must be at least 0");
            None
        };
        let unserved = price(file.unserved.as_ref(), usual.unserved);
        let margin = price(file.margin.as_ref(), usual.margin);
        let terminal = price(file.terminal.as_ref(), usual.terminal);
        let deviation = price(file.deviation.as_ref(), usual.deviation);
        Some(SlackPrices {
            unserved: unserved?,
            margin: margin?,
            terminal: terminal?,
            deviation: deviation?,
        })
    }

    fn day_ahead_ev(&mut self, file: &GridFile, clock: &Clock) -> Option<DayAheadEv> {
        Some(match &file.day_ahead_ev {
            DayAheadEvFile::ByPolicy => DayAheadEv::AsPaper,
            DayAheadEvFile::Plan => DayAheadEv::Plan,
            DayAheadEvFile::Smart => DayAheadEv::Smart,
            DayAheadEvFile::Uncontrolled => DayAheadEv::Uncontrolled,
            DayAheadEvFile::None => DayAheadEv::None,
            DayAheadEvFile::Series(series) => {
                DayAheadEv::Series(self.power_series("grid.day_ahead_ev", series, false, clock)?)
            }
        })
    }
}
