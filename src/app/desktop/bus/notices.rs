//! Notifications by `org.freedesktop.Notifications`, version 1.2 of its specification. All use one connection: a
//! service may allow only the sender to replace a notification, and report clicks only to the sender.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::proxy::OwnerChangedStream;
use zbus::zvariant::{Structure, Value};

use self::proxy::{ActionInvokedStream, NotificationClosedStream, NotificationsProxy};
use super::{PATIENCE, flatpak_id};
use crate::app::desktop::{Kind, Order, Report, Reports, Shown, badge, icon};
use crate::model::notices::{ClickTarget, Topic};

/// The service's bus name.
const NAME: &str = "org.freedesktop.Notifications";
/// The action of a click on the notification itself.
const DEFAULT_ACTION: &str = "default";
/// Width and height of the icon in a notification, in pixels.
const ICON_SIDE: u32 = 64;

#[allow(missing_docs, reason = "documented in the specification")]
mod proxy {
    use std::collections::HashMap;

    use zbus::zvariant::Value;

    #[zbus::proxy(
        interface = "org.freedesktop.Notifications",
        default_service = "org.freedesktop.Notifications",
        default_path = "/org/freedesktop/Notifications",
        gen_blocking = false
    )]
    pub trait Notifications {
        #[allow(clippy::too_many_arguments)]
        fn notify(
            &self,
            app_name: &str,
            replaces_id: u32,
            app_icon: &str,
            summary: &str,
            body: &str,
            actions: &[&str],
            hints: &HashMap<&str, Value<'_>>,
            expire_timeout: i32,
        ) -> zbus::Result<u32>;
        fn close_notification(&self, id: u32) -> zbus::Result<()>;
        fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
        #[zbus(signal)]
        fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
        #[zbus(signal)]
        fn notification_closed(&self, id: u32, reason: u32) -> zbus::Result<()>;
    }
}

/// The capabilities of a service that matter here.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Abilities {
    actions: bool,
    markup: bool,
}

/// The notification service, or the bus name where one may appear.
pub(super) struct Service {
    proxy: NotificationsProxy<'static>,
    clicks: ActionInvokedStream,
    closed: NotificationClosedStream,
    owners: OwnerChangedStream<'static>,
    /// It is running, or can be activated by the bus.
    there: bool,
    /// `None` until it was asked.
    abilities: Option<Abilities>,
    shown: HashMap<Topic, (u32, ClickTarget)>,
    icon: Option<Structure<'static>>,
}

impl Service {
    /// Looks for the service. It is started only when there is something to show.
    pub(super) async fn connect() -> zbus::Result<Service> {
        let connection = zbus::connection::Builder::session()?.method_timeout(PATIENCE).build().await?;
        let proxy = NotificationsProxy::new(&connection).await?;
        let bus = DBusProxy::new(&connection).await?;
        let there = bus.name_has_owner(BusName::try_from(NAME)?).await?
            || bus.list_activatable_names().await?.iter().any(|name| name.as_str() == NAME);
        if !there {
            log::info!("no notification service is running");
        }
        Ok(Service {
            clicks: proxy.receive_action_invoked().await?,
            closed: proxy.receive_notification_closed().await?,
            owners: proxy.inner().receive_owner_changed().await?,
            proxy,
            there,
            abilities: None,
            shown: HashMap::new(),
            icon: icon().map(|icon| pixels(&icon)),
        })
    }

    /// Whether a service is available.
    pub(super) fn is_there(&self) -> bool {
        self.there
    }

    /// Shows or closes a notification.
    pub(super) async fn order(&mut self, order: Order, reports: &Arc<Reports>) {
        match order {
            Order::Show(shown) => {
                let told = self.show(&shown).await;
                self.there = told.is_ok();
                reports.around(|around| around.notices = Some(told.is_ok()));
                match told {
                    Ok(id) => {
                        self.shown.insert(shown.topic, (id, shown.target));
                    }
                    Err(error) => log::info!("cannot show a notification: {error}"),
                }
            }
            Order::Withdraw(topic) => {
                if let Some((id, _)) = self.shown.remove(&topic) {
                    self.close(id).await;
                }
            }
            Order::Tray(_) => {}
        }
    }

    async fn close(&self, id: u32) {
        // It may already be closed.
        if let Err(error) = self.proxy.close_notification(id).await {
            log::debug!("cannot close a notification: {error}");
        }
    }

    /// On exit: clicks would have no effect.
    pub(super) async fn withdraw_all(mut self) {
        for (_, (id, _)) in std::mem::take(&mut self.shown) {
            self.close(id).await;
        }
    }

    async fn show(&mut self, shown: &Shown) -> zbus::Result<u32> {
        let abilities = match self.abilities {
            Some(abilities) => abilities,
            None => {
                let said = self.proxy.get_capabilities().await?;
                let can = |what: &str| said.iter().any(|ability| ability == what);
                let abilities = Abilities { actions: can("actions"), markup: can("body-markup") };
                *self.abilities.insert(abilities)
            }
        };
        let replaces = self.shown.get(&shown.topic).map_or(0, |(id, _)| *id);
        let text = without_markup(&shown.said.text, abilities.markup);
        // Services that draw the default action as a button show its label.
        let actions: &[&str] = if abilities.actions { &[DEFAULT_ACTION, "Duplex"] } else { &[] };
        let hints = self.hints(shown.kind);
        self.proxy.notify("Duplex", replaces, "duplex", &shown.said.title, &text, actions, &hints, -1).await
    }

    fn hints(&self, kind: Kind) -> HashMap<&'static str, Value<'_>> {
        let (urgency, category, sound) = match kind {
            Kind::Message => (1_u8, "im.received", Some("message-new-instant")),
            Kind::Device => (1, "device.removed", Some("device-removed")),
            Kind::Link => (0, "network.disconnected", None),
        };
        let mut hints = HashMap::from([
            ("urgency", Value::from(urgency)),
            ("category", Value::from(category)),
            ("desktop-entry", Value::from(flatpak_id().unwrap_or_else(|| "duplex".to_owned()))),
        ]);
        hints.extend(sound.map(|sound| ("sound-name", Value::from(sound))));
        hints.extend(
            self.icon
                .as_ref()
                .and_then(|icon| Some(("image-data", Value::Structure(icon.try_clone().ok()?)))),
        );
        hints
    }

    /// Waits for a signal of the service. Returns `false` if the bus is gone.
    pub(super) async fn heard(&mut self, reports: &Arc<Reports>) -> bool {
        tokio::select! {
            click = self.clicks.next() => {
                let Some(click) = click else { return false };
                if let Ok(args) = click.args()
                    && args.action_key == DEFAULT_ACTION
                    && let Some((_, target)) = self.shown.values().find(|(id, _)| *id == args.id)
                {
                    reports.push(Report::Open(target.clone()));
                }
            }
            closed = self.closed.next() => {
                let Some(closed) = closed else { return false };
                if let Ok(args) = closed.args() {
                    self.shown.retain(|_, (id, _)| *id != args.id);
                }
            }
            owner = self.owners.next() => {
                let Some(owner) = owner else { return false };
                // A new service does not know these notifications, and may have other capabilities.
                (self.abilities, self.shown) = (None, HashMap::new());
                self.there |= owner.is_some();
                reports.around(|around| around.notices = Some(self.there));
            }
        }
        true
    }
}

/// The icon as a notification carries it: width, height, row stride, alpha, bits per sample, channels, pixels.
fn pixels(icon: &image::RgbaImage) -> Structure<'static> {
    let image = badge::plain(icon, ICON_SIDE);
    let side = ICON_SIDE as i32;
    Structure::from((side, side, side * 4, true, 8_i32, 4_i32, image.into_raw()))
}

/// Escapes text so that it is shown as it is. Some services interpret markup without announcing it: for those, tags
/// are broken up.
fn without_markup(text: &str, takes_markup: bool) -> String {
    if takes_markup {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.replace('<', "‹")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_others_is_not_interpreted_as_markup() {
        assert_eq!(without_markup("<b>a & b</b> &lt;", true), "&lt;b&gt;a &amp; b&lt;/b&gt; &amp;lt;");
        assert_eq!(without_markup("<b>a & b", false), "‹b>a & b");
        assert_eq!(without_markup("안녕 'Ada' \"x\"", true), "안녕 'Ada' \"x\"");
    }

    #[test]
    fn the_icon_has_the_format_that_services_expect() {
        let icon = icon().unwrap();
        assert_eq!(pixels(&icon).signature().to_string(), "(iiibiiay)");
    }
}
