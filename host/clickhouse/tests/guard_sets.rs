//! The two sets the end-to-end tests send to a real server must be judged the same way without one.

use chm_clickhouse::GuardedQuery;

fn statements(text: &str) -> Vec<String> {
    text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with("##")).map(|l| l.replace('⏎', "\n")).collect()
}

#[test]
fn every_hostile_statement_is_refused() {
    let set = statements(include_str!("data/hostile.txt"));
    assert!(set.len() >= 90, "{} statements", set.len());
    let passed: Vec<_> = set.iter().filter(|sql| GuardedQuery::check(sql).is_ok()).collect();
    assert!(passed.is_empty(), "accepted: {passed:#?}");
}

#[test]
fn every_benign_statement_is_accepted() {
    let set = statements(include_str!("data/benign.txt"));
    assert!(set.len() >= 80, "{} statements", set.len());
    let refused: Vec<_> =
        set.iter().filter_map(|sql| GuardedQuery::check(sql).err().map(|why| format!("{sql}\n    {why}"))).collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
}
