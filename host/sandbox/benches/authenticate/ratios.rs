//! The medians of one run, compared.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Where the measurements are kept.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion")
}

/// Prints each median, and how many times as long the first takes. Prints nothing of what a filter left out.
pub fn print(group: &Path, first: &str, others: &[&str]) {
    let Some(own) = median_us(&group.join(first)) else { return };
    println!("\n{:<32} {:>10}", "median of one authentication", "µs");
    println!("{first:<32} {own:>10.2}");
    for other in others {
        let Some(median) = median_us(&group.join(other)) else { continue };
        println!("{other:<32} {median:>10.2}   {first} / this = {:.2}", own / median);
    }
}

fn median_us(folder: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(folder.join("new/estimates.json")).ok()?;
    let estimates: Value = serde_json::from_str(&text).ok()?;
    Some(estimates.pointer("/median/point_estimate")?.as_f64()? / 1e3)
}
