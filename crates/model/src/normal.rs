//! The standard normal distribution, turned round: from a probability to its quantile.
//!
//! Draws must be the same on every platform, so this needs `+ - * / sqrt` only, which IEEE 754
//! fixes to the bit, and [`libm::log`] in the tails. The rational approximations and their
//! coefficients are those of PPND16 by M. J. Wichura, "Algorithm AS 241: The percentage points
//! of the normal distribution", Applied Statistics 37 (1988), 477-484: relative error about 1e-16.

/// Numerator for the middle of the distribution, constant term first, as all that follow.
const CENTRE_NUM: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_DEN: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const TAIL_NUM: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    0.000_774_545_014_278_341_4,
];
const TAIL_DEN: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    0.000_547_593_808_499_534_5,
    1.050_750_071_644_416_9e-9,
];
const FAR_TAIL_NUM: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_TAIL_DEN: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    0.000_786_869_131_145_613_3,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_7e-15,
];

/// The value that a standard normal number stays below with this probability.
///
/// Relative error below 1e-15; infinite at 0 and 1, NaN outside `[0, 1]`.
#[inline]
pub fn quantile(probability: f64) -> f64 {
    let from_median = probability - 0.5;
    if from_median.abs() <= 0.425 {
        // The square of 0.425, where the tails begin: `r` is 0 there.
        let r = 0.180_625 - from_median * from_median;
        return from_median * ratio(&CENTRE_NUM, &CENTRE_DEN, r);
    }
    tail(probability, from_median)
}

/// [`quantile`] for the outer 15 %, where a logarithm is needed.
fn tail(probability: f64, from_median: f64) -> f64 {
    // From the nearer end: a logarithm of what is nearly 1 would have lost its digits.
    let beyond = if from_median < 0.0 { probability } else { 1.0 - probability };
    let r = (-libm::log(beyond)).sqrt();
    // Two polynomials of infinity divided would be NaN.
    let distance = if beyond == 0.0 {
        f64::INFINITY
    } else if r <= 5.0 {
        ratio(&TAIL_NUM, &TAIL_DEN, r - 1.6)
    } else {
        ratio(&FAR_TAIL_NUM, &FAR_TAIL_DEN, r - 5.0)
    };
    distance.copysign(from_median)
}

/// Two polynomials in `x` divided, each by Horner's rule.
#[inline]
fn ratio(numerator: &[f64; 8], denominator: &[f64; 8], x: f64) -> f64 {
    let horner = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
    horner(numerator) / horner(denominator)
}

/// The probability that a standard normal number lies above `x`.
pub fn probability_above(x: f64) -> f64 {
    0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density of a standard normal number at `x`.
pub fn density(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Computed with 40 digits as √2·erf⁻¹(2u - 1) for the double nearest to each u.
    const KNOWN: [(f64, f64); 11] = [
        (1.110_223_024_625_156_5e-16, -8.209_536_151_601_387),
        (1e-12, -7.034_483_825_301_132),
        (1e-8, -5.612_001_244_174_789),
        (0.001, -3.090_232_306_167_813_6),
        (0.0749, -1.440_238_267_527_963_7),
        (0.075, -1.439_531_470_938_456),
        (0.25, -0.674_489_750_196_081_7),
        (0.4999, -0.000_250_662_830_088_007_47),
        (0.600, 0.253_347_103_135_799_7),
        (0.975, 1.959_963_984_540_053_8),
        (0.999_999, 4.753_424_308_817_087),
    ];

    #[test]
    fn quantiles_are_right_to_fifteen_digits() {
        for (probability, expected) in KNOWN {
            let ours = quantile(probability);
            assert!(
                (ours / expected - 1.0).abs() < 1e-15,
                "{probability}: {ours} is not {expected}"
            );
        }
    }

    #[test]
    fn the_ends_are_infinite_and_nothing_lies_outside() {
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!([-0.1, 1.1, f64::NAN].iter().all(|outside| quantile(*outside).is_nan()));
    }

    proptest! {
        #[test]
        fn a_quantile_is_exceeded_with_its_probability(probability in 1e-15..1.0_f64) {
            let above = probability_above(-quantile(probability));
            prop_assert!((above / probability - 1.0).abs() < 1e-13);
        }

        #[test]
        fn quantiles_rise_with_probability(probability in 1e-9..0.999_f64, step in 1e-9..1e-3_f64) {
            prop_assert!(quantile(probability + step) > quantile(probability));
        }
    }
}
