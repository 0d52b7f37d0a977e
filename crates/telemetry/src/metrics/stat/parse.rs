use super::{Range, Stat};

/// Decimals of a number in a statistic's name. Source: CloudWatch statistics definitions.
const DECIMALS_MAX: usize = 10;
/// Digits before them.
const DIGITS_MAX: usize = 15;

pub(super) fn stat(text: &str) -> Option<Stat> {
    Some(match text {
        "SampleCount" => Stat::SampleCount,
        "Sum" => Stat::Sum,
        "Average" => Stat::Average,
        "Minimum" => Stat::Minimum,
        "Maximum" => Stat::Maximum,
        "IQM" => Stat::TrimmedMean(Range::Percents { low: 25.0, high: 75.0 }),
        _ => match text.strip_suffix(')') {
            Some(open) => ranged(open)?,
            None => abbreviated(text)?,
        },
    })
}

/// `p99`, `tm90`, …
fn abbreviated(text: &str) -> Option<Stat> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (name, number) = text.split_at(digits);
    let high = percent(number)?;
    let range = Range::Percents { low: 0.0, high };
    Some(match name {
        "p" => Stat::Percentile(high),
        "tm" => Stat::TrimmedMean(range),
        "tc" => Stat::TrimmedCount(range),
        "ts" => Stat::TrimmedSum(range),
        "wm" => Stat::WinsorizedMean(range),
        _ => return None,
    })
}

/// `TM(10%:90%)`, `PR(:300)`, … without the last parenthesis.
fn ranged(text: &str) -> Option<Stat> {
    let (name, bounds) = text.split_once('(')?;
    let range = range(bounds)?;
    Some(match name {
        "TM" => Stat::TrimmedMean(range),
        "TC" => Stat::TrimmedCount(range),
        "TS" => Stat::TrimmedSum(range),
        "WM" => Stat::WinsorizedMean(range),
        "PR" if matches!(range, Range::Values { .. }) => Stat::PercentileRank(range),
        _ => return None,
    })
}

/// Two bounds of one kind, of which one may be left out.
fn range(text: &str) -> Option<Range> {
    let (low, high) = text.split_once(':')?;
    if low.is_empty() && high.is_empty() {
        return None;
    }
    if low.ends_with('%') || high.ends_with('%') {
        let bound = |text: &str, open: f64| match text {
            "" => Some(open),
            text => percent(text.strip_suffix('%')?),
        };
        let (low, high) = (bound(low, 0.0)?, bound(high, 100.0)?);
        return (low < high).then_some(Range::Percents { low, high });
    }
    let bound = |text: &str| if text.is_empty() { Some(None) } else { number(text).map(Some) };
    let (above, up_to) = (bound(low)?, bound(high)?);
    let fits = above.zip(up_to).is_none_or(|(above, up_to)| above < up_to);
    fits.then_some(Range::Values { above, up_to })
}

fn percent(text: &str) -> Option<f64> {
    number(text).filter(|percent| *percent <= 100.0)
}

/// Plain digits with or without decimals.
fn number(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits =
        |part: &str, most| !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
    if digits(whole, DIGITS_MAX) && digits(decimals, DECIMALS_MAX) { text.parse().ok() } else { None }
}
