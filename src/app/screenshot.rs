//! `--screenshot`: draws for a while, saves an image of the window, and exits.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use egui::{ColorImage, ViewportCommand};

/// The options of `--screenshot`.
pub(super) struct Plan {
    /// The file to save.
    pub(super) file: PathBuf,
    /// How long to draw first, in seconds.
    pub(super) after: f64,
}

/// A screenshot in progress.
pub(super) struct Shot {
    file: PathBuf,
    at: Instant,
    taken: Option<mpsc::Receiver<std::sync::Arc<ColorImage>>>,
    outcome: Option<Result<(), String>>,
}

impl Shot {
    pub(super) fn new(plan: Plan) -> Self {
        let at = Instant::now() + Duration::from_secs_f64(plan.after);
        Shot { file: plan.file, at, taken: None, outcome: None }
    }

    /// Advances it; closes the window once the image is saved.
    pub(super) fn go_on(&mut self, ctx: &egui::Context) {
        let wait = self.at.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return ctx.request_repaint_after(wait);
        }
        match &self.taken {
            None => {
                let (done, taken) = mpsc::sync_channel(1);
                self.taken = Some(taken);
                ctx.request_screenshot(move |image| drop(done.try_send(image)));
            }
            Some(taken) => {
                if let (None, Ok(image)) = (&self.outcome, taken.try_recv()) {
                    self.outcome = Some(save(&self.file, &image));
                    ctx.send_viewport_cmd(ViewportCommand::Close);
                }
            }
        }
        ctx.request_repaint_after(Duration::from_millis(20));
    }

    /// The result.
    pub(super) fn outcome(self) -> Result<(), String> {
        self.outcome.unwrap_or_else(|| Err("The window closed before the picture was taken.".to_owned()))
    }
}

fn save(file: &Path, image: &ColorImage) -> Result<(), String> {
    let [width, height] = image.size.map(|side| u32::try_from(side).unwrap_or(0));
    let pixels: Vec<u8> = image.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
    let format = image::ImageFormat::Png;
    image::save_buffer_with_format(file, &pixels, width, height, image::ExtendedColorType::Rgba8, format)
        .map_err(|error| format!("The picture cannot be saved to {}: {error}.", file.display()))
}
