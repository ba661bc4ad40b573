//! Kinds `dispatch_da` and `dispatch_id_window`: one problem of the grid each.

use super::{Case, Disagreement, agree, system::PaperSystem};
use serde::Deserialize;
use std::num::NonZeroU32;
use voltide_model::{
    flexibility::UpDown, forecast::Forecast, plant::Plant, rules::Rules, two_stage::SearchLimits,
    unit::UnitState,
};
use voltide_schedule::{
    Outcome,
    grid::{Course, DispatchProblem, EnergyEnd, Exogenous, SlotMargin, UnitTask},
};

#[derive(Deserialize)]
struct Inputs {
    dt_h: f64,
    load_kw: Vec<f64>,
    wind_avail_kw: Vec<f64>,
    pv_avail_kw: Vec<f64>,
    net_load_next_kw: f64,
    init: Initial,
    da_reference: Option<Reference>,
    system: PaperSystem,
    margin: bool,
}

#[derive(Deserialize)]
struct Initial {
    wh: f64,
    we: f64,
    pg: Option<f64>,
}

#[derive(Deserialize)]
struct Reference {
    pg: Vec<f64>,
    wh: f64,
    we: f64,
}

#[derive(Deserialize)]
struct Expected {
    objective: f64,
    objective_without_margin: Option<f64>,
    objective_with_binaries: Option<f64>,
    slack_up_kw: Option<f64>,
    slack_down_kw: Option<f64>,
    unserved_kwh: Option<f64>,
    tol_rel: f64,
}

impl Inputs {
    fn problem<'a>(&self, plant: &'a Plant) -> DispatchProblem<'a> {
        let ends = match (&self.da_reference, &self.system) {
            (Some(reference), _) => {
                [EnergyEnd::Softened(reference.wh), EnergyEnd::Softened(reference.we)]
            }
            (None, system) if system.da_includes_ess => {
                [EnergyEnd::AtLeast(system.phs.w_end), EnergyEnd::AtLeast(system.ess.w_end)]
            }
            (None, system) => [EnergyEnd::AtLeast(system.phs.w_end), EnergyEnd::Idle],
        };
        let sees =
            |series: &Vec<f64>| UnitTask { series: vec![series.clone()], ..UnitTask::default() };
        let before = UnitState {
            power_kw: self.init.pg,
            on: true,
            hours: f64::INFINITY,
            ..UnitState::default()
        };
        let course = Course {
            reference_kw: self.da_reference.as_ref().map(|reference| reference.pg.clone()),
            ..Course::default()
        };
        let holds = |energy_kwh, end| UnitTask {
            state: UnitState { energy_kwh, ..UnitState::default() },
            end,
            ..UnitTask::default()
        };
        DispatchProblem {
            plant,
            slot_hours: self.dt_h,
            exogenous: Exogenous {
                load_kw: self.load_kw.clone(),
                net_load_next_kw: self.net_load_next_kw,
                ..Exogenous::default()
            },
            units: vec![
                sees(&self.wind_avail_kw),
                sees(&self.pv_avail_kw),
                UnitTask { state: before, course, ..UnitTask::default() },
                holds(self.init.wh, ends[0]),
                holds(self.init.we, ends[1]),
                UnitTask::default(),
            ],
            margins: self.margin,
            readings: self.system.readings(),
            prices: self.system.prices(),
            segments: NonZeroU32::new(self.system.thermal.segments).unwrap(),
            search: SearchLimits::default(),
            rules: Rules::TODAY,
        }
    }
}

/// The instance solved with margins as it says, and held against what it expects.
pub(crate) fn dispatch(case: &Case) -> Result<(), Disagreement> {
    let inputs: Inputs = case.read_inputs();
    let expected: Expected = case.read_expected();
    let plant = inputs.system.plant(&[], &[], &[Forecast::Perfect, Forecast::Perfect]);
    let problem = inputs.problem(&plant);
    let found = problem.solve().map_err(|error| error.to_string())?;
    if (found.outcome, found.size.integers, found.unmet.len()) != (Outcome::Optimal, 0, 0) {
        return Err(format!("{:?}, {:?}, {:?}", found.outcome, found.size, found.unmet));
    }
    agree("objective", found.objective, expected.objective, expected.tol_rel)?;
    if let Some(objective) = expected.objective_with_binaries {
        agree("objective with binaries", found.objective, objective, expected.tol_rel)?;
    }
    if let Some(objective) = expected.objective_without_margin {
        let without = DispatchProblem { margins: false, ..problem }.solve();
        let without = without.map_err(|error| error.to_string())?;
        agree("objective without margins", without.objective, objective, expected.tol_rel)?;
    }
    let slack: UpDown = found.margins.iter().map(SlotMargin::shortfall).sum();
    if let (true, Some(up), Some(down)) =
        (inputs.margin, expected.slack_up_kw, expected.slack_down_kw)
    {
        agree("slack upwards", slack.up, up, 1e-6)?;
        agree("slack downwards", slack.down, down, 1e-6)?;
    }
    let unserved: f64 = found.slots.iter().map(|slot| slot.unserved_kw * inputs.dt_h).sum();
    expected.unserved_kwh.map_or(Ok(()), |kwh| agree("energy not served", unserved, kwh, 1e-6))
}
