//! One plan for a fleet that acts as one: all cars are placed together, for what they pay, or for
//! what the system around them looks like.
//!
//! The cars stand below one node, the system, and where they have sites below the sites' tree.
//! Power of the system is the forecast of net load and what cars draw that are not shown. As for any
//! group least power beyond limits comes first, then least energy missing, then the objective:
//!
//! | objective | least                                                                  |
//! |-----------|------------------------------------------------------------------------|
//! | `Cost`    | what cars pay                                                          |
//! | `Valley`  | Σ of the squares of the system's power above its lowest without cars   |
//! | `Peak`    | what cars pay, and a price on the system's highest power               |
//! | `Follow`  | Σ of the distances of the fleet's power from a series                  |
//! | `System`  | what the plant's supply costs, by its schedule of the day, and wear    |
//!
//! Before there is a schedule, and for the forecast that one is made from, `System` is `Valley`.

mod config;

pub use config::Objective;

use crate::smart::{all_planned, energy_limits};
use serde::Deserialize;
use voltide_policy::{
    ConfigError, Host, Observation, Policy, Replan, Result, Schedules, World,
    observation::{NO_SITE, Shown},
    storage::{GroupSites, PowerCost, Share, SiteCost, StorageRequest},
};

/// Plans all cars together.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Coordinated {
    /// What the fleet is placed for.
    pub objective: Objective,
    /// Whether cars may discharge, where their stay is long enough and the driver agrees.
    pub discharge: bool,
    /// Who misses energy where limits leave too little.
    pub share: Share,
}

impl Policy for Coordinated {
    const NAME: &'static str = "coordinated";
    // Who comes is planned at once beside the plans in force; all are placed anew every hour of
    // quarters.
    const REPLAN: Replan = Replan::Every(4);
    const PAYS_INCENTIVE: bool = true;
    const WHOLE_TREE: bool = true;
    const WHOLE_FLEET: bool = true;

    fn enter(&mut self, world: &World, config: &str) -> Result<(), ConfigError> {
        self.objective.enter(world, config)
    }

    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        let (least, most) = energy_limits(seen);
        let discharge = self.discharge_limits(seen);
        let request = StorageRequest {
            energy_kwh_min: &least,
            energy_kwh_max: &most,
            discharge_kw_max: &discharge,
            ..StorageRequest::of(seen)
        };
        let free = vec![0.0; seen.buy_price.len()];
        let request = match self.objective.of_cars(seen) {
            OfCars::Bill => request,
            OfCars::Wear => StorageRequest { buy_price: &free, sell_price: &[], ..request },
            OfCars::Nothing => StorageRequest {
                buy_price: &free,
                sell_price: &[],
                degradation_per_kwh: &[],
                ..request
            },
        };
        let storage = host.storage()?;
        if self.objective == Objective::Cost && seen.shown == Shown::Due {
            // Nothing couples them but limits, for which their whole tree is shown.
            return all_planned(seen, &storage.solve(&request, schedules)?);
        }
        let system = System::of(seen, &self.objective);
        let costs = self.objective.cost(seen, system.kw())?;
        let costs: Vec<SiteCost<'_>> =
            costs.into_iter().map(|cost| SiteCost { site: system.index(), cost }).collect();
        let sites = GroupSites {
            planned_kw: seen.planned_kw,
            costs: &costs,
            share: self.share,
            ..system.sites()
        };
        let (answers, _) = storage.solve_group(&request, &sites, schedules)?;
        all_planned(seen, &answers)
    }
}

impl Coordinated {
    /// Most that each car may discharge with, kW.
    fn discharge_limits(&self, seen: &Observation<'_>) -> Vec<f64> {
        let may = |eligible: &u8| if self.discharge { f64::from(*eligible) } else { 0.0 };
        seen.discharge_kw_max.iter().zip(seen.v2g_eligible).map(|(kw, of)| kw * may(of)).collect()
    }
}

/// The system as the root of all sites, in the columns of a group. Where cars are planned as they
/// come, limits of sites are left aside: who breaks them is shown once more with all of its tree.
struct System {
    horizon: usize,
    site_id: Vec<u32>,
    parent_site: Vec<u32>,
    import_kw_max: Vec<f64>,
    export_kw_max: Vec<f64>,
    given_kw: Vec<f64>,
}

impl System {
    fn of(seen: &Observation<'_>, objective: &Objective) -> Self {
        let horizon = seen.horizon;
        let with_sites = seen.shown != Shown::Due;
        let sites = if with_sites { seen.parent_site.len() } else { 0 };
        let system = sites as u32;
        let below = |of: u32| if of == NO_SITE || !with_sites { system } else { of };
        let series = sites * horizon;
        let open = std::iter::repeat_n(f64::INFINITY, horizon);
        let limits = |of: &[f64]| of[..series].iter().copied().chain(open.clone()).collect();
        let mut given_kw = vec![0.0; series];
        if !seen.site_others_kw.is_empty() {
            given_kw.copy_from_slice(&seen.site_others_kw[..series]);
        }
        given_kw.extend(objective.given_kw(seen));
        Self {
            horizon,
            site_id: seen.site_id.iter().map(|&site| below(site)).collect(),
            parent_site: seen.parent_site[..sites]
                .iter()
                .map(|&site| below(site))
                .chain([NO_SITE])
                .collect(),
            import_kw_max: limits(seen.site_import_kw_max),
            export_kw_max: limits(seen.site_export_kw_max),
            given_kw,
        }
    }

    /// The site that stands for it.
    fn index(&self) -> u32 {
        self.parent_site.len() as u32 - 1
    }

    /// Its power without the cars shown, kW a slot.
    fn kw(&self) -> &[f64] {
        &self.given_kw[self.given_kw.len() - self.horizon..]
    }

    fn sites(&self) -> GroupSites<'_> {
        GroupSites {
            site_id: &self.site_id,
            parent_site: &self.parent_site,
            import_kw_max: &self.import_kw_max,
            export_kw_max: &self.export_kw_max,
            given_kw: &self.given_kw,
            ..GroupSites::default()
        }
    }
}

/// What of the cars' own costs counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfCars {
    /// What they pay and earn, and wear.
    Bill,
    /// Wear.
    Wear,
    /// Nothing.
    Nothing,
}

impl Objective {
    fn of_cars(&self, seen: &Observation<'_>) -> OfCars {
        match self {
            Self::Cost | Self::Peak { .. } => OfCars::Bill,
            Self::System if !seen.supply_offset.is_empty() => OfCars::Wear,
            Self::Valley | Self::Follow(_) | Self::System => OfCars::Nothing,
        }
    }

    /// Power that is there without the cars shown, kW a slot: of the system, or of the fleet where
    /// that alone follows a series.
    fn given_kw(&self, seen: &Observation<'_>) -> Vec<f64> {
        let planned =
            if seen.others_ev_kw.is_empty() { seen.committed_ev_kw } else { seen.others_ev_kw };
        let others = planned.iter().copied().chain(std::iter::repeat(0.0)).take(seen.horizon);
        match self {
            Self::Follow(_) => others.collect(),
            Self::Cost | Self::Valley | Self::Peak { .. } | Self::System => {
                let net_load = seen.net_load_kw.iter().copied().chain(std::iter::repeat(0.0));
                net_load.zip(others).map(|(load, others)| load + others).collect()
            }
        }
    }

    /// What the power of the system costs, `given_kw` of which is there without the cars shown.
    fn cost<'a>(&self, seen: &Observation<'a>, given_kw: &[f64]) -> Result<Option<PowerCost<'a>>> {
        Ok(match self {
            Self::Cost => None,
            Self::System if !seen.supply_offset.is_empty() => Some(PowerCost::Supply {
                step_offset: seen.supply_offset,
                step_kw: seen.supply_kw,
                step_price: seen.supply_price,
                beyond_price: seen.supply_beyond_price,
            }),
            Self::Valley | Self::System => {
                // From the lowest power on: no car gains by charging more than it has to.
                let anchor_kw = given_kw.iter().copied().fold(f64::INFINITY, f64::min);
                let anchor_kw = if anchor_kw.is_finite() { anchor_kw } else { 0.0 };
                Some(PowerCost::Square { price_per_kwh_kw: 1.0, anchor_kw })
            }
            Self::Peak { price } => {
                let baseline_kw = seen.net_load_most_kw;
                Some(PowerCost::Peak { price_per_kw: price.per_kw, baseline_kw })
            }
            Self::Follow(series) => {
                let series_kw = series.of(seen)?;
                Some(PowerCost::Follow { series_kw, price_per_kwh: 1.0 })
            }
        })
    }
}

#[cfg(test)]
mod tests;
