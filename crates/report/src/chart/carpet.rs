//! The carpet: every car a row, time across, a colour for what it does.

use super::{Frame, axes::Room};
use crate::{
    data::{Column, Data},
    drawing::{Drawing, Stroke, near},
    ink::Colour,
    local_time::Times,
};
use std::fmt::Write as _;

/// What cars do, slot by slot.
pub(crate) struct Carpet {
    /// The slots.
    pub times: Times,
    /// The cars, from the top down.
    pub rows: Vec<Row>,
}

/// A car.
pub(crate) struct Row {
    /// Its number.
    pub ev: i64,
    /// What it does in each slot.
    pub does: Vec<Doing>,
}

/// What a car does in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Not there.
    Away,
    /// Plugged in without power.
    Idle,
    /// Taking power.
    Charging,
    /// Giving power.
    Discharging,
}

/// What is drawn, in the order of the legend, with name and colour.
const DRAWN: [(Doing, &str, Colour, f64); 3] = [
    (Doing::Idle, "plugged in", Colour::Baseline, 0.35),
    (Doing::Charging, "charging", Colour::Series(0), 1.0),
    (Doing::Discharging, "discharging", Colour::Series(1), 1.0),
];

impl Doing {
    /// As table `ev_ticks` has it.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "charging" => Self::Charging,
            "discharging" => Self::Discharging,
            "idle" => Self::Idle,
            _ => Self::Away,
        }
    }
}

impl Carpet {
    /// Height that all rows need: each at least a hair, few of them more.
    pub(super) fn height(&self, frame: Frame) -> f64 {
        let row = (22.0 / (self.rows.len() as f64)).clamp(0.12, 1.2) * frame.letters;
        4.0 * frame.letters + row * self.rows.len() as f64
    }

    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame) {
        let room = Room::of(frame, 0);
        let slots = room.time(drawing, &self.times);
        let high = (room.bottom - room.top) / self.rows.len().max(1) as f64;
        for (doing, _, colour, opacity) in DRAWN {
            let mut path = String::new();
            for (row, car) in self.rows.iter().enumerate() {
                let y = near(room.top + high * (row as f64 + 0.5));
                for (from, to) in stretches(&car.does, doing) {
                    let (from, to) = (near(slots.at(from as f64)), near(slots.at(to as f64)));
                    // A string takes everything.
                    let _ = write!(path, "M{from} {y}H{to}");
                }
            }
            drawing.stroke(&path, Stroke { colour, width: 0.9 * high, opacity, dashed: false });
        }
        room.legend(drawing, DRAWN.map(|(_, name, colour, _)| (name, colour)));
    }

    /// One row a stretch in which a car does the same.
    pub(super) fn data(&self) -> Data {
        let (mut cars, mut does) = (vec![], vec![]);
        let (mut first, mut after) = (vec![], vec![]);
        for (doing, name, ..) in DRAWN {
            for car in &self.rows {
                for (begins, ends) in stretches(&car.does, doing) {
                    cars.push(car.ev as f64);
                    does.push(name.to_owned());
                    first.push(begins as f64);
                    after.push(ends as f64);
                }
            }
        }
        Data {
            columns: vec![
                Column::words("does", does),
                Column::numbers("ev_id", &cars),
                Column::numbers("first slot", &first),
                Column::numbers("slot after", &after),
            ],
        }
    }
}

/// Where a car does this: first slots, and those after the last.
fn stretches(does: &[Doing], doing: Doing) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (slot, _) in does.iter().enumerate().filter(|(_, it)| **it == doing) {
        match found.last_mut() {
            Some((_, after)) if *after == slot => *after += 1,
            Some(_) | None => found.push((slot, slot + 1)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_as_long_as_they_last() {
        use Doing::{Away, Charging, Idle};
        let does = [Idle, Charging, Charging, Away, Charging];
        assert_eq!(stretches(&does, Charging), [(1, 3), (4, 5)]);
        assert_eq!(stretches(&does, Idle), [(0, 1)]);
    }
}
