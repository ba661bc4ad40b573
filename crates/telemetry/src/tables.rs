//! The tables that are always full, each filled from frames.

use crate::{
    error::TelemetryError,
    file::Place,
    frame::Frame,
    named::NamedColumn,
    rows::RowTable,
    sessions::SessionRow,
    summary::{Summary, unit_cost},
    table::{
        cars, costs, events, fleet_ticks,
        forecasts::{self, UnitSeries},
        paths,
        runs::{self, Run},
        sessions, site_ticks, solves, system_ticks,
        unit_ticks::{self, Step},
        windows,
    },
    table_file::WrittenFile,
};
use voltide_journal::event::{UnitsDispatched, WindowForeseen};
use voltide_model::{clock::Clock, columns::UnitTick, device::Device, scenario::Scenario};

/// The tables that are always full.
pub(crate) struct Tables {
    /// That of all scenarios of a history.
    clock: Clock,
    units: Vec<UnitSeries>,
    runs: RowTable<runs::Columns>,
    events: RowTable<events::Columns>,
    cars: RowTable<cars::Columns>,
    sessions: RowTable<sessions::Columns>,
    system_ticks: RowTable<system_ticks::Columns>,
    unit_ticks: RowTable<unit_ticks::Columns>,
    site_ticks: RowTable<site_ticks::Columns>,
    fleet_ticks: RowTable<fleet_ticks::Columns>,
    costs: RowTable<costs::Columns>,
    solves: RowTable<solves::Columns>,
    windows: RowTable<windows::Columns>,
    forecasts: RowTable<forecasts::Columns>,
    paths: RowTable<paths::Columns>,
    /// What was put into the world, for `runs`.
    parameters: Vec<NamedColumn>,
}

impl Tables {
    /// Begins all files in a place.
    pub(crate) fn create(place: &Place, clock: Clock) -> Result<Self, TelemetryError> {
        Ok(Self {
            clock,
            units: Vec::new(),
            runs: RowTable::create(place)?,
            events: RowTable::create(place)?,
            cars: RowTable::create(place)?,
            sessions: RowTable::create(place)?,
            system_ticks: RowTable::create(place)?,
            unit_ticks: RowTable::create(place)?,
            site_ticks: RowTable::create(place)?,
            fleet_ticks: RowTable::create(place)?,
            costs: RowTable::create(place)?,
            solves: RowTable::create(place)?,
            windows: RowTable::create(place)?,
            forecasts: RowTable::create(place)?,
            paths: RowTable::create(place)?,
            parameters: Vec::new(),
        })
    }

    /// A scenario begins to hold.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        let plant = scenario.grid.iter().flat_map(|grid| grid.plant.devices());
        let names = |unit: &dyn Device| unit.series().iter().map(|it| it.name.clone()).collect();
        // A world without a plant has units all the same, and no stage foresees anything of them.
        let series = plant.map(names).chain(std::iter::repeat(Vec::new()));
        let units = scenario.unit_names().into_iter().zip(series);
        self.units = units.map(|(name, series)| UnitSeries { name, series }).collect();
    }

    /// Adds the rows of a frame.
    pub(crate) fn frame(
        &mut self,
        scenario: &Scenario,
        frame: &Frame,
    ) -> Result<(), TelemetryError> {
        for event in &frame.events {
            self.events.push(event.row(&self.clock))?;
        }
        for session in &frame.sessions {
            self.session(scenario, session)?;
        }
        for planned in &frame.planned {
            let cost = planned.unit.cost.map(|cost| cost.total());
            self.unit(planned.step, &planned.unit, cost)?;
        }
        self.solves(frame)?;
        for (tick, foreseen) in &frame.foreseen {
            self.foreseen(*tick, foreseen)?;
        }
        for (tick, path) in &frame.paths {
            self.path(*tick, path)?;
        }
        for settled in &frame.settled {
            self.system_ticks.push(system_ticks::Row::of(settled, &scenario.clock))?;
        }
        // What comes after the last tick, or before the first, has none.
        let Some(tick) = frame.tick else { return Ok(()) };
        self.settled(scenario, tick, frame)
    }

    /// Adds the rows of problems that were solved, in the order of the table.
    fn solves(&mut self, frame: &Frame) -> Result<(), TelemetryError> {
        let of_plant = frame.solves.iter().map(|(tick, solve)| solves::Row::of(*tick, solve));
        let groups = frame.planned_together.iter();
        let groups = groups.map(|(tick, solve)| solves::Row::of_group(*tick, solve));
        let mut rows: Vec<solves::Row<'_>> = of_plant.chain(groups).collect();
        rows.sort_by_key(|row| (row.tick, row.stage, row.site));
        rows.into_iter().try_for_each(|row| self.solves.push(row))
    }

    /// Adds the rows of a slot that was settled.
    fn settled(
        &mut self,
        scenario: &Scenario,
        tick: u32,
        frame: &Frame,
    ) -> Result<(), TelemetryError> {
        let hours = scenario.clock.slot_hours();
        let step = Step { slot: tick, stage: "settled", hours };
        for unit in &frame.units {
            self.unit(step, unit, unit_cost(unit, &frame.system, step.hours))?;
        }
        for (id, site) in (0..).zip(&frame.sites) {
            self.site_ticks.push(site_ticks::Row::of(tick, id, site, scenario))?;
        }
        for (place, group) in frame.groups.iter().enumerate() {
            self.fleet_ticks.push(fleet_ticks::Row::of(tick, place, group, scenario))?;
        }
        Ok(())
    }

    /// Adds a session that ended, or that is open at the end.
    pub(crate) fn session(
        &mut self,
        scenario: &Scenario,
        session: &SessionRow,
    ) -> Result<(), TelemetryError> {
        self.sessions.push(sessions::Row::of(session, scenario))
    }

    /// Adds what a stage expected.
    fn foreseen(&mut self, tick: u32, foreseen: &WindowForeseen) -> Result<(), TelemetryError> {
        let Self { clock, units, windows, forecasts, .. } = self;
        windows::rows(tick, foreseen, clock).try_for_each(|row| windows.push(row))?;
        forecasts::rows(tick, foreseen, units, clock).try_for_each(|row| forecasts.push(row))
    }

    /// Adds the path of a day.
    fn path(&mut self, tick: u32, path: &UnitsDispatched) -> Result<(), TelemetryError> {
        let Self { clock, units, paths, .. } = self;
        paths::rows(tick, path, units, clock).try_for_each(|row| paths.push(row))
    }

    fn unit(
        &mut self,
        step: Step,
        unit: &UnitTick,
        cost: Option<f64>,
    ) -> Result<(), TelemetryError> {
        let name = &self.units[unit.unit as usize].name;
        self.unit_ticks.push(unit_ticks::Row::of(step, unit, cost, name, &self.clock))
    }

    /// Adds the cars of the scenario that holds at the end.
    pub(crate) fn cars(&mut self, scenario: &Scenario) -> Result<(), TelemetryError> {
        cars::rows(scenario).try_for_each(|row| self.cars.push(row))
    }

    /// Adds what the run cost.
    pub(crate) fn costs(
        &mut self,
        scenario: &Scenario,
        summary: &Summary,
    ) -> Result<(), TelemetryError> {
        costs::rows(summary, scenario).try_for_each(|row| self.costs.push(row))
    }

    /// Adds the one row of `runs`; the last thing before closing.
    pub(crate) fn run(&mut self, scenario: &Scenario, run: &Run<'_>) -> Result<(), TelemetryError> {
        self.parameters = run.parameters();
        let texts = run.texts(scenario);
        let rows = self.rows();
        self.runs.push(run.row(&texts, rows, &self.clock))
    }

    /// Rows of all tables but `runs`.
    fn rows(&self) -> u64 {
        self.events.rows()
            + self.cars.rows()
            + self.sessions.rows()
            + self.system_ticks.rows()
            + self.unit_ticks.rows()
            + self.site_ticks.rows()
            + self.fleet_ticks.rows()
            + self.costs.rows()
            + self.solves.rows()
            + self.windows.rows()
            + self.forecasts.rows()
            + self.paths.rows()
    }

    /// Writes all footers.
    pub(crate) fn close(self) -> Result<Vec<WrittenFile>, TelemetryError> {
        Ok(vec![
            self.runs.close_wider(self.parameters)?,
            self.events.close()?,
            self.cars.close()?,
            self.sessions.close()?,
            self.system_ticks.close()?,
            self.unit_ticks.close()?,
            self.site_ticks.close()?,
            self.fleet_ticks.close()?,
            self.costs.close()?,
            self.solves.close()?,
            self.windows.close()?,
            self.forecasts.close()?,
            self.paths.close()?,
        ])
    }
}
