//! A disk that is full, and a limit on the size of files: the run ends with an error, and goes on when
//! there is room again.

use crate::{
    program::{assert_same_files, run, text, voltide, with_own_disks},
    resume::outputs,
};
use std::process::Command;

/// Runs a week on a small disk, grows the disk, and resumes; the result is copied out.
const ON_A_DISK_THAT_GROWS: &str = r#"
mount -t tmpfs -o size=400k none disk || exit 99
"$0" -q run "$1" --out disk && exit 98
code=$?
mount -o remount,size=200m none disk || exit 97
"$0" -q resume disk/germany-week/run_id=* || exit 96
cp -r disk left
exit $code
"#;

#[test]
fn a_run_that_met_a_full_disk_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("disk")).unwrap();
    let world = crate::program::root().join("worlds/germany/week.ron");
    let Some(output) = with_own_disks(folder.path(), ON_A_DISK_THAT_GROWS, &world) else { return };
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("No space left on device") && message.contains("voltide resume"),
        "{message}"
    );
    let whole = run("worlds/germany/week.ron", &folder.path().join("whole"), &[]);
    let resumed = folder.path().join("left/germany-week").join(whole.file_name().unwrap());
    assert_same_files(&outputs(&whole), &outputs(&resumed));
}

#[test]
fn a_run_that_met_a_limit_on_files_goes_on_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("cut");
    let script = "ulimit -f 500; exec \"$0\" run worlds/germany/week.ron --out \"$1\"";
    let mut shell = Command::new("sh");
    shell.current_dir(crate::program::root()).env("NO_COLOR", "1").args(["-c", script]);
    let output = shell.arg(voltide().get_program()).arg(&out).output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("File too large"), "{message}");
    let cut = crate::resume::run_in(&out).unwrap();
    crate::program::succeed(voltide().arg("resume").arg(&cut));
    let whole = run("worlds/germany/week.ron", &folder.path().join("whole"), &[]);
    assert_same_files(&outputs(&whole), &outputs(&cut));
}
