//! The reference groups: batteries behind common limits, solved by independent code.
//!
//! Every `*.json` in `tests/cases/group` is read, and in the folder that `VOLTIDE_CASES` names
//! (from the root of the repository); there, files without `nodes` are of another kind.

use serde::Deserialize;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use voltide_schedule::{
    PerSlot, StorageProblem, TieRule,
    group::{
        GroupAnswer, GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay, NodeCost,
        SupplyStep, check_group, solve_group,
    },
};

/// What reference and answer may differ by in missing energy, kWh.
const MISSING_TOLERANCE: f64 = 1e-5;
/// What they may differ by in cost, relative.
const COST_TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Case {
    slots: usize,
    slot_hours: f64,
    buy_per_kwh: Vec<f64>,
    sell_per_kwh: Vec<f64>,
    nodes: Vec<Node>,
    cars: Vec<Car>,
    node_cost: Option<Cost>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    parent: Option<String>,
    import_kw: Vec<f64>,
    export_kw: Vec<f64>,
    given_kw: Vec<f64>,
}

#[derive(Deserialize)]
struct Car {
    node: String,
    arrive: usize,
    depart: usize,
    energy_kwh: f64,
    min_kwh: f64,
    max_kwh: f64,
    target_kwh: f64,
    charge_kw: f64,
    discharge_kw: f64,
    charge_efficiency: f64,
    discharge_efficiency: f64,
    wear_per_kwh: f64,
    discharge_allowed: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
enum Cost {
    Peak { node: String, price_per_kw: f64, baseline_kw: f64 },
    Supply { node: String, steps: Vec<Step> },
}

#[derive(Deserialize)]
struct Step {
    width_kw: f64,
    price_per_kwh: f64,
}

#[derive(Deserialize)]
struct Expected {
    missing_kwh: f64,
    cost: f64,
    by: String,
}

impl Case {
    fn index(&self, name: &str) -> usize {
        self.nodes.iter().position(|node| node.name == name).unwrap()
    }

    fn solve(&self, way: GroupWay) -> GroupAnswer {
        let masks: Vec<Vec<f64>> = self.cars.iter().map(Car::discharge_kw).collect();
        let members: Vec<GroupMember<'_>> = self
            .cars
            .iter()
            .zip(&masks)
            .map(|(car, mask)| GroupMember {
                problem: self.problem(car, mask),
                first_slot: car.arrive,
                node: self.index(&car.node),
            })
            .collect();
        let (at, curve) = self.curve();
        let cost = self.cost(&curve);
        let of = |index: usize| if at == Some(index) { cost.as_slice() } else { &[] };
        let nodes: Vec<GroupNode<'_>> =
            self.nodes.iter().enumerate().map(|(index, node)| self.node(node, of(index))).collect();
        let problem = GroupProblem {
            slots: self.slots,
            slot_hours: self.slot_hours,
            members: &members,
            nodes: &nodes,
        };
        let answer =
            solve_group(&problem, GroupOptions { way, ..GroupOptions::default() }).unwrap();
        check_group(&problem, &answer).unwrap_or_else(|breach| panic!("{way:?}: {breach}"));
        answer
    }

    fn problem<'a>(&'a self, car: &'a Car, discharge_kw: &'a [f64]) -> StorageProblem<'a> {
        StorageProblem {
            slot_hours: self.slot_hours,
            buy: &self.buy_per_kwh[car.arrive..car.depart],
            sell: &self.sell_per_kwh[car.arrive..car.depart],
            degradation: car.wear_per_kwh,
            charge_kw_max: PerSlot::Same(car.charge_kw),
            discharge_kw_max: PerSlot::Each(discharge_kw),
            energy_kwh_min: PerSlot::Same(car.min_kwh.min(car.energy_kwh)),
            energy_kwh_max: PerSlot::Same(car.max_kwh),
            energy_kwh: car.energy_kwh,
            target_kwh: car.target_kwh,
            charge_efficiency: car.charge_efficiency,
            discharge_efficiency: car.discharge_efficiency,
            terminal_value: 0.0,
            tie: TieRule::Spread,
            load_kw: &[],
        }
    }

    fn node<'a>(&self, node: &'a Node, costs: &'a [NodeCost<'a>]) -> GroupNode<'a> {
        GroupNode {
            import_kw_max: PerSlot::Each(&node.import_kw),
            export_kw_max: PerSlot::Each(&node.export_kw),
            given_kw: PerSlot::Each(&node.given_kw),
            costs,
            ..GroupNode::open(&node.name, node.parent.as_deref().map(|name| self.index(name)))
        }
    }

    /// The node that has a cost, and its supply curve by slot.
    fn curve(&self) -> (Option<usize>, Vec<Vec<SupplyStep>>) {
        match &self.node_cost {
            None => (None, Vec::new()),
            Some(Cost::Peak { node, .. }) => (Some(self.index(node)), Vec::new()),
            Some(Cost::Supply { node, steps }) => {
                let step =
                    |step: &Step| SupplyStep { kw: step.width_kw, price: step.price_per_kwh };
                let steps: Vec<SupplyStep> = steps.iter().map(step).collect();
                (Some(self.index(node)), vec![steps; self.slots])
            }
        }
    }

    fn cost<'a>(&self, curve: &'a [Vec<SupplyStep>]) -> Vec<NodeCost<'a>> {
        match self.node_cost {
            None => Vec::new(),
            Some(Cost::Peak { price_per_kw, baseline_kw, .. }) => {
                vec![NodeCost::Peak { price_per_kw, baseline_kw }]
            }
            Some(Cost::Supply { .. }) => vec![NodeCost::Supply { steps: curve, beyond: 1.0 }],
        }
    }

    fn check(&self) -> Result<(), String> {
        self.agrees(&self.solve(GroupWay::Chosen), COST_TOLERANCE)?;
        let apart = self.solve(GroupWay::Decomposition);
        // Prices alone do not close the gap that binaries make.
        let gap = if self.expected.by == "lp" { 1e-3 } else { 1e-2 };
        self.agrees(&apart, gap).map_err(|why| format!("planned apart, {why}"))
    }

    fn agrees(&self, answer: &GroupAnswer, gap: f64) -> Result<(), String> {
        let Expected { missing_kwh, cost, .. } = self.expected;
        let missing = answer.missing_kwh;
        if answer.violation_kwh > 1e-8 {
            return Err(format!("limits are broken by {} kWh", answer.violation_kwh));
        }
        if (missing - missing_kwh).abs() > MISSING_TOLERANCE {
            return Err(format!("{missing} kWh are missing, not {missing_kwh}"));
        }
        let allowed = (COST_TOLERANCE + answer.gap()) * cost.abs().max(1.0);
        if (answer.cost - cost).abs() > allowed || answer.bound > cost + allowed {
            return Err(format!(
                "it costs {} (at least {}), not {cost}",
                answer.cost, answer.bound
            ));
        }
        if answer.gap() > gap {
            return Err(format!("the gap is {}", answer.gap()));
        }
        Ok(())
    }
}

impl Car {
    fn discharge_kw(&self) -> Vec<f64> {
        self.discharge_allowed.iter().map(|allowed| allowed * self.discharge_kw).collect()
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The cases of a folder by path; files of another kind are left out.
fn cases(folder: &Path) -> Vec<(PathBuf, Case)> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value.get("nodes")?;
        let case = serde_json::from_value(value);
        Some((path.clone(), case.unwrap_or_else(|error| panic!("{}: {error}", path.display()))))
    };
    paths.into_iter().filter_map(read).collect()
}

#[test]
fn all_reference_groups_are_solved_to_the_optimum() {
    let further = env::var_os("VOLTIDE_CASES").map(|folder| root().join(folder));
    let folders = std::iter::once(root().join("tests/cases/group")).chain(further);
    let all: Vec<(PathBuf, Case)> = folders.flat_map(|folder| cases(&folder)).collect();
    assert!(!all.is_empty(), "there are no cases");
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|(path, case)| {
            case.check().err().map(|why| format!("{}: {why}", path.display()))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases disagree:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}
