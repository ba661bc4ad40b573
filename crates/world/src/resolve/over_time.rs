//! Values over time: every form of them becomes one number a slot, here and nowhere else.

use super::Resolver;
use crate::{
    dialect::Report,
    input::SeriesRequest,
    over_time::{Amount, BandFile, OverTime, SeriesFile, TimeOfUseFile, Value},
    ranges::Limits,
};
use chrono::{Month, NaiveDateTime, NaiveTime, Timelike, Weekday};
use ron_places::{Place, Spanned};
use std::sync::Arc;
use voltide_model::{clock::Clock, physical, quantity::Price};

const DAY_MINUTES: u32 = 24 * 60;

/// What a value over time is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Its name in the scenario, which is its path in the world.
    pub(super) name: &'a str,
    /// Unit of the numbers: "kW", "EUR/kWh".
    pub(super) unit: &'a str,
    /// Whether negative numbers are wrong.
    pub(super) not_negative: bool,
    /// The slots.
    pub(super) clock: &'a Clock,
}

impl Resolver<'_> {
    /// One number a slot.
    pub(super) fn over_time<Q: Amount>(
        &mut self,
        value: &OverTime<Q>,
        wanted: Wanted<'_>,
    ) -> Option<Arc<[f64]>> {
        match value {
            OverTime::Fixed(value) => {
                let number = self.number(value, wanted)?;
                Some((0..wanted.clock.slots).map(|_| number).collect())
            }
            OverTime::TimeOfUse(file) => self.time_of_use(file, wanted),
            OverTime::Series(file) => self.series_of::<Q>(file, file.whole, wanted),
        }
    }

    /// The number of a value that holds where it is written.
    fn number<Q: Amount>(&mut self, value: &Spanned<Q>, wanted: Wanted<'_>) -> Option<f64> {
        if let Some(currency) = value.currency() {
            self.check_currency(currency, value.place)?;
        }
        let number = value.number();
        if wanted.not_negative && number < 0.0 {
            let message = format!("`{}` is negative", wanted.name);
            self.report.add(value.place, message, "must be at least 0");
            return None;
        }
        self.report.within(Q::RANGE, wanted.name, number, value.place)
    }

    /// The price per kWh, if it is in the world's currency.
    pub(super) fn price(&mut self, price: &Spanned<Price>) -> Option<f64> {
        self.check_currency(&price.currency, price.place)?;
        self.report.within(&physical::PRICE, "price", price.per_kwh, price.place)
    }

    fn check_currency(&mut self, found: &str, place: Place) -> Option<()> {
        let expected = &self.file.currency.get()?.value;
        if found == expected {
            return Some(());
        }
        let message = format!("a price in {found}, but the world's currency is {expected}");
        self.report.add_help(place, message, "another currency", format!("give it in {expected}"));
        None
    }

    /// The numbers of a file, with what is added to them. `whole` is the place of the value over
    /// time that they are for: where a fork changes anything of it, files are read for all of it.
    pub(super) fn series_of<Q: Amount>(
        &mut self,
        file: &SeriesFile,
        whole: Place,
        wanted: Wanted<'_>,
    ) -> Option<Arc<[f64]>> {
        let one = match Q::one(&file.unit.value) {
            Ok(one) => one,
            Err(error) => {
                let message = format!("the unit of `{}`: {}", wanted.name, error.problem);
                let label = format!("not a unit of {}", Q::UNITS);
                let help = unit_help(Q::UNITS);
                self.report.add_help(file.unit.place, message, &label, help);
                return None;
            }
        };
        if let Some(currency) = one.currency() {
            self.check_currency(currency, file.unit.place)?;
        } else if let Some((key, _)) = file.adders.0.first() {
            let message = format!("`{}` is power, and only prices have `adders`", wanted.name);
            self.report.add_help(key.place, message, "not a price", "remove `adders`");
            return None;
        }
        let Wanted { name, unit, not_negative, clock } = wanted;
        let factor = one.number() * file.scale.value;
        let adder = self.fixed_adders(file)?;
        let range = Q::RANGE;
        let request =
            SeriesRequest { name, unit, file, whole, factor, adder, not_negative, range, clock };
        let values = self.values.series(request, self.report)?;
        // A journal has the sums alone, from which no addend can be told.
        if self.values.tells_sums(whole, self.report) {
            return Some(values);
        }
        self.with_adders(values, file, whole, wanted)
    }

    /// The sum of the adders that are the same at all times.
    fn fixed_adders(&mut self, file: &SeriesFile) -> Option<f64> {
        let mut sum = 0.0;
        for (_, adder) in &file.adders.0 {
            if let OverTime::Fixed(price) = adder {
                sum += self.price(price)?;
            }
        }
        Some(sum)
    }

    /// The values, and in every slot what the adders that change over time are there.
    fn with_adders(
        &mut self,
        mut values: Arc<[f64]>,
        file: &SeriesFile,
        whole: Place,
        wanted: Wanted<'_>,
    ) -> Option<Arc<[f64]>> {
        for (key, adder) in &file.adders.0 {
            let name = format!("{}.adders.{}", wanted.name, key.name);
            let wanted = Wanted { name: &name, ..wanted };
            let more = match adder {
                OverTime::Fixed(_) => continue,
                OverTime::TimeOfUse(file) => self.time_of_use(file, wanted)?,
                OverTime::Series(file) => self.series_of::<Price>(file, whole, wanted)?,
            };
            values = values.iter().zip(more.iter()).map(|(value, more)| value + more).collect();
        }
        Some(values)
    }

    fn time_of_use<Q: Amount>(
        &mut self,
        file: &TimeOfUseFile<Q>,
        wanted: Wanted<'_>,
    ) -> Option<Arc<[f64]>> {
        let Value(default) = &file.default;
        let default = self.number(default, wanted);
        let bands: Vec<Option<Band<'_, Q>>> = file
            .bands
            .iter()
            .map(|band| {
                let number = self.number(&band.value, wanted)?;
                Band::of(band, number, wanted.clock, self.report)
            })
            .collect();
        let bands: Vec<Band<'_, Q>> = bands.into_iter().collect::<Option<_>>()?;
        check_overlaps(&bands, self.report)?;
        // Not before the bands are checked: what is wrong with them is to be told as well.
        let default = default?;
        let number = |slot: u32| {
            let at = wanted.clock.local(slot);
            bands.iter().find(|band| band.holds(at)).map_or(default, |band| band.number)
        };
        Some((0..wanted.clock.slots).map(number).collect())
    }
}

/// What would be a unit.
fn unit_help(what: &str) -> &'static str {
    if what == "price" {
        "prices have a unit such as \"EUR/MWh\""
    } else {
        "a series of power has a unit such as \"MW\" (W, kW, MW or GW)"
    }
}

/// A band, in minutes since midnight.
#[derive(Debug)]
struct Band<'a, Q: Amount> {
    from: u32,
    to: u32,
    number: f64,
    file: &'a BandFile<Q>,
}

impl<'a, Q: Amount> Band<'a, Q> {
    /// The band, if it has a length, and its edges fall between slots.
    fn of(file: &'a BandFile<Q>, number: f64, clock: &Clock, report: &mut Report) -> Option<Self> {
        let edge = |edge: &Option<Spanned<_>>, default| edge.as_ref().map_or(default, minute);
        let (from, to) = (edge(&file.from, 0), edge(&file.to, DAY_MINUTES));
        if from == to {
            let help = "a value for the whole day has neither `from` nor `to`; one for every day \
                        is the `default`";
            report.add_help(file.place, "a band ends when it begins".to_owned(), "empty", help);
            return None;
        }
        for (edge, given) in [(from, &file.from), (to, &file.to)] {
            let Some(given) = given else { continue };
            // All slots are asked, since a change of the clocks by less than a slot moves every
            // later one.
            if let Some(slot) = (0..clock.slots).find(|&slot| splits(clock, slot, edge)) {
                let time = clock.local(slot).format("%H:%M");
                let message = format!(
                    "{:02}:{:02} lies within the slot that begins at {time}",
                    edge / 60,
                    edge % 60
                );
                let help =
                    "edges of bands must fall between slots: move it, or shorten `clock.step`";
                report.add_help(given.place, message, "within a slot", help);
                return None;
            }
        }
        Some(Self { from, to, number, file })
    }

    /// Whether the band holds at a moment of the wall clock. One across midnight belongs to the day
    /// on which it begins.
    fn holds(&self, at: NaiveDateTime) -> bool {
        let minute = at.hour() * 60 + at.minute();
        if self.from < self.to {
            return (self.from..self.to).contains(&minute) && self.file.begins_on(at.date());
        }
        let begun_before = || at.date().pred_opt().is_some_and(|date| self.file.begins_on(date));
        minute >= self.from && self.file.begins_on(at.date()) || minute < self.to && begun_before()
    }

    /// The minutes of a day in which it holds.
    fn minutes(&self, day: Day) -> impl Iterator<Item = (u32, u32)> {
        let begins = |day: Weekday, month: u32| {
            self.file.days.contain(day) && self.file.months.contain(month)
        };
        let end = if self.from < self.to { self.to } else { DAY_MINUTES };
        let of_today = begins(day.weekday, day.month).then_some((self.from, end));
        let spills = self.to < self.from && begins(day.weekday.pred(), day.month_before);
        of_today.into_iter().chain(spills.then_some((0, self.to)))
    }
}

fn minute(time: &Spanned<voltide_model::quantity::TimeOfDay>) -> u32 {
    // Times of day are kept in hours, in which most minutes are not exact.
    (time.0 * 60.0).round() as u32
}

/// Whether the wall clock shows `edge` within `slot`, after its beginning.
fn splits(clock: &Clock, slot: u32, edge: u32) -> bool {
    let start = clock.local(slot).time().num_seconds_from_midnight();
    // Around midnight: an edge at 24:00 is one at 00:00.
    let ahead = (edge * 60 + DAY_MINUTES * 60 - start) % (DAY_MINUTES * 60);
    ahead > 0 && ahead < clock.slot_seconds
}

/// A day as bands tell days apart.
#[derive(Debug, Clone, Copy)]
struct Day {
    weekday: Weekday,
    month: u32,
    /// The month of the day before.
    month_before: u32,
}

/// Every day that differs for bands: any day of the week in any month, and the first one of it.
fn all_days() -> impl Iterator<Item = Day> {
    let weekdays = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
    weekdays.flat_map(|weekday| {
        (0..12).flat_map(move |month| {
            [month, (month + 11) % 12].map(move |month_before| Day { weekday, month, month_before })
        })
    })
}

/// Reports the first two bands that hold at one moment of some day.
fn check_overlaps<Q: Amount>(bands: &[Band<'_, Q>], report: &mut Report) -> Option<()> {
    // Also days that this run does not have, so that a sound world stays so when its clock is
    // moved.
    for day in all_days() {
        let mut held: Vec<(u32, u32, usize)> = Vec::new();
        for (index, band) in bands.iter().enumerate() {
            held.extend(band.minutes(day).map(|(from, to)| (from, to, index)));
        }
        held.sort_unstable();
        let Some(pair) = held.windows(2).find(|pair| pair[1].0 < pair[0].1) else { continue };
        let later = &bands[pair[0].2.max(pair[1].2)];
        let at =
            NaiveTime::from_num_seconds_from_midnight_opt(pair[1].0 * 60, 0).unwrap_or_default();
        let month = Month::try_from(day.month as u8 + 1).map_or("", |month| month.name());
        let message = "this band overlaps an earlier one";
        let help = format!(
            "both hold at {} on a {} in {month}",
            at.format("%H:%M"),
            long_name(day.weekday)
        );
        report.add_help(later.file.place, message.to_owned(), "which value holds?", help);
        return None;
    }
    Some(())
}

fn long_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}
