//! Values written and read back: raw, late, repeated and missing ones, minutes and hours, devices, texts and logs.

use proptest::prelude::*;

use super::*;
use crate::model::DeviceState;
use crate::model::device::{DeviceLogEvent, LastValue, Spec};
use crate::model::time::WallMs;

#[test]
fn unwritten_data_is_visible_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    tell(&store, "t", T0, Value::Number(1.5));
    tell(&store, "t", T0 + 1_000, Value::Number(2.5));
    tell(&store, "on", T0, Value::Flag(true));
    let expected = [(T0, 1.5), (T0 + 1_000, 2.5)];
    assert_eq!(points(&page(&store, "t", ALL, 100)), expected);
    wait(store.flush());
    assert_eq!(points(&page(&store, "t", ALL, 100)), expected, "on disk it is there once");
    drop(store);
    let store = open(dir.path());
    let raw = page(&store, "t", ALL, 100);
    assert_eq!((points(&raw), raw.step_ms), (expected.to_vec(), 0));
    assert_eq!(points(&page(&store, "on", ALL, 100)), [(T0, 1.0)]);
    assert_eq!(points(&page(&store, "t", (T0 + 1, T0 + 1_000), 100)), [], "the end is exclusive");
    assert_eq!(page(&store, "nothing", ALL, 100).buckets, []);
    assert_eq!(store.lost(), 0);
}

#[test]
fn integers_keep_all_digits_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let told: Vec<(WallMs, Value)> =
        [9_007_199_254_740_993, i128::from(u64::MAX), i128::from(i64::MIN) + 1, 1_724_442_618_569_203_714, 7]
            .into_iter()
            .zip((T0.0..).map(WallMs))
            .map(|(whole, at)| (at, Value::whole(whole).unwrap()))
            .collect();
    for (at, value) in &told {
        tell(&store, "serial", *at, value.clone());
        tell(&store, "plain", *at, Value::Number(0.5));
    }
    let check = |store: &ReadingsStore, many: usize| {
        let raw = page(store, "serial", (T0, T0 + 5), 10_000);
        let found: Vec<(WallMs, Value)> =
            raw.buckets.iter().filter_map(|bucket| Some((bucket.at, bucket.single()?))).collect();
        assert_eq!(found, told);
        assert_eq!(page(store, "plain", ALL, 10_000).buckets.len(), many);
        let devices = wait(store.devices(1)).unwrap();
        let last = devices[0].values.iter().find(|last| last.metric == name("serial")).unwrap();
        assert_eq!(last.value, told[4].1);
    };
    check(&store, 5);
    wait(store.flush());
    check(&store, 5);
    drop(store);
    let store = open(dir.path());
    check(&store, 5);
    // Enough points of two metrics to be packed into chunks.
    let many: Vec<_> = (0..2_000).map(|i| (T0 + 60_000 + i, i as f64)).collect();
    tell_all(&store, "plain", &many);
    for i in 0..2_000 {
        tell(&store, "serial", T0 + 60_000 + i, Value::from(u64::MAX - i as u64));
    }
    tell(&store, "serial", T0 + 62_000, told[4].1.clone());
    wait(store.flush());
    assert!(count(&store, "SELECT count(*) FROM chunk") > 1);
    drop(store);
    let store = open(dir.path());
    check(&store, 2_005);
    let raw = page(&store, "serial", (T0 + 60_000, T0 + 62_000), 10_000);
    let expected: Vec<Value> = (0..2_000).map(|i| Value::from(u64::MAX - i)).collect();
    assert_eq!(raw.buckets.iter().filter_map(Bucket::single).collect::<Vec<_>>(), expected);
}

#[test]
fn late_points_are_sorted_and_of_equal_times_the_later_arrival_counts() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // Enough for a chunk, then some that belong before and into it.
    let many: Vec<_> = (0..2_000).map(|i| (T0 + i * 100, i as f64)).collect();
    tell_all(&store, "t", &many);
    wait(store.flush());
    assert!(count(&store, "SELECT count(*) FROM chunk") > 0);
    let late = [(T0 - 50_000, -1.0), (T0 + 150, 1.25), (T0 + 100, 99.0), (T0 + 100, 77.0)];
    tell_all(&store, "t", &late);
    let check = |store: &ReadingsStore| {
        let found = points(&page(store, "t", ALL, 10_000));
        assert_eq!(found.len(), 2_002);
        assert_eq!(found[..4], [(T0 - 50_000, -1.0), (T0, 0.0), (T0 + 100, 77.0), (T0 + 150, 1.25)]);
        assert!(found.is_sorted_by(|a, b| a.0 < b.0));
    };
    check(&store);
    wait(store.flush());
    check(&store);
    drop(store);
    check(&open(dir.path()));
}

#[test]
fn a_missing_value_is_a_last_value_but_not_a_point() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    tell(&store, "t", T0, Value::Number(1.0));
    tell(&store, "t", T0 + 1_000, Value::number(f64::NAN));
    tell(&store, "t", T0 + 2_000, Value::Number(3.0));
    tell(&store, "t", T0 + 3_000, Value::Missing);
    assert_eq!(points(&page(&store, "t", ALL, 100)), [(T0, 1.0), (T0 + 2_000, 3.0)]);
    drop(store);
    let devices = wait(open(dir.path()).devices(1)).unwrap();
    assert_eq!(devices[0].values[0].value, Value::Missing);
    assert_eq!(devices[0].values[0].received, T0 + 3_000);
}

#[test]
fn a_device_with_a_wrong_clock_is_placed_by_the_hubs_clock() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let hour_off = Readings::of(device(), T0 - HOUR_MS, T0, vec![(name("t"), Value::Number(1.0))]);
    assert!(store.keep(1, Arc::new(hour_off)));
    assert_eq!(points(&page(&store, "t", ALL, 100)), [(T0, 1.0)]);
    let nonsense =
        Readings::of(device(), WallMs(i64::MAX), WallMs(i64::MAX), vec![(name("t"), Value::Number(1.0))]);
    assert!(store.keep(1, Arc::new(nonsense)));
    let last = wait(store.devices(1)).unwrap().remove(0).values.remove(0);
    assert_eq!((last.at, last.received), (T0 - HOUR_MS, T0));
    assert_eq!(store.lost(), 1, "a reading with an invalid time is dropped and counted");
}

#[test]
fn more_points_than_columns_become_buckets_of_one_width() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let told: Vec<_> = (0..12_000).map(|i| (T0 + i * 50, (i as f64 * 0.01).sin())).collect();
    tell_all(&store, "t", &told);
    let asked = (T0, T0 + 600_000);
    let found = page(&store, "t", asked, 1_000);
    assert_eq!(found.step_ms, 600, "computed from raw points, not from minutes");
    assert_same(&found.buckets, &naive(&told, 600));
}

#[test]
fn minutes_and_hours_match_the_raw_points() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // Three weeks, one value every half minute.
    let told: Vec<_> = (0..60_480)
        .map(|i| (T0 + 7 + i * 30_000, 20.0 + (i as f64 * 0.001).sin() * (i % 7) as f64))
        .collect();
    for some in told.chunks(6_000) {
        tell_all(&store, "t", some);
        wait(store.flush());
    }
    let late: Vec<_> = (0..50).map(|i| (T0 + i * 3_333_333, -5.0)).collect();
    tell_all(&store, "t", &late);
    let all: Vec<_> = told.iter().chain(&late).copied().collect();
    let check = |store: &ReadingsStore| {
        let day: Vec<_> = all.iter().filter(|p| (T0..T0 + DAY_MS).contains(&p.0)).copied().collect();
        let minutes = page(store, "t", (T0, T0 + DAY_MS), 1_500);
        assert_eq!(minutes.step_ms, MINUTE_MS);
        assert_same(&minutes.buckets, &naive(&day, MINUTE_MS));
        let tens = page(store, "t", (T0, T0 + DAY_MS), 144);
        assert_same(&tens.buckets, &naive(&day, 10 * MINUTE_MS));
        let hours = page(store, "t", (T0, T0 + 21 * DAY_MS), 504);
        assert_eq!(hours.step_ms, HOUR_MS);
        assert_same(&hours.buckets, &naive(&all, HOUR_MS));
        let days = page(store, "t", (T0, T0 + 21 * DAY_MS), 21);
        assert_same(&days.buckets, &naive(&all, DAY_MS));
    };
    check(&store);
    for _ in 0..40 {
        wait(store.flush());
    }
    assert!(
        count(&store, "SELECT count(*) FROM block WHERE level = 1") > 30,
        "hours are packed step by step"
    );
    check(&store);
    drop(store);
    check(&open(dir.path()));
}

#[test]
fn devices_are_read_back_with_their_last_values() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut state = memory::unannounced(device());
    state.spec = Spec { name: "펌프".into(), kind: "pump".into(), ..state.spec };
    (state.incarnation, state.since) = (9, T0);
    let replayed = LastValue { metric: name("old"), value: Value::Flag(true), at: T0 - 9, received: T0 - 8 };
    let known = DeviceState { values: vec![replayed.clone()], ..state.clone() };
    store.put_device(1, known.clone());
    tell(&store, "t", T0 + 5, Value::Number(4.0));
    tell(&store, "t", T0 + 1, Value::Number(3.0));
    tell(&store, "mode", T0 + 5, Value::Text("auto".into()));
    let last = |metric, value| LastValue { metric: name(metric), value, at: T0 + 5, received: T0 + 5 };
    let expected = DeviceState {
        heard: Some(T0 + 5),
        values: vec![last("mode", Value::Text("auto".into())), replayed, last("t", Value::Number(4.0))],
        ..state
    };
    assert_eq!(wait(store.devices(1)).unwrap(), std::slice::from_ref(&expected));
    wait(store.flush());
    assert_eq!(wait(store.devices(1)).unwrap(), std::slice::from_ref(&expected));
    assert_eq!(wait(store.devices(2)).unwrap(), []);
    drop(store);
    let store = open(dir.path());
    assert_eq!(wait(store.devices(1)).unwrap(), [expected]);
    store.remove(1);
    assert_eq!(wait(store.devices(1)).unwrap(), []);
    tell(&store, "t", T0 + 9, Value::Number(1.0));
    drop(store);
    let store = open(dir.path());
    assert_eq!(points(&page(&store, "t", ALL, 10)), [(T0 + 9, 1.0)], "earlier data was forgotten");
    assert_eq!(wait(store.devices(1)).unwrap()[0].spec.name, "");
    assert_eq!(count(&store, "SELECT (SELECT count(*) FROM purge) + (SELECT count(*) FROM device) - 1"), 0);
}

fn states(store: &ReadingsStore) -> Vec<(WallMs, Option<String>)> {
    let changes = wait(store.states(1, device(), name("mode"))).unwrap();
    changes.into_iter().map(|change| (change.at, change.value.map(|text| text.as_ref().to_owned()))).collect()
}

fn was(at: WallMs, text: &str) -> (WallMs, Option<String>) {
    (at, Some(text.to_owned()))
}

fn say(store: &ReadingsStore, at: WallMs, text: &str) {
    tell(store, "mode", at, Value::Text(text.into()));
}

#[test]
fn text_changes_and_gaps_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(states(&store), []);
    for (after, text) in [(0, "a"), (1, "a"), (2, "b"), (3, "b"), (4, "a")] {
        say(&store, T0 + after, text);
    }
    tell(&store, "t", T0 + 6, Value::Number(1.0));
    let expected = [was(T0, "a"), was(T0 + 2, "b"), was(T0 + 4, "a")];
    assert_eq!(states(&store), expected);
    wait(store.flush());
    assert_eq!(states(&store), expected, "on disk it is there once");
    drop(store);
    let store = open(dir.path());
    let away = (T0 + 6, None);
    let before = [&expected[..], std::slice::from_ref(&away)].concat();
    assert_eq!(states(&store), before, "known up to the last reading of any metric");
    // Another run that receives readings of other devices only: it was listening, but not to this one.
    let other = Readings::of(
        DeviceId::new("~link").unwrap(),
        T0 + 20,
        T0 + 20,
        vec![(name("queue"), Value::Number(0.0))],
    );
    assert!(store.keep(1, Arc::new(other)));
    drop(store);
    let store = open(dir.path());
    assert_eq!(states(&store), before, "the gap is still there after another restart");
    tell(&store, "t", T0 + 50, Value::Number(1.0));
    let back = [&before[..], &[was(T0 + 50, "a")]].concat();
    assert_eq!(states(&store), back, "its last text is valid again");
    say(&store, T0 + 60, "a");
    assert_eq!(states(&store), back);
}

#[test]
fn a_text_has_a_gap_while_its_device_is_offline_or_the_link_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let log = |at, what| store.log(1, device(), LogLine { at, what });
    say(&store, T0, "a");
    say(&store, T0 + 10, "a");
    log(T0 + 5, DeviceLogEvent::Silent);
    assert_eq!(states(&store), [was(T0, "a")], "it has sent readings since");
    log(T0 + 20, DeviceLogEvent::Silent);
    log(T0 + 30, DeviceLogEvent::Offline { reason: String::new() });
    assert_eq!(states(&store), [was(T0, "a"), (T0 + 20, None)]);
    say(&store, T0 + 40, "b");
    let mut expected = vec![was(T0, "a"), (T0 + 20, None), was(T0 + 40, "b"), was(T0 + 40, "b")];
    assert_eq!(states(&store), expected);

    store.link_lost(2, T0 + 50);
    assert_eq!(states(&store), expected, "another link");
    store.link_lost(1, T0 + 50);
    // The hub has received readings since, in a different mode for a while.
    let told = |value: &str, at| LastValue {
        metric: name("mode"),
        value: Value::Text(value.into()),
        at,
        received: at,
    };
    let state = memory::unannounced(device());
    store.put_device(1, DeviceState { values: vec![told("c", T0 + 60)], heard: Some(T0 + 70), ..state });
    expected.extend([(T0 + 50, None), was(T0 + 60, "c"), was(T0 + 70, "c")]);
    assert_eq!(states(&store), expected);

    let gone =
        DeviceState { online: false, since: T0 + 75, heard: Some(T0 + 70), ..memory::unannounced(device()) };
    store.put_device(1, gone);
    expected.push((T0 + 75, None));
    assert_eq!(states(&store), expected, "the hub reports it as offline");

    tell(&store, "mode", T0 + 80, Value::Missing);
    tell(&store, "mode", T0 + 90, Value::Missing);
    expected.push((T0 + 80, None));
    assert_eq!(states(&store), expected, "it sent a missing value");
    wait(store.flush());
    assert_eq!(states(&store), expected);
}

#[test]
fn text_changes_are_placed_by_the_hubs_clock() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let say = |at, received, text: &str| {
        let values = vec![(name("mode"), Value::Text(text.into()))];
        assert!(store.keep(1, Arc::new(Readings::of(device(), at, received, values))));
    };
    say(T0 - HOUR_MS, T0, "an hour off");
    assert_eq!(states(&store), [was(T0, "an hour off")]);
}

#[test]
fn the_newest_1000_text_changes_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let long = "가".repeat(1_000);
    for n in 0..1_200 {
        say(&store, T0 + n, ["a", &long][n as usize % 2]);
        if n == 700 {
            wait(store.flush());
        }
    }
    let check = |store: &ReadingsStore| {
        let found = states(store);
        assert_eq!((found.len(), found[0].0, found[999].0), (1_000, T0 + 200, T0 + 1_199));
        assert_eq!(found[999].1.as_ref().map(|text| text.chars().count()), Some(341), "a KiB of it");
    };
    check(&store);
    wait(store.flush());
    check(&store);
    assert_eq!(count(&store, "SELECT count(*) FROM text"), 1_000);
}

#[test]
fn texts_of_the_first_version_are_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    say(&store, T0, "a");
    wait(store.flush());
    // The table as in the first version.
    with_keeper(&store, |keeper| {
        let old = "CREATE TABLE old (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, at INTEGER NOT NULL,
                   value TEXT NOT NULL) STRICT;
                   INSERT INTO old SELECT * FROM text; DROP TABLE text; ALTER TABLE old RENAME TO text;
                   CREATE INDEX text_place ON text (series, id); PRAGMA user_version = 1;";
        keeper.db.as_ref().unwrap().execute_batch(old).unwrap();
    });
    drop(store);
    let store = open(dir.path());
    tell(&store, "mode", T0 + 10, Value::Missing);
    wait(store.flush());
    assert_eq!(states(&store), [was(T0, "a"), (T0, None), (T0 + 10, None)]);
}

#[test]
fn the_newest_200_log_lines_are_stored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let line = |at| LogLine { at, what: DeviceLogEvent::Silent };
    for at in 0..150 {
        store.log(1, device(), line(WallMs(at)));
    }
    wait(store.flush());
    for at in 150..300 {
        store.log(1, device(), line(WallMs(at)));
    }
    let expected: Vec<_> = (100..300).map(WallMs).map(line).collect();
    assert_eq!(wait(store.device_log(1, device(), 1_000)).unwrap(), expected);
    drop(store);
    let store = open(dir.path());
    assert_eq!(wait(store.device_log(1, device(), 1_000)).unwrap(), expected);
    assert_eq!(wait(store.device_log(1, device(), 2)).unwrap(), expected[198..]);
    assert_eq!(count(&store, "SELECT count(*) FROM log"), 200);
}

/// An operation on the store.
#[derive(Clone, Debug)]
enum Act {
    Tell(Vec<(i64, i32)>),
    Flush,
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    // Mostly ascending times, with some late and some repeated ones.
    let told = prop::collection::vec(
        (prop_oneof![3 => 1..5_000i64, 1 => -200_000..0i64, 1 => Just(0)], any::<i32>()),
        1..80,
    );
    let act = prop_oneof![6 => told.prop_map(Act::Tell), 2 => Just(Act::Flush), 1 => Just(Act::Restart)];
    prop::collection::vec(act, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// In any order and with restarts in between: raw points match a simple list, and so do minutes unless a time is
    /// repeated.
    #[test]
    fn it_behaves_like_a_list(acts in acts(), has_repeats in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let (mut now, mut told) = (T0, Vec::<(WallMs, f64)>::new());
        let mut raw = std::collections::BTreeMap::new();
        for act in acts {
            match act {
                Act::Tell(some) => {
                    let mut new = Vec::new();
                    for (after, value) in some {
                        let at = if after > 0 { now += after; now } else { now + after };
                        if has_repeats || !raw.contains_key(&at) {
                            told.push((at, f64::from(value)));
                            new.push((at, f64::from(value)));
                            raw.insert(at, f64::from(value));
                        }
                    }
                    tell_all(&store, "t", &new);
                }
                Act::Flush => wait(store.flush()),
                Act::Restart => {
                    drop(store);
                    store = open(dir.path());
                }
            }
            let found = page(&store, "t", ALL, 10_000);
            prop_assert_eq!(points(&found), raw.iter().map(|(at, v)| (*at, *v)).collect::<Vec<_>>());
        }
        // A span wide enough for minutes, with more points than columns.
        let (from, to) = (T0 - 4 * HOUR_MS, T0 + 4 * HOUR_MS);
        let found = page(&store, "t", (from, to), 2);
        // How often a repeat counts there depends on what was in between.
        if found.step_ms > 0 && !has_repeats {
            let counted: u32 = found.buckets.iter().map(|bucket| bucket.count).sum();
            prop_assert_eq!(counted as usize, told.len());
            assert_same(&found.buckets, &naive(&told, found.step_ms));
        }
    }
}
