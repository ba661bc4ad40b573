//! Slack by name: what schedules of a plant could not keep, and when that first was so.

use crate::summary::SlackUsed;
use std::collections::BTreeMap;
use voltide_journal::event::SolveFinished;
use voltide_model::{
    columns::{FlexibilityTick, SystemTick},
    rounding::without_rounding,
    scenario::Scenario,
    unit::NOTHING_KW,
};

/// Slack that was used so far: kWh, and the slot in which it first was, by name.
#[derive(Default)]
pub(crate) struct Slack(BTreeMap<String, (f64, u32)>);

impl Slack {
    /// What a settled slot of so many hours lacks.
    pub(crate) fn settled(&mut self, tick: u32, system: &SystemTick, hours: f64) {
        self.add("unserved", tick, system.unserved_kw, hours);
        self.add("spilled", tick, system.spilled_kw, hours);
        let Some(flexibility) = system.flexibility.map(FlexibilityTick::without_rounding) else {
            return;
        };
        let missing = flexibility.margin().without_rounding().shortfall();
        self.add("margin_up", tick, missing.up, hours);
        self.add("margin_down", tick, missing.down, hours);
    }

    /// What a schedule plans without: each window counts what it looks at, so that what two windows
    /// see counts twice.
    pub(crate) fn planned(&mut self, scenario: &Scenario, tick: u32, solve: &SolveFinished) {
        let Some(grid) = &scenario.grid else { return };
        let prices = &grid.rules.prices;
        for (name, amount) in &solve.components {
            let price = match name.as_str() {
                "deviation" => prices.deviation,
                "terminal" => prices.terminal,
                "path" => prices.unserved,
                _ => continue,
            };
            let amount = without_rounding(amount.max(0.0), solve.objective.abs());
            // At no price nothing is known of it.
            if price > 0.0 {
                self.add(name, tick, amount / price, 1.0);
            }
        }
        let day_ahead = solve.stage == "day_ahead";
        let slots = if day_ahead { grid.rules.day_ahead_step.get() } else { 1 };
        let hours = scenario.clock.slot_hours() * f64::from(slots);
        for (_, wish, by) in &solve.unmet {
            // Ramps are broken by power, over a step; stores lack energy.
            let hours = if wish.starts_with("ramp") { hours } else { 1.0 };
            self.add(wish, tick, *by, hours);
        }
    }

    fn add(&mut self, name: &str, tick: u32, missing: f64, hours: f64) {
        if missing > NOTHING_KW {
            let (kwh, _) = self.0.entry(name.to_owned()).or_insert((0.0, tick));
            *kwh += missing * hours;
        }
    }

    /// All of it, by name.
    pub(crate) fn named(self, local_time: impl Fn(u32) -> String) -> Vec<SlackUsed> {
        let named = self.0.into_iter().map(|(name, (kwh, tick))| SlackUsed {
            name,
            kwh,
            tick,
            local_time: local_time(tick),
        });
        named.collect()
    }
}
