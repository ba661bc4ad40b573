//! Which chargers are a car's.

use super::{Fleet, Parking, Population};
use crate::id::{ChargerId, EvId};

impl Population {
    /// The chargers that a car of `fleet` stands at: its own, in the order of its places, or of a
    /// recorded session the station that it shares.
    pub fn chargers_of(&self, ev: EvId, fleet: &Fleet) -> impl Iterator<Item = ChargerId> {
        let range = self.range_of(ev);
        let ids = match &fleet.parking {
            Parking::Sessions { sessions, .. } => {
                let station = sessions[range.index_of(ev) as usize].station;
                let id = range.chargers.start + station;
                id..id + 1
            }
            Parking::Overnight(_)
            | Parking::Workplace(..)
            | Parking::Commute { .. }
            | Parking::Listed { .. } => {
                let per_car = range.chargers.len() as u32 / range.evs.len() as u32;
                let first = range.chargers.start + per_car * (ev.0 - range.evs.start);
                first..first + per_car
            }
        };
        ids.map(ChargerId)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{charger, clock, fleet};
    use super::*;
    use crate::{
        distribution::Distribution,
        fleet::{Place, WorkDays},
        rules::Rules,
    };

    fn fleets(counts: [u32; 2]) -> [Fleet; 2] {
        let place = |arrive, leave| Place {
            arrive: Distribution::Fixed(arrive),
            leave: Distribution::Fixed(leave),
            trip_time_min: 0.25,
            charger: charger(),
        };
        let home = place(17.5, 7.0);
        let commute =
            Parking::Commute { home: home.clone(), work: place(8.0, 16.5), days: WorkDays::Daily };
        [fleet("a", counts[0], Parking::Overnight(home)), fleet("b", counts[1], commute)]
    }

    #[test]
    fn every_stay_is_at_a_charger_of_its_car_also_after_cars_went_and_came_back() {
        let clock = clock(3);
        let drawn = |counts| Population::draw(5, Rules::TODAY, &clock, &fleets(counts));
        let all = drawn([3, 4]);
        let recounted = all.recounted(&drawn([2, 1]), &clock, 60).recounted(&all, &clock, 120);
        assert!(recounted.len() > all.len());
        for cars in [all, recounted] {
            for stay in cars.stays.ids() {
                let ev = cars.stays.ev[stay.row()];
                let fleet = &fleets([3, 4])[cars.fleet_of(ev)];
                let mut of_car = cars.chargers_of(ev, fleet);
                let at = cars.stays.charger[stay.row()];
                assert!(of_car.any(|charger| charger == at), "{ev:?}");
            }
        }
    }
}
