//! Every figure that a verb prints is the one that SQL finds in the tables.
//!
//! A list says for each figure of `--json` how it is worked out; a figure without a row fails the test.
//! Other verbs have a list beside these.

use crate::{
    program::{root, succeed, text, voltide},
    python::python,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// The example worlds, cut to a few seconds in all; every car is in `ev_ticks`.
const WORLDS: [(&str, &[&str]); 9] = [
    ("worlds/one-car.ron", &[]),
    ("worlds/v2g-street.ron", &["fleets.commuters.count=20"]),
    ("worlds/reservation.ron", &[]),
    ("worlds/paper/ev.ron", &[]),
    ("worlds/paper/paper.ron", &[]),
    ("worlds/paper/willing.ron", &[]),
    ("worlds/acn/caltech.ron", &[]),
    ("worlds/ten-units/day.ron", &["fleets.commuters.count=40", "grid.stages.gap=0.05"]),
    ("worlds/germany/week.ron", &["fleets.commuters.count=60", "clock.days=1"]),
];

/// What is printed and is no figure of the run, and why it is in no table.
const NO_FIGURES: [(&str, &str); 21] = [
    ("schema_version", "of the output"),
    ("kind", "of the output"),
    ("folder", "where the run lies"),
    ("cost", "measured on the machine: profile.json"),
    ("tables", "sizes of the files themselves"),
    ("unserved_price_per_kwh", "an input: the world file"),
    ("case", "of the comparison: these have none"),
    ("unlike", "of the comparison: runs of one world are alike"),
    ("first_not_finite", "an event of the journal"),
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
    SELECT component, amount FROM costs WHERE stage = 'settled' AND EXISTS (FROM solves)
    UNION ALL
    SELECT unnest(['thermal', 'pumped_hydro', 'ess', 'wind', 'pv', 'interruption', 'must_take', 'unserved']), 0
    WHERE EXISTS (FROM solves);";

/// The figures of `run --json` and `replay --json`.
const OF_RUN: [(&str, &str); 73] = [
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
        "SELECT CASE WHEN count(v2g_eligible) = 0 OR sum(discharged_kwh) > 0 THEN NULL
                     WHEN NOT (SELECT coalesce(bool_or(participating), true) FROM ev_ticks)
                     THEN 'no driver agreed'
                     WHEN count(*) FILTER (v2g_eligible) = 0 THEN 'no stay was long enough (13)'
                     ELSE 'it did not pay, or the policy does not discharge' END FROM sessions",
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
    ("unit_costs", "SELECT sum(cost) FROM unit_ticks WHERE stage = 'settled' AND EXISTS (FROM solves)"),
    ("system_cost.thermal", "SELECT sum(amount) FILTER (component IN ('thermal', 'starts')) FROM plant_costs"),
    ("system_cost.pumped_hydro", "SELECT sum(amount) FILTER (component IN ('pumped_hydro')) FROM plant_costs"),
    ("system_cost.ess", "SELECT sum(amount) FILTER (component IN ('ess')) FROM plant_costs"),
    ("system_cost.wind", "SELECT sum(amount) FILTER (component IN ('wind')) FROM plant_costs"),
    ("system_cost.pv", "SELECT sum(amount) FILTER (component IN ('pv')) FROM plant_costs"),
    ("system_cost.penalty", "SELECT sum(amount) FILTER (component IN ('interruption', 'curtailment')) FROM plant_costs"),
    ("system_cost.other", "SELECT sum(amount) FILTER (component IN ('must_take', 'import_export')) FROM plant_costs"),
    ("system_cost.unserved", "SELECT sum(amount) FILTER (component IN ('unserved')) FROM plant_costs"),
    ("system_cost.total", "SELECT sum(amount) FROM plant_costs"),
    ("solver_gap", "SELECT max(solver_gap) FROM system_costs"),
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
        "short_trips",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'TripShort'",
    ),
    (
        "short_trips_kwh",
        "SELECT coalesce(sum((payload->'$.wanted_kwh')::DOUBLE - (payload->'$.driven_kwh')::DOUBLE), 0)
         FROM events WHERE kind = 'TripShort'",
    ),
    ("answers_not_finite", "SELECT count(*) FROM events WHERE kind = 'AnswerNotFinite'"),
    (
        "clipped_by_charger",
        "SELECT coalesce(sum((payload->'$.by_charger')::BIGINT), 0) FROM events
         WHERE kind = 'SetPointClipped'",
    ),
    (
        "clipped_by_battery",
        "SELECT coalesce(sum((payload->'$.by_battery')::BIGINT), 0) FROM events
         WHERE kind = 'SetPointClipped'",
    ),
    (
        "clipped_by_site",
        "SELECT coalesce(sum((payload->'$.by_site')::BIGINT), 0) FROM events WHERE kind = 'SetPointClipped'",
    ),
    (
        "site_limit_hits",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events WHERE kind = 'LimitViolated'",
    ),
    ("policy_faults", "SELECT count(*) FROM events WHERE kind = 'PolicyFaulted'"),
    ("events", "SELECT count(*) FROM events"),
    ("state_hash", "SELECT payload->>'$.state_hash' FROM events WHERE kind = 'TickSealed' ORDER BY seq DESC LIMIT 1"),
    // Figures that two tables tell must be the same in both.
    ("charged_kwh", "SELECT sum(ev_charge_kw * step_h) FROM system_ticks"),
    ("discharged_kwh", "SELECT sum(ev_discharge_kw * step_h) FROM system_ticks"),
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
    ("policy_faults", "SELECT count(*) FROM events WHERE kind = 'PolicyFaulted' AND run_id = '{run}'"),
];

/// More of them.
const ALSO_OF_COMPARED_RUN: [(&str, &str); 2] = [
    (
        "short_trips",
        "SELECT coalesce(sum((payload->'$.rows')::BIGINT), 0) FROM events
         WHERE kind = 'TripShort' AND run_id = '{run}'",
    ),
    (
        "stored_price_per_kwh.{fleet}",
        "WITH moved AS (
             SELECT run_id = '{run}' AS of_run, policy = 'uncontrolled' AS of_baseline, sessions.*
             FROM sessions JOIN runs USING (run_id) WHERE fleet = '{fleet}' AND (of_run OR of_baseline))
         SELECT coalesce(
             sum(energy_cost) FILTER (of_baseline) / nullif(sum(stored_kwh) FILTER (of_baseline), 0),
             sum(energy_cost) FILTER (of_run) / nullif(sum(stored_kwh) FILTER (of_run), 0),
             sum(v2g_revenue) / nullif(sum(drawn_kwh), 0))
         FROM moved",
    ),
];

/// The figures of the line `saving_split`: `against_smart` is question 02 with `smart` as the baseline.
const OF_SPLIT: [(&str, &str); 3] = [
    ("saving.mean", "SELECT saving_per_ev * ev_count FROM against_smart WHERE policy = 'v2g'"),
    ("by_tariff.mean", "SELECT saving_per_ev * ev_count FROM against_smart WHERE policy = 'smart-incentive'"),
    (
        "by_discharge.mean",
        "SELECT sum(saving_per_ev * ev_count * if(policy = 'v2g', 1, -1)) FROM against_smart
         WHERE policy IN ('v2g', 'smart-incentive')",
    ),
];

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
    let no_figure =
        |name: &str| NO_FIGURES.iter().any(|(no, _)| name == *no || name.starts_with(&format!("{no}.")));
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
}

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
            if !same(printed, found) {
                wrong.push(format!("{}: {name} is {printed}, by SQL {found}", self.what));
            }
        }
        wrong
    }
}

/// Whether two figures are the same but for rounding.
fn same(printed: &Value, found: &Value) -> bool {
    match (printed.as_f64(), found.as_f64()) {
        (Some(printed), Some(found)) => (printed - found).abs() <= 1e-7 + 1e-9 * printed.abs(),
        _ => printed == found,
    }
}

/// What a verb prints, line by line.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let printed = succeed(voltide().args(["--json", "--quiet"]).args(arguments));
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Settings of a world of [`WORLDS`], as arguments.
fn sets<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    let all = settings.iter().copied().chain(["telemetry.ev_ticks=Full"]);
    all.flat_map(|setting| ["--set", setting]).collect()
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(name, query)| ((*name).to_owned(), (*query).to_owned())).collect()
}

#[test]
fn a_run_and_its_replay_print_what_the_tables_say() {
    let Some(python) = python() else { return };
    let out = tempfile::tempdir().unwrap();
    let question_01 = fs::read_to_string(root().join("outputs/queries/01-system-cost.sql")).unwrap();
    let mut questions = Vec::new();
    for (world, settings) in WORLDS {
        for policy in ["uncontrolled", "v2g", "threshold"] {
            let folder = out.path().join(questions.len().to_string());
            let outputs = folder.to_str().unwrap().to_owned();
            let head = ["run", world, "--policy", policy, "--out", &outputs];
            let run = lines(&[&head[..], &sets(settings)].concat()).remove(0);
            let replayed = lines(&["replay", run["folder"].as_str().unwrap()]).remove(0);
            assert_eq!(flat(&run), flat(&replayed), "{world}, {policy}");
            let what = format!("{world}, {policy}");
            let prepare = format!("CREATE TABLE system_costs AS {question_01}");
            let sql = owned(&OF_RUN);
            questions.push(Question { what, outputs, prepare, printed: flat(&run), sql });
        }
    }
    assert_found(&python, &questions);
}

#[test]
fn a_comparison_prints_what_the_tables_say() {
    let Some(python) = python() else { return };
    let out = tempfile::tempdir().unwrap();
    let question_02 = fs::read_to_string(root().join("outputs/queries/02-driver-cost.sql")).unwrap();
    let question_02 = question_02.trim_end().trim_end_matches(';');
    let prepare = format!(
        "CREATE TABLE saving AS {question_02};\nCREATE TABLE against_smart AS {};",
        question_02.replace("'uncontrolled'", "'smart'")
    );
    let mut questions = Vec::new();
    for (world, settings) in WORLDS {
        let outputs = out.path().join(questions.len().to_string()).to_str().unwrap().to_owned();
        let policies = ["--policies", "uncontrolled,smart,v2g,threshold"];
        let printed =
            lines(&[&["compare", world, "--out", &outputs][..], &policies, &sets(settings)].concat());
        for line in &printed {
            let (rows, run) = match line["kind"].as_str().unwrap() {
                "compared_run" => {
                    let folder = line["folder"].as_str().unwrap();
                    let rows = [&OF_COMPARED_RUN[..], &ALSO_OF_COMPARED_RUN].concat();
                    (rows, folder.rsplit_once("run_id=").unwrap().1)
                }
                "saving_split" => (OF_SPLIT.to_vec(), ""),
                // Means of the lines above, of one run each.
                "comparison" => continue,
                other => panic!("no rows say what a line `{other}` is"),
            };
            let mut printed = flat(line);
            if line["kind"] == "saving_split" {
                printed.retain(|name, value| {
                    name.ends_with(".mean") || !value.is_null() && name.ends_with(".sd")
                });
            }
            let fleet = printed.keys().find_map(|name| name.strip_prefix("stored_price_per_kwh."));
            let fleet = fleet.unwrap_or_default().to_owned();
            let fill = |text: &str| text.replace("{run}", run).replace("{fleet}", &fleet);
            let sql = rows.iter().map(|(name, query)| (fill(name), fill(query))).collect();
            let what = format!("{world}, {} of {}", line["kind"], line["policy"]);
            questions.push(Question {
                what,
                outputs: outputs.clone(),
                prepare: prepare.clone(),
                printed,
                sql,
            });
        }
    }
    assert_found(&python, &questions);
}
