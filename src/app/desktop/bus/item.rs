//! The tray icon by StatusNotifierItem: KDE, and GNOME and others with an extension or panel for it.

use std::sync::Arc;

use image::RgbaImage;
use ksni::menu::{CheckmarkItem, StandardItem};
use ksni::{Category, Handle, Icon, MenuItem, OfflineReason, ToolTip, Tray, TrayMethods as _};
use tokio::time::timeout;

use super::{PATIENCE, flatpak_id};
use crate::app::desktop::{Face, Report, Reports, badge, icon};

/// The tray icon, if shown.
#[derive(Default)]
pub(super) struct Item {
    handle: Option<Handle<Shown>>,
    icon: Option<RgbaImage>,
}

struct Shown {
    face: Face,
    icon: Icon,
    reports: Arc<Reports>,
}

impl Item {
    /// Shows the tray icon like this, or removes it.
    pub(super) async fn show(&mut self, face: Option<Face>, reports: &Arc<Reports>) {
        let done = timeout(PATIENCE, self.change(face, reports)).await;
        if done.is_err() {
            log::warn!("the tray is not responding");
        }
    }

    async fn change(&mut self, face: Option<Face>, reports: &Arc<Reports>) {
        let Some(face) = face else {
            if let Some(handle) = self.handle.take() {
                handle.shutdown().await;
                reports.around(|around| around.tray = Some(false));
            }
            return;
        };
        if self.icon.is_none() {
            self.icon = icon();
        }
        let Some(image) = &self.icon else { return };
        let icon = argb(badge::with_count(image, face.unread));
        if let Some(handle) = &self.handle {
            let told = handle.update(|shown| (shown.face, shown.icon) = (face, icon)).await;
            if told.is_some() {
                return;
            }
            self.handle = None;
        } else {
            let shown = Shown { face, icon, reports: Arc::clone(reports) };
            // If there is no tray yet, one may appear later: `watcher_offline` reports it.
            reports.around(|around| around.tray = Some(true));
            // A sandbox cannot own the bus name that the specification asks for; trays do not need it.
            let sandboxed = flatpak_id().is_some();
            match shown.assume_sni_available(true).disable_dbus_name(sandboxed).spawn().await {
                Ok(handle) => self.handle = Some(handle),
                Err(error) => {
                    log::info!("this desktop has no tray: {error}");
                    reports.around(|around| around.tray = Some(false));
                }
            }
        }
    }
}

impl Tray for Shown {
    fn id(&self) -> String {
        "duplex".to_owned()
    }

    fn title(&self) -> String {
        "Duplex".to_owned()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        vec![self.icon.clone()]
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip { title: self.face.tooltip.clone(), ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.reports.push(Report::Toggle);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let item = |label: &str, report: Report| {
            let activate = Box::new(move |shown: &mut Shown| shown.reports.push(report.clone()));
            StandardItem { label: label.to_owned(), activate, ..StandardItem::default() }.into()
        };
        vec![
            item(self.face.open, Report::Open(crate::model::notices::ClickTarget::Window)),
            CheckmarkItem {
                label: self.face.disturb.to_owned(),
                checked: self.face.do_not_disturb,
                activate: Box::new(|shown: &mut Shown| shown.reports.push(Report::ToggleDisturb)),
                ..CheckmarkItem::default()
            }
            .into(),
            MenuItem::Separator,
            item(self.face.quit, Report::Quit),
        ]
    }

    fn watcher_online(&self) {
        self.reports.around(|around| around.tray = Some(true));
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        log::info!("this desktop has no tray now: {reason:?}");
        self.reports.around(|around| around.tray = Some(false));
        true
    }
}

/// An icon in the tray's byte order: alpha, red, green, blue.
fn argb(image: RgbaImage) -> Icon {
    let (width, height) = (image.width() as i32, image.height() as i32);
    let mut data = image.into_raw();
    for pixel in data.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    Icon { width, height, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_alpha_first() {
        let image = RgbaImage::from_pixel(1, 1, image::Rgba([1, 2, 3, 4]));
        assert_eq!(argb(image).data, [4, 1, 2, 3]);
    }
}
