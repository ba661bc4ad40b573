//! The table `system_ticks`: the system as a whole, a row a slot.

use crate::{
    realised::SettledSystem,
    rows::rows,
    value::{Time, Word},
};
use voltide_model::{clock::Clock, columns::FlexibilityTick};

rows! {
    /// One row per slot: the system as a whole, as it was settled.
    pub system_ticks by tick, stage {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// settled
        stage: Word;
        /// load without cars
        base_load_kw: f64 = "kW";
        /// wind power available
        wind_available_kw: f64 = "kW";
        /// wind power delivered
        wind_kw: f64 = "kW";
        /// photovoltaic power available
        pv_available_kw: f64 = "kW";
        /// photovoltaic power delivered
        pv_kw: f64 = "kW";
        /// sum of charging cars, grid side
        ev_charge_kw: f64 = "kW";
        /// sum of discharging cars, grid side; not negative
        ev_discharge_kw: f64 = "kW";
        /// base load + EV charge - EV discharge - available wind - available PV
        net_load_kw: f64 = "kW", sign("positive draws from the grid");
        /// net load that the incentive price follows, as the price was last set; null without one
        price_net_load_kw: Option<f64> = "kW", sign("positive draws from the grid");
        /// its mean over the local day
        price_net_load_mean_kw: Option<f64> = "kW", sign("positive draws from the grid");
        /// price of a kWh bought on the first tariff
        tou_price_per_kwh: f64 = "currency/kWh";
        /// incentive price of the first tariff; null where the world has none
        incentive_price_per_kwh: Option<f64> = "currency/kWh";
        /// incentive price over what drivers of the first tariff expect; null likewise
        incentive_ratio: Option<f64>;
        /// flexibility wanted upwards: by how much load and cars less wind, sun and what nobody
        /// steers rise to the next slot; after the run's last slot, and in runs of 0.1.0, as it was
        /// planned; what rounding leaves is 0, here and below
        flex_demand_up_kw: Option<f64> = "kW";
        /// flexibility wanted downwards, likewise
        flex_demand_down_kw: Option<f64> = "kW";
        /// flexibility at hand upwards
        flex_supply_up_kw: Option<f64> = "kW";
        /// flexibility at hand downwards
        flex_supply_down_kw: Option<f64> = "kW";
        /// supply less demand upwards
        margin_up_kw: Option<f64> = "kW",
            sign("negative is a shortfall; what rounding leaves is 0");
        /// supply less demand downwards
        margin_down_kw: Option<f64> = "kW",
            sign("negative is a shortfall; what rounding leaves is 0");
        /// wind and photovoltaic power available and not delivered
        curtailed_kw: f64 = "kW";
        /// load interrupted by contract
        interrupted_kw: Option<f64> = "kW";
        /// load not served
        unserved_kw: Option<f64> = "kW";
        /// supply less demand; zero when the balance is closed
        residual_kw: f64 = "kW";
        /// cars plugged in
        plugged: u32;
        /// plugged cars whose drivers agree to discharge; null where no driver is asked
        agreed: Option<u32>;
        /// length of the slot: power times this is energy
        step_h: f64 = "h", repeating;
        /// power that nobody took and that could not be curtailed
        spilled_kw: Option<f64> = "kW";
    }
}

impl Row<'_> {
    /// The row of a slot that was settled.
    pub(crate) fn of(settled: &SettledSystem, clock: &Clock) -> Self {
        let &SettledSystem { tick, ref system, drivers_asked } = settled;
        let incentive = system.incentive.as_ref();
        let flexibility = system.flexibility.map(FlexibilityTick::without_rounding);
        let margin = flexibility.map(|it| it.margin().without_rounding());
        Self {
            ts: Time::of_slot(clock, tick),
            tick,
            stage: "settled",
            base_load_kw: system.base_load_kw,
            wind_available_kw: system.wind_available_kw,
            wind_kw: system.wind_kw,
            pv_available_kw: system.pv_available_kw,
            pv_kw: system.pv_kw,
            ev_charge_kw: system.ev_charge_kw,
            ev_discharge_kw: system.ev_discharge_kw,
            net_load_kw: system.net_load_kw(),
            price_net_load_kw: incentive.map(|of| of.net_load_kw),
            price_net_load_mean_kw: incentive.map(|of| of.net_load_mean_kw),
            tou_price_per_kwh: system.tou_price_per_kwh,
            incentive_price_per_kwh: incentive.map(|of| of.price_per_kwh),
            incentive_ratio: incentive.map(|of| of.ratio),
            flex_demand_up_kw: flexibility.map(|it| it.demand.up),
            flex_demand_down_kw: flexibility.map(|it| it.demand.down),
            flex_supply_up_kw: flexibility.map(|it| it.supply.up),
            flex_supply_down_kw: flexibility.map(|it| it.supply.down),
            margin_up_kw: margin.map(|it| it.up),
            margin_down_kw: margin.map(|it| it.down),
            curtailed_kw: system.curtailed_kw(),
            // Only a world with a plant has flexibility, and only a plant has these.
            interrupted_kw: flexibility.map(|_| system.interrupted_kw),
            unserved_kw: flexibility.map(|_| system.unserved_kw),
            residual_kw: system.residual_kw(),
            plugged: system.plugged,
            agreed: drivers_asked.then_some(system.agreed),
            step_h: clock.slot_hours(),
            spilled_kw: flexibility.map(|_| system.spilled_kw),
        }
    }
}
