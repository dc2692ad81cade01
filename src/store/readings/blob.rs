//! The encoding of points and minutes in a BLOB: columns, each compressed by `pco` and prefixed by its length.

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress};

use super::super::error::StoreError;
use crate::model::series::{Bucket, Point};
use crate::model::time::WallMs;

/// Compression level: higher ones take much longer and save a few percent.
const LEVEL: usize = 6;
/// Bytes of one bucket in an uncompressed block: minute or hour since its start, three numbers, a count.
const PLAIN: usize = 2 + 8 * 3 + 4;

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { detail: format!("cannot decode {what}") }
}

fn put<T: Number>(out: &mut Vec<u8>, column: &[T]) -> Result<(), StoreError> {
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    let packed = simple_compress(column, &config)
        .map_err(|error| StoreError::Nonsense(format!("cannot encode numbers: {error}")))?;
    out.extend(u32::try_from(packed.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(packed);
    Ok(())
}

fn take<T: Number>(rest: &mut &[u8]) -> Option<Vec<T>> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (packed, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    simple_decompress(packed).ok()
}

/// Appends the integers that an `f64` cannot represent, if there are any. Most blocks, and all of earlier versions,
/// end without this.
fn put_offs<'a>(
    out: &mut Vec<u8>,
    points: impl Iterator<Item = &'a Point> + Clone,
) -> Result<(), StoreError> {
    if points.clone().any(|point| point.off != 0) {
        put(out, &points.map(|point| point.off).collect::<Vec<i16>>())?;
    }
    Ok(())
}

/// Combines times and values with the data appended by [`put_offs`].
fn together(times: Vec<i64>, values: Vec<f64>, mut rest: &[u8]) -> Option<Vec<Point>> {
    let offs = if rest.is_empty() { vec![0; times.len()] } else { take::<i16>(&mut rest)? };
    if times.len() != values.len() || offs.len() != times.len() {
        return None;
    }
    let all = times.into_iter().zip(values).zip(offs);
    Some(all.map(|((at, value), off)| Point { at: WallMs(at), value, off }).collect())
}

/// Encodes points, in any order.
pub(super) fn points(points: &[Point]) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    put(&mut out, &points.iter().map(|point| point.at.0).collect::<Vec<i64>>())?;
    put(&mut out, &points.iter().map(|point| point.value).collect::<Vec<f64>>())?;
    put_offs(&mut out, points.iter())?;
    Ok(out)
}

/// Decodes the result of [`points`].
pub(super) fn read_points(mut body: &[u8]) -> Result<Vec<Point>, StoreError> {
    let times = take::<i64>(&mut body).ok_or_else(|| damaged("a chunk"))?;
    let values = take::<f64>(&mut body).ok_or_else(|| damaged("a chunk"))?;
    together(times, values, body).ok_or_else(|| damaged("a chunk"))
}

/// Encodes the points of each series since the last commit.
pub(super) fn journal<'a>(
    parts: impl Iterator<Item = (i64, &'a [Point])> + Clone,
) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::new();
    put(&mut out, &parts.clone().map(|(series, _)| series).collect::<Vec<i64>>())?;
    put(&mut out, &parts.clone().map(|(_, points)| points.len() as u64).collect::<Vec<u64>>())?;
    let all = || parts.clone().flat_map(|(_, points)| points);
    put(&mut out, &all().map(|point| point.at.0).collect::<Vec<i64>>())?;
    put(&mut out, &all().map(|point| point.value).collect::<Vec<f64>>())?;
    put_offs(&mut out, all())?;
    Ok(out)
}

/// Decodes the result of [`journal`].
pub(super) fn read_journal(mut body: &[u8]) -> Result<Vec<(i64, Vec<Point>)>, StoreError> {
    let row = || damaged("the journal");
    let series = take::<i64>(&mut body).ok_or_else(row)?;
    let counts = take::<u64>(&mut body).ok_or_else(row)?;
    let times = take::<i64>(&mut body).ok_or_else(row)?;
    let values = take::<f64>(&mut body).ok_or_else(row)?;
    if series.len() != counts.len() {
        return Err(row());
    }
    let mut all = together(times, values, body).ok_or_else(row)?.into_iter();
    let parts = series.into_iter().zip(counts);
    Ok(parts.map(|(id, count)| (id, all.by_ref().take(count as usize).collect())).collect())
}

/// Encodes the buckets of one block that begins at `from`, each `width` wide.
pub(super) fn buckets(buckets: &[Bucket], from: WallMs, width: i64) -> Result<Vec<u8>, StoreError> {
    let place = |bucket: &Bucket| ((bucket.at - from) / width).clamp(0, i64::from(u16::MAX)) as u16;
    if buckets.len() <= 24 {
        let mut out = vec![0];
        for bucket in buckets {
            out.extend(place(bucket).to_le_bytes());
            out.extend(bucket.min.to_le_bytes());
            out.extend(bucket.mean.to_le_bytes());
            out.extend(bucket.max.to_le_bytes());
            out.extend(bucket.count.to_le_bytes());
        }
        return Ok(out);
    }
    let mut out = vec![1];
    put(&mut out, &buckets.iter().map(place).collect::<Vec<u16>>())?;
    put(&mut out, &buckets.iter().map(|bucket| bucket.min).collect::<Vec<f64>>())?;
    put(&mut out, &buckets.iter().map(|bucket| bucket.mean).collect::<Vec<f64>>())?;
    put(&mut out, &buckets.iter().map(|bucket| bucket.max).collect::<Vec<f64>>())?;
    put(&mut out, &buckets.iter().map(|bucket| bucket.count).collect::<Vec<u32>>())?;
    Ok(out)
}

/// Decodes the result of [`buckets`] and appends it.
pub(super) fn read_buckets(
    body: &[u8],
    from: WallMs,
    width: i64,
    into: &mut Vec<Bucket>,
) -> Result<(), StoreError> {
    match body.split_first() {
        Some((0, plain)) if plain.len() % PLAIN == 0 => {
            into.extend(plain.chunks_exact(PLAIN).filter_map(|bytes| plain_bucket(bytes, from, width)));
            Ok(())
        }
        Some((1, packed)) => packed_buckets(packed, from, width, into).ok_or_else(|| damaged("a block")),
        _ => Err(damaged("a block")),
    }
}

fn plain_bucket(bytes: &[u8], from: WallMs, width: i64) -> Option<Bucket> {
    let number = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(f64::from_le_bytes);
    let place = u16::from_le_bytes(bytes.get(..2)?.try_into().ok()?);
    Some(Bucket {
        at: from + i64::from(place) * width,
        min: number(2)?,
        mean: number(10)?,
        max: number(18)?,
        off: 0,
        count: u32::from_le_bytes(bytes.get(26..30)?.try_into().ok()?),
    })
}

fn packed_buckets(mut packed: &[u8], from: WallMs, width: i64, into: &mut Vec<Bucket>) -> Option<()> {
    let places = take::<u16>(&mut packed)?;
    let (mins, means) = (take::<f64>(&mut packed)?, take::<f64>(&mut packed)?);
    let (maxs, counts) = (take::<f64>(&mut packed)?, take::<u32>(&mut packed)?);
    let lengths = [mins.len(), means.len(), maxs.len(), counts.len()];
    if lengths.iter().any(|length| *length != places.len()) {
        return None;
    }
    into.extend((0..places.len()).map(|i| Bucket {
        at: from + i64::from(places[i]) * width,
        min: mins[i],
        mean: means[i],
        max: maxs[i],
        count: counts[i],
        off: 0,
    }));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_an_earlier_version_can_be_read() {
        let (times, values) = (vec![1_i64, 2, 5], vec![0.5_f64, -0.0, 1e300]);
        let mut packed = Vec::new();
        put(&mut packed, &times).unwrap();
        put(&mut packed, &values).unwrap();
        let expected: Vec<Point> =
            times.iter().zip(&values).map(|(at, value)| Point::new(WallMs(*at), *value)).collect();
        assert_eq!(read_points(&packed).unwrap(), expected);
        assert_eq!(
            points(&expected).unwrap(),
            packed,
            "what an f64 can represent takes no more space than before"
        );
        let mut journal = Vec::new();
        put(&mut journal, &[7_i64]).unwrap();
        put(&mut journal, &[3_u64]).unwrap();
        journal.extend(&packed);
        assert_eq!(read_journal(&journal).unwrap(), [(7, expected)]);
    }

    #[test]
    fn a_truncated_block_is_damage() {
        let whole =
            [Point { at: WallMs(1), value: 9_007_199_254_740_992.0, off: 1 }, Point::new(WallMs(2), 3.0)];
        let packed = points(&whole).unwrap();
        assert_eq!(read_points(&packed).unwrap(), whole);
        for end in 0..packed.len() {
            let read = read_points(&packed[..end]);
            // Without its whole last column, it is a valid block of an earlier version.
            let is_old = read.as_ref().is_ok_and(|read| read.iter().all(|point| point.off == 0));
            assert!(read.is_err() || is_old, "{end}");
        }
    }
}
