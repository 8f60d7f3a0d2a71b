//! Times are written as the calendar has them.

use chm_plugin::time::{rfc3339, timestamp};
use jiff::Timestamp;
use proptest::prelude::*;

/// 0000-01-01 and 9999-12-31T23:59:59.999, in milliseconds since the Unix epoch.
const WRITTEN: std::ops::RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

#[test]
fn times_are_those_of_the_calendar() {
    for (time, text) in [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (-1.0, "1969-12-31T23:59:59.999Z"),
        (-0.5, "1969-12-31T23:59:59.999Z"),
        (951_782_399_999.0, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000.0, "2000-03-01T00:00:00.000Z"),
        (1_704_067_199_999.9, "2023-12-31T23:59:59.999Z"),
        (1_709_164_800_250.0, "2024-02-29T00:00:00.250Z"),
        (4_107_542_400_000.0, "2100-03-01T00:00:00.000Z"),
        (-62_167_219_200_000.0, "0000-01-01T00:00:00.000Z"),
        (253_402_300_799_999.0, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(rfc3339(time).as_deref(), Some(text));
        assert_eq!(timestamp(time).as_deref(), Some(text[..19].replace('T', " ").as_str()));
    }
}

#[test]
fn what_has_no_year_of_four_digits_is_not_written() {
    for time in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e18, 253_402_300_800_000.0, -62_167_219_200_001.0] {
        assert_eq!((rfc3339(time), timestamp(time)), (None, None), "{time}");
    }
}

proptest! {
    #[test]
    fn every_time_is_written_as_another_calendar_writes_it(milliseconds in WRITTEN) {
        let expected = Timestamp::from_millisecond(milliseconds).unwrap();
        let time = milliseconds as f64;
        prop_assert_eq!(rfc3339(time).unwrap(), expected.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        prop_assert_eq!(timestamp(time).unwrap(), expected.strftime("%Y-%m-%d %H:%M:%S").to_string());
    }

    #[test]
    fn any_number_is_written_or_is_not(time in any::<f64>()) {
        prop_assert_eq!(rfc3339(time).is_some(), timestamp(time).is_some());
    }
}
