//! The table `sessions`: a row each time that a car was plugged in.

use crate::{
    rows::rows,
    sessions::SessionRow,
    value::{Time, Word},
};
use voltide_model::scenario::Scenario;

rows! {
    /// One row per time that a car was plugged in: in order of unplugging, then those still open at
    /// the end. A stay that holds no whole slot is told too: with its own times, no energy, and 0
    /// `slots`. Recorded sessions that reach into the run without a slot of it, at its very start
    /// or end, have no row; the summary counts them.
    pub sessions by session_id {
        /// the session; the same number as its stay's, and negative where that holds no whole slot
        session_id: i32;
        /// the car
        ev_id: u32;
        /// the charger
        charger_id: u32;
        /// start of the first slot plugged in; without a whole slot the arrival
        plugged_at: Time;
        /// end of the last slot plugged in; without a whole slot the departure; null while open
        unplugged_at: Option<Time>;
        /// state of charge (0..1) on arrival
        soc_arrival: f64;
        /// state of charge (0..1) wanted at departure
        soc_target: f64;
        /// state of charge (0..1) at departure; null while open
        soc_departure: Option<f64>;
        /// energy charged, grid side
        charged_kwh: f64 = "kWh";
        /// energy discharged, grid side; not negative
        discharged_kwh: f64 = "kWh";
        /// stored energy driven since the session before
        driven_kwh: f64 = "kWh";
        /// paid for energy charged
        energy_cost: f64 = "currency";
        /// earned by energy discharged
        v2g_revenue: f64 = "currency";
        /// wear by energy discharged
        degradation_cost: f64 = "currency";
        /// energy_cost - v2g_revenue + degradation_cost
        net_cost: f64 = "currency", sign("positive is paid by the driver");
        /// whether the stay is long enough to discharge: between arrival and announced departure
        /// there is time to empty the battery as far as V2G may and to fill it again, whatever the
        /// driver says; null where the charger cannot discharge
        v2g_eligible: Option<bool>;
        /// why the target was missed: removed, left_early (by the announced departure the car could
        /// still have reached it), too_short (full power would not have been enough, or there was
        /// no whole slot), site_limit or schedule; null where it was met
        missed_reason: Option<Word>;
        /// reservations that fell into the session; one that falls into several of a car counts in
        /// the last; null where the fleet has none
        reservations: Option<u32>;
        /// those whose state of charge was there at every slot's end from their first to their last
        /// at which the car was plugged in; null where the fleet has none
        reservations_met: Option<u32>;
        /// the car's fleet
        fleet: Word;
        /// slots plugged in, up to now while open; 0 where the stay holds no whole slot, so that
        /// nothing could be charged
        slots: u32;
        /// stored energy missing to the target at departure; 0 where it was met; null while open
        missing_kwh: Option<f64> = "kWh";
        /// number of the car in its fleet, from 0; with the fleet's name it keys the car's draws
        car: u32;
        /// energy charged, on the battery's side: less than charged_kwh by what is lost
        stored_kwh: f64 = "kWh";
        /// energy discharged, on the battery's side: more than discharged_kwh by what is lost
        drawn_kwh: f64 = "kWh";
        /// energy that the recorded session asked for, grid side, as it was recorded; null where
        /// the fleet is not of recorded sessions
        requested_kwh: Option<f64> = "kWh";
    }
}

impl<'a> Row<'a> {
    /// The row of a session that ended, or that is open at the end.
    pub(crate) fn of(session: &SessionRow, scenario: &'a Scenario) -> Self {
        let (plugged_at, unplugged_at) = session.times(&scenario.clock);
        let bill = &session.bill;
        Self {
            session_id: session.session,
            ev_id: session.ev.0,
            charger_id: session.charger.0,
            plugged_at: Time(plugged_at),
            unplugged_at: unplugged_at.map(Time),
            soc_arrival: session.soc_arrival,
            soc_target: session.soc_target,
            soc_departure: session.soc_departure,
            charged_kwh: bill.ledger.charged_kwh,
            discharged_kwh: bill.ledger.discharged_kwh,
            driven_kwh: session.driven_kwh,
            energy_cost: bill.ledger.energy_cost,
            v2g_revenue: bill.ledger.v2g_revenue,
            degradation_cost: bill.degradation_cost,
            net_cost: bill.net_cost(),
            v2g_eligible: session.v2g_eligible,
            missed_reason: session.missed.map(|missed| missed.reason),
            reservations: session.reservations.map(|(all, _)| all),
            reservations_met: session.reservations.map(|(_, met)| met),
            fleet: &scenario.fleets[session.fleet].name,
            slots: session.slots,
            missing_kwh: session.missing_kwh(),
            car: session.car,
            stored_kwh: bill.stored_kwh,
            drawn_kwh: bill.drawn_kwh,
            requested_kwh: session.requested_kwh,
        }
    }
}
