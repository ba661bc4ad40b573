//! Kinds `price`, (1) to (4), and `willingness`, (6) to (10): pure arithmetic.

use super::{Case, Disagreement, agree, all_agree, number, numbers};
use chrono_tz::UTC;
use serde_json::Value;
use voltide_model::{
    clock::Clock,
    price::{IncentiveRule, LocalDays, net_load},
    quantity::Share,
    willingness::{Logistic, Willingness},
};

pub(crate) fn prices(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected, tolerance) = (case.inputs(), case.expected(), case.tolerance());
    let series = |name: &str| numbers(&inputs[name]);
    let (base, wind, pv, tou) =
        (series("base_kw"), series("wind_kw"), series("pv_kw"), series("tou"));
    let net_load_kw: Vec<f64> =
        (0..base.len()).map(|slot| net_load(base[slot], wind[slot], pv[slot])).collect();
    let slot_seconds = (number(&inputs["dt_h"]) * 3600.0).round() as u32;
    let days = (base.len() as u32 * slot_seconds).div_ceil(24 * 3600);
    let clock =
        Clock::new("2024-01-01T00:00:00".parse().unwrap(), UTC, slot_seconds, days).unwrap();
    let rule = IncentiveRule { rho: number(&inputs["rho"]), floor: inputs["floor"].as_f64() };
    let days = LocalDays::covering(&clock, clock.slots);
    let signal = rule.signal(&net_load_kw, &days).map_err(|error| error.to_string())?;
    agree("p_ap", signal.mean_kw[0], number(&expected["p_ap"]), tolerance)?;
    all_agree("k", &signal.k, &numbers(&expected["k"]), tolerance)?;
    let price: Vec<f64> = signal.k.iter().zip(&tou).map(|(&k, &tou)| rule.price(k, tou)).collect();
    all_agree("lambda_j", &price, &numbers(&expected["lambda_j"]), tolerance)
}

pub(crate) fn willingness(case: &Case) -> Result<(), Disagreement> {
    let (inputs, expected, tolerance) = (case.inputs(), case.expected(), case.tolerance());
    let willingness = curves(&inputs["logistic"]);
    let gamma = Share::new(number(&inputs["gamma"])).unwrap();
    for (row, eps) in numbers(&inputs["eps"]).into_iter().enumerate() {
        let band = willingness.band(eps);
        let row_of = |name: &str| number(&expected[name][row]);
        agree("mu", band.mean, row_of("mu"), tolerance)?;
        agree("sigma", band.deviation, row_of("sigma"), tolerance)?;
        agree(
            "share above gamma",
            band.share_above(gamma),
            row_of("share_above_gamma"),
            tolerance,
        )?;
        let p: Vec<f64> =
            numbers(&inputs["z"]).iter().map(|&z| willingness.sample(eps, z)).collect();
        all_agree("p", &p, &numbers(&expected["p"][row]), tolerance)?;
    }
    Ok(())
}

/// The two curves of (6) and (7).
pub(crate) fn curves(logistic: &Value) -> Willingness {
    let curve = |name: &str| {
        let part = |letter: char| number(&logistic[format!("{letter}_{name}")]);
        Logistic { a: part('a'), b: part('b'), c: part('c') }
    };
    Willingness::new(curve("op"), curve("pess")).unwrap()
}
