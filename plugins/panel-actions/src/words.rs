//! Numbers for people, and for programs.

/// Bytes with a unit, for example `1.5 GiB`.
pub(crate) fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["bytes", "KiB", "MiB", "GiB", "TiB"] {
        if value.abs() < 1024.0 {
            return if unit == "bytes" { format!("{value:.0} bytes") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} PiB")
}

/// A number with its noun, for example `1 part` and `2 parts`.
pub(crate) fn count(number: f64, noun: &str) -> String {
    format!("{number:.0} {noun}{}", if number == 1.0 { "" } else { "s" })
}

/// A number that was asked for as one with a fraction, because old servers write long whole ones as texts.
#[allow(clippy::cast_possible_truncation, reason = "bytes and rows of one table are far below")]
pub(crate) fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, words) in [(0.0, "0 bytes"), (1023.0, "1023 bytes"), (1536.0, "1.5 KiB"), (3.3e12, "3.0 TiB")] {
            assert_eq!(bytes(number), words);
        }
        assert_eq!((count(1.0, "part"), count(0.0, "row")), ("1 part".into(), "0 rows".into()));
    }
}
