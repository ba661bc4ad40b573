//! Every figure that a verb prints is the one that SQL finds in the tables.
//!
//! A list says for each figure of `--json` how it is worked out; a figure without a row fails the test.
//! [`looks`] has the lists of the verbs that look at runs and worlds.

mod looks;

use crate::{
    program::{fail, plugin_folder, root, succeed, text, voltide},
    python::python,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// The example worlds, cut to a few seconds in all; every car is in `ev_ticks`.
pub(crate) const WORLDS: [(&str, &[&str]); 11] = [
    ("worlds/one-car.ron", &[]),
    ("worlds/v2g-street.ron", &["fleets.commuters.count=20"]),
    ("worlds/reservation.ron", &[]),
    ("worlds/paper/ev.ron", &[]),
    ("worlds/paper/drawn.ron", &["fleets.commuters.count=20"]),
    ("worlds/paper/paper.ron", &[]),
    ("worlds/paper/willing.ron", &[]),
    ("worlds/acn/caltech.ron", &["clock.days=7"]),
    ("worlds/hydrogen.ron", &["clock.days=1"]),
    ("worlds/ten-units/day.ron", &["fleets.commuters.count=40", "grid.stages.gap=0.05"]),
    ("worlds/germany/week.ron", &["fleets.commuters.count=60", "clock.days=1"]),
];

/// The worlds that form prices anew while cars are planned.
const WITH_FEEDBACK: [&str; 6] = [
    "worlds/v2g-street.ron",
    "worlds/paper/ev.ron",
    "worlds/paper/drawn.ron",
    "worlds/paper/paper.ron",
    "worlds/paper/willing.ron",
    "worlds/germany/week.ron",
];

/// Those of them whose one day follows upon itself, so that no policy can run that plans it again.
const OF_A_TYPICAL_DAY: [&str; 3] =
    ["worlds/paper/ev.ron", "worlds/paper/paper.ron", "worlds/paper/willing.ron"];

/// The policies that plan all cars of a site at once, again and again, and what lets them run in the others.
const OF_WHOLE_SITES: [&str; 3] = ["edf", "llf", "round-robin"];
const THAT_STAY: [&str; 4] = ["--set", "incentive.price_feedback=None", "--set", "boundary=Open"];
const OTHER_POLICIES: [&str; 6] =
    ["uncontrolled", "smart", "smart-incentive", "v2g", "threshold", "alap"];

/// The worlds that are compared over several seeds.
const OVER_SEEDS: [&str; 2] = ["worlds/one-car.ron", "worlds/paper/drawn.ron"];

/// What is printed and is no figure of the run, and why it is in no table.
const NO_FIGURES: [(&str, &str); 20] = [
    ("schema_version", "of the output"),
    ("kind", "of the output"),
    ("folder", "where the run lies"),
    ("cost", "measured on the machine: profile.json"),
    ("tables", "sizes of the files themselves"),
    ("unserved_price_per_kwh", "an input: the world file"),
    ("case", "of the comparison: these have none"),
    ("unlike", "of the comparison: runs of one world are alike"),
    ("removed_cars", "of the world, as forked: runs of these worlds are no forks"),
    ("population.stays_without_slot", "of the world, as drawn"),
    ("population.stays_without_time", "of the world, as drawn"),
    ("population.sessions_in_reach", "of the world, as read"),
    ("population.sessions_without_slot", "of the world, as read"),
    ("population.sessions_before_start", "of the world, as read"),
    ("population.sessions_beyond_end", "of the world, as read"),
    ("population.hand_overs_within_slot", "of the world, as read"),
    ("population.requests_capped", "of the world, as read"),
    ("population.capped_kwh", "of the world, as read"),
    ("population.requested_kwh", "of the world, as read"),
    ("population.delivered_kwh", "of the world, as read"),
];

/// The system's bill in a world with a plant, with a row of 0 for units that it does not have.
const PLANT_COSTS: &str = "
    CREATE VIEW plant_costs AS
    SELECT component, amount FROM costs
    WHERE stage = 'settled' AND EXISTS (FROM solves WHERE stage <> 'group')
    UNION ALL
    SELECT unnest(['thermal', 'pumped_hydro', 'ess', 'wind', 'pv', 'interruption', 'must_take', 'unserved']), 0
    WHERE EXISTS (FROM solves WHERE stage <> 'group');";

/// The figures of `run --json` and `replay --json`.
const OF_RUN: [(&str, &str); 90] = [
    ("run_id", "SELECT run_id FROM runs"),
    ("world", "SELECT world FROM runs"),
    ("policy", "SELECT policy FROM runs"),
    ("status", "SELECT status FROM runs"),
    ("currency", "SELECT currency FROM runs"),
    ("ev_count", "SELECT ev_count FROM runs"),
    ("slots", "SELECT count(*) FROM system_ticks"),
    ("days", "SELECT sum(step_h) / 24 FROM system_ticks"),
    ("charged_kwh", "SELECT sum(charged_kwh) FROM sessions"),
    ("discharged_kwh", "SELECT sum(discharged_kwh) FROM sessions"),
    ("willing_share", "SELECT avg(participating::INTEGER) FROM ev_ticks"),
    ("v2g_eligible_sessions", "SELECT count(*) FILTER (v2g_eligible) FROM sessions"),
    (
        "no_discharge_reason",
        "SELECT CASE WHEN count(*) = 0 OR sum(discharged_kwh) > 0 THEN NULL
                     WHEN count(v2g_eligible) = 0 THEN 'no car can discharge at its charger'
                     WHEN (SELECT policy FROM runs) NOT IN ('v2g', 'threshold')
                     THEN 'policy `' || (SELECT policy FROM runs) || '` never discharges'
                     WHEN NOT (SELECT coalesce(bool_or(participating), true) FROM ev_ticks)
                     THEN 'no driver agreed'
                     WHEN count(*) FILTER (v2g_eligible) = 0 THEN 'no stay was long enough'
                     ELSE 'it did not pay' END FROM sessions",
    ),
    (
        "charged_kwh_per_ev_day",
        "SELECT sum(charged_kwh) / (SELECT ev_count FROM runs) / (SELECT sum(step_h) / 24 FROM system_ticks)
         FROM sessions",
    ),
    ("ev_mean_kw", "SELECT avg(ev_charge_kw - ev_discharge_kw) FROM system_ticks"),
    ("ev_peak.kw", "SELECT max(ev_charge_kw - ev_discharge_kw) FROM system_ticks"),
    (
        "ev_peak.tick",
        "SELECT tick FROM system_ticks ORDER BY ev_charge_kw - ev_discharge_kw DESC, tick LIMIT 1",
    ),
    (
        "ev_peak.local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M')
         FROM system_ticks ORDER BY ev_charge_kw - ev_discharge_kw DESC, tick LIMIT 1",
    ),
    ("net_load_peak.kw", "SELECT max(net_load_kw) FROM system_ticks"),
    ("net_load_peak.tick", "SELECT tick FROM system_ticks ORDER BY net_load_kw DESC, tick LIMIT 1"),
    (
        "net_load_peak.local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M')
         FROM system_ticks ORDER BY net_load_kw DESC, tick LIMIT 1",
    ),
    ("net_load_valley.kw", "SELECT min(net_load_kw) FROM system_ticks"),
    ("net_load_valley.tick", "SELECT tick FROM system_ticks ORDER BY net_load_kw, tick LIMIT 1"),
    (
        "net_load_valley.local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M')
         FROM system_ticks ORDER BY net_load_kw, tick LIMIT 1",
    ),
    (
        "imported_kwh",
        "SELECT coalesce(sum(greatest(kwh, 0)), 0) FROM (SELECT sum(output_kw * step_h) AS kwh FROM unit_ticks
         WHERE unit_kind = 'import_export' AND stage = 'settled' GROUP BY tick)",
    ),
    (
        "exported_kwh",
        "SELECT coalesce(sum(greatest(-kwh, 0)), 0) FROM (SELECT sum(output_kw * step_h) AS kwh FROM unit_ticks
         WHERE unit_kind = 'import_export' AND stage = 'settled' GROUP BY tick)",
    ),
    ("residual_kw_max", "SELECT max(abs(residual_kw)) FROM system_ticks"),
    ("sessions_ended", "SELECT count(unplugged_at) FILTER (slots > 0) FROM sessions"),
    ("sessions_open", "SELECT count(*) - count(unplugged_at) FROM sessions"),
    ("sessions_without_slot", "SELECT count(*) FILTER (slots = 0) FROM sessions"),
    ("energy_cost", "SELECT sum(energy_cost) FROM sessions"),
    ("v2g_revenue", "SELECT sum(v2g_revenue) FROM sessions"),
    ("degradation_cost", "SELECT sum(degradation_cost) FROM sessions"),
    ("net_cost", "SELECT sum(net_cost) FROM sessions"),
    (
        "net_cost_per_kwh",
        "SELECT if(kwh > 0, net_cost / kwh, NULL) FROM (
             SELECT sum(net_cost) AS net_cost, sum(charged_kwh - discharged_kwh) AS kwh FROM sessions)",
    ),
    (
        "import_export_cost",
        "SELECT coalesce(sum(cost), 0) FROM unit_ticks WHERE unit_kind = 'import_export' AND stage = 'settled'",
    ),
    (
        "unit_costs",
        "SELECT sum(cost) FROM unit_ticks
         WHERE stage = 'settled' AND EXISTS (FROM solves WHERE stage <> 'group')",
    ),
    ("system_cost.thermal", "SELECT sum(amount) FILTER (component IN ('thermal', 'starts')) FROM plant_costs"),
    ("system_cost.pumped_hydro", "SELECT sum(amount) FILTER (component IN ('pumped_hydro')) FROM plant_costs"),
    ("system_cost.ess", "SELECT sum(amount) FILTER (component IN ('ess')) FROM plant_costs"),
    ("system_cost.wind", "SELECT sum(amount) FILTER (component IN ('wind')) FROM plant_costs"),
    ("system_cost.pv", "SELECT sum(amount) FILTER (component IN ('pv')) FROM plant_costs"),
    ("system_cost.penalty", "SELECT sum(amount) FILTER (component IN ('interruption', 'curtailment')) FROM plant_costs"),
    ("system_cost.other", "SELECT sum(amount) FILTER (component IN ('must_take', 'import_export', 'hydrogen')) FROM plant_costs"),
    ("system_cost.unserved", "SELECT sum(amount) FILTER (component IN ('unserved')) FROM plant_costs"),
    ("system_cost.total", "SELECT sum(amount) FROM plant_costs"),
    ("solver_gap", "SELECT max(solver_gap) FROM system_costs"),
    (
        "slack",
        "WITH parts AS (
             SELECT tick, unnest((payload->'$.components')::JSON[]) AS part FROM events WHERE kind = 'SolveFinished'),
         wishes AS (
             SELECT tick, payload->>'$.stage' AS stage, unnest((payload->'$.unmet')::JSON[]) AS wish
             FROM events WHERE kind = 'SolveFinished'),
         used AS (
             SELECT 'unserved' AS name, tick, unserved_kw * step_h AS kwh FROM system_ticks
             UNION ALL SELECT 'spilled', tick, spilled_kw * step_h FROM system_ticks
             UNION ALL SELECT 'margin_up', tick, greatest(-margin_up_kw, 0) * step_h FROM system_ticks
             UNION ALL SELECT 'margin_down', tick, greatest(-margin_down_kw, 0) * step_h FROM system_ticks
             UNION ALL SELECT part->>0, tick, (part->>1)::DOUBLE / CASE part->>0 WHEN 'path' THEN 50 WHEN 'terminal' THEN 2 ELSE 5 END
                       FROM parts WHERE part->>0 IN ('terminal', 'deviation', 'path')
             UNION ALL SELECT wish->>1, tick, (wish->>2)::DOUBLE * CASE
                       WHEN NOT starts_with(wish->>1, 'ramp') THEN 1
                       WHEN stage = 'day_ahead' THEN (SELECT max(step_h) FROM unit_ticks WHERE stage = 'day_ahead')
                       ELSE (SELECT max(step_h) FROM system_ticks) END FROM wishes)
         SELECT string_agg(name || ' ' || tick || printf(' %.3f', kwh), ', ' ORDER BY name)
         FROM (SELECT name, min(tick) AS tick, sum(kwh) AS kwh FROM used WHERE kwh > 1e-6 GROUP BY name)",
    ),
    (
        "solver_fallbacks",
        "SELECT string_agg(status || ' ' || solves || ' ' || tick, ', ' ORDER BY tick, status)
         FROM (SELECT status::VARCHAR AS status, count(*) AS solves, min(tick) AS tick FROM solves
               WHERE status NOT IN ('optimal', 'feasible') GROUP BY ALL)",
    ),
    ("unserved_kwh", "SELECT coalesce(sum(unserved_kw * step_h), 0) FROM system_ticks"),
    ("spilled_kwh", "SELECT coalesce(sum(spilled_kw * step_h), 0) FROM system_ticks"),
    ("interrupted_kwh", "SELECT coalesce(sum(interrupted_kw * step_h), 0) FROM system_ticks"),
    ("curtailed_kwh", "SELECT sum(curtailed_kw * step_h) FROM system_ticks"),
    ("flexibility_up.demand_kw_slots", "SELECT sum(flex_demand_up_kw) FROM system_ticks"),
    (
        "flexibility_up.shortfall_kw_slots",
        "SELECT sum(greatest(-margin_up_kw, 0)) FROM system_ticks WHERE margin_up_kw IS NOT NULL",
    ),
    (
        "flexibility_up.shortfall_kwh",
        "SELECT sum(greatest(-margin_up_kw, 0) * step_h) FROM system_ticks WHERE margin_up_kw IS NOT NULL",
    ),
    ("flexibility_down.demand_kw_slots", "SELECT sum(flex_demand_down_kw) FROM system_ticks"),
    (
        "flexibility_down.shortfall_kw_slots",
        "SELECT sum(greatest(-margin_down_kw, 0)) FROM system_ticks WHERE margin_down_kw IS NOT NULL",
    ),
    (
        "flexibility_down.shortfall_kwh",
        "SELECT sum(greatest(-margin_down_kw, 0) * step_h) FROM system_ticks WHERE margin_down_kw IS NOT NULL",
    ),
    (
        "margin_slack_cost",
        "SELECT coalesce(sum((part->>1)::DOUBLE), 0) FROM (
             SELECT unnest((payload->'$.components')::JSON[]) AS part FROM events WHERE kind = 'SolveFinished'
         ) WHERE part->>0 = 'margin'",
    ),
    (
        "unmet_wishes",
        "SELECT coalesce(sum(json_array_length(payload, '$.unmet')), 0) FROM events
         WHERE kind = 'SolveFinished'",
    ),
    ("missed_targets", "SELECT count(missed_reason) FROM sessions"),
    ("missing_kwh", "SELECT coalesce(sum(missing_kwh), 0) FROM sessions"),
    (
        "missed_by",
        "SELECT string_agg(fleet || ' ' || missed_reason || ' ' || targets || printf(' %.6f', kwh), ', '
                           ORDER BY fleet, missed_reason)
         FROM (SELECT fleet, missed_reason::VARCHAR AS missed_reason, count(*) AS targets,
                      sum(missing_kwh) AS kwh
               FROM sessions WHERE missed_reason IS NOT NULL GROUP BY ALL)",
    ),
    (
        "short_trips",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'TripShort'",
    ),
    (
        "short_trips_kwh",
        "SELECT coalesce(sum((payload->'$.wanted_kwh')::DOUBLE - (payload->'$.driven_kwh')::DOUBLE), 0)
         FROM events WHERE kind = 'TripShort'",
    ),
    (
        "clipped_by_charger",
        "SELECT coalesce(sum((payload->'$.reason.charger')::BIGINT), 0) FROM events
         WHERE kind = 'SetPointClipped'",
    ),
    (
        "clipped_by_battery",
        "SELECT coalesce(sum((payload->'$.reason.battery')::BIGINT), 0) FROM events
         WHERE kind = 'SetPointClipped'",
    ),
    (
        "clipped_by_site",
        "SELECT coalesce(sum((payload->'$.reason.site')::BIGINT), 0) FROM events WHERE kind = 'SetPointClipped'",
    ),
    (
        "site_limit_hits",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'LimitViolated'",
    ),
    (
        "unkept_limits",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'LimitUnkept'",
    ),
    (
        "answers_not_finite",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'AnswerNotFinite'",
    ),
    ("first_not_finite.tick", "SELECT min(tick) FROM events WHERE kind = 'AnswerNotFinite'"),
    (
        "first_clipped.tick",
        "SELECT min(tick) FROM events WHERE kind = 'SetPointClipped' AND (payload->'$.reason.charger')::BIGINT > 0",
    ),
    ("policy_faults", "SELECT count(*) FROM events WHERE kind = 'PolicyFaulted'"),
    (
        "first_policy_fault.policy",
        "SELECT payload->>'$.policy' FROM events WHERE kind = 'PolicyFaulted' ORDER BY seq LIMIT 1",
    ),
    ("first_policy_fault.tick", "SELECT min(tick) FROM events WHERE kind = 'PolicyFaulted'"),
    (
        "first_policy_fault.local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M') FROM system_ticks
         WHERE tick = (SELECT min(tick) FROM events WHERE kind = 'PolicyFaulted')",
    ),
    (
        "first_policy_fault.message",
        "SELECT payload->>'$.message' FROM events WHERE kind = 'PolicyFaulted' ORDER BY seq LIMIT 1",
    ),
    (
        "first_policy_fault.fallback",
        "SELECT payload->>'$.fallback' FROM events WHERE kind = 'PolicyFaulted' ORDER BY seq LIMIT 1",
    ),
    (
        "lost_policy.policy",
        "SELECT payload->>'$.policy' FROM events WHERE kind = 'PolicyFaulted' AND (payload->'$.lost')::BOOLEAN
         ORDER BY seq LIMIT 1",
    ),
    (
        "lost_policy.tick",
        "SELECT min(tick) FROM events WHERE kind = 'PolicyFaulted' AND (payload->'$.lost')::BOOLEAN",
    ),
    (
        "lost_policy.local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M') FROM system_ticks
         WHERE tick = (SELECT min(tick) FROM events
                       WHERE kind = 'PolicyFaulted' AND (payload->'$.lost')::BOOLEAN)",
    ),
    ("events", "SELECT count(*) FROM events"),
    ("state_hash", "SELECT payload->>'$.state_hash' FROM events WHERE kind = 'TickSealed' ORDER BY seq DESC LIMIT 1"),
    // Figures that two tables tell must be the same in both.
    ("charged_kwh", "SELECT sum(ev_charge_kw * step_h) FROM system_ticks"),
    ("discharged_kwh", "SELECT sum(ev_discharge_kw * step_h) FROM system_ticks"),
    ("flexibility_up.shortfall_kwh", "SELECT up_kwh FROM missing_margins WHERE stage = 'settled'"),
    ("flexibility_down.shortfall_kwh", "SELECT down_kwh FROM missing_margins WHERE stage = 'settled'"),
    // There are none of these: what rounding leaves counts no hour.
    ("hours_that_miss_nothing", "SELECT max(up_hours) FROM missing_margins WHERE up_hours > 0 AND up_kwh < 1e-6"),
];

/// The figures of a line `compared_run`; `{run}` stands for the run's id; `saving` is question 02.
const OF_COMPARED_RUN: [(&str, &str); 19] = [
    ("policy", "SELECT policy FROM runs WHERE run_id = '{run}'"),
    ("world", "SELECT world FROM runs WHERE run_id = '{run}'"),
    ("seed", "SELECT seed FROM runs WHERE run_id = '{run}'"),
    ("currency", "SELECT currency FROM runs WHERE run_id = '{run}'"),
    ("net_cost", "SELECT sum(net_cost) FROM sessions WHERE run_id = '{run}'"),
    ("saving_percent", "SELECT 100 * saving FROM saving WHERE run_id = '{run}'"),
    ("saving", "SELECT saving_per_ev * ev_count FROM saving WHERE run_id = '{run}'"),
    ("compared_stays", "SELECT compared_stays FROM saving WHERE run_id = '{run}'"),
    ("compared_cost", "SELECT compared_cost FROM saving WHERE run_id = '{run}'"),
    ("emptier_kwh", "SELECT emptier_kwh FROM saving WHERE run_id = '{run}'"),
    ("emptier_value", "SELECT emptier_value FROM saving WHERE run_id = '{run}'"),
    ("put_off_kwh", "SELECT put_off_kwh FROM saving WHERE run_id = '{run}'"),
    ("charged_kwh", "SELECT sum(charged_kwh) FROM sessions WHERE run_id = '{run}'"),
    ("discharged_kwh", "SELECT sum(discharged_kwh) FROM sessions WHERE run_id = '{run}'"),
    ("net_load_peak_kw", "SELECT max(net_load_kw) FROM system_ticks WHERE run_id = '{run}'"),
    ("net_load_sd_kw", "SELECT stddev_pop(net_load_kw) FROM system_ticks WHERE run_id = '{run}'"),
    ("missed_targets", "SELECT count(missed_reason) FROM sessions WHERE run_id = '{run}'"),
    ("missing_kwh", "SELECT coalesce(sum(missing_kwh), 0) FROM sessions WHERE run_id = '{run}'"),
    (
        "policy_faults",
        "SELECT count(*) FROM events WHERE kind = 'PolicyFaulted' AND run_id = '{run}'",
    ),
];

/// What went wrong first, in a line `compared_run`.
const FIRST_TROUBLES: [(&str, &str); 4] = [
    (
        "first_policy_fault.tick",
        "SELECT min(tick) FROM events WHERE kind = 'PolicyFaulted' AND run_id = '{run}'",
    ),
    (
        "lost_policy.tick",
        "SELECT min(tick) FROM events
         WHERE kind = 'PolicyFaulted' AND (payload->'$.lost')::BOOLEAN AND run_id = '{run}'",
    ),
    (
        "first_not_finite.tick",
        "SELECT min(tick) FROM events WHERE kind = 'AnswerNotFinite' AND run_id = '{run}'",
    ),
    (
        "first_clipped.tick",
        "SELECT min(tick) FROM events
         WHERE kind = 'SetPointClipped' AND (payload->'$.reason.charger')::BIGINT > 0 AND run_id = '{run}'",
    ),
];

/// More of them.
const ALSO_OF_COMPARED_RUN: [(&str, &str); 3] = [
    (
        "broken_answers",
        "SELECT coalesce(sum(CASE WHEN kind = 'AnswerNotFinite' THEN (payload->'$.rows')::BIGINT
                             ELSE (payload->'$.reason.charger')::BIGINT END), 0)
         FROM events WHERE kind IN ('AnswerNotFinite', 'SetPointClipped') AND run_id = '{run}'",
    ),
    (
        "short_trips",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events
         WHERE kind = 'TripShort' AND run_id = '{run}'",
    ),
    (
        "stored_price_per_kwh.{fleet}",
        "WITH moved AS (
             SELECT run_id = '{run}' AS of_run, policy = 'uncontrolled' AS of_baseline, sessions.*
             FROM sessions JOIN runs USING (run_id) WHERE fleet = '{fleet}' AND (of_run OR of_baseline)
             AND seed = (SELECT seed FROM runs WHERE run_id = '{run}'))
         SELECT coalesce(
             sum(energy_cost) FILTER (of_baseline) / nullif(sum(stored_kwh) FILTER (of_baseline), 0),
             sum(energy_cost) FILTER (of_run) / nullif(sum(stored_kwh) FILTER (of_run), 0),
             sum(v2g_revenue) / nullif(sum(drawn_kwh), 0))
         FROM moved",
    ),
];

/// The figures of the line `saving_split`: `against_smart` is question 02 with `smart` as the baseline.
const OF_SPLIT: [(&str, &str); 8] = [
    ("policy", "SELECT 'v2g'"),
    ("against", "SELECT 'smart'"),
    ("saving.mean", "SELECT avg(saving) FROM split"),
    ("saving.sd", "SELECT stddev_samp(saving) FROM split"),
    ("by_tariff.mean", "SELECT avg(by_tariff) FROM split"),
    ("by_tariff.sd", "SELECT stddev_samp(by_tariff) FROM split"),
    ("by_discharge.mean", "SELECT avg(saving - by_tariff) FROM split"),
    ("by_discharge.sd", "SELECT stddev_samp(saving - by_tariff) FROM split"),
];

/// The tables that [`OF_SPLIT`] asks: what is saved against `smart`, seed by seed.
const SPLIT: &str = "
    CREATE TABLE split AS
    SELECT sum(saving_per_ev * ev_count) FILTER (policy = 'v2g') AS saving,
           sum(saving_per_ev * ev_count) FILTER (policy = 'smart-incentive') AS by_tariff
    FROM against_smart GROUP BY seed";

/// What a line `comparison` has of the runs of a policy: nothing of [`OF_COMPARED_RUN`] but these has a mean.
const NO_MEANS: [&str; 5] = ["policy", "world", "seed", "currency", "stored_price_per_kwh.{fleet}"];

/// Mean and standard deviation over runs, by their ids, of all that is said of each of them.
fn of_comparison(policy: &str, runs: &[&str]) -> Vec<(String, String)> {
    let mut rows = owned(&[
        ("against", "SELECT 'uncontrolled'"),
        ("currency", "SELECT any_value(currency) FROM runs"),
    ]);
    rows.push(("policy".to_owned(), format!("SELECT '{policy}'")));
    rows.push(("runs".to_owned(), format!("SELECT count(*) FROM runs WHERE policy = '{policy}'")));
    let of_each = OF_COMPARED_RUN.iter().chain(&ALSO_OF_COMPARED_RUN);
    for (name, query) in of_each.filter(|(name, _)| !NO_MEANS.contains(name)) {
        let cells: Vec<_> =
            runs.iter().map(|run| format!("(({}))", query.replace("{run}", run))).collect();
        let cells = format!("FROM (VALUES {}) AS cells(cell)", cells.join(", "));
        rows.push((format!("{name}.mean"), format!("SELECT avg(cell) {cells}")));
        rows.push((format!("{name}.sd"), format!("SELECT stddev_samp(cell) {cells}")));
    }
    rows
}

/// A line of JSON as figures by name: what stands inside others has the names joined by points.
fn flat(value: &Value) -> BTreeMap<String, Value> {
    fn add(name: &str, value: &Value, all: &mut BTreeMap<String, Value>) {
        let Some(fields) = value.as_object() else {
            all.insert(name.to_owned(), value.clone());
            return;
        };
        for (field, value) in fields {
            let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
            add(&name, value, all);
        }
    }
    let mut all = BTreeMap::new();
    add("", value, &mut all);
    // Costs by unit are held against the table of units.
    if let Some(Value::Array(costs)) = all.get("unit_costs") {
        let sum: f64 = costs.iter().map(|cost| cost["amount"].as_f64().unwrap()).sum();
        let sum = if costs.is_empty() { Value::Null } else { json!(sum) };
        all.insert("unit_costs".to_owned(), sum);
    }
    // So are targets by fleet and reason, as words.
    if let Some(Value::Array(missed)) = all.get("missed_by") {
        let word = |it: &Value| {
            let fleet = it["fleet"].as_str().unwrap();
            let reason = it["reason"].as_str().unwrap();
            format!("{fleet} {reason} {} {:.6}", it["targets"], it["missing_kwh"].as_f64().unwrap())
        };
        let words = missed.iter().map(word).collect::<Vec<_>>().join(", ");
        all.insert(
            "missed_by".to_owned(),
            if words.is_empty() { Value::Null } else { json!(words) },
        );
    }
    // So is slack by name, and so are schedules that were not found as asked.
    if let Some(Value::Array(slack)) = all.get("slack") {
        let word = |it: &Value| {
            let kwh = it["kwh"].as_f64().unwrap();
            format!("{} {} {kwh:.3}", it["name"].as_str().unwrap(), it["tick"])
        };
        let words = slack.iter().map(word).collect::<Vec<_>>().join(", ");
        let words = if words.is_empty() { Value::Null } else { json!(words) };
        all.insert("slack".to_owned(), words);
    }
    if let Some(Value::Array(fallbacks)) = all.get("solver_fallbacks") {
        let word = |it: &Value| {
            format!("{} {} {}", it["status"].as_str().unwrap(), it["solves"], it["tick"])
        };
        let words = fallbacks.iter().map(word).collect::<Vec<_>>().join(", ");
        let words = if words.is_empty() { Value::Null } else { json!(words) };
        all.insert("solver_fallbacks".to_owned(), words);
    }
    let no_figure = |name: &str| {
        NO_FIGURES.iter().any(|(no, _)| name == *no || name.starts_with(&format!("{no}.")))
    };
    all.retain(|name, _| !no_figure(name));
    all
}

/// Figures that are to be the cells of queries over the runs below `outputs`.
struct Question {
    what: String,
    outputs: String,
    /// Tables that are made of the views first.
    prepare: String,
    printed: BTreeMap<String, Value>,
    sql: Vec<(String, String)>,
    /// How much rounding may change of a figure: [`DOUBLE`], or [`SINGLE`] where a table has that.
    within: f64,
}

const DOUBLE: f64 = 1e-9;
const SINGLE: f64 = 1.2e-7;

/// Asks all questions at once and compares.
fn assert_found(python: &Path, questions: &[Question]) {
    let views = fs::read_to_string(root().join("outputs/views.sql")).unwrap() + PLANT_COSTS;
    let mut command = Command::new(python);
    command.arg(root().join("tests/it/figures.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let asked: Vec<String> = questions
        .iter()
        .map(|question| {
            let sql: Vec<_> = question.sql.iter().enumerate().collect();
            let sql: Vec<_> = sql.iter().map(|(at, (_, query))| (at.to_string(), query)).collect();
            let views = format!("{views}\n{}", question.prepare);
            json!({ "outputs": question.outputs, "views": views, "sql": sql }).to_string()
        })
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all((asked.join("\n") + "\n").as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the queries ran");
    let printed = text(&output.stdout);
    let answers: Vec<Map<String, Value>> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), questions.len());
    let mut wrong = Vec::new();
    for (question, answer) in questions.iter().zip(&answers) {
        wrong.extend(question.differing(answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Question {
    fn differing(&self, answer: &Map<String, Value>) -> Vec<String> {
        let mut wrong = Vec::new();
        let told = |name: &str| {
            let part = format!("{name}.");
            self.sql.iter().any(|(row, _)| row == name || row.starts_with(&part))
        };
        for name in self.printed.keys().filter(|name| !told(name)) {
            wrong.push(format!("{}: no row says what `{name}` is", self.what));
        }
        for (at, (name, _)) in self.sql.iter().enumerate() {
            let found = &answer[&at.to_string()];
            // A part of what is null is null.
            let printed = self.printed.get(name).unwrap_or(&Value::Null);
            if !same(printed, found, self.within) {
                wrong.push(format!("{}: {name} is {printed}, by SQL {found}", self.what));
            }
        }
        wrong
    }
}

/// Whether two figures are the same but for rounding.
fn same(printed: &Value, found: &Value, within: f64) -> bool {
    match (printed.as_f64(), found.as_f64()) {
        (Some(printed), Some(found)) => (printed - found).abs() <= 1e-7 + within * printed.abs(),
        _ => printed == found,
    }
}

/// What a verb prints, line by line.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let printed = succeed(voltide().args(["--json", "--quiet"]).args(arguments));
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Settings of a world of [`WORLDS`], as arguments.
pub(crate) fn sets<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let all = settings.iter().copied().chain(["telemetry.ev_ticks=Full"]);
    all.flat_map(|setting| ["--set", setting]).collect()
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(name, query)| ((*name).to_owned(), (*query).to_owned())).collect()
}

/// What a world of [`WORLDS`] is run with under a policy, as arguments.
fn sets_under<'a>(world: &str, settings: &[&'a str], policy: &str) -> Vec<&'a str> {
    let stay = WITH_FEEDBACK.contains(&world) && OF_WHOLE_SITES.contains(&policy);
    let prices: &[&str] = if stay { &THAT_STAY } else { &[] };
    [&sets(settings), prices].concat()
}

/// Whether a world refuses a policy with what lets it run in others.
fn is_refused(world: &str, policy: &str) -> bool {
    OF_A_TYPICAL_DAY.contains(&world) && OF_WHOLE_SITES.contains(&policy)
}

/// The figures of a summary, asked of the tables below a folder.
fn of_run(what: String, outputs: &Path, summary: &Value) -> Question {
    let outputs = outputs.to_str().unwrap().to_owned();
    let question_01 =
        fs::read_to_string(root().join("outputs/queries/01-system-cost.sql")).unwrap();
    let question_04 =
        fs::read_to_string(root().join("outputs/queries/04-margin-shortfall.sql")).unwrap();
    Question {
        what,
        outputs,
        prepare: format!(
            "CREATE TABLE system_costs AS {question_01};\nCREATE TABLE missing_margins AS {question_04}"
        ),
        printed: flat(summary),
        sql: owned(&OF_RUN),
        within: DOUBLE,
    }
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_run_and_its_replay_print_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let mut questions = Vec::new();
    for (world, settings) in WORLDS {
        for policy in OTHER_POLICIES.into_iter().chain(OF_WHOLE_SITES) {
            let folder = out.path().join(format!("{}-{policy}", questions.len()));
            let outputs = folder.to_str().unwrap().to_owned();
            let head = ["run", world, "--policy", policy, "--out", &outputs];
            let settings = sets_under(world, settings, policy);
            if is_refused(world, policy) {
                let (code, error) = fail(voltide().args(head).args(settings));
                assert!(
                    code == 3 && error.contains("listed cars tell of a typical day"),
                    "{error}"
                );
                continue;
            }
            let run = lines(&[&head[..], &settings].concat()).remove(0);
            let replayed = lines(&["replay", run["folder"].as_str().unwrap()]).remove(0);
            assert_eq!(flat(&run), flat(&replayed), "{world}, {policy}");
            questions.push(of_run(format!("{world}, {policy}"), &folder, &run));
        }
    }
    assert_found(&python, &questions);
}

/// A policy that panics when it is first asked, and a limit that lets nobody reach a target.
#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_run_that_went_wrong_prints_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let broken = plugin_folder().join(format!("{DLL_PREFIX}broken_policy{DLL_SUFFIX}"));
    let asked = ["run", "worlds/v2g-street.ron", "--out", out.path().to_str().unwrap()];
    let broken = ["--policy", broken.to_str().unwrap(), "--set", "policies.broken=(slot: 50000)"];
    let settings = [
        "fallback=\"uncontrolled\"",
        "fleets.commuters.count=9",
        "fleets.commuters.charger.charge_max=\"1 kW\"",
    ];
    let summary = lines(&[&asked[..], &broken, &sets(&settings)].concat()).remove(0);
    assert!(summary["policy_faults"].as_u64() > Some(1), "{summary}");
    assert!(!summary["missed_by"].as_array().unwrap().is_empty(), "{summary}");
    let mut question = of_run("broken".to_owned(), out.path(), &summary);
    // That it never discharges is known of policies that are built in alone.
    question.sql.retain(|(name, _)| name != "no_discharge_reason");
    assert_eq!(
        question.printed.remove("no_discharge_reason"),
        Some(json!("no stay was long enough"))
    );
    assert_found(&python, &[question]);
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_comparison_prints_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let question_02 =
        fs::read_to_string(root().join("outputs/queries/02-driver-cost.sql")).unwrap();
    let question_02 = question_02.trim_end().trim_end_matches(';');
    let prepare = format!(
        "CREATE TABLE saving AS {question_02};\nCREATE TABLE against_smart AS {};\n{SPLIT};",
        question_02.replace("'uncontrolled'", "'smart'")
    );
    let mut questions = Vec::new();
    for (world, policies, settings) in comparisons() {
        let outputs = out.path().join(questions.len().to_string()).to_str().unwrap().to_owned();
        // Several seeds have a mean and a spread.
        let seeds: &[&str] = if OVER_SEEDS.contains(&world) { &["--seeds", "3..4"] } else { &[] };
        let head = ["compare", world, "--out", &outputs, "--policies", &policies];
        let printed = lines(&[&head[..], seeds, &settings].concat());
        let mut runs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in printed.iter().filter(|line| line["kind"] == "compared_run") {
            runs.entry(line["policy"].as_str().unwrap()).or_default().push(id(line));
        }
        for line in &printed {
            let figures = flat(line);
            let policy = line["policy"].as_str().unwrap();
            let sql = match line["kind"].as_str().unwrap() {
                "compared_run" => of_compared_run(id(line), &figures),
                "saving_split" => owned(&OF_SPLIT),
                "comparison" => of_comparison(policy, &runs[policy]),
                other => panic!("no rows say what a line `{other}` is"),
            };
            questions.push(Question {
                what: format!("{world}, {} of {policy}", line["kind"]),
                outputs: outputs.clone(),
                prepare: prepare.clone(),
                printed: figures,
                sql,
                within: DOUBLE,
            });
        }
    }
    assert_found(&python, &questions);
}

/// A world, policies that are compared in it, and what it is run with, as arguments.
type Comparison = (&'static str, String, Vec<&'static str>);

/// All policies in all example worlds.
fn comparisons() -> Vec<Comparison> {
    let (with_feedback, without): (Vec<_>, Vec<_>) =
        WORLDS.into_iter().partition(|(world, _)| WITH_FEEDBACK.contains(world));
    let all = [OTHER_POLICIES.as_slice(), &OF_WHOLE_SITES].concat().join(",");
    let whole_sites =
        ["uncontrolled"].iter().chain(&OF_WHOLE_SITES).copied().collect::<Vec<_>>().join(",");
    let as_they_are =
        with_feedback.iter().map(|(world, set)| (*world, OTHER_POLICIES.join(","), sets(set)));
    let at_prices_that_stay =
        with_feedback.iter().filter(|(world, _)| !is_refused(world, OF_WHOLE_SITES[0])).map(
            |(world, set)| (*world, whole_sites.clone(), sets_under(world, set, OF_WHOLE_SITES[0])),
        );
    let without = without.iter().map(|(world, set)| (*world, all.clone(), sets(set)));
    as_they_are.chain(at_prices_that_stay).chain(without).collect()
}

/// Figures of a case that are figures of its run under other names; those of system cost have the same.
const OF_CASE: [(&str, &str); 7] = [
    ("user_cost", "net_cost"),
    ("solver_gap", "solver_gap"),
    ("shortfall_up_kw_slots", "flexibility_up.shortfall_kw_slots"),
    ("shortfall_down_kw_slots", "flexibility_down.shortfall_kw_slots"),
    ("demand_up_kw_slots", "flexibility_up.demand_kw_slots"),
    ("unserved_kwh", "unserved_kwh"),
    ("margin_slack_cost", "margin_slack_cost"),
];

const COSTS: [&str; 9] =
    ["thermal", "pumped_hydro", "ess", "wind", "pv", "penalty", "other", "unserved", "total"];

/// The query of a figure of a run.
fn query_of(figure: &str) -> String {
    let row = OF_RUN.iter().find(|(name, _)| *name == figure);
    format!("({})", row.unwrap_or_else(|| panic!("no row says what `{figure}` is")).1)
}

/// The figures of the lines `compared_figure` of one run, whose missing flexibility has a price.
fn of_case(margin_price: f64) -> Vec<(String, String)> {
    let same = OF_CASE.iter().map(|(name, figure)| ((*name).to_owned(), query_of(figure)));
    let costs =
        COSTS.iter().map(|name| ((*name).to_owned(), query_of(&format!("system_cost.{name}"))));
    let total = query_of("system_cost.total");
    let shortfall = format!(
        "coalesce({} + {}, 0) * (SELECT any_value(tick_s) FROM runs) / 3600",
        query_of("flexibility_up.shortfall_kw_slots"),
        query_of("flexibility_down.shortfall_kw_slots")
    );
    let sums = [
        ("societal_cost", format!("{} + {total}", query_of("net_cost"))),
        ("shortfall_kwh", shortfall.clone()),
        ("total_with_shortfall", format!("{total} + {margin_price} * {shortfall}")),
    ];
    let sums = sums.map(|(name, query)| (name.to_owned(), query));
    same.chain(costs).chain(sums).map(|(name, query)| (name, format!("SELECT {query}"))).collect()
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn the_cases_of_a_comparison_print_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let question_01 =
        fs::read_to_string(root().join("outputs/queries/01-system-cost.sql")).unwrap();
    let mut questions = Vec::new();
    for world in ["worlds/paper/paper.ron", "worlds/ten-units/day.ron"] {
        for (case, policy) in
            [("1", "uncontrolled"), ("1", "v2g"), ("2", "uncontrolled"), ("2", "v2g")]
        {
            let outputs = out.path().join(questions.len().to_string()).to_str().unwrap().to_owned();
            let asked =
                ["compare", world, "--policies", policy, "--cases", case, "--out", &outputs];
            let figures: Vec<Value> = lines(&asked)
                .into_iter()
                .filter(|line| line["kind"] == "compared_figure")
                .collect();
            let amount = |line: &Value| {
                (line["figure"].as_str().unwrap().to_owned(), line["amount"].clone())
            };
            questions.push(Question {
                what: format!("{world}, case {case} of {policy}"),
                outputs,
                prepare: format!("CREATE TABLE system_costs AS {question_01}"),
                printed: figures.iter().map(amount).collect(),
                sql: of_case(figures[0]["margin_price_per_kwh"].as_f64().unwrap()),
                within: DOUBLE,
            });
        }
    }
    assert_found(&python, &questions);
}

/// The figures of a line `within_solver_gap`, of two policies that were run.
fn of_doubt(policy: &str, against: &str) -> Vec<(String, String)> {
    let total = |policy: &str| {
        format!(
            "(SELECT sum(amount) FROM costs JOIN runs USING (run_id)
              WHERE policy = '{policy}' AND stage = 'settled')"
        )
    };
    let gap = |policy: &str| {
        format!("(SELECT max(solver_gap) FROM system_costs WHERE policy = '{policy}')")
    };
    let rows = [
        ("policy", format!("SELECT policy FROM runs WHERE policy = '{policy}'")),
        ("against", format!("SELECT policy FROM runs WHERE policy = '{against}'")),
        ("currency", "SELECT any_value(currency) FROM runs".to_owned()),
        ("difference", format!("SELECT {} - {}", total(policy), total(against))),
        ("solver_gap", format!("SELECT {} + {}", gap(policy), gap(against))),
    ];
    rows.map(|(name, query)| (name.to_owned(), query)).to_vec()
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_difference_that_the_solver_leaves_open_is_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let outputs = out.path().to_str().unwrap();
    let question_01 =
        fs::read_to_string(root().join("outputs/queries/01-system-cost.sql")).unwrap();
    let asked = ["compare", "worlds/ten-units/day.ron", "--policies", "uncontrolled,threshold,edf"];
    let sets = ["--set", "grid.stages.gap=0.05", "--cases", "1", "--out", outputs];
    let mut doubts = lines(&[&asked[..], &sets].concat());
    doubts.retain(|line| line["kind"] == "within_solver_gap");
    let question = |line: &Value| Question {
        what: format!("{line}"),
        outputs: outputs.to_owned(),
        prepare: format!("CREATE TABLE system_costs AS {question_01}"),
        printed: flat(line),
        sql: of_doubt(line["policy"].as_str().unwrap(), line["against"].as_str().unwrap()),
        within: DOUBLE,
    };
    assert_eq!(doubts.len(), 2, "{doubts:?}");
    assert_found(&python, &doubts.iter().map(question).collect::<Vec<_>>());
}

/// The id of a line `compared_run`.
fn id(line: &Value) -> &str {
    line["folder"].as_str().unwrap().rsplit_once("run_id=").unwrap().1
}

fn of_compared_run(run: &str, figures: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    let fleet = figures.keys().find_map(|name| name.strip_prefix("stored_price_per_kwh."));
    let fill =
        |text: &str| text.replace("{run}", run).replace("{fleet}", fleet.unwrap_or_default());
    let rows = OF_COMPARED_RUN.iter().chain(&ALSO_OF_COMPARED_RUN).chain(&FIRST_TROUBLES);
    rows.map(|(name, query)| (fill(name), fill(query))).collect()
}
