//! Where strings are in a line of JSON.

/// The places of the strings of a line of JSON, with their quotes, and whether each is the name of a member.
pub(crate) fn json_strings(row: &[u8]) -> impl Iterator<Item = (usize, usize, bool)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at + memchr::memchr(b'"', row.get(at..)?)?;
        let mut end = begin + 1;
        loop {
            end += memchr::memchr2(b'"', b'\\', row.get(end..)?)?;
            if row.get(end) == Some(&b'"') {
                break;
            }
            end += 2;
        }
        at = end + 1;
        let next = row.get(at..).unwrap_or_default().iter().find(|b| !b.is_ascii_whitespace());
        Some((begin, at, next == Some(&b':')))
    })
}
