//! The exit code is the true one whatever happens to the streams: to the words, not to what was
//! asked.

use crate::program::{assert_same_files, copy, files, in_root, root, run, succeed, text, voltide};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// What may become of the streams, as a shell says it, and whether the result finds a taker or none
/// is wanted. Stream 0 is a pipe whose reader is gone.
const STREAMS: [(&str, bool); 10] = [
    ("<&-", true),
    (">&- </dev/null", true),
    ("2>&- </dev/null", true),
    (">&- 2>&- <&-", true),
    (">/dev/full </dev/null", false),
    ("2>/dev/full </dev/null", true),
    ("1</dev/null </dev/null", false),
    (">&0 </dev/null", true),
    ("2>&0 </dev/null", true),
    (">&0 2>&0 </dev/null", true),
];

/// A verb, its arguments, and the code that it ends with.
type Call = (&'static str, &'static [&'static str], i32);

/// Calls of every verb, with the code that they end with. Their paths lead into the [`Scene`].
const CALLS: &[Call] = &[
    ("", &["--help"], 0),
    ("", &["--version"], 0),
    ("", &["no-such-verb"], 2),
    ("run", &["world.ron"], 0),
    ("run", &["world.ron", "--dry-run"], 0),
    ("run", &["world.ron", "--fail-on", "missed-target", "--set", NEVER_FULL], 6),
    ("run", &["world.ron", "--out", "world.ron"], 1),
    ("run", &["broken.ron"], 3),
    ("run", &["world.ron", "--policy", "no-such-policy"], 5),
    ("run", &["--help"], 0),
    ("check", &["world.ron"], 0),
    ("check", &["broken.ron", "world.ron", "broken.ron"], 3),
    ("compare", &["world.ron", "--policies", "uncontrolled,alap", "--out", "both"], 0),
    ("compare", &["one", "other"], 0),
    ("compare", &["one"], 2),
    ("resume", &["torn"], 0),
    ("resume", &["one"], 0),
    ("fork", &["one", "--at", "30", "--policy", "alap", "--out", "forks"], 0),
    ("state", &["one", "--at", "30"], 0),
    ("diff", &["one", "other"], 0),
    ("replay", &["torn"], 0),
    ("replay", &["one", "--verify"], 0),
    ("replay", &["one", "--redecide"], 0),
    ("report", &["one", "other"], 0),
    ("report", &["nowhere"], 3),
    ("report", &["world.ron", "--policies", "uncontrolled,alap", "--runs", "both"], 0),
    ("explain", &["one", "--tick", "30"], 0),
    ("explain", &["nowhere", "--ev", "0"], 3),
    ("sweep", &["world.ron", "--seeds", "1..2", "--out", "swept"], 0),
    ("init", &["begun", "--from", "street"], 0),
    ("log ls", &["one"], 0),
    ("log cat", &["one"], 0),
    ("log cat", &["nowhere"], 3),
    ("log stats", &["one"], 0),
    ("log verify", &["one"], 0),
    ("log verify", &["torn"], 6),
    ("log export", &["one", "--out", "export"], 0),
    ("log recover", &["torn"], 0),
    ("telemetry", &["one", "--ev-ticks", "full", "--out", "detail"], 0),
    ("schedule", &["flex.json"], 0),
    ("schedule", &["impossible.json", "--mode", "flexmeasures"], 4),
    ("plugins list", &[], 0),
    ("plugins check", &["world.ron"], 5),
    ("new-plugin", &["two-prices"], 0),
    ("doctor", &["world.ron", "--out", "outputs"], 0),
    ("completions", &["bash"], 0),
];

const WORLD: &str = "worlds/one-car.ron";
const NEVER_FULL: &str = "fleets.commuters.charger.charge_max=0.1 kW";

/// A folder with worlds, runs and a problem, that every call gets a copy of.
struct Scene(TempDir);

impl Scene {
    fn new() -> Self {
        let scene = Self(tempfile::tempdir().unwrap());
        let world = fs::read_to_string(root().join(WORLD)).unwrap();
        scene.write("world.ron", &world);
        scene.write(
            "broken.ron",
            &world.replace("seed: 7", "sed: 7").replace("count: 1", "count: -1"),
        );
        for (problem, name) in
            [("infeasible_target_tight_window", "flex"), ("start_below_min", "impossible")]
        {
            let problem = root().join(format!("tests/cases/flexmeasures/{problem}.json"));
            scene.write(&format!("{name}.json"), &fs::read_to_string(problem).unwrap());
        }
        let runs = tempfile::tempdir().unwrap();
        let one = run(WORLD, runs.path(), &[]);
        copy(&one, &scene.path("one"));
        copy(&run(WORLD, runs.path(), &["--policy", "alap"]), &scene.path("other"));
        copy(&one, &scene.path("torn"));
        tear(&scene.path("torn"));
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// What comes of a call in a copy of the scene, where its streams are as `redirection` says.
    fn call(&self, call: Call, redirection: &str) -> Called {
        let copied = tempfile::tempdir().unwrap();
        copy(self.0.path(), copied.path());
        let called = call_in(copied.path(), call, redirection);
        Called { files: files_below(copied.path()), ..called }
    }

    /// The same in the scene itself, for calls that leave no files.
    fn call_here(&self, call: Call, redirection: &str) -> Called {
        call_in(self.0.path(), call, redirection)
    }
}

fn call_in(folder: &Path, (verb, arguments, _): Call, redirection: &str) -> Called {
    let mut shell = in_root(Path::new("sh"));
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]).arg(voltide().get_program());
    shell.current_dir(folder).args(verb.split_whitespace()).args(arguments);
    let Output { status, stdout, stderr } = shell.stdin(nobody_reads()).output().unwrap();
    let files = BTreeMap::new();
    Called { code: status.code(), said: !stdout.is_empty(), complained: text(&stderr), files }
}

/// What comes of a call.
struct Called {
    code: Option<i32>,
    /// Whether it printed a result.
    said: bool,
    complained: String,
    files: BTreeMap<String, Vec<u8>>,
}

/// A pipe whose reader is gone.
fn nobody_reads() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Makes a run look as if a crash had cut it off: without tables, the last third of its log gone,
/// and some bytes more than are whole.
pub(crate) fn tear(run: &Path) {
    for entry in fs::read_dir(run).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::remove_file(entry.path()).unwrap();
    }
    let log = run.join("log/000001.mcap");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..whole.len() * 2 / 3]).unwrap();
    fs::remove_file(run.join("log/HEAD")).unwrap();
    succeed(voltide().args(["log", "recover"]).arg(run));
    fs::remove_dir_all(run.join("log/quarantine")).unwrap();
    fs::write(&log, [fs::read(&log).unwrap().as_slice(), b"torn"].concat()).unwrap();
}

/// All files below a folder but what was measured on the machine.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = files(folder);
    found.retain(|name, _| !name.ends_with("profile.json"));
    found
}

/// The verbs that the program's help names, each with those below it.
fn verbs_below(verb: &str) -> BTreeSet<String> {
    let help = succeed(voltide().args(verb.split_whitespace()).arg("--help"));
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names =
        listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let verbs: BTreeSet<String> =
        names.flat_map(|name| verbs_below(format!("{verb} {name}").trim_start())).collect();
    if verbs.is_empty() { BTreeSet::from([verb.to_owned()]) } else { verbs }
}

#[test]
fn every_verb_is_called_with_its_streams_broken() {
    let called: BTreeSet<String> =
        CALLS.iter().map(|(verb, ..)| (*verb).to_owned()).filter(|verb| !verb.is_empty()).collect();
    assert_eq!(verbs_below(""), called);
}

#[test]
fn the_code_and_the_files_are_the_same_whatever_happens_to_the_streams() {
    let scene = Scene::new();
    let before = files_below(scene.0.path());
    for &call in CALLS {
        let whole = scene.call(call, "</dev/null");
        assert_eq!(whole.code, Some(call.2), "{call:?}: {}", whole.complained);
        let writes = whole.files != before;
        for (redirection, taken) in STREAMS {
            let broken = if writes {
                scene.call(call, redirection)
            } else {
                scene.call_here(call, redirection)
            };
            let lost = !taken && whole.said;
            let expected = if lost && call.2 == 0 { 1 } else { call.2 };
            assert_eq!(
                broken.code,
                Some(expected),
                "{call:?} {redirection}: {}",
                broken.complained
            );
            let told = broken.complained.contains("could not be written to standard output");
            assert_eq!(told, lost, "{call:?} {redirection}: {}", broken.complained);
            if writes {
                assert_same_files(&whole.files, &broken.files);
            }
        }
    }
    assert_same_files(&before, &files_below(scene.0.path()));
}

#[test]
fn a_log_is_read_no_further_than_somebody_listens() {
    let scene = Scene::new();
    let call: Call = ("log cat", &["torn"], 0);
    assert!(scene.call_here(call, "</dev/null").complained.contains("the run was cut off"));
    assert_eq!(scene.call_here(call, ">&0 </dev/null").complained, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::new();
    for call in ["log cat one", "--json log cat one", "completions bash", "--help", "plugins list"]
    {
        let script =
            format!("{{ {:?} {call}; echo $? >code; }} | head -1", voltide().get_program());
        let mut shell = Command::new("sh");
        let printed = succeed(shell.current_dir(scene.path("")).args(["-c", &script]));
        assert_eq!(printed.lines().count(), 1, "{call}");
        assert_eq!(fs::read_to_string(scene.path("code")).unwrap(), "0\n", "{call}");
    }
}
