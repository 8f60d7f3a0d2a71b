//! The text of `config check`.

use super::load::Loaded;

impl Loaded {
    /// Every effective value, one per line: key, value, origin, aligned. Secrets and the credentials in addresses are hidden.
    pub fn render(&self) -> String {
        // A long value must not push every origin out of sight.
        const WIDEST: usize = 60;
        let width = |texts: &mut dyn Iterator<Item = usize>| texts.filter(|width| *width <= WIDEST).max().unwrap_or(0);
        let keys = width(&mut self.leaves.iter().map(|leaf| leaf.path.chars().count()));
        let values = width(&mut self.leaves.iter().map(|leaf| leaf.shown.chars().count()));
        let lines =
            self.leaves.iter().map(|leaf| format!("{:keys$} = {:values$}  # {}\n", leaf.path, leaf.shown, leaf.origin));
        lines.collect()
    }
}
