//! The bills of all drivers, gathered for whoever compares runs.

use crate::sessions::SessionRow;
use voltide_model::{
    clock::Clock,
    saving::{Bills, FleetBill, StayBill, StayKey},
    scenario::Scenario,
};

/// Bills in the making.
pub(crate) struct BillBook {
    clock: Clock,
    bills: Bills,
}

impl BillBook {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let named = |name: &String| FleetBill { name: name.clone(), ..FleetBill::default() };
        let fleets = scenario.fleets.iter().map(|fleet| named(&fleet.name)).collect();
        Self { clock: scenario.clock, bills: Bills { seed: scenario.seed, fleets } }
    }

    /// Adds a session that ended, or that is open at the end.
    pub(crate) fn session(&mut self, row: &SessionRow) {
        let fleet = &mut self.bills.fleets[row.fleet];
        let bill = &row.bill;
        fleet.charged.add(bill.stored_kwh, bill.ledger.energy_cost);
        fleet.discharged.add(bill.drawn_kwh, bill.ledger.v2g_revenue);
        let (plugged_at, unplugged_at) = row.times(&self.clock);
        let key = StayKey { car: row.car, plugged_at, unplugged_at };
        let gained_kwh = bill.stored_kwh - bill.drawn_kwh;
        fleet.stays.push((key, StayBill { net_cost: bill.net_cost(), gained_kwh }));
    }

    /// The bills, in order.
    pub(crate) fn finish(mut self) -> Bills {
        self.bills.sort();
        self.bills
    }
}
