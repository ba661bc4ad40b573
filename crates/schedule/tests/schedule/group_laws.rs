//! What groups of batteries behind common limits keep, whatever the numbers.

use crate::instances::Instance;
use voltide_schedule::{
    Method, PerSlot,
    group::{
        GroupAnswer, GroupError, GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay,
        NodeCost, Share, check_group, solve_group,
    },
};

const PRICES: [f64; 8] = [0.30, 0.10, 0.20, 0.12, 0.40, 0.25, 0.15, 0.22];

/// Three cars of one stay that want 6, 12 and 3 kWh.
fn cars() -> Vec<Instance> {
    [(20.0, 26.0), (15.0, 27.0), (30.0, 33.0)]
        .map(|(energy, target)| Instance::car(&PRICES, energy, target))
        .to_vec()
}

fn members(cars: &[Instance], node: usize) -> Vec<GroupMember<'_>> {
    cars.iter().map(|car| GroupMember { problem: car.problem(), first_slot: 0, node }).collect()
}

fn limited(kw: f64) -> GroupNode<'static> {
    GroupNode {
        import_kw_max: PerSlot::Same(kw),
        export_kw_max: PerSlot::Same(kw),
        ..GroupNode::open("street", None)
    }
}

fn solve(members: &[GroupMember<'_>], nodes: &[GroupNode<'_>], share: Share) -> GroupAnswer {
    let problem = GroupProblem { slots: PRICES.len(), slot_hours: 0.25, members, nodes };
    let options = GroupOptions { share, ..GroupOptions::default() };
    let answer = solve_group(&problem, options).unwrap();
    check_group(&problem, &answer).unwrap();
    answer
}

fn cost(members: &[GroupMember<'_>], nodes: &[GroupNode<'_>]) -> f64 {
    solve(members, nodes, Share::Cost).cost
}

fn error(members: &[GroupMember<'_>], nodes: &[GroupNode<'_>]) -> GroupError {
    let problem = GroupProblem { slots: PRICES.len(), slot_hours: 0.25, members, nodes };
    solve_group(&problem, GroupOptions::default()).unwrap_err()
}

fn assert_same(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
}

#[test]
fn what_makes_no_sense_is_named_with_its_place() {
    let cars = cars();
    let members = members(&cars, 0);
    let below = |name, parent| GroupNode::open(name, Some(parent));
    let round = [below("a", 1), below("b", 0)];
    assert_eq!(error(&members, &round), GroupError::OwnAncestor("a".into()));
    let own = [GroupNode::open("top", None), below("self", 1)];
    assert_eq!(error(&members, &own), GroupError::OwnAncestor("self".into()));
    let nowhere = [below("a", 7)];
    let expected = "node `a` is below node 7; there are 1, counted from 0";
    assert_eq!(error(&members, &nowhere).to_string(), expected);
    for limit in [f64::NAN, -1.0, f64::NEG_INFINITY] {
        let found = error(&members, &[limited(limit)]).to_string();
        assert!(found.starts_with("node `street`: import limit is "), "{found}");
    }
    let short =
        [GroupNode { export_kw_max: PerSlot::Each(&[1.0]), ..GroupNode::open("street", None) }];
    let expected = "node `street`: export limit has 1 values, not 8";
    assert_eq!(error(&members, &short).to_string(), expected);
    let late = [GroupMember { first_slot: 1, ..members[0] }];
    let expected = "member 0 is there from slot 1 for 8 slots; the group has 8";
    assert_eq!(error(&late, &[limited(1.0)]).to_string(), expected);
    let elsewhere = [GroupMember { node: 3, ..members[0] }];
    let expected = "member 0 is at node 3; there are 1, counted from 0";
    assert_eq!(error(&elsewhere, &[limited(1.0)]).to_string(), expected);
    let dear = [NodeCost::Meter { buy: &PRICES, sell: &[0.3; 8] }];
    let meter = [GroupNode { costs: &dear, ..GroupNode::open("house", None) }];
    let found = error(&members, &meter).to_string();
    assert!(found.contains("sell price is 0.3 in slot 1; it must be at most"), "{found}");
}

#[test]
fn loose_limits_cost_what_each_car_costs_alone() {
    let cars = cars();
    let alone: f64 = cars.iter().map(|car| car.solve(Method::Exact).0.objective).sum();
    assert_same(cost(&members(&cars, 0), &[limited(1000.0)]), alone);
    assert_same(cost(&members(&cars, 0), &[GroupNode::open("open", None)]), alone);
}

#[test]
fn more_room_never_raises_cost_or_missing_energy() {
    let cars = cars();
    let members = members(&cars, 0);
    let mut before = (f64::INFINITY, f64::INFINITY);
    for tenth in 0..25 {
        let answer = solve(&members, &[limited(f64::from(tenth))], Share::Cost);
        assert!(answer.missing_kwh <= before.0 + 1e-6);
        if answer.missing_kwh > before.0 - 1e-6 {
            assert!(answer.cost <= before.1 + 1e-6);
        }
        before = (answer.missing_kwh, answer.cost);
    }
    assert_same(before.0, 0.0);
}

#[test]
fn two_halves_never_cost_less_than_the_whole() {
    let cars = cars();
    let whole = cost(&members(&cars, 0), &[limited(16.0)]);
    let mut halves = members(&cars, 1);
    halves[0].node = 2;
    let half = |name| GroupNode { parent: Some(0), name, ..limited(8.0) };
    let split = cost(&halves, &[limited(16.0), half("left"), half("right")]);
    assert!(split > whole + 1e-3, "{split} is not above {whole}");
}

#[test]
fn scaled_prices_scale_cost() {
    let cars = cars();
    let mut dear = cars.clone();
    for car in &mut dear {
        car.buy.iter_mut().chain(&mut car.sell).for_each(|price| *price *= 7.0);
    }
    let nodes = [limited(12.0)];
    assert_same(cost(&members(&dear, 0), &nodes), 7.0 * cost(&members(&cars, 0), &nodes));
}

#[test]
fn the_order_of_cars_and_nodes_does_not_matter() {
    let cars = cars();
    let mut there = members(&cars, 1);
    let nodes = [limited(12.0), GroupNode { parent: Some(0), ..limited(9.0) }];
    let first = cost(&there, &nodes);
    there.reverse();
    for member in &mut there {
        member.node = 0;
    }
    let turned = [GroupNode { parent: Some(1), ..nodes[1] }, nodes[0]];
    assert_same(cost(&there, &turned), first);
}

#[test]
fn given_power_beyond_a_limit_is_the_least_violation_and_cars_help() {
    let cars = cars();
    let mut node = GroupNode { given_kw: PerSlot::Same(30.0), ..limited(10.0) };
    let answer = solve(&members(&cars, 0), &[node], Share::Cost);
    // Two cars give what they hold above their lower bounds, the third 7 kW for 2 h.
    let given = 0.95 * ((20.0 - 12.0) + (15.0 - 12.0)) + 7.0 * 2.0;
    assert_same(answer.violation_kwh, 20.0 * 2.0 - given);
    node.breach_price = Some(0.0);
    let soft = solve(&members(&cars, 0), &[node], Share::Cost);
    assert_same(soft.violation_kwh, 0.0);
    let alone: f64 = cars.iter().map(|car| car.solve(Method::Exact).0.objective).sum();
    assert_same(soft.cost, alone);
}

#[test]
fn a_soft_limit_is_broken_where_that_is_cheaper() {
    let cars: Vec<Instance> = cars().into_iter().map(Instance::without_discharge).collect();
    let members = members(&cars, 0);
    let hard = cost(&members, &[limited(12.0)]);
    let soft = |price| cost(&members, &[GroupNode { breach_price: Some(price), ..limited(12.0) }]);
    let free = cost(&members, &[limited(1000.0)]);
    assert_same(soft(0.0), free);
    assert!(soft(0.01) > free + 1e-6 && soft(0.01) < hard - 1e-6);
    assert_same(soft(10.0), hard);
}

#[test]
fn a_meter_lets_cars_use_the_sun_and_curtails_what_would_cost() {
    let cars: Vec<Instance> = cars()[..1]
        .iter()
        .map(|car| Instance { buy: vec![0.0; 8], sell: vec![0.0; 8], ..car.clone() })
        .map(Instance::without_discharge)
        .collect();
    // 6 kWh take 6/0.95 kWh; the sun of two slots brings 3 kWh that would be sold for less.
    let mut sun = [0.0; 8];
    sun[2..4].fill(-6.0);
    let mut sell = [0.05; 8];
    sell[2] = -0.10;
    let costs = [NodeCost::Meter { buy: &PRICES, sell: &sell }];
    let node = GroupNode {
        given_kw: PerSlot::Each(&sun),
        costs: &costs,
        ..GroupNode::open("house", None)
    };
    let answer = solve(&members(&cars, 0), &[node], Share::Cost);
    // The 7 kW charger takes 1 kW beside the sun; the rest is bought in the cheapest slots.
    let needed = 6.0 / 0.95 - 3.0;
    let cheapest = 1.75 * 0.10 + 0.25 * 0.12;
    let rest = (needed - 2.0) * 0.15;
    assert_same(answer.cost, cheapest + rest);
    let idle = GroupNode { curtailable_kw: PerSlot::Each(&[6.0; 8]), ..node };
    let answer = solve(&[], &[idle], Share::Cost);
    assert_same(answer.curtailed_kw[0][2], 6.0);
    assert_same(answer.cost, -6.0 * 0.25 * 0.05);
}

#[test]
fn a_series_is_followed_as_closely_as_cars_can() {
    let cars: Vec<Instance> = cars().into_iter().map(Instance::without_discharge).collect();
    // What the cars need, spread evenly: 21/0.95 kWh in 2 h.
    let series = [21.0 / 0.95 / 2.0; 8];
    let costs = [NodeCost::Follow { series_kw: &series, price: 100.0 }];
    let node = GroupNode { costs: &costs, ..GroupNode::open("fleet", None) };
    let answer = solve(&members(&cars, 0), &[node], Share::Cost);
    let problem =
        GroupProblem { slots: 8, slot_hours: 0.25, members: &members(&cars, 0), nodes: &[node] };
    let powers = problem.node_powers(&answer.power_kw, &answer.curtailed_kw);
    powers[0].iter().for_each(|&power| assert_same(power, series[0]));
}

#[test]
fn what_is_missing_is_shared_in_proportion_where_asked_for() {
    let cars: Vec<Instance> = cars().into_iter().map(Instance::without_discharge).collect();
    let members = members(&cars, 0);
    // 21 kWh are wanted, and half of it can be had.
    let node = [limited(21.0 / 0.95 / 4.0)];
    let even = solve(&members, &node, Share::Even);
    assert_same(even.missing_kwh, 10.5);
    assert_same(solve(&members, &node, Share::Cost).missing_kwh, 10.5);
    for (car, power) in cars.iter().zip(&even.power_kw) {
        let gained: f64 = power.iter().map(|power| power * 0.25 * 0.95).sum();
        let wanted = car.target - car.energy;
        assert!((gained / wanted - 0.5).abs() < 1e-5, "{gained} kWh of {wanted}");
    }
}

#[test]
fn a_price_at_a_node_is_what_a_kwh_more_costs_there() {
    let cars = cars();
    let members = members(&cars, 0);
    let given = |kw: f64| {
        let mut given = [0.0; 8];
        given[1] = kw;
        given
    };
    let at = |given: &[f64]| {
        let node = GroupNode { given_kw: PerSlot::Each(given), ..limited(12.0) };
        solve(&members, &[node], Share::Cost)
    };
    let here = at(&given(1.0));
    let rise = (at(&given(1.01)).cost - here.cost) / (0.01 * 0.25);
    assert!(here.price[0][1] > 0.01);
    assert!((here.price[0][1] - rise).abs() < 1e-4, "{} is not {rise}", here.price[0][1]);
}

#[test]
fn bounds_that_a_limit_does_not_let_a_car_reach_are_missed_by_the_least() {
    let mut car = Instance::car(&PRICES, 5.0, 12.0).without_discharge();
    car.least[3..].fill(12.0);
    let members = members(std::slice::from_ref(&car), 0);
    let answer = solve(&members, &[limited(2.0)], Share::Cost);
    let gained = 2.0 * 2.0 * 0.95;
    assert_same(answer.missing_kwh, 12.0 - 5.0 - gained);
    assert_same(answer.violation_kwh, 0.0);
}

#[test]
fn a_quadratic_cost_fills_a_valley_up_to_a_level() {
    let cars: Vec<Instance> = cars()
        .into_iter()
        .map(Instance::without_discharge)
        .map(|car| Instance { buy: vec![0.0; 8], sell: vec![0.0; 8], ..car })
        .map(|car| Instance { target: car.target.min(21.0).max(car.energy + 3.0), ..car })
        .collect();
    let members = members(&cars, 0);
    let wanted: f64 = cars.iter().map(|car| car.target - car.energy).sum();
    let base = [9.0, 8.0, 7.0, 6.0, 5.0, 6.0, 30.0, 40.0];
    let costs = [NodeCost::Quadratic { anchor_kw: PerSlot::Same(2.0), slope: PerSlot::Same(0.01) }];
    let node = GroupNode {
        given_kw: PerSlot::Each(&base),
        costs: &costs,
        ..GroupNode::open("fleet", None)
    };
    // All of it beside what is there already in the six lower slots of a quarter of an hour.
    let level = (wanted / 0.95 / 0.25 + 41.0) / 6.0;
    let square = |kw: f64| 0.25 * 0.5 * 0.01 * (kw - 2.0) * (kw - 2.0);
    let expected = 6.0 * square(level) + square(30.0) + square(40.0);
    for way in [GroupWay::Program, GroupWay::Decomposition] {
        let problem =
            GroupProblem { slots: 8, slot_hours: 0.25, members: &members, nodes: &[node] };
        let options = GroupOptions { way, ..GroupOptions::default() };
        let answer = solve_group(&problem, options).unwrap();
        check_group(&problem, &answer).unwrap();
        assert!(
            (answer.cost - expected).abs() < 1e-5,
            "{way:?}: {} is not {expected}",
            answer.cost
        );
        assert!(answer.bound <= expected + 1e-9 && answer.gap() < 1e-5, "{way:?}: {answer:?}");
        let marginal = 0.01 * (level - 2.0);
        assert!((answer.price[0][0] - marginal).abs() < 1e-3, "{way:?}: {:?}", answer.price[0]);
    }
}

#[test]
fn parts_that_nothing_couples_cost_what_they_cost_by_themselves() {
    let cars = cars();
    let apart = [limited(12.0), limited(9.0)];
    let alone = cost(&members(&cars, 0), &apart[..1]) + cost(&members(&cars, 0), &apart[1..]);
    let mut both = members(&cars, 1);
    both.extend(members(&cars, 2));
    let open = GroupNode::open("open", None);
    let below = |node: GroupNode<'static>| GroupNode { parent: Some(0), ..node };
    assert_same(cost(&both, &[open, below(apart[0]), below(apart[1])]), alone);
}
