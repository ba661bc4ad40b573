//! The program starts; with this test `cargo test --workspace` builds it for all others.

use std::process::Command;

#[test]
fn the_program_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_voltide")).arg("--version").output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        concat!("voltide ", env!("CARGO_PKG_VERSION"))
    );
}
