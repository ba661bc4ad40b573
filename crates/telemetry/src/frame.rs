//! What the engine's thread hands to the writer's, a tick at a time.

use crate::{
    groups::GroupTick,
    realised::SettledSystem,
    sessions::SessionRow,
    table::{events::EventRow, unit_ticks::Step},
    wanted::Cut,
};
use voltide_journal::event::{GroupSolved, SolveFinished, UnitsDispatched, WindowForeseen};
use voltide_model::{
    columns::{SiteTick, SystemTick, TickColumns, UnitTick},
    id::{EvId, StayId},
};

/// One tick, copied. Frames are used again and again, so that none is allocated in the long run.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// The slot that the columns are of; `None` before the tick is settled.
    pub(crate) tick: Option<u32>,
    /// The chain hash that the log has after it.
    pub(crate) chain_hash: Option<[u8; 32]>,
    /// Per recorded car: see [`TickColumns::stay`].
    pub(crate) stay: Vec<StayId>,
    /// Per recorded car: see [`TickColumns::energy_kwh`].
    pub(crate) energy_kwh: Vec<f64>,
    /// Per recorded car: see [`TickColumns::power_kw`].
    pub(crate) power_kw: Vec<f64>,
    /// Per recorded car: see [`TickColumns::price_per_kwh`].
    pub(crate) price_per_kwh: Vec<f64>,
    /// Per recorded car: see [`TickColumns::willingness`].
    pub(crate) willingness: Vec<f64>,
    /// Per recorded car: see [`TickColumns::agreed`].
    pub(crate) agreed: Vec<u8>,
    /// Sites, in the scenario's order.
    pub(crate) sites: Vec<SiteTick>,
    /// Fleets, then sites.
    pub(crate) groups: Vec<GroupTick>,
    /// Units of the balance.
    pub(crate) units: Vec<UnitTick>,
    /// What units were scheduled to do.
    pub(crate) planned: Vec<PlannedUnit>,
    /// Problems solved.
    pub(crate) solves: Vec<(u32, SolveFinished)>,
    /// Groups of cars that were planned together.
    pub(crate) planned_together: Vec<(u32, GroupSolved)>,
    /// What was foreseen of them, by the slot in which they were solved.
    pub(crate) foreseen: Vec<(u32, WindowForeseen)>,
    /// Paths of days, by the slot in which they were made.
    pub(crate) paths: Vec<(u32, UnitsDispatched)>,
    /// Slots of which all is known by now.
    pub(crate) settled: Vec<SettledSystem>,
    /// The system as a whole.
    pub(crate) system: SystemTick,
    /// Cars whose power was cut, recorded or not, ascending.
    pub(crate) cuts: Vec<Cut>,
    /// Cars that plugged in.
    pub(crate) plugged_in: Vec<PluggedIn>,
    /// The tick's events.
    pub(crate) events: Vec<EventRow>,
    /// Sessions that ended in the tick.
    pub(crate) sessions: Vec<SessionRow>,
    /// Whether a scenario begins to hold with this frame.
    pub(crate) begins: bool,
}

/// A car that plugged in, with stored energy in kWh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PluggedIn {
    pub(crate) ev: EvId,
    /// What its stay begins with.
    pub(crate) arrival_kwh: f64,
    /// What it wants at departure.
    pub(crate) departure_kwh: f64,
}

/// What a unit was scheduled to do in a step.
#[derive(Debug)]
pub(crate) struct PlannedUnit {
    pub(crate) step: Step,
    pub(crate) unit: UnitTick,
}

impl Frame {
    /// Copies the columns: of the cars `ids`, or of all; without cars if `cars` is false.
    pub(crate) fn copy(&mut self, columns: &TickColumns<'_>, cars: bool, ids: Option<&[EvId]>) {
        self.tick = Some(columns.tick);
        self.system = *columns.system;
        self.sites.extend_from_slice(columns.sites);
        self.units.extend_from_slice(columns.units);
        if cars {
            take(&mut self.stay, columns.stay, ids);
            take(&mut self.energy_kwh, columns.energy_kwh, ids);
            take(&mut self.power_kw, columns.power_kw, ids);
            take(&mut self.price_per_kwh, columns.price_per_kwh, ids);
            take(&mut self.willingness, columns.willingness, ids);
            take(&mut self.agreed, columns.agreed, ids);
        }
    }

    /// About how many rows of tables it becomes.
    pub(crate) fn rows(&self) -> usize {
        self.stay.len() + self.units.len() + self.planned.len() + self.events.len()
    }

    /// Makes the frame fit for another tick, keeping its memory.
    pub(crate) fn clear(&mut self) {
        self.tick = None;
        self.chain_hash = None;
        self.stay.clear();
        self.energy_kwh.clear();
        self.power_kw.clear();
        self.price_per_kwh.clear();
        self.willingness.clear();
        self.agreed.clear();
        self.sites.clear();
        self.groups.clear();
        self.units.clear();
        self.planned.clear();
        self.solves.clear();
        self.planned_together.clear();
        self.settled.clear();
        self.cuts.clear();
        self.foreseen.clear();
        self.paths.clear();
        self.plugged_in.clear();
        self.events.clear();
        self.sessions.clear();
        self.begins = false;
    }
}

/// Copies the values of the cars `ids`; nothing from a column that the run does not have.
fn take<T: Copy>(into: &mut Vec<T>, from: &[T], ids: Option<&[EvId]>) {
    match ids {
        None => into.extend_from_slice(from),
        Some(_) if from.is_empty() => {}
        Some(ids) => into.extend(ids.iter().map(|&id| from[id.row()])),
    }
}
