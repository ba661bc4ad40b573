//! Fleets, and the population of cars drawn from them.
//!
//! Every number of a car is drawn from a stream of its own (see [`crate::random`]), so the
//! population depends on the seed, the fleet's name and the car's index, and on nothing else.
//! Draws of daily times and trips are keyed by the calendar date, so a longer run has the same
//! first days.

mod car_chargers;
mod car_stays;
mod recorded;
mod recount;

use crate::{
    battery::Battery,
    clock::{Boundary, Clock, LocalDay},
    distribution::Distribution,
    id::{ChargerId, EvId, StayId},
    quantity::Share,
    random::{CarKey, Purpose, stream},
    rules::Rules,
    site::Charger,
    stay::Stays,
    willingness::{Participation, Willingness},
    wishes::SocWishes,
};
use car_stays::CarStays;
use chrono::{Datelike, NaiveDate, Weekday};
use recorded::Request;
use std::{ops::Range, sync::Arc};

/// A population of like cars.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Its name in the world file; keys the draws.
    pub name: String,
    /// Number of cars; for [`Parking::Sessions`] the number of sessions.
    pub count: u32,
    /// What the batteries have in common.
    pub battery: Battery,
    /// Capacity, kWh.
    pub capacity: Distribution,
    /// Where and when the cars are parked.
    pub parking: Parking,
    /// Energy of one trip between two stays, kWh.
    pub trip_energy: Distribution,
    /// State of charge (0..1) when the first stay begins.
    pub soc_on_arrival: Distribution,
    /// State of charge (0..1) wanted at departure, one draw a car.
    pub departure_soc: Distribution,
    /// The tariff, as an index into the scenario's tariffs.
    pub tariff: u32,
    /// On which terms the cars may discharge.
    pub v2g: V2gTerms,
    /// What is wished for stored energy beside the departure target.
    pub wishes: SocWishes,
}

impl Fleet {
    /// State of charge that V2G must leave: the stricter one of its own terms and the battery's.
    pub fn v2g_soc_min(&self) -> f64 {
        self.v2g.soc_min.get().max(self.battery.soc_min.get())
    }
}

/// On which terms the cars of a fleet may discharge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct V2gTerms {
    /// State of charge that discharging must leave, `SOC_min^V2G` of (13); not below the battery's
    /// own.
    pub soc_min: Share,
    /// How drivers decide; `None` where they need not be asked.
    pub willingness: Option<(Willingness, Participation)>,
}

/// Where and when the cars of a fleet are parked.
#[derive(Debug, Clone, PartialEq)]
pub enum Parking {
    /// At home from the evening to the next morning, every day.
    Overnight(Place),
    /// At work during the day.
    Workplace(Place, WorkDays),
    /// At home overnight and at work during the day.
    Commute {
        /// The home; arrival in the evening, departure in the morning.
        home: Place,
        /// The workplace; arrival in the morning, departure in the evening.
        work: Place,
        /// Days on which the cars go to work; on others they leave home and come back.
        days: WorkDays,
    },
    /// Recorded sessions, one car each.
    Sessions {
        /// The sessions, in order of arrival.
        sessions: Arc<[RecordedSession]>,
        /// Names of the stations that sessions refer to.
        stations: Arc<[String]>,
        /// What every station can do.
        charger: Charger,
        /// Whether the world tells how large the batteries are. Where it does not, each is as large
        /// as its request needs, and the fleet's capacity is the least.
        capacity_known: bool,
    },
    /// Commuters on a typical day, listed one by one.
    Listed {
        /// The cars.
        cars: Arc<[ListedCar]>,
        /// The charger of each car, at home and at work.
        charger: Charger,
    },
}

/// A commuter whose typical day is listed. Times are hours after the midnight before coming home;
/// those of the next morning are above 24.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedCar {
    /// Arrival at home in the evening, and departure in the next morning.
    pub home: (f64, f64),
    /// Arrival at work and departure on that next day; `None` where there is no charger at work.
    pub work: Option<(f64, f64)>,
    /// State of charge (0..1) on coming home.
    pub soc_on_arrival: f64,
    /// State of charge (0..1) wanted at every departure.
    pub departure_soc: f64,
    /// Energy of the trip from home to work, kWh.
    pub trip_kwh: f64,
    /// Standard normal draw of willingness for each hour of the day.
    pub normals: [f64; 24],
}

/// A place to park, with its daily times in hours since local midnight.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Time of arrival.
    pub arrive: Distribution,
    /// Time of departure.
    pub leave: Distribution,
    /// Least time between leaving the place before and arriving here, hours.
    pub trip_time_min: f64,
    /// The charger that each car has there.
    pub charger: Charger,
}

/// Days of the week on which people work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkDays {
    /// Every day.
    Daily,
    /// Monday to Friday.
    Weekdays,
}

impl Parking {
    /// Whether as many cars are drawn as a fleet counts, rather than told one by one.
    pub fn is_drawn(&self) -> bool {
        match self {
            Self::Overnight(_) | Self::Workplace(..) | Self::Commute { .. } => true,
            Self::Sessions { .. } | Self::Listed { .. } => false,
        }
    }

    /// The chargers where the cars park, one of each kind.
    pub fn chargers(&self) -> impl Iterator<Item = Charger> {
        let (one, other) = match self {
            Self::Overnight(place) | Self::Workplace(place, _) => (place.charger, None),
            Self::Commute { home, work, .. } => (home.charger, Some(work.charger)),
            Self::Sessions { charger, .. } | Self::Listed { charger, .. } => (*charger, None),
        };
        std::iter::once(one).chain(other)
    }
}

impl WorkDays {
    fn contains(self, date: NaiveDate) -> bool {
        self == Self::Daily || !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
    }
}

/// A charging session that really took place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecordedSession {
    /// Arrival, in seconds from the clock's start.
    pub arrives: i32,
    /// Departure, in seconds from the clock's start.
    pub leaves: i32,
    /// Departure that the driver announced on arrival.
    pub announced: i32,
    /// Energy asked for, grid side, kWh.
    pub requested_kwh: f64,
    /// Energy delivered in reality, grid side, kWh; `None` where it is not recorded.
    pub delivered_kwh: Option<f64>,
    /// Station, as an index into the fleet's station names.
    pub station: u32,
}

/// The cars of all fleets, in columns in `EvId` order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Population {
    /// The cars by fleet, ascending; as drawn one range a fleet, in the scenario's order.
    pub fleets: Vec<FleetRange>,
    /// Capacity, kWh.
    pub capacity_kwh: Vec<f64>,
    /// Stored energy when the first stay begins, kWh.
    pub arrival_energy_kwh: Vec<f64>,
    /// Stored energy wanted at every departure, kWh.
    pub departure_energy_kwh: Vec<f64>,
    /// All stays that a slot of the run is theirs, whole.
    pub stays: Stays,
    /// Stays that hold no whole slot, and so are none of `stays`: a car stood there and could not
    /// charge. They end within the run; `trip_kwh` is the trip before each, whichever stay came
    /// before that.
    pub stays_without_slot: Stays,
    /// Ids of stays that a fork cut short when it took their cars out of the world, ascending.
    pub cut_stays: Vec<StayId>,
    /// Runs of like chargers, by ascending charger id; one for each of `fleets`.
    pub chargers: Vec<ChargerRange>,
    /// What had to be left out or cut down.
    pub notes: PopulationNotes,
}

/// Neighbouring cars of one fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetRange {
    /// The fleet, as an index into the scenario's fleets.
    pub fleet: usize,
    /// Index in the fleet of the first of them.
    pub first_index: u32,
    /// Their ids.
    pub evs: Range<u32>,
    /// Ids of their chargers.
    pub chargers: Range<u32>,
    /// Whether they were taken out of the world.
    pub removed: bool,
}

impl FleetRange {
    /// Its cars, ascending.
    pub fn cars(&self) -> impl Iterator<Item = EvId> + use<> {
        self.evs.clone().map(EvId)
    }

    /// The index in its fleet of a car of the range; with the fleet's name it keys the draws.
    pub fn index_of(&self, ev: EvId) -> u32 {
        self.first_index + (ev.0 - self.evs.start)
    }
}

/// Chargers of one kind: every `stride`-th of a fleet's.
#[derive(Debug, Clone, PartialEq)]
pub struct ChargerRange {
    /// Ids of the fleet's chargers.
    pub ids: Range<u32>,
    /// What a charger can do, by `(id - ids.start) % kinds.len()`.
    pub kinds: Vec<Charger>,
}

crate::figures! {
    /// What the population left out or cut down, for the run's summary.
    #[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
    pub struct PopulationNotes {
        /// Stays that hold no whole slot: they are told, and the car counts as driving on.
        stays_without_slot: u32,
        /// Drawn stays that would have ended before they began: the car drives on.
        stays_without_time: u32,
        /// Recorded sessions within reach of the run's clock; each is one of the next four, or one
        /// of the stays.
        sessions_in_reach: u32,
        /// Of those, the ones that hold no whole slot and end within the run.
        sessions_without_slot: u32,
        /// Those whose last whole slot comes before the first one of the run.
        sessions_before_start: u32,
        /// Those whose first whole slot comes after the last one of the run.
        sessions_beyond_end: u32,
        /// Recorded sessions that began at a station in the slot in which another had ended.
        hand_overs_within_slot: u32,
        /// Recorded sessions whose request was more than a battery of known size can take; under
        /// the rules of 0.1.0 also those that asked for more than the time until the real departure
        /// allowed.
        requests_capped: u32,
        /// Energy of recorded requests that was cut off for it, grid side.
        capped_kwh: f64 = "kWh",
        /// Energy that the recorded sessions asked for, grid side.
        requested_kwh: f64 = "kWh",
        /// Energy that the recorded sessions were given in reality, grid side.
        delivered_kwh: f64 = "kWh",
    }
}

impl Population {
    /// Draws the cars of `fleets` with their stays over the clock's run; under [`Boundary::Fold`]
    /// those that begin between one evening and the next, on an axis that runs on past midnight.
    pub fn draw(seed: u64, rules: Rules, clock: &Clock, fleets: &[Fleet]) -> Self {
        let drawing = Drawing { seed, rules, clock };
        let mut population = Self::default();
        for fleet in fleets {
            population.add_fleet(&drawing, fleet);
        }
        population
    }

    /// Number of cars, with those that were removed.
    pub fn len(&self) -> usize {
        self.capacity_kwh.len()
    }

    /// Ids of the cars that were not removed.
    pub fn present_evs(&self) -> impl Iterator<Item = EvId> {
        self.fleets.iter().filter(|range| !range.removed).flat_map(FleetRange::cars)
    }

    /// Number of cars that were removed.
    pub fn removed_count(&self) -> u32 {
        self.fleets.iter().filter(|range| range.removed).map(|range| range.evs.len() as u32).sum()
    }

    /// Whether there is no car.
    pub fn is_empty(&self) -> bool {
        self.capacity_kwh.is_empty()
    }

    /// Number of chargers.
    pub fn charger_count(&self) -> u32 {
        self.chargers.last().map_or(0, |range| range.ids.end)
    }

    /// The charger with this id.
    pub fn charger(&self, id: ChargerId) -> &Charger {
        let range = &self.chargers[self.chargers.partition_point(|range| range.ids.end <= id.0)];
        &range.kinds[(id.0 - range.ids.start) as usize % range.kinds.len()]
    }

    /// The range that this car is in.
    pub fn range_of(&self, ev: EvId) -> &FleetRange {
        &self.fleets[self.fleets.partition_point(|range| range.evs.end <= ev.0)]
    }

    /// The index of the fleet that this car belongs to.
    pub fn fleet_of(&self, ev: EvId) -> usize {
        self.range_of(ev).fleet
    }

    /// Ids of all stays of a fleet's car, under every number that it has in the run.
    pub fn stays_of(&self, fleet: usize, index: u32) -> impl Iterator<Item = StayId> {
        let of_fleet = self.fleets.iter().filter(move |range| range.fleet == fleet);
        let evs = of_fleet.filter_map(move |range| {
            let ev = range.evs.start + index.checked_sub(range.first_index)?;
            range.evs.contains(&ev).then_some(ev)
        });
        evs.flat_map(|ev| self.stays.of_evs(ev..ev + 1))
    }

    fn add_fleet(&mut self, drawing: &Drawing<'_>, fleet: &Fleet) {
        let first_ev = self.len() as u32;
        let first_charger = self.charger_count();
        let kinds = match &fleet.parking {
            Parking::Overnight(place) | Parking::Workplace(place, _) => vec![place.charger],
            Parking::Commute { home, work, .. } => vec![home.charger, work.charger],
            Parking::Sessions { charger, .. } => vec![*charger],
            // Two for each, so that a charger's number follows from its car's, whether that goes to
            // work or not.
            Parking::Listed { charger, .. } => vec![*charger; 2],
        };
        let chargers = match &fleet.parking {
            Parking::Sessions { stations, .. } => stations.len() as u32,
            _ => fleet.count * kinds.len() as u32,
        };
        let per_car = kinds.len() as u32;
        self.chargers.push(ChargerRange { ids: first_charger..first_charger + chargers, kinds });
        match &fleet.parking {
            Parking::Sessions { sessions, charger, capacity_known, .. } => {
                let key = CarKey::new(&fleet.name, 0);
                for (index, session) in (0..).zip(sessions.iter()) {
                    let draws = Draws { seed: drawing.seed, car: key.with_index(index) };
                    let request = Request::new(fleet, draws, session, *capacity_known);
                    self.add_session(drawing, session, &request, charger, first_charger);
                }
                self.notes.count_hand_overs(drawing.clock, sessions);
            }
            Parking::Listed { cars, .. } => self.add_listed(drawing, fleet, cars, first_charger),
            parking => {
                let charger = |index| first_charger + per_car * index;
                for index in 0..fleet.count {
                    let draws = self.add_drawn(drawing.seed, fleet, index);
                    let mut car = CarStays::new(self, drawing, charger(index));
                    match drawing.clock.boundary {
                        Boundary::Open => car.add_days(draws, fleet, parking),
                        Boundary::Fold => car.add_typical_day(draws, fleet, parking),
                    }
                }
            }
        }
        self.fleets.push(FleetRange {
            fleet: self.fleets.len(),
            first_index: 0,
            evs: first_ev..self.len() as u32,
            chargers: first_charger..first_charger + chargers,
            removed: false,
        });
    }

    /// Adds a car with the numbers that hold for all its stays.
    fn add_drawn(&mut self, seed: u64, fleet: &Fleet, index: u32) -> Draws {
        let draws = Draws { seed, car: CarKey::new(&fleet.name, index) };
        let capacity = draws.once(Purpose::Capacity, &fleet.capacity);
        self.capacity_kwh.push(capacity);
        self.arrival_energy_kwh
            .push(capacity * draws.once(Purpose::SocOnArrival, &fleet.soc_on_arrival));
        self.departure_energy_kwh
            .push(capacity * draws.once(Purpose::DepartureSoc, &fleet.departure_soc));
        draws
    }

    fn add_listed(
        &mut self,
        drawing: &Drawing<'_>,
        fleet: &Fleet,
        cars: &[ListedCar],
        first_charger: u32,
    ) {
        let clock = drawing.clock;
        let day = clock.day(clock.local(0).date());
        for (index, listed) in (0..).zip(cars) {
            let draws = Draws { seed: drawing.seed, car: CarKey::new(&fleet.name, index) };
            let capacity = draws.once(Purpose::Capacity, &fleet.capacity);
            self.capacity_kwh.push(capacity);
            self.arrival_energy_kwh.push(capacity * listed.soc_on_arrival);
            self.departure_energy_kwh.push(capacity * listed.departure_soc);
            let charger = first_charger + 2 * index;
            let mut car = CarStays::new(self, drawing, charger);
            let at =
                |(arrives, leaves): (f64, f64)| (day.not_before(arrives), day.not_after(leaves));
            car.add(0, at(listed.home), listed.trip_kwh);
            if let Some(work) = listed.work {
                car.add(1, at(work), listed.trip_kwh);
            }
        }
    }
}

/// What a population is drawn with.
struct Drawing<'a> {
    seed: u64,
    rules: Rules,
    clock: &'a Clock,
}

/// The draws of one car.
#[derive(Clone, Copy)]
struct Draws {
    seed: u64,
    car: CarKey,
}

impl Draws {
    fn once(self, purpose: Purpose, distribution: &Distribution) -> f64 {
        self.nth(purpose, distribution, 0)
    }

    fn nth(self, purpose: Purpose, distribution: &Distribution, draw: u32) -> f64 {
        // No stream is opened for it: draws do not depend on each other, so that leaving one out
        // changes no other.
        if let Distribution::Fixed(value) = distribution {
            return *value;
        }
        distribution.sample(&mut stream(self.seed, purpose, self.car, draw))
    }

    /// A draw for a date; `leg` tells apart two of a day.
    fn of_day(
        self,
        purpose: Purpose,
        distribution: &Distribution,
        date: NaiveDate,
        leg: u32,
    ) -> f64 {
        self.nth(purpose, distribution, (date.num_days_from_ce() as u32) * 2 + leg)
    }

    /// At home from the evening of `day` to the next morning; not before coming back from
    /// `left_last`, or where that is `None` from where this morning led.
    fn overnight(self, home: &Place, day: &LocalDay, left_last: Option<i64>) -> (i64, i64) {
        let tomorrow = day.date.succ_opt().expect("the calendar goes on");
        let left_last = left_last.unwrap_or_else(|| self.leaves_home(home, day, day.date, 0.0));
        // Both times are drawn on their own, so that this one may lie before the car can have come.
        let arrives = day.at(self.of_day(Purpose::HomeArrival, &home.arrive, day.date, 0));
        (
            arrives.max(left_last + seconds(home.trip_time_min)),
            self.leaves_home(home, day, tomorrow, 24.0),
        )
    }

    /// When the car leaves home on `date`, which is `offset` hours of wall clock after `day`.
    fn leaves_home(self, home: &Place, day: &LocalDay, date: NaiveDate, offset: f64) -> i64 {
        // Keyed by the morning's date, whichever day asks: the way to work begins when the night at
        // home ends.
        day.at(offset + self.of_day(Purpose::HomeDeparture, &home.leave, date, 0))
    }

    /// At work on `day`, not before coming from where the car was until `left_last`.
    fn workplace(self, work: &Place, day: &LocalDay, left_last: Option<i64>) -> (i64, i64) {
        let arrives = day.at(self.of_day(Purpose::WorkArrival, &work.arrive, day.date, 0));
        // Where a car that only parks at work comes from, nobody says.
        let earliest = left_last.map_or(i64::MIN, |left| left + seconds(work.trip_time_min));
        (
            arrives.max(earliest),
            day.at(self.of_day(Purpose::WorkDeparture, &work.leave, day.date, 0)),
        )
    }

    /// At work on `day` after a night at `home`.
    fn at_work(self, home: &Place, work: &Place, day: &LocalDay) -> (i64, i64) {
        self.workplace(work, day, Some(self.leaves_home(home, day, day.date, 0.0)))
    }
}

/// A day of 24 hours.
const DAY_SECONDS: i64 = 24 * 3600;

fn seconds(hours: f64) -> i64 {
    libm::round(hours * 3600.0) as i64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::quantity::Kilowatts;
    use chrono_tz::Europe::Berlin;

    pub(super) fn clock(days: u32) -> Clock {
        Clock::new("2018-10-08T00:00:00".parse().unwrap(), Berlin, 900, days).unwrap()
    }

    pub(super) fn charger() -> Charger {
        Charger { charge_max: Kilowatts(7.0), discharge_max: Kilowatts(7.0), site: None }
    }

    fn normal(mean: f64, sd: f64) -> Distribution {
        Distribution::Normal { mean, sd, min: f64::NEG_INFINITY, max: f64::INFINITY }
    }

    fn place(arrive: f64, leave: f64) -> Place {
        Place {
            arrive: normal(arrive, 0.5),
            leave: normal(leave, 0.5),
            trip_time_min: 0.25,
            charger: charger(),
        }
    }

    pub(super) fn fleet(name: &str, count: u32, parking: Parking) -> Fleet {
        Fleet {
            name: name.into(),
            count,
            battery: Battery {
                soc_min: Share::ZERO,
                soc_max: Share::ONE,
                charge_efficiency: Share::new(0.95).unwrap(),
                discharge_efficiency: Share::new(0.95).unwrap(),
                degradation_per_kwh: 0.0,
            },
            capacity: Distribution::Fixed(60.0),
            parking,
            trip_energy: Distribution::Fixed(7.0),
            soc_on_arrival: Distribution::Fixed(0.5),
            departure_soc: Distribution::Fixed(0.8),
            tariff: 0,
            v2g: V2gTerms { soc_min: Share::ZERO, willingness: None },
            wishes: SocWishes::default(),
        }
    }

    fn commute() -> Parking {
        Parking::Commute { home: place(17.5, 7.0), work: place(8.0, 16.5), days: WorkDays::Daily }
    }

    #[test]
    fn a_new_fleet_changes_no_other_cars_draws() {
        let draw = |fleets: &[Fleet]| Population::draw(3, Rules::TODAY, &clock(2), fleets);
        let alone = draw(&[fleet("b", 5, commute())]);
        let joined = draw(&[fleet("a", 3, commute()), fleet("b", 5, commute())]);
        let skipped = joined.stays.ev.iter().filter(|&&ev| ev < EvId(3)).count();
        assert_eq!(alone.stays.arrives, joined.stays.arrives[skipped..]);
        assert_eq!(alone.stays.trip_kwh, joined.stays.trip_kwh[skipped..]);
    }

    #[test]
    fn a_longer_run_has_the_same_first_days() {
        let arrivals = |days| {
            let stays =
                Population::draw(3, Rules::TODAY, &clock(days), &[fleet("a", 1, commute())]).stays;
            stays.arrives.into_iter().filter(|&t| t < 2 * 86_400 - 7 * 3600).collect::<Vec<_>>()
        };
        assert_eq!(arrivals(2), arrivals(5));
    }

    #[test]
    fn a_commuter_never_arrives_before_it_could() {
        let population =
            Population::draw(9, Rules::TODAY, &clock(7), &[fleet("a", 200, commute())]);
        let stays = &population.stays;
        for next in 1..stays.len() {
            if stays.ev[next] == stays.ev[next - 1] {
                assert!(stays.arrives[next] >= stays.leaves[next - 1] + 900);
                assert_eq!(stays.trip_kwh[next], 7.0);
            }
        }
        assert!(stays.arrives.iter().any(|&t| t < 0), "a night is in progress at the start");
    }

    #[test]
    fn a_typical_day_runs_from_coming_home_to_leaving_work() {
        let population = Population::draw(
            9,
            Rules::TODAY,
            &Clock { boundary: Boundary::Fold, ..clock(1) },
            &[fleet("a", 200, commute())],
        );
        let stays = &population.stays;
        for home in (0..stays.len()).filter(|&stay| stays.arrives[stay] < 86_400) {
            let work = home + 1;
            assert_eq!(stays.ev[home], stays.ev[work]);
            assert!(stays.arrives[work] >= stays.leaves[home] + 900);
            assert!(
                i64::from(stays.arrives[home]) >= i64::from(stays.leaves[work]) - DAY_SECONDS + 900
            );
            assert_eq!((stays.trip_kwh[home], stays.trip_kwh[work]), (0.0, 7.0));
        }
        let notes = population.notes;
        assert_eq!(stays.len() as u32 + notes.stays_without_slot + notes.stays_without_time, 400);
    }

    /// The parking of a car whose times hardly depend on their means, within half a day of them.
    fn any_time(arrive: f64, leave: f64) -> Place {
        let around = |mean: f64| Distribution::Uniform { min: mean - 12.0, max: mean + 12.0 };
        Place { arrive: around(arrive), leave: around(leave), ..place(arrive, leave) }
    }

    #[test]
    fn a_car_is_at_one_place_at_a_time_however_wide_its_times_are_drawn() {
        let (home, work) = (any_time(17.5, 7.0), any_time(8.0, 16.5));
        let commute =
            Parking::Commute { home: home.clone(), work: work.clone(), days: WorkDays::Daily };
        for parking in
            [Parking::Overnight(home), Parking::Workplace(work, WorkDays::Daily), commute]
        {
            let fleets = [fleet("a", 200, parking)];
            let open = Population::draw(9, Rules::TODAY, &clock(7), &fleets).stays;
            for next in (1..open.len()).filter(|&next| open.ev[next] == open.ev[next - 1]) {
                assert!(
                    open.arrives[next] >= open.leaves[next - 1] + 900,
                    "{:?}",
                    fleets[0].parking
                );
            }
            // On a typical day the last stay of a car ends before the first begins a day later.
            let fold = Population::draw(
                9,
                Rules::TODAY,
                &Clock { boundary: Boundary::Fold, ..clock(1) },
                &fleets,
            )
            .stays;
            for first in
                (0..fold.len()).filter(|&stay| stay == 0 || fold.ev[stay] != fold.ev[stay - 1])
            {
                let last =
                    (first..fold.len()).take_while(|&stay| fold.ev[stay] == fold.ev[first]).last();
                let day = i64::from(fold.leaves[last.unwrap()]) - i64::from(fold.arrives[first]);
                assert!(day <= DAY_SECONDS - 900, "{:?}", fleets[0].parking);
                assert!(
                    last.unwrap() == first || fold.arrives[first + 1] >= fold.leaves[first] + 900
                );
            }
        }
    }

    #[test]
    fn a_workplace_is_empty_at_the_weekend() {
        let parking = Parking::Workplace(place(8.0, 16.5), WorkDays::Weekdays);
        let stays = Population::draw(1, Rules::TODAY, &clock(7), &[fleet("a", 10, parking)]).stays;
        assert_eq!(stays.len(), 50, "Monday to Friday");
        assert!(stays.arrives.iter().all(|&t| t < 5 * 86_400));
    }
}
