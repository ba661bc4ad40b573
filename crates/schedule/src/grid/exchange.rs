//! Connections to the world outside: imports and exports.

use super::{
    DispatchProblem,
    unit::{UnitColumns, power, value},
};
use crate::linear::{Program, Solved};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, Exchange},
    dispatch::UnitSlot,
};

/// Both directions by slot.
pub(super) struct Columns<'p> {
    unit: &'p Exchange,
    import_price: &'p [f64],
    export_price: &'p [f64],
    imports: Vec<Variable>,
    exports: Vec<Variable>,
}

impl<'p> Columns<'p> {
    /// Imports cost what exports earn less.
    pub(super) fn new(
        program: &mut Program,
        problem: &DispatchProblem<'_>,
        unit: &'p Exchange,
        (import_price, export_price): (&'p Vec<f64>, &'p Vec<f64>),
    ) -> Self {
        let (hours, [import_max, export_max]) =
            (problem.slot_hours, [unit.import_max.0, unit.export_max.0]);
        let imports =
            import_price.iter().map(|&price| power(program, hours, import_max, price)).collect();
        let exports =
            export_price.iter().map(|&price| power(program, hours, export_max, -price)).collect();
        Self { unit, import_price, export_price, imports, exports }
    }
}

impl UnitColumns for Columns<'_> {
    fn device(&self) -> &dyn Device {
        self.unit
    }

    fn given(&self, slot: usize) -> Expression {
        self.imports[slot] - self.exports[slot]
    }

    fn read(&self, solved: &Solved, slot: usize, _before: Option<&UnitSlot>) -> UnitSlot {
        let net = value(solved, self.imports[slot]) - value(solved, self.exports[slot]);
        let given_kw = net.clamp(-self.unit.export_max.0, self.unit.import_max.0);
        let prices = if given_kw < 0.0 { self.export_price } else { self.import_price };
        UnitSlot { given_kw, price_per_kwh: prices[slot], ..UnitSlot::idle(self.unit.kind()) }
    }
}
