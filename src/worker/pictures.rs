//! Decodes pictures, with limits, away from the window's thread. What is beyond a limit is shown as a file.

use std::io::{BufRead, Cursor, Seek};
use std::path::Path;
use std::sync::Arc;

use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, RgbaImage};
use tokio::task::spawn_blocking;

use super::driver::{Driver, TaskResult};
use crate::model::event::{DiskUpdate, Update};
use crate::model::export::Picture;
use crate::model::files::Thumbnail;

/// Maximum width and height of a picture that is decoded, in pixels.
const MAX_SIDE: u32 = 20_000;
/// Maximum number of its pixels.
const MAX_PIXELS: u64 = 50_000_000;
/// Maximum memory for decoding it, in bytes.
const MAX_DECODE_BYTES: u64 = 256 * 1024 * 1024;
/// Maximum width and height of what is shown in the viewer, in pixels.
pub(super) const MAX_VIEW: u32 = 4_096;
/// Width and height of a thumbnail, in pixels: twice its points.
pub(super) const THUMBNAIL: (u32, u32) = (640, 440);

impl Driver {
    /// Decodes a picture that came as bytes, as large as a window may show it.
    pub(super) fn decode_picture(&self, number: u64, bytes: Arc<[u8]>) {
        let done = self.done.clone();
        spawn_blocking(move || {
            let found = decode_bytes(&bytes, (MAX_VIEW / 2, MAX_VIEW / 2));
            // The receiver is gone if the worker has ended.
            let _ = done
                .blocking_send(TaskResult::Update(Update::Disk(DiskUpdate::PictureDecoded(number, found))));
        });
    }
}

/// The size of a picture, in pixels, by its head alone; none where it is no picture that can be shown. Blocks.
pub(super) fn dimensions(path: &Path) -> Option<(u32, u32)> {
    let decoder = reader(ImageReader::open(path).ok()?)?.into_decoder().ok()?;
    within(decoder.dimensions())
}

fn within((width, height): (u32, u32)) -> Option<(u32, u32)> {
    let fits = (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height)
        && u64::from(width) * u64::from(height) <= MAX_PIXELS;
    fits.then_some((width, height))
}

/// By its content: what its name says does not matter.
fn reader<R: BufRead + Seek>(reader: ImageReader<R>) -> Option<ImageReader<R>> {
    let mut reader = reader.with_guessed_format().ok()?;
    let is_known = matches!(
        reader.format(),
        Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP)
    );
    if !is_known {
        return None;
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    Some(reader)
}

/// Decodes a picture and scales it down to fit into a rectangle. Blocks.
pub(super) fn decode(path: &Path, most: (u32, u32)) -> Thumbnail {
    scaled(most, || decoded(ImageReader::open(path).ok()?))
}

/// The same for a picture that is in memory. Blocks.
pub(super) fn decode_bytes(bytes: &[u8], most: (u32, u32)) -> Thumbnail {
    scaled(most, || decoded(ImageReader::new(Cursor::new(bytes))))
}

fn scaled(
    (width, height): (u32, u32),
    decode: impl FnOnce() -> Option<DynamicImage> + std::panic::UnwindSafe,
) -> Thumbnail {
    // A decoder that fails on what somebody made up must not take the worker with it.
    let decoded = std::panic::catch_unwind(decode);
    let Ok(Some(picture)) = decoded else { return Thumbnail::None };
    let small = if picture.width() > width || picture.height() > height {
        picture.thumbnail(width, height).to_rgba8()
    } else {
        picture.to_rgba8()
    };
    let (width, height) = small.dimensions();
    Thumbnail::Picture(Picture { width, height, rgba: Arc::from(small.into_raw()) })
}

fn decoded<R: BufRead + Seek>(from: ImageReader<R>) -> Option<DynamicImage> {
    let mut decoder = reader(from)?.into_decoder().ok()?;
    within(decoder.dimensions())?;
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Some(picture)
}

/// A copied picture as PNG. Blocks.
pub(super) fn png(picture: &Picture) -> Option<Vec<u8>> {
    let pixels = RgbaImage::from_raw(picture.width, picture.height, picture.rgba.to_vec())?;
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> Picture {
        let rgba = Arc::from(vec![200; (width * height * 4) as usize]);
        Picture { width, height, rgba }
    }

    #[test]
    fn pictures_are_known_by_their_content_and_scaled_down() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("holiday.txt");
        std::fs::write(&path, png(&picture(1_000, 500)).unwrap()).unwrap();
        assert_eq!(dimensions(&path), Some((1_000, 500)));
        let Thumbnail::Picture(small) = decode(&path, (100, 100)) else { panic!("it is a picture") };
        assert_eq!((small.width, small.height, small.rgba.len()), (100, 50, 20_000));
        std::fs::write(&path, "no picture").unwrap();
        assert_eq!((dimensions(&path), decode(&path, (100, 100))), (None, Thumbnail::None));
    }

    /// A file of some kilobytes that says it is 60,000 by 60,000 pixels: 14 GB once decoded.
    #[test]
    fn a_bomb_is_not_decoded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bomb.png");
        for (width, height) in [(60_000u32, 60_000u32), (19_000, 19_000), (0, 7)] {
            let mut bytes = png(&picture(8, 8)).unwrap();
            // The size stands in the first chunk, whose checksum follows it.
            bytes[16..20].copy_from_slice(&width.to_be_bytes());
            bytes[20..24].copy_from_slice(&height.to_be_bytes());
            let mut crc = flate2::Crc::new();
            crc.update(&bytes[12..29]);
            bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(decode(&path, THUMBNAIL), Thumbnail::None, "{width} × {height}");
            assert_eq!(dimensions(&path), None);
        }
    }
}
