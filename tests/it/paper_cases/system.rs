//! The case study's system, from the parameters of its reference instances.

use serde::Deserialize;
use std::num::NonZeroU32;
use voltide_model::{
    cost::QuadraticCost,
    device::{InterruptibleLoad, Renewable, RenewableKind, Store, StoreKind, ThermalUnit},
    flexibility::{CutUp, FlexStorage, LastStep, Readings, VreDown},
    forecast::Forecast,
    plant::Plant,
    quantity::{KilowattHours, Kilowatts, KilowattsPerHour, Share},
    series::Series,
    two_stage::{DayAheadEv, Grid, SearchLimits, SlackPrices, TwoStage},
};

/// The parameter file, as far as the grid needs it.
#[derive(Deserialize)]
pub(crate) struct Paper {
    pub(crate) sys: PaperSystem,
}

/// The block `system` of an instance.
#[derive(Deserialize)]
pub(crate) struct PaperSystem {
    pub(crate) thermal: PaperThermal,
    pub(crate) phs: PaperStore,
    pub(crate) ess: PaperStore,
    cut: PaperCut,
    vre: PaperRenewables,
    pub(crate) da_includes_ess: bool,
    voll: f64,
    margin_pen: f64,
    terminal_pen: f64,
    id_thermal_dev: f64,
    dev_pen: f64,
    cut_up: Reading,
    vre_down: Reading,
}

#[derive(Deserialize)]
pub(crate) struct PaperThermal {
    pmin: f64,
    pmax: f64,
    ramp: f64,
    a: f64,
    b: f64,
    c: f64,
    pub(crate) segments: u32,
}

#[derive(Deserialize)]
pub(crate) struct PaperStore {
    p_dch: f64,
    p_ch: f64,
    wmin: f64,
    wmax: f64,
    w0: f64,
    pub(crate) w_end: f64,
    eta: f64,
    c: f64,
}

#[derive(Deserialize)]
struct PaperCut {
    pmax: f64,
    c: f64,
}

#[derive(Deserialize)]
struct PaperRenewables {
    #[serde(rename = "c_wind")]
    wind: f64,
    #[serde(rename = "c_pv")]
    pv: f64,
    #[serde(rename = "c_wind_waste")]
    wind_waste: f64,
    #[serde(rename = "c_pv_waste")]
    pv_waste: f64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Reading {
    Literal,
    Physical,
}

pub(crate) fn series(name: &str, values: &[f64]) -> Series {
    Series { name: name.into(), unit: "kW".into(), values: values.into() }
}

impl PaperStore {
    fn store(&self, name: &str, kind: StoreKind) -> Store {
        let efficiency = Share::new(self.eta).unwrap();
        Store {
            name: name.into(),
            kind,
            charge_max: Kilowatts(self.p_ch),
            discharge_max: Kilowatts(self.p_dch),
            energy_min: KilowattHours(self.wmin),
            energy_max: KilowattHours(self.wmax),
            charge_efficiency: efficiency,
            discharge_efficiency: efficiency,
            throughput_cost: self.c,
            initial_energy: KilowattHours(self.w0),
            day_end_energy: Some(KilowattHours(self.w_end)),
            holds_each_day: false,
        }
    }
}

impl PaperSystem {
    /// The plant, with what wind and sun there is; both are forecast alike unless `forecast` is perfect.
    pub(crate) fn plant(&self, wind: &[f64], pv: &[f64], forecasts: &[Forecast; 2]) -> Plant {
        let PaperThermal { pmin, pmax, ramp, a, b, c, .. } = self.thermal;
        let renewable =
            |name: &str, kind, available: &[f64], forecast: &Forecast, cost, waste_price| {
                Renewable {
                    name: name.into(),
                    kind,
                    available: series(name, available),
                    forecast: forecast.clone(),
                    cost,
                    waste_price,
                }
            };
        let prices = &self.vre;
        Plant::default()
            .with([
                renewable(
                    "wind",
                    RenewableKind::Wind,
                    wind,
                    &forecasts[0],
                    prices.wind,
                    prices.wind_waste,
                ),
                renewable("pv", RenewableKind::Pv, pv, &forecasts[1], prices.pv, prices.pv_waste),
            ])
            .with([ThermalUnit {
                name: "thermal".into(),
                power_min: Kilowatts(pmin),
                power_max: Kilowatts(pmax),
                ramp: KilowattsPerHour(ramp),
                cost: QuadraticCost { a, b, c },
                commitment: None,
                initial_power: None,
                deviation_max: Some(Kilowatts(self.id_thermal_dev)),
            }])
            .with([
                self.phs.store("pumped hydro", StoreKind::PumpedHydro),
                self.ess.store("battery", StoreKind::Ess),
            ])
            .with([InterruptibleLoad {
                name: "cut".into(),
                power_max: Kilowatts(self.cut.pmax),
                price: self.cut.c,
            }])
    }

    pub(crate) fn prices(&self) -> SlackPrices {
        SlackPrices {
            unserved: self.voll,
            margin: self.margin_pen,
            terminal: self.terminal_pen,
            deviation: self.dev_pen,
        }
    }

    /// Stores are always read as printed.
    pub(crate) fn readings(&self) -> Readings {
        Readings {
            cut_up: match self.cut_up {
                Reading::Literal => CutUp::Literal,
                Reading::Physical => CutUp::Physical,
            },
            vre_down: match self.vre_down {
                Reading::Literal => VreDown::Literal,
                Reading::Physical => VreDown::Physical,
            },
            flex_storage: FlexStorage::Printed,
            ev_in_supply: false,
            last_step: LastStep::Wrap,
        }
    }

    /// The typical day: 24 hours ahead, then windows of 16 quarter hours that commit `step` each.
    pub(crate) fn grid(&self, plant: Plant, margins: bool, step: u32) -> Grid {
        let count = |count| NonZeroU32::new(count).unwrap();
        let rules = TwoStage {
            day_ahead_step: count(4),
            day_ahead_window: None,
            window: count(16),
            step: count(step),
            blend: count(16),
            margins,
            readings: self.readings(),
            ess_in_day_ahead: self.da_includes_ess,
            segments: count(self.thermal.segments),
            prices: self.prices(),
            base_load: Forecast::Perfect,
            day_ahead_ev: DayAheadEv::Plan,
            ev_forecast: Forecast::Perfect,
            search: SearchLimits::default(),
        };
        Grid { plant, rules }
    }
}
