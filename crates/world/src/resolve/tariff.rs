//! Tariffs: what is paid for energy bought, and for energy fed in.

use super::{Resolver, WORLD_TARIFF, over_time::Wanted};
use crate::over_time::OverTime;
use std::sync::Arc;
use voltide_model::{clock::Clock, quantity::Price, scenario::Tariff, series::Series};

impl Resolver<'_> {
    /// The world's tariff, then the named ones.
    pub(super) fn tariffs(&mut self, clock: &Clock) -> Option<Vec<Tariff>> {
        let file = self.file;
        let own = file.tariff.get().zip(file.feed_in.get());
        let mut tariffs = vec![
            own.and_then(|(buy, sell)| self.tariff(WORLD_TARIFF, buy, sell.as_deref(), clock)),
        ];
        for (key, tariff) in &file.tariffs.get()?.0 {
            if key.name == WORLD_TARIFF {
                let message = format!("a tariff cannot be called `{WORLD_TARIFF}`");
                self.report.add(key.place, message, "that is the world's own");
            }
            let tariff = tariff.get();
            tariffs.push(tariff.and_then(|tariff| {
                self.tariff(&key.name, &tariff.buy, tariff.sell.as_deref(), clock)
            }));
        }
        tariffs.into_iter().collect()
    }

    fn tariff(
        &mut self,
        name: &str,
        buy: &OverTime<Price>,
        sell: Option<&OverTime<Price>>,
        clock: &Clock,
    ) -> Option<Tariff> {
        let bought = self.prices(&format!("{name}.buy"), buy, clock);
        let sold = match sell {
            Some(sell) => self.prices(&format!("{name}.sell"), sell, clock),
            None => bought.clone(),
        };
        let unit = self.unit()?;
        let series = |side: &str, values| Series {
            name: format!("{name}.{side}"),
            unit: unit.clone(),
            values,
        };
        Some(Tariff {
            name: name.to_owned(),
            buy: series("buy", bought?),
            sell: series("sell", sold?),
        })
    }

    /// The unit of prices, as a series carries it.
    pub(super) fn unit(&self) -> Option<String> {
        Some(format!("{}/kWh", self.file.currency.get()?.value))
    }

    /// Prices in the world's currency, one a slot.
    pub(super) fn prices(
        &mut self,
        name: &str,
        prices: &OverTime<Price>,
        clock: &Clock,
    ) -> Option<Arc<[f64]>> {
        let unit = self.unit()?;
        self.over_time(prices, Wanted { name, unit: &unit, not_negative: false, clock })
    }
}
