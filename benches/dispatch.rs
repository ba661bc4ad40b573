//! Schedules of the grid: windows, days ahead, and a hundred thermal units.
//!
//! `cargo bench -p voltide-benches --bench dispatch`; `-- --rounds N` for more or fewer of each,
//! `-- --large` for a hundred units with commitment as well.
//!
//! The problems are those of the worlds in `worlds/`; a hundred units are ten copies of the ten-unit
//! system whose costs differ by up to 2 %. Cars draw nothing here.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its tables")]

use std::{env, path::Path, process::ExitCode};
use voltide_benches::{
    machine::{Cost, cost_of},
    spread,
    table::{Table, short, thousands},
};
use voltide_model::{
    clock::Clock,
    device::ThermalUnit,
    dispatch::GridState,
    plant::Plant,
    scenario::Scenario,
    two_stage::{Grid, SearchLimits},
};
use voltide_schedule::grid::{Day, DayAheadPlan, DayPlanned, Dispatch, DispatchProblem, Stages};

fn main() -> ExitCode {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (mut rounds, mut large) = (5, false);
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        match (argument.as_str(), left.clone().next().and_then(|count| count.parse().ok())) {
            ("--rounds", Some(count)) if count > 0 => {
                rounds = count;
                left.next();
            }
            ("--large", _) => large = true,
            _ => {
                eprintln!("usage: [--rounds N] [--large]");
                return ExitCode::FAILURE;
            }
        }
    }
    report(rounds, large);
    ExitCode::SUCCESS
}

fn report(rounds: usize, large: bool) {
    let heads = ["CPU ms, at cold start", "variables", "integers", "rows", "min", "median", "max"];
    let mut table = Sizes(Table::new(heads));
    let (paper, loose) = (
        World::load("paper/paper.ron", &[]),
        World::load("paper/paper.ron", &["grid.margins=false"]),
    );
    let plan = paper.plan();
    table.measure("the paper's window, with margins", rounds, || paper.window(40, &plan));
    table.measure("the paper's window, without", rounds, || loose.window(40, &plan));
    table.measure("the paper's day ahead, with margins", rounds, || paper.day_ahead());
    let germany = World::load("germany/week.ron", &["fleets.commuters.count=1"]);
    let plan = germany.plan();
    table.measure("the German window", rounds, || germany.window(40, &plan));
    table.measure("the German day ahead", rounds, || germany.day_ahead());
    let gap = |gap| World::load("ten-units/day.ron", &["fleets.commuters.count=1", gap]);
    let (ten, close) = (gap("grid.stages.gap=0.005"), gap("grid.stages.gap=0.001"));
    table.measure("10 units switched, 24 h, gap 5e-3", rounds, || ten.day_ahead());
    table.measure("10 units switched, 24 h, gap 1e-3", 1, || close.day_ahead());
    let twenty = ten.times(2, true, 1e-3);
    table.measure("20 units switched, 24 h, gap 1e-3", 1, || twenty.day_ahead());
    let hundred = ten.times(10, false, 1e-2);
    table.measure("100 units, 24 h", rounds, || hundred.day_ahead());
    if large {
        let switched = ten.times(10, true, 1e-2);
        table.measure("100 units switched, 24 h, gap 1e-2", 1, || switched.day_ahead());
    }
    println!("{}", table.0);
    let (solves, cost) = cost_of(|| paper.whole_day() + loose.whole_day());
    println!(
        "Two days of the paper, with margins and without: {solves} solves in {} CPU s.",
        short(cost.cpu_s)
    );
}

/// Rows of sizes and times.
struct Sizes(Table);

impl Sizes {
    /// Solves the same problem `rounds` times.
    fn measure(&mut self, name: &str, rounds: usize, solve: impl Fn() -> Dispatch) {
        let runs: Vec<(Dispatch, Cost)> = (0..rounds).map(|_| cost_of(&solve)).collect();
        let size = runs[0].0.size;
        let sizes =
            [size.variables, size.integers, size.constraints].map(|count| thousands(count as u64));
        let times = spread(runs.iter().map(|(_, cost)| 1e3 * cost.cpu_s).collect()).map(short);
        self.0.row(name, sizes.into_iter().chain(times));
    }
}

/// A world's grid, without its cars.
struct World {
    scenario: Scenario,
    grid: Grid,
}

impl World {
    fn load(name: &str, overrides: &[&str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../worlds").join(name);
        let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
        let world =
            voltide_world::load(&path, &overrides).expect("the world comes with the program");
        let grid = world.scenario.grid.as_deref().expect("it has a grid").clone();
        Self { scenario: world.scenario, grid }
    }

    /// `copies` of every thermal unit and as much load; `switched` leaves them their commitment.
    fn times(&self, copies: usize, switched: bool, gap: f64) -> Self {
        let unit = |copy: usize, unit: &ThermalUnit| {
            let mut unit = unit.clone();
            unit.name = format!("{}-{copy}", unit.name);
            // Equal units can take each other's places in a schedule, and a search would go through
            // all of their orders.
            unit.cost.b *= 1.0 + 0.002 * copy as f64;
            unit.commitment = unit.commitment.filter(|_| switched);
            // Always on, a unit would have to give its least output all night.
            if !switched {
                unit.power_min.0 = 0.0;
            }
            unit
        };
        let thermal: Vec<_> = self.grid.plant.each::<ThermalUnit>().collect();
        let units = (0..copies).flat_map(|copy| thermal.iter().map(move |each| unit(copy, each)));
        let plant = Plant::default().with(units);
        let mut scenario = self.scenario.clone();
        let load = scenario.system.base_load.as_mut().expect("it has a load");
        load.values = load.values.iter().map(|load| load * copies as f64).collect();
        let mut rules = self.grid.rules.clone();
        rules.search = SearchLimits { gap, ..rules.search };
        Self { scenario, grid: Grid { plant, rules } }
    }

    fn clock(&self) -> &Clock {
        &self.scenario.clock
    }

    fn day(&self) -> Day {
        Day { first: 0, slots: self.clock().slots_per_24_hours() }
    }

    fn stages(&self) -> Stages<'_> {
        Stages::new(
            &self.grid,
            self.scenario.system.base_load.as_ref(),
            self.clock(),
            self.scenario.seed,
            self.scenario.rules,
        )
    }

    fn day_ahead(&self) -> Dispatch {
        solve(&self.stages().day_ahead(self.day(), |_| 0.0, &GridState::initial(&self.grid.plant)))
    }

    fn plan(&self) -> DayAheadPlan {
        let state = GridState::initial(&self.grid.plant);
        let planned = self.stages().plan_day(self.day(), |_| 0.0, &state);
        let DayPlanned { steps, path } = planned.expect("a world has a plan");
        DayAheadPlan {
            step: self.grid.rules.day_ahead_step.get(),
            energy_start_kwh: state.energy_kwh(),
            steps: steps.found.slots,
            path: path.map(|path| path.found.slots).unwrap_or_default(),
        }
    }

    /// The window at slot `k`, from where the day-ahead plan is by then.
    fn window(&self, k: u32, plan: &DayAheadPlan) -> Dispatch {
        let mut state = GridState::initial(&self.grid.plant);
        for (at, unit) in state.units.iter_mut().enumerate() {
            unit.energy_kwh = plan.energy_after(at, k);
        }
        solve(&self.stages().window(self.day(), k, |_| 0.0, Vec::new(), plan, &state))
    }

    /// One day ahead and all its windows; how many solves that took.
    fn whole_day(&self) -> u32 {
        let (plan, mut state) = (self.plan(), GridState::initial(&self.grid.plant));
        for k in 0..self.day().slots {
            let found =
                solve(&self.stages().window(self.day(), k, |_| 0.0, Vec::new(), &plan, &state));
            state.advance(&self.grid.plant, &found.slots[0], self.clock().slot_hours());
        }
        1 + self.day().slots
    }
}

fn solve(problem: &DispatchProblem<'_>) -> Dispatch {
    problem.solve().expect("there always is a schedule")
}
