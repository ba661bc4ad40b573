//! Drivers that are asked whether they discharge, (5) to (10).
//!
//! A driver draws once an hour of the wall clock. Willingness follows from the draw and from the
//! incentive ratio of prices; draws are recomputed in a replay, never logged. Where the drivers of
//! any fleet are asked, all cars have these components; elsewhere none has, and none takes memory.

use crate::{
    cars::{Agreed, Drawn, NOT_ASKED_YET, StoredEnergy, Willingness, columns_if_any},
    state::ScenarioInForce,
};
use bevy_ecs::{prelude::*, system::SystemParam};
use voltide_journal::event::PricesSet;
use voltide_model::{
    price::ExpectedPrice,
    willingness::{Band, Draw, Participation, Willingness as Curves},
};

/// What drivers drew and said, for reading.
#[derive(SystemParam)]
pub(crate) struct Drivers<'w, 's> {
    drawn: Query<'w, 's, &'static Drawn>,
    agreed: Query<'w, 's, &'static Agreed>,
}

impl Drivers<'_, '_> {
    /// What each driver drew last, by `EvId`; empty where nobody is asked.
    pub(crate) fn drawn(&self) -> &[Drawn] {
        columns_if_any(self.drawn.as_readonly()).unwrap_or_default()
    }

    /// Whether each driver agrees in this slot, by `EvId`; empty where nobody is asked.
    pub(crate) fn agreed(&self) -> &[Agreed] {
        columns_if_any(self.agreed.as_readonly()).unwrap_or_default()
    }
}

/// Gives all cars the components of drivers, or takes them away, where a fork made it so.
///
/// Cars move from table to table in their order, so that their index stays their `EvId`.
pub(crate) fn ask_drivers(world: &mut World, asked: bool) {
    let mut cars = world.query_filtered::<Entity, With<StoredEnergy>>();
    let cars: Vec<Entity> = cars.iter(world).collect();
    if asked {
        // All in one go and in their order: a car moves to the end of the other table.
        world.insert_batch(cars.into_iter().map(|car| (car, NOT_ASKED_YET)));
    } else {
        for car in cars {
            world.entity_mut(car).remove::<(Drawn, Willingness, Agreed)>();
        }
    }
}

/// How the drivers of one fleet are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    willingness: Curves,
    participation: Participation,
    expected: ExpectedPrice,
}

impl Asking {
    /// How a fleet's drivers are asked, where they are.
    pub(crate) fn of_fleet(in_force: &ScenarioInForce, fleet: usize) -> Option<Self> {
        let expected = in_force.scenario.incentive?.expected;
        let (willingness, participation) = in_force.scenario.asks_drivers(fleet)?;
        Some(Self { willingness, participation, expected })
    }

    /// What the drivers that see these prices think of a slot, which differs by their draws alone.
    pub(crate) fn band(&self, prices: &PricesSet, slot: u32) -> Band {
        // Only the draw is a driver's own, so that a slot is looked at once for all of them.
        let at = prices.at(slot);
        self.willingness.band(self.expected.incentive_ratio(prices.k[at], prices.incentive[at]))
    }

    /// Willingness in the slot of a band, and whether the driver agrees.
    pub(crate) fn answer(&self, band: Band, draw: Draw) -> (f64, bool) {
        let willingness = band.sample(draw.normal);
        (willingness, self.participation.agrees(willingness, draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cars::spawn_cars;

    fn energies(world: &mut World) -> Vec<f64> {
        let mut cars = world.query::<&StoredEnergy>();
        let column = columns_if_any(cars.query(world)).unwrap_or_default();
        bytemuck::cast_slice(column).to_vec()
    }

    #[test]
    fn cars_keep_their_place_when_drivers_are_asked_from_a_fork_on() {
        let mut world = World::new();
        let mut drivers = world.query::<(&Drawn, &Willingness, &Agreed)>();
        spawn_cars(&mut world, &[1.0, 2.0, 3.0, 4.0, 5.0], false);
        assert!(columns_if_any(drivers.query(&world)).is_none());
        ask_drivers(&mut world, true);
        spawn_cars(&mut world, &[6.0, 7.0], true);
        assert_eq!(energies(&mut world), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(columns_if_any(drivers.query(&world)).map(|(drawn, ..)| drawn.len()), Some(7));
        ask_drivers(&mut world, false);
        assert_eq!(energies(&mut world), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert!(columns_if_any(drivers.query(&world)).is_none());
    }
}
