//! What a user would notice of the stored history: it is complete and correct, and so are plots of it.

mod disk;
mod past;

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::device::{Readings, Value};
use crate::model::series::{Bucket, MINUTE_MS, Point};
use crate::model::time::WallMs;

/// The start of an hour and of a day in 2023.
const T0: WallMs = WallMs(1_700_006_400_000);
const ALL: (WallMs, WallMs) = (WallMs(0), WallMs(T0.0 * 2));

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn open(dir: &Path) -> ReadingsStore {
    ReadingsStore::open(dir, APP_FILE, ReadingsLimits::APP).unwrap()
}

fn device() -> DeviceId {
    DeviceId::new("pump").unwrap()
}

fn name(text: &str) -> MetricName {
    MetricName::new(text).unwrap()
}

fn tell(store: &ReadingsStore, metric: &str, at: WallMs, value: Value) {
    let readings = Readings::of(device(), at, at, vec![(name(metric), value)]);
    assert!(store.keep(1, Arc::new(readings)));
}

/// One batch of one metric.
fn tell_all(store: &ReadingsStore, metric: &str, points: &[(WallMs, f64)]) {
    for some in points.chunks(1_000) {
        let mut all = Readings::default();
        for (at, value) in some {
            let one = Readings::of(device(), *at, *at, vec![(name(metric), Value::number(*value))]);
            all.samples.extend(one.samples);
            all.values.extend(one.values);
        }
        while !store.keep(1, Arc::new(all.clone())) {
            wait(store.flush());
        }
    }
}

fn page(store: &ReadingsStore, metric: &str, (from, to): (WallMs, WallMs), columns: u32) -> SeriesPage {
    wait(store.series(1, device(), name(metric), from, to, columns)).unwrap()
}

fn points(page: &SeriesPage) -> Vec<(WallMs, f64)> {
    page.buckets.iter().map(|bucket| (bucket.at, bucket.mean)).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn assert_same(found: &[Bucket], expected: &[Bucket]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let is_same = found.at == expected.at
            && found.min == expected.min
            && found.max == expected.max
            && found.count == expected.count
            && close(found.mean, expected.mean);
        assert!(is_same, "{found:?} is not {expected:?}");
    }
}

/// Expected buckets, computed in the simplest way.
fn naive(points: &[(WallMs, f64)], width: i64) -> Vec<Bucket> {
    let mut buckets = std::collections::BTreeMap::<WallMs, Bucket>::new();
    for (at, value) in points {
        let begin = at.floor(width);
        match buckets.get_mut(&begin) {
            Some(bucket) => bucket.add(*value),
            None => {
                buckets.insert(begin, Bucket { at: begin, ..Bucket::of(Point::new(*at, *value)) });
            }
        }
    }
    buckets.into_values().collect()
}

fn with_keeper<T: Send + 'static>(
    store: &ReadingsStore,
    ask: impl FnOnce(&mut ReadingsWriter) -> T + Send + 'static,
) -> T {
    let (tell, told) = oneshot::channel();
    let test = Box::new(move |keeper: &mut ReadingsWriter| {
        let _ = tell.send(ask(keeper));
    });
    store.shared.writer.jobs().unwrap().blocking_send(Job::Test(test)).unwrap();
    told.blocking_recv().unwrap()
}

fn count(store: &ReadingsStore, sql: &'static str) -> i64 {
    with_keeper(store, move |keeper| {
        keeper.db.as_ref().unwrap().query_row(sql, (), |row| row.get(0)).unwrap()
    })
}
