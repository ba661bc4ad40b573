//! What a connection carries in a whole run, in both directions.

use crate::{
    program::{root, run, succeed, voltide},
    tables::{column, words},
};
use std::path::Path;

/// The street's drivers, most of whom agree in the evening, behind one connection and half of them
/// behind another one first.
const SETS: [&str; 6] = [
    r#"sites.street=(import_limit: "150 kW", export_limit: "20 kW")"#,
    r#"sites.house=(import_limit: "100 kW", export_limit: "12 kW", parent: "street")"#,
    "fleets.commuters.willingness.participation=Threshold(0.3)",
    "fleets.commuters.battery.degradation=0.05 CNY/kWh",
    "fleets.commuters.charger.site=street",
    "fleets.commuters.count=30",
];

/// Power that chargers ask for and that flows, kW, at one site slot by slot.
fn of_site(run: &Path, site: &str) -> Vec<(f64, f64)> {
    let names = words(run, "site_ticks", "site");
    let [asked, power] = ["asked_kw", "power_kw"].map(|name| column(run, "site_ticks", name));
    let of_site = (0..names.len()).filter(|&row| names[row] == site);
    of_site.map(|row| (asked[row], power[row])).collect()
}

#[test]
fn no_more_is_fed_in_than_a_connection_takes() {
    let out = tempfile::tempdir().unwrap();
    let neighbours = format!(
        "fleets.neighbours={}",
        r#"(count: 20, battery: (capacity: "60 kWh", soc_min: 0.2),
            charger: (charge_max: "7 kW", discharge_max: "7 kW", site: "house"),
            stays: Overnight(arrive: Normal(mean: "17:30", sd: "30 min"), leave: "07:00"),
            trip_energy: "5 kWh", soc_on_arrival: 0.9, departure_soc: 0.6)"#
    );
    for planning in ["planning=AtPlugIn", "planning=AtDayStart"] {
        for policy in ["v2g", "threshold"] {
            let sets = SETS.iter().copied().chain([neighbours.as_str(), planning]);
            let mut arguments = vec!["--policy", policy];
            arguments.extend(sets.flat_map(|set| ["--set", set]));
            let run = run("worlds/v2g-street.ron", out.path(), &arguments);
            // Policies that are shown whole trees ask for no more than there is.
            let keeps_limits = policy == "v2g";
            for (site, import_kw, export_kw) in [("street", 150.0, 20.0), ("house", 100.0, 12.0)] {
                let slots = of_site(&run, site);
                let cut = slots.iter().filter(|(asked, _)| *asked < -export_kw - 1.0).count();
                assert!(
                    if keeps_limits { cut == 0 } else { cut > 2 },
                    "{policy} {planning}: {site} is asked for too much in {cut} slots"
                );
                for (slot, (asked, power)) in slots.into_iter().enumerate() {
                    let within = -export_kw - 1e-6..=import_kw + 1e-6;
                    assert!(
                        within.contains(&power),
                        "{policy} {planning}: {site} {slot}: {power} kW"
                    );
                    let kept = within.contains(&asked) || power.abs() > 0.0;
                    assert!(kept, "{policy} {planning}: {site} {slot}: {asked} kW became none");
                }
            }
            succeed(voltide().args(["replay", "--verify"]).arg(root().join(&run)));
        }
    }
}
