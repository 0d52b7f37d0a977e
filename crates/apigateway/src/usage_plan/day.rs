//! Days as usage counts them (UTC), and how much of a quota was left on each.

use pitbird_records::{Quota, Usage, UsagePlan};
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

use crate::Error;

/// Days of one answer at most. Source: API Gateway keeps usage for 90 days.
const DAYS_MAX: i64 = 366;

/// `2026-01-31`.
pub fn parse(text: &str) -> Result<Date, Error> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| Error::UsageDate(text.to_owned()))
}

pub fn text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// The day that a moment (epoch milliseconds) falls into.
pub fn of(epoch_ms: i64) -> Date {
    let moment = OffsetDateTime::from_unix_timestamp(epoch_ms.div_euclid(1000));
    moment.unwrap_or(OffsetDateTime::UNIX_EPOCH).date()
}

/// All days from the first to the last.
pub fn between(first: Date, last: Date) -> Result<Vec<Date>, Error> {
    let count = (last - first).whole_days();
    if !(0..DAYS_MAX).contains(&count) {
        return Err(Error::UsageRange);
    }
    Ok((0..=count).map(|days| first.saturating_add(Duration::days(days))).collect())
}

/// The first day of the quota period that a day falls into: a week begins on Sunday.
pub fn period_start(quota: &Quota, day: Date) -> Date {
    match quota.period.as_str() {
        "MONTH" => day.replace_day(1).unwrap_or(day),
        "WEEK" => day.saturating_sub(Duration::days(i64::from(day.weekday().number_days_from_sunday()))),
        _ => day,
    }
}

/// What was used and what was left on each day, by the days' records in their order.
pub fn usage(plan: &UsagePlan, records: &[Usage], days: &[Date]) -> Vec<[i64; 2]> {
    let limit = plan.quota.as_ref().map_or(0, |quota| quota.limit);
    let of_day = |day: Date| {
        let name = text(day);
        let record = records.iter().find(|record| record.day == name);
        let used = record.map_or(0, |record| record.used);
        let left = record.and_then(|record| record.remaining).unwrap_or_else(|| {
            let start = plan.quota.as_ref().map_or(day, |quota| period_start(quota, day));
            let (start, name) = (text(start), text(day));
            let earlier = records.iter().rev().find(|record| record.day >= start && record.day <= name);
            earlier.and_then(|record| record.remaining).unwrap_or(limit)
        });
        [used, left]
    };
    days.iter().map(|day| of_day(*day)).collect()
}

#[cfg(test)]
mod tests {
    use pitbird_names::Scope;

    use super::*;

    fn plan(period: &str) -> UsagePlan {
        UsagePlan {
            scope: Scope::default(),
            id: "p".to_owned(),
            name: "p".to_owned(),
            description: None,
            api_stages: Vec::new(),
            throttle: None,
            quota: Some(Quota { limit: 10, offset: 0, period: period.to_owned() }),
            product_code: None,
            tags: Default::default(),
        }
    }

    fn used(day: &str, used: i64, remaining: i64) -> Usage {
        let (plan_id, key_id, day) = ("p".to_owned(), "k".to_owned(), day.to_owned());
        Usage { scope: Scope::default(), plan_id, key_id, day, used, remaining: Some(remaining), grant: None }
    }

    #[test]
    fn what_is_left_lasts_for_a_period() {
        let days = between(parse("2026-01-30").unwrap(), parse("2026-02-02").unwrap()).expect("a range");
        let records = [used("2026-01-29", 4, 6), used("2026-01-31", 1, 5)];
        assert_eq!(usage(&plan("MONTH"), &records, &days), [[0, 6], [1, 5], [0, 10], [0, 10]]);
        assert_eq!(usage(&plan("DAY"), &records, &days), [[0, 10], [1, 5], [0, 10], [0, 10]]);
        // The first of February of 2026 is a Sunday.
        assert_eq!(usage(&plan("WEEK"), &records, &days), [[0, 6], [1, 5], [0, 10], [0, 10]]);
    }

    #[test]
    fn days_have_a_form_and_a_range() {
        for bad in ["2026-1-1", "2026-02-30", "today", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let day = |text| parse(text).expect(text);
        assert!(between(day("2026-01-02"), day("2026-01-01")).is_err());
        assert!(between(day("2025-01-01"), day("2026-01-01")).is_ok());
        assert!(between(day("2025-01-01"), day("2026-01-02")).is_err());
        assert_eq!(text(of(1_600_000_000_500)), "2020-09-13");
    }
}
