//! The tables that are always full, each filled from frames.

use crate::{
    column::Table,
    error::TelemetryError,
    file::{Place, WrittenFile},
    frame::{EventRow, Frame},
    rows::{Cell, RowTable},
    sessions::SessionRow,
    summary::{RunStatus, Summary, unit_cost},
    table,
    world_hash::world_hash,
};
use std::sync::Arc;
use voltide_journal::event::{RunForked, RunStarted, SolveFinished};
use voltide_model::{
    columns::{FlexibilityTick, SiteTick, SystemTick, UnitTick, slot_micros},
    flexibility::UpDown,
    scenario::Scenario,
};

/// The stage of everything that was settled.
const SETTLED: Cell<'_> = Cell::Text("settled");

/// The tables that are always full.
pub(crate) struct Tables {
    scenario: Arc<Scenario>,
    unit_names: Vec<String>,
    runs: RowTable,
    events: RowTable,
    sessions: RowTable,
    system_ticks: RowTable,
    unit_ticks: RowTable,
    site_ticks: RowTable,
    costs: RowTable,
    solves: RowTable,
}

impl Tables {
    /// Begins all files in a place.
    pub(crate) fn create(place: &Place, scenario: Arc<Scenario>) -> Result<Self, TelemetryError> {
        let create = |table: &'static Table| RowTable::create(place, table);
        Ok(Self {
            unit_names: scenario.unit_names(),
            scenario,
            runs: create(&table::RUNS)?,
            events: create(&table::EVENTS)?,
            sessions: create(&table::SESSIONS)?,
            system_ticks: create(&table::SYSTEM_TICKS)?,
            unit_ticks: create(&table::UNIT_TICKS)?,
            site_ticks: create(&table::SITE_TICKS)?,
            costs: create(&table::COSTS)?,
            solves: create(&table::SOLVES)?,
        })
    }

    /// From here on another scenario holds.
    pub(crate) fn forked(&mut self, scenario: &Arc<Scenario>) {
        self.scenario = Arc::clone(scenario);
    }

    /// Adds the rows of a frame.
    pub(crate) fn frame(&mut self, frame: &Frame) -> Result<(), TelemetryError> {
        frame.events.iter().try_for_each(|event| self.event(event))?;
        frame.sessions.iter().try_for_each(|session| self.session(session))?;
        frame.planned.iter().try_for_each(|it| {
            self.unit(
                it.slot,
                it.stage.into(),
                it.hours,
                &it.unit,
                it.unit.cost.map(|cost| cost.total()),
            )
        })?;
        frame.solves.iter().try_for_each(|(tick, solve)| self.solve(*tick, solve))?;
        let Some(tick) = frame.tick else { return Ok(()) };
        self.system(tick, &frame.system, frame.drivers_asked)?;
        let hours = self.scenario.clock.slot_hours();
        frame.units.iter().try_for_each(|unit| {
            self.unit(tick, SETTLED, hours, unit, unit_cost(unit, &frame.system, hours))
        })?;
        (0..).zip(&frame.sites).try_for_each(|(id, site)| self.site(tick, id, site))
    }

    fn ts(&self, slot: u32) -> Cell<'static> {
        Cell::Time(slot_micros(&self.scenario.clock, slot))
    }

    fn event(&mut self, event: &EventRow) -> Result<(), TelemetryError> {
        self.events.push(&[
            event.seq.into(),
            self.ts(event.tick),
            event.tick.into(),
            event.kind.into(),
            event.entity.as_ref().map(|entity| entity.kind).into(),
            event.entity.as_ref().map(|entity| entity.id.as_str()).into(),
            event.session_id.into(),
            event.cause_seq.into(),
            event.payload.as_str().into(),
        ])
    }

    /// Adds a session that ended, or that is open at the end.
    pub(crate) fn session(&mut self, row: &SessionRow) -> Result<(), TelemetryError> {
        let (plugged_at, unplugged_at) = row.times(&self.scenario.clock);
        self.sessions.push(&[
            Cell::Int(row.session.into()),
            row.ev.into(),
            row.charger.into(),
            Cell::Time(plugged_at),
            unplugged_at.map_or(Cell::Null, Cell::Time),
            row.soc_arrival.into(),
            row.soc_target.into(),
            row.soc_departure.into(),
            row.bill.ledger.charged_kwh.into(),
            row.bill.ledger.discharged_kwh.into(),
            row.driven_kwh.into(),
            row.bill.ledger.energy_cost.into(),
            row.bill.ledger.v2g_revenue.into(),
            row.bill.degradation_cost.into(),
            row.bill.net_cost().into(),
            row.v2g_eligible.into(),
            row.missed.map(|missed| missed.reason).into(),
            row.reservations.map(|(all, _)| all).into(),
            row.reservations.map(|(_, met)| met).into(),
            self.scenario.fleets[row.fleet].name.as_str().into(),
            row.slots.into(),
            row.missing_kwh().into(),
            row.car.into(),
            row.bill.stored_kwh.into(),
            row.bill.drawn_kwh.into(),
            row.requested_kwh.into(),
        ])
    }

    fn system(
        &mut self,
        tick: u32,
        system: &SystemTick,
        drivers_asked: bool,
    ) -> Result<(), TelemetryError> {
        let incentive = system.incentive.as_ref();
        let flexibility = system.flexibility.map(FlexibilityTick::without_rounding);
        let margin = flexibility.map(|it| it.margin().without_rounding());
        self.system_ticks.push(&[
            self.ts(tick),
            tick.into(),
            SETTLED,
            system.base_load_kw.into(),
            system.wind_available_kw.into(),
            system.wind_kw.into(),
            system.pv_available_kw.into(),
            system.pv_kw.into(),
            system.ev_charge_kw.into(),
            system.ev_discharge_kw.into(),
            system.net_load_kw().into(),
            incentive.map(|of| of.net_load_kw).into(),
            incentive.map(|of| of.net_load_mean_kw).into(),
            system.tou_price_per_kwh.into(),
            incentive.map(|of| of.price_per_kwh).into(),
            incentive.map(|of| of.ratio).into(),
            flexibility.map(|it| it.demand.up).into(),
            flexibility.map(|it| it.demand.down).into(),
            flexibility.map(|it| it.supply.up).into(),
            flexibility.map(|it| it.supply.down).into(),
            margin.map(|it| it.up).into(),
            margin.map(|it| it.down).into(),
            system.curtailed_kw().into(),
            flexibility.map(|_| system.interrupted_kw).into(),
            flexibility.map(|_| system.unserved_kw).into(),
            system.residual_kw().into(),
            system.plugged.into(),
            drivers_asked.then_some(system.agreed).into(),
            self.scenario.clock.slot_hours().into(),
            flexibility.map(|_| system.spilled_kw).into(),
        ])
    }

    fn unit(
        &mut self,
        tick: u32,
        stage: Cell<'_>,
        hours: f64,
        unit: &UnitTick,
        cost: Option<f64>,
    ) -> Result<(), TelemetryError> {
        let flexibility = unit.flexibility.map(UpDown::without_rounding);
        self.unit_ticks.push(&[
            self.ts(tick),
            tick.into(),
            stage,
            unit.unit.into(),
            unit.kind.name().into(),
            unit.output_kw.into(),
            unit.charge_kw.into(),
            unit.charge_kw.map(|charge| unit.output_kw + charge).into(),
            unit.available_kw.into(),
            unit.available_kw.map(|available| available - unit.output_kw).into(),
            unit.energy_kwh.into(),
            flexibility.map(|it| it.up).into(),
            flexibility.map(|it| it.down).into(),
            cost.into(),
            self.unit_names[unit.unit as usize].as_str().into(),
            hours.into(),
        ])
    }

    fn solve(&mut self, tick: u32, solve: &SolveFinished) -> Result<(), TelemetryError> {
        let relative =
            |bound: f64| (solve.objective - bound).abs() / solve.objective.abs().max(1.0);
        let gap = solve.bound.map(relative);
        self.solves.push(&[
            tick.into(),
            solve.stage.as_str().into(),
            solve.solver.as_str().into(),
            solve.status.as_str().into(),
            solve.objective.into(),
            solve.bound.into(),
            gap.into(),
            solve.variables.into(),
            solve.integers.into(),
            solve.constraints.into(),
        ])
    }

    fn site(&mut self, tick: u32, id: u32, row: &SiteTick) -> Result<(), TelemetryError> {
        let site = &self.scenario.sites[id as usize];
        self.site_ticks.push(&[
            self.ts(tick),
            tick.into(),
            id.into(),
            row.power_kw.into(),
            site.import_limit.0.into(),
            row.asked_kw.into(),
            row.plugged.into(),
            site.name.as_str().into(),
            self.scenario.clock.slot_hours().into(),
        ])
    }

    /// Adds what the run cost.
    pub(crate) fn costs(&mut self, summary: &Summary) -> Result<(), TelemetryError> {
        let none: Option<u32> = None;
        let system =
            summary.unit_costs.iter().map(|it| ("settled", it.component, Some(it.unit), it.amount));
        let unserved = summary.system_cost.map(|cost| ("settled", "unserved", none, cost.unserved));
        let outside = self.scenario.grid.is_none().then_some(summary.import_export_cost);
        let outside = outside.map(|amount| ("settled", "import_export", none, amount));
        let drivers = [
            ("drivers", "ev_energy", none, summary.energy_cost),
            ("drivers", "ev_v2g_revenue", none, 0.0 - summary.v2g_revenue),
            ("drivers", "ev_degradation", none, summary.degradation_cost),
        ];
        let currency = self.scenario.currency.as_str().into();
        let components = system.chain(unserved).chain(outside).chain(drivers);
        for (stage, component, unit, amount) in components {
            self.costs.push(&[
                stage.into(),
                component.into(),
                unit.into(),
                amount.into(),
                currency,
            ])?;
        }
        Ok(())
    }

    /// Adds the one row of `runs`; the last thing before closing.
    pub(crate) fn run(
        &mut self,
        started: &RunStarted,
        forked: Option<&RunForked>,
        summary: &Summary,
        status: &RunStatus,
    ) -> Result<(), TelemetryError> {
        let rows: u64 = self.all().iter().map(|table| table.rows()).sum();
        let params = params(started);
        let changes = forked.map(|it| json(&it.changes));
        let world_hash = world_hash(&self.scenario);
        self.runs.push(&[
            started.world.as_str().into(),
            started.policy.as_str().into(),
            started.build.policy_version.as_str().into(),
            started.build.plugin_hash.as_str().into(),
            started.seed.into(),
            params.as_str().into(),
            self.ts(0),
            self.ts(summary.slots),
            started.slot_seconds.into(),
            started.time_zone.as_str().into(),
            started.ev_count.into(),
            summary.currency.as_str().into(),
            status.name().into(),
            status.error().into(),
            started.build.engine_version.as_str().into(),
            started.build.git.as_str().into(),
            started.config_hash.as_str().into(),
            summary.state_hash.as_deref().into(),
            summary.events.into(),
            rows.into(),
            world_hash.as_str().into(),
            forked.map(|it| it.parent_run.as_str()).into(),
            forked.map(|it| it.at_tick).into(),
            changes.as_deref().into(),
        ])
    }

    fn all(&self) -> [&RowTable; 7] {
        [
            &self.events,
            &self.sessions,
            &self.system_ticks,
            &self.unit_ticks,
            &self.site_ticks,
            &self.costs,
            &self.solves,
        ]
    }

    /// Writes all footers.
    pub(crate) fn close(self) -> Result<Vec<WrittenFile>, TelemetryError> {
        let tables = [
            self.runs,
            self.events,
            self.sessions,
            self.system_ticks,
            self.unit_ticks,
            self.site_ticks,
            self.costs,
            self.solves,
        ];
        tables.into_iter().map(RowTable::close).collect()
    }
}

/// What the policy was told, and what was changed in the world file, as JSON.
fn params(started: &RunStarted) -> String {
    #[derive(serde::Serialize)]
    struct Params<'a> {
        policy_config: &'a str,
        overrides: &'a [String],
    }
    let params = Params { policy_config: &started.policy_config, overrides: &started.overrides };
    json(&params)
}

fn json(strings: &impl serde::Serialize) -> String {
    serde_json::to_string(strings).expect("strings always have JSON")
}
