//! Random streams that depend on what is drawn, never on when or in what order.
//!
//! A stream is Philox4x32-10 with the key (seed, purpose) and a counter that names the
//! fleet, the car within it and the draw. So adding a fleet or a car changes no other
//! car's draws, and two policies on one world see the same people.

use rand_philox::Philox;
/// Every bit of the result depends on every bit of the word.
pub use rand_philox::splitmix64;

/// What a draw is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    // The numbers are part of every stream's key: another number gives other people in old runs.
    /// Arrival at home, one draw a local day.
    HomeArrival = 1,
    /// Departure from home, one draw a local day.
    HomeDeparture = 2,
    /// Arrival at work, one draw a local day.
    WorkArrival = 3,
    /// Departure from work, one draw a local day.
    WorkDeparture = 4,
    /// Energy of a trip, two draws a local day.
    Trip = 5,
    /// State of charge when the first stay begins.
    SocOnArrival = 6,
    /// State of charge wanted at departure.
    DepartureSoc = 7,
    /// Battery capacity.
    Capacity = 8,
    /// Willingness to take part in V2G, one draw a clock hour.
    Willingness = 9,
    /// Error of a forecast, one draw a slot, keyed by the name of the series.
    Forecast = 10,
}

/// A car by its fleet's name and its index in the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CarKey {
    fleet: u32,
    index: u32,
}

impl CarKey {
    /// The key of car `index` of the fleet called `fleet`.
    pub fn new(fleet: &str, index: u32) -> Self {
        Self { fleet: name_hash(fleet), index }
    }

    /// The key of another car of the same fleet.
    #[must_use]
    pub fn with_index(self, index: u32) -> Self {
        Self { index, ..self }
    }
}

/// A hash of a name that stays the same for ever (FNV-1a, folded to 32 bits).
pub fn name_hash(name: &str) -> u32 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

/// The stream for draw number `draw` of `purpose` for one car.
///
/// `draw` is a day number, a trip number, an hour or 0; every stream has 2³² blocks of its own.
#[inline]
pub fn stream(seed: u64, purpose: Purpose, car: CarKey, draw: u32) -> Philox {
    // The purpose is spread over all bits before it meets the seed: seed 2 with purpose 1 would
    // else draw what seed 1 draws with purpose 2.
    let key = splitmix64(seed ^ splitmix64(0x9e37_79b9_7f4a_7c15 ^ u64::from(purpose as u32)));
    let counter =
        u128::from(car.fleet) << 96 | u128::from(car.index) << 64 | u128::from(draw) << 32;
    Philox::new([key as u32, (key >> 32) as u32], counter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn streams_differ_in_every_part_of_their_key() {
        let first = |seed, purpose, fleet: &str, index, draw| {
            stream(seed, purpose, CarKey::new(fleet, index), draw).next_u64()
        };
        let words: BTreeSet<u64> = [
            first(1, Purpose::Trip, "a", 0, 0),
            first(2, Purpose::Trip, "a", 0, 0),
            first(1, Purpose::Capacity, "a", 0, 0),
            first(1, Purpose::Trip, "b", 0, 0),
            first(1, Purpose::Trip, "a", 1, 0),
            first(1, Purpose::Trip, "a", 0, 1),
        ]
        .into();
        assert_eq!(words.len(), 6);
    }

    /// Changing this number changes the draws of every world ever run.
    #[test]
    fn a_stream_is_fixed_for_ever() {
        let mut stream = stream(7, Purpose::Trip, CarKey::new("commuters", 3), 20);
        assert_eq!(stream.next_u64(), 3_246_746_038_554_679_100);
    }
}
