//! Tariffs: every form of price becomes one value a slot.

use super::{Resolver, WORLD_TARIFF};
use crate::{
    document::{Place, Report},
    file::{BandFile, SeriesFile, TariffFile, TimeOfUseFile},
    input::SeriesRequest,
    read::Spanned,
};
use chrono::Timelike;
use std::sync::Arc;
use voltide_model::{clock::Clock, physical, quantity::Price, scenario::Tariff, series::Series};

const DAY_MINUTES: u32 = 24 * 60;

impl Resolver<'_> {
    /// The world's tariff, then the named ones.
    pub(super) fn tariffs(&mut self, clock: &Clock) -> Option<Vec<Tariff>> {
        let file = self.file;
        let own = file.tariff.get().zip(file.feed_in.get());
        let mut tariffs =
            vec![own.and_then(|(buy, sell)| self.tariff(WORLD_TARIFF, buy, sell.as_deref(), clock))];
        for (key, tariff) in &file.tariffs.get()?.0 {
            if key.name == WORLD_TARIFF {
                let message = format!("a tariff cannot be called `{WORLD_TARIFF}`");
                self.report.add(key.place, message, "that is the world's own");
            }
            let tariff = tariff.get();
            tariffs.push(
                tariff.and_then(|tariff| self.tariff(&key.name, &tariff.buy, tariff.sell.as_deref(), clock)),
            );
        }
        tariffs.into_iter().collect()
    }

    fn tariff(
        &mut self,
        name: &str,
        buy: &TariffFile,
        sell: Option<&TariffFile>,
        clock: &Clock,
    ) -> Option<Tariff> {
        let bought = self.prices(&format!("{name}.buy"), buy, clock);
        let sold = match sell {
            Some(sell) => self.prices(&format!("{name}.sell"), sell, clock),
            None => bought.clone(),
        };
        let unit = self.unit()?;
        let series =
            |side: &str, values| Series { name: format!("{name}.{side}"), unit: unit.clone(), values };
        Some(Tariff { name: name.to_owned(), buy: series("buy", bought?), sell: series("sell", sold?) })
    }

    /// The unit of prices, as a series carries it.
    pub(super) fn unit(&self) -> Option<String> {
        Some(format!("{}/kWh", self.file.currency.get()?.value))
    }

    pub(super) fn prices(&mut self, name: &str, tariff: &TariffFile, clock: &Clock) -> Option<Arc<[f64]>> {
        match tariff {
            TariffFile::Fixed(price) => {
                let price = self.price(price)?;
                Some((0..clock.slots).map(|_| price).collect())
            }
            TariffFile::TimeOfUse(file) => self.time_of_use(file, clock),
            TariffFile::Series(file) => self.price_series(name, file, clock),
        }
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

    fn price_series(&mut self, name: &str, file: &SeriesFile, clock: &Clock) -> Option<Arc<[f64]>> {
        let factor = match format!("1 {}", file.unit.value).parse::<Price>() {
            Ok(one) => {
                self.check_currency(&one.currency, file.unit.place)?;
                one.per_kwh * file.scale.value
            }
            Err(error) => {
                let message = format!("the unit of `{name}`: {}", error.problem);
                let help = "prices have a unit such as \"EUR/MWh\"";
                self.report.add_help(file.unit.place, message, "not a unit of price", help);
                return None;
            }
        };
        let mut adder = 0.0;
        for (_, price) in &file.adders.0 {
            adder += self.price(price)?;
        }
        let unit = self.unit()?;
        let range = &physical::PRICE;
        let request =
            SeriesRequest { name, unit: &unit, file, factor, adder, not_negative: false, range, clock };
        self.values.series(request, self.report)
    }

    fn time_of_use(&mut self, file: &TimeOfUseFile, clock: &Clock) -> Option<Arc<[f64]>> {
        let default = self.price(&file.default);
        let bands: Vec<Option<Band>> = file
            .bands
            .iter()
            .map(|band| {
                let price = self.price(&band.price)?;
                let (from, to) = (minute(band.from.0), minute(band.to.0));
                Band::check(band, from, to, clock, self.report)?;
                Some(Band { from, to, price, place: band.place })
            })
            .collect();
        let bands: Vec<Band> = bands.into_iter().collect::<Option<_>>()?;
        check_overlaps(&bands, self.report)?;
        let default = default?;
        let price = |slot: u32| {
            let time = clock.local(slot).time();
            let minute = time.hour() * 60 + time.minute();
            bands.iter().find(|band| band.contains(minute)).map_or(default, |band| band.price)
        };
        Some((0..clock.slots).map(price).collect())
    }
}

fn minute(hours: f64) -> u32 {
    (hours * 60.0).round() as u32
}

/// A part of the day, in minutes since midnight.
#[derive(Debug, Clone, Copy)]
struct Band {
    from: u32,
    to: u32,
    price: f64,
    place: Place,
}

impl Band {
    fn contains(&self, minute: u32) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// Whether the band has a length, and its edges fall between slots.
    fn check(band: &BandFile, from: u32, to: u32, clock: &Clock, report: &mut Report) -> Option<()> {
        if from == to {
            let help = "a price for the whole day is the `default`";
            report.add_help(band.place, "a band ends when it begins".to_owned(), "empty", help);
            return None;
        }
        for (edge, place) in [(from, band.from.place), (to, band.to.place)] {
            if let Some(slot) = (0..clock.slots).find(|&slot| splits(clock, slot, edge)) {
                let time = clock.local(slot).format("%H:%M");
                let message =
                    format!("{:02}:{:02} lies within the slot that begins at {time}", edge / 60, edge % 60);
                let help = "edges of bands must fall between slots: move it, or shorten `clock.step`";
                report.add_help(place, message, "within a slot", help);
                return None;
            }
        }
        Some(())
    }
}

/// Whether the wall clock shows `edge` within `slot`, after its beginning.
fn splits(clock: &Clock, slot: u32, edge: u32) -> bool {
    let start = clock.local(slot).time().num_seconds_from_midnight();
    let ahead = (edge * 60 + DAY_MINUTES * 60 - start) % (DAY_MINUTES * 60);
    ahead > 0 && ahead < clock.slot_seconds
}

fn check_overlaps(bands: &[Band], report: &mut Report) -> Option<()> {
    for (index, band) in bands.iter().enumerate() {
        let earlier = &bands[..index];
        if earlier.iter().any(|other| other.contains(band.from) || band.contains(other.from)) {
            report.add(band.place, "this band overlaps an earlier one", "which price holds?");
            return None;
        }
    }
    Some(())
}
