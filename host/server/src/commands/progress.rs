//! Shows that long steps go on: a line that changes on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Progress of one task.
pub struct Progress {
    bar: Option<ProgressBar>,
    task: String,
    last: Mutex<String>,
}

impl Progress {
    /// Begins.
    pub fn new(task: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(task.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, task: task.to_owned(), last: Mutex::default() }
    }

    /// Says what is being done; a step that repeats with other figures is one line in a log.
    pub fn step(&self, step: &str, figures: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{step}{figures}"));
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *last != step {
            step.clone_into(&mut last);
            eprintln!("{}: {step}", self.task);
        }
    }

    /// Says something that stays to be read.
    pub fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("{}: {text}", self.task)),
            None => eprintln!("{}: {text}", self.task),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
