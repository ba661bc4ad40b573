//! A program that knows nothing of worlds reads its own files: gardens.

use ron_places::{
    Dialect, Document, Named, Node, Override, Plain, Problem, Problems, Read, Report, Spanned, Try,
    choice, read, read::expected, reference, refused, shape, shape::Kind, splice,
};
use std::time::Duration;

shape! {
    /// A garden.
    struct Garden "garden" {
        /// The beds, by name.
        beds: Named<Bed> => r#"{"north": (...)}"#,
        /// When it is watered.
        watering: Option<Watering> = None => "never",
    }
}

shape! {
    /// A bed.
    struct Bed "bed" at place {
        /// What grows in it.
        plant: Try<String> => r#""kale""#,
        /// Its width in metres.
        width: Try<Spanned<f64>> => "1.2",
        /// How many rows it has.
        rows: Try<u32> = 4.into() => "4",
    }
}

choice! {
    /// When a garden is watered.
    enum Watering "watering" {
        /// When it is dry.
        Dry,
        /// Every so many days.
        Every(u32),
    }
}

const GARDEN: &str = "(beds: {\n  \"north\": (plant: \"leek\", width: 0.8),\n})";

fn garden(text: &str) -> Result<Garden, Problems> {
    read(&Document::new("garden.ron", text), Plain).map(|(garden, _)| garden)
}

/// Message, help, line and column of all that is wrong.
fn told(problems: &Problems) -> Vec<(&str, &str, usize, usize)> {
    problems.list.iter().map(said).collect()
}

fn said(problem: &Problem) -> (&str, &str, usize, usize) {
    let (_, line, column) = problem.place().expect("the garden is a text");
    (&problem.message, problem.help.as_deref().unwrap_or(""), line, column)
}

#[test]
fn a_garden_is_read_with_its_places_and_defaults() {
    let read = garden(GARDEN).unwrap();
    let (name, bed) = &read.beds.0[0];
    assert_eq!((name.name.as_str(), bed.plant.get().unwrap().as_str()), ("north", "leek"));
    let width = bed.width.get().unwrap();
    assert_eq!((width.value, &GARDEN[width.place.range()]), (0.8, "0.8"));
    assert_eq!((bed.rows.get(), bed.place.start), (Some(&4), GARDEN.find("(plant").unwrap()));
    assert!(read.watering.is_none());
}

#[test]
fn a_variant_has_what_its_choice_says() {
    let every = garden("(beds: {}, watering: Every(2))").unwrap();
    assert!(matches!(every.watering, Some(Watering::Every(2))));
    assert!(matches!(garden("(beds: {}, watering: Dry)").unwrap().watering, Some(Watering::Dry)));
    let unknown = garden("(beds: {}, watering: Evry(2))").unwrap_err();
    assert_eq!(told(&unknown), [("`watering` cannot be `Evry`", "did you mean `Every`?", 1, 22)]);
}

#[test]
fn everything_wrong_is_told_at_once_each_at_its_place() {
    let text = "(beds: {\n  \"a\": (plant: 7, widht: 0.8),\n  \"b\": (rows: 3),\n})";
    let problems = garden(text).unwrap_err();
    assert_eq!(
        told(&problems),
        [
            ("a bed has no field `widht`", "did you mean `width`?", 2, 19),
            ("`beds.a.plant` should be a string in quotes, but it is the number 7", "", 2, 16),
            (
                "`beds.b` lacks `plant` and `width`",
                "add for example\nplant: \"kale\",\nwidth: 1.2,",
                3,
                8
            ),
        ]
    );
    assert_eq!(problems.to_string(), "garden.ron has 3 problems");
}

#[test]
fn a_broken_bracket_is_told_in_words() {
    let unlike = garden("(beds: {\n  \"north\": (plant: \"leek\", width: 0.8\n})").unwrap_err();
    let what = "this is not RON: a `}` where `)` should be";
    let help = "the `(` of line 2 is still open, and is closed by `)`";
    assert_eq!(told(&unlike), [(what, help, 3, 1)]);
    let open = garden("(beds: {\n  \"north\": (plant: \"leek\", width: 0.8),\n}").unwrap_err();
    assert_eq!(
        told(&open),
        [("this is not RON: a bracket is not closed", "every `(` has its `)`", 1, 1)]
    );
}

#[test]
fn an_override_reaches_into_a_nested_field_and_is_blamed_for_its_value() {
    let mut document = Document::new("garden.ron", GARDEN);
    let overrides = ["beds.north.rows=6", "beds.north.plant=chard"].map(Override::set);
    assert_eq!(splice::<Plain, Garden>(&mut document, &overrides).unwrap().len(), 2);
    assert!(document.text.contains("(rows: 6, plant: \"chard\", width: 0.8)"));

    let wide = Override { text: "beds.north.width=wide".to_owned(), flag: Some("--bed") };
    splice::<Plain, Garden>(&mut document, &[wide]).unwrap();
    let problems = read::<_, Garden>(&document, Plain).unwrap_err();
    assert_eq!(problems.list[0].place(), Some(("from --bed", 1, 18)));
}

#[test]
fn an_override_that_leads_nowhere_is_told_what_is_there() {
    let mut document = Document::new("garden.ron", GARDEN);
    let mut wrong = |text: &str| {
        let problems = splice::<Plain, Garden>(&mut document, &[Override::set(text)]).unwrap_err();
        (problems.to_string(), problems.list[0].help.clone().unwrap_or_default())
    };
    let (message, help) = wrong("beds.north.colour=red");
    assert_eq!(message, "--set #1: there is no `colour` in `beds.north`");
    assert_eq!(help, "there is: plant, width, rows");
    assert_eq!(wrong("rows=3").1, "did you mean `beds.north.rows`?");
    assert_eq!(wrong("fence=3").0, "--set #1: there is no `fence` in the text");
    assert_eq!(wrong("rows").1, "for example name=1");
}

#[test]
fn what_may_not_be_overridden_is_refused_with_all_below_it() {
    let overrides = ["beds.north.rows=6", "watering=Dry"].map(Override::set);
    let problems = refused(&overrides, "beds", "beds are dug already", "wait for spring");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "--set #1: beds are dug already");
    assert_eq!(problems[0].place(), Some(("from --set #1", 1, 1)));
}

#[test]
fn the_reference_has_a_section_for_every_shape() {
    let text = reference::sections(&<Garden as Read<Plain>>::kind());
    assert!(text.contains("| `beds` | {name: [bed](#bed)} | **required**"), "{text}");
    assert!(text.contains("| `rows` | whole number | 4 | How many rows it has. |"), "{text}");
    assert!(text.contains("| `Every`(whole number) | Every so many days. |"), "{text}");
}

/// What timetables are written in: minutes, or seconds in older ones.
struct Timetable {
    in_seconds: bool,
}

impl Dialect for Timetable {
    const WHOLE: &'static str = "the timetable";
}

impl Read<Timetable> for Duration {
    fn kind() -> Kind {
        Kind::Bare("duration")
    }

    fn read(node: &Node<'_>, report: &mut Report<Timetable>) -> Option<Self> {
        let unit = if report.dialect.in_seconds { 1 } else { 60 };
        let length = node.parse::<u64>().ok().map(|length| Self::from_secs(length * unit));
        length.or_else(|| expected(node, report, "a duration"))
    }
}

shape! {
    /// A timetable.
    struct Stops "timetable" for Timetable {
        /// How long the way is from stop to stop.
        ways: Vec<Duration> => "[5]",
    }
}

#[test]
fn a_dialect_reads_types_of_other_crates_in_its_own_way() {
    let document = Document::new("t.ron", "(ways: [2, 3])");
    let seconds = |in_seconds| {
        let (stops, _) = read::<_, Stops>(&document, Timetable { in_seconds }).unwrap();
        stops.ways.iter().map(Duration::as_secs).collect::<Vec<_>>()
    };
    assert_eq!(seconds(true), [2, 3]);
    assert_eq!(seconds(false), [120, 180]);
    let lacks = read::<_, Stops>(&Document::new("t.ron", "()"), Timetable { in_seconds: true })
        .unwrap_err();
    assert_eq!(lacks.to_string(), "the timetable lacks `ways`");
}

/// A tool, which the program has for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tool {
    Hoe,
    Hose(u32),
}

choice! {
    /// A tool.
    use Tool as "tool" {
        /// For weeds.
        Hoe,
        /// For water, in metres.
        Hose(u32),
    }
}

/// A shed, too.
#[derive(Debug, PartialEq)]
struct Shed {
    tools: Vec<Tool>,
    is_locked: bool,
}

shape! {
    /// A shed.
    use Shed as "shed" {
        /// What is in it.
        tools: Vec<Tool> => "[Hoe]",
        /// Whether it is locked.
        is_locked: bool = true => "true",
    }
}

#[test]
fn a_type_that_a_program_has_already_is_read_as_it_is() {
    let document = Document::new("shed.ron", "(tools: [Hose(25), Hoe])");
    let (shed, _) = read::<_, Shed>(&document, Plain).unwrap();
    assert_eq!(shed, Shed { tools: vec![Tool::Hose(25), Tool::Hoe], is_locked: true });
    let saw = read::<_, Shed>(&Document::new("shed.ron", "(tools: [Saw])"), Plain).unwrap_err();
    assert_eq!(told(&saw), [("`tools.0` cannot be `Saw`", "there is: Hoe, Hose", 1, 10)]);
}
