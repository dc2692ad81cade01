//! A series is what a naive one would be: each point in its place and counted once, the newest held, whatever the order in
//! which they came and whatever the clocks say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

use std::collections::BTreeMap;

use duplex::model::series::{Allowance, MINUTE_MS, MINUTES, RAW_POINTS, SERIES_BYTES};
use duplex::model::time::WallMs;
use duplex::model::{Bucket, Point, Series};
use proptest::collection::vec;
use proptest::prelude::*;

const START: i64 = 1_790_000_000_000;

fn point(at: i64, value: f64) -> Point {
    Point::new(WallMs(at), value)
}

fn of(points: &[(i64, f64)]) -> Series {
    let mut series = Series::default();
    points.iter().for_each(|(at, value)| series.push(point(*at, *value)));
    series
}

/// Times and values; a value that is no number as `None`.
fn raw(series: &Series) -> Vec<(i64, Option<f64>)> {
    series.raw().map(|point| (point.at.0, Some(point.value).filter(|value| !value.is_nan()))).collect()
}

#[test]
fn a_late_point_is_put_in_its_place_and_a_repeated_time_says_what_was_told_last() {
    let series = of(&[(START, 1.0), (START + 20, 3.0), (START + 10, 2.0), (START + 20, 4.0)]);
    assert_eq!(raw(&series), [(START, Some(1.0)), (START + 10, Some(2.0)), (START + 20, Some(4.0))]);
    let minute: Vec<Bucket> = series.minutes().collect();
    assert_eq!(minute.len(), 1);
    assert_eq!((minute[0].min, minute[0].max, minute[0].count), (1.0, 4.0, 3));
    assert!((minute[0].mean - 7.0 / 3.0).abs() < 1e-9, "{}", minute[0].mean);
}

#[test]
fn nothing_is_held_before_the_first_number() {
    let mut series = Series::default();
    series.push(point(START, f64::NAN));
    assert!(series.is_empty());
    assert_eq!((series.bytes(), series.raw().len()), (0, 0));
}

#[test]
fn a_missing_value_ends_the_line_and_counts_in_no_minute() {
    let mut series = of(&[(START, 1.0), (START + 1_000, f64::NAN), (START + 2_000, f64::INFINITY)]);
    series.push(point(START + 3_000, 5.0));
    assert_eq!(
        raw(&series).iter().map(|(_, value)| *value).collect::<Vec<_>>(),
        [Some(1.0), None, None, Some(5.0)]
    );
    assert_eq!(series.minutes().map(|minute| minute.count).sum::<u32>(), 2);
    // The same value told anew, and this time there is none.
    series.push(point(START + 3_000, f64::NAN));
    assert_eq!(series.minutes().map(|minute| (minute.count, minute.mean)).collect::<Vec<_>>(), [(1, 1.0)]);
}

#[test]
fn a_point_in_the_past_of_all_that_is_held_counts_in_its_minute() {
    let first = START - START % MINUTE_MS;
    let mut series = Series::default();
    for second in 0..2 * RAW_POINTS as i64 {
        series.push(point(first + second * 1_000, 1.0));
    }
    let oldest = series.raw().next().unwrap();
    series.push(point(first + 500, 9.0));
    assert_eq!(series.raw().len(), RAW_POINTS);
    assert_eq!(series.raw().next().unwrap(), oldest);
    let minute = series.minutes().next().unwrap();
    assert_eq!((minute.at.0, minute.count, minute.max), (first, 61, 9.0));
}

#[test]
fn clocks_at_the_ends_of_time_break_nothing() {
    let mut series = Series::default();
    for at in [0, i64::MAX, i64::MIN, START, i64::MAX - 1, i64::MIN + 1, -1, START + 1] {
        series.push(point(at, 1.0));
        let times: Vec<WallMs> = series.raw().map(|point| point.at).collect();
        assert!(times.is_sorted() && !times.is_empty(), "{times:?}");
        assert!(series.minutes().map(|minute| minute.at).is_sorted());
    }
    series.forget_after(WallMs(START));
    assert!(series.raw().all(|point| point.at <= WallMs(START)));
}

#[test]
fn the_largest_numbers_have_a_mean() {
    let series =
        of(&[(START, f64::MAX), (START + 1, f64::MIN), (START + 2, f64::MAX), (START + 2, f64::MIN)]);
    let minute = series.minutes().next().unwrap();
    assert!(minute.mean.is_finite(), "{}", minute.mean);
}

#[test]
fn many_series_hold_less_and_no_more_than_all_may() {
    assert_eq!(Allowance::among(800), Allowance::FULL);
    let allowance = Allowance::among(40_000);
    let mut series = of(&(0..5_000).map(|at| (START + at * 1_000, 1.0)).collect::<Vec<_>>());
    series.keep_within(allowance);
    for at in 5_000..6_000 {
        series.push_within(point(START + at * 1_000, 1.0), allowance);
    }
    assert!(series.raw().len() == allowance.raw && series.minutes().len() == allowance.minutes);
    assert!(series.bytes() * 40_000 <= SERIES_BYTES, "{} bytes each", series.bytes());
    assert_eq!(series.raw().last().unwrap().at, WallMs(START + 5_999_000));
}

proptest! {
    #[test]
    fn it_holds_what_a_naive_one_would(
        points in vec((0i64..400_000, prop_oneof![4 => (-100i32..100).prop_map(f64::from), 1 => Just(f64::NAN)]), 1..RAW_POINTS)
    ) {
        let mut naive: BTreeMap<i64, f64> = BTreeMap::new();
        let mut series = Series::default();
        for (after, value) in points {
            if !(naive.is_empty() && value.is_nan()) {
                naive.insert(START + after, value);
            }
            series.push(point(START + after, value));
        }
        let expected: Vec<_> = naive.iter().map(|(at, v)| (*at, Some(*v).filter(|v| !v.is_nan()))).collect();
        prop_assert_eq!(raw(&series), expected);
        let mut minutes: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (at, value) in naive.iter().filter(|(_, value)| !value.is_nan()) {
            minutes.entry(at - at.rem_euclid(MINUTE_MS)).or_default().push(*value);
        }
        let held: Vec<Bucket> = series.minutes().collect();
        prop_assert_eq!(held.iter().map(|m| m.at.0).collect::<Vec<_>>(), minutes.keys().copied().collect::<Vec<_>>());
        for (minute, values) in held.iter().zip(minutes.values()) {
            prop_assert_eq!(minute.count as usize, values.len());
            prop_assert_eq!(minute.min, values.iter().copied().fold(f64::INFINITY, f64::min));
            prop_assert_eq!(minute.max, values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert!((minute.mean - mean).abs() < 1e-6, "{} is not {}", minute.mean, mean);
        }
    }

    #[test]
    fn of_more_than_fit_the_newest_are_held(
        times in vec(0i64..30_000_000, 1..400), raw_most in 8usize..40, minutes_most in 2usize..10
    ) {
        let allowance = Allowance { raw: raw_most, minutes: minutes_most };
        let (mut series, mut all) = (Series::default(), BTreeMap::new());
        for (value, after) in times.into_iter().enumerate() {
            series.push_within(point(START + after, value as f64), allowance);
            all.insert(START + after, Some(value as f64));
        }
        let expected: Vec<_> = all.iter().rev().take(raw_most).map(|(at, value)| (*at, *value)).collect();
        prop_assert_eq!(raw(&series).into_iter().rev().collect::<Vec<_>>(), expected);
        let mut minutes: Vec<i64> = all.keys().map(|at| at - at.rem_euclid(MINUTE_MS)).collect();
        minutes.dedup();
        prop_assert!(minutes.ends_with(&series.minutes().map(|minute| minute.at.0).collect::<Vec<_>>()));
        prop_assert_eq!(series.minutes().len(), minutes.len().min(minutes_most.min(MINUTES)));
    }

    #[test]
    fn any_times_and_values_leave_it_in_order(points in vec((any::<i64>(), any::<f64>()), 0..200)) {
        let mut series = Series::default();
        for (at, value) in points {
            series.push(point(at, value));
        }
        prop_assert!(series.raw().map(|point| point.at).is_sorted_by(|a, b| a < b));
        prop_assert!(series.minutes().map(|minute| minute.at).is_sorted_by(|a, b| a < b));
    }
}
