//! Points in time as receivers read them.

const DAY: i64 = 86_400;

/// Milliseconds since the Unix epoch as `2026-11-20T23:19:39.000Z`.
pub(crate) fn rfc3339(milliseconds: f64) -> String {
    let milliseconds = milliseconds as i64;
    let seconds = milliseconds.div_euclid(1000);
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        time / 3600,
        time / 60 % 60,
        time % 60,
        milliseconds.rem_euclid(1000)
    )
}

/// The date of a day since the Unix epoch, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is their last; 400 of them are one era of 146,097 days.
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

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999.0, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000.0, "2000-03-01T00:00:00.000Z"),
            (1_704_067_199_000.0, "2023-12-31T23:59:59.000Z"),
            (1_709_164_800_000.0, "2024-02-29T00:00:00.000Z"),
            (4_107_542_400_000.0, "2100-03-01T00:00:00.000Z"),
            (-1.0, "1969-12-31T23:59:59.999Z"),
        ];
        for (time, text) in cases {
            assert_eq!(rfc3339(time), text);
        }
    }
}
