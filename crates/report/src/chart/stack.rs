//! Layers over time that add up: above zero what is given, below it what is taken.

use super::{
    Frame,
    axes::Room,
    courses::{Course, between, over_time, steps},
};
use crate::{
    data::Data,
    drawing::Drawing,
    local_time::Times,
    scale::{Scale, range},
};

/// Layers over time.
pub(crate) struct Stack {
    /// The slots.
    pub times: Times,
    /// The layers, from zero outwards.
    pub layers: Vec<Course>,
    /// A line over them.
    pub line: Option<Course>,
}

impl Stack {
    pub(super) fn draw(&self, drawing: &mut Drawing, frame: Frame, unit: &str) {
        let name = self.line.as_ref().map_or(0, |line| line.name.chars().count());
        let room = Room::of(frame, name);
        let edges = self.edges();
        let values = edges.iter().flat_map(|(low, high)| low.iter().chain(high));
        let line = self.line.iter().flat_map(|line| &line.values);
        let (least, most) = range(values.chain(line).copied());
        let scale = Scale::around(least, most, room.bottom, room.top);
        let slots = room.time(drawing, &self.times);
        for (layer, (low, high)) in self.layers.iter().zip(&edges) {
            drawing.fill(&between(low, high, &slots, &scale), layer.colour, 0.85);
        }
        room.values(drawing, &scale, unit);
        room.legend(drawing, self.layers.iter().map(|layer| (layer.name.as_str(), layer.colour)));
        if let Some(line) = &self.line {
            let path = steps(&line.values, &slots, &scale);
            drawing.stroke(&path, line.stroke(room.letters));
            let end = line.values.iter().rfind(|value| value.is_finite());
            let y = scale.at(end.copied().unwrap_or(0.0)) + 0.35 * room.letters;
            drawing.text(room.right + 0.5 * room.letters, y, room.label("start"), &line.name);
        }
    }

    /// Lower and upper edge of every layer.
    fn edges(&self) -> Vec<(Vec<f64>, Vec<f64>)> {
        let count = self.times.starts.len();
        let (mut above, mut below) = (vec![0.0; count], vec![0.0; count]);
        let mut edges = Vec::new();
        for layer in &self.layers {
            let mut low = vec![0.0; count];
            let mut high = vec![0.0; count];
            for (slot, &value) in layer.values.iter().enumerate() {
                let side = if value < 0.0 { &mut below } else { &mut above };
                let from = side[slot];
                side[slot] += if value.is_finite() { value } else { 0.0 };
                low[slot] = from.min(side[slot]);
                high[slot] = from.max(side[slot]);
            }
            edges.push((low, high));
        }
        edges
    }

    pub(super) fn data(&self) -> Data {
        Data { columns: over_time(&self.times, self.layers.iter().chain(&self.line)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ink::Colour;

    #[test]
    fn what_is_taken_stands_below_what_is_given() {
        let times = Times { starts: vec![0, 1], step: 1, zone: chrono_tz::UTC };
        let layer = |values: [f64; 2]| Course::new("", Colour::Text, values.to_vec());
        let layers = vec![layer([3.0, 1.0]), layer([-2.0, 4.0])];
        let edges = Stack { times, layers, line: None }.edges();
        assert_eq!(edges[0], (vec![0.0, 0.0], vec![3.0, 1.0]));
        assert_eq!(edges[1], (vec![-2.0, 1.0], vec![0.0, 5.0]));
    }
}
