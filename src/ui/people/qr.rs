//! A QR code. Always dark modules on white with a quiet zone, whatever the theme: scanners expect that.

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Mesh, Rect, Sense, Shape, Ui, Vec2, pos2, vec2};
use qrcodegen::{QrCode, QrCodeEcc};

use crate::ui::theme;

/// Width of the quiet zone on each side, in modules (ISO/IEC 18004 §6.3.8).
const QUIET_ZONE_MODULES: i32 = 4;
/// Minimum size of a module, in points; phone cameras cannot resolve smaller ones.
const MIN_MODULE_POINTS: f32 = 2.5;

/// A text encoded as a QR code.
pub(super) struct Code(Arc<QrCode>);

impl Code {
    /// Encodes a text; `None` if it is too long.
    pub(super) fn new(text: &str) -> Option<Code> {
        // Screens are neither dirty nor torn: low error correction gives the smallest code, which is easiest
        // to scan.
        QrCode::encode_text(text, QrCodeEcc::Low).ok().map(|code| Code(Arc::new(code)))
    }

    /// Edge length in modules, including the quiet zone.
    fn modules(&self) -> i32 {
        self.0.size() + 2 * QUIET_ZONE_MODULES
    }

    /// Edge length in points when drawn within `room` points.
    pub(super) fn edge(&self, room: f32) -> f32 {
        (room / self.modules() as f32).max(MIN_MODULE_POINTS) * self.modules() as f32
    }

    /// Draws the code as large as the room allows.
    pub(super) fn show(&self, ui: &mut Ui, room: f32, name: &str) {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(self.edge(room)), Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(Role::Image, true, name));
        ui.painter().rect_filled(rect, 0.0, theme::PAPER);
        // Aligned to whole pixels, so that all modules are the same size and edges are sharp.
        let pixel = 1.0 / ui.ctx().pixels_per_point();
        let module = ((rect.width() / self.modules() as f32) / pixel).floor().max(1.0) * pixel;
        let inner = module * self.0.size() as f32;
        let corner = rect.center() - Vec2::splat(inner / 2.0);
        let corner = pos2((corner.x / pixel).round() * pixel, (corner.y / pixel).round() * pixel);
        let mut mesh = Mesh::default();
        for y in 0..self.0.size() {
            let mut x = 0;
            while x < self.0.size() {
                let from = x;
                while x < self.0.size() && self.0.get_module(x, y) {
                    x += 1;
                }
                if x > from {
                    let at = corner + vec2(from as f32, y as f32) * module;
                    mesh.add_colored_rect(
                        Rect::from_min_size(at, vec2((x - from) as f32, 1.0) * module),
                        theme::INK,
                    );
                }
                x += 1;
            }
        }
        ui.painter().add(Shape::mesh(mesh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_invite_fits_and_stays_readable() {
        let link = format!(
            "wss://192.168.100.100:49999/v1/socket#invite=abcd-efgh-ijkl-mnop&sha256={}&at=10.0.0.100&at=[2001:db8:1111:2222:3333:4444:5555:6666]&at=duplex-1a2b3c4d.local&name={}",
            "0f".repeat(32),
            "%EC%9E%91".repeat(20)
        );
        let code = Code::new(&link).unwrap();
        assert!(code.modules() <= 97, "{}", code.modules());
        assert_eq!(
            code.edge(1.0),
            code.modules() as f32 * MIN_MODULE_POINTS,
            "never below the minimum module size"
        );
        assert!(code.edge(400.0) <= 400.0);
        assert!(Code::new(&"x".repeat(5_000)).is_none());
    }
}
