//! What can be run as it is, but is hardly meant: warnings.

use super::Resolver;
use crate::file::{ChargerFile, FleetFile, SiteFile, StaysFile};
use ron_places::{Key, Named, Spanned, Try};
use std::collections::BTreeSet;
use voltide_model::{
    battery::Battery, distribution::Distribution, fleet::Fleet, quantity::Kilowatts,
    scenario::Scenario, scenario::Tariff,
};

/// What rounding leaves of a share.
const ROUNDING: f64 = 1e-9;
/// Standard deviations within which a normal distribution lies for all that matters.
const DEVIATIONS: f64 = 3.0;

impl Resolver<'_> {
    /// Warns of what a sound world hardly means.
    pub(super) fn warn(&mut self, scenario: &Scenario) {
        self.warn_of_fleets(&scenario.fleets);
        self.warn_of_unused_tariffs();
        self.warn_of_sites();
        self.warn_of_free_money(scenario);
    }

    fn warn_of_fleets(&mut self, fleets: &[Fleet]) {
        let files = self.file.fleets.get().map_or(&[][..], |fleets| &fleets.0);
        for ((key, file), fleet) in files.iter().zip(fleets) {
            let Some(file) = file.get() else { continue };
            self.warn_of_target(key, file, fleet);
        }
    }

    /// A target that lies below what no car may be discharged to asks for nothing.
    fn warn_of_target(&mut self, key: &Key, file: &FleetFile, fleet: &Fleet) {
        let low = usual_low(&fleet.departure_soc);
        let soc_min = fleet.battery.soc_min.get();
        let target = file.departure_soc.get().and_then(Option::as_ref);
        let Some(target) = target.filter(|_| low < soc_min - ROUNDING) else { return };
        let message =
            format!("`fleets.{}.departure_soc` is {low:.3} where `soc_min` is {soc_min}", key.name);
        let help = "a car is never below `soc_min` by its own doing, so that such a target asks \
                    for nothing; raise it, or lower `soc_min`";
        self.report.warn(target.place, message, "below `soc_min`", help);
    }

    fn warn_of_unused_tariffs(&mut self) {
        let Some(tariffs) = self.file.tariffs.get() else { return };
        let fleets = self.file.fleets.get().map_or(&[][..], |fleets| &fleets.0);
        let used: BTreeSet<&str> = fleets
            .iter()
            .filter_map(|(_, fleet)| Some(fleet.get()?.tariff.get()?.as_ref()?.as_str()))
            .collect();
        for (key, _) in tariffs.0.iter().filter(|(key, _)| !used.contains(key.name.as_str())) {
            let message = format!("no fleet has the tariff `{}`", key.name);
            let help = format!("give a fleet `tariff: \"{}\"`, or remove it", key.name);
            self.report.warn(key.place, message, "not used", help);
        }
    }

    /// Sites without chargers, and those at which no car ever gets what its charger can.
    fn warn_of_sites(&mut self) {
        let file = self.file;
        let Some(sites) = file.sites.get() else { return };
        let fleets = file.fleets.get().map_or(&[][..], |fleets| &fleets.0);
        let mut chargers_behind: Vec<Vec<&ChargerFile>> = vec![Vec::new(); sites.0.len()];
        for charger in fleets.iter().filter_map(|(_, fleet)| fleet.get()).flat_map(chargers) {
            for site in charger.site.iter().flat_map(|name| up_from(name, sites)) {
                chargers_behind[site].push(charger);
            }
        }
        for ((key, site), behind) in sites.0.iter().zip(chargers_behind) {
            let Some(site) = site.get() else { continue };
            if behind.is_empty() {
                let message = format!("no charger stands behind site `{}`", key.name);
                let help = format!("give a charger `site: \"{}\"`, or remove the site", key.name);
                self.report.warn(key.place, message, "not used", help);
            }
            self.warn_of_limit(
                &site.import_limit,
                "import_limit",
                behind.iter().map(|it| most_charge(it)),
            );
            // A limit of 0 is a way to say that nothing is fed in, and is meant.
            if let Some(limit) = site.export_limit.as_ref().filter(|limit| limit.0 > 0.0) {
                self.warn_of_limit(
                    limit,
                    "export_limit",
                    behind.iter().map(|it| most_discharge(it)),
                );
            }
        }
    }

    /// Warns of a limit that lies below the least of the `powers` behind it.
    fn warn_of_limit(
        &mut self,
        limit: &Spanned<Kilowatts>,
        field: &str,
        powers: impl Iterator<Item = f64>,
    ) {
        // A charger without power in this direction has none that the limit could hold back.
        let least = powers.filter(|power| *power > 0.0).fold(f64::INFINITY, f64::min);
        if limit.0 < least && least.is_finite() {
            let message = format!(
                "`{field}` is {} kW, and the least charger behind it has {least} kW",
                limit.0
            );
            let help = "not even one car alone gets the power of its charger; is the unit right?";
            self.report.warn(limit.place, message, "below every charger", help);
        }
    }

    /// Tariffs by which a car that charges and discharges in one and the same slot earns money.
    fn warn_of_free_money(&mut self, scenario: &Scenario) {
        for (index, tariff) in (0..).zip(&scenario.tariffs) {
            let earning = scenario
                .fleets
                .iter()
                .filter(|fleet| fleet.tariff == index && can_discharge(fleet))
                .find_map(|fleet| earns_at(tariff, &fleet.battery));
            let Some(slot) = earning else { continue };
            let place = match index.checked_sub(1) {
                None => self.file.feed_in.get().and_then(|sell| Some(sell.as_ref()?.place)),
                Some(named) => self.file.tariffs.get().and_then(|tariffs| {
                    Some(tariffs.0.get(named as usize)?.1.get()?.sell.as_ref()?.place)
                }),
            };
            // Without a price of its own, what is fed in earns what is paid for a kWh, and never
            // more.
            let Some(place) = place else { continue };
            let at = slot as usize;
            let message = format!(
                "at {} a kWh that is fed in earns {}, and one that is bought costs {} {}",
                scenario.clock.local(slot).format("%Y-%m-%d %H:%M"),
                tariff.sell.values[at],
                tariff.buy.values[at],
                tariff.buy.unit,
            );
            let help = "cars that charge and discharge in turn make money from nothing; give what \
                        is fed in a price below that of what is bought, less losses and wear";
            self.report.warn(place, message, "above the price of a kWh bought", help);
        }
    }
}

/// All chargers that a fleet's cars park at.
fn chargers(fleet: &FleetFile) -> Vec<&ChargerFile> {
    let at_work = match fleet.stays.get() {
        Some(StaysFile::Commute(commute)) => commute.work.charger.as_ref(),
        Some(
            StaysFile::Overnight(_)
            | StaysFile::Workplace(_)
            | StaysFile::Sessions(_)
            | StaysFile::Listed(_),
        )
        | None => None,
    };
    fleet.charger.get().into_iter().chain(at_work).collect()
}

/// Most that a charger draws, kW.
fn most_charge(charger: &ChargerFile) -> f64 {
    charger.connection.as_ref().map_or(f64::INFINITY, |power| power.0).min(charger.charge_max.0)
}

/// Most that a charger feeds in, kW.
fn most_discharge(charger: &ChargerFile) -> f64 {
    let most = charger.discharge_max.as_ref().map_or(0.0, |power| power.0);
    charger.connection.as_ref().map_or(f64::INFINITY, |power| power.0).min(most)
}

/// Where a site stands, the one that it is connected through, and so on.
fn up_from(site: &str, sites: &Named<Try<SiteFile>>) -> impl Iterator<Item = usize> {
    // A sound world has no site that is connected through itself.
    std::iter::successors(sites.position(site), |&at| {
        sites.position(sites.0[at].1.get()?.parent.as_ref()?)
    })
}

/// Whether any of the fleet's chargers feeds in.
fn can_discharge(fleet: &Fleet) -> bool {
    fleet.parking.chargers().any(|charger| charger.discharge_max.0 > 0.0)
}

/// The first slot in which a kWh that is bought and what is left of it sold at once earn money.
/// Where a price is below 0 for both, taking energy is paid for, and that is meant.
fn earns_at(tariff: &Tariff, battery: &Battery) -> Option<u32> {
    let kept = battery.charge_efficiency.get() * battery.discharge_efficiency.get();
    let earns = |(buy, sell): (&f64, &f64)| {
        sell > buy && kept * (sell - battery.degradation_per_kwh) > *buy
    };
    tariff.buy.values.iter().zip(tariff.sell.values.iter()).position(earns).map(|slot| slot as u32)
}

/// The lowest value that occurs often enough to matter.
fn usual_low(values: &Distribution) -> f64 {
    match values {
        Distribution::Normal { mean, sd, min, max: _ } => min.max(mean - DEVIATIONS * sd),
        Distribution::Fixed(_) | Distribution::Uniform { .. } | Distribution::Empirical(_) => {
            values.bounds().0
        }
    }
}
