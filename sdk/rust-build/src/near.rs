//! Finds the word that was meant.

/// `; did you mean …?` with the nearest of some words, or nothing where none is near.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known.into_iter().map(|other| (distance(word, other), other)).min();
    match nearest {
        Some((steps, other)) if steps <= 1 + word.chars().count() / 4 => format!("; did you mean `{other}`?"),
        _ => String::new(),
    }
}

/// How many letters must be added, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (diagonal + usize::from(letter != *other)).min(above + 1).min(left + 1);
            (diagonal, *cell) = (above, left);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_named_when_it_is_near() {
        assert_eq!(hint("tilte", ["title", "table"]), "; did you mean `title`?");
        assert_eq!(hint("queries", ["Queries"]), "; did you mean `Queries`?");
        assert_eq!(hint("x", ["summary"]), "");
        assert_eq!(hint("x", []), "");
    }

    #[test]
    fn distances_are_counted_in_letters() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ä", "a", 1)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
