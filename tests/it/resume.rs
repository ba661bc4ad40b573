//! A run that was cut off goes on as if nothing had happened.

use crate::program::{assert_same_files, fail, files, plugin, root, run, succeed, text, voltide};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

/// Every shipped policy.
pub(crate) const POLICIES: [&str; 10] = [
    "uncontrolled",
    "smart",
    "v2g",
    "smart-incentive",
    "coordinated",
    "alap",
    "edf",
    "llf",
    "round-robin",
    "threshold",
];

/// What the street is run with under a policy: one that plans whole sites takes no prices that are
/// formed anew between its cars.
pub(crate) fn under(policy: &str) -> Vec<&str> {
    let whole_site = ["edf", "llf", "round-robin"].contains(&policy);
    let feedback = ["--set", "incentive.price_feedback=None"];
    ["--policy", policy].into_iter().chain(feedback.into_iter().filter(|_| whole_site)).collect()
}

/// How often something is tried: few times here, more where the variable asks for it.
pub(crate) fn times(variable: &str, few: u64) -> u64 {
    std::env::var(variable).ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}

/// A number below `below` that follows from `number` and looks like chance.
pub(crate) fn chance(number: u64, below: u64) -> u64 {
    // The constants of SplitMix64.
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % below.max(1)
}

/// The files that people use: all but the log and what lies beside it for speed.
pub(crate) fn outputs(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(run);
    found.retain(|name, _| !name.starts_with("log/") && !name.starts_with("snapshots/"));
    found
}

/// The chain hash of a whole log: of all history.
pub(crate) fn chain(run: &Path) -> String {
    let printed = succeed(voltide().args(["--json", "log", "verify"]).arg(run));
    let log: serde_json::Value = serde_json::from_str(&printed).unwrap();
    log["chain_hash"].as_str().unwrap().to_owned()
}

/// The one run below a folder of runs, if it has begun.
pub(crate) fn run_in(out: &Path) -> Option<PathBuf> {
    let world = fs::read_dir(out).ok()?.flatten().next()?.path();
    let mut runs = fs::read_dir(world).ok()?.flatten().map(|entry| entry.path());
    runs.find(|run| run.join("log").is_dir())
}

/// Kills a child a while after the run that it makes in a folder is there; the run.
pub(crate) fn kill_in_its_run(mut child: Child, out: &Path, wait: Duration) -> PathBuf {
    let run = loop {
        if let Some(run) = run_in(out) {
            break run;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began a run");
        sleep(Duration::from_millis(10));
    };
    kill_after(child, wait);
    run
}

/// Starts the program without a word.
pub(crate) fn start(arguments: &[&str], path: &Path) -> Child {
    let mut command = voltide();
    command.args(arguments).arg(path).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Kills a child after a while; whether it was still running.
pub(crate) fn kill_after(mut child: Child, wait: Duration) -> bool {
    sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// What happened to the runs that were killed.
#[derive(Debug, Default)]
struct Toll {
    before_they_began: u32,
    while_running: u32,
    while_resuming: u32,
    after_their_end: u32,
}

/// A run that nothing happened to.
struct Whole {
    outputs: BTreeMap<String, Vec<u8>>,
    chain: String,
    lasts: Duration,
}

impl Whole {
    #[expect(clippy::disallowed_types, reason = "only decides when others are killed")]
    fn run(world: &str, out: &Path, arguments: &[&str]) -> Self {
        let begin = std::time::Instant::now();
        let run = run(world, out, arguments);
        let lasts = begin.elapsed();
        Self { outputs: outputs(&run), chain: chain(&run), lasts }
    }
}

/// Waits until a run has begun, or has ended too early for that.
fn until_it_has_begun(child: &mut Child, out: &Path) {
    while run_in(out).is_none() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_micros(200));
    }
}

#[test]
fn a_run_killed_at_any_time_goes_on_to_the_same_outputs() {
    const WORLD: &str = "worlds/v2g-street.ron";
    const DURABILITIES: [&str; 4] = [
        "run.durability=Tick",
        "run.durability=Every(5)",
        "run.durability=Paced",
        "run.durability=Close",
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut toll = Toll::default();
    let count = times("VOLTIDE_KILLS", 50);
    let mut wholes = BTreeMap::new();
    for number in 0..count {
        // Nine policies and four durabilities have no common factor, so that all pairs have their
        // turn.
        let policy = POLICIES[number as usize % POLICIES.len()];
        let durability = DURABILITIES[number as usize % DURABILITIES.len()];
        let options = [under(policy).as_slice(), &["--set", durability]].concat();
        let whole = wholes.entry((policy, durability)).or_insert_with(|| {
            Whole::run(WORLD, &folder.path().join(policy).join(durability), &options)
        });
        let out = tempfile::tempdir().unwrap();
        let wait = |salt: u64| {
            // No two kills have one number, whatever is killed first or second.
            Duration::from_micros(chance(number * 7 + salt, whole.lasts.as_micros() as u64 * 2 / 3))
        };
        let arguments = [&["run", WORLD], options.as_slice(), &["--out"]].concat();
        let mut child = start(&arguments, out.path());
        // One in ten may be killed before its run is there.
        if number % 10 != 0 {
            until_it_has_begun(&mut child, out.path());
        }
        let killed = kill_after(child, wait(0));
        let Some(run) = run_in(out.path()) else {
            toll.before_they_began += 1;
            continue;
        };
        *(if killed { &mut toll.while_running } else { &mut toll.after_their_end }) += 1;
        if number % 2 == 1 {
            toll.while_resuming += u32::from(kill_after(start(&["resume"], &run), wait(1)));
        }
        succeed(voltide().arg("resume").arg(&run));
        assert_same_files(&whole.outputs, &outputs(&run));
        assert_eq!(chain(&run), whole.chain, "{policy}, {durability}: history is another");
    }
    eprintln!("killed {count} runs: {toll:?}");
    assert!(u64::from(toll.while_running) > count / 2, "{toll:?}");
}

#[test]
fn a_run_that_was_interrupted_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let child = start(&["run", "worlds/germany/week.ron", "--out"], out.path());
    let id = child.id().to_string();
    let mut log = None;
    for _ in 0..6000 {
        sleep(Duration::from_millis(5));
        log = run_in(out.path()).map(|run| run.join("log/000001.mcap"));
        if log.as_ref().is_some_and(|log| fs::metadata(log).is_ok_and(|log| log.len() > 400_000)) {
            break;
        }
    }
    succeed(std::process::Command::new("kill").args(["-INT", &id]));
    let mut child = child;
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let interrupted = run_in(out.path()).unwrap();
    assert_eq!(log.unwrap().parent(), Some(interrupted.join("log").as_path()));
    crate::readme::assert_shows_week(&succeed(voltide().arg("resume").arg(&interrupted)));
    let whole = run("worlds/germany/week.ron", &out.path().join("whole"), &[]);
    assert_same_files(&outputs(&whole), &outputs(&interrupted));
    assert_eq!(chain(&whole), chain(&interrupted));
}

#[test]
fn a_run_that_is_over_stays_as_it_is() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let before = files(&run);
    let said = voltide().arg("resume").arg(&run).output().unwrap();
    assert_eq!(text(&said.stderr), "the run is over: finished\n");
    assert!(said.status.success() && said.stdout.is_empty());
    assert_same_files(&before, &files(&run));
}

#[test]
fn tables_that_were_left_half_written_are_built_again() {
    let out = tempfile::tempdir().unwrap();
    let run = run("worlds/one-car.ron", out.path(), &[]);
    let before = files(&run);
    fs::remove_file(run.join("manifest.json")).unwrap();
    fs::rename(run.join("sessions.parquet"), run.join(".sessions.parquet.partial")).unwrap();
    fs::write(run.join("events.parquet"), "half").unwrap();
    succeed(voltide().arg("resume").arg(&run));
    assert_same_files(&before, &files(&run));
    let damaged = run.join("system_ticks.parquet");
    let content = fs::read(&damaged).unwrap();
    fs::write(&damaged, [&content[..100], &[content[100] ^ 1], &content[101..]].concat()).unwrap();
    succeed(voltide().arg("resume").arg(&run));
    assert_same_files(&before, &files(&run));
}

/// A copy of a run of whose ticks none is sealed: its history ends with the opening.
fn before_the_first_tick(out: &Path) -> PathBuf {
    let whole = run("worlds/one-car.ron", &out.join("whole"), &[]);
    let folder = out.join("one-car").join(whole.file_name().unwrap());
    fs::create_dir_all(folder.join("log")).unwrap();
    for name in ["000000.mcap", "000001.mcap"] {
        fs::copy(whole.join("log").join(name), folder.join("log").join(name)).unwrap();
    }
    folder
}

#[test]
fn a_run_without_a_head_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let run = before_the_first_tick(out.path());
    let (code, message) = fail(voltide().arg("resume").arg(&run));
    assert_eq!(code, 1);
    assert!(message.contains("HEAD"), "{message}");
}

#[test]
fn two_programs_do_not_write_to_one_run() {
    let out = tempfile::tempdir().unwrap();
    let mut child = start(&["run", "worlds/germany/week.ron", "--out"], out.path());
    let running = loop {
        sleep(Duration::from_millis(5));
        if let Some(run) = run_in(out.path()) {
            break run;
        }
    };
    let (code, message) = fail(voltide().arg("resume").arg(&running));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(code, 1);
    assert!(message.contains("another program is writing"), "{message}");
    assert!(message.contains(&format!("process {}, `voltide run`", child.id())), "{message}");
}

#[test]
fn another_plugin_than_the_one_that_began_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let found = run("worlds/one-car.ron", &out.path().join("whole"), &[]);
    let plugins = out.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    let library = plugin("uncontrolled");
    let plugin = plugins.join(library.file_name().unwrap());
    fs::copy(library, &plugin).unwrap();
    let world = root().join("worlds/germany/week.ron");
    let mut child = voltide()
        .args(["run", world.to_str().unwrap(), "--plugin-dir"])
        .arg(&plugins)
        .arg("--out")
        .arg(out.path().join("cut"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let cut = loop {
        sleep(Duration::from_millis(5));
        if let Some(run) = run_in(&out.path().join("cut")) {
            break run;
        }
    };
    sleep(Duration::from_millis(200));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(found.exists());
    let mut changed = fs::read(&plugin).unwrap();
    changed.push(0);
    fs::remove_file(&plugin).unwrap();
    fs::write(&plugin, changed).unwrap();
    let (code, message) = fail(voltide().arg("resume").arg(&cut));
    assert_eq!(code, 5);
    assert!(message.contains("--any-plugin"), "{message}");
    succeed(voltide().args(["resume", "--any-plugin"]).arg(&cut));
}
