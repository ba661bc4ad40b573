//! Optimal schedules.
#[cfg(feature = "bundled-cbc")]
extern crate cbc_src as _;
#[cfg(test)]
mod tests {
    use good_lp::{Solution, SolverModel, coin_cbc, constraint, variable, variables};
    #[test]
    fn cbc_is_linked() {
        variables! { vars: 0 <= a <= 3; }
        let _ = variable();
        let s = vars.maximise(a).using(coin_cbc).with(constraint!(a <= 2)).solve().unwrap();
        assert!((s.value(a) - 2.0).abs() < 1e-9);
    }
}
