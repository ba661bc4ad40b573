//! Numbers that stand for words.

/// Declares enums whose cases are kept as numbers and told as words.
macro_rules! codes {
    ($(
        $(#[doc = $meaning:literal])+
        $name:ident { $($(#[doc = $said:literal])+ $case:ident = $number:literal $word:literal,)+ }
    )+) => {$(
        $(#[doc = $meaning])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $said])+ $case = $number,)+ }

        impl $name {
            /// All of them, by their numbers.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$case),+];

            /// What it is called.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)+
                }
            }
        }

        impl Code for $name {
            const ALL: &[Self] = &Self::ALL;

            fn word(self) -> &'static str {
                self.name()
            }

            fn number(self) -> u8 {
                self as u8
            }
        }
    )+};
}

/// A number that stands for a word.
pub(crate) trait Code: Copy + Eq + 'static {
    /// All that there are, by their numbers.
    const ALL: &[Self];
    /// What it is called.
    fn word(self) -> &'static str;
    /// What it is kept as.
    fn number(self) -> u8;

    /// What a number stands for; `None` where this version knows no such.
    fn of_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

// Logs hold the numbers: what one stands for never changes.
codes! {
    /// Why a session ended.
    EndReason {
        /// The car left.
        Departed = 0 "departed",
        /// The car was taken out of the world.
        Removed = 1 "removed",
        /// The car left on a typical day: this is how the session of its next evening ends.
        Folded = 2 "folded",
    }

    /// Why a car left with less than it wanted: the first reason that would have sufficed.
    MissedReason {
        /// It was taken out of the world.
        Removed = 0 "removed",
        /// It would have had time until the announced departure, but left before: with what it had
        /// it could still have reached its target by then.
        LeftEarly = 1 "left_early",
        /// Charging with full power all along would not have been enough (11).
        TooShort = 2 "too_short",
        /// A site's limit cut what it asked for.
        SiteLimit = 3 "site_limit",
        /// Its schedule asked for less.
        Schedule = 4 "schedule",
    }

    /// Why power was clipped.
    ClipReason {
        /// The answer broke the contract: more than the charger can, or after departure.
        Charger = 0 "charger",
        /// The battery was full or empty.
        Battery = 1 "battery",
        /// The site's connection was at its limit.
        Site = 2 "site",
    }

    /// For which stage units were scheduled.
    Stage {
        /// The day as a whole, before it begins.
        DayAhead = 0 "day_ahead",
        /// The coming slots, which are followed.
        IntraDay = 1 "intra_day",
        /// The path of the day, slot by slot, to which the coming slots lead back.
        DayPath = 2 "day_path",
    }

    /// What a policy answered instead of a number, as programs write it.
    NotFinite {
        /// Not a number.
        NaN = 0 "NaN",
        /// Infinitely much charging.
        Infinity = 1 "inf",
        /// Infinitely much discharging.
        MinusInfinity = 2 "-inf",
    }
}

#[expect(clippy::derivable_impls, reason = "what declares codes has no word for the default")]
impl Default for Stage {
    fn default() -> Self {
        Self::IntraDay
    }
}

impl NotFinite {
    /// What a value is instead of a number; `None` where it is one.
    pub fn of(value: f64) -> Option<Self> {
        match value {
            value if value.is_nan() => Some(Self::NaN),
            f64::INFINITY => Some(Self::Infinity),
            f64::NEG_INFINITY => Some(Self::MinusInfinity),
            _ => None,
        }
    }
}

/// Stored energy that may be missing before a target counts as missed, kWh.
pub const MISSED_MIN_KWH: f64 = 1e-6;

impl MissedReason {
    /// Whether there was too little time, and whose doing that was; `None` where there was enough.
    /// Of stays that hold no slot, and by the first rules of all.
    ///
    /// What full power all along would have reached by the departure and by the one that was
    /// announced, and what was wanted; stored energy, kWh.
    pub fn of_time(departure_kwh: f64, announced_kwh: f64, wanted_kwh: f64) -> Option<Self> {
        match () {
            () if departure_kwh >= wanted_kwh => None,
            () if announced_kwh >= wanted_kwh => Some(Self::LeftEarly),
            () => Some(Self::TooShort),
        }
    }
}

/// What a car that leaves with less than it wanted could have had; stored energy, kWh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaving {
    /// Whether it leaves before the departure that was announced.
    pub ahead_of_announced: bool,
    /// What full power all along would have reached by now.
    pub departure_kwh: f64,
    /// What it would have reached by the announced departure, or by now where that is over.
    pub announced_kwh: f64,
    /// What full power from now on would still reach by then.
    pub had_it_stayed_kwh: f64,
    /// What was wanted.
    pub wanted_kwh: f64,
}

impl Leaving {
    /// Whether it is for want of time that the target is missed, and whose doing that is.
    ///
    /// Who planned for the announced departure is not to blame for a car that leaves before it, as
    /// long as the rest of the time would have done.
    pub fn missed_for_time(&self) -> Option<MissedReason> {
        let in_time = self.departure_kwh >= self.wanted_kwh;
        let still_in_time = self.had_it_stayed_kwh >= self.wanted_kwh;
        match () {
            () if self.announced_kwh < self.wanted_kwh => Some(MissedReason::TooShort),
            () if self.ahead_of_announced && (still_in_time || !in_time) => {
                Some(MissedReason::LeftEarly)
            }
            () => None,
        }
    }
}
