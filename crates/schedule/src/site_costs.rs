//! What the power of sites costs, from the columns that policies hand over.

use crate::{
    batch::BatchError,
    group::{NodeCost, SupplyStep},
    problem::PerSlot,
};
use voltide_policy::storage::{GroupSites, PowerCost, StorageRequest};

/// The steps of supply curves, by cost and slot.
pub(crate) type Steps = Vec<Vec<Vec<SupplyStep>>>;

/// The steps of every cost that is a supply curve; none for others.
///
/// # Errors
/// Where offsets do not part the steps by slot.
pub(crate) fn steps(
    sites: &GroupSites<'_>,
    request: &StorageRequest<'_>,
) -> Result<Steps, BatchError> {
    let of_cost = sites.costs.iter().enumerate().map(|(cost, of)| match of.cost {
        PowerCost::Supply { step_offset, step_kw, step_price, .. } => {
            let slots = (step_offset.len() == request.horizon + 1).then_some(step_offset);
            let slots = slots.ok_or(BatchError::Steps { cost })?.windows(2);
            slots
                .map(|ends| {
                    let range = ends[0] as usize..ends[1] as usize;
                    let both = step_kw.get(range.clone()).zip(step_price.get(range));
                    let (kw, price) = both.ok_or(BatchError::Steps { cost })?;
                    Ok(kw.iter().zip(price).map(|(&kw, &price)| SupplyStep { kw, price }).collect())
                })
                .collect()
        }
        PowerCost::Peak { .. } | PowerCost::Square { .. } | PowerCost::Follow { .. } => {
            Ok(Vec::new())
        }
    });
    of_cost.collect()
}

/// The costs of each site; `steps` are those of the supply curves among them.
///
/// # Errors
/// Where a cost is of a site that is not there.
pub(crate) fn by_site<'a>(
    sites: &GroupSites<'a>,
    steps: &'a Steps,
) -> Result<Vec<Vec<NodeCost<'a>>>, BatchError> {
    let mut by_site = vec![Vec::new(); sites.parent_site.len()];
    for (cost, (of, steps)) in sites.costs.iter().zip(steps).enumerate() {
        let site = by_site.get_mut(of.site as usize);
        let site = site.ok_or(BatchError::NoSuchSite { cost, site: of.site })?;
        site.push(match of.cost {
            PowerCost::Peak { price_per_kw, baseline_kw } => {
                NodeCost::Peak { price_per_kw, baseline_kw }
            }
            PowerCost::Square { price_per_kwh_kw, anchor_kw } => NodeCost::Quadratic {
                anchor_kw: PerSlot::Same(anchor_kw),
                slope: PerSlot::Same(price_per_kwh_kw),
            },
            PowerCost::Follow { series_kw, price_per_kwh } => {
                NodeCost::Follow { series_kw, price: price_per_kwh }
            }
            PowerCost::Supply { beyond_price, .. } => {
                NodeCost::Supply { steps, beyond: beyond_price }
            }
        });
    }
    Ok(by_site)
}
