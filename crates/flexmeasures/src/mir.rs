//! Cuts by mixed-integer rounding along the stock of one device.
//!
//! In a slot in which a device must choose a direction, half a binary allows half of both. What it
//! gains by that over several slots shows where their balances are summed:
//!
//! ```text
//! S_t = Π a · S_{s−1} + Σ_{j=s..t} (gained_j·c_j − lost_j·d_j + drift_j)
//! c_j = C_j·u_j − p_j,   d_j = D_j·(1 − u_j) − q_j,   u_j whole,   p, q ≥ 0
//! ```
//! is one row in binaries and slacks, of which rounding (Marchand and Wolsey 2001) makes a cut: a
//! battery that ends full has charged in a whole number of slots. CBC rounds rows one by one and
//! finds none of these.

/// Cuts that are less violated than this are not worth a row, in binaries.
const VIOLATED: f64 = 1e-3;
/// Fractions of a right-hand side that round to something.
const FRACTIONS: (f64, f64) = (0.02, 0.98);
/// Divisors that are tried for a row.
const DIVISORS: usize = 8;
/// Coefficients below this share of the largest are rounding.
const NEGLIGIBLE: f64 = 1e-12;
/// What a cut is loosened by, so that rounding cuts nothing off.
const LOOSER: f64 = 1e-9;

/// A column of a device in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    Charge(usize),
    Discharge(usize),
    /// At the end of the slot.
    Stock(usize),
    /// 1 where it may charge, 0 where it may discharge.
    Charging(usize),
}

/// `Σ factor · column ≤ most`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cut {
    pub(crate) terms: Vec<(Column, f64)>,
    pub(crate) most: f64,
}

/// A column that is not whole, in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) column: Column,
    pub(crate) factor: f64,
    /// Its value in the relaxed solution.
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The binary that opens it, whose value is given, and whether by being 0.
    pub(crate) switch: Option<Switch>,
}

/// The slot of a binary, its value in the relaxed solution, and whether 0 opens the column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switch {
    pub(crate) slot: usize,
    pub(crate) value: f64,
    pub(crate) inverted: bool,
}

/// A slack p ≥ 0 that stands for a column: `p = constant + Σ factor · column`.
#[derive(Debug, Clone)]
struct Slack {
    factor: f64,
    value: f64,
    constant: f64,
    terms: Vec<(Column, f64)>,
}

/// A row in binaries and slacks.
#[derive(Debug, Default)]
struct Row {
    /// Slot, factor and value of each binary.
    binaries: Vec<(usize, f64, f64)>,
    slacks: Vec<Slack>,
    most: f64,
}

/// The most violated cut that rounding makes of `Σ factor · column ≤ most`, after its violation.
pub(crate) fn cut(entries: &[Entry], most: f64) -> Option<(f64, Cut)> {
    let mut row = Row { most, ..Row::default() };
    for entry in entries {
        row.substitute(entry);
    }
    let mut divisors: Vec<f64> = row
        .binaries
        .iter()
        .filter(|(_, factor, value)| factor.abs() > 1e-9 && *value > 1e-6 && *value < 1.0 - 1e-6)
        .map(|(_, factor, _)| factor.abs())
        .collect();
    divisors.sort_unstable_by(|a, b| b.total_cmp(a));
    divisors.dedup_by(|b, a| *a - *b < 1e-9 * *a);
    divisors.truncate(DIVISORS);
    let halves = divisors.iter().flat_map(|divisor| [1.0, 0.5, 0.25].map(|share| divisor * share));
    let rounded = halves.filter_map(|divisor| row.round(divisor));
    rounded.max_by(|a, b| a.0.total_cmp(&b.0))
}

impl Row {
    /// Puts a binary and a slack, or a slack alone, in the place of a column: the nearest bound.
    fn substitute(&mut self, entry: &Entry) {
        let Entry { column, factor, value, low, high, switch } = *entry;
        let (above, below) = (value - low, high - value);
        if let Some(Switch { slot, value: whole, inverted }) = switch {
            let open = if inverted { 1.0 - whole } else { whole };
            let slack = high * open - value;
            if slack <= above {
                let (constant, sign) = if inverted { (high, -high) } else { (0.0, high) };
                self.most -= factor * constant;
                self.add_binary(slot, factor * sign, whole);
                let terms = vec![(column, -1.0), (Column::Charging(slot), sign)];
                self.slacks.push(Slack { factor: -factor, value: slack, constant, terms });
                return;
            }
        }
        let from_low = above <= below || !high.is_finite();
        let (bound, sign, value) = if from_low { (low, 1.0, above) } else { (high, -1.0, below) };
        self.most -= factor * bound;
        let terms = vec![(column, sign)];
        self.slacks.push(Slack { factor: factor * sign, value, constant: -sign * bound, terms });
    }

    fn add_binary(&mut self, slot: usize, factor: f64, value: f64) {
        match self.binaries.iter_mut().find(|(known, ..)| *known == slot) {
            Some((_, sum, _)) => *sum += factor,
            None => self.binaries.push((slot, factor, value)),
        }
    }

    /// Rounds the row divided by `divisor`, with binaries above a half turned round; its violation
    /// per length, and the cut.
    fn round(&self, divisor: f64) -> Option<(f64, Cut)> {
        let turned = |value: f64| value > 0.5;
        let over = self.binaries.iter().filter(|(.., value)| turned(*value)).map(|(_, factor, _)| factor);
        let most = (self.most - over.sum::<f64>()) / divisor;
        let whole = libm::floor(most);
        let fraction = most - whole;
        if fraction < FRACTIONS.0 || fraction > FRACTIONS.1 || !most.is_finite() {
            return None;
        }
        let (mut cut, mut sum) = (Cut { terms: Vec::new(), most: whole }, 0.0);
        for &(slot, factor, value) in &self.binaries {
            let (factor, sign) = if turned(value) { (-factor, -1.0) } else { (factor, 1.0) };
            let rounded = round_factor(factor / divisor, fraction);
            cut.add(Column::Charging(slot), sign * rounded);
            cut.most -= if turned(value) { rounded } else { 0.0 };
            sum += rounded * if turned(value) { 1.0 - value } else { value };
        }
        for slack in self.slacks.iter().filter(|slack| slack.factor < 0.0) {
            let factor = slack.factor / divisor / (1.0 - fraction);
            cut.most -= factor * slack.constant;
            slack.terms.iter().for_each(|&(column, sign)| cut.add(column, factor * sign));
            sum += factor * slack.value;
        }
        let length = libm::sqrt(cut.terms.iter().map(|(_, factor)| factor * factor).sum());
        let violation = (sum - whole) / length;
        (violation > VIOLATED).then(|| (violation, cut.tidied()))
    }
}

/// What rounding down leaves of a factor of a binary.
fn round_factor(factor: f64, fraction: f64) -> f64 {
    let whole = libm::floor(factor);
    whole + (factor - whole - fraction).max(0.0) / (1.0 - fraction)
}

impl Cut {
    fn add(&mut self, column: Column, factor: f64) {
        match self.terms.iter_mut().find(|(known, _)| *known == column) {
            Some((_, sum)) => *sum += factor,
            None => self.terms.push((column, factor)),
        }
    }

    /// Without factors that are rounding, and as much looser.
    fn tidied(mut self) -> Self {
        let largest = self.terms.iter().map(|(_, factor)| factor.abs()).fold(0.0, f64::max);
        self.terms.retain(|(_, factor)| factor.abs() > NEGLIGIBLE * largest);
        self.most += LOOSER * largest.max(self.most.abs());
        self
    }
}
