//! Cars of recorded sessions: what each asked for is what it lacks on arrival.

use super::{Drawing, Draws, Fleet, Population, PopulationNotes, RecordedSession};
use crate::{
    clock::Clock,
    fleet::car_stays::{CarStays, InRun},
    random::Purpose,
    rules::Rules,
    site::Charger,
};

/// What a recorded session asked for, as energy in a battery.
pub(super) struct Request {
    capacity_kwh: f64,
    /// Stored energy once the request is met.
    full_kwh: f64,
    /// Stored energy that is asked for, as far as the battery has room for it.
    stored_kwh: f64,
    /// Stored per grid-side energy.
    efficiency: f64,
}

impl Request {
    /// Of a session; a battery whose size the world does not tell has room for it.
    pub(super) fn new(
        fleet: &Fleet,
        draws: Draws,
        session: &RecordedSession,
        capacity_known: bool,
    ) -> Self {
        let battery = &fleet.battery;
        let drawn_kwh = draws.once(Purpose::Capacity, &fleet.capacity);
        let wanted =
            draws.once(Purpose::DepartureSoc, &fleet.departure_soc).min(battery.soc_max.get());
        let efficiency = battery.charge_efficiency.get();
        let asked_kwh = session.requested_kwh * efficiency;
        let room = wanted - battery.soc_min.get();
        // Where the wish leaves no room above the minimum, no size would be enough.
        let capacity_kwh =
            if capacity_known || room <= 0.0 { drawn_kwh } else { drawn_kwh.max(asked_kwh / room) };
        let full_kwh = capacity_kwh * wanted;
        let stored_kwh = asked_kwh.min(full_kwh - capacity_kwh * battery.soc_min.get()).max(0.0);
        Self { capacity_kwh, full_kwh, stored_kwh, efficiency }
    }

    /// Stored energy that full power adds until the car really leaves, which nobody knows before.
    ///
    /// What has no slot at all misses what it asked for; time that there is bounds it.
    fn reach_kwh(
        &self,
        clock: &Clock,
        session: &RecordedSession,
        place: InRun,
        charger: &Charger,
    ) -> f64 {
        let first = clock.slot_from(session.arrives.into());
        let slots = clock.slots_until(session.leaves.into()).saturating_sub(first);
        match place {
            InRun::WithoutSlot => f64::INFINITY,
            InRun::Slots | InRun::WithoutTime | InRun::Before | InRun::Beyond => {
                f64::from(slots) * clock.slot_hours() * charger.charge_max.0 * self.efficiency
            }
        }
    }
}

impl Population {
    /// Adds a recorded session as a car that parks once.
    pub(super) fn add_session(
        &mut self,
        drawing: &Drawing<'_>,
        session: &RecordedSession,
        request: &Request,
        charger: &Charger,
        first_charger: u32,
    ) {
        let clock = drawing.clock;
        let run_end = i64::from(clock.slots) * i64::from(clock.slot_seconds);
        let times = (session.arrives.into(), session.leaves.into());
        let place = InRun::of(clock, run_end, times);
        self.notes.count_session(place);
        let given_kwh = match drawing.rules {
            Rules::V1 => request.stored_kwh.min(request.reach_kwh(clock, session, place, charger)),
            Rules::V2 => request.stored_kwh,
        };
        let arrival_kwh = request.full_kwh - request.stored_kwh;
        self.capacity_kwh.push(request.capacity_kwh);
        self.arrival_energy_kwh.push(arrival_kwh);
        self.departure_energy_kwh.push(match drawing.rules {
            // As 0.1.0 did, whose target told policies when a car would really leave.
            Rules::V1 => arrival_kwh + given_kwh,
            Rules::V2 => request.full_kwh,
        });
        self.notes.count_request(session, given_kwh / request.efficiency);
        let mut car = CarStays::new(self, drawing, first_charger + session.station);
        car.add_announced(0, times, session.announced.into(), 0.0);
    }
}

impl PopulationNotes {
    fn count_session(&mut self, place: InRun) {
        self.sessions_in_reach += 1;
        match place {
            InRun::Slots => {}
            InRun::WithoutSlot | InRun::WithoutTime => self.sessions_without_slot += 1,
            InRun::Before => self.sessions_before_start += 1,
            InRun::Beyond => self.sessions_beyond_end += 1,
        }
    }

    /// Counts what a session asked for, of which its car is shown `given_kwh` on the grid side.
    fn count_request(&mut self, session: &RecordedSession, given_kwh: f64) {
        self.requested_kwh += session.requested_kwh;
        self.delivered_kwh += session.delivered_kwh.unwrap_or(0.0);
        // The request went through the efficiency and back, which rounds.
        if given_kwh < session.requested_kwh - 1e-9 {
            self.requests_capped += 1;
            self.capped_kwh += session.requested_kwh - given_kwh;
        }
    }

    /// Counts the sessions that began at a station in the slot in which another had ended.
    pub(super) fn count_hand_overs(&mut self, clock: &Clock, sessions: &[RecordedSession]) {
        let slot_of = |seconds: i32| i64::from(seconds).div_euclid(i64::from(clock.slot_seconds));
        // Sessions are in order of arrival, so that the last one at a station is the one before.
        let mut last_end = std::collections::BTreeMap::new();
        for session in sessions {
            let before = last_end.insert(session.station, slot_of(session.leaves));
            self.hand_overs_within_slot += u32::from(before == Some(slot_of(session.arrives)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Parking,
        tests::{charger, clock, fleet},
    };
    use crate::id::EvId;

    const fn session(requested_kwh: f64, leaves: i32) -> RecordedSession {
        RecordedSession {
            arrives: 100,
            leaves,
            announced: 36_000,
            requested_kwh,
            delivered_kwh: None,
            station: 0,
        }
    }

    fn recorded(rules: Rules, sessions: &[RecordedSession], capacity_known: bool) -> Population {
        let parking = Parking::Sessions {
            sessions: sessions.into(),
            stations: ["CA-1".to_owned()].into(),
            charger: charger(),
            capacity_known,
        };
        let count = sessions.len() as u32;
        Population::draw(1, rules, &clock(1), &[fleet("acn", count, parking)])
    }

    /// Stored energy that each car lacks on arrival, kWh.
    fn lacking(population: &Population) -> Vec<f64> {
        let pairs = population.departure_energy_kwh.iter().zip(&population.arrival_energy_kwh);
        pairs.map(|(target, arrival)| target - arrival).collect()
    }

    fn assert_all_near(found: &[f64], expected: &[f64]) {
        let near = |(found, expected): (&f64, &f64)| (found - expected).abs() < 1e-9;
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(near), "{found:?}");
    }

    /// Twenty kWh as the battery lacks them, more than it holds, more than 50 minutes give, no
    /// whole slot.
    const REQUESTS: [RecordedSession; 4] = [
        session(19.0 / 0.95, 36_000),
        session(100.0, 36_000),
        session(20.0, 4600),
        session(5.0, 900),
    ];

    #[test]
    fn a_recorded_request_is_what_is_missing_whenever_the_car_really_leaves() {
        let population = recorded(Rules::V2, &REQUESTS, true);
        assert_all_near(&lacking(&population), &[19.0, 48.0, 19.0, 5.0 * 0.95]);
        assert_eq!(population.notes.requests_capped, 1, "by the battery");
        assert!((population.notes.capped_kwh - (100.0 - 48.0 / 0.95)).abs() < 1e-9);
        assert_eq!(population.stays_without_slot.ev, [EvId(3)]);
    }

    #[test]
    fn the_first_rules_cut_a_request_to_the_time_until_the_real_departure() {
        let population = recorded(Rules::V1, &REQUESTS, true);
        assert_all_near(&lacking(&population), &[19.0, 48.0, 4.0 * 7.0 * 0.25 * 0.95, 5.0 * 0.95]);
        assert_eq!(population.notes.requests_capped, 2);
    }

    #[test]
    fn a_battery_of_unknown_size_has_room_for_the_request() {
        let population = recorded(Rules::V2, &REQUESTS, false);
        assert_all_near(&lacking(&population), &[19.0, 95.0, 19.0, 5.0 * 0.95]);
        assert_all_near(&population.capacity_kwh, &[60.0, 95.0 / 0.8, 60.0, 60.0]);
        assert_eq!(population.notes.requests_capped, 0);
    }

    /// Slots are of 900 seconds: the first leaves in the sixth, in which the second arrives; the
    /// third arrives a slot after the second left, and the last at another station.
    #[test]
    fn a_station_is_handed_over_where_a_session_begins_in_the_slot_in_which_the_last_one_ended() {
        let at = |station, arrives, leaves| RecordedSession {
            arrives,
            leaves,
            station,
            ..session(1.0, leaves)
        };
        let sessions =
            [at(0, 100, 5100), at(0, 5300, 8000), at(0, 8200, 9900), at(1, 9950, 20_000)];
        let parking = Parking::Sessions {
            sessions: sessions.into(),
            stations: ["CA-1".to_owned(), "CA-2".to_owned()].into(),
            charger: charger(),
            capacity_known: true,
        };
        let fleet = fleet("acn", sessions.len() as u32, parking);
        let population = Population::draw(1, Rules::TODAY, &clock(1), &[fleet]);
        assert_eq!(population.notes.hand_overs_within_slot, 1);
    }
}
