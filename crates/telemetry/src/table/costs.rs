//! The table `costs`: what the run cost, by component.

use crate::{rows::rows, summary::Summary, value::Word};
use voltide_model::scenario::Scenario;

rows! {
    /// What the run cost, by component. Stage `settled` is the system's bill, stage `drivers` is
    /// what drivers pay and earn; one is part of the other's income, so never add them up.
    pub costs by stage, component, unit_id {
        /// settled or drivers
        stage: Word;
        /// of stage settled, by unit: thermal, starts, pumped_hydro, ess, wind, pv, curtailment,
        /// interruption, must_take, import_export, hydrogen (what is bought of it); unserved:
        /// energy not served or not taken, at its price; without a plant only import_export, energy
        /// imported less exported at tou_price_per_kwh; of stage drivers: ev_energy: paid for
        /// charging; ev_v2g_revenue: earned by discharging, so negative; ev_degradation: wear by
        /// discharging
        component: Word;
        /// the unit, where it is one unit's
        unit_id: Option<u32>;
        /// what it cost
        amount: f64 = "currency", sign("negative is earned");
        /// ISO 4217 code
        currency: Word;
    }
}

/// What a run cost: its system by unit, and its drivers.
pub(crate) fn rows<'a>(
    summary: &'a Summary,
    scenario: &'a Scenario,
) -> impl Iterator<Item = Row<'a>> {
    let none: Option<u32> = None;
    let units =
        summary.unit_costs.iter().map(|it| ("settled", it.component, Some(it.unit), it.amount));
    let unserved = summary.system_cost.map(|cost| ("settled", "unserved", none, cost.unserved));
    let outside = scenario.grid.is_none().then_some(summary.import_export_cost);
    let outside = outside.map(|amount| ("settled", "import_export", none, amount));
    let drivers = [
        ("drivers", "ev_energy", none, summary.energy_cost),
        // Subtracted and not negated: where nothing was earned, this is 0 and not -0.
        ("drivers", "ev_v2g_revenue", none, 0.0 - summary.v2g_revenue),
        ("drivers", "ev_degradation", none, summary.degradation_cost),
    ];
    let components = units.chain(unserved).chain(outside).chain(drivers);
    components.map(|(stage, component, unit_id, amount)| Row {
        stage,
        component,
        unit_id,
        amount,
        currency: &scenario.currency,
    })
}
