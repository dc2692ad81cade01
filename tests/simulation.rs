//! Client, hub and both disks on simulated time over a simulated network, with everything that goes wrong in the field:
//! crashes at any output, lost, doubled and stalled frames, half-open and flapping links, refused credentials, suspend,
//! clock jumps, a hub restored from a backup. What must hold: what a person typed arrives once and in order, at all ends.
//!
//! `DUPLEX_SIM_SEEDS=1000000 cargo test --release --test simulation -- --nocapture` runs the long round, from seed
//! `DUPLEX_SIM_FIRST` on (0) with `DUPLEX_SIM_THREADS` (one for each core); `DUPLEX_SIM_SEED=n` repeats one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should say so at once"
)]

#[path = "sim/mod.rs"]
mod sim;

use sim::world::{Figures, World};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn whatever_goes_wrong_what_was_typed_arrives_once_and_in_order() {
    if let Some(seed) = number("DUPLEX_SIM_SEED") {
        let figures = World::new(seed).talking().run();
        println!("seed {seed}: {figures:?}");
        return;
    }
    let seeds = number("DUPLEX_SIM_SEEDS").unwrap_or(3_000);
    let first = number("DUPLEX_SIM_FIRST").unwrap_or(0);
    let threads = number("DUPLEX_SIM_THREADS").filter(|threads| *threads > 0);
    let threads =
        threads.or_else(|| Some(std::thread::available_parallelism().ok()?.get() as u64)).unwrap_or(1);
    let (totals, failed) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| {
                std::thread::Builder::new()
                    .name(format!("seeds {thread}"))
                    .spawn_scoped(scope, move || {
                        let (mut total, mut failed) = (Figures::default(), Vec::new());
                        for seed in (first + thread..first + seeds).step_by(threads as usize) {
                            let run = std::panic::catch_unwind(|| World::new(seed).run());
                            match run {
                                Ok(figures) => total.add(&figures),
                                Err(_) => {
                                    eprintln!("seed {seed} failed; repeat it with DUPLEX_SIM_SEED={seed}");
                                    failed.push(seed);
                                }
                            }
                        }
                        (total, failed)
                    })
                    .unwrap()
            })
            .collect();
        let (mut total, mut failed) = (Figures::default(), Vec::new());
        for worker in workers {
            let (figures, seeds) = worker.join().unwrap();
            total.add(&figures);
            failed.extend(seeds);
        }
        (total, failed)
    });
    println!("{seeds} seeds from {first} on: {totals:?}");
    assert!(failed.is_empty(), "{} seeds failed: {failed:?}", failed.len());
    // A simulation in which nothing goes wrong proves nothing.
    for (what, count) in totals.counts() {
        assert!(count > seeds / 100, "too few of these: {what} {count}");
    }
}

/// Seeds that once failed, each with what it was about.
#[test]
fn what_once_went_wrong_goes_right() {
    // A message was refused and the refusal was lost; one behind it had been stored when it was sent again.
    World::new(3_881).run();
    // A connection was rebuilt while the entry of an own message was only held in memory.
    World::new(20_150).run();
    // A message was deleted while somebody was not in its room, and edited after that.
    World::new(35_259).run();
}
