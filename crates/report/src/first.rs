//! The first picture: the day of the highest net load, under every run, with a sentence for its
//! title.

use crate::{
    chart::courses::{Course, named_lines},
    drawing::{Drawing, Text},
    ink::{Colour, Ink},
    key_figures::{self, KeyFigure, highest, peaks_kw, saved_shares},
    local_time::Times,
    run::Run,
    scale::{Scale, extent},
    section::{MOST_LINES, colour_of},
    words::{count, number, power_unit, share},
};

/// Size of the picture.
const SIZE: (f64, f64) = (1200.0, 630.0);
/// Where the lines are: left, right, top and bottom.
const ROOM: [f64; 4] = [80.0, 990.0, 150.0, 420.0];
/// Figures below the lines.
const FIGURES: usize = 3;

/// Draws it.
pub(crate) fn picture(runs: &[Run], command: &str, ink: Ink) -> String {
    let mut drawing = Drawing::new(SIZE.0, SIZE.1, ink);
    let day = runs[0].times.day_of(peak_slot(&runs[0]));
    let title = sentence(runs);
    drawing.rect(0.0, 0.0, SIZE, Colour::Ground, 1.0);
    heading(&mut drawing, runs, &title, day.start);
    loads(&mut drawing, runs, day.clone());
    price_band(&mut drawing, &runs[0], day);
    figures(&mut drawing, runs);
    foot(&mut drawing, runs, command);
    drawing.finish(&title, "Net load of the day of its highest value, and figures of the whole run")
}

/// What the runs differ in most, in a sentence.
pub(crate) fn sentence(runs: &[Run]) -> String {
    let peaks = peaks_kw(runs);
    let (factor, unit) = power_unit(highest(&peaks));
    // A number and its unit stay together.
    let first = format!("{}\u{a0}{unit}", number(peaks[0] * factor));
    let saved = saved_shares(runs);
    let Some(best) = best(&peaks) else {
        let when = runs[0].times.told(peak_slot(&runs[0]));
        return format!("Net load of {} is highest at {first}, on {when}", runs[0].made.world);
    };
    let change = (peaks[best] - peaks[0]) / peaks[0].abs();
    let does = match change {
        change if change <= -0.005 => "lowers",
        change if change >= 0.005 => "raises",
        _ => "leaves",
    };
    let to = format!("{}\u{a0}{unit}", number(peaks[best] * factor));
    let peak = if does == "leaves" {
        format!("leaves the highest net load at {to}")
    } else {
        format!("{does} the highest net load from {first} to {to} ({})", share(change))
    };
    let money = match saved[best] {
        share if share > 0.0005 => format!("; drivers save {}\u{a0}%", number(100.0 * share)),
        share if share < -0.0005 => format!("; drivers pay {}\u{a0}% more", number(-100.0 * share)),
        _ => String::new(),
    };
    format!("{} {peak}{money}", runs[best].label)
}

/// The run with the lowest peak, beside the first.
fn best(peaks_kw: &[f64]) -> Option<usize> {
    (1..peaks_kw.len()).min_by(|&one, &other| peaks_kw[one].total_cmp(&peaks_kw[other]))
}

/// The slot of the highest net load.
fn peak_slot(run: &Run) -> usize {
    let load = run.net_load_kw();
    let slots = (0..load.len()).filter(|&slot| load[slot].is_finite());
    slots.max_by(|&one, &other| load[one].total_cmp(&load[other])).unwrap_or(0)
}

fn style(size: f64, anchor: &'static str, colour: Colour, bold: bool) -> Text {
    Text { size, anchor, colour, bold }
}

fn heading(drawing: &mut Drawing, runs: &[Run], title: &str, first_slot: usize) {
    let lines = wrapped(title, 54);
    for (at, line) in lines.iter().take(2).enumerate() {
        let y = 50.0 + 38.0 * at as f64;
        drawing.text(40.0, y, style(32.0, "start", Colour::Text, true), line);
    }
    let run = &runs[0];
    let date = match run.times.starts.get(first_slot) {
        Some(_) => run.times.local(first_slot).format("%A %-d %B %Y").to_string(),
        None => String::new(),
    };
    let about = format!("{}, {} cars · {date}", run.made.world, count(run.made.cars as f64));
    drawing.text(40.0, 122.0, style(18.0, "start", Colour::Muted, false), &about);
}

/// Words in lines of at most so many letters.
fn wrapped(words: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].chars().count() + word.chars().count() >= letters
        {
            lines.push(word.to_owned());
        } else {
            let gap = if lines[line].is_empty() { "" } else { " " };
            lines[line] = format!("{}{gap}{word}", lines[line]);
        }
    }
    lines
}

fn loads(drawing: &mut Drawing, runs: &[Run], day: std::ops::Range<usize>) {
    let part = |run: &Run| -> Vec<f64> {
        let load = run.net_load_kw();
        load.get(day.clone()).map(<[f64]>::to_vec).unwrap_or_default()
    };
    let all: Vec<Vec<f64>> = runs.iter().take(MOST_LINES).map(part).collect();
    let (least, most) = extent(all.iter().flatten().copied());
    let (factor, unit) = power_unit(most);
    let [left, right, top, bottom] = ROOM;
    let scale = Scale::of_lines(least * factor, most * factor, bottom, top);
    for value in scale.ticks() {
        let y = scale.at(value);
        drawing.line((left, y), (right, y), Colour::Grid, 1.0);
        drawing.text(
            left - 8.0,
            y + 5.0,
            style(16.0, "end", Colour::Muted, false),
            &scale.told(value),
        );
    }
    let label = format!("net load, {unit}");
    drawing.text(left, top - 8.0, style(16.0, "start", Colour::Muted, false), &label);
    marks(drawing, &runs[0].times.part(day));
    let lines = all.iter().enumerate().map(|(at, kw)| {
        let values = kw.iter().map(|kw| kw * factor).collect();
        Course::new(&runs[at].label, colour_of(at), values)
    });
    let lines: Vec<Course> = lines.collect();
    named_lines(drawing, &lines, (left, right), &scale, 18.0);
}

fn marks(drawing: &mut Drawing, times: &Times) {
    let [left, right, _, bottom] = ROOM;
    let slots = Scale::over(0.0, times.starts.len().max(1) as f64, left, right);
    for mark in times.marks(9) {
        let x = slots.at(mark.slot as f64);
        let words = style(16.0, "middle", Colour::Muted, false);
        drawing.text(x, bottom + 56.0, words, &mark.label);
    }
}

/// The price that drivers follow, as shades below the lines: the darker, the dearer.
fn price_band(drawing: &mut Drawing, run: &Run, day: std::ops::Range<usize>) {
    let incentive = run.system.numbers("incentive_price_per_kwh");
    let has_incentive = incentive.iter().any(|price| price.is_finite());
    let prices = if has_incentive { incentive } else { run.system.numbers("tou_price_per_kwh") };
    let prices = prices.get(day).unwrap_or_default();
    let finite = || prices.iter().copied().filter(|price| price.is_finite());
    let least = finite().fold(f64::INFINITY, f64::min);
    let most = finite().fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        return;
    }
    let [left, right, _, bottom] = ROOM;
    let slots = Scale::over(0.0, prices.len() as f64, left, right);
    for (slot, price) in prices.iter().enumerate().filter(|(_, price)| price.is_finite()) {
        let dear = if most > least { (price - least) / (most - least) } else { 0.5 };
        let (x, after) = (slots.at(slot as f64), slots.at(slot as f64 + 1.0));
        drawing.rect(x, bottom + 12.0, (after - x, 22.0), Colour::Series(4), 0.12 + 0.88 * dear);
    }
    let per = format!("{}/kWh", run.made.currency);
    let words = if most > least {
        format!("price {} to {}", number(least), number(most))
    } else {
        format!("price {}", number(least))
    };
    drawing.text(right + 8.0, bottom + 22.0, style(14.0, "start", Colour::Muted, false), &words);
    drawing.text(right + 8.0, bottom + 38.0, style(14.0, "start", Colour::Muted, false), &per);
}

/// Three figures of every run, with what they differ from the first.
fn figures(drawing: &mut Drawing, runs: &[Run]) {
    let all = key_figures::all(runs);
    let wide = (SIZE.0 - 80.0) / FIGURES as f64;
    for (at, figure) in all.iter().take(FIGURES).enumerate() {
        let x = 40.0 + wide * at as f64;
        let name = format!("{}, {}", figure.name, figure.unit);
        drawing.text(x, 507.0, style(16.0, "start", Colour::Muted, false), &name);
        figure_of_runs(drawing, runs, figure, x);
    }
}

/// Rows of runs that have room.
const ROWS: usize = 4;

/// The runs whose figures have room: the first ones, and the one that the title is about.
fn told(runs: &[Run]) -> Vec<usize> {
    let mut told: Vec<usize> = (0..runs.len().min(ROWS)).collect();
    let best = best(&peaks_kw(runs)).unwrap_or(0);
    if !told.contains(&best) {
        told[ROWS - 1] = best;
    }
    told
}

fn figure_of_runs(drawing: &mut Drawing, runs: &[Run], figure: &KeyFigure, x: f64) {
    for (row, run) in told(runs).into_iter().enumerate() {
        let y = 531.0 + 22.0 * row as f64;
        let (value, change) = figure.told(run);
        drawing.text(x, y, style(15.0, "start", colour_of(run), true), &runs[run].label);
        drawing.text(x + 245.0, y, style(18.0, "end", Colour::Text, true), &value);
        drawing.text(x + 256.0, y, style(15.0, "start", Colour::Muted, false), &change);
    }
}

fn foot(drawing: &mut Drawing, runs: &[Run], command: &str) {
    let made = &runs[0].made;
    let hash: String = made.world_hash.chars().take(12).collect();
    let words = format!("voltide {} · seed {} · world {hash} · {command}", made.version, made.seed);
    let words = shortened(&words, 140);
    drawing.text(40.0, 621.0, style(13.0, "start", Colour::Muted, false), &words);
}

/// At most so many letters of some words.
fn shortened(words: &str, letters: usize) -> String {
    if words.chars().count() <= letters {
        return words.to_owned();
    }
    format!("{}…", words.chars().take(letters - 1).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_breaks_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("", 8), [""]);
    }
}
