//! The C header is what `abi.rs` and `abi/storage.rs` say.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

use cbindgen::{
    Builder, Config, DocumentationLength, DocumentationStyle, ItemType, Language, Style,
};
use std::path::Path;

#[path = "../../../tests/written.rs"]
mod written;

/// Rust name and C name of every type.
const TYPES: [(&str, &str); 14] = [
    ("Text", "voltide_text"),
    ("HostTable", "voltide_host"),
    ("ByteSink", "voltide_sink"),
    ("PolicyTable", "voltide_policy"),
    ("ObservationColumns", "voltide_observation"),
    ("ScheduleMatrix", "voltide_schedules"),
    ("StorageTable", "voltide_storage"),
    ("StorageProblems", "voltide_storage_problems"),
    ("StorageAnswers", "voltide_storage_answers"),
    ("StorageSites", "voltide_storage_sites"),
    ("StorageFigures", "voltide_storage_figures"),
    ("StorageCost", "voltide_storage_cost"),
    ("WorldTable", "voltide_world"),
    ("Entry", "voltide_entry"),
];

const OPENING: &str = "\
/* The binary contract of voltide's dispatch policies, version 1.3.
 *
 * Generated from crates/policy/src/abi.rs and abi/storage.rs; `VOLTIDE_BLESS=1 cargo test -p voltide-policy` writes it anew.
 *
 * Every struct begins with its size in bytes and only ever grows at its end. A status is a plain
 * number. Pointers hold for the call only, except for the tables: the program's outlives the
 * instance, the policy's the process.
 */";

const CLOSING: &str = r#"
/* The name of the storage service: what `extension` finds by it is a voltide_storage. */
#define VOLTIDE_STORAGE_SERVICE "voltide.storage/1"

/* The name of the service that tells of the world: what `extension` finds by it is a
 * voltide_world. */
#define VOLTIDE_WORLD_SERVICE "voltide.world/1"

/* A text from a string literal. */
#define VOLTIDE_TEXT(literal) { (literal), sizeof(literal) - 1 }

/* The one symbol of a plugin: its table, or NULL for a program of another major version. */
#ifdef __cplusplus
extern "C"
#endif
const voltide_policy *voltide_policy_v1(uint16_t host_major, uint16_t host_minor);
"#;

fn header() -> String {
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        header: Some(OPENING.to_owned()),
        trailer: Some(CLOSING.to_owned()),
        pragma_once: true,
        no_includes: true,
        sys_includes: vec!["stddef.h".to_owned(), "stdint.h".to_owned()],
        usize_is_size_t: true,
        documentation_style: DocumentationStyle::C99,
        documentation_length: DocumentationLength::Full,
        ..Config::default()
    };
    config.export.prefix = Some("VOLTIDE_".to_owned());
    config.export.renaming_overrides_prefixing = true;
    config.export.rename = TYPES.map(|(rust, c)| (rust.to_owned(), c.to_owned())).into();
    config.export.include = TYPES.map(|(rust, _)| rust.to_owned()).into();
    config.export.item_types = vec![ItemType::Constants, ItemType::Structs, ItemType::Typedefs];
    config.export.exclude = ["ENTRY", "STORAGE_SERVICE", "WORLD_SERVICE"].map(str::to_owned).into();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let builder =
        Builder::new().with_src(source.join("abi.rs")).with_src(source.join("abi/storage.rs"));
    let bindings = builder.with_config(config).generate().unwrap();
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn the_c_header_is_up_to_date() {
    written::check(env!("CARGO_MANIFEST_DIR"), "include/voltide_policy.h", &header());
}
