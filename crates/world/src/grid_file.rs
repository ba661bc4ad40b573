//! The shapes of a world file's `grid`: units, and how they are scheduled.
//!
//! The documentation here is part of the field reference `worlds/README.md`.

use crate::{
    dialect::WorldText,
    over_time::{OverTime, SeriesFile},
    values::Count,
};
use ron_places::{Named, Place, Spanned, choice, shape};
use voltide_model::{
    flexibility::{CutUp, FlexStorage, LastStep, Readings, VreDown},
    quantity::{Hours, KilowattHours, Kilowatts, KilowattsPerHour, Price, Share},
};

/// Most straight pieces that stand for a quadratic cost: with more, scheduling takes long and a
/// piece is no wider than what schedules are exact to.
const SEGMENTS_MAX: u32 = 100;
/// Most nodes that a search for a commitment visits.
const NODES_MAX: u32 = 10_000_000;

fn given<T>(value: T) -> Spanned<T> {
    Spanned { value, place: Place::NOWHERE }
}

shape! {
    /// Units that generate, store and shed, scheduled day-ahead and intra-day so that load and cars
    /// are served at least cost. What cannot be done has a price, so that there always is a
    /// schedule. Names of units differ from each other, whatever their kind.
    pub(crate) struct GridFile "grid" for WorldText at place {
        /// Wind farms.
        wind: Named<RenewableFile> = Named::default() => "none",
        /// Photovoltaic plants.
        pv: Named<RenewableFile> = Named::default() => "none",
        /// Output that nobody steers, such as run-of-river and biomass.
        must_take: Named<MustTakeFile> = Named::default() => "none",
        /// Units that burn fuel.
        thermal: Named<ThermalFile> = Named::default() => "none",
        /// Pumped hydro plants.
        pumped_hydro: Named<StoreFile> = Named::default() => "none",
        /// Stationary batteries; `ess` in tables and summaries.
        batteries: Named<StoreFile> = Named::default() => "none",
        /// Loads that may be shed at a price.
        interruptible: Named<InterruptibleFile> = Named::default() => "none",
        /// Connections to the world outside. They are scheduled, and supply no flexibility.
        exchanges: Named<ExchangeFile> = Named::default() => "none",
        /// Loads that make hydrogen, each with a tank.
        electrolysers: Named<ElectrolyserFile> = Named::default() => "none",
        /// Whether supply of flexibility must cover its demand in every slot, up and down; what is
        /// missing has a price. `false` leaves both to chance, and reports them.
        margins: bool = true => "true",
        /// How equations of flexibility that can be read in two ways are read.
        readings: Readings = Readings::default() => "the physical readings",
        /// Steps, windows and limits of the two stages.
        stages: StagesFile = StagesFile::usual() => "(see below)",
        /// Prices of what should not happen.
        slack: SlackFile = SlackFile::usual() => "(see below)",
        /// What is known of `system.base_load` beforehand.
        base_load_forecast: ForecastFile = ForecastFile::Perfect => "`Perfect`",
        /// Which load of cars the day-ahead stage is shown.
        day_ahead_ev: DayAheadEvFile = DayAheadEvFile::ByPolicy => "`ByPolicy`",
        /// What is known of that load when the day begins.
        day_ahead_ev_forecast: EvForecastFile = EvForecastFile::Known => "`Known`",
    }
}

shape! {
    /// A wind farm or a photovoltaic plant; it can be curtailed.
    pub(crate) struct RenewableFile "renewable" for WorldText {
        /// What it could give. Left out, it is what `system` has of its kind, all of it.
        available: Option<OverTime<Kilowatts>> = None => "`system.wind` or `system.pv`",
        /// What is known of that beforehand.
        forecast: ForecastFile = ForecastFile::Perfect => "`Perfect`",
        /// Price of a kWh delivered.
        cost: Option<Spanned<Price>> = None => "0",
        /// Price of a kWh curtailed.
        waste_price: Option<Spanned<Price>> = None => "0",
    }
}

choice! {
    /// What is known of a series beforehand, by the stages of a `grid`, by policies and by incentive
    /// prices. The slots that an intra-day window commits, and the one after them, are always known.
    /// Policies see what a window would that begins in the slot in which they plan.
    pub(crate) enum ForecastFile "forecast" for WorldText {
        /// Everything.
        Perfect,
        /// Another series: day-ahead as it is; intra-day the actual one fades into it over
        /// `stages.blend`, or the `blend` of `system.forecasts`.
        Series {Box<SeriesFile>},
        /// The actual series with an error that grows with lead time.
        Ar1 {Ar1File},
    }
}

shape! {
    /// An error that follows itself from slot to slot: `x(e) = phi·x(e-1) + sqrt(1 - phi²)·z(e)`,
    /// times `sd` and the actual value. Later forecasts of a slot revise earlier ones.
    pub(crate) struct Ar1File "error" for WorldText {
        /// How much of a slot's error the next one keeps; from 0 to below 1.
        phi: Spanned<f64> => "0.8",
        /// What the error grows to, as a share of the actual value; at least 0.
        sd: Spanned<f64> => "0.2",
    }
}

shape! {
    /// Output that nobody steers.
    pub(crate) struct MustTakeFile "must-take unit" for WorldText {
        /// What it gives.
        output: OverTime<Kilowatts> => r#"(path: "data/series.csv", column: "hydro_mw", unit: "MW")"#,
        /// Price of a kWh.
        cost: Option<Spanned<Price>> = None => "0",
    }
}

shape! {
    /// A unit that burns fuel; on throughout, unless it has a `commitment`.
    pub(crate) struct ThermalFile "thermal unit" for WorldText {
        /// Least output while it is on.
        power_min: Spanned<Kilowatts> = given(Kilowatts(0.0)) => "\"0 kW\"",
        /// Most output.
        power_max: Spanned<Kilowatts> => r#""400 MW""#,
        /// How fast output may rise and fall.
        ramp: Spanned<KilowattsPerHour> => r#""200 MW/h""#,
        /// What generating costs.
        cost: ThermalCostFile => r#"(b: "40 EUR/MWh")"#,
        /// Whether and how it may be switched off.
        commitment: Option<CommitmentFile> = None => "none: always on",
        /// Output before the first slot.
        initial_power: Option<Spanned<Kilowatts>> = None => "none: the first output is free",
        /// How far intra-day output may leave the day-ahead one without paying `slack.deviation`.
        deviation_max: Option<Spanned<Kilowatts>> = None => "as far as it likes",
    }
}

shape! {
    /// Cost of an hour at output P: `a·P² + b·P + c`, in the world's currency with P in kW.
    pub(crate) struct ThermalCostFile "thermal cost" for WorldText {
        /// Per kW² and hour.
        a: Spanned<f64> = given(0.0) => "0",
        /// Per kWh.
        b: Spanned<Price> => r#""40 EUR/MWh""#,
        /// Per hour while it is on.
        c: Spanned<f64> = given(0.0) => "0",
    }
}

shape! {
    /// How a thermal unit may be switched on and off. It is decided day-ahead.
    pub(crate) struct CommitmentFile "commitment" for WorldText {
        /// What a start costs, in the world's currency.
        start_cost: Spanned<f64> = given(0.0) => "0",
        /// Once on, on for at least so long.
        up_min: Spanned<Hours> = given(Hours(0.0)) => "\"0 h\"",
        /// Once off, off for at least so long.
        down_min: Spanned<Hours> = given(Hours(0.0)) => "\"0 h\"",
        /// Whether it is on before the first slot.
        initially_on: bool = true => "true",
        /// For how long it has been so.
        initial_time: Spanned<Hours> = given(Hours(24.0)) => "\"1 d\"",
    }
}

shape! {
    /// Pumped hydro or a battery. Power is on the grid side, efficiencies are one-way.
    pub(crate) struct StoreFile "store" for WorldText {
        /// Most it charges with.
        charge_max: Spanned<Kilowatts> => r#""200 MW""#,
        /// Most it discharges with.
        discharge_max: Spanned<Kilowatts> => r#""200 MW""#,
        /// Least it may hold.
        energy_min: Spanned<KilowattHours> = given(KilowattHours(0.0)) => "\"0 kWh\"",
        /// Most it may hold.
        energy_max: Spanned<KilowattHours> => r#""1000 MWh""#,
        /// Stored per energy charged; above 0. Less than 1e-9 counts as 1e-9.
        charge_efficiency: Spanned<Share> = given(Share::ONE) => "1",
        /// Delivered per stored energy discharged; above 0. Less than 1e-9 counts as 1e-9.
        discharge_efficiency: Spanned<Share> = given(Share::ONE) => "1",
        /// Price of a kWh that goes in or comes out.
        throughput_cost: Option<Spanned<Price>> = None => "0",
        /// What it holds before the first slot.
        initial_energy: Spanned<KilowattHours> => r#""500 MWh""#,
        /// Least it holds at the end of each day by the day-ahead schedule. Left out, it is held
        /// only where that schedule stops looking ahead (`stages.day_ahead_window`).
        day_end_energy: Option<Spanned<KilowattHours>> = None => "as `initial_energy`, at the window's end",
    }
}

shape! {
    /// Load that may be shed at a price.
    pub(crate) struct InterruptibleFile "interruptible load" for WorldText {
        /// Most that may be shed.
        power_max: Spanned<Kilowatts> => r#""50 MW""#,
        /// Price of a kWh shed.
        price: Spanned<Price> => r#""3 EUR/kWh""#,
    }
}

shape! {
    /// A connection to the world outside.
    pub(crate) struct ExchangeFile "exchange" for WorldText {
        /// Most that may be imported.
        import_max: Spanned<Kilowatts> => r#""500 MW""#,
        /// Most that may be exported.
        export_max: Spanned<Kilowatts> = given(Kilowatts(0.0)) => "\"0 kW\"",
        /// Price of a kWh imported.
        import_price: OverTime<Price> => r#""60 EUR/MWh""#,
        /// What a kWh exported earns; nowhere above the import price.
        export_price: Option<OverTime<Price>> = None => "as `import_price`",
    }
}

shape! {
    /// Load that makes hydrogen, which is taken from a tank. Power and energy of hydrogen are its
    /// lower heating value: 33.3 kWh a kilogram. It supplies flexibility as a load that is cut, as
    /// far as the tank lasts, or raised, as far as it has room.
    pub(crate) struct ElectrolyserFile "electrolyser" for WorldText {
        /// Least it draws while it runs.
        power_min: Spanned<Kilowatts> = given(Kilowatts(0.0)) => "\"0 kW\"",
        /// Most it draws.
        power_max: Spanned<Kilowatts> => r#""5 MW""#,
        /// Hydrogen made per energy drawn; above 0. Less than 1e-9 counts as 1e-9.
        efficiency: Spanned<Share> => "0.65",
        /// Most that the tank holds.
        tank: Spanned<KilowattHours> => r#""30 MWh""#,
        /// What it holds before the first slot.
        initial_energy: Spanned<KilowattHours> => r#""15 MWh""#,
        /// Least it should hold at the end of each day by the day-ahead schedule; what is missing
        /// costs `slack.terminal`. Left out, it is held only where that schedule stops looking ahead
        /// (`stages.day_ahead_window`).
        day_end_energy: Option<Spanned<KilowattHours>> = None => "as `initial_energy`, at the window's end",
        /// Hydrogen taken from the tank; on average no more than `efficiency` times `power_max`.
        demand: OverTime<Kilowatts> => r#""1.5 MW""#,
        /// Price of a kWh of hydrogen that is bought in place of what is made, where that is cheaper
        /// or the tank lacks it.
        backup_price: Spanned<Price> => r#""0.30 EUR/kWh""#,
    }
}

shape! {
    /// How equations of flexibility that can be read in two ways are read.
    use Readings as "readings" for WorldText {
        /// How much more load can be shed.
        cut_up: CutUp = CutUp::Physical => "`Physical`",
        /// What curtailing gives.
        vre_down: VreDown = VreDown::Physical => "`Physical`",
        /// How far a store's energy reaches.
        flex_storage: FlexStorage = FlexStorage::Reachable => "`Reachable`",
        /// Whether cars count as supply.
        ev_in_supply: bool = false => "false",
        /// What follows the last slot of a day.
        last_step: LastStep = LastStep::NextDay => "`NextDay`",
    }
}

choice! {
    /// How much more load can be shed.
    use CutUp as "cut_up" for WorldText {
        /// All that may be shed, whether it is shed already or not.
        Literal,
        /// What is not shed yet.
        Physical,
    }
}

choice! {
    /// What curtailing wind and sun gives.
    use VreDown as "vre_down" for WorldText {
        /// Down what is curtailed already, up nothing.
        Literal,
        /// Down what is delivered, up what is curtailed.
        Physical,
    }
}

choice! {
    /// How far a store's energy reaches.
    use FlexStorage as "flex_storage" for WorldText {
        /// Energy is compared with the change of power, as if the power now took none of it.
        Printed,
        /// Energy is compared with the power after the change.
        Reachable,
    }
}

choice! {
    /// What follows the last slot of a day.
    use LastStep as "last_step" for WorldText {
        /// The day's first slot: a typical day that follows upon itself.
        Wrap,
        /// The next day's first slot.
        NextDay,
    }
}

shape! {
    /// Steps, windows and limits of the two stages. Lengths are whole numbers of the world's slots,
    /// whose length is the resolution of the intra-day stage.
    pub(crate) struct StagesFile "stages" for WorldText {
        /// Length of a step of the day-ahead schedule.
        day_ahead_step: Spanned<Hours> = given(Hours(1.0)) => "\"1 h\"",
        /// How far the day-ahead schedule looks ahead from the beginning of its local day, which
        /// alone it commits: to the run's end at most, and never less than that day. Where the last
        /// slot of a day wraps to its first (`readings.last_step`), it is that day.
        day_ahead_window: Spanned<Hours> = given(Hours(48.0)) => "\"48 h\"",
        /// How far an intra-day window looks ahead, less where the run ends.
        window: Spanned<Hours> = given(Hours(4.0)) => "\"4 h\"",
        /// How much of a window is committed before the next one.
        step: Option<Spanned<Hours>> = None => "one slot",
        /// Over how much of a window forecasts take over from what is known.
        blend: Spanned<Hours> = given(Hours(4.0)) => "\"4 h\"",
        /// Whether stationary batteries (`ess`) take part in the day-ahead schedule.
        ess_in_day_ahead: bool = true => "true",
        /// Straight pieces that stand for a quadratic cost while scheduling, at most 100; the bill
        /// is quadratic.
        segments: Spanned<Count<SEGMENTS_MAX>> = given(Count(10)) => "10",
        /// How long a search may last: one for a commitment solves a tenth as many programs at most,
        /// one for directions of stores a fortieth; at most 10,000,000.
        nodes: Spanned<Count<NODES_MAX>> = given(Count(20_000)) => "20000",
        /// Relative gap at which that search stops.
        gap: Spanned<f64> = given(1e-4) => "0.0001",
    }
}

impl StagesFile {
    // The same as the defaults of its fields: left out, it is what `stages: ()` is.
    fn usual() -> Self {
        Self {
            day_ahead_step: given(Hours(1.0)),
            day_ahead_window: given(Hours(48.0)),
            window: given(Hours(4.0)),
            step: None,
            blend: given(Hours(4.0)),
            ess_in_day_ahead: true,
            segments: given(Count(10)),
            nodes: given(Count(20_000)),
            gap: given(1e-4),
        }
    }
}

shape! {
    /// Prices of what should not happen, which steer schedules. System cost holds `unserved`, apart
    /// from the rest; the others are not billed.
    pub(crate) struct SlackFile "slack" for WorldText {
        /// Of a kWh not served, or not taken.
        unserved: Option<Spanned<Price>> = None => "50 per kWh",
        /// Of a kWh of missing flexibility margin.
        margin: Option<Spanned<Price>> = None => "30 per kWh",
        /// Of a kWh that a store holds less at a window's end than the day-ahead schedule wants.
        terminal: Option<Spanned<Price>> = None => "2 per kWh",
        /// Of a kWh by which a thermal unit leaves the band around its day-ahead output.
        deviation: Option<Spanned<Price>> = None => "5 per kWh",
    }
}

impl SlackFile {
    // Left out, it is what `slack: ()` is.
    fn usual() -> Self {
        Self { unserved: None, margin: None, terminal: None, deviation: None }
    }
}

choice! {
    /// What is known beforehand of what cars will draw, of those that have yet to arrive also within
    /// the day.
    pub(crate) enum EvForecastFile "day_ahead_ev_forecast" for WorldText {
        /// Everything: every stay of the day, when it begins and ends and what it needs.
        Known,
        /// The same with an error that grows with lead time, by draws of its own.
        Ar1 {Ar1File},
    }
}

choice! {
    /// Which load of cars the day-ahead stage is shown.
    pub(crate) enum DayAheadEvFile "day_ahead_ev" for WorldText {
        /// `Smart` where the policy is `v2g`, whose plans are not known the day before, else
        /// `Plan`.
        ByPolicy,
        /// What the run's own policy plans.
        Plan,
        /// What smart charging would plan.
        Smart,
        /// What uncontrolled charging would do.
        Uncontrolled,
        /// A series of power; negative where cars discharge.
        Series {Box<SeriesFile>},
        /// No cars.
        None,
    }
}
