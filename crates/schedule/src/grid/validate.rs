//! Checks of a dispatch problem: what passes can be solved.

use super::{
    DispatchProblem, GridError,
    error::{finite, length, not_negative, number},
    kinds::kind_of,
};
use voltide_model::two_stage::SlackPrices;

impl DispatchProblem<'_> {
    /// Checks units, lengths and numbers; what passes can be solved.
    ///
    /// # Errors
    /// The first thing that makes no sense.
    pub fn validate(&self) -> Result<(), GridError> {
        length("what is asked of units", self.units.len(), self.plant.units.len())?;
        self.validate_exogenous()?;
        for (unit, task) in self.plant.units.iter().zip(&self.units) {
            kind_of(unit).check(task, self.slots())?;
        }
        let hours = self.slot_hours;
        number("slot length", 0, hours, hours.is_finite() && hours > 0.0, "above 0 h")?;
        let SlackPrices { unserved, margin, terminal, deviation } = self.prices;
        let prices = [
            ("price of unserved energy", unserved),
            ("price of missing margin", margin),
            ("price of missing stored energy", terminal),
            ("price of deviation", deviation),
        ];
        prices.into_iter().try_for_each(|(column, price)| not_negative(column, 0, price))
    }

    fn validate_exogenous(&self) -> Result<(), GridError> {
        let exogenous = &self.exogenous;
        if !exogenous.car_supply_kw.is_empty() {
            length("supply of cars", exogenous.car_supply_kw.len(), self.slots())?;
        }
        finite("net load after the last slot", std::slice::from_ref(&exogenous.net_load_next_kw))?;
        finite("load", &exogenous.load_kw)
    }
}
