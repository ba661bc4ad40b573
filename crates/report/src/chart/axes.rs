//! Axes: the room for data in a picture, and the marks around it.

use super::Frame;
use crate::{
    drawing::{Drawing, Text},
    ink::Colour,
    local_time::Times,
    scale::Scale,
};

/// The room for data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Left edge.
    pub left: f64,
    /// Right edge.
    pub right: f64,
    /// Upper edge.
    pub top: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Height of letters.
    pub letters: f64,
}

impl Room {
    /// Of a chart over time, with room for words of so many letters on the right.
    pub(super) fn of(frame: Frame, letters_right: usize) -> Self {
        let letters = frame.letters;
        Self {
            left: 4.2 * letters,
            right: frame.width - (1.0 + 0.6 * letters_right as f64) * letters,
            top: 2.0 * letters,
            bottom: frame.height - 2.0 * letters,
            letters,
        }
    }

    /// How words beside the data are written.
    pub(super) fn label(&self, anchor: &'static str) -> Text {
        Text { size: self.letters, anchor, colour: Colour::Muted, bold: false }
    }

    /// Draws lines for round values and their numbers, and the unit above.
    pub(super) fn values(&self, drawing: &mut Drawing, scale: &Scale, unit: &str) {
        for value in scale.ticks() {
            let y = scale.at(value);
            let colour = if value == 0.0 { Colour::Muted } else { Colour::Grid };
            drawing.line((self.left, y), (self.right, y), colour, 0.6);
            let words = scale.told(value);
            let style = self.label("end");
            drawing.text(self.left - 0.5 * self.letters, y + 0.35 * self.letters, style, &words);
        }
        drawing.text(0.0, 0.95 * self.letters, self.label("start"), unit);
    }

    /// Draws marks of time below, and gives the scale of slots.
    pub(super) fn time(&self, drawing: &mut Drawing, times: &Times) -> Scale {
        let scale = Scale::over(0.0, times.starts.len() as f64, self.left, self.right);
        let letters_a_mark = 7.5;
        let room = (self.right - self.left) / (letters_a_mark * self.letters);
        for mark in times.marks(room as usize) {
            let x = scale.at(mark.slot as f64);
            drawing.line(
                (x, self.bottom),
                (x, self.bottom + 0.4 * self.letters),
                Colour::Muted,
                0.6,
            );
            let anchor = if mark.slot == 0 { "start" } else { "middle" };
            let y = self.bottom + 1.5 * self.letters;
            drawing.text(x, y, self.label(anchor), &mark.label);
        }
        scale
    }

    /// Writes names with their colours in a row above the data.
    pub(super) fn legend<'a>(
        &self,
        drawing: &mut Drawing,
        names: impl IntoIterator<Item = (&'a str, Colour)>,
    ) {
        let mut x = self.left + 2.0 * self.letters;
        for (name, colour) in names {
            let y = 0.95 * self.letters;
            let side = 0.75 * self.letters;
            drawing.rect(x, y - side, (side, side), colour, 1.0);
            drawing.text(x + 1.1 * self.letters, y, self.label("start"), name);
            x += (2.2 + 0.56 * name.chars().count() as f64) * self.letters;
        }
    }
}

/// Moves places apart that lie closer than `apart`, and keeps their order.
pub(super) fn spread(places: &mut [(f64, usize)], apart: f64) {
    places.sort_by(|one, other| one.0.total_cmp(&other.0));
    for at in 1..places.len() {
        places[at].0 = places[at].0.max(places[at - 1].0 + apart);
    }
}
