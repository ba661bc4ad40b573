//! What power beside a schedule would cost: the marginal cost of a plant, by net load of its system.

use voltide_model::{
    cost::Chord,
    device::{OfferedAt, Unit},
    dispatch::SlotDispatch,
    scenario::SystemSeries,
    series::Series,
    two_stage::Grid,
    unit::UnitSlot,
};

/// Steps by which a plant serves the net load of its system in a slot like the one that was
/// scheduled, from the cheapest on: units that are on keep their least output, stores go on as
/// scheduled, and nobody is switched. `day` slots are 24 hours. What the system has of wind and sun
/// is in its net load already.
pub fn supply_curve(
    grid: &Grid,
    system: &SystemSeries,
    scheduled: &SlotDispatch,
    slot: u32,
    day: u32,
) -> Vec<Chord> {
    let at = OfferedAt { slot, day, segments: grid.rules.segments };
    let mut firm_kw = 0.0;
    let mut steps = Vec::new();
    let beside = |(unit, _): &(&Unit, &UnitSlot)| !is_of_system(unit, system);
    for (unit, did) in grid.plant.units.iter().zip(&scheduled.units).filter(beside) {
        let (firm, more) = unit.device().offer(did, at);
        firm_kw += firm;
        steps.extend(more);
    }
    steps.sort_by(|one: &Chord, other| one.slope_per_kwh.total_cmp(&other.slope_per_kwh));
    // What comes anyway costs nothing more; what is drawn anyway takes the cheapest away.
    let mut drawn_kw = f64::max(-firm_kw, 0.0);
    for step in &mut steps {
        let taken = step.width_kw.min(drawn_kw);
        step.width_kw -= taken;
        drawn_kw -= taken;
    }
    let firm = Chord { width_kw: firm_kw.max(0.0), slope_per_kwh: 0.0 };
    std::iter::once(firm).chain(steps).filter(|step| step.width_kw > 0.0).collect()
}

/// Whether a unit has all wind or sun of the system.
fn is_of_system(unit: &Unit, system: &SystemSeries) -> bool {
    let Some(unsteered) = unit.device().unsteered() else { return false };
    let is = |series: &Option<Series>| {
        series.as_ref().is_some_and(|series| series.name == unsteered.actual.name)
    };
    is(&system.wind) || is(&system.pv)
}
