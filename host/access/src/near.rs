//! Suggestions for names that do not exist.

/// At most three of `candidates` that look like `input`, nearest first; case does not count.
///
/// A name is near when it needs few edits (a third of its length, at least one), or when one begins with the other.
pub fn near_names<'a>(input: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    // Nothing that long is a misspelt name, and the comparison is quadratic.
    const LONGEST: usize = 128;
    let wanted: Vec<char> = input.trim().to_lowercase().chars().take(LONGEST + 1).collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let name: Vec<char> = candidate.to_lowercase().chars().collect();
            let edits = distance(&wanted, &name);
            let allowed = (wanted.len().max(name.len()) / 3).max(1);
            let prefix = wanted.len() >= 3 && (name.starts_with(&wanted) || wanted.starts_with(&name));
            (edits <= allowed || prefix).then_some((edits, candidate))
        })
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `"; did you mean a or b?"`, or nothing when no candidate is near: the tail of an error message.
pub fn did_you_mean<'a>(input: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let near = near_names(input, candidates);
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) }
}

/// Edits (insert, delete, replace, swap of neighbours) that turn one into the other.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (previous[j] + usize::from(l != r)).min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(before[j - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_name() {
        let names = ["agent", "actions", "insights", "settings", "tables", "CHM_LISTEN"];
        for (input, expected) in [
            ("agnet", vec!["agent"]),
            ("setting", vec!["settings"]),
            ("TABELS", vec!["tables"]),
            ("chm_listne", vec!["CHM_LISTEN"]),
            ("tab", vec!["tables"]),
            ("zzzzzz", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(near_names(input, names), expected, "{input}");
        }
        assert_eq!(did_you_mean("agnet", names), "; did you mean agent?");
        assert_eq!(did_you_mean("zzzzzz", names), "");
    }
}
