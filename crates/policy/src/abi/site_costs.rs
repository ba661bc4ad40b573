//! Costs of the power of sites: values to structs for a policy, and back for the program.

#![expect(unsafe_code, reason = "this is the border between the program and a plugin")]

use super::{
    STORAGE_COST_FOLLOW, STORAGE_COST_PEAK, STORAGE_COST_SQUARE, STORAGE_COST_SUPPLY, StorageCost,
    Versioned,
    storage_service::{Sizes, check_length, count, refuse},
    view::column,
};
use crate::storage::{PowerCost, SiteCost, StorageError};
use std::ptr;

// SAFETY: numbers and pointers behind a `size: u32`.
unsafe impl Versioned for StorageCost {}

/// Structs that point at the columns of `costs`, for a request of so many slots.
pub(super) fn pointed_at(
    costs: &[SiteCost<'_>],
    horizon: usize,
) -> Result<Vec<StorageCost>, StorageError> {
    costs.iter().map(|cost| StorageCost::new(cost, horizon)).collect()
}

impl StorageCost {
    /// Points at the columns of a cost.
    ///
    /// # Errors
    /// When a column has another length than the slots ask for.
    fn new(of: &SiteCost<'_>, horizon: usize) -> Result<Self, StorageError> {
        let none = Self {
            size: size_of::<Self>() as u32,
            kind: 0,
            site: of.site,
            steps: 0,
            price: 0.0,
            baseline_kw: 0.0,
            series_kw: ptr::null(),
            step_offset: ptr::null(),
            step_kw: ptr::null(),
            step_price: ptr::null(),
        };
        Ok(match of.cost {
            PowerCost::Peak { price_per_kw, baseline_kw } => {
                Self { kind: STORAGE_COST_PEAK, price: price_per_kw, baseline_kw, ..none }
            }
            PowerCost::Square { price_per_kwh_kw: price, anchor_kw: baseline_kw } => {
                Self { kind: STORAGE_COST_SQUARE, price, baseline_kw, ..none }
            }
            PowerCost::Follow { series_kw, price_per_kwh } => {
                check_length("series_kw", series_kw.len(), horizon)?;
                let series_kw = series_kw.as_ptr();
                Self { kind: STORAGE_COST_FOLLOW, price: price_per_kwh, series_kw, ..none }
            }
            PowerCost::Supply { step_offset, step_kw, step_price, beyond_price } => {
                check_length("step_offset", step_offset.len(), horizon + 1)?;
                check_length("step_price", step_price.len(), step_kw.len())?;
                Self {
                    kind: STORAGE_COST_SUPPLY,
                    steps: count("steps", step_kw.len())?,
                    price: beyond_price,
                    step_offset: step_offset.as_ptr(),
                    step_kw: step_kw.as_ptr(),
                    step_price: step_price.as_ptr(),
                    ..none
                }
            }
        })
    }

    /// The cost, its columns as slices.
    ///
    /// # Errors
    /// Where the kind is unknown, or the sizes are beyond all memory.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to as many values as the contract says, unchanged for `'a`.
    pub(super) unsafe fn view<'a>(&self, horizon: usize) -> Result<SiteCost<'a>, StorageError> {
        let steps = self.steps as usize;
        Sizes::new(steps, 1, 0, 0)?;
        // SAFETY: as the caller promises.
        let cost = unsafe {
            match self.kind {
                STORAGE_COST_PEAK => {
                    PowerCost::Peak { price_per_kw: self.price, baseline_kw: self.baseline_kw }
                }
                STORAGE_COST_SQUARE => {
                    let anchor_kw = self.baseline_kw;
                    PowerCost::Square { price_per_kwh_kw: self.price, anchor_kw }
                }
                STORAGE_COST_FOLLOW => PowerCost::Follow {
                    series_kw: column(self.series_kw, horizon),
                    price_per_kwh: self.price,
                },
                STORAGE_COST_SUPPLY => PowerCost::Supply {
                    step_offset: column(self.step_offset, horizon + 1),
                    step_kw: column(self.step_kw, steps),
                    step_price: column(self.step_price, steps),
                    beyond_price: self.price,
                },
                other => return refuse(format!("no cost of power has the number {other}")),
            }
        };
        Ok(SiteCost { site: self.site, cost })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_cross_unchanged() {
        let follow = PowerCost::Follow { series_kw: &[1.0, 2.0], price_per_kwh: 3.0 };
        let supply = PowerCost::Supply {
            step_offset: &[0, 1, 3],
            step_kw: &[4.0, 5.0, 6.0],
            step_price: &[7.0, 8.0, 9.0],
            beyond_price: 10.0,
        };
        let costs = [
            PowerCost::Peak { price_per_kw: 1.0, baseline_kw: 2.0 },
            PowerCost::Square { price_per_kwh_kw: 3.0, anchor_kw: 4.0 },
            follow,
            supply,
        ];
        for cost in costs {
            let of = SiteCost { site: 3, cost };
            let there = StorageCost::new(&of, 2).unwrap();
            // SAFETY: the columns are alive.
            assert_eq!(unsafe { there.view(2) }, Ok(of));
            let unknown = StorageCost { kind: 9, ..there };
            // SAFETY: as above.
            let refused = unsafe { unknown.view(2) }.unwrap_err().to_string();
            assert_eq!(refused, "no cost of power has the number 9");
        }
        let refused = StorageCost::new(&SiteCost { site: 0, cost: follow }, 3).unwrap_err();
        assert_eq!(refused.to_string(), "column series_kw has 2 values, not 3");
    }
}
