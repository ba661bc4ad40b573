use super::{config::PeakPrice, *};
use voltide_policy::{
    policy::from_config,
    testing::{Car, ObservationBuilder},
};

fn world() -> World {
    World { currency: "EUR".into(), series: vec!["plan".into(), "street".into()], has_plant: false }
}

fn entered(config: &str) -> Result<Coordinated, ConfigError> {
    let mut policy: Coordinated = from_config(config)?;
    policy.enter(&world(), config)?;
    Ok(policy)
}

/// What a config is refused for, and the text from the error's place on.
fn refused(config: &str) -> String {
    let ConfigError { message, offset } = entered(config).unwrap_err();
    format!("{message} at {}", offset.map_or("no place", |offset| &config[offset..]))
}

#[test]
fn an_objective_is_read_with_what_it_needs() {
    let objective = |config: &str| entered(config).unwrap().objective;
    assert_eq!(objective("()"), Objective::Cost);
    assert_eq!(objective("(objective: Valley, discharge: true, share: Even)"), Objective::Valley);
    let price = |per_kw| PeakPrice { per_kw, currency: "EUR".into() };
    assert_eq!(
        objective("(objective: Peak(price: \"120 EUR/kW\"))"),
        Objective::Peak { price: price(120.0) }
    );
    assert_eq!(
        objective("(objective: Peak(price: \"120 EUR/MW\"))"),
        Objective::Peak { price: price(0.12) }
    );
}

#[test]
fn an_objective_without_what_it_needs_is_refused_at_its_place() {
    let followed =
        "the world has no series `plam`; in its `series`: `plan`, `street` at \"plam\"))";
    assert_eq!(refused("(objective: Follow(\"plam\"))"), followed);
    let priced = "the price is in CNY, the world's money is EUR at price: \"120 CNY/kW\"))";
    assert_eq!(refused("(objective: Peak(price: \"120 CNY/kW\"))"), priced);
    assert!(refused("(objective: Peak(price: \"120 EUR\"))").contains("is no price of power"));
    assert!(refused("(objective: Peak(price: \"-1 EUR/kW\"))").contains("is no price of power"));
    assert!(refused("(objective: Peak(price: \"NaN EUR/kW\"))").contains("is no price of power"));
    assert!(refused("(objective: Peak)").contains("at"));
}

/// Two cars at two sites, one below the other, in four slots.
fn shown() -> ObservationBuilder {
    let at = |site_id| Car { site_id, departure_slot: 4, ..Car::default() };
    let mut shown = ObservationBuilder::new(4).car(at(1)).car(at(NO_SITE));
    shown.net_load_kw = vec![10.0, 30.0, 20.0, 40.0];
    shown.committed_ev_kw = vec![7.0; 4];
    shown.others_ev_kw = vec![2.0; 4];
    shown.parent_site = vec![NO_SITE, 0];
    shown.site_import_kw_max = vec![50.0; 8];
    shown.site_export_kw_max = vec![0.0; 8];
    shown.site_others_kw = vec![1.0; 8];
    shown.series_kw = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    shown
}

#[test]
fn the_system_is_the_root_of_all_sites() {
    let mut shown = shown();
    shown.shown = Shown::Fleet;
    let system = System::of(&shown.build(), &Objective::Valley);
    assert_eq!((system.index(), &*system.site_id), (2, &[1, 2][..]));
    assert_eq!(system.parent_site, [2, 0, NO_SITE]);
    assert_eq!(system.kw(), [12.0, 32.0, 22.0, 42.0]);
    assert_eq!(system.import_kw_max[7..9], [50.0, f64::INFINITY]);
    let followed =
        System::of(&shown.build(), &entered("(objective: Follow(\"street\"))").unwrap().objective);
    assert_eq!(followed.kw(), [2.0; 4], "a fleet that follows leaves the load alone");
}

#[test]
fn who_is_due_is_planned_beside_all_others_and_without_sites() {
    let system = System::of(&shown().build(), &Objective::Valley);
    assert_eq!((system.index(), &*system.site_id), (0, &[0, 0][..]));
    assert_eq!(system.kw(), [12.0, 32.0, 22.0, 42.0]);
}

#[test]
fn each_objective_is_a_cost_of_the_system() {
    let shown = shown();
    let seen = shown.build();
    let given = [12.0, 32.0, 22.0, 42.0];
    let cost = |config: &str| entered(config).unwrap().objective.cost(&seen, &given).unwrap();
    assert_eq!(cost("()"), None);
    let valley = Some(PowerCost::Square { price_per_kwh_kw: 1.0, anchor_kw: 12.0 });
    assert_eq!(cost("(objective: Valley)"), valley);
    let series_kw = &[5.0, 6.0, 7.0, 8.0][..];
    let follow = Some(PowerCost::Follow { series_kw, price_per_kwh: 1.0 });
    assert_eq!(cost("(objective: Follow(\"street\"))"), follow);
}
