//! Fleets: batteries, chargers, parking, and the numbers that cars are drawn from.

use super::{Resolver, site};
use crate::{
    data_file::SessionsFile,
    distribution::{Dist, Quantity, Range},
    file::{
        BatteryFile, ChargerFile, CommuteFile, FleetFile, OvernightFile, StaysFile, WorkplaceFile,
    },
    memory::free_memory,
    ranges::Limits,
    values::Count,
};
use ron_places::{Key, Place, Spanned, Try, read::missing};
use std::collections::BTreeMap;
use voltide_model::{
    battery::{Battery, reckoned_efficiency},
    clock::{Boundary, Clock},
    distribution::Distribution,
    fleet::{Fleet, Parking, Place as ParkingPlace},
    id::SiteId,
    physical::{self, Physical},
    quantity::{Hours, Kilowatts, TimeOfDay},
    series::Series,
    site::{Charger, Site},
};

const TRIP_TIME_MIN: f64 = 0.25;
/// Memory that a stay takes at the least.
const STAY_BYTES: u64 = 40;
/// Memory that a car takes at the least, while it is simulated.
const CAR_BYTES: u64 = 200;

/// A positive amount of energy.
const CAPACITY: Range =
    Range { min: 0.0, max: f64::INFINITY, above_min: true, what: "above 0 kWh" };
/// The least that a battery holds whose size is not told, kWh.
const UNTOLD_CAPACITY_KWH: f64 = 60.0;
/// An amount of energy, or none.
const TRIP: Range =
    Range { min: 0.0, max: f64::INFINITY, above_min: false, what: "at least 0 kWh" };
/// Any state of charge.
const SOC: Range = Range { min: 0.0, max: 1.0, above_min: false, what: "between 0 and 1" };

impl Resolver<'_> {
    /// The fleets in the order of the file, with the values that they are drawn from.
    pub(super) fn fleets(
        &mut self,
        clock: &Clock,
        boundary: Option<Boundary>,
        sites: &[Site],
    ) -> Option<(Vec<Fleet>, Vec<Series>)> {
        let sites = &(0..).zip(sites).map(|(at, site)| (site.name.as_str(), SiteId(at))).collect();
        let mut fleets = Vec::new();
        let mut samples = Vec::new();
        for (key, file) in &self.file.fleets.get()?.0 {
            let Some(file) = file.get() else {
                fleets.push(None);
                continue;
            };
            let resolving = FleetResolver {
                resolver: self,
                clock,
                boundary,
                sites,
                path: format!("fleets.{}", key.name),
                samples: &mut samples,
            };
            fleets.push(resolving.fleet(key, file));
        }
        let fleets: Vec<Fleet> = fleets.into_iter().collect::<Option<_>>()?;
        self.check_count(&fleets, clock)?;
        Some((fleets, samples))
    }

    /// Cars, chargers and stays are numbered in 32 bits.
    fn check_count(&mut self, fleets: &[Fleet], clock: &Clock) -> Option<()> {
        // Stays may have begun on the day before the first.
        let days = clock.dates().count() as u64 + 1;
        let stays = |fleet: &Fleet| {
            let a_day = match fleet.parking {
                Parking::Commute { .. } => 2 * days,
                Parking::Sessions { .. } => 1,
                Parking::Listed { .. } => 2,
                _ => days,
            };
            a_day.saturating_mul(fleet.count.into())
        };
        let total = fleets.iter().fold(0_u64, |total, fleet| total.saturating_add(stays(fleet)));
        if total == 0 && !self.values.may_lack_cars() {
            let place = self.file.place;
            self.report.add_help(
                place,
                "the world has no cars".to_owned(),
                "no fleets",
                "add a fleet under `fleets`",
            );
            return None;
        }
        if total > u64::from(u32::MAX / 2) {
            let message = format!("{total} stays are more than can be numbered");
            self.report.add_help(
                self.file.place,
                message,
                "this world",
                "simulate fewer cars or fewer days",
            );
            return None;
        }
        let cars: u64 = fleets.iter().map(|fleet| u64::from(fleet.count)).sum();
        let bytes = total.saturating_mul(STAY_BYTES).saturating_add(cars.saturating_mul(CAR_BYTES));
        // Drawing takes it at once, and a program that the system kills for that can tell nobody
        // why.
        if let Some(free) = free_memory().filter(|free| bytes > *free) {
            let message = format!(
                "{cars} cars with {total} stays take {} GiB of memory, and {} GiB are free",
                bytes.div_ceil(1 << 30),
                free >> 30
            );
            self.report.add_help(
                self.file.place,
                message,
                "this world",
                "simulate fewer cars or fewer days",
            );
            return None;
        }
        Some(())
    }
}

/// What one fleet is resolved with.
pub(super) struct FleetResolver<'a, 'b> {
    pub(super) resolver: &'a mut Resolver<'b>,
    pub(super) clock: &'a Clock,
    /// `None` where a problem with it was reported.
    pub(super) boundary: Option<Boundary>,
    /// Sites by their names; without those that are wrong themselves.
    sites: &'a BTreeMap<&'a str, SiteId>,
    pub(super) path: String,
    pub(super) samples: &'a mut Vec<Series>,
}

impl FleetResolver<'_, '_> {
    fn fleet(mut self, key: &Key, file: &FleetFile) -> Option<Fleet> {
        let battery = file.battery.get().and_then(|battery| self.battery(battery));
        let capacity =
            file.battery.get().and_then(|battery| self.capacity(battery, file.stays.get()));
        let charger = file.charger.get().and_then(|charger| self.charger(charger));
        let tariff =
            file.tariff.get().and_then(|tariff| self.resolver.tariff_index(tariff.as_ref()));
        let v2g = self.resolver.v2g_terms(&self.path, file, battery.as_ref());
        match file.stays.get()? {
            StaysFile::Sessions(_) => self.refuse_drawn(file, "recorded sessions")?,
            StaysFile::Listed(_) => {
                self.refuse_departure_soc(file)?;
                self.refuse_drawn(file, "listed cars")?;
            }
            _ => self.require_drawn(file),
        }
        let trip_energy = match file.trip_energy.get()? {
            Some(dist) => self.draw_within("trip_energy", dist, TRIP, &physical::CAR_ENERGY),
            // Cars that a file tells of have their energy from there; it is required of all others.
            None => Some(Distribution::Fixed(0.0)),
        };
        let soc_on_arrival = self.draw_or("soc_on_arrival", &file.soc_on_arrival, SOC, 0.0);
        let soc_max = battery.map_or(1.0, |battery| battery.soc_max.get());
        let reach = Range { max: soc_max, what: "at most the battery's `soc_max`", ..SOC };
        let departure_soc = self.draw_or("departure_soc", &file.departure_soc, reach, soc_max);
        // A request is capped only by a battery that the world tells of.
        let known = file.battery.get().is_some_and(|battery| battery.capacity.is_some());
        let parking = self.parking(key, file.stays.get()?, charger, known);
        let count = file.count.get().and_then(|count| self.count(count.as_ref()));
        let count = match &parking {
            Some(Parking::Sessions { sessions, .. }) => Some(sessions.len() as u32),
            Some(Parking::Listed { cars, .. }) => Some(cars.len() as u32),
            _ => count,
        };
        // A fork takes cars out of a run whose reservations were made when they were there.
        let cars = count.filter(|_| !self.resolver.values.may_lack_cars());
        let wishes = self.wishes(file, soc_max, cars);
        Some(Fleet {
            name: key.name.clone(),
            count: count?,
            battery: battery?,
            capacity: capacity?,
            parking: parking?,
            trip_energy: trip_energy?,
            soc_on_arrival: soc_on_arrival?,
            departure_soc: departure_soc?,
            tariff: tariff?,
            v2g: v2g?,
            wishes: wishes?,
        })
    }

    fn count(&mut self, count: Option<&Spanned<Count>>) -> Option<u32> {
        let count = count?;
        if count.value.0 == 0 && !self.resolver.values.may_lack_cars() {
            let help = "give at least 1, or remove the fleet";
            self.resolver.report.add_help(
                count.place,
                format!("`{}` has no cars", self.path),
                "zero cars",
                help,
            );
            return None;
        }
        Some(count.value.0)
    }

    /// Reports the fields that a fleet with a daily pattern lacks.
    fn require_drawn(&mut self, file: &FleetFile) {
        let fields = [
            (is_left_out(&file.count), ("count", "100")),
            (is_left_out(&file.trip_energy), ("trip_energy", "\"7 kWh\"")),
            (is_left_out(&file.soc_on_arrival), ("soc_on_arrival", "0.6")),
        ];
        let absent: Vec<_> =
            fields.into_iter().filter(|(absent, _)| *absent).map(|(_, field)| field).collect();
        missing(file.place, &self.path, &absent, self.resolver.report);
    }

    /// Reports fields that what a file tells leaves no room for.
    fn refuse_drawn(&mut self, file: &FleetFile, with: &str) -> Option<()> {
        let fields = [
            ("count", given(&file.count).map(|count| count.place)),
            ("trip_energy", given(&file.trip_energy).map(|trip| trip.place)),
            ("soc_on_arrival", given(&file.soc_on_arrival).map(|soc| soc.place)),
        ];
        let mut fine = Some(());
        for (name, place) in fields {
            if let Some(place) = place {
                fine = self.refuse(place, name, with);
            }
        }
        fine
    }

    fn refuse_departure_soc(&mut self, file: &FleetFile) -> Option<()> {
        given(&file.departure_soc)
            .map(|soc| soc.place)
            .map_or(Some(()), |place| self.refuse(place, "departure_soc", "listed cars"))
    }

    fn refuse(&mut self, place: Place, name: &str, with: &str) -> Option<()> {
        let message = format!("`{}.{name}` has no meaning with {with}", self.path);
        self.resolver.report.add_help(
            place,
            message,
            "not used",
            "remove it: the file of stays tells",
        );
        None
    }

    fn draw<Q: Quantity>(
        &mut self,
        field: &str,
        dist: &Dist<Q>,
        range: Range,
    ) -> Option<Distribution> {
        let name = format!("{}.{field}", self.path);
        let resolver = &mut *self.resolver;
        let distribution = dist.resolve(&name, range, resolver.values, resolver.report)?;
        if let Distribution::Empirical(values) = &distribution {
            self.samples.push(Series { name, unit: Q::UNIT.to_owned(), values: values.clone() });
        }
        Some(distribution)
    }

    /// A distribution whose bounds, as far as it has any, can be reckoned with.
    fn draw_within<Q: Quantity>(
        &mut self,
        field: &str,
        dist: &Dist<Q>,
        range: Range,
        physical: &Physical,
    ) -> Option<Distribution> {
        let distribution = self.draw(field, dist, range)?;
        let name = format!("{}.{field}", self.path);
        for bound in middle_of(&distribution) {
            self.resolver.report.within(physical, &name, bound, dist.place)?;
        }
        Some(distribution)
    }

    fn draw_or<Q: Quantity>(
        &mut self,
        field: &str,
        dist: &Try<Option<Dist<Q>>>,
        range: Range,
        default: f64,
    ) -> Option<Distribution> {
        dist.get()?
            .as_ref()
            .map_or(Some(Distribution::Fixed(default)), |dist| self.draw(field, dist, range))
    }

    fn battery(&mut self, file: &BatteryFile) -> Option<Battery> {
        let rules = self.resolver.values.rules();
        let report = &mut *self.resolver.report;
        let mut fine = true;
        for (name, share) in [
            ("charge_efficiency", &file.charge_efficiency),
            ("discharge_efficiency", &file.discharge_efficiency),
        ] {
            if share.get() > 0.0 {
                report.within(&physical::EFFICIENCY, name, share.get(), share.place);
            } else {
                report.add(
                    share.place,
                    format!("`{name}` must be above 0"),
                    "no energy would pass",
                );
                fine = false;
            }
        }
        if file.soc_min.value >= file.soc_max.value {
            let (min, max) = (file.soc_min.get(), file.soc_max.get());
            let place = if file.soc_min.place == Place::NOWHERE {
                file.soc_max.place
            } else {
                file.soc_min.place
            };
            report.add(
                place,
                format!("`soc_min` {min} is not below `soc_max` {max}"),
                "no room between them",
            );
            fine = false;
        }
        let degradation =
            file.degradation.as_ref().map_or(Some(0.0), |price| self.resolver.price(price));
        if let Some(price) = file.degradation.as_ref().filter(|price| price.per_kwh < 0.0) {
            self.resolver.report.add(price.place, "wear cannot earn money", "negative price");
            fine = false;
        }
        fine.then_some(Battery {
            soc_min: file.soc_min.value,
            soc_max: file.soc_max.value,
            charge_efficiency: reckoned_efficiency(file.charge_efficiency.value, rules),
            discharge_efficiency: reckoned_efficiency(file.discharge_efficiency.value, rules),
            degradation_per_kwh: degradation?,
        })
    }

    /// Capacity, which only recorded sessions may do without.
    fn capacity(&mut self, file: &BatteryFile, stays: Option<&StaysFile>) -> Option<Distribution> {
        if let Some(capacity) = &file.capacity {
            return self.draw_within(
                "battery.capacity",
                capacity,
                CAPACITY,
                &physical::CAR_CAPACITY,
            );
        }
        if !matches!(stays, Some(StaysFile::Sessions(_))) {
            let path = format!("{}.battery", self.path);
            missing(file.place, &path, &[("capacity", "\"60 kWh\"")], self.resolver.report);
            return None;
        }
        Some(Distribution::Fixed(UNTOLD_CAPACITY_KWH))
    }

    fn charger(&mut self, file: &ChargerFile) -> Option<Charger> {
        let report = &mut *self.resolver.report;
        let charge = report.power_within(&physical::CHARGER_POWER, "charge_max", &file.charge_max);
        let mut optional = |power: Option<&Spanned<Kilowatts>>, field, default| match power {
            Some(power) => report.power_within(&physical::CHARGER_POWER, field, power),
            None => Some(Kilowatts(default)),
        };
        let discharge = optional(file.discharge_max.as_ref(), "discharge_max", 0.0);
        let connection = optional(file.connection.as_ref(), "connection", f64::INFINITY);
        let site = match &file.site {
            Some(name) if self.boundary == Some(Boundary::Fold) => {
                let message =
                    format!("`{}`: a day that follows upon itself has no sites", self.path);
                let help = "a site's limit may cut what was planned, and then the day does not end \
                            as it began; remove `site`, or use `boundary: Open`";
                self.resolver.report.add_help(name.place, message, "behind a limit", help);
                return None;
            }
            Some(name) => {
                // A site that is wrong itself is still declared.
                let sites = self.resolver.file.sites.get()?;
                site::site_index(sites, name, self.resolver.report)?;
                self.sites.get(name.as_str()).copied()
            }
            None => None,
        };
        let cap = |power: Kilowatts, connection: Kilowatts| Kilowatts(power.0.min(connection.0));
        let connection = connection?;
        Some(Charger {
            charge_max: cap(charge?, connection),
            discharge_max: cap(discharge?, connection),
            site,
        })
    }

    /// `capacity_known` says whether the world tells how large the batteries are.
    fn parking(
        &mut self,
        key: &Key,
        stays: &StaysFile,
        charger: Option<Charger>,
        capacity_known: bool,
    ) -> Option<Parking> {
        match stays {
            StaysFile::Overnight(file) => self.overnight(file, charger),
            StaysFile::Workplace(file) => self.workplace(file, charger),
            StaysFile::Commute(file) => self.commute(file, charger),
            StaysFile::Sessions(file) => self.sessions(key, file, charger, capacity_known),
            StaysFile::Listed(file) => self.listed(file, charger),
        }
    }

    fn overnight(&mut self, file: &OvernightFile, charger: Option<Charger>) -> Option<Parking> {
        let trip_time = self.trip_time(file.trip_time_min.as_ref());
        let place = self.place("stays", &file.arrive, &file.leave, charger);
        Some(Parking::Overnight(ParkingPlace { trip_time_min: trip_time?, ..place? }))
    }

    fn workplace(&mut self, file: &WorkplaceFile, charger: Option<Charger>) -> Option<Parking> {
        self.check_day(&file.arrive, &file.leave);
        let place = self.place("stays", &file.arrive, &file.leave, charger)?;
        Some(Parking::Workplace(place, file.days))
    }

    fn commute(&mut self, file: &CommuteFile, charger: Option<Charger>) -> Option<Parking> {
        let trip_time = self.trip_time(file.trip_time_min.as_ref());
        let work_charger =
            file.work.charger.as_ref().map_or(charger, |charger| self.charger(charger));
        self.check_day(&file.work.arrive, &file.work.leave);
        let home = self.place("stays.home", &file.home.arrive, &file.home.leave, charger);
        let work = self.place("stays.work", &file.work.arrive, &file.work.leave, work_charger);
        let trip_time_min = trip_time?;
        Some(Parking::Commute {
            home: ParkingPlace { trip_time_min, ..home? },
            work: ParkingPlace { trip_time_min, ..work? },
            days: file.days,
        })
    }

    fn sessions(
        &mut self,
        key: &Key,
        file: &SessionsFile,
        charger: Option<Charger>,
        capacity_known: bool,
    ) -> Option<Parking> {
        if self.boundary == Some(Boundary::Fold) {
            let message = format!("`{}.stays`: recorded sessions belong to their dates", self.path);
            let help = "use `boundary: Open`";
            self.resolver.report.add_help(file.place, message, "in a typical day", help);
            return None;
        }
        let resolver = &mut *self.resolver;
        let found = resolver.values.sessions(&key.name, file, self.clock, resolver.report)?;
        Some(Parking::Sessions {
            sessions: found.sessions.into(),
            stations: found.stations.into(),
            charger: charger?,
            capacity_known,
        })
    }

    fn place(
        &mut self,
        name: &str,
        arrive: &Dist<TimeOfDay>,
        leave: &Dist<TimeOfDay>,
        charger: Option<Charger>,
    ) -> Option<ParkingPlace> {
        let arrive = self.draw(&format!("{name}.arrive"), arrive, around(arrive));
        let leave = self.draw(&format!("{name}.leave"), leave, around(leave));
        Some(ParkingPlace {
            arrive: arrive?,
            leave: leave?,
            trip_time_min: TRIP_TIME_MIN,
            charger: charger?,
        })
    }

    /// A day's work ends after it begins.
    fn check_day(&mut self, arrive: &Dist<TimeOfDay>, leave: &Dist<TimeOfDay>) {
        if let (Some(begins), Some(ends)) = (arrive.middle(), leave.middle())
            && ends <= begins
        {
            let message = format!("`{}.stays`: the cars leave work before they arrive", self.path);
            let help =
                "stays at work end on the day they begin; `Overnight` is for stays across midnight";
            self.resolver.report.add_help(leave.place, message, "not after the arrival", help);
        }
    }

    fn trip_time(&mut self, time: Option<&Spanned<Hours>>) -> Option<f64> {
        let Some(time) = time else { return Some(TRIP_TIME_MIN) };
        if (0.0..=24.0).contains(&time.0) {
            return Some(time.0);
        }
        self.resolver.report.add(
            time.place,
            "`trip_time_min` must lie between 0 h and 24 h",
            "out of range",
        );
        None
    }
}

/// Where the values of a distribution lie: its bounds, and of a normal one what is inside of them
/// within three standard deviations, by which nearly all of its values are drawn.
fn middle_of(distribution: &Distribution) -> [f64; 2] {
    match distribution {
        Distribution::Normal { mean, sd, min, max } => {
            [min.max(mean - 3.0 * sd), max.min(mean + 3.0 * sd)]
        }
        Distribution::Fixed(_) | Distribution::Uniform { .. } | Distribution::Empirical(_) => {
            distribution.bounds().into()
        }
    }
}

/// Whether an optional field is not in the file.
fn is_left_out<T>(field: &Try<Option<T>>) -> bool {
    field.get().is_some_and(Option::is_none)
}

/// The value of an optional field.
fn given<T>(field: &Try<Option<T>>) -> Option<&T> {
    field.get().and_then(Option::as_ref)
}

/// Half a day around the middle of a time of day.
fn around(dist: &Dist<TimeOfDay>) -> Range {
    // Further away, a time lies nearer to the middle of another day.
    let (min, max) = dist.middle().map_or((0.0, 24.0), |middle| (middle - 12.0, middle + 12.0));
    Range { min, max, above_min: false, what: "a time of the day" }
}
