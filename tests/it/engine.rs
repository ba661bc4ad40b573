//! Runs of small worlds inside the test, with a planner of its own.

use std::{convert::Infallible, fs, path::Path, sync::Arc};
use voltide_engine::{Simulation, Start};
use voltide_journal::{
    event::{Build, Event, Recorded},
    log::MemoryLog,
    sink::Sink,
};
use voltide_model::{columns::TickColumns, scenario::Scenario};
use voltide_policy::{
    Observation, Schedules,
    planner::{Correction, Planner, PolicyFault, PolicyInfo},
};

/// The scenario of a world file's text; the files it names lie in `folder`.
pub(crate) fn scenario(text: &str, folder: &Path) -> Arc<Scenario> {
    let path = folder.join("world.ron");
    fs::write(&path, text).unwrap();
    let world = voltide_world::load(&path, &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
    Arc::new(world.scenario)
}

/// Plans by a function.
struct By<F> {
    info: PolicyInfo,
    plan: F,
}

impl<F: FnMut(&Observation<'_>, &mut Schedules<'_>) -> Vec<Correction> + Send> Planner for By<F> {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault> {
        Ok((self.plan)(seen, schedules))
    }

    fn save(&mut self) -> Result<Vec<u8>, PolicyFault> {
        Ok(Vec::new())
    }

    fn load(&mut self, _state: &[u8]) -> Result<(), PolicyFault> {
        Ok(())
    }

    fn is_lost(&self) -> bool {
        false
    }

    fn give_up(&mut self) {}
}

/// Keeps the events of a run.
#[derive(Default)]
struct Events(Vec<Recorded>);

impl Sink for Events {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        self.0.push(recorded.clone());
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The events of a run that a function plans.
pub(crate) fn events_by(
    scenario: &Arc<Scenario>,
    info: PolicyInfo,
    plan: impl FnMut(&Observation<'_>, &mut Schedules<'_>) -> Vec<Correction> + Send + 'static,
) -> Vec<Recorded> {
    events(scenario, Box::new(By { info, plan }))
}

/// The events of a run.
pub(crate) fn events(scenario: &Arc<Scenario>, planner: Box<dyn Planner>) -> Vec<Recorded> {
    events_with(scenario, planner, None)
}

/// The events of a run with a fallback.
pub(crate) fn events_with(
    scenario: &Arc<Scenario>,
    planner: Box<dyn Planner>,
    fallback: Option<Box<dyn Planner>>,
) -> Vec<Recorded> {
    shown(scenario, (planner, fallback), Events::default()).0
}

/// What a sink makes of a run that a function plans.
pub(crate) fn shown_by<S: Sink>(
    scenario: &Arc<Scenario>,
    plan: impl FnMut(&Observation<'_>, &mut Schedules<'_>) -> Vec<Correction> + Send + 'static,
    sink: S,
) -> S {
    shown(scenario, (Box::new(By { info: PolicyInfo::default(), plan }), None), sink)
}

/// What a sink makes of a run with a policy and its fallback.
pub(crate) fn shown<S: Sink>(
    scenario: &Arc<Scenario>,
    (planner, fallback): (Box<dyn Planner>, Option<Box<dyn Planner>>),
    sink: S,
) -> S {
    let start = Start {
        scenario: Arc::clone(scenario),
        world_text: String::new(),
        overrides: vec![],
        build: Build::default(),
        planner,
        fallback,
        forecaster: None,
        threads: 1,
    };
    let mut run = Simulation::new(start, MemoryLog::default(), sink).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.end(Some("finished".into())).unwrap().sink
}

/// The events of one kind, with their ticks.
pub(crate) fn of_kind<'a, T: 'a>(
    events: &'a [Recorded],
    kind: impl Fn(&'a Event) -> Option<&'a T> + 'a,
) -> impl Iterator<Item = (u32, &'a T)> {
    events.iter().filter_map(move |recorded| Some((recorded.tick, kind(&recorded.event)?)))
}
