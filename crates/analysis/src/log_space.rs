use libm::{exp, log};

/// The logarithm that an e-process must reach to reject its null: `ln(1/alpha)`. An `alpha` outside (0, 1) can never
/// be reached.
pub fn threshold(alpha: f64) -> f64 {
    if alpha > 0.0 && alpha < 1.0 { -log(alpha) } else { f64::INFINITY }
}

/// One e-process from several: the logarithm of `sum w_i exp(l_i)` over pairs `(w_i, l_i)`. Valid under any dependence
/// between them as long as the weights add up to at most 1. Pairs with a weight that is not positive, or with a
/// logarithm that is not a number, count nothing; without any other the result is negative infinity.
pub fn combine(parts: &[(f64, f64)]) -> f64 {
    log_sum_exp(|| {
        let usable = parts.iter().filter(|(weight, log_e)| *weight > 0.0 && !log_e.is_nan());
        usable.map(|&(weight, log_e)| log(weight) + log_e)
    })
}

/// `ln(sum exp(x))` over the terms, which are walked twice. Exact where a naive sum would overflow or vanish.
pub(crate) fn log_sum_exp<I: Iterator<Item = f64>>(terms: impl Fn() -> I) -> f64 {
    // A term this far below the largest adds less than a double can hold.
    const NEGLIGIBLE: f64 = -60.0;

    let largest = terms().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() {
        return largest;
    }
    let sum: f64 = terms().map(|x| x - largest).filter(|x| *x > NEGLIGIBLE).map(exp).sum();
    largest + log(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_neither_overflow_nor_vanish() {
        assert_eq!(combine(&[(0.5, 1.0e6), (0.5, 1.0e6)]), 1.0e6);
        assert_eq!(combine(&[(1.0, -1.0e6)]), -1.0e6);
        assert_eq!(combine(&[]), f64::NEG_INFINITY);
        assert_eq!(combine(&[(f64::NAN, 1.0), (1.0, f64::NAN), (0.0, 3.0)]), f64::NEG_INFINITY);
    }

    #[test]
    fn an_alpha_that_is_none_is_never_reached() {
        for alpha in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(threshold(alpha), f64::INFINITY);
        }
    }
}
