//! The few conversions between counts and amounts, in one place.

/// A count as an amount.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts and quantities stay far below 2^53"
)]
pub(crate) fn amount(count: i64) -> f64 {
    count as f64
}

/// The nearest count; 0 for negative and odd numbers.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates, and the values are far below 2^63"
)]
pub(crate) fn count(amount: f64) -> i64 {
    amount.round().max(0.0) as i64
}

/// The nearest size; 0 for negative and odd numbers.
pub(crate) fn size(amount: f64) -> usize {
    usize::try_from(count(amount)).unwrap_or_default()
}

/// ISK with two decimals.
pub(crate) fn cents(isk: f64) -> f64 {
    (isk * 100.0).round() / 100.0
}

/// The value at quantile `at` (0 to 1) of a curve of (quantile, value) points, between the points on
/// a logarithmic scale because what is measured here is heavy-tailed.
pub(crate) fn quantile(curve: &[(f64, f64)], at: f64) -> f64 {
    let mut before = curve.first().copied().unwrap_or((0.0, 1.0));
    for &(share, value) in curve {
        if at < share {
            let part = (at - before.0) / (share - before.0);
            let from = (before.1 + 1.0).ln();
            let to = (value + 1.0).ln();
            return (from + part * (to - from)).exp() - 1.0;
        }
        before = (share, value);
    }
    before.1
}
