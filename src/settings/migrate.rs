//! Migrates older settings files to the current version, in numbered steps over their JSON.

use serde_json::{Map, Value};

/// The field that holds a file's version.
pub(super) const VERSION: &str = "version";

/// Step `n` migrates version `n + 1` to `n + 2`. Steps are never edited, only added.
pub(super) type Step = fn(&mut Map<String, Value>);
/// All migration steps.
pub(super) const STEPS: &[Step] = &[];

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It was written by a newer version.
    Newer,
    /// It cannot be parsed; the reason.
    Unreadable(String),
}

/// The version that these steps lead to.
pub(super) fn current(steps: &[Step]) -> u64 {
    steps.len() as u64 + 1
}

/// Parses and migrates a file's content. Also returns the version that it had.
pub(super) fn read(bytes: &[u8], steps: &[Step]) -> Result<(Map<String, Value>, u64), Unfit> {
    let mut map: Map<String, Value> =
        serde_json::from_slice(bytes).map_err(|error| Unfit::Unreadable(error.to_string()))?;
    let version = match map.get(VERSION).and_then(Value::as_u64) {
        Some(version @ 1..) => version,
        _ => return Err(Unfit::Unreadable("it has no version".to_owned())),
    };
    if version > current(steps) {
        return Err(Unfit::Newer);
    }
    for (from, step) in (1..).zip(steps) {
        if version <= from {
            step(&mut map);
        }
    }
    map.insert(VERSION.to_owned(), current(steps).into());
    Ok((map, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENAME: Step = |map| {
        if let Some(name) = map.remove("nick") {
            map.insert("display_name".to_owned(), name);
        }
    };
    const COUNT: Step = |map| {
        let count = map.get("count").and_then(Value::as_u64).unwrap_or(0);
        map.insert("count".to_owned(), (count + 1).into());
    };

    #[test]
    fn each_step_runs_once() {
        let (map, from) = read(br#"{"version":1,"nick":"Ann"}"#, &[RENAME, COUNT]).unwrap();
        assert_eq!((from, &map["display_name"], &map["count"]), (1, &"Ann".into(), &1.into()));
        let (map, from) = read(br#"{"version":2}"#, &[RENAME, COUNT]).unwrap();
        assert_eq!((from, &map["version"], &map["count"]), (2, &3.into(), &1.into()));
        let (map, from) = read(br#"{"version":3,"count":7}"#, &[RENAME, COUNT]).unwrap();
        assert_eq!((from, &map["count"]), (3, &7.into()));
        assert_eq!(read(br#"{"version":4}"#, &[RENAME, COUNT]), Err(Unfit::Newer));
        for unreadable in
            [&b"{}"[..], b"[]", b"", br#"{"version":0}"#, br#"{"version":"1"}"#, b"{\"version\":1"]
        {
            assert!(matches!(read(unreadable, &[]), Err(Unfit::Unreadable(_))));
        }
    }
}
