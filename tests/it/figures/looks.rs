//! The figures of verbs that look at runs and worlds: `state`, `diff`, `log`, `replay --redecide` and
//! `--dry-run`; and that no verb prints a line of figures that is not asked of SQL here or above.

use super::{DOUBLE, Question, SINGLE, WORLDS, assert_found, flat, lines, of_run, owned, sets};
use crate::{
    program::{root, succeed, voltide},
    python::python,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

/// The figures of `state` at tick 100 that tables of double precision tell, and at the end those of single.
const OF_STATE: [(&str, &str); 13] = [
    ("tick", "SELECT 100"),
    (
        "local_time",
        "SELECT strftime(ts AT TIME ZONE (SELECT time_zone FROM runs), '%Y-%m-%dT%H:%M')
         FROM system_ticks WHERE tick = 100",
    ),
    ("plugged", "SELECT count(session_id) FROM ev_ticks WHERE tick = 100"),
    ("charging", "SELECT count(*) FILTER (charge_kw > 0) FROM ev_ticks WHERE tick = 100"),
    ("discharging", "SELECT count(*) FILTER (discharge_kw > 0) FROM ev_ticks WHERE tick = 100"),
    ("agreed", "SELECT count(*) FILTER (participating) FROM ev_ticks WHERE tick = 100"),
    ("ev_charge_kw", "SELECT sum(charge_kw) FROM ev_ticks WHERE tick = 100"),
    ("ev_discharge_kw", "SELECT sum(discharge_kw) FROM ev_ticks WHERE tick = 100"),
    ("base_load_kw", "SELECT base_load_kw FROM system_ticks WHERE tick = 100"),
    ("net_load_kw", "SELECT net_load_kw FROM system_ticks WHERE tick = 100"),
    ("tou_price_per_kwh", "SELECT tou_price_per_kwh FROM system_ticks WHERE tick = 100"),
    ("cars", "SELECT count(DISTINCT ev_id) FROM ev_ticks WHERE tick = 100 AND ev_id < {cars}"),
    ("stored_kwh", "SELECT sum(energy_kwh) FROM ev_ticks WHERE tick = 100 AND ev_id < {cars}"),
];

/// The figures of `diff` of each of two runs; what they still want has no second way in the tables.
const OF_DIFF: [(&str, &str); 10] = [
    ("simulated_h", "SELECT sum(step_h) FROM system_ticks WHERE run_id = '{run}'"),
    ("charged_kwh", "SELECT sum(charged_kwh) FROM sessions WHERE run_id = '{run}'"),
    ("discharged_kwh", "SELECT sum(discharged_kwh) FROM sessions WHERE run_id = '{run}'"),
    ("energy_cost", "SELECT sum(energy_cost) FROM sessions WHERE run_id = '{run}'"),
    ("v2g_revenue", "SELECT sum(v2g_revenue) FROM sessions WHERE run_id = '{run}'"),
    ("degradation_cost", "SELECT sum(degradation_cost) FROM sessions WHERE run_id = '{run}'"),
    ("net_cost", "SELECT sum(net_cost) FROM sessions WHERE run_id = '{run}'"),
    ("missing_kwh", "SELECT coalesce(sum(missing_kwh), 0) FROM sessions WHERE run_id = '{run}'"),
    ("net_load_peak_kw", "SELECT max(net_load_kw) FROM system_ticks WHERE run_id = '{run}'"),
    (
        "on_board_kwh",
        "SELECT sum(energy_kwh) FROM ev_ticks WHERE run_id = '{run}' AND ev_id < {cars}
         AND tick = (SELECT max(tick) FROM system_ticks)",
    ),
];

/// Which runs `diff` compares, in words; and what has no second way.
const OF_DIFF_IN_WORDS: [&str; 14] = [
    "cars",
    "clock",
    "configuration",
    "currency",
    "fork_of",
    "overrides",
    "policy",
    "policy's_version",
    "run",
    "seed",
    "simulated",
    "status",
    "world",
    "still_wanted_kwh",
];

/// A run under `v2g`, its fork in which eight of its twenty cars are removed, and its tables built again.
struct Family {
    parent: Value,
    fork: Value,
    rebuilt: Value,
}

impl Family {
    fn new(out: &Path) -> Self {
        let [one, other] =
            ["parent", "fork"].map(|name| out.join(name).to_str().unwrap().to_owned());
        let head = ["run", "worlds/v2g-street.ron", "--policy", "v2g", "--out", &one];
        let parent = lines(&[&head[..], &sets(&["fleets.commuters.count=20"])].concat()).remove(0);
        let folder = parent["folder"].as_str().unwrap();
        let fork = ["fork", folder, "--at", "60", "--policy", "smart", "--out", &other];
        let fork = lines(&[&fork[..], &["--set", "fleets.commuters.count=12"]].concat()).remove(0);
        fs::remove_file(root().join(folder).join("manifest.json")).unwrap();
        let rebuilt = lines(&["resume", folder]).remove(0);
        Self { parent, fork, rebuilt }
    }
}

/// A line of `state` at tick 100, asked of the per-car table of that tick.
fn of_state(outputs: &Path, run: &Value, cars: u32, leave_out: &[&str]) -> Question {
    let printed = lines(&["state", run["folder"].as_str().unwrap(), "--at", "100"]).remove(0);
    let mut printed = flat(&printed);
    printed.retain(|name, _| !leave_out.contains(&name.as_str()));
    let rows = OF_STATE.iter().filter(|(name, _)| !leave_out.contains(name));
    let sql =
        rows.map(|(name, query)| ((*name).to_owned(), query.replace("{cars}", &cars.to_string())));
    Question {
        what: format!("state of {}", run["run_id"]),
        outputs: outputs.to_str().unwrap().to_owned(),
        prepare: String::new(),
        printed,
        sql: sql.collect(),
        within: SINGLE,
    }
}

/// The counts of `log stats`, `ls` and `verify`: events by kind, ticks and files. Bytes are those of the files themselves.
fn of_log(outputs: &Path, run: &Value, verb: &str) -> Question {
    let printed = lines(&["log", verb, run["folder"].as_str().unwrap()]).remove(0);
    let mut sql = owned(&[
        ("events", "SELECT count(*) FROM events"),
        ("ticks", "SELECT count(*) FROM system_ticks"),
        ("outcome", "SELECT status FROM runs"),
        ("kinds", "SELECT count(DISTINCT kind) FROM events"),
    ]);
    let kinds = printed["kinds"].as_object().unwrap();
    for kind in kinds.keys() {
        let name = kind.split('.').next().unwrap();
        sql.push((
            format!("kinds.{kind}.events"),
            format!("SELECT count(*) FROM events WHERE kind = '{name}'"),
        ));
    }
    let mut figures = flat(&printed);
    figures.insert("kinds".to_owned(), json!(kinds.len()));
    let is_rows = |name: &str| name.rsplit_once('.').is_some_and(|(_, last)| last == "rows");
    let of_the_files = |name: &str| name.ends_with("bytes") || is_rows(name);
    figures.retain(|name, _| {
        !of_the_files(name) && !["segments", "chain_hash"].contains(&name.as_str())
    });
    Question {
        what: format!("log of {}", run["run_id"]),
        outputs: outputs.to_str().unwrap().to_owned(),
        prepare: String::new(),
        printed: figures,
        sql,
        within: DOUBLE,
    }
}

/// The figures of `state --ev` at tick 66, late in an afternoon.
const OF_CAR: [(&str, &str); 14] = [
    ("tick", "SELECT tick FROM car WHERE tick = 66"),
    (
        "local_time",
        "SELECT strftime(ts AT TIME ZONE zone, '%Y-%m-%dT%H:%M') FROM car WHERE tick = 66",
    ),
    ("ev", "SELECT ev_id FROM car WHERE tick = 66"),
    ("energy_kwh", "SELECT energy_kwh FROM car WHERE tick = 66"),
    ("soc", "SELECT soc FROM car WHERE tick = 66"),
    ("session_id", "SELECT session_id FROM car WHERE tick = 66"),
    ("charger_id", "SELECT charger_id FROM car WHERE tick = 66"),
    ("plugged_from", "SELECT strftime(plugged_at AT TIME ZONE zone, '%Y-%m-%dT%H:%M') FROM stay"),
    // In drawn worlds cars leave when they said.
    ("departure", "SELECT strftime(unplugged_at AT TIME ZONE zone, '%Y-%m-%dT%H:%M') FROM stay"),
    ("departure_kwh", "SELECT soc_target * (SELECT max(energy_kwh / soc) FROM car) FROM stay"),
    (
        "power_kw",
        "SELECT charge_kw - discharge_kw FROM car WHERE tick = 66 AND session_id IS NOT NULL",
    ),
    (
        "charged_kwh",
        "SELECT sum(charge_kw * step_h) FROM car JOIN stay USING (session_id) WHERE tick <= 66",
    ),
    (
        "discharged_kwh",
        "SELECT sum(discharge_kw * step_h) FROM car JOIN stay USING (session_id) WHERE tick <= 66",
    ),
    (
        "energy_cost",
        "SELECT sum(charge_kw * step_h * price_per_kwh) FROM car JOIN stay USING (session_id)
         WHERE tick <= 66",
    ),
];

/// A line of `state --ev` at tick 66; what discharging earns is in no table by slot, but in that of the
/// whole stay, which `diff` and `run` are asked of.
fn of_car(outputs: &Path, run: &Value, ev: u32) -> Question {
    let ev = ev.to_string();
    let asked = ["state", run["folder"].as_str().unwrap(), "--at", "66", "--ev", &ev];
    let mut printed = flat(&lines(&asked).remove(0));
    printed.remove("v2g_revenue");
    Question {
        what: format!("car {ev} of {}", run["run_id"]),
        outputs: outputs.to_str().unwrap().to_owned(),
        prepare: format!(
            "CREATE TABLE car AS SELECT e.*, step_h, time_zone AS zone
             FROM ev_ticks e JOIN system_ticks s USING (run_id, tick) JOIN runs USING (run_id)
             WHERE ev_id = {ev};
             CREATE TABLE stay AS SELECT s.*, zone FROM sessions s
             JOIN (SELECT session_id, zone FROM car WHERE tick = 66) USING (session_id);"
        ),
        printed,
        sql: owned(&OF_CAR),
        within: SINGLE,
    }
}

/// What `diff` says of a family.
fn of_diff(outputs: &Path, family: &Family) -> Question {
    let folder = |run: &Value| run["folder"].as_str().unwrap().to_owned();
    let printed = lines(&["diff", &folder(&family.parent), &folder(&family.fork)]).remove(0);
    let mut figures = flat(&printed);
    let in_words =
        |name: &str| name.split_once('.').is_some_and(|(_, name)| OF_DIFF_IN_WORDS.contains(&name));
    figures.retain(|name, _| !name.starts_with("first.") && !in_words(name));
    let mut sql = Vec::new();
    for (name, query) in OF_DIFF {
        let of = |run: &Value, cars: &str| {
            query.replace("{run}", run["run_id"].as_str().unwrap()).replace("{cars}", cars)
        };
        let (one, other) = (of(&family.parent, "20"), of(&family.fork, "12"));
        sql.push((format!("difference.{name}"), format!("SELECT ({other}) - ({one})")));
        sql.push((format!("one.{name}"), one));
        sql.push((format!("other.{name}"), other));
    }
    Question {
        what: "diff".to_owned(),
        outputs: outputs.to_str().unwrap().to_owned(),
        prepare: String::new(),
        printed: figures,
        sql,
        // Only what is on board comes of a table of single precision.
        within: SINGLE,
    }
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_fork_a_resumed_run_and_looks_into_them_print_what_the_tables_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let family = Family::new(out.path());
    assert_eq!(flat(&family.rebuilt), flat(&family.parent));
    let [parent, fork] = ["parent", "fork"].map(|name| out.path().join(name));
    let questions = [
        of_run("resume".to_owned(), &parent, &family.rebuilt),
        of_run("fork".to_owned(), &fork, &family.fork),
        of_state(&parent, &family.parent, 20, &[]),
        of_state(&fork, &family.fork, 12, &["cars", "stored_kwh"]),
        // The log of a fork is its own part only, and its tables are of the whole.
        of_log(&parent, &family.parent, "stats"),
        of_log(&parent, &family.parent, "ls"),
        of_log(&parent, &family.parent, "verify"),
        of_diff(out.path(), &family),
    ];
    assert_found(&python, &questions);
}

/// Cars that a fork removed are nowhere: neither they nor what they hold.
#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_state_counts_no_car_that_a_fork_removed() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let family = Family::new(out.path());
    assert_found(&python, &[of_state(&out.path().join("fork"), &family.fork, 12, &[])]);
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn what_a_car_does_is_what_its_rows_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let outputs = out.path().to_str().unwrap();
    let head = ["run", "worlds/v2g-street.ron", "--policy", "v2g", "--out", outputs];
    let run = lines(&[&head[..], &sets(&["fleets.commuters.count=20"])].concat()).remove(0);
    let questions: Vec<Question> = (14..20).map(|ev| of_car(out.path(), &run, ev)).collect();
    let plugged =
        questions.iter().filter(|question| !question.printed["session_id"].is_null()).count();
    assert!((1..6).contains(&plugged), "{plugged} are plugged in: some are away");
    assert_found(&python, &questions);
}

/// Tables of the plans of a run as `log export` writes them below `folder`, and of the slots in each, from a
/// first to one before the last.
fn plans_of(name: &str, run: &Value, folder: &Path) -> String {
    lines(&["log", "export", run["folder"].as_str().unwrap(), "--out", folder.to_str().unwrap()]);
    format!(
        "CREATE TABLE {name}_plans AS
         SELECT seq, session_id, payload->'$.segments' AS segments
         FROM '{}/events.parquet' WHERE kind = 'PlansAccepted';
         CREATE TABLE {name} AS
         WITH parts AS (
             SELECT session_id, (part->>'$.slot')::INTEGER AS slot, (part->>'$.power_kw')::DOUBLE AS power_kw
             FROM (SELECT session_id, unnest(segments::JSON[]) AS part FROM {name}_plans)),
         ends AS (
             SELECT session_id, max(tick) + 1 AS slot FROM ev_ticks WHERE run_id = '{}' GROUP BY session_id)
         SELECT power_kw, parts.slot AS first,
                coalesce(lead(parts.slot) OVER (PARTITION BY session_id ORDER BY parts.slot), ends.slot) AS last
         FROM parts JOIN ends USING (session_id);",
        folder.display(),
        run["run_id"].as_str().unwrap()
    )
}

/// The figures of what one of the tables of [`plans_of`] planned; in this world nobody discharges.
const OF_PLANNED: [(&str, &str); 3] = [
    (
        "charge_kwh",
        "SELECT sum(power_kw * (last - first) * (SELECT any_value(tick_s) / 3600 FROM runs)) FROM {plans}",
    ),
    ("discharge_kwh", "SELECT sum(greatest(-power_kw, 0)) FROM {plans}"),
    (
        "cost",
        "SELECT sum(power_kw * step_h * tou_price_per_kwh) FROM {plans}
         JOIN system_ticks ON tick >= first AND tick < last WHERE run_id = '{run}'",
    ),
];

/// Two policies decide in one world, in which what is decided changes nothing that is asked later: what the
/// second is asked again about the run of the first is what it said in its own.
#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn what_a_policy_would_have_planned_is_what_the_plans_of_both_runs_say() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let outputs = out.path().join("runs").to_str().unwrap().to_owned();
    let run = |policy: &str| {
        let head = ["run", "worlds/one-car.ron", "--policy", policy, "--out", &outputs];
        lines(&[&head[..], &sets(&["fleets.commuters.count=9"])].concat()).remove(0)
    };
    let (recorded, again) = (run("uncontrolled"), run("smart"));
    let asked = ["replay", recorded["folder"].as_str().unwrap(), "--redecide", "--policy", "smart"];
    let mut sql = owned(&[
        ("policy", "SELECT policy FROM runs WHERE policy = 'smart'"),
        ("calls", "SELECT count(DISTINCT seq) FROM recorded_plans"),
        ("plans", "SELECT count(*) FROM recorded_plans"),
        ("differing", "SELECT count(*) FROM others"),
        ("first_tick", "SELECT min(tick) FROM others JOIN ev_ticks USING (session_id)"),
        (
            "first_ev",
            "SELECT ev_id FROM others JOIN sessions USING (session_id) ORDER BY seq, ev_id LIMIT 1",
        ),
    ]);
    for (plans, run) in [("recorded", &recorded), ("again", &again)] {
        let fill = |query: &str| {
            query.replace("{plans}", plans).replace("{run}", run["run_id"].as_str().unwrap())
        };
        sql.extend(OF_PLANNED.iter().map(|(name, query)| (format!("{plans}.{name}"), fill(query))));
    }
    let question = Question {
        what: "redecided".to_owned(),
        prepare: format!(
            "{}{}CREATE TABLE others AS SELECT r.* FROM recorded_plans r JOIN again_plans a USING (session_id)
             WHERE r.segments::VARCHAR <> a.segments::VARCHAR;",
            plans_of("recorded", &recorded, &out.path().join("recorded")),
            plans_of("again", &again, &out.path().join("again")),
        ),
        outputs,
        printed: flat(&lines(&asked).remove(0)),
        sql,
        within: DOUBLE,
    };
    assert!(question.printed["differing"].as_u64() > Some(0), "{:?}", question.printed);
    assert_found(&python, &[question]);
}

/// The figures of `run --dry-run` that are no estimates of bytes.
const OF_DRY_RUN: [(&str, &str); 6] = [
    ("world", "SELECT world FROM runs"),
    ("policy", "SELECT policy FROM runs"),
    ("slots", "SELECT count(*) FROM system_ticks"),
    ("ev_count", "SELECT ev_count FROM runs"),
    ("stays", "SELECT count(*) FROM sessions WHERE slots > 0"),
    ("ev_ticks_rows", "SELECT count(*) FROM ev_ticks"),
];

/// A number of what `check` says of each of the fleets, of all of them together.
fn number(fleets: &[Value], name: &str) -> u64 {
    fleets.iter().map(|fleet| fleet[name].as_u64().unwrap()).sum()
}

#[test]
#[ignore = "needs python3 with venv and PyPI"]
fn a_dry_run_and_a_check_say_what_the_tables_will() {
    let python = python();
    let out = tempfile::tempdir().unwrap();
    let mut questions = Vec::new();
    for (world, settings) in WORLDS {
        let folder = out.path().join(questions.len().to_string());
        let head = ["run", world, "--policy", "uncontrolled", "--out", folder.to_str().unwrap()];
        let arguments = [&head[..], &sets(settings)].concat();
        let mut printed = flat(&lines(&[&arguments[..], &["--dry-run"]].concat()).remove(0));
        // How many these are is estimated: tests of what a run leaves hold them against its files.
        printed.retain(|name, _| !["bytes", "free_bytes"].contains(&name.as_str()));
        let run = lines(&arguments).remove(0);
        let checked = lines(&[&["check", world][..], &sets(settings)].concat()).remove(0);
        let fleets = checked["sessions"].as_array().unwrap();
        let mut sql = owned(&OF_DRY_RUN);
        if !fleets.is_empty() {
            let in_reach = number(fleets, "sessions") - number(fleets, "before_start");
            printed.insert("sessions".to_owned(), json!(in_reach - number(fleets, "after_end")));
            sql.push(("sessions".to_owned(), "SELECT count(*) FROM sessions".to_owned()));
        }
        questions.push(Question {
            what: format!("{world}, {}", run["run_id"]),
            outputs: folder.to_str().unwrap().to_owned(),
            prepare: String::new(),
            printed,
            sql,
            within: DOUBLE,
        });
    }
    assert_found(&python, &questions);
}

/// What is printed as JSON and asked of SQL, and what is no figure of a run, and why.
const ASKED: [&str; 10] = [
    "run",
    "compared_figure",
    "within_solver_gap",
    "saving_split",
    "state",
    "diff",
    "log",
    "redecided",
    "dry_run",
    "check",
];
const OF_NO_RUN: [(&str, &str); 12] = [
    ("event", "a line of the journal itself: cells of the table of events hold it"),
    ("export", "size of the table that was just written"),
    ("recovery", "what is wrong with a log"),
    ("salvage", "what is lost of a log"),
    ("plugin", "a library"),
    ("schedule", "a device on its own, of which no table is written"),
    ("finding", "of the machine"),
    ("new_plugin", "the files of a new crate"),
    ("problem", "what is wrong with a world"),
    ("explained", "a story, whose reasons are held against the tables where it is tested"),
    ("init", "the files of a new folder"),
    ("report", "a page, whose figures are asked of SQL where it is tested"),
];

#[test]
fn no_verb_prints_a_line_that_no_list_knows() {
    let sources = root().join("crates/cli/src");
    let mut kinds = BTreeSet::new();
    for file in
        [fs::read_dir(&sources), fs::read_dir(sources.join("verb"))].into_iter().flatten().flatten()
    {
        let path = file.unwrap().path();
        let text = if path.is_file() { fs::read_to_string(path).unwrap() } else { continue };
        let said = text.split("say_json(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        kinds.extend(said.map(|(kind, _)| kind.to_owned()));
    }
    assert!(kinds.len() > 15, "{kinds:?}");
    kinds.retain(|kind| {
        !ASKED.contains(&kind.as_str()) && OF_NO_RUN.iter().all(|(known, _)| known != kind)
    });
    assert!(kinds.is_empty(), "neither asked of SQL nor said why not: {kinds:?}");
}

/// All numbers of lines of JSON.
fn numbers_in(value: &Value, all: &mut Vec<f64>) {
    match value {
        Value::Number(number) => all.extend(number.as_f64()),
        Value::Array(values) => values.iter().for_each(|value| numbers_in(value, all)),
        Value::Object(fields) => fields.values().for_each(|value| numbers_in(value, all)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Words of a text that are numbers, as they are read, with their decimals.
fn numbers_of(text: &str) -> Vec<(String, f64, usize)> {
    let words = text.split_whitespace().map(|word| word.trim_matches(|c| "();:,%".contains(c)));
    let number = |word: &str| {
        let plain = word.replace(',', "");
        let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        Some((word.to_owned(), plain.parse::<f64>().ok()?, decimals))
    };
    words.filter_map(number).collect()
}

/// The numbers of a text for people that no number of the JSON, or a hundred of it, rounds to.
fn unknown_numbers(text: &str, known: &[f64]) -> Vec<String> {
    let is_known = |(_, printed, decimals): &(String, f64, usize)| {
        let unit = (0..*decimals).fold(1.0, |unit, _| unit / 10.0);
        let rounds = |number: &f64| (number - printed).abs() <= unit * 0.500_001;
        known.iter().any(|number| rounds(number) || rounds(&(100.0 * number)))
    };
    let numbers = numbers_of(text).into_iter();
    numbers.filter(|number| !is_known(number)).map(|(word, ..)| word).collect()
}

#[test]
fn tables_for_people_hold_no_number_that_json_does_not() {
    let out = tempfile::tempdir().unwrap();
    for (world, settings) in WORLDS {
        let outputs = out.path().join(world).to_str().unwrap().to_owned();
        let head = ["run", world, "--policy", "v2g", "--out", &outputs];
        let run = [&head[..], &sets(settings)].concat();
        let head = ["compare", world, "--policies", "uncontrolled,smart,v2g", "--quiet"];
        let compare = [&head[..], &sets(settings)].concat();
        let summary = lines(&run).remove(0);
        let mut known = Vec::new();
        numbers_in(&summary, &mut known);
        let count = |name: &str| summary[name].as_f64().unwrap();
        known.push(count("sessions_ended") + count("sessions_open"));
        // Each recorded session is a car.
        known.push(count("charged_kwh") / count("ev_count"));
        let printed = succeed(voltide().args(&run));
        // What the run cost is another time.
        let printed = printed.split_once("\ntime ").unwrap().0;
        assert_eq!(unknown_numbers(printed, &known), Vec::<String>::new(), "{printed}");
        for line in lines(&compare) {
            numbers_in(&line, &mut known);
        }
        let printed = succeed(voltide().args(&compare));
        assert_eq!(unknown_numbers(&printed, &known), Vec::<String>::new(), "{printed}");
    }
}
