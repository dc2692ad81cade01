//! Takes a screenshot of the whole window, and crops it to the plots.

use std::sync::{Arc, mpsc};

use egui::{ColorImage, Context, Rect};

use crate::model::export::Picture;

/// Number of frames to wait before the screenshot, so that the menu is closed and the plots have scrolled
/// into view.
const FRAMES_TO_WAIT: u8 = 3;
/// Number of frames to wait for the screenshot before giving up.
const MAX_FRAMES: u16 = 600;

/// A screenshot in progress.
#[derive(Default)]
pub(super) struct Shot {
    frames: u16,
    taken: Option<mpsc::Receiver<Arc<ColorImage>>>,
}

impl Shot {
    /// Advances by one frame. `area` is that of the plots, in points. `None`: still waiting; `Some(None)`:
    /// failed.
    pub(super) fn go_on(&mut self, ctx: &Context, area: Rect) -> Option<Option<Picture>> {
        self.frames += 1;
        if self.frames > MAX_FRAMES {
            return Some(None);
        }
        let Some(taken) = &self.taken else {
            if self.frames > u16::from(FRAMES_TO_WAIT) {
                let (done, taken) = mpsc::sync_channel(1);
                self.taken = Some(taken);
                // The page may be closed before it arrives.
                ctx.request_screenshot(move |image| drop(done.try_send(image)));
            }
            return None;
        };
        let image = taken.try_recv().ok()?;
        Some(cut(&image, area, ctx.pixels_per_point()))
    }
}

/// Crops the screenshot.
fn cut(image: &ColorImage, area: Rect, scale: f32) -> Option<Picture> {
    let [width, height] = image.size;
    let place = |at: f32, most: usize| ((at * scale).round().max(0.0) as usize).min(most);
    let (left, right) = (place(area.left(), width), place(area.right(), width));
    let (top, bottom) = (place(area.top(), height), place(area.bottom(), height));
    if left >= right || top >= bottom {
        return None;
    }
    let mut rgba = Vec::with_capacity((right - left) * (bottom - top) * 4);
    for row in image.pixels.chunks_exact(width).skip(top).take(bottom - top) {
        rgba.extend(row[left..right].iter().flat_map(|pixel| pixel.to_array()));
    }
    let (width, height) = (u32::try_from(right - left).ok()?, u32::try_from(bottom - top).ok()?);
    Some(Picture { width, height, rgba: rgba.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, pos2};

    #[test]
    #[allow(clippy::disallowed_methods, reason = "pixels of a picture, not a colour of the window")]
    fn the_plots_are_cut_out_and_nothing_beyond_the_window() {
        let pixels = (0..12).map(|n| Color32::from_gray(n * 10)).collect();
        let image = ColorImage::new([4, 3], pixels);
        let picture = cut(&image, Rect::from_min_max(pos2(0.5, 0.5), pos2(1.5, 9.0)), 2.0).unwrap();
        assert_eq!((picture.width, picture.height), (2, 2));
        let grays: Vec<u8> = picture.rgba.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(grays, [50, 60, 90, 100]);
        assert_eq!(cut(&image, Rect::from_min_max(pos2(9.0, 0.0), pos2(10.0, 1.0)), 2.0), None);
    }
}
