//! Many batteries behind the limits of sites, in the columns that policies hand over.

use crate::{
    answer::{Outcome, StorageAnswer, Unmet, note_bounds, target_missed},
    batch::{Batch, BatchError, Rows},
    group::{
        GroupAnswer, GroupError, GroupMember, GroupNode, GroupOptions, GroupProblem, GroupWay,
        NodeCost, Plans, Share, solve_group, solve_group_from,
    },
    problem::{PerSlot, StorageProblem},
    site_costs,
};
use voltide_policy::{
    observation::NO_SITE,
    storage::{GroupFigures, GroupSites, StorageRequest},
};

/// Energy below a target that is more than the rounding of a program, kWh.
const MISSING_MIN_KWH: f64 = 1e-6;

/// Differences of sums of given power that are rounding, kW.
const GIVEN_MIN_KW: f64 = 1e-9;

/// How groups of a run are solved: a search with binaries ends early, as it comes again with the
/// next car.
const OPTIONS: GroupOptions = GroupOptions { nodes: 2_000, gap: 1e-5, ..GroupOptions::DEFAULT };

/// Solves all rows together behind the limits of `sites`: the schedule of each goes to row i of
/// `power_kw` (n x H, row-major, kW, positive charges, 0 outside its slots), its answer to
/// `answers[i]`. Rows without a site are not limited.
///
/// # Errors
/// At the first row or site that makes no sense; what has been written by then is not to be used.
pub fn solve_group_batch(
    request: &StorageRequest<'_>,
    sites: &GroupSites<'_>,
    power_kw: &mut [f64],
    answers: &mut [StorageAnswer],
) -> Result<GroupFigures, BatchError> {
    let batch = Batch { request };
    batch.validate(power_kw.len(), answers.len())?;
    check_lengths(request, sites)?;
    let mut scratch = Vec::new();
    scratch.resize_with(request.len(), Rows::default);
    let kept = sites_above(sites);
    let members = members(batch, sites, &kept, &mut scratch)?;
    let given = own_given(sites, &kept, request.horizon);
    let steps = site_costs::steps(sites, request)?;
    let costs = site_costs::by_site(sites, &steps)?;
    let nodes = nodes(sites, &kept, &given, &costs, request.horizon);
    let problem = GroupProblem {
        slots: request.horizon,
        slot_hours: request.slot_hours,
        members: &members,
        nodes: &nodes,
    };
    let plans = plans(sites, &members, request.horizon);
    let solved = solve(&problem, sites.share, &plans)?;
    let outcome = Outcome::from_bound(solved.cost, solved.bound);
    power_kw.fill(0.0);
    let schedules = power_kw.chunks_mut(request.horizon.max(1));
    for (((member, own), row), answer) in
        members.iter().zip(&solved.power_kw).zip(schedules).zip(answers)
    {
        row[member.first_slot..member.first_slot + own.len()].copy_from_slice(own);
        *answer = answer_of(&member.problem, own, outcome);
    }
    Ok(figures(&solved))
}

/// Columns of a program, and slots of all members' stays, up to which a group of a run is one
/// program: some 60 cars, or 35 that discharge. From there on plans in force lead to an answer
/// sooner, which matters for a group that is planned again with every car that comes.
const PROGRAM_MAX: (usize, usize) = (6_000, 3_000);

/// The same of a group with members to come, which is planned once a day.
const ONCE_MAX: (usize, usize) = (12_000, 6_000);

/// The same of a group with a quadratic cost of a site's power, which is many programs.
const QUADRATIC_MAX: (usize, usize) = (500, 500);

/// Nodes of a search with binaries in a large group that cannot be planned apart: what is found at
/// its root counts.
const LARGE_NODES: u32 = 1;

/// Solves a group of a run: a small one as a program, in which energy comes early among equals, a
/// large one apart, from its plans, whose gap is wider than what equals differ by.
fn solve(
    problem: &GroupProblem<'_>,
    share: Share,
    plans: Plans<'_>,
) -> Result<GroupAnswer, GroupError> {
    let options = GroupOptions { share, ..OPTIONS };
    let once = problem.members.iter().any(|member| member.first_slot > 0);
    let mut costs = problem.nodes.iter().flat_map(|node| node.costs);
    let is_quadratic = costs.any(|cost| matches!(cost, NodeCost::Quadratic { .. }));
    let (columns, slots) = match () {
        () if is_quadratic => QUADRATIC_MAX,
        () if once => ONCE_MAX,
        () => PROGRAM_MAX,
    };
    let of_stays: usize = problem.members.iter().map(|member| member.problem.slots()).sum();
    if problem.columns() > columns || of_stays > slots {
        let way = GroupWay::Decomposition;
        let options = GroupOptions { way, nodes: LARGE_NODES, ..options };
        return solve_group_from(problem, options, plans);
    }
    earlier(problem, options, solve_group(problem, options)?)
}

/// What a slot later is dearer by when schedules of one cost are told apart, relative to the
/// highest price: above a solver's rounding, and below what prices differ by.
const LATER: f64 = 3e-6;

/// What a cost may rise by for being earlier, relative to it or to 1: a solver's rounding.
const SAME_COST: f64 = 1e-6;

/// Another answer of the same energy and cost, in which energy comes as early and leaves as late as
/// may be: who comes later finds more room.
fn earlier(
    problem: &GroupProblem<'_>,
    options: GroupOptions,
    first: GroupAnswer,
) -> Result<GroupAnswer, GroupError> {
    let step = leaning_step(problem);
    if step == 0.0 {
        // Without prices no slot can be a little dearer than another.
        return Ok(first);
    }
    let leaning = leaning_prices(problem, step);
    let members = problem.members.iter().zip(&leaning).map(|(member, (buy, sell))| {
        let problem = StorageProblem { buy, sell, ..member.problem };
        GroupMember { problem, ..*member }
    });
    let members: Vec<GroupMember<'_>> = members.collect();
    let mut second = solve_group(&GroupProblem { members: &members, ..*problem }, options)?;
    second.cost = problem.cost_of(&second);
    second.bound = first.bound;
    let is_as_good = second.violation_kwh <= first.violation_kwh + SAME_COST
        && second.missing_kwh <= first.missing_kwh + SAME_COST
        && second.cost <= first.cost + SAME_COST * first.cost.abs().max(1.0);
    Ok(if is_as_good { second } else { first })
}

/// What a slot later is dearer by when schedules of one cost are told apart, per kWh.
fn leaning_step(problem: &GroupProblem<'_>) -> f64 {
    let prices = problem.members.iter().flat_map(|member| member.problem.buy);
    LATER * prices.fold(0.0, |most: f64, price| most.max(price.abs()))
}

/// Prices of each member that rise by `step` from slot to slot.
fn leaning_prices(problem: &GroupProblem<'_>, step: f64) -> Vec<(Vec<f64>, Vec<f64>)> {
    let lean = |prices: &[f64], first: usize| {
        (first..).zip(prices).map(|(slot, price)| price + step * slot as f64).collect()
    };
    let both = problem.members.iter().map(|member| {
        let GroupMember { problem: StorageProblem { buy, sell, .. }, first_slot, .. } = member;
        (lean(buy, *first_slot), lean(sell, *first_slot))
    });
    both.collect()
}

fn figures(solved: &GroupAnswer) -> GroupFigures {
    GroupFigures {
        violation_kwh: solved.violation_kwh,
        missing_kwh: solved.missing_kwh,
        missing_bound_kwh: solved.missing_bound_kwh,
        cost: solved.cost,
        cost_bound: solved.bound,
    }
}

/// Checks that a series of each site has a value a slot, and each row a site.
fn check_lengths(request: &StorageRequest<'_>, sites: &GroupSites<'_>) -> Result<(), BatchError> {
    let series = sites.parent_site.len() * request.horizon;
    // What is given and what is planned may be left out.
    let given = if sites.given_kw.is_empty() { 0 } else { series };
    let matrix = request.len() * request.horizon;
    let planned = if sites.planned_kw.is_empty() { 0 } else { matrix };
    for (column, found, expected) in [
        ("site_id", sites.site_id.len(), request.len()),
        ("import_kw_max", sites.import_kw_max.len(), series),
        ("export_kw_max", sites.export_kw_max.len(), series),
        ("given_kw", sites.given_kw.len(), given),
        ("planned_kw", sites.planned_kw.len(), planned),
    ] {
        if found != expected {
            return Err(BatchError::Length { column, found, expected });
        }
    }
    Ok(())
}

/// The node of each site that is a row's own or above it. What happens at others concerns no row,
/// not even where limits are broken there.
fn sites_above(sites: &GroupSites<'_>) -> Vec<Option<usize>> {
    let mut is_above = vec![false; sites.parent_site.len()];
    for &own in sites.site_id {
        let mut site = own;
        while let Some(above) = is_above.get_mut(site as usize).filter(|above| !**above) {
            *above = true;
            site = sites.parent_site[site as usize];
        }
    }
    let mut nodes = 0..;
    is_above.into_iter().map(|above| if above { nodes.next() } else { None }).collect()
}

/// The rows as members. Those without a site are at the node after the last site's.
fn members<'r>(
    batch: Batch<'r>,
    sites: &GroupSites<'_>,
    kept: &[Option<usize>],
    scratch: &'r mut [Rows],
) -> Result<Vec<GroupMember<'r>>, BatchError> {
    let open = kept.iter().flatten().count();
    let rows = scratch.iter_mut().zip(sites.site_id).enumerate();
    rows.map(|(row, (scratch, &site))| {
        let (problem, slots) = batch.row(row, scratch)?;
        let of_site = if site == NO_SITE { Some(open) } else { node_of(kept, site) };
        let node = of_site.ok_or(BatchError::OutOfRange { row })?;
        Ok(GroupMember { problem, first_slot: slots.start, node })
    })
    .collect()
}

fn node_of(kept: &[Option<usize>], site: u32) -> Option<usize> {
    kept.get(site as usize).copied().flatten()
}

/// What members would do otherwise, in the slots of their stays; nothing where it is not known.
fn plans<'a>(
    sites: &GroupSites<'a>,
    members: &[GroupMember<'_>],
    horizon: usize,
) -> Vec<Option<&'a [f64]>> {
    let rows = sites.planned_kw.chunks(horizon.max(1)).zip(members);
    let of_stay = |(plan, member): (&'a [f64], &GroupMember<'_>)| {
        plan.get(member.first_slot..member.first_slot + member.problem.slots())
    };
    rows.map(of_stay).collect()
}

/// The sites that are kept as nodes, and one without limits after them.
fn nodes<'a>(
    sites: &GroupSites<'a>,
    kept: &[Option<usize>],
    given: &'a [f64],
    costs: &'a [Vec<NodeCost<'a>>],
    horizon: usize,
) -> Vec<GroupNode<'a>> {
    let mut nodes = Vec::with_capacity(kept.len() + 1);
    for (site, &parent) in sites.parent_site.iter().enumerate() {
        if kept[site].is_none() {
            continue;
        }
        let slots = site * horizon..(site + 1) * horizon;
        // One that there is not is refused with the problem.
        let parent = (parent != NO_SITE).then(|| node_of(kept, parent).unwrap_or(usize::MAX));
        nodes.push(GroupNode {
            import_kw_max: PerSlot::Each(&sites.import_kw_max[slots.clone()]),
            export_kw_max: PerSlot::Each(&sites.export_kw_max[slots.clone()]),
            given_kw: given.get(slots).map_or(PerSlot::Same(0.0), PerSlot::Each),
            costs: &costs[site],
            ..GroupNode::open("site", parent)
        });
    }
    nodes.push(GroupNode::open("no site", None));
    nodes
}

/// What is given at each site itself, without the sites behind it that are kept, sites x H, kW.
fn own_given(sites: &GroupSites<'_>, kept: &[Option<usize>], horizon: usize) -> Vec<f64> {
    let mut own = sites.given_kw.to_vec();
    if own.is_empty() {
        return own;
    }
    for (site, &parent) in sites.parent_site.iter().enumerate() {
        if kept[site].is_none() {
            continue;
        }
        let Some(above) = own.chunks_mut(horizon.max(1)).nth(parent as usize) else { continue };
        let below = &sites.given_kw[site * horizon..(site + 1) * horizon];
        above.iter_mut().zip(below).for_each(|(above, below)| *above -= below);
    }
    for kw in &mut own {
        if kw.abs() < GIVEN_MIN_KW {
            *kw = 0.0;
        }
    }
    own
}

/// What a schedule comes to by itself.
fn answer_of(problem: &StorageProblem<'_>, power_kw: &[f64], outcome: Outcome) -> StorageAnswer {
    let mut unmet = Unmet::default();
    let mut kwh = problem.energy_kwh;
    for (slot, &kw) in power_kw.iter().enumerate() {
        kwh += problem.energy_for(kw);
        // What a program leaves of a bound is no breach of it.
        let least = kwh - MISSING_MIN_KWH;
        let most = kwh + MISSING_MIN_KWH;
        note_bounds(&mut unmet, problem, slot, least, most);
    }
    let missing_kwh = problem.target_kwh - kwh;
    if missing_kwh > MISSING_MIN_KWH {
        unmet.target = Some(target_missed(problem, missing_kwh));
    }
    StorageAnswer { outcome, objective: problem.objective(power_kw), unmet }
}
