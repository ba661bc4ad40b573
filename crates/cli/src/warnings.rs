//! Warnings: what can be run but is hardly meant, said once and counted, and an error where that is
//! asked for.

use crate::{
    args::{Args, Deny},
    failure::{self, Code, Failure, frames, object},
    output,
};
use voltide_host::Plugins;
use voltide_model::{
    fleet::{Fleet, Parking},
    id::SiteId,
    scenario::Scenario,
};
use voltide_policy::planner::PolicyInfo;
use voltide_world::{Problem, World};

/// The baseline: it charges at once, and what a limit leaves of that is what it stands for.
const BASELINE: &str = "uncontrolled";

/// Says warnings on stderr, unless the user wants quiet: in frames, or one JSON object a warning.
///
/// # Errors
///
/// There are warnings, and the user denies them.
pub(crate) fn tell(warnings: Vec<Problem>, deny: &Deny, args: &Args) -> Result<(), Failure> {
    if warnings.is_empty() {
        return Ok(());
    }
    if deny.warnings() {
        return Err(Failure::denied(warnings));
    }
    if args.json {
        // Beside the result, which stdout holds alone.
        for warning in &warnings {
            let line = output::json_line("problem", &object(warning, Code::Input));
            output::mention(args.quiet, &line);
        }
    } else {
        let count = failure::warnings_counted(warnings.len());
        let said: Vec<String> = frames(&warnings).into_iter().chain([count]).collect();
        output::mention(args.quiet, &said.join("\n\n"));
    }
    Ok(())
}

/// Adds the warnings that are not among those found before.
pub(crate) fn add(found: &mut Vec<Problem>, more: Vec<Problem>) {
    for warning in more {
        let mut known = found.iter().map(|known| (&known.message, known.place()));
        if !known.any(|known| known == (&warning.message, warning.place())) {
            found.push(warning);
        }
    }
}

/// Warns of configs that no policy reads: those under names that nobody has, and, where the world
/// itself says which policies plan, those of all that do not. `used` are the names of those that
/// do.
pub(crate) fn of_configs(
    world: &World,
    used: &[&str],
    is_worlds: bool,
    plugins: &Plugins,
) -> Vec<Problem> {
    let unread = world.configured().filter(|(name, _)| !used.contains(name));
    let unread = unread.filter(|(name, _)| is_worlds || !plugins.has(name));
    unread.map(|(name, offset)| unread_config(world, name, offset, plugins.has(name))).collect()
}

fn unread_config(world: &World, name: &str, offset: usize, is_known: bool) -> Problem {
    let message = if is_known {
        format!("nothing uses the config of policy `{name}`: it is not the world's `policy`")
    } else {
        format!("nothing uses the config of policy `{name}`: no policy has this name")
    };
    let help = format!("choose it with `policy: \"{name}\"`, or remove its config");
    let problem = Problem::new(message).help(help).as_warning();
    let span = voltide_host::name_before(&world.text, name, offset);
    span.map_or(problem.clone(), |span| world.point(problem, span, "not used"))
}

/// Warns of a policy that plans car by car behind a limit that may bind.
pub(crate) fn of_limits(world: &World, policy: &PolicyInfo) -> Option<Problem> {
    if policy.whole_site || policy.whole_tree || policy.name == BASELINE {
        return None;
    }
    let scenario = &world.scenario;
    let (site, power) = (0..scenario.sites.len()).find_map(|site| {
        let power = most_behind(site, scenario);
        (power > scenario.sites[site].import_limit.0).then(|| (&scenario.sites[site], power))
    })?;
    let message = format!(
        "policy `{}` does not know the limit of site `{}`: {} kW, for chargers of {} kW",
        policy.name,
        site.name,
        site.import_limit.0,
        output::decimal(power, 0),
    );
    let help = "what it plans beyond the limit is cut, so that cars may leave with less than \
        they want; edf, llf and round-robin share out what the limit leaves";
    let problem = Problem::new(message).help(help).as_warning();
    Some(world.point_at_policy(problem, "plans without limits"))
}

/// Most that all chargers behind a site draw together, kW.
fn most_behind(site: usize, scenario: &Scenario) -> f64 {
    scenario.fleets.iter().map(|fleet| most_of_fleet(fleet, site, scenario)).sum()
}

/// Most that a fleet's cars draw at one moment behind a site, kW.
fn most_of_fleet(fleet: &Fleet, site: usize, scenario: &Scenario) -> f64 {
    let behind = fleet.parking.chargers().filter(|charger| {
        let parent = |site: &SiteId| scenario.sites[site.row()].parent;
        std::iter::successors(charger.site, parent).any(|above| above.row() == site)
    });
    let power = behind.map(|charger| charger.charge_max.0).fold(0.0, f64::max);
    let at_once = match &fleet.parking {
        // A recorded session has a car of its own: these are more than ever stand there at once.
        Parking::Sessions { stations, .. } => stations.len(),
        Parking::Overnight(_)
        | Parking::Workplace(..)
        | Parking::Commute { .. }
        | Parking::Listed { .. } => fleet.count as usize,
    };
    power * at_once as f64
}
