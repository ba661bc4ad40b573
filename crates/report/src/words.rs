//! Numbers as people read them.

/// A number with three or four digits that count: `0.0123`, `56.4`, `1,234`.
pub(crate) fn number(value: f64) -> String {
    if value.is_nan() {
        return "–".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        0.0 => 0,
        _ => 4,
    };
    grouped(&format!("{value:.digits$}"))
}

/// A count of things.
pub(crate) fn count(things: f64) -> String {
    grouped(&format!("{things:.0}"))
}

/// Thousands apart, and a true minus; no minus before what rounds to 0.
pub(crate) fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let digits = whole.trim_start_matches('-');
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    let is_zero = text.chars().all(|digit| matches!(digit, '-' | '0' | '.'));
    if text.starts_with('-') && !is_zero { format!("−{out}") } else { out }
}

/// A change as a share: `+12.3 %`, `−0.4 %`.
pub(crate) fn share(change: f64) -> String {
    if !change.is_finite() {
        return "–".to_owned();
    }
    // What rounds to nothing has no sign.
    let sign = if change >= 0.0005 { "+" } else { "" };
    format!("{sign}{}\u{a0}%", grouped(&format!("{:.1}", 100.0 * change)))
}

/// A factor and a name in which powers of this size, given in kW, are read best.
pub(crate) fn power_unit(most_kw: f64) -> (f64, &'static str) {
    match most_kw {
        most if most >= 10_000_000.0 => (1e-6, "GW"),
        most if most >= 10_000.0 => (1e-3, "MW"),
        _ => (1.0, "kW"),
    }
}

/// The same of energies, given in kWh.
pub(crate) fn energy_unit(most_kwh: f64) -> (f64, &'static str) {
    match most_kwh {
        most if most >= 10_000_000.0 => (1e-6, "GWh"),
        most if most >= 10_000.0 => (1e-3, "MWh"),
        _ => (1.0, "kWh"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        let shown = [0.0, 0.01234, 0.1234, 1.234, 56.44, 1234.4, -1_234_567.0, -0.00001];
        let shown = shown.map(number);
        assert_eq!(
            shown,
            ["0", "0.0123", "0.123", "1.23", "56.4", "1,234", "−1,234,567", "0.0000"]
        );
        assert_eq!(
            [0.1234, -0.004, -0.0001].map(share),
            ["+12.3\u{a0}%", "−0.4\u{a0}%", "0.0\u{a0}%"]
        );
    }
}
