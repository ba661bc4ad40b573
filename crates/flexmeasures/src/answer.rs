//! The answer: a course, what it costs, and which wishes it meets.

use crate::{
    conflict::Conflict,
    problem::{Course, Device, Problem},
    series::Notice,
    time::Grid,
};
use serde_json::{Value, json};
use voltide_schedule::Outcome;

/// Distances from a wish below this are rounding, kWh and kW. Amounts are told with six decimals,
/// with which less than this is 0.
const ROUNDING: f64 = 5e-7;

/// How a problem ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// No schedule is cheaper.
    Optimal,
    /// A schedule that can be followed; at most this share of the objective above the optimum.
    Feasible(f64),
    /// No schedule keeps the hard constraints.
    Infeasible,
    /// The solver found nothing within its budget.
    NoSolution,
}

impl Status {
    /// As it stands in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::Feasible(_) => "feasible",
            Self::Infeasible => "infeasible",
            Self::NoSolution => "no_solution",
        }
    }
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Optimal => Self::Optimal,
            Outcome::Feasible { gap } => Self::Feasible(gap),
            Outcome::Infeasible => Self::Infeasible,
            Outcome::Unbounded | Outcome::NoSolution => Self::NoSolution,
        }
    }
}

/// A wish at an instant, and by how much it is missed, or met with room to spare.
#[derive(Debug, Clone, PartialEq)]
pub struct Slack {
    /// Whose wish it is.
    pub owner: String,
    /// The field that asks for it.
    pub field: &'static str,
    /// The tick; the start of the slot for power.
    pub tick: usize,
    /// Distance, kWh or kW; not negative.
    pub amount: f64,
    /// `kWh` or `kW`.
    pub unit: &'static str,
}

/// The answer to a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// The schedule; `None` without one.
    pub course: Option<Course>,
    /// What every term costs, by name.
    pub costs: Vec<(String, f64)>,
    /// Wishes that are missed.
    pub unresolved: Vec<Slack>,
    /// Wishes that are met, of the fields of which none is missed.
    pub resolved: Vec<Slack>,
    /// A constraint that cannot hold, where there is no schedule for that reason.
    pub conflict: Option<Conflict>,
}

impl Answer {
    /// An answer without a schedule.
    pub(crate) fn without_schedule(status: Status) -> Self {
        Self {
            status,
            course: None,
            costs: Vec::new(),
            unresolved: Vec::new(),
            resolved: Vec::new(),
            conflict: None,
        }
    }

    /// Prices a course and holds it against what `problem` asks for.
    pub(crate) fn of(problem: &Problem, priced: &Problem, status: Status, course: Course) -> Self {
        let costs = priced.costs(&course);
        let mut answer = Self { costs, ..Self::without_schedule(status) };
        for (device, energy) in problem.devices.iter().zip(&course.energy) {
            // What is there at the start no schedule changes.
            answer.judge(device, &energy[1..]);
        }
        answer.judge_limits(problem, &course);
        answer.course = Some(course);
        answer
    }

    /// The sum of all costs; `None` without a schedule.
    pub fn objective(&self) -> Option<f64> {
        self.course.as_ref().map(|_| self.costs.iter().map(|(_, cost)| cost).sum())
    }

    fn judge(&mut self, device: &Device, energy: &[f64]) {
        if device.soc_at_start.is_none() {
            return;
        }
        let all = |bound: Option<f64>| bound.map(|bound| vec![Some(bound); energy.len()]);
        let (least, most) = (all(device.static_range.0), all(device.static_range.1));
        for (field, levels, above, below, reports_met) in [
            ("soc-minima", &device.minima, 0.0, 1.0, true),
            ("soc-maxima", &device.maxima, 1.0, 0.0, true),
            ("soc-targets", &device.targets, 1.0, 1.0, false),
            ("soc-min", &least, 0.0, 1.0, false),
            ("soc-max", &most, 1.0, 0.0, false),
        ] {
            let Some(levels) = levels else { continue };
            let slack = |(j, level): (usize, &Option<f64>)| {
                let deviation = energy[j] - (*level)?;
                let missed = if deviation > 0.0 { deviation * above } else { -deviation * below };
                let owner = device.name.clone();
                Some((
                    missed,
                    Slack { owner, field, tick: j + 1, amount: deviation.abs(), unit: "kWh" },
                ))
            };
            let (missed, met): (Vec<_>, Vec<_>) = levels
                .iter()
                .enumerate()
                .filter_map(slack)
                .partition(|(missed, _)| *missed > ROUNDING);
            if missed.is_empty() && reports_met {
                self.resolved.extend(met.into_iter().map(|(_, slack)| slack));
            }
            self.unresolved.extend(missed.into_iter().map(|(_, slack)| slack));
        }
    }

    fn judge_limits(&mut self, problem: &Problem, course: &Course) {
        for limit in &problem.limits {
            let flow = problem.flow(&limit.members, &course.power);
            for (tick, &flow) in flow.iter().enumerate() {
                let amount = (flow - limit.most[tick]).max(limit.least[tick] - flow);
                if amount > ROUNDING {
                    let owner = limit.name.clone();
                    self.unresolved.push(Slack {
                        owner,
                        field: "power-capacity",
                        tick,
                        amount,
                        unit: "kW",
                    });
                }
            }
        }
    }

    /// How far the schedule may be from the optimum, where that is not proven.
    pub fn shortfall(&self, problem: &Problem) -> Option<Notice> {
        let Status::Feasible(gap) = self.status else { return None };
        let most = gap * self.objective()?.abs().max(1.0);
        let text = format!(
            "the schedule may cost up to {most:.2e} {} ({:.2e} %) more than the cheapest one: the \
             search for it has a bound of work; schedule fewer devices at once, or give a coarser \
             `resolution`",
            problem.currency,
            gap * 100.0,
        );
        Some(Notice { path: String::new(), text })
    }

    /// The answer as JSON, with the fields and shapes that FlexMeasures gives its own.
    pub fn json(&self, problem: &Problem) -> Value {
        let mut value = json!({
            "status": self.status.name(),
            "objective": self.objective(),
            "currency": problem.currency,
            "start": problem.grid.start.to_rfc3339(),
            "resolution_seconds": problem.grid.seconds,
        });
        if let Some(fields) = value.as_object_mut() {
            let shortfall = self.shortfall(problem);
            let notices = problem.notices.iter().chain(&shortfall).map(noted).collect();
            fields.insert("notices".to_owned(), notices);
        }
        if let (Status::Feasible(gap), Some(fields)) = (self.status, value.as_object_mut()) {
            fields.insert("gap".to_owned(), json!(gap));
        }
        if let (Some(conflict), Some(fields)) = (&self.conflict, value.as_object_mut()) {
            fields.insert("conflict".to_owned(), conflicting(conflict, &problem.grid));
        }
        let (Some(course), Some(fields)) = (&self.course, value.as_object_mut()) else {
            return value;
        };
        let named = |name: &String, column: &Vec<f64>| (name.clone(), json!(column));
        let moved = problem
            .devices
            .iter()
            .zip(&course.power)
            .map(|(device, power)| named(&device.name, power));
        let fixed = problem.fixed.iter().map(|device| named(&device.name, &device.power));
        let power: serde_json::Map<_, _> = moved.chain(fixed).collect();
        let stocks = problem
            .devices
            .iter()
            .zip(&course.energy)
            .filter(|(device, _)| device.soc_at_start.is_some());
        let energy: serde_json::Map<_, _> =
            stocks.map(|(device, energy)| named(&device.name, energy)).collect();
        let costs: serde_json::Map<_, _> =
            self.costs.iter().map(|(name, cost)| (name.clone(), json!(cost))).collect();
        for (field, content) in [
            ("commitment_costs", json!(costs)),
            ("power_kw", json!(power)),
            ("site_power_kw", json!(problem.flow(&problem.site(), &course.power))),
            ("soc_kwh", json!(energy)),
            ("unresolved", grouped(&self.unresolved, "violation", &problem.grid)),
            ("resolved", grouped(&self.resolved, "margin", &problem.grid)),
        ] {
            fields.insert(field.to_owned(), content);
        }
        value
    }
}

fn conflicting(conflict: &Conflict, grid: &Grid) -> Value {
    json!({
        "asset": conflict.owner,
        "field": conflict.field,
        "datetime": grid.tick(conflict.tick).to_rfc3339(),
        "reason": conflict.reason,
    })
}

fn noted(notice: &Notice) -> Value {
    json!({"path": notice.path, "notice": notice.text})
}

/// FlexMeasures' shape: one object per owner, with a list per field.
fn grouped(slacks: &[Slack], amount: &str, grid: &Grid) -> Value {
    let mut owners: Vec<serde_json::Map<String, Value>> = Vec::new();
    for slack in slacks {
        let owner = json!(slack.owner);
        let position = owners.iter().position(|fields| fields.get("asset") == Some(&owner));
        let index = position.unwrap_or_else(|| {
            owners.push(serde_json::Map::from_iter([("asset".to_owned(), owner)]));
            owners.len() - 1
        });
        let rounded = libm::round(slack.amount * 1e6) / 1e6;
        let entry = json!({
            "datetime": grid.tick(slack.tick).to_rfc3339(),
            amount: format!("{rounded} {}", slack.unit),
        });
        let list = owners[index].entry(slack.field).or_insert_with(|| json!([]));
        list.as_array_mut().into_iter().for_each(|list| list.push(entry.clone()));
    }
    json!(owners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_is_a_notice_with_the_gap() {
        let text = r#"{"start": "2024-06-12T00:00:00Z", "duration": "PT1H", "resolution": "PT1H",
            "flex-model": {"power-capacity": "1 kW"}, "flex-context": {"consumption-price": "1 EUR/kWh"}}"#;
        let problem = crate::read(text, crate::Mode::BestEffort).unwrap();
        let of = |status| Answer {
            course: Some(Course::default()),
            costs: vec![("energy".to_owned(), -50.0)],
            ..Answer::without_schedule(status)
        };
        assert_eq!(of(Status::Optimal).shortfall(&problem), None);
        let said = of(Status::Feasible(0.002)).shortfall(&problem).unwrap().to_string();
        assert!(
            said.starts_with("the schedule may cost up to 1.00e-1 EUR (2.00e-1 %) more"),
            "{said}"
        );
    }
}
