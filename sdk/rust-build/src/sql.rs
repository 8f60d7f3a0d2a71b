//! Reads a statement as far as its mistakes can be seen without a server.

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Letters, digits and underscores.
    Word(&'a str),
    /// `{name:Type}`.
    Placeholder {
        /// Before the colon.
        name: &'a str,
        /// After it.
        kind: &'a str,
    },
    /// `$name`, for the host to replace.
    Slot(&'a str),
    /// Something in quotes.
    Quoted,
    /// A quote, comment or brace that has no end.
    Unclosed(&'a str),
    /// Anything else but blanks and comments.
    Sign(char),
}

/// A token, with the number of parentheses around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed<'a> {
    pub token: Token<'a>,
    pub depth: usize,
}

impl Placed<'_> {
    /// Whether it is this word, in any spelling.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self.token, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Cuts a statement into tokens. Whatever the text, it ends.
pub(crate) fn tokens(sql: &str) -> Vec<Placed<'_>> {
    let mut tokens = Vec::new();
    let mut depth: usize = 0;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let word = |text: &str| text.find(|c| !in_word(c)).unwrap_or(text.len());
        let token = match first {
            c if c.is_whitespace() => {
                rest = after;
                continue;
            }
            '-' if after.starts_with('-') => {
                rest = after.split_once('\n').map_or("", |(_, next)| next);
                continue;
            }
            '/' if after.starts_with('*') => {
                let Some((_, next)) = after.split_once("*/") else {
                    tokens.push(Placed { token: Token::Unclosed("/*"), depth });
                    break;
                };
                rest = next;
                continue;
            }
            '\'' | '"' | '`' => {
                let Some(next) = after_quote(after, first) else {
                    tokens.push(Placed { token: Token::Unclosed(&rest[..1]), depth });
                    break;
                };
                rest = next;
                tokens.push(Placed { token: Token::Quoted, depth });
                continue;
            }
            '{' => {
                let Some((inside, next)) = after.split_once('}') else {
                    tokens.push(Placed { token: Token::Unclosed("{"), depth });
                    break;
                };
                rest = next;
                let (name, kind) = inside.split_once(':').unwrap_or((inside, ""));
                tokens.push(Placed { token: Token::Placeholder { name: name.trim(), kind: kind.trim() }, depth });
                continue;
            }
            '$' if after.starts_with(in_word) => {
                let end = word(after);
                rest = &after[end..];
                tokens.push(Placed { token: Token::Slot(&after[..end]), depth });
                continue;
            }
            c if in_word(c) => {
                let end = word(rest);
                let token = Token::Word(&rest[..end]);
                rest = &rest[end..];
                tokens.push(Placed { token, depth });
                continue;
            }
            sign => Token::Sign(sign),
        };
        if first == ')' {
            depth = depth.saturating_sub(1);
        }
        tokens.push(Placed { token, depth });
        if first == '(' {
            depth += 1;
        }
        rest = after;
    }
    tokens
}

/// What follows the closing quote, if there is one. A backslash and a doubled quote belong to the text.
fn after_quote(text: &str, quote: char) -> Option<&str> {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek().is_some_and(|(_, next)| *next == quote) {
                letters.next();
            } else {
                return Some(&text[at + letter.len_utf8()..]);
            }
        }
    }
    None
}

/// What is opened and not closed, or closed and not opened.
pub(crate) fn unpaired<'a>(tokens: &[Placed<'a>]) -> Option<&'a str> {
    let mut open = Vec::new();
    for placed in tokens {
        match placed.token {
            Token::Unclosed(sign) => return Some(sign),
            Token::Sign('(') => open.push("("),
            Token::Sign('[') => open.push("["),
            Token::Sign(')') if open.pop() != Some("(") => return Some(")"),
            Token::Sign(']') if open.pop() != Some("[") => return Some("]"),
            _ => {}
        }
    }
    open.pop()
}

/// The tables `system.<name>` that are named.
pub(crate) fn system_tables<'a>(tokens: &[Placed<'a>]) -> Vec<&'a str> {
    let named = tokens.windows(4).filter_map(|window| match window {
        [before, database, Placed { token: Token::Sign('.'), .. }, Placed { token: Token::Word(table), .. }]
            if database.is("system") && before.token != Token::Sign('.') =>
        {
            Some(*table)
        }
        _ => None,
    });
    named.collect()
}

/// The table functions after `FROM` and `JOIN`.
pub(crate) fn table_functions<'a>(tokens: &[Placed<'a>]) -> Vec<&'a str> {
    let named = tokens.windows(3).filter_map(|window| match window {
        [before, Placed { token: Token::Word(name), .. }, Placed { token: Token::Sign('('), .. }]
            if before.is("FROM") || before.is("JOIN") =>
        {
            Some(*name)
        }
        _ => None,
    });
    named.collect()
}

/// Whether the outermost `FROM` names a table, and not a statement in parentheses.
pub(crate) fn reads_a_table_directly(tokens: &[Placed<'_>]) -> bool {
    tokens.windows(2).any(|pair| match pair {
        [from, next] => from.depth == 0 && from.is("FROM") && matches!(next.token, Token::Word(_) | Token::Slot(_)),
        _ => false,
    })
}

/// A clause of the outermost statement that is the host's to add, if there is one. `LIMIT 1 BY id`, with the order that decides
/// which one, is the statement's own.
pub(crate) fn clause_of_the_host(tokens: &[Placed<'_>]) -> Option<&'static str> {
    let limits_by = |window: &[Placed<'_>]| matches!(window, [limit, _, by] if limit.depth == 0 && limit.is("LIMIT") && by.is("BY"));
    let one_of_each = tokens.windows(3).any(limits_by);
    tokens.windows(3).find_map(|window| {
        let [before, token, next] = window else { return None };
        if token.depth != 0 {
            return None;
        }
        if token.is("ORDER") && next.is("BY") && !one_of_each {
            return Some("ORDER BY");
        }
        // A column may have one of these names: then a comma, an operator or SELECT stands before it.
        let ends_something = match before.token {
            Token::Word(_) => !["SELECT", "AS", "BY", "AND", "OR", "NOT", "WHERE"].iter().any(|word| before.is(word)),
            Token::Quoted | Token::Placeholder { .. } | Token::Slot(_) | Token::Sign(')') => true,
            Token::Sign(_) | Token::Unclosed(_) => false,
        };
        let begins_something = matches!(next.token, Token::Word(_) | Token::Placeholder { .. }) && !next.is("FROM");
        let own = one_of_each && token.is("LIMIT");
        ["LIMIT", "SETTINGS", "FORMAT"]
            .into_iter()
            .filter(|_| !own)
            .find(|word| token.is(word) && ends_something && begins_something)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(sql: &str) -> Vec<(&str, &str)> {
        let found = tokens(sql).into_iter().filter_map(|placed| match placed.token {
            Token::Placeholder { name, kind } => Some((name, kind)),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn placeholders_are_found_outside_of_texts_and_comments() {
        let sql =
            "SELECT {a:UInt8}, '{b:String}' -- {c:X}\n, /* {d:X} */ `{e:X}`, 'it''s \\' {f:X}', { g : Array(String) }";
        assert_eq!(placeholders(sql), [("a", "UInt8"), ("g", "Array(String)")]);
    }

    #[test]
    fn tables_are_found_at_any_depth() {
        let sql = "SELECT 1 FROM system.parts WHERE x IN (SELECT y FROM SYSTEM.tables) AND 'system.no' = t.system.z";
        assert_eq!(system_tables(&tokens(sql)), ["parts", "tables"]);
    }

    #[test]
    fn table_functions_are_told_from_functions() {
        let sql = "SELECT count() FROM numbers(3) CROSS JOIN merge('a', 'b') WHERE f(x) IN (SELECT 1 FROM (SELECT 2))";
        assert_eq!(table_functions(&tokens(sql)), ["numbers", "merge"]);
    }

    #[test]
    fn the_hosts_clauses_are_found_in_the_outermost_statement_only() {
        let cases = [
            ("SELECT a FROM t ORDER BY a", Some("ORDER BY")),
            ("SELECT a FROM t LIMIT 5", Some("LIMIT")),
            ("SELECT a FROM t ORDER BY b DESC LIMIT 1 BY id", None),
            ("SELECT a FROM (SELECT 1) SETTINGS x = 1", Some("SETTINGS")),
            ("SELECT a FROM t format JSON", Some("FORMAT")),
            ("SELECT a FROM t WHERE b = 'x' LIMIT {n:UInt8}", Some("LIMIT")),
            ("SELECT a FROM (SELECT b FROM t ORDER BY b LIMIT 5)", None),
            ("SELECT user, Settings FROM t WHERE format = 'x' GROUP BY format, limit", None),
            ("SELECT format FROM t", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(clause_of_the_host(&tokens(sql)), expected, "{sql}");
        }
    }

    #[test]
    fn what_has_no_partner_is_found() {
        let cases = [
            ("f(a[1], '(', \"[\", `)`) -- (\n/* ( */ {a:Array(String)}", None),
            ("f(a", Some("(")),
            ("f(a))", Some(")")),
            ("f(a[1)]", Some(")")),
            ("a] = 1", Some("]")),
            ("a = 'it''s", Some("'")),
            ("`a", Some("`")),
            ("a /* b", Some("/*")),
            ("{a:UInt8", Some("{")),
        ];
        for (sql, expected) in cases {
            assert_eq!(unpaired(&tokens(sql)), expected, "{sql}");
        }
    }

    #[test]
    fn a_subquery_is_no_table() {
        assert!(reads_a_table_directly(&tokens("SELECT 1 FROM $query_log")));
        assert!(!reads_a_table_directly(&tokens("SELECT 1 FROM (SELECT 2 FROM system.one)")));
        assert!(!reads_a_table_directly(&tokens("SELECT 1")));
    }
}
