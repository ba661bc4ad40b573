//! Incentive prices: checked by forming them once, so that no run finds out later.

use super::Resolver;
use crate::{
    file::{ExpectedPriceFile, IncentiveFile, PriceFeedbackFile},
    ranges::Limits,
    values::Count,
};
use ron_places::{Place, Spanned};
use std::num::NonZeroU32;
use voltide_model::{
    clock::Clock,
    foresight::Foresight,
    physical,
    price::{ExpectedPrice, IncentiveRule, LocalDays, NetLoadSignal, PriceError, PriceFeedback},
    scenario::{Incentive, SystemSeries},
    two_stage::Grid,
};

impl Resolver<'_> {
    /// How prices follow net load, if they do; `system`, with its plant, is `None` where a problem
    /// with either was reported.
    #[expect(clippy::option_option, reason = "the outer one says that a problem was reported")]
    pub(super) fn incentive(
        &mut self,
        system: Option<(&SystemSeries, &Option<Grid>)>,
        clock: &Clock,
    ) -> Option<Option<Incentive>> {
        let world = self.file;
        let Some(file) = world.incentive.get()? else { return Some(None) };
        let rule = self.rule(file);
        let expected = self.expected_price(&file.expected_price);
        let feedback = self.feedback(&file.price_feedback);
        let formed = system.and_then(|system| self.check_net_load(file.place, rule, system, clock));
        // Not before rule, price and feedback are read: what is wrong with them is to be told as
        // well.
        formed?;
        Some(Some(Incentive { rule: rule?, expected: expected?, feedback: feedback? }))
    }

    fn rule(&mut self, file: &IncentiveFile) -> Option<IncentiveRule> {
        let floor = match &file.floor {
            Some(price) => Some(self.price(price)?),
            None => None,
        };
        let rule = IncentiveRule { rho: file.rho.value, floor };
        match rule.check() {
            Ok(()) => {
                self.report.within(&physical::RHO, "rho", rule.rho, file.rho.place).map(|_| rule)
            }
            Err(error) => self.refuse(file.rho.place, &error),
        }
    }

    fn expected_price(&mut self, file: &ExpectedPriceFile) -> Option<ExpectedPrice> {
        let (expected, place) = match file {
            ExpectedPriceFile::Proportional(kappa) => {
                (ExpectedPrice::Proportional(kappa.value), kappa.place)
            }
            ExpectedPriceFile::Fixed(price) => {
                (ExpectedPrice::Fixed(self.price(price)?), price.place)
            }
        };
        match (expected.check(), expected) {
            (Ok(()), ExpectedPrice::Proportional(kappa)) => {
                let within =
                    self.report.within(&physical::EXPECTED_PRICE, "expected_price", kappa, place);
                within.map(|_| expected)
            }
            (Ok(()), ExpectedPrice::Fixed(_)) => Some(expected),
            (Err(error), _) => self.refuse(place, &error),
        }
    }

    fn refuse<T>(&mut self, place: Place, error: &PriceError) -> Option<T> {
        self.report.add(place, format!("`incentive`: {error}"), "out of range");
        None
    }

    fn feedback(&mut self, file: &PriceFeedbackFile) -> Option<PriceFeedback> {
        match file {
            PriceFeedbackFile::None => Some(PriceFeedback::None),
            PriceFeedbackFile::Batch(cars) => self.batch(cars),
        }
    }

    fn batch(&mut self, cars: &Spanned<Count>) -> Option<PriceFeedback> {
        let batch = NonZeroU32::new(cars.value.0).map(PriceFeedback::Batch);
        if batch.is_none() {
            let help = "write `None` for prices that know of no cars";
            self.report.add_help(
                cars.place,
                "a batch of no cars".to_owned(),
                "must be at least 1",
                help,
            );
        }
        batch
    }

    /// Forms prices for all days that plans may reach to; where they go by forecasts, those of
    /// every day.
    fn check_net_load(
        &mut self,
        place: Place,
        rule: Option<IncentiveRule>,
        (system, grid): (&SystemSeries, &Option<Grid>),
        clock: &Clock,
    ) -> Option<()> {
        if system.base_load.is_none() {
            let message = "`incentive` needs a base load: prices follow net load, whose mean over \
                           every day must be above 0 kW";
            let help = "add for example\nsystem: (base_load: (path: \"data/series.csv\", column: \"load_mw\", \
                        unit: \"MW\")),";
            self.report.add_help(place, message.to_owned(), "no net load to follow", help);
            return None;
        }
        let day = clock.slots_per_24_hours();
        // Plans reach two days beyond the last slot at most.
        let days = LocalDays::covering(clock, clock.slots.saturating_add(2 * day));
        let net_load_kw: Vec<f64> = system.net_load_kw(0..days.slots(), day).collect();
        let rule = rule?;
        let seed = self.file.seed.get()?.value;
        let foresight = Foresight::new(system, grid.as_ref(), clock, seed, self.values.rules());
        let formed = rule.signal(&net_load_kw, &days);
        let formed = formed.and_then(|signal| {
            if foresight.is_perfect() {
                return Ok(());
            }
            form_by_forecasts(foresight, rule, (signal, net_load_kw), &days, clock.slots)
        });
        if let Err(error) = formed {
            self.report.add(place, error.to_string(), "these prices cannot be formed");
            return None;
        }
        Some(())
    }
}

/// Forms the prices of every day of `slots` by what is known when it begins.
fn form_by_forecasts(
    foresight: Foresight,
    rule: IncentiveRule,
    (mut signal, mut net_load_kw): (NetLoadSignal, Vec<f64>),
    days: &LocalDays,
    slots: u32,
) -> Result<(), PriceError> {
    let begin = (0..days.len()).map(|day| days.range(day).start as u32);
    for tick in begin.take_while(|&tick| tick < slots) {
        let (of, known_kw) = foresight.of_prices(days, tick);
        net_load_kw[of.start as usize..of.end as usize].copy_from_slice(&known_kw);
        signal.refresh(&rule, &net_load_kw, days, of)?;
    }
    Ok(())
}
