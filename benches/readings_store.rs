//! The readings' store in figures: thousands of readings a second, their size on disk, and a plot of a year.
//! `DUPLEX_BENCH_QUICK=1` takes smaller sizes; `TMPDIR` chooses the disk.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench says what it sees"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duplex::model::time::WallMs;
use duplex::model::{DeviceId, MetricName, Readings, Sample, Value};
use duplex::store::ReadingsStore;
use duplex::store::readings::{APP_FILE, ReadingsLimits};

/// The beginning of a day, in 2023.
const T0: i64 = 1_700_006_400_000;
const HOUR_MS: i64 = 3_600_000;
const SOURCE: u64 = 7;

fn main() {
    // `cargo test --benches` runs this too: then only as far as it takes to see that it works.
    let quick =
        std::env::var_os("DUPLEX_BENCH_QUICK").is_some() || std::env::args().any(|arg| arg == "--test");
    let (seconds, days) = if quick { (5, 20) } else { (180, 365) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (name, devices, a_second) in [("20,000/s over 1,000 metrics", 200, 20), ("50/s over 50", 10, 1)] {
        let dir = tempfile::tempdir().unwrap();
        runtime.block_on(stream(dir.path(), name, devices, a_second, seconds));
    }
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(year(dir.path(), days));
}

fn names(devices: usize) -> (Vec<DeviceId>, Vec<MetricName>) {
    let metrics = ["temperature", "pressure", "speed", "level", "load"];
    (
        (0..devices).map(|device| DeviceId::new(format!("device-{device}")).unwrap()).collect(),
        metrics.map(|metric| MetricName::new(metric).unwrap()).to_vec(),
    )
}

/// A value as a sensor of two digits says it: a slow wave and some noise.
fn value(device: usize, metric: usize, tick: i64) -> f64 {
    let noise = (tick.wrapping_mul(0x9E37_79B9) ^ (device as i64 * 31)) % 17;
    let wave = ((tick as f64) * 0.001 + device as f64 + metric as f64).sin() * 10.0;
    ((20.0 + wave) * 100.0 + noise as f64).round() / 100.0
}

/// All devices' values of one moment.
fn moment(devices: &[DeviceId], metrics: &[MetricName], tick: i64, at: i64) -> Readings {
    let mut readings = Readings::default();
    for (which, device) in devices.iter().enumerate() {
        let count = metrics.len() as u32;
        readings.samples.push(Sample {
            device: device.clone(),
            at: WallMs(at),
            received: WallMs(at + 3),
            count,
        });
        let values = metrics.iter().enumerate();
        let values = values.map(|(m, metric)| (metric.clone(), Value::Number(value(which, m, tick))));
        readings.values.extend(values);
    }
    readings
}

/// Each flush is a second of it, as the writer would take it, so that it runs faster than time does.
async fn stream(dir: &Path, name: &str, devices: usize, a_second: i64, seconds: i64) {
    let (devices, metrics) = names(devices);
    let store = ReadingsStore::open(dir, APP_FILE, ReadingsLimits::APP).unwrap();
    let (memory, written) = (rss(), disk_writes());
    let (mut made, mut kept) = (Duration::ZERO, Duration::ZERO);
    let mut commits = Times::default();
    let cpu_before = cpu();
    let mut count = 0;
    let began = Instant::now();
    for second in 0..seconds {
        for part in 0..a_second {
            let making = Instant::now();
            let tick = second * a_second + part;
            let readings = Arc::new(moment(&devices, &metrics, tick, T0 + tick * 1_000 / a_second));
            made += making.elapsed();
            count += readings.values.len();
            let keeping = Instant::now();
            assert!(store.keep(SOURCE, readings));
            kept += keeping.elapsed();
        }
        let committing = Instant::now();
        store.flush().await;
        commits.add(committing);
    }
    let took = began.elapsed();
    let cpu = (cpu() - cpu_before).saturating_sub(made);
    assert_eq!(store.lost(), 0);
    let thousands = count as f64 / 1_000.0;
    println!(
        "{name}, {seconds} s of it: {:.0} readings/s possible; {:.3} ms CPU per 1,000 without making them; \
         `keep` {:.4} ms per 1,000; a commit each second {commits}; memory {}; written {:.1} B/reading",
        count as f64 / took.as_secs_f64(),
        cpu.as_secs_f64() * 1_000.0 / thousands,
        kept.as_secs_f64() * 1_000.0 / thousands,
        grown(memory),
        (disk_writes() - written) as f64 / count as f64,
    );
    drop(store);
    let size = std::fs::metadata(dir.join(APP_FILE)).unwrap().len();
    println!("    the file: {:.1} MB, {:.2} B/reading", size as f64 / 1e6, size as f64 / count as f64);
}

async fn year(dir: &Path, days: i64) {
    let (devices, metrics) = names(1);
    let store = ReadingsStore::open(dir, APP_FILE, ReadingsLimits::APP).unwrap();
    let began = Instant::now();
    for hour in 0..days * 24 {
        for minute in hour * 60..hour * 60 + 60 {
            assert!(store.keep(SOURCE, Arc::new(moment(&devices, &metrics, minute, T0 + minute * 60_000))));
        }
        store.flush().await;
    }
    println!(
        "{days} days of minutes of {} metrics written in {:.1} s",
        metrics.len(),
        began.elapsed().as_secs_f64()
    );
    drop(store);
    let size = std::fs::metadata(dir.join(APP_FILE)).unwrap().len();
    println!("    the file: {:.1} MB", size as f64 / 1e6);
    let opening = Instant::now();
    let store = ReadingsStore::open(dir, APP_FILE, ReadingsLimits::APP).unwrap();
    println!("    opened in {}", ms(opening.elapsed()));
    let end = T0 + days * 24 * HOUR_MS;
    let memory = rss();
    for (name, hours) in [("a year", days * 24), ("14 days", 336), ("a day", 24), ("an hour", 1)] {
        let mut times = Times::default();
        let mut buckets = 0;
        for round in 0..200 {
            let asking = Instant::now();
            // Each a little elsewhere, as one who pans.
            let to = end - round * 60_000;
            for metric in &metrics[..4] {
                let (device, metric) = (devices[0].clone(), metric.clone());
                let page = store
                    .series(SOURCE, device, metric, WallMs(to - hours * HOUR_MS), WallMs(to), 1_000)
                    .await
                    .unwrap();
                buckets = page.buckets.len();
            }
            times.add(asking);
        }
        println!("    {name} of 4 metrics in 1,000 columns ({buckets} stretches each): {times}");
    }
    println!("    memory {}", grown(memory));
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn add(&mut self, began: Instant) {
        self.0.push(began.elapsed());
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len() - 1));
        let (p50, p99) = (at(50).copied().unwrap_or_default(), at(99).copied().unwrap_or_default());
        write!(f, "p50 {}, p99 {}", ms(p50), ms(p99))
    }
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

/// This process's CPU time; none where it cannot be asked for this way. A tick is 10 ms on Linux.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Bytes that this process had written so far; 0 where it cannot be asked for this way.
fn disk_writes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find(|line| line.starts_with("wchar:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Resident memory in kB; 0 where it cannot be asked for this way.
fn rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn grown(from: u64) -> String {
    let now = rss();
    format!("{:.1} → {:.1} MB", from as f64 / 1_000.0, now as f64 / 1_000.0)
}
