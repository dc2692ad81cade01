//! The desktop on Windows and macOS: notifications on a separate thread; the tray (menu bar on macOS) on the window's
//! thread, as those systems require.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use notify_rust::{Notification, NotificationResponse};
use tokio::sync::mpsc;
use tray_icon::menu::{CheckMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tray_icon::{Icon, MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};

use super::{Face, Order, Report, Reports, Shown, badge, icon};
use crate::model::notices::Target;

/// Maximum number of notifications waiting for a click.
const WAITING: usize = 16;
const OPEN: &str = "open";
const DISTURB: &str = "disturb";
const QUIT: &str = "quit";

/// The tray icon, if shown.
#[derive(Default)]
pub(super) struct Tray {
    icon: Option<TrayIcon>,
}

impl Tray {
    /// Shows the tray icon like this, or removes it. Must be called on the window's thread.
    pub(super) fn show(
        &mut self,
        face: Option<&Face>,
        _orders: Option<&mpsc::Sender<Order>>,
        reports: &Arc<Reports>,
    ) -> bool {
        let shown = face.map(|face| self.change(face, reports));
        if !matches!(shown, Some(Ok(()))) {
            self.icon = None;
        }
        if let Some(Err(error)) = shown {
            log::warn!("no tray icon: {error}");
        }
        reports.around(|around| around.tray = Some(self.icon.is_some()));
        true
    }

    fn change(&mut self, face: &Face, reports: &Arc<Reports>) -> Result<(), Box<dyn std::error::Error>> {
        let image = icon().ok_or("the icon cannot be read")?;
        let image = badge::with_count(&image, face.unread);
        let (width, height) = image.dimensions();
        let image = Icon::from_rgba(image.into_raw(), width, height)?;
        let menu = menu(face)?;
        match &self.icon {
            Some(tray) => {
                tray.set_icon(Some(image))?;
                tray.set_tooltip(Some(&face.tooltip))?;
                tray.set_menu(Some(Box::new(menu)));
            }
            None => {
                listen(reports);
                let tray = TrayIconBuilder::new()
                    .with_icon(image)
                    .with_tooltip(&face.tooltip)
                    .with_menu(Box::new(menu))
                    // On macOS a click on a menu bar item opens its menu.
                    .with_menu_on_left_click(cfg!(target_os = "macos"));
                self.icon = Some(tray.build()?);
            }
        }
        Ok(())
    }
}

fn menu(face: &Face) -> Result<Menu, tray_icon::menu::Error> {
    let menu = Menu::new();
    menu.append_items(&[
        &MenuItem::with_id(OPEN, face.open, true, None),
        &CheckMenuItem::with_id(DISTURB, face.disturb, true, face.do_not_disturb, None),
        &PredefinedMenuItem::separator(),
        &MenuItem::with_id(QUIT, face.quit, true, None),
    ])?;
    Ok(menu)
}

/// Forwards tray events to the window.
fn listen(reports: &Arc<Reports>) {
    let theirs = Arc::clone(reports);
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| match event.id.0.as_str() {
        OPEN => theirs.push(Report::Open(Target::Window)),
        DISTURB => theirs.push(Report::ToggleDisturb),
        QUIT => theirs.push(Report::Quit),
        _ => {}
    }));
    let theirs = Arc::clone(reports);
    TrayIconEvent::set_event_handler(Some(move |event| {
        let left = MouseButton::Left;
        if let TrayIconEvent::Click { button, button_state: MouseButtonState::Up, .. } = event
            && button == left
            && !cfg!(target_os = "macos")
        {
            theirs.push(Report::Toggle);
        }
    }));
}

/// Carries out orders until the sender is dropped.
pub(super) fn run(mut orders: mpsc::Receiver<Order>, reports: &Arc<Reports>) {
    #[cfg(windows)]
    register();
    let reduced_motion = wants_less_motion();
    reports.around(|around| {
        around.notices = Some(true);
        around.reduced_motion = reduced_motion;
    });
    let waiting = Arc::<AtomicUsize>::default();
    while let Some(order) = orders.blocking_recv() {
        // These systems keep notifications in their own list, so closing them is not supported.
        if let Order::Show(shown) = order {
            show(shown, reports, &waiting);
        }
    }
}

/// Shows a notification on a thread that waits for its click: these systems report it only to the caller.
fn show(shown: Shown, reports: &Arc<Reports>, waiting: &Arc<AtomicUsize>) {
    if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
        waiting.fetch_sub(1, Ordering::Relaxed);
        log::debug!("too many notifications wait for a click: dropped one");
        return;
    }
    let (reports, counted) = (Arc::clone(reports), Arc::clone(waiting));
    let spawned = std::thread::Builder::new().name("notice".to_owned()).spawn(move || {
        let told = tell(&shown, &reports);
        if let Err(error) = &told {
            log::info!("cannot show a notification: {error}");
        }
        reports.around(|around| around.notices = Some(told.is_ok()));
        counted.fetch_sub(1, Ordering::Relaxed);
    });
    if let Err(error) = spawned {
        waiting.fetch_sub(1, Ordering::Relaxed);
        log::warn!("cannot show a notification: {error}");
    }
}

fn tell(shown: &Shown, reports: &Reports) -> notify_rust::error::Result<()> {
    let mut notice = Notification::new();
    notice.summary(&shown.said.title).body(&shown.said.text);
    #[cfg(windows)]
    notice.app_id(APP_ID);
    notice.show()?.wait_for_response(|response: &NotificationResponse| {
        if *response == NotificationResponse::Default {
            reports.push(Report::Open(shown.target.clone()));
        }
    })
}

/// Whether the user turned off animations (Settings, Accessibility, Visual effects).
#[cfg(windows)]
#[allow(unsafe_code)]
fn wants_less_motion() -> bool {
    use windows_sys::Win32::UI::WindowsAndMessaging::{SPI_GETCLIENTAREAANIMATION, SystemParametersInfoW};
    let mut animates = 1_i32;
    // SAFETY: writes one BOOL, which is ours.
    let told = unsafe { SystemParametersInfoW(SPI_GETCLIENTAREAANIMATION, 0, (&raw mut animates).cast(), 0) };
    told != 0 && animates == 0
}

/// Whether the user turned on reduced motion (System Settings, Accessibility, Display).
#[cfg(target_os = "macos")]
fn wants_less_motion() -> bool {
    let asked = std::process::Command::new("/usr/bin/defaults")
        .args(["read", "com.apple.universalaccess", "reduceMotion"])
        .output();
    asked.is_ok_and(|output| output.stdout.trim_ascii() == b"1")
}

/// The id by which Windows knows the app's notifications.
#[cfg(windows)]
const APP_ID: &str = "Duplex";

/// Windows shows toasts only of known apps: a desktop app registers its name in a per-user key
/// (`HKCU\Software\Classes\AppUserModelId`).
#[cfg(windows)]
#[allow(unsafe_code)]
fn register() {
    use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, REG_SZ, RegSetKeyValueW};
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let key = wide(&format!("Software\\Classes\\AppUserModelId\\{APP_ID}"));
    let (name, value) = (wide("DisplayName"), wide("Duplex"));
    // SAFETY: all three are NUL-terminated and outlive the call; the length is that of the value in bytes.
    let done = unsafe {
        let bytes = (value.len() * 2) as u32;
        RegSetKeyValueW(HKEY_CURRENT_USER, key.as_ptr(), name.as_ptr(), REG_SZ, value.as_ptr().cast(), bytes)
    };
    if done != 0 {
        log::info!("cannot register the app's name for notifications: error {done}");
    }
}
