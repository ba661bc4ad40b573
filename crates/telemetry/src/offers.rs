//! What cars could add to their schedules or take off them for a while, together.

use voltide_model::{
    chance::ChanceSum,
    clock::Clock,
    columns::{Outlook, SiteTick},
    id::SiteId,
    scenario::Scenario,
    site::Site,
};

/// The whiles that are offered, in minutes.
pub(crate) const WHILES: [u32; 3] = [15, 60, 240];

/// How many slots each of the whiles takes: at least one.
pub(crate) fn slots_of_whiles(clock: &Clock) -> [u32; 3] {
    WHILES.map(|minutes| (60 * minutes).div_ceil(clock.slot_seconds))
}

/// What can be taken off, kW.
#[derive(Debug, Clone, Default)]
pub(crate) struct TakenOff {
    /// If all drivers agreed.
    pub(crate) all_kw: f64,
    /// As they do agree.
    pub(crate) agreed_kw: f64,
    /// By how likely they are to agree.
    pub(crate) chances: ChanceSum,
}

/// What one car could take off in a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CarTakenOff {
    /// Without its driver's leave to discharge, kW.
    pub(crate) without_kw: f64,
    /// With it.
    pub(crate) with_kw: f64,
    /// Whether it is given in the whole while.
    pub(crate) agreed: bool,
    /// How likely that was.
    pub(crate) chance: f64,
}

/// What a group offers in each of the whiles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offer {
    /// Power that can be added, kW.
    pub(crate) added_kw: [f64; 3],
    pub(crate) taken_off: [TakenOff; 3],
}

/// What a site has left beside all schedules behind it, in each of the whiles, kW; not negative.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Headroom {
    /// Up to its import limit.
    import_kw: [f64; 3],
    /// Down to its export limit.
    export_kw: [f64; 3],
}

impl Offer {
    /// Counts what a car could do in one of the whiles.
    pub(crate) fn add(&mut self, of_while: usize, added_kw: f64, car: CarTakenOff) {
        self.added_kw[of_while] += added_kw;
        let sums = &mut self.taken_off[of_while];
        sums.all_kw += car.with_kw;
        sums.agreed_kw += if car.agreed { car.with_kw } else { car.without_kw };
        sums.chances.add(car.without_kw, car.with_kw, car.chance);
    }

    /// Adds what others offer.
    pub(crate) fn join(&mut self, other: &Self) {
        for of_while in 0..WHILES.len() {
            self.added_kw[of_while] += other.added_kw[of_while];
            let (sums, others) = (&mut self.taken_off[of_while], &other.taken_off[of_while]);
            sums.all_kw += others.all_kw;
            sums.agreed_kw += others.agreed_kw;
            sums.chances.join(&others.chances);
        }
    }

    /// No more than a site has left.
    pub(crate) fn limit(&mut self, head: &Headroom) {
        for of_while in 0..WHILES.len() {
            let added_kw = &mut self.added_kw[of_while];
            *added_kw = added_kw.min(head.import_kw[of_while]);
            let export_kw = head.export_kw[of_while];
            let sums = &mut self.taken_off[of_while];
            sums.all_kw = sums.all_kw.min(export_kw);
            sums.agreed_kw = sums.agreed_kw.min(export_kw);
            sums.chances.limit(export_kw);
        }
    }
}

/// What all sites have left from a slot on, that of the tick, in which they have this load. Beyond
/// the run's end nothing stands behind them.
pub(crate) fn headrooms(
    scenario: &Scenario,
    tick: u32,
    loads: &[SiteTick],
    outlook: &dyn Outlook,
) -> Vec<Headroom> {
    let whiles = slots_of_whiles(&scenario.clock);
    let last = (tick + whiles[2]).min(scenario.clock.slots).max(tick + 1);
    let head = |(number, (site, load)): (u32, (&Site, &SiteTick))| {
        let mut head = Headroom::default();
        let (mut lowest, mut highest) = (load.power_kw, load.power_kw);
        let mut seen = 0;
        for slot in tick..last {
            if slot > tick {
                let kw = outlook.site_kw(SiteId(number), slot);
                (lowest, highest) = (lowest.min(kw), highest.max(kw));
            }
            seen += 1;
            for (of_while, &slots) in whiles.iter().enumerate() {
                if seen <= slots {
                    head.import_kw[of_while] = (site.import_limit.0 - highest).max(0.0);
                    head.export_kw[of_while] = (site.export_limit.0 + lowest).max(0.0);
                }
            }
        }
        head
    };
    (0..).zip(scenario.sites.iter().zip(loads)).map(head).collect()
}
