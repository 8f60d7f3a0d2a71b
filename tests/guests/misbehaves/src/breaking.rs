//! The ways to break.

use std::hint::black_box;

/// Never returns, and asks nothing of the host while it does not.
pub(crate) fn run_forever() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Takes memory, and writes to it, until there is no more.
pub(crate) fn take_all_memory() -> ! {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Calls itself until the stack is used up.
pub(crate) fn overflow_the_stack(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    frame[0] + overflow_the_stack(black_box(depth + 1))
}

/// Ends with a trap, without a word.
pub(crate) fn trap() -> ! {
    std::process::abort()
}

/// Ends with a trap, after a word in the host's log.
#[allow(clippy::panic)]
pub(crate) fn panic_with_words() -> ! {
    panic!("a guest's last words")
}
