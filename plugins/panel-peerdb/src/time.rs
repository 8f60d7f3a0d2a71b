//! Points in time as panels show them.

const DAY: i64 = 86_400;
/// Later than this many seconds no year has four digits.
const LAST: f64 = 253_402_300_800.0;

/// Milliseconds since the Unix epoch as `2026-11-20 23:19:39`, UTC; nothing for what is no time.
pub(crate) fn timestamp(milliseconds: f64) -> Option<String> {
    let seconds = (milliseconds / 1000.0).floor();
    if !(0.0..LAST).contains(&seconds) || seconds == 0.0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // It has just been looked at.
    let seconds = seconds as i64;
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let time = seconds.rem_euclid(DAY);
    Some(format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60))
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

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (time, text) in [
            (951_782_399_999.0, Some("2000-02-28 23:59:59")),
            (951_782_400_000.0, Some("2000-02-29 00:00:00")),
            (951_868_800_000.0, Some("2000-03-01 00:00:00")),
            (1_704_067_199_000.0, Some("2023-12-31 23:59:59")),
            (0.0, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e18, None),
        ] {
            assert_eq!(timestamp(time).as_deref(), text, "{time}");
        }
    }
}
