//! Thermal units: limits, ramp, commitment, and what their output costs.

use super::{Device, OfferedAt, PlantError, check::Checked};
use crate::{
    columns::UnitKind,
    cost::{Chord, CostComponent, QuadraticCost, UnitCost, chords},
    flexibility::{Readings, UpDown},
    quantity::{Hours, Kilowatts, KilowattsPerHour},
    unit::{UnitSlot, UnitState},
};

/// A unit that burns fuel. On throughout, unless it has a [`Commitment`].
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalUnit {
    /// Its name in the world file.
    pub name: String,
    /// Least output while it is on.
    pub power_min: Kilowatts,
    /// Most output.
    pub power_max: Kilowatts,
    /// How fast output may rise or fall, R of (21).
    pub ramp: KilowattsPerHour,
    /// What generating costs, (37).
    pub cost: QuadraticCost,
    /// Whether and how it may be switched off; `None` for a unit that is always on.
    pub commitment: Option<Commitment>,
    /// Output in the slot before the first; `None` where the first slot's output is free.
    pub initial_power: Option<Kilowatts>,
    /// How far the intra-day stage may leave the day-ahead output without paying; `None` for as far
    /// as it likes.
    pub deviation_max: Option<Kilowatts>,
}

/// How a thermal unit may be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Commitment {
    /// What a start costs.
    pub start_cost: f64,
    /// Once on, on for at least so long.
    pub up_min: Hours,
    /// Once off, off for at least so long.
    pub down_min: Hours,
    /// Whether it is on before the first slot.
    pub initially_on: bool,
    /// For how long it has been on, or off, by then.
    pub initial_hours: Hours,
}

impl UnitKind {
    /// A thermal unit.
    pub const THERMAL: Self = Self::new("thermal", "thermal");
}

/// Output, (37), by the quadratic curve.
pub(super) const OUTPUT: CostComponent =
    CostComponent { name: "thermal", row: "thermal", part: "thermal", place: 0 };

/// Starts.
pub(super) const STARTS: CostComponent =
    CostComponent { name: "starts", row: "thermal", part: "starts", place: 1 };

impl Device for ThermalUnit {
    fn name(&self) -> &str {
        &self.name
    }

    /// It keeps its least output while it is on, and is not switched.
    fn offer(&self, did: &UnitSlot, at: OfferedAt) -> (f64, Vec<Chord>) {
        if !did.on {
            return (did.power_kw(), Vec::new());
        }
        let (least, most) = (self.power_min.0, self.power_max.0);
        (least, chords(self.cost, least, most, at.segments))
    }

    fn kind(&self) -> UnitKind {
        UnitKind::THERMAL
    }

    fn check(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("power_min", self.power_min.0)?;
        unit.not_negative("power_max", self.power_max.0)?;
        unit.ordered("output", self.power_min.0, self.power_max.0)?;
        unit.not_negative("ramp", self.ramp.0)?;
        for (field, value) in
            [("cost.a", self.cost.a), ("cost.b", self.cost.b), ("cost.c", self.cost.c)]
        {
            unit.not_negative(field, value)?;
        }
        self.initial_power.map_or(Ok(()), |power| unit.not_negative("initial_power", power.0))?;
        self.deviation_max.map_or(Ok(()), |power| unit.not_negative("deviation_max", power.0))?;
        let Some(commitment) = &self.commitment else { return Ok(()) };
        unit.not_negative("start_cost", commitment.start_cost)?;
        unit.not_negative("up_min", commitment.up_min.0)?;
        unit.not_negative("down_min", commitment.down_min.0)?;
        unit.not_negative("initial_time", commitment.initial_hours.0)
    }

    /// (21) and (22): what ramp and limits leave; nothing while it is off.
    fn flexibility(&self, did: &UnitSlot, hours: f64, _readings: Readings) -> UpDown {
        if !did.on {
            return UpDown::default();
        }
        let ramp = self.ramp.0 * hours;
        UpDown {
            up: ramp.min(self.power_max.0 - did.given_kw),
            down: ramp.min(did.given_kw - self.power_min.0),
        }
    }

    fn initial(&self) -> UnitState {
        UnitState {
            power_kw: self.initial_power.map(|power| power.0),
            on: self.commitment.is_none_or(|how| how.initially_on),
            // Who cannot be switched has no minimum time to wait for.
            hours: self.commitment.map_or(f64::INFINITY, |how| how.initial_hours.0),
            energy_kwh: 0.0,
        }
    }

    fn after(&self, before: &UnitState, did: &UnitSlot, hours: f64) -> UnitState {
        let so_far = if before.on == did.on { before.hours } else { 0.0 };
        UnitState { power_kw: Some(did.given_kw), on: did.on, hours: so_far + hours, ..*before }
    }

    fn hashed(&self, state: &UnitState) -> Vec<f64> {
        // Only bits are hashed, so that NaN can stand for an output that is free.
        vec![state.power_kw.unwrap_or(f64::NAN), f64::from(u8::from(state.on)), state.hours]
    }

    fn components(&self) -> &[CostComponent] {
        &[OUTPUT, STARTS]
    }

    /// (37), and starts.
    fn cost(&self, did: &UnitSlot, hours: f64) -> UnitCost {
        let start_cost = self.commitment.map_or(0.0, |how| how.start_cost);
        UnitCost {
            running: if did.on { self.cost.per_hour(did.given_kw) * hours } else { 0.0 },
            extra: if did.started { start_cost } else { 0.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> ThermalUnit {
        ThermalUnit {
            name: "unit".into(),
            power_min: Kilowatts(900.0),
            power_max: Kilowatts(1505.0),
            ramp: KilowattsPerHour(240.0),
            cost: QuadraticCost { a: 0.0, b: 0.5, c: 8.0 },
            commitment: Some(Commitment {
                start_cost: 30.0,
                up_min: Hours(1.0),
                down_min: Hours(1.0),
                initially_on: true,
                initial_hours: Hours(1.0),
            }),
            initial_power: None,
            deviation_max: None,
        }
    }

    fn at(on: bool, given_kw: f64) -> UnitSlot {
        UnitSlot { given_kw, on, ..UnitSlot::idle(UnitKind::THERMAL) }
    }

    #[test]
    fn a_thermal_unit_supplies_what_ramp_and_limits_leave() {
        let supply = |on, kw| unit().flexibility(&at(on, kw), 0.25, Readings::default());
        assert_eq!(supply(true, 1000.0), UpDown { up: 60.0, down: 60.0 });
        assert_eq!(supply(true, 1490.0), UpDown { up: 15.0, down: 60.0 });
        assert_eq!(supply(true, 900.0), UpDown { up: 60.0, down: 0.0 });
        assert_eq!(supply(false, 0.0), UpDown::default());
    }

    #[test]
    fn a_unit_that_is_off_costs_nothing_and_a_start_costs_once() {
        let cost = |did: UnitSlot| unit().cost(&did, 0.5);
        assert_eq!(cost(at(false, 0.0)), UnitCost::default());
        assert_eq!(cost(at(true, 1000.0)), UnitCost { running: 254.0, extra: 0.0 });
        let started = UnitSlot { started: true, ..at(true, 1000.0) };
        assert_eq!(cost(started), UnitCost { running: 254.0, extra: 30.0 });
    }
}
