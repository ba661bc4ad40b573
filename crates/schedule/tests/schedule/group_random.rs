//! Random groups against a program that is written down in another way: stored energy as a running
//! sum, power of a node as one sum of all below it, and a binary for every slot of every car.

use crate::instances::{Instance, Random};
use good_lp::{Expression, Variable, constraint, variable};
use voltide_schedule::{
    PerSlot,
    group::{
        GroupAnswer, GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay, NodeCost, Plans,
        SupplyStep, check_group, solve_group_from,
    },
    linear::{Budget, Program},
};

const SLOTS: usize = 10;
const HOURS: f64 = 0.5;

/// What is drawn of a node.
struct Node {
    parent: Option<usize>,
    import: Vec<f64>,
    export: Vec<f64>,
    given: Vec<f64>,
}

/// What the power of the connection costs beside a peak price.
enum Cost {
    Nothing,
    /// Steps of kW and price, and the price beyond them.
    Supply(Vec<(f64, f64)>, f64),
    Follow(Vec<f64>, f64),
    Meter(Vec<f64>, Vec<f64>),
    /// A price a kWh of breach.
    Breach(f64),
    Quadratic(f64, f64),
}

/// A random group: cars, each with its node and first slot, and what the connection costs.
struct Group {
    cars: Vec<(Instance, usize, usize)>,
    nodes: Vec<Node>,
    peak: Option<(f64, f64)>,
    cost: Cost,
    /// Which share of the sun at the connection may be curtailed.
    curtailable: f64,
}

impl Group {
    /// The same with a drawn cost of the connection, and sun that may be curtailed.
    fn with_cost(self, random: &mut Random) -> Self {
        let size = self.cars.len() as f64;
        let cost = match random.below(6) {
            0 => Cost::Nothing,
            1 => {
                let step = |_| (size * random.between(0.5, 4.0), random.between(0.0, 0.5));
                Cost::Supply((0..4).map(step).collect(), 0.6)
            }
            2 => {
                let series = (0..SLOTS).map(|_| size * random.between(-2.0, 4.0)).collect();
                Cost::Follow(series, random.pick(&[0.05, 1.0]))
            }
            3 => {
                let buy: Vec<f64> = (0..SLOTS).map(|_| random.between(0.0, 0.3)).collect();
                let sell = buy.iter().map(|price| price - 0.05).collect();
                Cost::Meter(buy, sell)
            }
            4 => Cost::Breach(random.pick(&[0.02, 0.2, 2.0])),
            _ => Cost::Quadratic(size * random.between(-3.0, 3.0), random.pick(&[0.01, 0.1])),
        };
        let curtailable = random.pick(&[0.0, 0.5, 1.0]);
        let mut this = Self { cost, curtailable, ..self };
        if curtailable >= 1.0 {
            // Sun above the limit, all of which may be curtailed.
            let root = &mut this.nodes[0];
            root.given.fill(-3.0 * size);
        }
        this
    }
}

fn prices(random: &mut Random) -> (Vec<f64>, Vec<f64>) {
    let lowest = random.pick(&[0.05, 0.05, -0.1, -0.5]);
    let spread = random.pick(&[0.0, 0.0, 0.08]);
    let buy: Vec<f64> = (0..SLOTS).map(|_| random.between(lowest, 0.5)).collect();
    let sell = buy.iter().map(|price| price - spread).collect();
    (buy, sell)
}

fn car(random: &mut Random, buy: &[f64], sell: &[f64]) -> (Instance, usize) {
    let first = random.below(SLOTS / 2);
    let end = first + 2 + random.below(SLOTS - first - 1);
    let slots = first..end.min(SLOTS);
    let stay = slots.len();
    let size = random.between(8.0, 40.0);
    let energy = size * random.between(0.1, 0.8);
    let efficiency = random.pick(&[1.0, 0.95, 0.9]);
    let discharges = random.pick(&[0.0, 0.0, 3.7, 11.0]);
    let discharge_kw = (0..stay).map(|_| discharges * random.pick(&[0.0, 1.0, 1.0])).collect();
    let car = Instance {
        slot_hours: HOURS,
        buy: buy[slots.clone()].to_vec(),
        sell: sell[slots].to_vec(),
        degradation: random.pick(&[0.0, 0.03]),
        charge_kw: vec![random.pick(&[3.7, 7.0, 11.0]); stay],
        discharge_kw,
        least: vec![size * 0.1; stay],
        most: vec![size; stay],
        energy,
        target: energy + random.between(-0.3, 1.1) * (size - energy),
        charge_efficiency: efficiency,
        discharge_efficiency: efficiency,
        terminal_value: 0.0,
        load: Vec::new(),
    };
    (car, first)
}

fn node(random: &mut Random, parent: Option<usize>, room: f64) -> Node {
    let changing = random.pick(&[0.0, 0.0, 0.5]);
    let mut limit = |room: f64| -> Vec<f64> {
        (0..SLOTS).map(|_| room * (1.0 - changing * random.unit())).collect()
    };
    let (import, mut export) = (limit(room), limit(room));
    if random.unit() < 0.3 {
        export.fill(0.0);
    }
    let sun = random.pick(&[0.0, 0.0, 0.6]);
    let given = export.iter().map(|most| -sun * most).collect();
    Node { parent, import, export, given }
}

fn group(random: &mut Random, count: Option<usize>) -> Group {
    let (buy, sell) = prices(random);
    let count = count.unwrap_or_else(|| 2 + random.below(5));
    let levels = 1 + random.below(3);
    let room = random.pick(&[0.0, 3.0, 4.0, 6.0, 30.0]) * count as f64;
    let nodes = (0..levels).map(|level| {
        let above = level.checked_sub(1);
        // Sun of nodes below counts above them, whose limits it must leave room to.
        let mut node = node(random, above, room / (1.0 + 0.3 * level as f64));
        if level > 0 {
            node.given.fill(0.0);
        }
        node
    });
    let nodes = nodes.collect();
    let cars = (0..count).map(|_| {
        let (car, first) = car(random, &buy, &sell);
        (car, first, random.below(levels))
    });
    let cars = cars.collect();
    let price = random.pick(&[0.0, 0.0, 0.7]);
    let peak = (price > 0.0).then(|| (price, random.between(0.0, 8.0)));
    Group { cars, nodes, peak, cost: Cost::Nothing, curtailable: 0.0 }
}

impl Group {
    fn solve(&self, way: GroupWay, plans: Plans<'_>) -> GroupAnswer {
        let peak = self
            .peak
            .map(|(price_per_kw, baseline_kw)| NodeCost::Peak { price_per_kw, baseline_kw });
        let members: Vec<GroupMember<'_>> = self
            .cars
            .iter()
            .map(|(car, first, node)| GroupMember {
                problem: car.problem(),
                first_slot: *first,
                node: *node,
            })
            .collect();
        let curve = self.curve();
        let costs: Vec<NodeCost<'_>> = peak.into_iter().chain(self.node_cost(&curve)).collect();
        let curtailable: Vec<f64> =
            self.nodes[0].given.iter().map(|given| -given * self.curtailable).collect();
        let mut nodes: Vec<GroupNode<'_>> = self
            .nodes
            .iter()
            .map(|node| GroupNode {
                import_kw_max: PerSlot::Each(&node.import),
                export_kw_max: PerSlot::Each(&node.export),
                given_kw: PerSlot::Each(&node.given),
                ..GroupNode::open("node", node.parent)
            })
            .collect();
        nodes[0].costs = &costs;
        nodes[0].curtailable_kw = PerSlot::Each(&curtailable);
        nodes[0].breach_price = self.breach_price();
        let problem =
            GroupProblem { slots: SLOTS, slot_hours: HOURS, members: &members, nodes: &nodes };
        let options = GroupOptions { way, ..GroupOptions::default() };
        let answer = solve_group_from(&problem, options, plans).unwrap();
        check_group(&problem, &answer).unwrap();
        answer
    }

    /// The steps of a supply curve, by slot.
    fn curve(&self) -> Vec<Vec<SupplyStep>> {
        let Cost::Supply(steps, _) = &self.cost else { return Vec::new() };
        let steps = steps.iter().map(|&(kw, price)| SupplyStep { kw, price }).collect();
        vec![steps; SLOTS]
    }

    fn node_cost<'a>(&'a self, curve: &'a [Vec<SupplyStep>]) -> Option<NodeCost<'a>> {
        match &self.cost {
            Cost::Nothing | Cost::Breach(_) => None,
            Cost::Supply(_, beyond) => Some(NodeCost::Supply { steps: curve, beyond: *beyond }),
            Cost::Follow(series_kw, price) => Some(NodeCost::Follow { series_kw, price: *price }),
            Cost::Meter(buy, sell) => Some(NodeCost::Meter { buy, sell }),
            Cost::Quadratic(anchor, slope) => Some(NodeCost::Quadratic {
                anchor_kw: PerSlot::Same(*anchor),
                slope: PerSlot::Same(*slope),
            }),
        }
    }

    fn breach_price(&self) -> Option<f64> {
        match self.cost {
            Cost::Breach(price) => Some(price),
            Cost::Nothing
            | Cost::Supply(..)
            | Cost::Follow(..)
            | Cost::Meter(..)
            | Cost::Quadratic(..) => None,
        }
    }

    /// Missing energy and cost by the other program.
    fn reference(&self) -> (f64, f64) {
        let least = Reference::new(self).solve(None);
        (least, Reference::new(self).solve(Some(least)))
    }
}

/// The same group as a program with all binaries.
struct Reference {
    program: Program,
    missing: Expression,
    cost: Expression,
}

impl Reference {
    fn new(group: &Group) -> Self {
        let mut this = Self {
            program: Program::default(),
            missing: Expression::default(),
            cost: Expression::default(),
        };
        let mut powers = vec![vec![Expression::default(); SLOTS]; group.nodes.len()];
        for (node, power) in group.nodes.iter().zip(&mut powers) {
            power.iter_mut().zip(&node.given).for_each(|(power, given)| *power += *given);
        }
        for (car, first, node) in &group.cars {
            for (slot, (charge, discharge)) in (*first..).zip(this.add_car(car)) {
                // The node's own and all above it: levels are a chain.
                for power in &mut powers[..=*node] {
                    power[slot] += charge - discharge;
                }
            }
        }
        for (slot, power) in powers[0].iter_mut().enumerate() {
            let most = -group.nodes[0].given[slot] * group.curtailable;
            *power += this.program.add(variable().min(0.0).max(most));
        }
        this.add_cost(group, &powers[0]);
        let soft = usize::from(group.breach_price().is_some());
        for (node, power) in group.nodes.iter().zip(&powers).skip(soft) {
            for (slot, power) in power.iter().enumerate() {
                this.program.require(constraint!(power.clone() <= node.import[slot]));
                this.program.require(constraint!(power.clone() >= -node.export[slot]));
            }
        }
        if let Some((price, baseline)) = group.peak {
            let above = this.program.add(variable().min(0.0));
            for power in &powers[0] {
                this.program.require(constraint!(power.clone() - above <= baseline));
            }
            this.cost += price * above;
        }
        this
    }

    /// What the connection's power costs, by its distance from lines above and below.
    fn add_cost(&mut self, group: &Group, powers: &[Expression]) {
        for (slot, power) in powers.iter().enumerate() {
            match &group.cost {
                Cost::Nothing => {}
                Cost::Supply(steps, beyond) => {
                    let mut left = power.clone();
                    for &(kw, price) in steps {
                        let used = self.program.add(variable().min(0.0).max(kw));
                        left -= used;
                        self.cost += HOURS * price * used;
                    }
                    self.pay_above(left, *beyond);
                }
                Cost::Follow(series, price) => {
                    self.pay_above(power.clone() - series[slot], *price);
                    self.pay_above(series[slot] - power.clone(), *price);
                }
                Cost::Meter(buy, sell) => {
                    self.cost += HOURS * sell[slot] * power.clone();
                    self.pay_above(power.clone(), buy[slot] - sell[slot]);
                }
                Cost::Breach(price) => {
                    let node = &group.nodes[0];
                    self.pay_above(power.clone() - node.import[slot], *price);
                    self.pay_above(-power.clone() - node.export[slot], *price);
                }
                Cost::Quadratic(..) => unreachable!("it is no linear program"),
            }
        }
    }

    /// A price a kWh of what is above 0.
    fn pay_above(&mut self, power: Expression, price: f64) {
        let above = self.program.add(variable().min(0.0));
        self.program.require(constraint!(power <= above));
        self.cost += HOURS * price * above;
    }

    fn add_car(&mut self, car: &Instance) -> Vec<(Variable, Variable)> {
        let mut energy = Expression::from(car.energy);
        let mut powers = Vec::new();
        for slot in 0..car.buy.len() {
            let (up, down) = (car.charge_kw[slot], car.discharge_kw[slot]);
            let charge = self.program.add(variable().min(0.0).max(up));
            let discharge = self.program.add(variable().min(0.0).max(down));
            if down > 0.0 {
                let charging = self.program.add(variable().binary());
                self.program.require(constraint!(charge <= up * charging));
                self.program.require(constraint!(discharge <= down * (1.0 - charging)));
            }
            energy += HOURS * car.charge_efficiency * charge
                - HOURS / car.discharge_efficiency * discharge;
            self.program.require(constraint!(energy.clone() <= car.most[slot]));
            self.program.require(constraint!(energy.clone() >= car.least[slot]));
            let earned = car.sell[slot] - car.degradation;
            self.cost += HOURS * (car.buy[slot] * charge - earned * discharge);
            powers.push((charge, discharge));
        }
        let missing = self.program.add(variable().min(0.0));
        self.program.require(constraint!(energy + missing >= car.target));
        self.missing += missing;
        powers
    }

    /// The least missing energy, or the least cost at so much of it.
    fn solve(mut self, missing: Option<f64>) -> f64 {
        match missing {
            None => self.program.pay(self.missing),
            Some(most) => {
                self.program.require(constraint!(self.missing <= most + 1e-8));
                self.program.pay(self.cost);
            }
        }
        let solved = self.program.solve(Budget { gap: 1e-7, ..Budget::default() });
        assert!(solved.outcome.has_solution(), "{:?}", solved.outcome);
        solved.objective
    }
}

fn compare(seed: u64) {
    let group = group(&mut Random(seed), None);
    let (missing, cost) = group.reference();
    let program = group.solve(GroupWay::Program, &[]);
    agrees(seed, &program, missing, cost);
    let gap = if program.binaries > 0 { 1e-3 } else { 1e-6 };
    assert!(program.gap() <= gap, "seed {seed}: the gap is {}", program.gap());
    agrees(seed, &group.solve(GroupWay::Decomposition, &[]), missing, cost);
    // From plans of all but one, and from such as nobody can follow.
    let mut plans: Vec<Option<&[f64]>> =
        program.power_kw.iter().map(|plan| Some(plan.as_slice())).collect();
    plans[0] = None;
    let again = group.solve(GroupWay::Decomposition, &plans);
    agrees(seed, &again, missing, cost);
    assert_eq!(again, group.solve(GroupWay::Decomposition, &plans));
    let wrong = [99.0; SLOTS];
    for plan in &mut plans {
        *plan = plan.map(|plan| &wrong[..plan.len()]);
    }
    agrees(seed, &group.solve(GroupWay::Decomposition, &plans), missing, cost);
}

/// Nothing is below the least, no bound above it, and no gap stated that is smaller than the true
/// one.
fn agrees(seed: u64, answer: &GroupAnswer, missing: f64, cost: f64) {
    let found = answer.cost;
    let size = cost.abs().max(found.abs()).max(1.0);
    let right = (answer.missing_kwh - missing).abs() < 2e-6
        && answer.missing_bound_kwh <= missing + 1e-6
        && answer.violation_kwh.abs() < 1e-9
        && answer.bound <= cost + 2e-6 * size
        && found >= cost - 2e-6 * size
        && found - cost <= (answer.gap() + 2e-6) * size;
    assert!(right, "seed {seed}: {missing} kWh and {cost} in another program; {answer:?}");
}

#[test]
fn random_groups_cost_what_another_program_says() {
    for seed in 0..60 {
        compare(seed);
    }
}

/// Groups whose connection costs, by seed.
fn compare_cost(seed: u64) -> (f64, usize) {
    let mut random = Random(seed);
    let group = group(&mut random, None).with_cost(&mut random);
    let program = group.solve(GroupWay::Program, &[]);
    let apart = group.solve(GroupWay::Decomposition, &[]);
    let (missing, cost) = match group.cost {
        // Two ways by themselves: a linear program of tangents, and prices.
        Cost::Quadratic(..) => (program.missing_kwh, program.cost),
        Cost::Nothing | Cost::Supply(..) | Cost::Follow(..) | Cost::Meter(..) | Cost::Breach(_) => {
            group.reference()
        }
    };
    agrees(seed, &program, missing, cost);
    if program.binaries == 0 {
        assert!(program.gap() <= 1e-6, "seed {seed}: the gap is {}", program.gap());
    }
    agrees(seed, &apart, missing, cost);
    (apart.gap(), program.binaries)
}

#[test]
fn groups_whose_connection_costs_come_out_as_another_program_says() {
    let gaps: Vec<(f64, usize)> = (20_000..20_060).map(compare_cost).collect();
    let convex = gaps.iter().filter(|(_, binaries)| *binaries == 0).map(|(gap, _)| *gap);
    let widest = convex.fold(0.0, f64::max);
    assert!(widest <= 1e-3, "the widest gap is {widest}");
}

#[test]
#[ignore = "minutes; ten times as many groups"]
fn many_groups_whose_connection_costs_come_out_as_another_program_says() {
    (21_000..21_600).for_each(|seed| {
        compare_cost(seed);
    });
}

/// Cars without wear that discharge, at prices that may be far below zero, behind limits of `share`
/// of their chargers.
fn without_wear(random: &mut Random, count: usize, share: f64) -> Group {
    let mut group = group(random, Some(count));
    group.nodes.truncate(1);
    let prices: Vec<f64> = (0..SLOTS).map(|_| random.between(-0.6, 0.2)).collect();
    let mut chargers = 0.0;
    for (car, first, node) in &mut group.cars {
        let stay = *first..*first + car.buy.len();
        car.buy = prices[stay.clone()].to_vec();
        car.sell = prices[stay].to_vec();
        (car.degradation, *node) = (0.0, 0);
        car.discharge_kw.fill(car.charge_kw[0]);
        chargers += car.charge_kw[0];
    }
    let root = &mut group.nodes[0];
    root.import.fill(share * chargers);
    root.export.fill(share * chargers);
    root.given.fill(0.0);
    group
}

/// Holds a group with binaries against the other program; says whether its limits can be kept.
fn compare_with_binaries(seed: u64, group: &Group) -> bool {
    let program = group.solve(GroupWay::Program, &[]);
    if program.violation_kwh > 1e-7 {
        return false;
    }
    let (missing, cost) = group.reference();
    agrees(seed, &program, missing, cost);
    let size = cost.abs().max(1.0);
    assert!(
        program.cost - cost <= 1e-3 * size,
        "seed {seed}: {} is far above {cost}",
        program.cost
    );
    agrees(seed, &group.solve(GroupWay::Decomposition, &[]), missing, cost);
    true
}

fn compare_without_wear(seed: u64) {
    let mut random = Random(seed);
    let count = 2 + random.below(5);
    let share = random.between(0.85, 1.0);
    let group = without_wear(&mut random, count, share);
    assert!(compare_with_binaries(seed, &group), "seed {seed}: who stands still keeps limits");
}

/// Sun above the export limit, of which cars must take what may not be curtailed.
fn compare_in_the_sun(seed: u64) -> bool {
    let mut random = Random(seed);
    let count = 2 + random.below(5);
    let mut group = without_wear(&mut random, count, 0.5);
    let root = &mut group.nodes[0];
    let beyond = random.pick(&[0.5, 2.0, 6.0]);
    for slot in 3..7 {
        root.given[slot] = -root.export[slot] - beyond;
    }
    group.curtailable = random.pick(&[0.0, 0.0, 1.0]);
    compare_with_binaries(seed, &group)
}

#[test]
fn cars_without_wear_at_negative_prices_cost_what_another_program_says() {
    (30_000..30_012).for_each(compare_without_wear);
}

#[test]
fn cars_in_sun_above_the_export_limit_cost_what_another_program_says() {
    let kept = (31_000..31_020).filter(|&seed| compare_in_the_sun(seed)).count();
    assert!(kept >= 8, "limits can be kept in {kept} of 20 groups");
}

#[test]
#[ignore = "minutes; a hundred groups and more of each kind"]
fn many_groups_with_binaries_cost_what_another_program_says() {
    (32_000..32_100).for_each(compare_without_wear);
    let kept = (33_000..33_400).filter(|&seed| compare_in_the_sun(seed)).count();
    assert!(kept >= 100, "limits can be kept in {kept} of 400 groups");
}

#[test]
#[ignore = "minutes; a hundred times as many groups"]
fn many_random_groups_cost_what_another_program_says() {
    for seed in 1_000..7_000 {
        compare(seed);
    }
}

/// Holds a large group planned apart against its program, whose missing energy it may exceed by a
/// share of what is wanted, and the gap against what is allowed.
fn compare_large(seed: u64, count: usize, gap: f64) -> Result<(), String> {
    let group = group(&mut Random(seed), Some(count));
    let program = group.solve(GroupWay::Program, &[]);
    let apart = group.solve(GroupWay::Decomposition, &[]);
    let wanted: f64 = group.cars.iter().map(|(car, ..)| (car.target - car.energy).max(0.0)).sum();
    let missed = apart.missing_kwh - program.missing_kwh;
    let gap = if program.binaries > 0 { gap.max(1e-3) } else { gap };
    let size = program.cost.abs().max(1.0);
    let bound = apart.bound <= program.cost + 2e-6 * size;
    if missed > 1e-6 + 1e-5 * wanted || apart.gap() > gap || !bound {
        return Err(format!(
            "seed {seed}, {count} cars: {missed} kWh of {wanted} too many are missing ({} at \
             least), gap {}, cost {} ({}), bound {}",
            program.missing_kwh,
            apart.gap(),
            apart.cost,
            program.cost,
            apart.bound
        ));
    }
    Ok(())
}

#[test]
#[ignore = "minutes; programs of up to a thousand cars"]
fn large_groups_planned_apart_are_near_the_program() {
    // Two of the groups of 200 cars, which miss nearly all, have 2e-4 and 4e-4; the others are
    // within 1e-4.
    let sizes = [(20, 1e-3, 60), (200, 5e-4, 12), (1_000, 1e-4, 3)];
    let wrong: Vec<String> = sizes
        .iter()
        .flat_map(|&(count, gap, groups)| (0..groups).map(move |seed| (seed, count, gap)))
        .filter_map(|(seed, count, gap)| compare_large(10_000 + seed, count, gap).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
