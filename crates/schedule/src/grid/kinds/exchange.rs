//! Connections to the world outside: imports and exports.

use crate::{
    grid::{
        DispatchProblem, GridError, UnitTask, Unmet,
        error::{Holds, series},
        unit::{Kind, Room, UnitColumns, power, value},
    },
    linear::{Program, Solved},
};
use good_lp::{Expression, Variable};
use voltide_model::{
    device::{Device, Exchange},
    unit::UnitSlot,
};

/// Both directions by slot.
struct Columns<'p> {
    unit: &'p Exchange,
    import_price: &'p [f64],
    export_price: &'p [f64],
    imports: Vec<Variable>,
    exports: Vec<Variable>,
}

impl Kind for Exchange {
    fn check(&self, task: &UnitTask, slots: usize) -> Result<(), GridError> {
        let names = [("import price", Holds::Price), ("export price", Holds::Price)];
        series(&self.name, &task.series, slots, &names)?;
        Ok(self.check_prices(&task.series[0], &task.series[1])?)
    }

    /// Imports cost what exports earn less.
    fn columns<'p>(
        &'p self,
        program: &mut Program,
        _unmet: &mut Vec<Unmet>,
        problem: &DispatchProblem<'_>,
        task: &'p UnitTask,
    ) -> Box<dyn UnitColumns + 'p> {
        let hours = problem.slot_hours;
        let prices = &task.series;
        let (import_max, export_max) = (self.import_max.0, self.export_max.0);
        let (import_price, export_price) = (&prices[0], &prices[1]);
        // No binaries: prices are checked so that importing and exporting at once never pays.
        let imports =
            import_price.iter().map(|&price| power(program, hours, import_max, price)).collect();
        let exports =
            export_price.iter().map(|&price| power(program, hours, export_max, -price)).collect();
        Box::new(Columns { unit: self, import_price, export_price, imports, exports })
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

    /// Only where no solver decides. Its price is that of imports then, so that nothing is exported.
    fn room(&self, _did: &UnitSlot) -> Option<Room> {
        Some(Room { turn: 3, least_kw: 0.0, most_kw: self.unit.import_max.0 })
    }
}
