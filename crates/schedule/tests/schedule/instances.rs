//! Storage problems that own their data, and random ones.

use voltide_schedule::{Method, Options, PerSlot, Solver, StorageAnswer, StorageProblem, TieRule};

/// A storage problem with its own vectors.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) slot_hours: f64,
    pub(crate) buy: Vec<f64>,
    pub(crate) sell: Vec<f64>,
    pub(crate) degradation: f64,
    pub(crate) charge_kw: Vec<f64>,
    pub(crate) discharge_kw: Vec<f64>,
    pub(crate) least: Vec<f64>,
    pub(crate) most: Vec<f64>,
    pub(crate) energy: f64,
    pub(crate) target: f64,
    pub(crate) charge_efficiency: f64,
    pub(crate) discharge_efficiency: f64,
    pub(crate) terminal_value: f64,
    pub(crate) load: Vec<f64>,
}

impl Instance {
    /// A 60 kWh car with 7 kW in both directions and one price for buying and selling.
    pub(crate) fn car(prices: &[f64], energy: f64, target: f64) -> Self {
        let slots = prices.len();
        Self {
            slot_hours: 0.25,
            buy: prices.to_vec(),
            sell: prices.to_vec(),
            degradation: 0.0,
            charge_kw: vec![7.0; slots],
            discharge_kw: vec![7.0; slots],
            least: vec![12.0; slots],
            most: vec![60.0; slots],
            energy,
            target,
            charge_efficiency: 0.95,
            discharge_efficiency: 0.95,
            terminal_value: 0.0,
            load: vec![0.0; slots],
        }
    }

    pub(crate) fn without_discharge(mut self) -> Self {
        self.discharge_kw.fill(0.0);
        self
    }

    pub(crate) fn problem(&self) -> StorageProblem<'_> {
        StorageProblem {
            slot_hours: self.slot_hours,
            buy: &self.buy,
            sell: &self.sell,
            degradation: self.degradation,
            charge_kw_max: PerSlot::Each(&self.charge_kw),
            discharge_kw_max: PerSlot::Each(&self.discharge_kw),
            energy_kwh_min: PerSlot::Each(&self.least),
            energy_kwh_max: PerSlot::Each(&self.most),
            energy_kwh: self.energy,
            target_kwh: self.target,
            charge_efficiency: self.charge_efficiency,
            discharge_efficiency: self.discharge_efficiency,
            terminal_value: self.terminal_value,
            tie: TieRule::Spread,
            load_kw: &self.load,
        }
    }

    pub(crate) fn with(&self, tie: TieRule, method: Method) -> (StorageAnswer, Vec<f64>) {
        solve(&StorageProblem { tie, ..self.problem() }, method)
    }

    pub(crate) fn solve(&self, method: Method) -> (StorageAnswer, Vec<f64>) {
        solve(&self.problem(), method)
    }
}

pub(crate) fn solve(problem: &StorageProblem<'_>, method: Method) -> (StorageAnswer, Vec<f64>) {
    let mut power = vec![0.0; problem.slots()];
    let answer = Solver::default().solve(problem, method, Options::default(), &mut power).unwrap();
    (answer, power)
}

/// Random numbers that are the same on every machine (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    pub(crate) fn pick(&mut self, of: &[f64]) -> f64 {
        of[self.below(of.len())]
    }
}

/// How prices are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Prices {
    Positive,
    MildlyNegative,
    DeeplyNegative,
}

impl Prices {
    pub(crate) fn of(index: usize) -> Self {
        [Self::Positive, Self::MildlyNegative, Self::DeeplyNegative][index % 3]
    }

    fn lowest(self) -> f64 {
        match self {
            Self::Positive => 0.05,
            Self::MildlyNegative => -0.05,
            Self::DeeplyNegative => -0.5,
        }
    }
}

/// A random problem: 4 charger sizes, 4 discharge sizes, willingness masks, time-varying bounds,
/// ties among prices, unequal prices, terminal values, and targets that may be too far.
pub(crate) fn random(random: &mut Random, prices: Prices, slots: usize) -> Instance {
    let levels: Vec<f64> = (0..6).map(|_| random.between(prices.lowest(), 0.6)).collect();
    let stepped = random.below(2) == 0;
    let price = |random: &mut Random| {
        if stepped { random.pick(&levels) } else { random.between(prices.lowest(), 0.6) }
    };
    let buy: Vec<f64> = (0..slots).map(|_| price(random)).collect();
    let spread = random.pick(&[0.0, 0.0, 0.05, 0.2]);
    let capacity = random.pick(&[20.0, 40.0, 60.0, 90.0]);
    let (charge, discharge) =
        (random.pick(&[3.7, 7.0, 11.0, 22.0]), random.pick(&[0.0, 3.7, 7.0, 11.0]));
    let (low, high) = (random.between(0.0, 0.3) * capacity, random.between(0.8, 1.0) * capacity);
    let masked = random.below(2) == 0;
    let bounded = random.below(3) == 0;
    let open = |random: &mut Random| if masked && random.below(3) == 0 { 0.0 } else { 1.0 };
    let mut instance = Instance {
        slot_hours: random.pick(&[0.25, 0.5, 1.0]),
        sell: buy.iter().map(|price| price - spread).collect(),
        degradation: random.pick(&[0.0, 0.05, 0.15, 0.4]),
        charge_kw: (0..slots)
            .map(|_| charge * if random.below(12) == 0 { 0.5 } else { 1.0 })
            .collect(),
        discharge_kw: (0..slots).map(|_| discharge * open(random)).collect(),
        least: vec![low; slots],
        most: vec![high; slots],
        energy: random.between(low, high),
        target: random.between(low, high * 1.05),
        charge_efficiency: random.pick(&[0.85, 0.9, 0.95, 1.0]),
        discharge_efficiency: random.pick(&[0.85, 0.9, 0.95, 1.0]),
        terminal_value: random.pick(&[0.0, 0.0, 0.1, 0.3, -0.1]),
        load: (0..slots).map(|_| random.between(-3.0, 5.0)).collect(),
        buy,
    };
    if bounded {
        narrow(random, &mut instance);
    }
    instance
}

/// Raises the floor and lowers the ceiling in some slots.
fn narrow(random: &mut Random, instance: &mut Instance) {
    for slot in 0..instance.buy.len() {
        let middle = f64::midpoint(instance.least[slot], instance.most[slot]);
        if random.below(8) == 0 {
            instance.least[slot] = random.between(instance.least[slot], middle);
        }
        if random.below(8) == 0 {
            instance.most[slot] = random.between(middle, instance.most[slot]);
        }
    }
}

/// Whether two costs agree to `tolerance`, relative to at least 1.
pub(crate) fn agree(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0)
}

/// How many random instances to run: `VOLTIDE_INSTANCES` where set.
pub(crate) fn count(default: usize) -> usize {
    std::env::var("VOLTIDE_INSTANCES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
