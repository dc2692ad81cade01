//! The tray icon with the number of unread messages.

use image::RgbaImage;
use image::imageops::{FilterType, resize};

/// Width and height of the tray icon, in pixels; panels scale it down.
pub(super) const SIDE: u32 = 64;
/// Colours of the badge and its digits.
const RED: [u8; 4] = [0xC6, 0x28, 0x28, 0xFF];
const WHITE: [u8; 4] = [0xFF; 4];

/// Digits of 3 by 5 squares, one row per number, and the plus sign.
const GLYPHS: [[u8; 5]; 11] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b001, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b000, 0b010, 0b111, 0b010, 0b000],
];
const PLUS: usize = 10;

/// The app's icon scaled to this size.
pub(super) fn plain(icon: &RgbaImage, side: u32) -> RgbaImage {
    resize(icon, side, side, FilterType::Triangle)
}

/// The app's icon, [`SIDE`] pixels square, with a count on it; nothing for 0, `99+` for more than 99.
pub(super) fn with_count(icon: &RgbaImage, count: u64) -> RgbaImage {
    let mut image = plain(icon, SIDE);
    let glyphs: Vec<usize> = match usize::try_from(count) {
        Ok(0) => return image,
        Ok(count @ 1..10) => vec![count],
        Ok(count @ 10..100) => vec![count / 10, count % 10],
        _ => vec![9, 9, PLUS],
    };
    // As large as fits on the badge.
    let dot = [6, 5, 4][glyphs.len() - 1];
    let wide = (glyphs.len() as u32 * 4 - 1) * dot;
    let (width, height) = (wide + 12, 5 * dot + 8);
    let (left, top) = (SIDE - width.max(height), SIDE - height);
    rounded(&mut image, (left, top), (width.max(height), height), height.min(20) / 2);
    let (x, y) = (left + (width.max(height) - wide) / 2, top + (height - 5 * dot) / 2);
    for (place, glyph) in (0..).zip(glyphs) {
        for (row, bits) in (0..).zip(GLYPHS[glyph]) {
            for column in (0..3).filter(|column| bits >> (2 - column) & 1 == 1) {
                let corner = (x + (place * 4 + column) * dot, y + row * dot);
                fill(&mut image, corner, (dot, dot), WHITE, |_, _| true);
            }
        }
    }
    image
}

/// A rectangle with round corners.
fn rounded(image: &mut RgbaImage, corner: (u32, u32), (width, height): (u32, u32), radius: u32) {
    let beyond =
        |at: u32, length: u32| (radius.saturating_sub(at)).max((at + radius + 1).saturating_sub(length));
    fill(image, corner, (width, height), RED, |x, y| {
        let (dx, dy) = (beyond(x, width), beyond(y, height));
        dx * dx + dy * dy <= radius * radius
    });
}

fn fill(
    image: &mut RgbaImage,
    (left, top): (u32, u32),
    (width, height): (u32, u32),
    colour: [u8; 4],
    inside: impl Fn(u32, u32) -> bool,
) {
    for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        if inside(x, y)
            && let Some(pixel) = image.get_pixel_mut_checked(left + x, top + y)
        {
            pixel.0 = colour;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_of(image: &RgbaImage, colour: [u8; 4]) -> usize {
        image.pixels().filter(|pixel| pixel.0 == colour).count()
    }

    #[test]
    fn the_icon_shows_the_count_and_no_badge_when_all_is_read() {
        let icon = RgbaImage::from_pixel(256, 256, image::Rgba([0, 0, 0xFF, 0xFF]));
        assert_eq!(with_count(&icon, 0), plain(&icon, SIDE));
        for count in [1, 8, 10, 88, 99, 100, u64::MAX] {
            let image = with_count(&icon, count);
            assert_eq!(image.dimensions(), (SIDE, SIDE));
            assert!(count_of(&image, RED) > 300 && count_of(&image, WHITE) > 100, "{count}");
            // The upper left corner belongs to the icon.
            assert_eq!(image.get_pixel(2, 2).0, [0, 0, 0xFF, 0xFF]);
        }
        let shown = |count| with_count(&icon, count);
        assert!(shown(1) != shown(7) && shown(12) != shown(21) && shown(100) == shown(5_000));
    }
}
