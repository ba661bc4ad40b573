//! Finding policies, and refusing what cannot be used.

use crate::{ask, bare, policies, printed, try_embedded};
use std::{env::consts, path::PathBuf};
use voltide_host::{HostError, Plugins, Rank};
use voltide_policy::{
    abi::PolicyTable,
    testing::{Car, ObservationBuilder},
};

/// The folder in which cargo leaves the plugins, beside this program.
pub(crate) fn beside() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

#[test]
fn a_shipped_name_means_the_embedded_policy_unless_the_user_names_a_folder() {
    let embedded = Plugins::new(&[]).load("uncontrolled", "", 0).unwrap();
    assert_eq!((embedded.info().file.as_str(), embedded.info().hash.as_str()), ("", ""));
    let mut embedded = bare().load("uncontrolled", "", 0).unwrap();
    let mut plugin = Plugins::new(&[beside()]).load("uncontrolled", "", 0).unwrap();
    assert!(plugin.info().file.ends_with("uncontrolled.so") && plugin.info().hash.len() == 64);
    assert_eq!(embedded.info().version, plugin.info().version);
    let shown = ObservationBuilder::new(24).car(Car::default());
    assert_eq!(ask(&mut *plugin, &shown), ask(&mut *embedded, &shown));
    let by_path = Plugins::new(&[]).load(&plugin.info().file, "", 0).unwrap();
    assert_eq!(by_path.info(), plugin.info());
}

#[test]
fn a_policy_of_ones_own_stands_in_nobodys_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = broken().replace("broken_policy", "voltide_broken");
    std::fs::copy(broken(), folder.path().join(PathBuf::from(&file).file_name().unwrap())).unwrap();
    let plugins = Plugins::new(&[folder.path().to_owned()]);
    let ranks = |name: &str| {
        plugins
            .list()
            .into_iter()
            .filter(|it| it.name == name)
            .map(|it| it.rank)
            .collect::<Vec<_>>()
    };
    assert_eq!(ranks("broken"), [Rank::First]);
    assert_eq!(ranks("uncontrolled"), [Rank::First, Rank::BehindBuiltIn]);
}

/// The file that cargo gives the test's own plugin, beside this program.
fn broken() -> String {
    let program = std::env::current_exe().unwrap();
    let file = format!("{}broken_policy{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    program.with_file_name(file).to_str().unwrap().to_owned()
}

#[test]
fn a_panic_inside_a_library_stays_there() {
    let shown = ObservationBuilder::new(4).car(Car::default());
    let mut policy = bare().load(&broken(), "slot: 9", 0).unwrap();
    let fault = ask(&mut *policy, &shown).unwrap_err().message;
    assert!(fault.ends_with("index out of bounds: the len is 4 but the index is 9"), "{fault}");
    assert!(ask(&mut *bare().load(&broken(), "slot: 3", 0).unwrap(), &shown).is_ok());
    let error = bare().load(&broken(), "slot: 13", 0).err().unwrap().to_string();
    assert!(
        error.contains("could not be created: panicked at ")
            && error.contains("slot 13 does not exist")
    );
}

#[test]
fn all_policies_are_listed_in_the_order_in_which_they_are_found() {
    let list = |plugins: Plugins| {
        let all = plugins.list().into_iter().filter(|found| found.name == "uncontrolled");
        all.inspect(|it| assert!(it.status.is_ok() && it.abi.as_deref() == Some("1.3")))
            .map(|it| (it.file.is_some(), it.rank))
            .collect::<Vec<_>>()
    };
    assert_eq!(list(Plugins::new(&[])), [(false, Rank::First), (true, Rank::BehindBuiltIn)]);
    let file = Plugins::new(&[beside()]).load("uncontrolled", "", 0).unwrap().info().file.clone();
    let hidden = Rank::Behind(beside().join(PathBuf::from(file).file_name().unwrap()));
    let named = list(Plugins::new(&[beside()]));
    assert_eq!(named[..2], [(true, Rank::InPlaceOfBuiltIn), (false, hidden)]);
}

fn refused(table: &'static PolicyTable, config: &str) -> HostError {
    try_embedded(table, config).err().unwrap()
}

#[test]
fn unknown_names_come_with_a_guess() {
    let plugins =
        Plugins::in_folders(vec![PathBuf::from("/opt/voltide"), PathBuf::from("plugins")]);
    let error = plugins.load("uncontroled", "", 0).err().unwrap();
    insta::assert_snapshot!(printed(error), @r"
    × no policy is named `uncontroled`
    help: did you mean `uncontrolled`? known policies: alap, coordinated, edf, llf, round-robin, smart, smart-incentive, threshold, uncontrolled, v2g
          looked for libvoltide_uncontroled.so in
            /opt/voltide
            plugins
    ");
    assert!(!printed(plugins.load("tides", "", 0).err().unwrap()).contains("did you mean"));
}

#[test]
fn a_missing_file_is_named() {
    let error = bare().load("./nowhere.so", "", 0).err().unwrap();
    insta::assert_snapshot!(error, @"there is no plugin ./nowhere.so");
}

#[test]
fn tables_that_break_the_contract_are_refused() {
    let status = |change: fn(&mut PolicyTable)| {
        let plugins = bare().with_embedded(policies::altered(change));
        plugins.list().remove(0).status.unwrap_err().to_string()
    };
    insta::assert_snapshot!(status(|table| table.major = 2), @"an embedded policy was built for policy ABI 2.3, this program speaks 1.3");
    insta::assert_snapshot!(status(|table| table.magic = 7), @"an embedded policy is broken: its table is marked 0x0000000000000007, not 0x01454449544c4f56");
    insta::assert_snapshot!(status(|table| table.size = 64), @"an embedded policy is broken: its table has 64 of 104 bytes");
    insta::assert_snapshot!(status(|table| table.plan = None), @"an embedded policy is broken: it has no function `plan`");
    insta::assert_snapshot!(status(|table| table.save = None), @"an embedded policy is broken: it is stateful, but has no `save` and `load`");
    insta::assert_snapshot!(status(|table| table.name.len = 0), @"an embedded policy is broken: it has no name");
}

#[test]
fn a_longer_table_of_a_later_minor_is_accepted() {
    let table = policies::altered(|table| (table.minor, table.size) = (7, table.size + 64));
    assert_eq!(bare().with_embedded(table).list()[0].abi.as_deref(), Some("1.7"));
}

#[test]
fn a_wrong_config_points_into_the_world_file() {
    let config = "power: [1]";
    let world = format!("(\n    policies: {{ \"parrot\": ({config}) }},\n)\n");
    let at = world.find(config).unwrap();
    let plugins = bare().with_embedded(policies::parrot());
    let error = plugins.load("parrot", config, at).err().unwrap();
    assert!(error.is_in_world());
    let report =
        miette::Report::new(error).with_source_code(miette::NamedSource::new("world.ron", world));
    let mut text = String::new();
    let theme = miette::GraphicalTheme::unicode_nocolor();
    miette::GraphicalReportHandler::new_themed(theme)
        .render_report(&mut text, report.as_ref())
        .unwrap();
    insta::assert_snapshot!(text, @r#"
     × policy `parrot` does not accept its config: there is no field `power`; there is: power_kw
      ╭─[world.ron:2:28]
    1 │ (
    2 │     policies: { "parrot": (power: [1]) },
      ·                            ──┬──
      ·                              ╰── here
    3 │ )
      ╰────
     help: its config is the value under `parrot` in the world's `policies`
    "#);
}

#[test]
fn a_config_that_is_missing_is_not_pointed_at() {
    insta::assert_snapshot!(printed(refused(policies::faulty(), "")), @r"
    × policy `faulty` does not accept its config: the field `way` is missing
    help: its config is the value under `faulty` in the world's `policies`
    ");
}
