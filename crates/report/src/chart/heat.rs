//! A table of colours: the more, the darker.

use super::{Frame, axes::Room};
use crate::{
    data::{Column, Data},
    drawing::Drawing,
    ink::Colour,
    words::number,
};

/// A table whose values are shades.
pub(crate) struct Heat {
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Row by row; NaN for none.
    pub values: Vec<Vec<f64>>,
}

impl Heat {
    /// Height that all rows need.
    pub(super) fn height(&self, frame: Frame) -> f64 {
        (4.5 + 1.8 * self.rows.len() as f64) * frame.letters
    }

    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame) {
        let room = Room::of(frame, 0);
        let most = self.values.iter().flatten().copied().filter(|it| it.is_finite());
        let most = most.fold(0.0, f64::max);
        let wide = (room.right - room.left) / self.columns.len().max(1) as f64;
        let high = 1.8 * room.letters;
        for (row, (name, values)) in self.rows.iter().zip(&self.values).enumerate() {
            let top = room.top + high * row as f64;
            let base = top + 1.2 * room.letters;
            drawing.text(room.left - 0.5 * room.letters, base, room.label("end"), name);
            for (column, &value) in values.iter().enumerate().filter(|(_, it)| it.is_finite()) {
                let x = room.left + wide * column as f64;
                let shade = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
                drawing.rect(
                    x,
                    top,
                    (wide - 1.0, high - 1.0),
                    Colour::Series(0),
                    0.04 + 0.96 * shade,
                );
            }
        }
        let below = room.top + high * self.rows.len() as f64 + 1.3 * room.letters;
        // Every third name has room also in a narrow column of print.
        for (column, name) in self.columns.iter().enumerate().step_by(3) {
            drawing.text(room.left + wide * column as f64, below, room.label("start"), name);
        }
        let scale = format!("darkest: {}", number(most));
        drawing.text(room.right, 0.95 * room.letters, room.label("end"), &scale);
    }

    pub(super) fn data(&self) -> Data {
        let mut columns = vec![Column::words("", self.rows.clone())];
        for (at, name) in self.columns.iter().enumerate() {
            let values: Vec<f64> = self.values.iter().map(|row| row[at]).collect();
            columns.push(Column::numbers(name, &values));
        }
        Data { columns }
    }
}
