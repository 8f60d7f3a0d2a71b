//! Points in time as people and ClickHouse write them: milliseconds since the Unix epoch, as [`clock::now`](crate::host::clock::now)
//! and every time of the interface are, in the Gregorian calendar and in UTC.

const DAY: i64 = 86_400;
/// Milliseconds of 0000-01-01 and of 10000-01-01: between them every year has four digits.
const WRITTEN: std::ops::Range<f64> = -62_167_219_200_000.0..253_402_300_800_000.0;

/// As `2026-11-20T23:19:39.000Z` (RFC 3339); nothing for what is no number, or lies outside the years 0000 to 9999.
#[must_use]
pub fn rfc3339(milliseconds: f64) -> Option<String> {
    let Moment { date: (year, month, day), time: (hour, minute, second), millisecond } = moment(milliseconds)?;
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"))
}

/// As `2026-11-20 23:19:39`, what a column of [`Column::timestamp`](crate::panels::Column::timestamp) holds; nothing as of [`rfc3339`].
#[must_use]
pub fn timestamp(milliseconds: f64) -> Option<String> {
    let Moment { date: (year, month, day), time: (hour, minute, second), .. } = moment(milliseconds)?;
    Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
}

/// Years, months, days; hours, minutes, seconds; and milliseconds.
struct Moment {
    date: (i64, i64, i64),
    time: (i64, i64, i64),
    millisecond: i64,
}

fn moment(milliseconds: f64) -> Option<Moment> {
    if !WRITTEN.contains(&milliseconds) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // It has just been looked at.
    let milliseconds = milliseconds.floor() as i64;
    let seconds = milliseconds.div_euclid(1000);
    let time = seconds.rem_euclid(DAY);
    Some(Moment {
        date: date(seconds.div_euclid(DAY)),
        time: (time / 3600, time / 60 % 60, time % 60),
        millisecond: milliseconds.rem_euclid(1000),
    })
}

/// The date of a day since the Unix epoch. Years are counted from March, so that the leap day is their last; 400 of them are one era
/// of 146,097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // from 0000-03-01
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (days.div_euclid(146_097) * 400 + year_of_era + i64::from(month <= 2), month, day)
}
