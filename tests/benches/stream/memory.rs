//! How much memory a process takes while something happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks at it all the time.
pub struct Watch {
    before: u64,
    most: Arc<AtomicU64>,
    done: Arc<AtomicBool>,
    looking: JoinHandle<()>,
}

impl Watch {
    pub fn start(process: u32) -> Self {
        let (most, done) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let looking = std::thread::spawn({
            let (most, done) = (most.clone(), done.clone());
            move || {
                while !done.load(Ordering::Relaxed) {
                    most.fetch_max(resident(process), Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        Self { before: resident(process), most, done, looking }
    }

    /// The most since the start, in KiB, over what it was then.
    pub fn grown(self) -> u64 {
        self.done.store(true, Ordering::Relaxed);
        self.looking.join().expect("a thread");
        self.most.load(Ordering::Relaxed).saturating_sub(self.before)
    }
}

fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("a line");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
