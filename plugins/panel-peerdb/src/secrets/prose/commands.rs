//! Passwords in command lines, as errors quote them: `mysql -pX`, `sshpass -p X`, `curl -u user:X`, `--password X`.

use super::super::{HIDDEN, is_option};

/// Programs that take a password behind `-p`, with or without a blank between. For others it is a port.
const WITH_P: [&str; 3] = ["mysql", "mariadb", "sshpass"];
/// Programs that take `user:password` behind `-u` or `--user`.
const WITH_U: [&str; 1] = ["curl"];

/// What the next word is.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Anything,
    Secret,
    UserAndSecret,
}

/// The text without them.
pub(super) fn hide(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut program = "";
    let mut next = Next::Anything;
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end_matches(char::is_whitespace);
        let (kept, hidden) = split(word, program, next);
        out.push_str(kept);
        out.push_str(if hidden.is_empty() { "" } else { HIDDEN });
        out.push_str(&part[word.len()..]);
        if !word.is_empty() {
            next = follows(word, program);
            program = program_of(word).unwrap_or(program);
        }
    }
    out
}

/// The path, and quotes around the line, do not matter.
fn program_of(word: &str) -> Option<&'static str> {
    let name = word.trim_matches(|c: char| !c.is_alphanumeric()).rsplit('/').next()?;
    WITH_P.into_iter().chain(WITH_U).find(|program| name.starts_with(program))
}

/// The letters of a word like `-su`.
fn flags(word: &str) -> Option<&str> {
    let flags = word.strip_prefix('-')?;
    (!flags.is_empty() && flags.bytes().all(|flag| flag.is_ascii_alphabetic())).then_some(flags)
}

fn follows(word: &str, program: &str) -> Next {
    let is_flag = |flag: char| flags(word).is_some_and(|flags| flags.ends_with(flag));
    if is_option(word) || (program == "sshpass" && word == "-p") {
        Next::Secret
    } else if WITH_U.contains(&program) && (is_flag('u') || word == "--user") {
        Next::UserAndSecret
    } else {
        Next::Anything
    }
}

/// What stays of a word, and what does not.
fn split<'w>(word: &'w str, program: &str, next: Next) -> (&'w str, &'w str) {
    match next {
        Next::Secret if !word.starts_with('-') => ("", word),
        Next::UserAndSecret if word.contains(':') => word.split_at(word.find(':').map_or(0, |at| at + 1)),
        _ if WITH_P.contains(&program) && word.starts_with("-p") => word.split_at("-p".len()),
        _ => (word, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_command_lines_are_hidden_and_nothing_else() {
        for (text, expected) in [
            ("mysql -h db -u root -phunter2 shop", "mysql -h db -u root -p*** shop"),
            ("exec /usr/bin/mysqldump -phunter2", "exec /usr/bin/mysqldump -p***"),
            ("failed: \"mysql -phunter2\"", "failed: \"mysql -p***"),
            ("sshpass -p hunter2 ssh -p 22 h", "sshpass -p *** ssh -p *** h"),
            ("sshpass -phunter2 ssh h", "sshpass -p*** ssh h"),
            ("curl -s -u ann:hunter2 h", "curl -s -u ann:*** h"),
            ("curl -su ann:hunter2 h", "curl -su ann:*** h"),
            ("curl --user ann:hunter2 h", "curl --user ann:*** h"),
            ("tool --password hunter2 --port 1", "tool --password *** --port 1"),
            ("tool --api-key\thunter2", "tool --api-key\t***"),
            ("tool --password --port 1", "tool --password --port 1"),
            ("psql -h db -p5432 -U ann", "psql -h db -p5432 -U ann"),
            ("psql -p 5432", "psql -p 5432"),
            ("the -preview of it", "the -preview of it"),
            ("", ""),
        ] {
            assert_eq!(hide(text), expected);
            assert_eq!(hide(expected), expected);
        }
    }
}
