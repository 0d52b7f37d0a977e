use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `$context.requestTime`: `09/Apr/2015:12:34:56 +0000`, from milliseconds since 1970, in UTC.
pub fn request_time(epoch_ms: u64) -> String {
    let seconds = epoch_ms / 1000;
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = String::with_capacity(26);
    push_two_digits(&mut text, day, '/');
    text.push_str(MONTHS[month]);
    text.push('/');
    let mut digits = itoa::Buffer::new();
    text.push_str(digits.format(year));
    text.push(':');
    push_two_digits(&mut text, hour, ':');
    push_two_digits(&mut text, minute, ':');
    push_two_digits(&mut text, second, ' ');
    text.push_str("+0000");
    text
}

/// A number below 100 and what follows it.
fn push_two_digits(text: &mut String, number: u64, next: char) {
    let digit = |value: u64| char::from(b'0' + (value % 10) as u8);
    text.push(digit(number / 10));
    text.push(digit(number));
    text.push(next);
}

/// Year, month from 0, and day from 1 of a day since 1970, in the Gregorian calendar.
///
/// The count is shifted to begin with March of year 0, so that leap days end years; 146,097 days make 400 years.
fn date(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    (year, usize::try_from(month).expect("a month is below 12"), day)
}

/// `$context.extendedRequestId` and the `x-amz-apigw-id` header: sixteen characters that end in `=`, such as
/// `Xe1vtGrDIAMFeQA=`, in the alphabet for URLs. The caller brings the entropy.
pub fn extended_request_id(entropy: [u8; 11]) -> String {
    let mut text = [0; 16];
    let length = URL_SAFE.encode_slice(entropy, &mut text).expect("eleven bytes make sixteen characters");
    std::str::from_utf8(&text[..length]).expect("base64 is text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_time_reads_as_in_the_common_log_format() {
        for (epoch_ms, text) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (1_428_582_896_000, "09/Apr/2015:12:34:56 +0000"),
            (951_782_400_999, "29/Feb/2000:00:00:00 +0000"),
            (1_709_251_199_000, "29/Feb/2024:23:59:59 +0000"),
            (1_735_689_599_999, "31/Dec/2024:23:59:59 +0000"),
            (4_107_542_400_000, "01/Mar/2100:00:00:00 +0000"),
        ] {
            assert_eq!(request_time(epoch_ms), text);
        }
        request_time(u64::MAX);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let lengths = |year: u64| {
            let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
            [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        };
        let mut wanted = (1970, 0, 1);
        for day in 0..200_000 {
            assert_eq!(date(day), wanted);
            wanted.2 += 1;
            if wanted.2 > lengths(wanted.0)[wanted.1] {
                wanted = if wanted.1 == 11 { (wanted.0 + 1, 0, 1) } else { (wanted.0, wanted.1 + 1, 1) };
            }
        }
    }

    #[test]
    fn an_extended_request_id_has_the_services_form() {
        let id = extended_request_id(*b"\x00\x01\x02\xff\xfe45678+");
        assert!(id.len() == 16 && id.ends_with('=') && !id.ends_with("=="), "{id}");
        assert_eq!(extended_request_id([0xff; 11]), "______________8=");
    }
}
