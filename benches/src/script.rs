//! What a run asked of its cars, tick by tick, so that another loop can be asked the same.

use std::{convert::Infallible, sync::Arc};
use voltide_journal::{
    event::{Event, Recorded},
    sink::Sink,
};
use voltide_model::{
    columns::{Ledger, TickColumns},
    id::EvId,
    scenario::Scenario,
};

/// What one tick asked.
#[derive(Debug, Clone, Default)]
pub struct Tick {
    /// Cars that left; the ledgers of their sessions are closed.
    pub unplugged: Vec<EvId>,
    /// Cars that came, and what they had stored, kWh.
    pub plugged: Vec<(EvId, f64)>,
    /// Cars whose set-point changed, and to what, kW.
    pub set_points: Vec<(u32, f64)>,
    /// Power of all cars, kW.
    pub total_kw: f64,
}

/// A sink that writes down what happened to the cars.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// One a tick.
    pub ticks: Vec<Tick>,
    /// Stored energy of each car at the end, kWh.
    pub energy_kwh: Vec<f64>,
    /// Ledger of each car at the end.
    pub ledger: Vec<Ledger>,
    power_kw: Vec<f64>,
    now: Tick,
}

impl Sink for Script {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        match &recorded.event {
            Event::SessionEnded(ended) => self.now.unplugged.extend(&ended.ev),
            Event::SessionStarted(started) => {
                let rows = started.ev.iter().copied().zip(started.energy_kwh.iter().copied());
                self.now.plugged.extend(rows);
            }
            _ => {}
        }
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, columns: &TickColumns<'_>) -> Result<(), Infallible> {
        self.power_kw.resize(columns.power_kw.len(), 0.0);
        for (ev, (before, &power)) in (0..).zip(self.power_kw.iter_mut().zip(columns.power_kw)) {
            // Only changes: most cars do in most slots what they did before.
            if before.to_bits() != power.to_bits() {
                self.now.set_points.push((ev, power));
                *before = power;
            }
        }
        self.now.total_kw = columns.system.ev_charge_kw - columns.system.ev_discharge_kw;
        self.ticks.push(std::mem::take(&mut self.now));
        if self.ticks.len() == crate::night::SLOTS as usize {
            self.energy_kwh = columns.energy_kwh.to_vec();
            self.ledger = columns.ledger.to_vec();
        }
        Ok(())
    }
}
