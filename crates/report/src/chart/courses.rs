//! Lines over time: what is so in each slot, as steps, and areas between two of them.

use super::{
    Frame,
    axes::{Room, spread},
};
use crate::{
    data::{Column, Data},
    drawing::{Drawing, Stroke, Text, near},
    ink::Colour,
    local_time::Times,
    scale::{Scale, extent},
};
use std::fmt::Write as _;

/// Lines over time.
pub(crate) struct Courses {
    /// The slots.
    pub times: Times,
    /// The lines; later ones are drawn over earlier ones.
    pub lines: Vec<Course>,
    /// Areas behind them.
    pub areas: Vec<Area>,
}

/// One value a slot.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// What it is.
    pub name: String,
    /// How it is drawn.
    pub colour: Colour,
    /// One a slot; NaN for none.
    pub values: Vec<f64>,
    /// Whether its line is dashed.
    pub dashed: bool,
}

impl Course {
    /// A whole line.
    pub(crate) fn new(name: &str, colour: Colour, values: Vec<f64>) -> Self {
        Self { name: name.to_owned(), colour, values, dashed: false }
    }

    /// How its line is drawn beside letters of this height.
    pub(super) fn stroke(&self, letters: f64) -> Stroke {
        let Self { colour, dashed, .. } = *self;
        Stroke { colour, width: 0.14 * letters, opacity: 1.0, dashed }
    }

    /// The same, dashed.
    pub(crate) fn dashed(self) -> Self {
        Self { dashed: true, ..self }
    }
}

/// What lies between two courses.
pub(crate) struct Area {
    /// What it is.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// How much of what is behind it is covered, from 0 to 1.
    pub opacity: f64,
    /// Lower edge, one a slot.
    pub low: Vec<f64>,
    /// Upper edge, one a slot.
    pub high: Vec<f64>,
}

impl Courses {
    /// Lines alone.
    pub(crate) fn new(times: Times, lines: Vec<Course>) -> Self {
        Self { times, lines, areas: vec![] }
    }

    /// Whether there is any number in it.
    pub(crate) fn has_data(&self) -> bool {
        self.lines.iter().flat_map(|line| &line.values).any(|value| value.is_finite())
    }

    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame, unit: &str) {
        let longest = self.lines.iter().map(|line| line.name.chars().count()).max();
        let room = Room::of(frame, longest.unwrap_or(0));
        let values = self.lines.iter().flat_map(|line| &line.values);
        let edges = self.areas.iter().flat_map(|area| area.low.iter().chain(&area.high));
        let (least, most) = extent(values.chain(edges).copied());
        let scale = Scale::of_lines(least, most, room.bottom, room.top);
        room.values(drawing, &scale, unit);
        let slots = room.time(drawing, &self.times);
        for area in &self.areas {
            let path = between(&area.low, &area.high, &slots, &scale);
            drawing.fill(&path, area.colour, area.opacity);
        }
        named_lines(drawing, &self.lines, (room.left, room.right), &scale, room.letters);
    }

    pub(super) fn data(&self) -> Data {
        let areas = self.areas.iter().flat_map(|area| {
            let low = Column::numbers(&format!("{}, from", area.name), &area.low);
            [low, Column::numbers(&format!("{}, to", area.name), &area.high)]
        });
        Data { columns: over_time(&self.times, &self.lines).into_iter().chain(areas).collect() }
    }
}

/// Draws lines between two places, and writes each one's name beside its end.
pub(crate) fn named_lines(
    drawing: &mut Drawing,
    lines: &[Course],
    (left, right): (f64, f64),
    scale: &Scale,
    letters: f64,
) {
    let mut ends = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let slots = Scale::over(0.0, line.values.len().max(1) as f64, left, right);
        let path = steps(&line.values, &slots, scale);
        drawing.stroke(&path, line.stroke(letters));
        let last = line.values.iter().rfind(|value| value.is_finite());
        ends.extend(last.map(|&value| (scale.at(value), at)));
    }
    spread(&mut ends, 1.15 * letters);
    for (y, at) in ends {
        let line = &lines[at];
        let style = Text { size: letters, anchor: "start", colour: line.colour, bold: true };
        drawing.text(right + 0.5 * letters, y + 0.35 * letters, style, &line.name);
    }
}

/// The columns of courses, after that of time.
pub(super) fn over_time<'a>(
    times: &Times,
    courses: impl IntoIterator<Item = &'a Course>,
) -> Vec<Column> {
    let mut columns = vec![Column::times(times)];
    columns.extend(courses.into_iter().map(|it| Column::numbers(&it.name, &it.values)));
    columns
}

/// A path that holds each value for its slot.
pub(super) fn steps(values: &[f64], slots: &Scale, scale: &Scale) -> String {
    let mut path = String::new();
    let mut level = None;
    for (slot, &value) in values.iter().enumerate() {
        let (x, y) = (near(slots.at(slot as f64)), near(scale.at(value)));
        // A string takes everything.
        let _ = match level {
            _ if !y.is_finite() => Ok(()),
            None => write!(path, "M{x} {y}"),
            Some(before) if !differ(before, y) => Ok(()),
            Some(_) => write!(path, "H{x}V{y}"),
        };
        if !y.is_finite() && level.is_some() {
            let _ = write!(path, "H{x}");
        }
        level = y.is_finite().then_some(y);
    }
    if level.is_some() {
        let _ = write!(path, "H{}", near(slots.at(values.len() as f64)));
    }
    path
}

/// The area between two courses that hold for their slots; it has none where one has no number, or
/// both are the same.
pub(super) fn between(low: &[f64], high: &[f64], slots: &Scale, scale: &Scale) -> String {
    let edges: Vec<Edge> = (0..low.len())
        .map(|slot| Edge {
            from: near(slots.at(slot as f64)),
            to: near(slots.at(slot as f64 + 1.0)),
            low: near(scale.at(low[slot])),
            high: near(scale.at(high[slot])),
        })
        .collect();
    let pieces = edges.split(|edge| !edge.is_open()).filter(|piece| !piece.is_empty());
    pieces.map(outline).collect()
}

/// An area in one slot, in places of the picture.
struct Edge {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
}

impl Edge {
    fn is_open(&self) -> bool {
        (self.high - self.low).is_finite() && differ(self.high, self.low)
    }
}

/// Along the upper edge, and back along the lower one.
fn outline(piece: &[Edge]) -> String {
    let mut path = format!("M{} {}", piece[0].from, piece[0].high);
    let mut level = piece[0].high;
    let there = piece.iter().map(|edge| (edge.from, edge.high));
    let back = piece.iter().rev().map(|edge| (edge.to, edge.low));
    for (x, y) in there.chain(back) {
        if differ(y, level) {
            // A string takes everything.
            let _ = write!(path, "H{x}V{y}");
        }
        level = y;
    }
    let _ = write!(path, "H{}Z", piece[0].from);
    path
}

/// Whether two places are not the same; both are whole tenths.
fn differ(one: f64, other: f64) -> bool {
    (one - other).abs() > 0.05
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_holds_for_its_slot_and_a_gap_breaks_it() {
        let slots = Scale::over(0.0, 4.0, 0.0, 40.0);
        let values = Scale::over(0.0, 10.0, 0.0, 10.0);
        let path = steps(&[1.0, 1.0, 2.0, f64::NAN], &slots, &values);
        assert_eq!(path, "M0 1H20V2H30");
        let area = between(&[0.0, 0.0], &[1.0, 3.0], &slots, &values);
        assert_eq!(area, "M0 1H10V3H20V0H0Z");
        assert_eq!(steps(&[f64::NAN, 3.0], &slots, &values), "M10 3H20");
    }
}
