//! What can happen to the file: a crash, damage, a full disk, the size limit.

use std::fs;

use super::*;
use crate::store::files::beside;

/// Copies the files as they are, as a crash would leave them.
fn crash(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let name = beside(Path::new(APP_FILE), suffix);
        fs::copy(from.join(&name), to.path().join(&name)).unwrap();
    }
    to
}

#[test]
fn a_crash_loses_at_most_unwritten_data() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let told: Vec<_> = (0..5_000).map(|i| (T0 + i * 1_000, i as f64)).collect();
    tell_all(&store, "t", &told[..3_000]);
    wait(store.flush());
    tell_all(&store, "t", &told[3_000..4_000]);
    wait(store.flush());
    tell_all(&store, "t", &told[4_000..]);
    let crashed = crash(dir.path());
    let again = open(crashed.path());
    let found = points(&page(&again, "t", ALL, 10_000));
    assert!(found.len() >= 4_000, "{}", found.len());
    assert_eq!(found, told[..found.len()]);
    let minutes = page(&again, "t", (T0, T0 + DAY_MS), 1_440);
    assert_same(&minutes.buckets, &naive(&told[..found.len()], MINUTE_MS));
    // It continues as before.
    tell_all(&again, "t", &told[found.len()..]);
    wait(again.flush());
    assert_eq!(points(&page(&again, "t", ALL, 10_000)), told);
    assert_same(&page(&again, "t", (T0, T0 + DAY_MS), 1_440).buckets, &naive(&told, MINUTE_MS));
}

#[test]
fn raw_readings_stay_within_their_limit_and_the_oldest_are_deleted_first() {
    let dir = tempfile::tempdir().unwrap();
    let cap = 60_000;
    let store =
        ReadingsStore::open(dir.path(), APP_FILE, ReadingsLimits { raw_bytes: cap, ..ReadingsLimits::APP })
            .unwrap();
    // Values that compress badly.
    let value = |i: i64| (i as f64 * 12.9898).sin() * 43_758.545_3;
    let told: Vec<_> = (0..40_000).map(|i| (T0 + i * 1_000, value(i))).collect();
    let mut size = 0;
    for (round, some) in told.chunks(2_000).enumerate() {
        tell_all(&store, "t", some);
        wait(store.flush());
        assert!(count(&store, "SELECT coalesce(sum(length(body)), 0) FROM chunk") as u64 <= cap);
        if round == 9 {
            size = count(&store, "SELECT page_count FROM pragma_page_count");
        }
    }
    assert_eq!(
        count(&store, "SELECT raw_bytes FROM state"),
        count(&store, "SELECT sum(length(body)) FROM chunk")
    );
    let grown = count(&store, "SELECT page_count FROM pragma_page_count") - size;
    assert!(grown < 30, "freed pages are reused: {grown} more");
    // The newest are raw readings; older ones are minutes.
    let newest = told[39_000..].to_vec();
    assert_eq!(points(&page(&store, "t", (newest[0].0, T0 + DAY_MS), 1_000)), newest);
    let oldest = page(&store, "t", (T0, T0 + 600_000), 1_000);
    assert_eq!(oldest.step_ms, MINUTE_MS);
    assert_same(&oldest.buckets, &naive(&told[..600], MINUTE_MS));
    // A lower limit: the next writes delete the oldest, but never all.
    store.set_raw_bytes(cap / 4);
    tell_all(&store, "t", &[(T0 + DAY_MS, 1.0)]);
    wait(store.flush());
    let left = count(&store, "SELECT sum(length(body)) FROM chunk") as u64;
    assert!((1..=cap / 4).contains(&left), "{left}");
}

#[test]
fn a_hub_stores_minutes_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = ReadingsStore::open(dir.path(), HUB_FILE, ReadingsLimits::HUB).unwrap();
    let told: Vec<_> = (0..500).map(|i| (T0 + i * 1_000, i as f64)).collect();
    tell_all(&store, "t", &told);
    wait(store.flush());
    assert_eq!(count(&store, "SELECT count(*) FROM chunk"), 0);
    let check = |store: &ReadingsStore| {
        let found = page(store, "t", (T0, T0 + 600_000), 1_000);
        assert_same(&found.buckets, &naive(&told, MINUTE_MS));
    };
    check(&store);
    drop(store);
    check(&ReadingsStore::open(dir.path(), HUB_FILE, ReadingsLimits::HUB).unwrap());
}

#[test]
fn old_minutes_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let keep = ReadingsLimits { minutes_ms: 2 * DAY_MS, ..ReadingsLimits::HUB };
    let store = ReadingsStore::open(dir.path(), APP_FILE, keep).unwrap();
    let told: Vec<_> = (0..6 * 1_440).map(|i| (T0 + i * MINUTE_MS, i as f64)).collect();
    tell_all(&store, "t", &told);
    // Each write packs an hour.
    for _ in 0..6 * 24 + 1 {
        wait(store.flush());
    }
    let found = page(&store, "t", (T0, T0 + 6 * DAY_MS), 10_000);
    let kept = found.buckets.len() as i64;
    assert!((2 * 1_440..2 * 1_440 + 120).contains(&kept), "{kept} minutes are kept");
    assert_same(&found.buckets, &naive(&told[told.len() - kept as usize..], MINUTE_MS));
}

#[test]
fn an_oversized_file_loses_its_oldest_texts_and_minutes() {
    let dir = tempfile::tempdir().unwrap();
    let most = 1_500_000;
    let keep = ReadingsLimits { file_bytes: most, ..ReadingsLimits::HUB };
    let store = ReadingsStore::open(dir.path(), HUB_FILE, keep).unwrap();
    let told: Vec<_> = (0..10 * 1_440).map(|i| (T0 + i * MINUTE_MS, i as f64)).collect();
    tell_all(&store, "t", &told);
    for number in 0..4_000 {
        let text = format!("{number} {}", "x".repeat(1_000));
        tell(&store, &format!("m{}", number % 5), T0 + number, Value::Text(text.into()));
    }
    let used = "SELECT ((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM
        pragma_freelist_count)) * (SELECT page_size FROM pragma_page_size)";
    let mut size = i64::MAX;
    for _ in 0..400 {
        wait(store.flush());
        size = count(&store, used);
    }
    assert!(size <= most as i64, "{size} bytes are in use");
    let found = page(&store, "t", (T0, T0 + 10 * DAY_MS), 20_000);
    assert_eq!(found.buckets.last().unwrap().max, 14_399.0, "the newest stay");
}

#[test]
fn a_damaged_file_is_renamed_and_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let garbage: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
    fs::write(dir.path().join(APP_FILE), &garbage).unwrap();
    let store = open(dir.path());
    let aside = store.take_set_aside().unwrap();
    assert_eq!((fs::read(aside).unwrap(), store.take_set_aside()), (garbage.clone(), None), "reported once");
    tell(&store, "t", T0, Value::Number(1.0));
    drop(store);
    assert_eq!(points(&page(&open(dir.path()), "t", ALL, 10)), [(T0, 1.0)]);
    let aside = fs::read_dir(dir.path()).unwrap().filter_map(Result::ok);
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().contains(".damaged-"));
    assert_eq!(aside.map(|entry| fs::read(entry.path()).unwrap()).collect::<Vec<_>>(), [garbage]);
}

#[test]
fn damage_found_while_in_use_loses_only_data_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    tell(&store, "t", T0, Value::Number(1.0));
    wait(store.flush());
    let path = dir.path().join(APP_FILE);
    with_keeper(&store, move |keeper| {
        let db = keeper.db.as_ref().unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'journal'";
        let page: i64 = db.query_row(root, (), |row| row.get(0)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let start = (page as usize - 1) * 4096;
        bytes[start..start + 4096].fill(0xaa);
        fs::write(&path, &bytes).unwrap();
        db.execute_batch("PRAGMA shrink_memory").unwrap();
        // Disables the page cache.
        db.pragma_update(None, "cache_size", 0).unwrap();
    });
    tell(&store, "t", T0 + 1, Value::Number(2.0));
    wait(store.flush());
    wait(store.flush());
    assert!(store.take_set_aside().is_some_and(|path| path.exists()));
    // The points were still waiting for their chunk.
    assert_eq!(points(&page(&store, "t", ALL, 10)), [(T0, 1.0), (T0 + 1, 2.0)]);
    drop(store);
    assert_eq!(points(&page(&open(dir.path()), "t", ALL, 10)), [(T0, 1.0), (T0 + 1, 2.0)]);
    let names = fs::read_dir(dir.path()).unwrap().filter_map(Result::ok);
    assert!(names.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().contains(".damaged-")));
}

#[test]
fn a_full_disk_loses_and_counts_only_what_exceeds_memory() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    tell(&store, "t", T0, Value::Number(0.0));
    wait(store.flush());
    with_keeper(&store, |keeper| {
        keeper.db.as_ref().unwrap().pragma_update(None, "max_page_count", 1).unwrap();
    });
    let told: Vec<_> = (1..=1_000).map(|i| (T0 + i, i as f64)).collect();
    tell_all(&store, "t", &told);
    for _ in 0..3 {
        wait(store.flush());
    }
    assert_eq!(page(&store, "t", ALL, 10_000).buckets.len(), 1_001, "it is held in memory");
    assert_eq!(store.lost(), 0);
    let many: Vec<_> = (1_001..=600_000).map(|i| (T0 + i, i as f64)).collect();
    tell_all(&store, "t", &many);
    wait(store.flush());
    assert!(store.trouble().is_some_and(|words| words.contains("the disk is full")), "{:?}", store.trouble());
    wait(store.flush());
    assert!(store.lost() >= 400_000, "{}", store.lost());
    with_keeper(&store, |keeper| {
        keeper.db.as_ref().unwrap().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    });
    tell(&store, "t", T0 + DAY_MS, Value::Number(7.0));
    wait(store.flush());
    assert_eq!(store.trouble(), None);
    drop(store);
    let last = page(&open(dir.path()), "t", (T0 + DAY_MS, T0 + DAY_MS + 1), 10);
    assert_eq!(points(&last), [(T0 + DAY_MS, 7.0)], "it continues");
}

#[test]
fn a_newer_version_is_left_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(count(&store, "SELECT user_version FROM pragma_user_version"), 2);
    with_keeper(&store, |keeper| {
        keeper.db.as_ref().unwrap().pragma_update(None, "user_version", 3).unwrap();
    });
    drop(store);
    let refused = ReadingsStore::open(dir.path(), APP_FILE, ReadingsLimits::APP).map(|_| ());
    assert!(matches!(refused, Err(StoreError::File { .. })), "{refused:?}");
}
