//! Flexibility wanted in a slot, by how net load really moved: only the slot after it tells.

use voltide_model::{
    columns::{FlexibilityTick, SystemTick, TickColumns},
    flexibility::{LastStep, demand},
    rules::Rules,
    scenario::Scenario,
    two_stage::Grid,
};

/// A slot as a row of `system_ticks` tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SettledSystem {
    pub(crate) tick: u32,
    pub(crate) system: SystemTick,
    /// Whether any driver is asked.
    pub(crate) drivers_asked: bool,
}

/// Holds a slot of a world with a plant back until it is known what followed.
#[derive(Debug, Default)]
pub(crate) struct Realised {
    /// The slot before, and its net load, kW.
    waiting: Option<(SettledSystem, f64)>,
    /// Net load of the day's first slot, which follows the last one where a day comes again, kW.
    day_first_kw: f64,
}

impl Realised {
    /// Takes in a slot, and adds those of which all is known by now to `known`.
    ///
    /// Up to [`Rules::V1`] demand is what plans made of it.
    pub(crate) fn settle(
        &mut self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
        known: &mut Vec<SettledSystem>,
    ) {
        let now = SettledSystem {
            tick: columns.tick,
            system: *columns.system,
            drivers_asked: !columns.agreed.is_empty(),
        };
        let Some(grid) = scenario.grid.as_ref().filter(|_| scenario.rules > Rules::V1) else {
            known.push(now);
            return;
        };
        let net_load_kw = net_load_kw(grid, columns);
        if let Some((before, before_kw)) = self.waiting.take() {
            known.push(followed_by(before, before_kw, net_load_kw));
        }
        if grid.rules.readings.last_step == LastStep::Wrap {
            let day = scenario.clock.local_day(columns.tick);
            if day.start == columns.tick {
                self.day_first_kw = net_load_kw;
            }
            if day.end == columns.tick + 1 {
                known.push(followed_by(now, net_load_kw, self.day_first_kw));
                return;
            }
        }
        self.waiting = Some((now, net_load_kw));
    }

    /// The run's last slot: what follows it is only planned.
    pub(crate) fn last(&mut self) -> Option<SettledSystem> {
        self.waiting.take().map(|(last, _)| last)
    }
}

/// A slot with the demand that its net load and that of the slot after it make, (15)-(18).
fn followed_by(mut slot: SettledSystem, now_kw: f64, next_kw: f64) -> SettledSystem {
    let flexibility = slot.system.flexibility;
    slot.system.flexibility =
        flexibility.map(|it| FlexibilityTick { demand: demand(now_kw, next_kw), ..it });
    slot
}

/// Net load (20) as it was settled, kW.
fn net_load_kw(grid: &Grid, columns: &TickColumns<'_>) -> f64 {
    let system = columns.system;
    let load_kw = system.base_load_kw + system.ev_charge_kw - system.ev_discharge_kw;
    grid.plant.net_of_unsteered(load_kw, |at, unit| match unit.unsteered() {
        Some(_) => columns.units[at].available_kw.unwrap_or(columns.units[at].output_kw),
        None => 0.0,
    })
}
