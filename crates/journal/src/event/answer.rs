//! Answers of policies that are no numbers.

/// What a policy answered instead of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NotFinite {
    /// Not a number.
    NaN = 0,
    /// Infinitely much charging.
    Infinity = 1,
    /// Infinitely much discharging.
    MinusInfinity = 2,
}

impl NotFinite {
    /// All of them, by their numbers.
    pub const ALL: [Self; 3] = [Self::NaN, Self::Infinity, Self::MinusInfinity];

    /// What a value is instead of a number; `None` where it is one.
    pub fn of(value: f64) -> Option<Self> {
        match value {
            value if value.is_nan() => Some(Self::NaN),
            f64::INFINITY => Some(Self::Infinity),
            f64::NEG_INFINITY => Some(Self::MinusInfinity),
            _ => None,
        }
    }

    /// What it is called, as programs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NaN => "NaN",
            Self::Infinity => "inf",
            Self::MinusInfinity => "-inf",
        }
    }

    /// What one of its number is called.
    pub fn name_of(number: u8) -> &'static str {
        Self::ALL.get(usize::from(number)).map_or("unknown", |it| it.name())
    }
}

/// See [`AnswerNotFinite`](super::Event::AnswerNotFinite). A row a schedule: the first of its powers that was no number.
/// All such powers became 0 kW.
#[derive(Debug, Clone, Default)]
pub struct AnswerNotFinite {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// The slot (a tick number).
    pub slot: Vec<u32>,
    /// A [`NotFinite`] as its number.
    pub answer: Vec<u8>,
}

impl AnswerNotFinite {
    /// Adds a row.
    pub fn push(&mut self, ev: u32, stay: u32, slot: u32, answer: NotFinite) {
        self.ev.push(ev);
        self.stay.push(stay);
        self.slot.push(slot);
        self.answer.push(answer as u8);
    }
}
