//! Whatever happens to a world file, the answer is a world or an error with a place.

use proptest::prelude::*;
use std::{fs, ops::Range, path::Path, sync::LazyLock};
use voltide_model::willingness::{Logistic, Willingness};
use voltide_world::{Inputs, check, load, rebuild};

/// The worlds that come with the program, in copies of their folders with small data.
static WORLDS: LazyLock<Vec<(tempfile::TempDir, String)>> = LazyLock::new(|| {
    [
        "one-car.ron",
        "germany/week.ron",
        "acn/caltech.ron",
        "v2g-street.ron",
        "paper/paper.ron",
        "ten-units/day.ron",
    ]
    .map(copied)
    .into_iter()
    .collect()
});

fn copied(name: &str) -> (tempfile::TempDir, String) {
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds").join(name);
    let folder = tempfile::tempdir().expect("a folder for the test");
    for data in ["data", "paper/data"] {
        let files = world.parent().and_then(|beside| fs::read_dir(beside.join(data)).ok());
        let copies = folder.path().join(data);
        fs::create_dir_all(&copies).expect("the folder is new");
        let files = files.into_iter().flatten().flatten();
        for file in files.filter(|file| file.path().extension().is_some_and(|it| it == "csv")) {
            fs::copy(file.path(), copies.join(file.file_name())).expect("data is readable");
        }
    }
    (folder, fs::read_to_string(world).expect("the world comes with the program"))
}

/// Words and signs of the language, and values at the edges of what they mean.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "//",
    "/*",
    "r#\"",
    "'",
    "#![enable(implicit_some)]",
    "None",
    "Some(",
    "NaN",
    "inf",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "-0.0",
    "0.1",
    "true",
    "()",
    "\"\"",
    "\"0 kW\"",
    "\"-7 kWh\"",
    "\"1e308 MWh\"",
    "\"1e-300 kWh\"",
    "\"24:00\"",
    "\"00:00\"",
    "\"1 s\"",
    "\"9999 d\"",
    "Normal(mean: 0.5, sd: 1e300)",
    "Normal(mean: \"7 kWh\", sd: \"0 kWh\")",
    "Uniform(min: 0.9, max: 0.1)",
    "Fixed",
    "Off",
    "Sample(1e-300)",
    "Every(0)",
    "Batch(0)",
    "Proportional(0)",
    "Threshold(1e-300)",
    "Bernoulli",
    "soc_min_v2g: 0.25,",
    "incentive: (rho: 0.6),",
    "willingness: (optimistic: (a: 1, b: 1, c: 1), pessimistic: (a: 1, b: 1, c: 0)),",
    "Weekdays",
    "parent: \"garage\",",
    "discharge_max: \"7 kW\",",
    "\"Asia/Kolkata\"",
    "\"Australia/Lord_Howe\"",
    "\"9999-12-31T23:59\"",
    "\"2018-10-28T02:30\"",
    "ä",
    "🚗",
    "\u{0}",
];

#[derive(Debug, Clone)]
enum Edit {
    Delete(f64, usize),
    Insert(f64, &'static str),
    Replace(f64, &'static str),
    Byte(f64, u8),
    Move(f64, f64, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let token = proptest::sample::select(TOKENS);
    prop_oneof![
        (0.0..1.0, 1_usize..30).prop_map(|(at, length)| Edit::Delete(at, length)),
        (0.0..1.0, token.clone()).prop_map(|(at, token)| Edit::Insert(at, token)),
        (0.0..1.0, token).prop_map(|(at, token)| Edit::Replace(at, token)),
        (0.0..1.0, any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        (0.0..1.0, 0.0..1.0, 1_usize..60)
            .prop_map(|(from, to, length)| Edit::Move(from, to, length)),
    ]
}

/// The byte of `text` that is `share` of the way through it.
fn at(text: &[u8], share: f64) -> usize {
    (share * text.len() as f64) as usize
}

/// The word, number, string or sign around a byte.
fn token_at(text: &[u8], at: usize) -> Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.".contains(byte);
    let end = at + text[at..].iter().position(|byte| !is_word(byte)).unwrap_or(text.len() - at);
    let start = text[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
    let quoted = start > 0 && text[start - 1] == b'"' && text.get(end) == Some(&b'"');
    if quoted { start - 1..end + 1 } else { start..end.max((at + 1).min(text.len())) }
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    match *edit {
        Edit::Delete(share, length) => {
            let start = at(text, share);
            text.drain(start..(start + length).min(text.len()));
        }
        Edit::Insert(share, token) => {
            let start = at(text, share);
            text.splice(start..start, token.bytes());
        }
        Edit::Replace(share, token) => {
            let range = token_at(text, at(text, share));
            text.splice(range, token.bytes());
        }
        Edit::Byte(share, byte) => {
            let start = at(text, share);
            if let Some(old) = text.get_mut(start) {
                *old = byte;
            }
        }
        Edit::Move(from, to, length) => {
            let start = at(text, from);
            let piece: Vec<u8> = text.drain(start..(start + length).min(text.len())).collect();
            let start = at(text, to);
            text.splice(start..start, piece);
        }
    }
}

/// Incentive prices, and drivers for whom they hold.
const INCENTIVES: [(&str, &str); 4] = [
    ("None", "None"),
    ("(rho: 0.6)", "None"),
    (
        "(rho: 1, floor: \"0 EUR/kWh\", price_feedback: Batch(3), expected_price: Proportional(1.2))",
        "(optimistic: (a: 1, b: 8, c: 0.65), pessimistic: (a: 3, b: 6, c: 0.145))",
    ),
    (
        "(rho: 0.5, floor: None, price_feedback: None, expected_price: Fixed(\"0.05 EUR/kWh\"))",
        "(optimistic: (a: 1, b: 2, c: 1), pessimistic: (a: 2, b: 2, c: 0), participation: Bernoulli)",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_world_is_a_world_or_an_error_with_a_place(
        world in 0_usize..4,
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let (folder, text) = &WORLDS[world];
        let mut bytes = text.clone().into_bytes();
        for edit in &edits {
            apply(&mut bytes, edit);
        }
        let file = tempfile::Builder::new().suffix(".ron").tempfile_in(folder.path()).expect("a file");
        fs::write(file.path(), &bytes).expect("the folder is writable");
        // Only where there is one car, since a digit more may well be more cars than fit in memory.
        let is_small = world == 0 && String::from_utf8_lossy(&bytes).contains("count: 1,");
        let read = if is_small { load(file.path(), &[]).map(drop) } else { check(file.path(), &[]).map(drop) };
        if let Err(problems) = read {
            prop_assert!(!problems.list.is_empty());
            let placed = problems.list.iter().all(|problem| problem.place().is_some());
            prop_assert!(placed || std::str::from_utf8(&bytes).is_err(), "{problems:?}");
            let shown = format!("{:?}", miette::Report::new(problems));
            prop_assert!(!shown.is_empty());
        }
    }

    #[test]
    fn an_override_is_taken_or_refused(
        path in "[a-z_.\"]{0,12}|fleets\\.commuters\\.[a-z_]{1,12}(\\.[a-z]{1,4})?|fleets\\.commuters\\.willingness(\\.[a-z]{1,4})?|incentive(\\.[a-z]{1,4})?|clock\\.[a-z]{1,5}|(sites|policies|run)\\.[a-z.]{1,9}",
        value in proptest::sample::select(TOKENS),
    ) {
        let (folder, text) = &WORLDS[0];
        let file = tempfile::Builder::new().suffix(".ron").tempfile_in(folder.path()).expect("a file");
        fs::write(file.path(), text).expect("the folder is writable");
        if let Err(problems) = check(file.path(), &[format!("{path}={value}")]) {
            prop_assert!(problems.list.iter().all(|problem| problem.place().is_some()), "{problems:?}");
        }
    }

    #[test]
    fn a_world_rebuilt_is_the_world_loaded(
        seed in any::<u64>(),
        count in 1_u32..20,
        days in 1_u32..4,
        step in proptest::sample::select(&["5 min", "15 min", "60 min"][..]),
        arrive in proptest::sample::select(&["\"18:00\"", "Normal(mean: \"18:00\", sd: \"1 h\")",
            "Empirical(path: \"values.csv\", column: \"hours\", unit: \"h\")"][..]),
        trip in proptest::sample::select(&["\"5 kWh\"", "Uniform(min: \"1 kWh\", max: \"9 kWh\")",
            "Empirical(path: \"values.csv\", column: \"wh\", unit: \"Wh\")"][..]),
        feed_in in proptest::sample::select(&["None", "Fixed(\"0.1 EUR/kWh\")"][..]),
        soc_min_v2g in 0.1_f64..0.9,
        (incentive, willingness) in proptest::sample::select(&INCENTIVES[..]),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("values.csv"), "hours,wh\n17.5,3000\n20.25,12500\n0,7\n").expect("writable");
        fs::copy(WORLDS[1].0.path().join("data/de_2018w41_15min.csv"), folder.path().join("de.csv")).expect("readable");
        let text = format!(
            "(name: \"w\", seed: {seed}, currency: \"EUR\", fallback: None, feed_in: {feed_in},\
             clock: (start: \"2018-10-08T00:00\", time_zone: \"Europe/Berlin\", step: \"{step}\", days: {days}),\
             tariff: Series(path: \"de.csv\", column: \"price_eur_per_mwh\", unit: \"EUR/MWh\"),\
             incentive: {incentive},\
             system: (base_load: (path: \"de.csv\", column: \"total_generation_mw\", unit: \"MW\"), pv: (path: \"de.csv\", column: \"pv_mw\", unit: \"MW\")),\
             tariffs: {{\"night\": (buy: Fixed(\"0.2 EUR/kWh\"))}},\
             fleets: {{\"cars\": (count: {count}, battery: (capacity: \"50 kWh\", soc_min: 0.1, soc_min_v2g: {soc_min_v2g:?}), willingness: {willingness}, charger: (charge_max: \"11 kW\"),\
               stays: Overnight(arrive: {arrive}, leave: \"07:00\"), trip_energy: {trip}, soc_on_arrival: 0.5, tariff: \"night\")}})"
        );
        fs::write(folder.path().join("w.ron"), text).expect("writable");
        let world = load(&folder.path().join("w.ron"), &[]).unwrap_or_else(|problems| panic!("{problems:?}"));
        let again = rebuild(&world.text, Inputs::from(&world.scenario)).expect("it was fine before").scenario;
        prop_assert_eq!(format!("{again:?}"), format!("{:?}", world.scenario));
    }

    #[test]
    fn curves_are_taken_exactly_where_the_model_takes_them(
        optimistic in (-0.5_f64..5.0, -0.5_f64..9.0, -0.1_f64..1.1),
        pessimistic in (-0.5_f64..5.0, -0.5_f64..9.0, -0.1_f64..1.1),
    ) {
        let curve = |(a, b, c)| Logistic { a, b, c };
        let given = |name, (a, b, c)| {
            format!("fleets.commuters.willingness.{name}=(a: {a:?}, b: {b:?}, c: {c:?})")
        };
        let overrides = [given("optimistic", optimistic), given("pessimistic", pessimistic)];
        let (folder, text) = &WORLDS[3];
        let file = tempfile::Builder::new().suffix(".ron").tempfile_in(folder.path()).expect("a file");
        fs::write(file.path(), text).expect("the folder is writable");
        let expected = Willingness::new(curve(optimistic), curve(pessimistic));
        prop_assert_eq!(check(file.path(), &overrides).is_ok(), expected.is_ok());
    }
}
