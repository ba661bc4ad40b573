//! Chargers, and the connections that they share.

use crate::{id::SiteId, quantity::Kilowatts};

/// The equipment that feeds one car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Charger {
    /// Most it charges with, not negative.
    pub charge_max: Kilowatts,
    /// Most it discharges with, not negative; 0 where it cannot.
    pub discharge_max: Kilowatts,
    /// The site behind whose limit it stands.
    pub site: Option<SiteId>,
}

/// Chargers behind one connection with a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its name in the world file.
    pub name: String,
    /// Most that all its chargers may draw together, not negative.
    pub import_limit: Kilowatts,
    /// Most that they may feed in together, not negative.
    pub export_limit: Kilowatts,
    /// The site that this one is connected through, always an earlier one in the scenario.
    pub parent: Option<SiteId>,
}
