//! From the file's shapes to the scenario: names become indices, prices become series.

mod fleet;
mod grid;
mod incentive;
mod listed;
mod over_time;
mod site;
mod tariff;
mod units;
mod warn;
mod willingness;
mod wishes;

use crate::{
    Configs, Names,
    data_file::{CalendarFile, EmpiricalFile, SessionsFile},
    dialect::{Report, WorldText},
    file::{ClockFile, DAYS_MAX, DurabilityFile, EvTicksFile, SystemForecastsFile, WorldFile},
    grid_file::ForecastFile,
    input::{FleetSessions, SeriesRequest, Values},
    over_time::{OverTime, SeriesFile},
    published::PublishedFigure,
    series::time_zone,
    table::parse_wall_clock,
};
use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use over_time::Wanted;
use ron_places::{Document, Place, Problem, Problems, Spanned, Try, read::check_name, suggest};
use std::{num::NonZeroU32, sync::Arc};
use voltide_model::{
    clock::{Boundary, Clock},
    foresight::SystemForecasts,
    quantity::Kilowatts,
    scenario::{Durability, EvTicks, Planning, PolicyChoice, Scenario, SystemSeries},
    series::Series,
    wishes::SocWish,
};

/// A scenario whose cars are not drawn yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    scenario: Scenario,
    /// Every policy's config, also of those that are not chosen.
    pub(crate) configs: Configs,
    pub(crate) published: Vec<PublishedFigure>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) names: Names,
}

impl Draft {
    /// The seed that cars will be drawn from.
    pub(crate) fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// Draws the cars.
    pub(crate) fn draw(self) -> Scenario {
        let Self { mut scenario, .. } = self;
        scenario.population = Arc::new(scenario.draw());
        scenario
    }
}

/// Reads and checks a world.
pub(crate) fn resolve(document: &Document, values: &mut dyn Values) -> Result<Draft, Problems> {
    let mut report = Report::new(document.clone(), WorldText { rules: values.rules() });
    let file = report.read::<WorldFile>();
    let draft = file.and_then(|file| scenario(&file, values, &mut report));
    let (draft, warnings) = report.finish(draft)?;
    Ok(Draft { warnings, ..draft })
}

/// Resolves what was read. Where the clock is wrong, the rest is checked on another one.
fn scenario(file: &WorldFile, values: &mut dyn Values, report: &mut Report) -> Option<Draft> {
    if let Some(clock) = file.clock.get().and_then(|file| clock(file, report)) {
        return Resolver { file, values, report }.scenario(clock);
    }
    // No file is read then: it would be measured by a clock that nobody gave.
    Resolver { file, values: &mut Unread, report }.scenario(stand_in());
    None
}

/// A clock on whose slots all edges of tariff bands fall.
fn stand_in() -> Clock {
    let start = NaiveDate::default().and_time(NaiveTime::MIN);
    // In slots of a minute, since edges of bands are whole minutes.
    Clock::new(start, Tz::UTC, 60, 1).expect("a day of minutes")
}

/// Gives no values, and reports nothing.
struct Unread;

impl Values for Unread {
    fn published(&mut self, _: &Spanned<String>, _: &mut Report) -> Option<Vec<PublishedFigure>> {
        None
    }

    fn series(&mut self, _: SeriesRequest<'_>, _: &mut Report) -> Option<Arc<[f64]>> {
        None
    }

    fn samples(
        &mut self,
        _: &str,
        _: &str,
        _: &EmpiricalFile,
        _: f64,
        _: &mut Report,
    ) -> Option<Arc<[f64]>> {
        None
    }

    fn reservations(
        &mut self,
        _: &str,
        _: &CalendarFile,
        _: &Clock,
        _: &mut Report,
    ) -> Option<Vec<SocWish>> {
        None
    }

    fn sessions(
        &mut self,
        _: &str,
        _: &SessionsFile,
        _: &Clock,
        _: &mut Report,
    ) -> Option<FleetSessions> {
        None
    }
}

/// What resolving goes through and collects.
struct Resolver<'a> {
    file: &'a WorldFile,
    values: &'a mut dyn Values,
    report: &'a mut Report,
}

impl Resolver<'_> {
    /// Every part is resolved, whatever is wrong with the others.
    fn scenario(mut self, clock: Clock) -> Option<Draft> {
        let file = self.file;
        if let Some(name) = file.name.get() {
            check_name(name, name.place, self.report);
        }
        let currency =
            file.currency.get().and_then(|currency| self::currency(currency, self.report));
        let sites = file.sites.get().and_then(|sites| site::sites(sites, self.report));
        let policy = self.policy();
        let published = file.published.get().and_then(|path| match path {
            Some(path) => self.values.published(path, self.report),
            None => Some(Vec::new()),
        });
        let planning = self.planning();
        let boundary = self.boundary(&clock);
        let ev_ticks = self.ev_ticks();
        let durability = self.durability();
        let tariffs = self.tariffs(&clock);
        let system = self.system(&clock);
        let own_series = self.own_series(&clock);
        let grid = self.grid(system.as_ref(), &clock);
        let incentive = self.incentive(system.as_ref().zip(grid.as_ref()), &clock);
        let (fleets, samples) = self.fleets(&clock, boundary, sites.as_deref().unwrap_or(&[]))?;
        let draft = Draft {
            configs: self.configs()?,
            published: published?,
            warnings: Vec::new(),
            names: Names {
                name: file.name.get()?.place,
                seed: file.seed.get()?.place,
                policy: file.policy.get()?.place,
                fallback: file.fallback.get()?.as_ref().map_or(Place::NOWHERE, |name| name.place),
            },
            scenario: Scenario {
                name: file.name.get()?.value.clone(),
                seed: file.seed.get()?.value,
                rules: self.values.rules(),
                clock: Clock { boundary: boundary?, ..clock },
                currency: currency?,
                tariffs: tariffs?,
                population: Arc::default(),
                sites: sites?,
                system: system?,
                own_series: own_series?,
                grid: grid?.map(Arc::new),
                incentive: incentive?,
                samples,
                policy: policy?,
                planning: planning?,
                ev_ticks: ev_ticks?.unwrap_or(EvTicks::of_fleets(&fleets)),
                durability: durability?,
                fleets,
            },
        };
        self.warn(&draft.scenario);
        Some(draft)
    }

    fn configs(&self) -> Option<Configs> {
        let configs = self.file.policies.get()?.0.iter();
        Some(
            configs
                .map(|(key, config)| (key.name.clone(), (config.text.clone(), config.offset)))
                .collect(),
        )
    }

    fn planning(&self) -> Option<Planning> {
        self.file.planning.get().map(|planning| planning.value)
    }

    /// A day follows upon itself only if it is one, of 24 hours, and planned before it begins.
    fn boundary(&mut self, clock: &Clock) -> Option<Boundary> {
        let file = self.file.boundary.get()?;
        if file.value == Boundary::Open {
            return Some(Boundary::Open);
        }
        let day = clock.slots_per_24_hours();
        let wrong = if clock.slots != day || clock.local(0).time() != NaiveTime::MIN {
            (
                "a day that follows upon itself begins at midnight and lasts 24 hours",
                "set `clock` to one such day",
            )
        } else if self.planning()? != Planning::AtDayStart {
            (
                "a day that follows upon itself is planned before it begins",
                "add `planning: AtDayStart`",
            )
        } else {
            return Some(Boundary::Fold);
        };
        self.report.add_help(file.place, wrong.0.to_owned(), "not here", wrong.1);
        None
    }

    fn policy(&mut self) -> Option<PolicyChoice> {
        let file = self.file;
        let policy = file.policy.get();
        let fallback = file.fallback.get();
        for name in policy.into_iter().chain(fallback.into_iter().flatten()) {
            if name.trim().is_empty() {
                self.report.add(name.place, "a policy has no name", "empty");
            }
        }
        let policy = policy?;
        let configs = file.policies.get()?;
        let config = configs.position(policy).map(|index| &configs.0[index].1);
        Some(PolicyChoice {
            name: policy.value.clone(),
            config: config.map_or_else(String::new, |config| config.text.clone()),
            config_offset: config.map_or(0, |config| config.offset),
            fallback: fallback?.as_ref().map(|name| name.value.clone()),
        })
    }

    #[expect(clippy::option_option, reason = "the outer one says that a problem was reported")]
    fn ev_ticks(&mut self) -> Option<Option<EvTicks>> {
        Some(match &self.file.telemetry.get()?.ev_ticks {
            None => None,
            Some(EvTicksFile::Off) => Some(EvTicks::Off),
            Some(EvTicksFile::Changes) => Some(EvTicks::Changes),
            Some(EvTicksFile::Full) => Some(EvTicks::Full),
            Some(EvTicksFile::Sample(share)) if share.get() > 0.0 => {
                Some(EvTicks::Sample(share.get()))
            }
            Some(EvTicksFile::Sample(share)) => {
                let help = "write `Off` to record nothing";
                self.report.add_help(
                    share.place,
                    "a sample of no car at all".to_owned(),
                    "must be above 0",
                    help,
                );
                return None;
            }
        })
    }

    fn durability(&mut self) -> Option<Durability> {
        Some(match &self.file.run.get()?.durability {
            None | Some(DurabilityFile::Paced) => Durability::Paced,
            Some(DurabilityFile::Tick) => Durability::Tick,
            Some(DurabilityFile::Close) => Durability::Close,
            Some(DurabilityFile::Every(slots)) if slots.value.0 > 0 => {
                Durability::Every(slots.value.0)
            }
            Some(DurabilityFile::Every(slots)) => {
                let help = "write `Close` to do it only at the end";
                self.report.add_help(
                    slots.place,
                    "`Every(0)` slots is never".to_owned(),
                    "must be at least 1",
                    help,
                );
                return None;
            }
        })
    }

    fn system(&mut self, clock: &Clock) -> Option<SystemSeries> {
        let Some(system) = self.file.system.get()? else { return Some(SystemSeries::default()) };
        let base_load = self.power("base_load", &system.base_load, false, clock);
        let wind = self.power("wind", &system.wind, true, clock);
        let pv = self.power("pv", &system.pv, true, clock);
        let has = [("base_load", &base_load), ("wind", &wind), ("pv", &pv)]
            .map(|(name, series)| (name, series.as_ref().is_none_or(Option::is_some)));
        let forecasts = match &system.forecasts {
            Some(forecasts) => self.system_forecasts(forecasts, has, clock),
            None => Some(SystemForecasts::default()),
        };
        Some(SystemSeries { base_load: base_load?, wind: wind?, pv: pv?, forecasts: forecasts? })
    }

    /// The series that the world gives names.
    fn own_series(&mut self, clock: &Clock) -> Option<Vec<Series>> {
        let files = self.file.series.get()?;
        let series =
            files.0.iter().map(|(key, file)| self.power_series(&key.name, file, false, clock));
        // Every one is read, whatever is wrong with those before it.
        let series: Vec<Option<Series>> = series.collect();
        series.into_iter().collect()
    }

    /// What is known beforehand of the series that the system has, by their names.
    fn system_forecasts(
        &mut self,
        file: &SystemForecastsFile,
        has: [(&str, bool); 3],
        clock: &Clock,
    ) -> Option<SystemForecasts> {
        if self.file.grid.get().is_none_or(Option::is_some) {
            let message = "`system.forecasts` beside a `grid`".to_owned();
            let help = "give what is known of load as `grid.base_load_forecast`, and of wind and \
                        sun as the `forecast` of the units that have them";
            self.report.add_help(file.place, message, "forecasts stand with the grid", help);
            return None;
        }
        let forecasts = [&file.base_load, &file.wind, &file.pv];
        for ((name, has), forecast) in has.into_iter().zip(forecasts) {
            if !has && !matches!(forecast, ForecastFile::Perfect) {
                let message = format!("a forecast of `{name}`, and `system` has no `{name}`");
                self.report.add(file.place, message, "nothing to forecast");
                return None;
            }
        }
        let [base_load, wind, pv] =
            ["base_load", "wind", "pv"].map(|name| format!("system.forecasts.{name}"));
        let base_load = self.forecast(&base_load, &file.base_load, clock);
        let wind = self.forecast(&wind, &file.wind, clock);
        let pv = self.forecast(&pv, &file.pv, clock);
        let blend = match &file.blend {
            Some(blend) => self.slots("blend", blend, clock),
            None => {
                Some(NonZeroU32::new((4.0 / clock.slot_hours()) as u32).unwrap_or(NonZeroU32::MIN))
            }
        };
        Some(SystemForecasts { base_load: base_load?, wind: wind?, pv: pv?, blend: blend? })
    }

    #[expect(clippy::option_option, reason = "the outer one says that a problem was reported")]
    fn power(
        &mut self,
        name: &str,
        file: &Try<Option<OverTime<Kilowatts>>>,
        not_negative: bool,
        clock: &Clock,
    ) -> Option<Option<Series>> {
        let Some(power) = file.get()? else { return Some(None) };
        self.power_over_time(name, power, not_negative, clock).map(Some)
    }

    /// A power over time, kW a slot.
    fn power_over_time(
        &mut self,
        name: &str,
        power: &OverTime<Kilowatts>,
        not_negative: bool,
        clock: &Clock,
    ) -> Option<Series> {
        let values = self.over_time(power, Wanted { name, unit: "kW", not_negative, clock })?;
        Some(Series { name: name.to_owned(), unit: "kW".to_owned(), values })
    }

    /// A series of power, kW a slot.
    fn power_series(
        &mut self,
        name: &str,
        file: &SeriesFile,
        not_negative: bool,
        clock: &Clock,
    ) -> Option<Series> {
        let wanted = Wanted { name, unit: "kW", not_negative, clock };
        let values = self.series_of::<Kilowatts>(file, file.whole, wanted)?;
        Some(Series { name: name.to_owned(), unit: "kW".to_owned(), values })
    }

    /// The index of the tariff that a fleet names.
    fn tariff_index(&mut self, name: Option<&Spanned<String>>) -> Option<u32> {
        let Some(name) = name else { return Some(0) };
        let tariffs = self.file.tariffs.get()?;
        let index = tariffs.position(name);
        if index.is_none() {
            let help = suggest(name, "tariff", tariffs.names());
            let message = format!("tariff `{}` is not one of the world's `tariffs`", name.value);
            self.report.add_help(name.place, message, "no tariff has this name", help);
        }
        // The world's own tariff is number 0.
        index.map(|index| index as u32 + 1)
    }
}

fn currency(currency: &Spanned<String>, report: &mut Report) -> Option<String> {
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(currency.value.clone());
    }
    let message = format!("`{}` is not a currency code", currency.value);
    report.add_help(
        currency.place,
        message,
        "not a currency",
        "three capital letters, such as \"EUR\"",
    );
    None
}

fn clock(file: &ClockFile, report: &mut Report) -> Option<Clock> {
    let start = parse_wall_clock(&file.start).filter(|start| (1900..=2200).contains(&start.year()));
    if start.is_none() {
        let message =
            format!("`{}` is not a wall-clock time between 1900 and 2200", file.start.value);
        let help =
            "a start is written like \"2018-10-08T00:00\"; the time zone stands in `time_zone`";
        report.add_help(file.start.place, message, "not a time", help);
    }
    let zone = time_zone(Some(&file.time_zone), report).flatten();
    let seconds = file.step.0 * 3600.0;
    // Hours read from minutes are seldom whole seconds to the last bit.
    let whole = (60.0..=3600.0).contains(&seconds) && (seconds - seconds.round()).abs() < 1e-6;
    let step = if whole { seconds.round() as u32 } else { 0 };
    if step == 0 || 3600 % step != 0 {
        let help = "use 1, 5, 10, 15, 30 or 60 min";
        report.add_help(
            file.step.place,
            "a step must divide an hour".to_owned(),
            "not such a step",
            help,
        );
        return None;
    }
    if !(1..=DAYS_MAX).contains(&file.days.value.0) {
        let message = format!("a world lasts 1 to {DAYS_MAX} days, not {}", file.days.value.0);
        report.add(file.days.place, message, "out of range");
        return None;
    }
    match Clock::new(start?, zone?, step, file.days.value.0) {
        Ok(clock) => Some(clock),
        Err(error) => {
            report.add(file.place, error.to_string(), "this clock");
            None
        }
    }
}

/// The world's tariff comes first, under this name.
const WORLD_TARIFF: &str = "tariff";
