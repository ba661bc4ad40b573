//! The shapes of a world file: what may be written where, and what it means.
//!
//! The documentation here is the field reference `worlds/README.md`.

use crate::{
    data_file::{CalendarFile, ListedFile, SessionsFile},
    dialect::WorldText,
    distribution::Dist,
    grid_file::{ForecastFile, GridFile},
    over_time::{OverTime, SeriesFile},
    values::{Config, Count},
};
use ron_places::{Named, Place, Spanned, Try, choice, shape};
use voltide_model::{
    clock::Boundary,
    fleet::WorkDays,
    quantity::{Hours, KilowattHours, Kilowatts, Price, Share, TimeOfDay},
    scenario::Planning,
    willingness::Participation,
};

/// Longest run, in days: instants are 32-bit seconds. Those of 20,000 days leave years for stays
/// that reach over the end.
pub(crate) const DAYS_MAX: u32 = 20_000;

shape! {
    /// Everything one run is made of.
    pub(crate) struct WorldFile "world" for WorldText at place {
        /// Name of the world; letters, digits, `-` and `_`.
        name: Try<Spanned<String>> => r#""my-world""#,
        /// Seed of every draw. The same world with the same seed has the same cars and the same
        /// trips.
        seed: Try<Spanned<u64>> = no_seed().into() => "0",
        /// When the world runs, and in what steps.
        clock: Try<ClockFile> => r#"(start: "2024-06-03T00:00", time_zone: "Europe/Berlin", step: "15 min", days: 7)"#,
        /// ISO 4217 code of all money; prices in any other currency are refused.
        currency: Try<Spanned<String>> => r#""EUR""#,
        /// What drivers pay for a kWh.
        tariff: Try<OverTime<Price>> => r#""0.30 EUR/kWh""#,
        /// What drivers are paid for a kWh they feed in.
        feed_in: Try<Option<Spanned<OverTime<Price>>>> = None.into() => "as `tariff`",
        /// Further tariffs, for fleets that name one.
        tariffs: Try<Named<Try<NamedTariffFile>>> = Named::default().into() => "none",
        /// The cars, by fleet.
        fleets: Try<Named<Try<FleetFile>>> => r#"{"commuters": (count: 100, ...)}"#,
        /// Connections whose limit chargers share.
        sites: Try<Named<Try<SiteFile>>> = Named::default().into() => "none",
        /// Load, wind and sun around the cars.
        system: Try<Option<SystemFile>> = None.into() => "none",
        /// Further series of power by name, for policies that go by one.
        series: Try<Named<SeriesFile>> = Named::default().into() => "none",
        /// Prices that follow net load, for policies that pay them. It needs a `base_load` in
        /// `system`.
        incentive: Try<Option<IncentiveFile>> = None.into() => "none: drivers pay their tariff",
        /// Units that are scheduled. Without them import or export closes the balance.
        grid: Try<Option<GridFile>> = None.into() => "none",
        /// When stays are planned first.
        planning: Try<Spanned<Planning>> = at_plug_in().into() => "`AtPlugIn`",
        /// What comes before the first day and after the last.
        boundary: Try<Spanned<Boundary>> = open().into() => "`Open`",
        /// The policy that plans, by name or by path of its plugin.
        policy: Try<Spanned<String>> = uncontrolled().into() => "\"uncontrolled\"",
        /// Each policy's own config, by the policy's name. A policy without one gets none.
        policies: Try<Named<Config>> = Named::default().into() => "none",
        /// The policy that stands in for a call that failed. `None` stops the run instead.
        fallback: Try<Option<Spanned<String>>> = Some(uncontrolled()).into() => "\"uncontrolled\"",
        /// CSV or Parquet file of figures that others have published about this world, which
        /// `compare` sets beside its own. Columns: `case` (1 without flexibility margins, 2 with
        /// them, empty for both), `row`, `policy`, `amount` (empty for a note), `note`.
        published: Try<Option<Spanned<String>>> = None.into() => "none",
        /// How much is recorded.
        telemetry: Try<TelemetryFile> = TelemetryFile { ev_ticks: None }.into() => "(see below)",
        /// How the run is carried out.
        run: Try<RunFile> = RunFile { durability: None }.into() => "(see below)",
    }
}

choice! {
    /// When stays are planned first. A policy may ask to plan again later.
    use Planning as "planning" for WorldText {
        /// When the car plugs in, on what is known then.
        AtPlugIn,
        /// Before the local day in which the stay begins, car by car, from the energy that is
        /// expected on arrival.
        AtDayStart,
    }
}

choice! {
    /// What comes before the first day and after the last.
    use Boundary as "boundary" for WorldText {
        /// Other days. Stays may reach over both ends.
        Open,
        /// The same day again: a typical day of 24 hours that begins at midnight and follows upon
        /// itself. What a car charges after midnight stands at the day's beginning, and every
        /// evening it comes home with its `soc_on_arrival`. It needs `planning: AtDayStart`.
        Fold,
    }
}

fn at_plug_in() -> Spanned<Planning> {
    Spanned { value: Planning::AtPlugIn, place: Place::NOWHERE }
}

fn open() -> Spanned<Boundary> {
    Spanned { value: Boundary::Open, place: Place::NOWHERE }
}

fn no_seed() -> Spanned<u64> {
    Spanned { value: 0, place: Place::NOWHERE }
}

fn uncontrolled() -> Spanned<String> {
    Spanned { value: "uncontrolled".to_owned(), place: Place::NOWHERE }
}

shape! {
    /// When the world runs, and in what steps.
    pub(crate) struct ClockFile "clock" for WorldText at place {
        /// Wall-clock time in the world's time zone at which the first slot begins.
        start: Spanned<String> => r#""2024-06-03T00:00""#,
        /// IANA name of the time zone of daily patterns, tariff bands and days.
        time_zone: Spanned<String> => r#""Europe/Berlin""#,
        /// Length of a slot: 1, 5, 10, 15, 30 or 60 min, or another that divides an hour. Edges of
        /// tariff bands must fall between slots.
        step: Spanned<Hours> => r#""15 min""#,
        /// Number of local days, those of 23 and 25 hours included.
        days: Spanned<Count<DAYS_MAX>> => "7",
    }
}

shape! {
    /// A tariff besides the world's own.
    pub(crate) struct NamedTariffFile "named tariff" for WorldText {
        /// What drivers pay for a kWh.
        buy: OverTime<Price> => r#""0.30 EUR/kWh""#,
        /// What drivers are paid for a kWh they feed in.
        sell: Option<Spanned<OverTime<Price>>> = None => "as `buy`",
    }
}

shape! {
    /// A population of like cars.
    pub(crate) struct FleetFile "fleet" for WorldText at place {
        /// Number of cars. Left out with recorded sessions, each of which is a car.
        count: Try<Option<Spanned<Count>>> = None.into() => "required with daily patterns",
        /// What the batteries are like.
        battery: Try<BatteryFile> => r#"(capacity: "60 kWh")"#,
        /// The charger that every car has where it parks.
        charger: Try<ChargerFile> => r#"(charge_max: "7 kW")"#,
        /// Where and when the cars are parked.
        stays: Try<StaysFile> => r#"Overnight(arrive: "17:30", leave: "07:00")"#,
        /// Energy taken from the battery between two stays. Left out with recorded sessions.
        trip_energy: Try<Option<Dist<KilowattHours>>> = None.into() => "required with daily patterns",
        /// State of charge when a car's first stay begins; later ones follow from the trips. Left
        /// out with recorded sessions, whose request is what is missing on arrival.
        soc_on_arrival: Try<Option<Dist<Share>>> = None.into() => "required with daily patterns",
        /// State of charge wanted at every departure, one draw a car. With recorded sessions, the
        /// state of charge that a car has once its request is met.
        departure_soc: Try<Option<Dist<Share>>> = None.into() => "`soc_max`",
        /// Name of one of `tariffs`.
        tariff: Try<Option<Spanned<String>>> = None.into() => "the world's `tariff`",
        /// How drivers decide whether their car may discharge. It needs the world's `incentive`.
        willingness: Try<Option<WillingnessFile>> = None.into() => "none: drivers are not asked, and their cars may discharge",
        /// States of charge that should not be fallen below at given times. Policies see them.
        soc_minima: Try<Option<Vec<SocWishFile>>> = None.into() => "none",
        /// States of charge that should not be exceeded at given times, such as a range that spares
        /// the battery. Reservations lift them.
        soc_maxima: Try<Option<Vec<SocWishFile>>> = None.into() => "none",
        /// When cars are reserved, and the state of charge wanted then. Before a reservation the
        /// maxima are lifted from the last time at which a car at its maximum still reaches it with
        /// full power, until the car leaves.
        reservations: Try<Option<Vec<ReservationFile>>> = None.into() => "none",
        /// Further reservations from a file.
        calendar: Try<Option<CalendarFile>> = None.into() => "none",
        /// By how much the maxima are lifted sooner than reservations need, to use good prices.
        reservation_window: Try<Option<Spanned<Hours>>> = None.into() => "\"0 h\"",
    }
}

shape! {
    /// A state of charge between two times, both included.
    pub(crate) struct SocWishFile "soc bound" for WorldText {
        /// The state of charge.
        soc: Spanned<Share> => "0.85",
        /// Wall-clock time in the world's zone.
        from: Option<Spanned<String>> = None => "from the beginning",
        /// Wall-clock time in the world's zone.
        to: Option<Spanned<String>> = None => "to the end",
        /// Number of the car in its fleet, from 0.
        car: Option<Spanned<u32>> = None => "every car",
    }
}

shape! {
    /// A time for which a car is reserved.
    pub(crate) struct ReservationFile "reservation" for WorldText {
        /// Wall-clock time in the world's zone at which the state of charge is wanted.
        from: Spanned<String> => r#""2024-02-05T08:00""#,
        /// Until when it is held; both ends are included.
        to: Spanned<String> => r#""2024-02-05T08:15""#,
        /// The state of charge.
        soc: Spanned<Share> => "0.95",
        /// Number of the car in its fleet, from 0.
        car: Option<Spanned<u32>> = None => "every car",
    }
}

shape! {
    /// What the batteries of a fleet have in common.
    pub(crate) struct BatteryFile "battery" for WorldText at place {
        /// Energy stored when full; one draw a car, above 0. Only recorded sessions may leave it
        /// out, and then no request is more than the battery takes.
        capacity: Option<Dist<KilowattHours>> = None => "with `Sessions` 60 kWh, or what the request needs",
        /// Lowest state of charge that discharging may reach; of a car that arrives with less, what
        /// it arrives with.
        soc_min: Spanned<Share> = share(Share::ZERO) => "0",
        /// Highest state of charge that charging may reach; of a car that arrives with more, what
        /// it arrives with.
        soc_max: Spanned<Share> = share(Share::ONE) => "1",
        /// State of charge that giving energy to the grid must leave, from `soc_min` to `soc_max`;
        /// to a car that arrives with less, what it arrives with.
        soc_min_v2g: Option<Spanned<Share>> = None => "`soc_min`",
        /// Energy stored per energy taken from the grid; above 0. Less than 1e-9 counts as 1e-9.
        charge_efficiency: Spanned<Share> = share(Share::ONE) => "1",
        /// Energy given to the grid per energy taken from the battery; above 0. Less than 1e-9
        /// counts as 1e-9.
        discharge_efficiency: Spanned<Share> = share(Share::ONE) => "1",
        /// Price of wear per kWh given to the grid.
        degradation: Option<Spanned<Price>> = None => "0",
    }
}

fn share(value: Share) -> Spanned<Share> {
    Spanned { value, place: Place::NOWHERE }
}

shape! {
    /// How the drivers of a fleet decide whether their car may discharge. In every hour each of
    /// them draws a willingness from the normal distribution whose mean lies midway between two
    /// curves of the incentive ratio, and whose deviation is a sixth of the distance between them.
    pub(crate) struct WillingnessFile "willingness" for WorldText at place {
        /// The upper curve; it may not lie below the other at any ratio from 0 to 3.
        optimistic: LogisticFile => "(a: 1, b: 8, c: 0.65)",
        /// The lower curve.
        pessimistic: LogisticFile => "(a: 3, b: 6, c: 0.145)",
        /// When a driver of some willingness agrees.
        participation: Participation = middle() => "`Threshold(0.5)`",
    }
}

shape! {
    /// Willingness at the incentive ratio ε: c/(1 + a·exp(-b·(ε - 1))).
    pub(crate) struct LogisticFile "curve" for WorldText {
        /// How reluctant drivers are at the price that they expect; above 0.
        a: Spanned<f64> => "1",
        /// How steeply willingness rises with the ratio; at least 0.
        b: Spanned<f64> => "8",
        /// What it rises to, from 0 to 1.
        c: Spanned<f64> => "0.65",
    }
}

choice! {
    /// When a driver of some willingness agrees.
    use Participation as "participation" for WorldText {
        /// When willingness is above this share.
        Threshold(Share),
        /// With willingness as the probability.
        Bernoulli,
    }
}

/// Those agree who are more willing than not.
fn middle() -> Participation {
    Participation::Threshold(Share::new(0.5).expect("a half is a share"))
}

shape! {
    /// The equipment that feeds one car.
    pub(crate) struct ChargerFile "charger" for WorldText {
        /// Most power that it charges with, on the grid side.
        charge_max: Spanned<Kilowatts> => r#""7 kW""#,
        /// Most power that it discharges with, on the grid side.
        discharge_max: Option<Spanned<Kilowatts>> = None => "\"0 kW\"",
        /// Power of its own connection, which caps both.
        connection: Option<Spanned<Kilowatts>> = None => "no cap",
        /// Name of the site behind whose limit it stands.
        site: Option<Spanned<String>> = None => "none",
    }
}

choice! {
    /// Where and when cars are parked: a daily pattern, or sessions that really took place.
    pub(crate) enum StaysFile "stays" for WorldText {
        /// At home from the evening to the next morning, every day.
        Overnight {OvernightFile},
        /// At work during the day.
        Workplace {WorkplaceFile},
        /// At home overnight, and at work on work days.
        Commute {Box<CommuteFile>},
        /// Recorded sessions from a CSV or Parquet file, one car each.
        Sessions {SessionsFile},
        /// The typical day of commuters from a CSV or Parquet file, one car a row.
        Listed {ListedFile},
    }
}

shape! {
    /// At home from the evening to the next morning.
    pub(crate) struct OvernightFile "overnight" for WorldText {
        /// Time of arrival in the evening.
        arrive: Dist<TimeOfDay> => r#"Normal(mean: "17:30", sd: "30 min")"#,
        /// Time of departure in the morning.
        leave: Dist<TimeOfDay> => r#"Normal(mean: "07:00", sd: "30 min")"#,
        /// Least time between leaving in the morning and coming back.
        trip_time_min: Option<Spanned<Hours>> = None => "\"15 min\"",
    }
}

shape! {
    /// At work during the day.
    pub(crate) struct WorkplaceFile "workplace" for WorldText {
        /// Time of arrival in the morning.
        arrive: Dist<TimeOfDay> => r#"Normal(mean: "08:00", sd: "30 min")"#,
        /// Time of departure on the same day.
        leave: Dist<TimeOfDay> => r#"Normal(mean: "16:30", sd: "30 min")"#,
        /// Days on which the cars come.
        days: WorkDays = WorkDays::Daily => "Daily",
    }
}

shape! {
    /// At home overnight, and at work on work days.
    pub(crate) struct CommuteFile "commute" for WorldText {
        /// Home: arrival in the evening, departure in the morning.
        home: HomeFile => r#"(arrive: "17:30", leave: "07:00")"#,
        /// Work: arrival in the morning, departure in the evening.
        work: WorkFile => r#"(arrive: "08:00", leave: "16:30")"#,
        /// Least time between leaving one place and arriving at the other.
        trip_time_min: Option<Spanned<Hours>> = None => "\"15 min\"",
        /// Days on which the cars go to work.
        days: WorkDays = WorkDays::Daily => "Daily",
    }
}

shape! {
    /// The home of a commuter; its charger is the fleet's.
    pub(crate) struct HomeFile "home" for WorldText {
        /// Time of arrival in the evening.
        arrive: Dist<TimeOfDay> => r#"Normal(mean: "17:30", sd: "30 min")"#,
        /// Time of departure in the morning.
        leave: Dist<TimeOfDay> => r#"Normal(mean: "07:00", sd: "30 min")"#,
    }
}

shape! {
    /// The workplace of a commuter.
    pub(crate) struct WorkFile "work" for WorldText {
        /// Time of arrival in the morning.
        arrive: Dist<TimeOfDay> => r#"Normal(mean: "08:00", sd: "30 min")"#,
        /// Time of departure in the evening.
        leave: Dist<TimeOfDay> => r#"Normal(mean: "16:30", sd: "30 min")"#,
        /// The charger at work.
        charger: Option<ChargerFile> = None => "like the fleet's",
    }
}

choice! {
    /// Days of the week.
    use WorkDays as "days" for WorldText {
        /// Every day.
        Daily,
        /// Monday to Friday.
        Weekdays,
    }
}

shape! {
    /// Chargers behind one connection with a limit. What they ask for beyond it is clipped in
    /// proportion.
    pub(crate) struct SiteFile "site" for WorldText {
        /// Most power that its chargers may draw together.
        import_limit: Spanned<Kilowatts> => r#""50 kW""#,
        /// Most power that they may feed in together.
        export_limit: Option<Spanned<Kilowatts>> = None => "as `import_limit`",
        /// Name of the site that this one is connected through.
        parent: Option<Spanned<String>> = None => "none",
    }
}

shape! {
    /// Load, wind and sun around the cars.
    pub(crate) struct SystemFile "system" for WorldText {
        /// Load without cars.
        base_load: Try<Option<OverTime<Kilowatts>>> = None.into() => "none",
        /// Wind power available.
        wind: Try<Option<OverTime<Kilowatts>>> = None.into() => "none",
        /// Photovoltaic power available.
        pv: Try<Option<OverTime<Kilowatts>>> = None.into() => "none",
        /// What is known of them beforehand, in a world without a `grid`: with one, its stages,
        /// policies and incentive prices share the forecasts that stand there.
        forecasts: Option<SystemForecastsFile> = None => "all is known",
    }
}

shape! {
    /// What policies and incentive prices know of load, wind and sun beforehand. A policy sees what
    /// is known in the slot in which it plans, which is known itself, and so is the next. Incentive
    /// prices go by what is known when a local day begins, for two days, and a car pays those that
    /// it was planned at.
    pub(crate) struct SystemForecastsFile "forecasts" for WorldText at place {
        /// What is known of `base_load`.
        base_load: ForecastFile = ForecastFile::Perfect => "`Perfect`",
        /// What is known of `wind`.
        wind: ForecastFile = ForecastFile::Perfect => "`Perfect`",
        /// What is known of `pv`.
        pv: ForecastFile = ForecastFile::Perfect => "`Perfect`",
        /// Over how much time a forecast series takes over from what is known, in whole slots; by
        /// default at least one.
        blend: Option<Spanned<Hours>> = None => "\"4 h\"",
    }
}

shape! {
    /// Prices that follow net load, which is base load less the wind and sun that are available: a
    /// tariff's price times 1 + rho·(net load - mean)/mean, with the mean of the local day, which
    /// must be above 0. Both prices of a tariff follow it, each by itself: what drivers pay for a
    /// kWh, and what they are paid for one they feed in. What drivers make of them is each fleet's
    /// `willingness`.
    pub(crate) struct IncentiveFile "incentive" for WorldText at place {
        /// How far prices follow net load; 0 leaves them as they are.
        rho: Spanned<f64> => "0.6",
        /// Lowest incentive price, of either. A floor of 0 hides negative prices of the tariff,
        /// too.
        floor: Option<Spanned<Price>> = None => "none",
        /// Whether prices know of the cars planned so far.
        price_feedback: PriceFeedbackFile = PriceFeedbackFile::None => "`None`",
        /// The price that drivers compare with. The incentive ratio is the incentive price of a kWh
        /// bought over it.
        expected_price: ExpectedPriceFile = ExpectedPriceFile::tariff() => "`Proportional(1)`",
    }
}

choice! {
    /// Whether prices know of the cars planned so far.
    pub(crate) enum PriceFeedbackFile "price feedback" for WorldText {
        /// They do not: all cars see the same prices.
        None,
        /// Prices are formed anew after every so many cars, with the load of those planned so far:
        /// `Batch(5)`.
        Batch(Spanned<Count>),
    }
}

choice! {
    /// The price that drivers compare with.
    pub(crate) enum ExpectedPriceFile "expected price" for WorldText {
        /// So many times the tariff's price: `Proportional(1)`.
        Proportional(Spanned<f64>),
        /// The same price at all times: `Fixed("0.60 EUR/kWh")`.
        Fixed(Spanned<Price>),
    }
}

impl ExpectedPriceFile {
    fn tariff() -> Self {
        Self::Proportional(Spanned { value: 1.0, place: Place::NOWHERE })
    }
}

shape! {
    /// How much is recorded.
    pub(crate) struct TelemetryFile "telemetry" for WorldText {
        /// Rows per car and slot.
        ev_ticks: Option<EvTicksFile> = None => "`Full` up to 10,000 cars, `Changes` above",
    }
}

choice! {
    /// Rows per car and slot.
    pub(crate) enum EvTicksFile "ev_ticks" for WorldText {
        /// None.
        Off,
        /// All rows of this share of the cars: `Sample(0.01)`.
        Sample(Spanned<Share>),
        /// A row when a car's power (drawn, asked for or planned) changes, or it plugs in or out.
        Changes,
        /// A row for every car and slot.
        Full,
    }
}

shape! {
    /// How the run is carried out.
    pub(crate) struct RunFile "run" for WorldText {
        /// When the journal reaches the disk for certain.
        durability: Option<DurabilityFile> = None => "`Paced`",
    }
}

choice! {
    /// When the journal reaches the disk for certain.
    pub(crate) enum DurabilityFile "durability" for WorldText {
        /// After 16 slots or a second, whichever comes first, but syncs never take more than a
        /// twentieth of the run's time: a power cut costs 16 slots, or what was simulated in the
        /// last second or in the time of 20 syncs.
        Paced,
        /// After every slot.
        Tick,
        /// After so many slots: `Every(16)`.
        Every(Spanned<Count>),
        /// When the run ends.
        Close,
    }
}
