//! What policies and prices may know of base load, wind and sun before they come.
//!
//! It is what the two stages of a plant know, drawn from the same numbers and issued at the same
//! times: a policy that plans in a slot sees what a window that begins there would, and prices of a
//! day are formed from what the day-ahead stage sees of it.

use crate::{
    clock::Clock,
    device::{Device, Unsteered},
    forecast::{Forecast, Issue},
    price::{LocalDays, net_load},
    rules::Rules,
    scenario::{Scenario, SystemSeries},
    series::Series,
    two_stage::Grid,
};
use std::{num::NonZeroU32, ops::Range};

/// What is known beforehand of the series of a system without a plant; with one it stands with the
/// plant.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemForecasts {
    /// Of base load.
    pub base_load: Forecast,
    /// Of wind.
    pub wind: Forecast,
    /// Of the sun.
    pub pv: Forecast,
    /// Slots over which forecast series take over from actual ones.
    pub blend: NonZeroU32,
}

impl Default for SystemForecasts {
    /// All is known.
    fn default() -> Self {
        Self {
            base_load: Forecast::Perfect,
            wind: Forecast::Perfect,
            pv: Forecast::Perfect,
            blend: NonZeroU32::MIN,
        }
    }
}

impl SystemForecasts {
    /// The series that it forecasts by, in a fixed order.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        [&self.base_load, &self.wind, &self.pv].into_iter().filter_map(|forecast| match forecast {
            Forecast::Series(series) => Some(series),
            Forecast::Perfect | Forecast::Ar1 { .. } => None,
        })
    }
}

/// What is known of slots to come, kW a slot; 0 of what the world has none of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Foreseen {
    /// Base load.
    pub base_load_kw: Vec<f64>,
    /// Wind power available.
    pub wind_kw: Vec<f64>,
    /// Photovoltaic power available.
    pub pv_kw: Vec<f64>,
}

impl Foreseen {
    /// Base load less wind and sun, kW.
    pub fn net_load_kw(&self) -> impl Iterator<Item = f64> {
        let renewable = self.wind_kw.iter().zip(&self.pv_kw);
        self.base_load_kw
            .iter()
            .zip(renewable)
            .map(|(&load, (&wind, &pv))| net_load(load, wind, pv))
    }
}

/// Foresees the series of a system; borrows the world, holds no state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foresight<'a> {
    base_load: Known<'a>,
    wind: Known<'a>,
    pv: Known<'a>,
    /// How it is issued in slot 0.
    issue: Issue,
    seed: u64,
    /// Slots of 24 hours.
    day: u32,
}

/// A series and what is known of it beforehand.
type Known<'a> = (Option<&'a Series>, &'a Forecast);

static PERFECT: Forecast = Forecast::Perfect;

impl<'a> Foresight<'a> {
    /// Of a whole world.
    pub fn of(scenario: &'a Scenario) -> Self {
        let Scenario { system, grid, clock, seed, rules, .. } = scenario;
        Self::new(system, grid.as_deref(), clock, *seed, *rules)
    }

    /// Of a system, with its plant if it has one. Up to [`Rules::V1`] all was known.
    pub fn new(
        system: &'a SystemSeries,
        grid: Option<&'a Grid>,
        clock: &Clock,
        seed: u64,
        rules: Rules,
    ) -> Self {
        let own = &system.forecasts;
        let (base_load, wind, pv) = match grid {
            _ if rules == Rules::V1 => (&PERFECT, &PERFECT, &PERFECT),
            Some(grid) => (
                &grid.rules.base_load,
                of_unit(grid, system.wind.as_ref()),
                of_unit(grid, system.pv.as_ref()),
            ),
            None => (&own.base_load, &own.wind, &own.pv),
        };
        Self {
            base_load: (system.base_load.as_ref(), base_load),
            wind: (system.wind.as_ref(), wind),
            pv: (system.pv.as_ref(), pv),
            issue: grid.map_or(Issue { slot: 0, known: 1, blend: own.blend.get() }, |grid| {
                grid.rules.issue_in(0)
            }),
            seed,
            day: clock.slots_per_24_hours(),
        }
    }

    /// Whether all is known.
    pub fn is_perfect(&self) -> bool {
        [self.base_load, self.wind, self.pv]
            .iter()
            .all(|(series, forecast)| series.is_none() || **forecast == Forecast::Perfect)
    }

    /// What is known in `slot` of `count` slots from there on: what a window sees that begins
    /// there, however long it is.
    pub fn in_slot(&self, slot: u32, count: usize) -> Foreseen {
        self.at(Issue { slot, ..self.issue }, count)
    }

    /// What is known of `count` slots when the day begins whose first slot is `slot`.
    pub fn day_ahead(&self, slot: u32, count: usize) -> Foreseen {
        self.at(Issue::day_ahead(slot), count)
    }

    /// Slots whose prices are formed on the day that slot `tick` lies in, in whole local days, and
    /// their net load, kW, as it is known when the day begins: two days beyond its end.
    pub fn of_prices(&self, days: &LocalDays, tick: u32) -> (Range<u32>, Vec<f64>) {
        let today = days.range(days.day_of(tick));
        let last = days.day_of((today.end as u32 + 2 * self.day).min(days.slots()) - 1);
        let slots = today.start..days.range(last).end;
        let known = self.day_ahead(slots.start as u32, slots.len());
        (slots.start as u32..slots.end as u32, known.net_load_kw().collect())
    }

    fn at(&self, issue: Issue, count: usize) -> Foreseen {
        let known = |(series, forecast): Known<'a>| {
            series.map_or_else(
                || vec![0.0; count],
                |series| forecast.issue(series, issue, count, self.seed, self.day),
            )
        };
        Foreseen {
            base_load_kw: known(self.base_load),
            wind_kw: known(self.wind),
            pv_kw: known(self.pv),
        }
    }
}

/// What the unit that has all of a series of the system knows of it; what no unit has is given as
/// it is known.
fn of_unit<'a>(grid: &'a Grid, series: Option<&Series>) -> &'a Forecast {
    let unsteered = grid.plant.devices().filter_map(Device::unsteered);
    let of_series = |it: &Unsteered<'_>| series.is_some_and(|one| one.name == it.actual.name);
    unsteered.into_iter().find(of_series).map_or(&PERFECT, |unit| unit.forecast)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    fn series(name: &str, values: &[f64]) -> Series {
        Series { name: name.into(), unit: "kW".into(), values: values.into() }
    }

    fn hours() -> Clock {
        let start = "2024-01-01T00:00:00".parse().unwrap();
        Clock::new(start, "UTC".parse().unwrap(), 3600, 2).unwrap()
    }

    fn system() -> SystemSeries {
        let forecasts = SystemForecasts {
            base_load: Forecast::Series(series("told", &[70.0; 48])),
            wind: Forecast::Ar1 { phi: 0.5, sd: 0.2 },
            ..SystemForecasts::default()
        };
        SystemSeries {
            base_load: Some(series("base_load", &[100.0; 48])),
            wind: Some(series("wind", &[10.0; 48])),
            pv: None,
            forecasts,
        }
    }

    #[test]
    fn this_slot_and_the_next_are_known_and_what_comes_after_is_foreseen() {
        let system = system();
        let foresight = Foresight::new(&system, None, &hours(), 7, Rules::V2);
        let seen = foresight.in_slot(5, 6);
        assert_eq!(seen.base_load_kw, [100.0, 100.0, 70.0, 70.0, 70.0, 70.0]);
        assert_eq!((seen.wind_kw[..2].to_vec(), seen.pv_kw), (vec![10.0; 2], vec![0.0; 6]));
        assert!(seen.wind_kw[2..].iter().all(|&kw| kw != 10.0), "{:?}", seen.wind_kw);
        assert!(!foresight.is_perfect());
    }

    #[test]
    fn prices_of_a_day_go_by_what_is_known_when_it_begins() {
        let system = system();
        let foresight = Foresight::new(&system, None, &hours(), 7, Rules::V2);
        let days = LocalDays::covering(&hours(), 96);
        let at = |tick| foresight.of_prices(&days, tick);
        assert_eq!(at(30), at(24), "through the day they stay as they were formed");
        assert_eq!((at(3).0, at(30).0), (0..72, 24..96));
        let first = foresight.day_ahead(24, 1);
        assert_eq!(at(30).1[0], 70.0 - first.wind_kw[0]);
    }

    #[test]
    fn rules_of_old_know_all() {
        let system = system();
        assert!(Foresight::new(&system, None, &hours(), 7, Rules::V1).is_perfect());
    }
}
