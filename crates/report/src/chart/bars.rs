//! Bars that lie: one a run, of parts that add up.

use super::{Frame, axes::Room};
use crate::{
    data::{Column, Data},
    drawing::{Drawing, Text},
    ink::Colour,
    scale::{Scale, range},
    words::number,
};

/// Bars of parts.
pub(crate) struct Bars {
    /// What each bar is of.
    pub names: Vec<String>,
    /// The parts, from zero outwards.
    pub parts: Vec<Part>,
}

/// A part of every bar.
pub(crate) struct Part {
    /// What it is.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// One a bar.
    pub values: Vec<f64>,
}

impl Bars {
    /// Height that all bars need.
    pub(super) fn height(&self, frame: Frame) -> f64 {
        (4.5 + 2.4 * self.names.len() as f64) * frame.letters
    }

    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame, unit: &str) {
        let longest = self.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let mut room = Room::of(frame, 8);
        room.left = (1.5 + 0.62 * longest as f64) * frame.letters;
        let sums = (0..self.names.len()).flat_map(|bar| self.sums(bar));
        let (least, most) = range(sums);
        let scale = Scale::around(least, most, room.left, room.right);
        for value in scale.ticks() {
            let x = scale.at(value);
            drawing.line((x, room.top), (x, room.bottom), Colour::Grid, 0.6);
            let y = room.bottom + 1.3 * room.letters;
            drawing.text(x, y, room.label("middle"), &scale.told(value));
        }
        drawing.text(0.0, 0.95 * room.letters, room.label("start"), unit);
        if self.parts.len() > 1 {
            room.legend(drawing, self.parts.iter().map(|part| (part.name.as_str(), part.colour)));
        }
        for bar in 0..self.names.len() {
            self.bar(drawing, room, &scale, bar);
        }
    }

    fn bar(&self, drawing: &mut Drawing, room: Room, scale: &Scale, bar: usize) {
        let high = 1.6 * room.letters;
        let top = room.top + (0.4 + 2.4 * bar as f64) * room.letters;
        let (mut below, mut above) = (0.0, 0.0);
        for part in &self.parts {
            let value = part.values[bar];
            let side = if value < 0.0 { &mut below } else { &mut above };
            let (from, to) = (scale.at(*side), scale.at(*side + value));
            drawing.rect(from.min(to), top, ((to - from).abs(), high), part.colour, 0.9);
            *side += value;
        }
        let base = top + 0.72 * high;
        let name = Text { colour: Colour::Text, ..room.label("end") };
        drawing.text(room.left - 0.6 * room.letters, base, name, &self.names[bar]);
        let total = Text { colour: Colour::Text, bold: true, ..room.label("start") };
        drawing.text(scale.at(above) + 0.4 * room.letters, base, total, &number(above + below));
    }

    /// How far a bar reaches below and above zero.
    fn sums(&self, bar: usize) -> [f64; 2] {
        let values = self.parts.iter().map(|part| part.values[bar]);
        values.fold([0.0, 0.0], |[below, above], value| {
            [below + value.min(0.0), above + value.max(0.0)]
        })
    }

    pub(super) fn data(&self) -> Data {
        let parts = self.parts.iter().map(|part| Column::numbers(&part.name, &part.values));
        let names = Column::words("run", self.names.clone());
        Data { columns: std::iter::once(names).chain(parts).collect() }
    }
}
