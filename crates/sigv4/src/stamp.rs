use std::fmt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A second in time, written as signatures have it: `20150830T123600Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

/// The last second of the year 9999, the last that the form can say.
const LAST: u64 = 253_402_300_799;

impl Stamp {
    /// From seconds since 1970.
    pub(crate) fn new(epoch_s: u64) -> Stamp {
        Stamp(epoch_s.min(LAST))
    }

    pub(crate) fn epoch_s(self) -> u64 {
        self.0
    }

    /// `YYYYMMDD`.
    pub(crate) fn date(self) -> String {
        self.to_string()[..8].to_owned()
    }

    /// Reads `20150830T123600Z`, or an HTTP date as in `Date`.
    pub(crate) fn parse(text: &str) -> Option<Stamp> {
        let time = match basic(text) {
            Some(time) => time,
            None => OffsetDateTime::parse(text, &Rfc2822).ok()?,
        };
        u64::try_from(time.unix_timestamp()).ok().map(Stamp::new)
    }

    fn time(self) -> OffsetDateTime {
        let seconds = i64::try_from(self.0).expect("a stamp is before the year 10000");
        OffsetDateTime::from_unix_timestamp(seconds).expect("a stamp is before the year 10000")
    }
}

fn basic(text: &str) -> Option<OffsetDateTime> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 16 && bytes[8] == b'T' && bytes[15] == b'Z';
    let digits = shape && bytes[..8].iter().chain(&bytes[9..15]).all(u8::is_ascii_digit);
    if !digits {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|number| u8::try_from(number).ok());
    let month = time::Month::try_from(small(4)?).ok()?;
    let date = time::Date::from_calendar_date(i32::from(number(0, 4)?), month, small(6)?).ok()?;
    Some(date.with_hms(small(9)?, small(11)?, small(13)?).ok()?.assume_utc())
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.time();
        let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
        let (hour, minute, second) = time.to_hms();
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_and_written() {
        for (text, epoch_s) in [
            ("19700101T000000Z", 0),
            ("20150830T123600Z", 1_440_938_160),
            ("20240229T235959Z", 1_709_251_199),
            ("99991231T235959Z", LAST),
        ] {
            assert_eq!(Stamp::parse(text), Some(Stamp(epoch_s)), "{text}");
            assert_eq!(Stamp(epoch_s).to_string(), text);
            assert_eq!(Stamp(epoch_s).date(), text[..8]);
        }
        assert_eq!(Stamp::parse("Sun, 30 Aug 2015 12:36:00 GMT"), Some(Stamp(1_440_938_160)));
        assert_eq!(Stamp::new(u64::MAX), Stamp(LAST));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "20150830",
            "2015-08-30T12:36:00Z",
            "20150830T123600",
            "20150230T123600Z",
            "20150830T240000Z",
            "2015083éT12360Z",
            "+2150830T123600Z",
            "Sun",
            "19691231T235959Z",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }
}
