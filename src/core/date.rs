//! Dates in UTC, from and to seconds since 1970, without a clock.

/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that the leap day is the last.
const EPOCH: i64 = 719_468;

/// Seconds since 1970 as `2026-11-22T14:02:00` (RFC 3339 without the zone).
///
/// The arithmetic is that of "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant).
pub fn text(seconds: u32) -> String {
    let (days, second) = (i64::from(seconds) / 86_400, seconds % 86_400);
    let days = days + EPOCH;
    let day_of_era = days % ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, years) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + days / ERA * 400 + years;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// The seconds since 1970 of [`text`]; none where it is something else.
pub fn parse(text: &str) -> Option<u32> {
    let (date, time) = text.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_a_time = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if !is_a_time || !(1970..=9999).contains(&year) {
        return None;
    }
    let (month, year) = if month > 2 {
        (month - 3, year)
    } else {
        (month + 9, year - 1)
    };
    let year_of_era = year % 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = year / 400 * ERA + day_of_era - EPOCH;
    u32::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let parsed: Option<Vec<i64>> = text
        .split(separator)
        .map(|word| Some(i64::from(word.parse::<u16>().ok()?)))
        .collect();
    parsed?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dates_are_those_of_everybody_else(seconds in any::<u32>()) {
            let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
            let expected = humantime::format_rfc3339_seconds(time).to_string();
            prop_assert_eq!(format!("{}Z", text(seconds)), expected);
            prop_assert_eq!(parse(&text(seconds)), Some(seconds));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9T:-]{0,24}") {
            let _: Option<u32> = parse(&text);
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2026-11-22",
            "2026-13-01T00:00:00",
            "2026-11-22T24:00:00",
            "1969-12-31T23:59:59",
            "x",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
