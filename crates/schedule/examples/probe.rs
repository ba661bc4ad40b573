use voltide_schedule::*;
fn main() {
    let mut worst = 0;
    for (name, f) in [("flat", 0.0), ("slope", 0.001), ("noise", 1.0)] {
        for start in [60.0, 59.0, 50.0, 30.0, 13.0] {
            for eta in [0.95, 0.99] {
            let mut z = 12345u64;
            let prices: Vec<f64> = (0..96).map(|t| { z = z.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); -0.4 + if f == 1.0 { 0.2 * ((z >> 33) as f64 / 2f64.powi(31)) } else { f * t as f64 } }).collect();
            for cap in [60.0, 20.0] {
            let p = StorageProblem { slot_hours: 0.25, buy: &prices, sell: &prices, degradation: 0.01, charge_kw_max: PerSlot::Same(7.0), discharge_kw_max: PerSlot::Same(7.0), energy_kwh_min: PerSlot::Same(12.0), energy_kwh_max: PerSlot::Same(cap), energy_kwh: f64::min(start, cap), target_kwh: f64::min(start, cap), charge_efficiency: eta, discharge_efficiency: eta, terminal_value: 0.0, tie: TieRule::Spread };
            let mut s = Solver::default(); let mut pw = vec![0.0; 96];
            let t = std::time::Instant::now();
            let a = s.solve(&p, Method::Exact, Options { nodes: 2_000_000, ..Options::default() }, &mut pw).unwrap();
            worst = worst.max(s.nodes());
            println!("{name} start {start} cap {cap} eta {eta}: {:?} obj {:.6} nodes {} {:?}", a.outcome, a.objective, s.nodes(), t.elapsed());
            }}
        }
    }
    println!("worst {worst}");
}
