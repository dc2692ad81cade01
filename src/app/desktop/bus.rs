//! The desktop over D-Bus: notifications by the freedesktop.org Notifications interface, the tray by
//! StatusNotifierItem. One thread handles both; without a bus or a service, there is neither, and no error.

mod item;
mod motion;
mod notices;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::item::Item;
use self::notices::Service;
use super::{Face, Order, Reports};

/// A service that takes longer than this to answer is considered hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// The app's Flatpak id; `None` outside of a Flatpak sandbox.
fn flatpak_id() -> Option<String> {
    std::env::var("FLATPAK_ID").ok().filter(|id| !id.is_empty())
}

/// The tray icon; the bus thread draws it.
#[derive(Default)]
pub(super) struct Tray {}

impl Tray {
    /// Sends the tray icon's state to the thread. Returns `false` if it is busy; try again with the next frame.
    pub(super) fn show(
        &mut self,
        face: Option<&Face>,
        orders: Option<&mpsc::Sender<Order>>,
        _reports: &Arc<Reports>,
    ) -> bool {
        orders.is_none_or(|orders| orders.try_send(Order::Tray(face.cloned())).is_ok())
    }
}

/// Carries out orders until the sender is dropped.
pub(super) fn run(orders: mpsc::Receiver<Order>, reports: &Arc<Reports>) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(async {
            tokio::select! {
                () = serve(orders, reports) => {}
                () = motion::watch(reports) => {}
            }
        }),
        Err(error) => log::warn!("no notifications and no tray icon: {error}"),
    }
}

async fn serve(mut orders: mpsc::Receiver<Order>, reports: &Arc<Reports>) {
    let mut service = connect(reports).await;
    let mut item = Item::default();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => break,
                Some(Order::Tray(face)) => item.show(face, reports).await,
                Some(order) => {
                    if service.is_none() && matches!(order, Order::Show(_)) {
                        service = connect(reports).await;
                    }
                    if let Some(service) = &mut service {
                        service.order(order, reports).await;
                    }
                }
            },
            goes_on = heard(&mut service, reports) => {
                if !goes_on {
                    service = None;
                    reports.around(|around| around.notices = Some(false));
                }
            }
        }
    }
    item.show(None, reports).await;
    if let Some(service) = service {
        service.withdraw_all().await;
    }
}

async fn connect(reports: &Arc<Reports>) -> Option<Service> {
    let service = Service::connect().await;
    match &service {
        Ok(service) => reports.around(|around| around.notices = Some(service.is_there())),
        Err(error) => {
            log::info!("notifications are not available: {error}");
            reports.around(|around| around.notices = Some(false));
        }
    }
    service.ok()
}

/// Waits for a signal of the service. Returns `false` if the bus is gone.
async fn heard(service: &mut Option<Service>, reports: &Arc<Reports>) -> bool {
    match service {
        Some(service) => service.heard(reports).await,
        None => std::future::pending().await,
    }
}
