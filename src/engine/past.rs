//! Merges stored readings and device logs of this disk and of the hub. Pure.

use crate::model::series::MINUTE_MS;
use crate::model::time::WallMs;
use crate::model::{Bucket, DeviceLogEvent, LogLine, SeriesPage};

/// Maximum number of lines of a device's log.
pub const MAX_LOG_LINES: u32 = 200;
/// The hub keeps one value a minute, so shorter gaps cannot be filled. In milliseconds.
const HOLE_MS: i64 = 2 * MINUTE_MS;

/// Whether a gap exists that the hub may be able to fill. `now`: hub's clock; nothing is later than that.
pub(super) fn has_holes(page: &SeriesPage, now: WallMs) -> bool {
    let least = HOLE_MS.max(page.step_ms.saturating_mul(3));
    let until = page.to.min(now);
    let mut reached = page.from;
    for bucket in &page.buckets {
        if bucket.at.since(reached) > least {
            return true;
        }
        reached = reached.max(bucket.at.saturating_add(page.step_ms));
    }
    until.since(reached) > least
}

/// Readings of this disk, and the hub's intervals where this disk has none.
pub(super) fn merge(own: &SeriesPage, hub: &SeriesPage) -> SeriesPage {
    let (own_ms, hub_ms) = (own.step_ms.max(1), hub.step_ms.max(1));
    let is_covered = |theirs: &&Bucket| {
        let first = own.buckets.partition_point(|bucket| bucket.at.saturating_add(own_ms) <= theirs.at);
        own.buckets.get(first).is_some_and(|bucket| bucket.at < theirs.at.saturating_add(hub_ms))
    };
    let mut buckets = own.buckets.clone();
    buckets.extend(hub.buckets.iter().filter(|theirs| !is_covered(theirs)));
    let step_ms = if buckets.len() > own.buckets.len() { own.step_ms.max(hub.step_ms) } else { own.step_ms };
    buckets.sort_by_key(|bucket| bucket.at);
    SeriesPage { from: own.from, to: own.to, step_ms, buckets }
}

/// The hub's log with what only this disk knows: older lines, and when a device fell silent, which each client detects
/// for itself.
pub(super) fn merge_logs(own: Vec<LogLine>, hub: Vec<LogLine>) -> Vec<LogLine> {
    let begins = hub.first().map_or(WallMs::MAX, |line| line.at);
    let mut lines: Vec<LogLine> = own
        .into_iter()
        .filter(|line| (line.at < begins || line.what == DeviceLogEvent::Silent) && !hub.contains(line))
        .collect();
    lines.extend(hub);
    lines.sort_by_key(|line| line.at);
    lines.drain(..lines.len().saturating_sub(MAX_LOG_LINES as usize));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    const MINUTE: i64 = MINUTE_MS;

    fn raw(from: i64, to: i64, at: impl IntoIterator<Item = i64>) -> SeriesPage {
        let buckets = at.into_iter().map(|at| Bucket::of(Point::new(WallMs(at), 1.0))).collect();
        SeriesPage { from: WallMs(from), to: WallMs(to), step_ms: 0, buckets }
    }

    fn minutes(at: impl IntoIterator<Item = i64>) -> SeriesPage {
        let buckets = at
            .into_iter()
            .map(|at| Bucket { at: WallMs(at), min: 0.0, mean: 5.0, max: 9.0, count: 60, off: 0 })
            .collect();
        SeriesPage { from: WallMs(0), to: WallMs(10 * MINUTE), step_ms: MINUTE, buckets }
    }

    #[test]
    fn a_hole_is_where_a_hub_may_know_more() {
        let ten = 10 * MINUTE;
        assert!(has_holes(&raw(0, ten, []), WallMs(ten)), "nothing at all");
        assert!(!has_holes(&raw(0, ten, (0..600).map(|s| s * 1_000)), WallMs(ten)));
        assert!(has_holes(&raw(0, ten, (300..600).map(|s| s * 1_000)), WallMs(ten)), "at the beginning");
        assert!(has_holes(&raw(0, ten, (0..300).map(|s| s * 1_000)), WallMs(ten)), "at the end");
        assert!(
            !has_holes(&raw(0, ten, (0..300).map(|s| s * 1_000)), WallMs(5 * MINUTE)),
            "that is the future"
        );
        let middle = (0..120).chain(360..600).map(|s| s * 1_000);
        assert!(has_holes(&raw(0, ten, middle), WallMs(ten)), "in between");
        assert!(!has_holes(&minutes((0..10).map(|m| m * MINUTE)), WallMs(ten)));
        assert!(
            has_holes(&raw(i64::MIN, i64::MAX, [0]), WallMs(i64::MAX)),
            "the ends of time are no trouble"
        );
    }

    #[test]
    fn what_is_here_wins_and_the_hub_fills_the_holes() {
        let own = raw(0, 10 * MINUTE, [2 * MINUTE + 500, 3 * MINUTE, 3 * MINUTE + 59_999]);
        let merged = merge(&own, &minutes((0..6).map(|m| m * MINUTE)));
        let at: Vec<(i64, u32)> = merged.buckets.iter().map(|b| (b.at.0 / 500, b.count)).collect();
        assert_eq!(at, [(0, 60), (120, 60), (241, 1), (360, 1), (479, 1), (480, 60), (600, 60)]);
        assert_eq!((merged.step_ms, merged.from, merged.to), (MINUTE, WallMs(0), WallMs(10 * MINUTE)));

        let nothing_new = merge(&own, &minutes([2 * MINUTE]));
        assert_eq!(nothing_new, own);
        let alone = merge(&raw(0, 10 * MINUTE, []), &minutes([0, MINUTE]));
        assert_eq!(alone.buckets.len(), 2);
    }

    #[test]
    fn a_log_keeps_what_only_this_disk_knows() {
        let online = |at: WallMs| LogLine { at, what: DeviceLogEvent::Online };
        let silent = |at| LogLine { at, what: DeviceLogEvent::Silent };
        let own = vec![online(WallMs(1)), online(WallMs(5)), silent(WallMs(7)), online(WallMs(8))];
        let merged = merge_logs(own, vec![online(WallMs(5)), online(WallMs(9))]);
        assert_eq!(
            merged,
            [online(WallMs(1)), online(WallMs(5)), silent(WallMs(7)), online(WallMs(9))],
            "8 is not in the hub's"
        );
        assert_eq!(merge_logs(vec![silent(WallMs(1))], Vec::new()), [silent(WallMs(1))]);
        let long = merge_logs(Vec::new(), (0..500).map(WallMs).map(online).collect());
        assert_eq!((long.len(), long[0].at), (MAX_LOG_LINES as usize, WallMs(300)));
    }
}
