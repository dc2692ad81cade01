//! Whether the desktop prefers reduced motion: by the Settings portal of GNOME, KDE and others, or by gsettings.

use std::sync::Arc;

use futures_util::StreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::zvariant::{OwnedValue, Value};

use self::proxy::SettingsProxy;
use super::PATIENCE;
use crate::app::desktop::Reports;

/// The portal's bus name.
const NAME: &str = "org.freedesktop.portal.Desktop";
/// Namespace and key of the setting on each desktop.
const KEYS: [(&str, &str); 3] = [
    ("org.freedesktop.appearance", "reduced-motion"),
    ("org.gnome.desktop.interface", "enable-animations"),
    ("org.kde.kdeglobals.KDE", "AnimationDurationFactor"),
];

#[allow(missing_docs, reason = "documented in the specification")]
mod proxy {
    use zbus::zvariant::{OwnedValue, Value};

    #[zbus::proxy(
        interface = "org.freedesktop.portal.Settings",
        default_service = "org.freedesktop.portal.Desktop",
        default_path = "/org/freedesktop/portal/desktop",
        gen_blocking = false
    )]
    pub trait Settings {
        fn read(&self, namespace: &str, key: &str) -> zbus::Result<OwnedValue>;
        #[zbus(signal)]
        fn setting_changed(&self, namespace: String, key: String, value: Value<'_>) -> zbus::Result<()>;
    }
}

/// Reports the desktop's preference now and when it changes. Never ends.
pub(super) async fn watch(reports: &Arc<Reports>) {
    if let Err(error) = by_portal(reports).await {
        log::debug!("the settings portal does not report the motion setting: {error}");
        let asked = tokio::task::spawn_blocking(by_gsettings).await;
        if let Ok(Some(reduced)) = asked {
            reports.around(|around| around.reduced_motion = reduced);
        }
    }
    std::future::pending().await
}

async fn by_portal(reports: &Arc<Reports>) -> zbus::Result<()> {
    let connection = zbus::connection::Builder::session()?.method_timeout(PATIENCE).build().await?;
    let bus = DBusProxy::new(&connection).await?;
    let there = bus.name_has_owner(NAME.try_into()?).await?
        || bus.list_activatable_names().await?.iter().any(|name| name.as_str() == NAME);
    if !there {
        return Err(zbus::Error::Failure("no settings portal".to_owned()));
    }
    let settings = SettingsProxy::new(&connection).await?;
    let mut changes = settings.receive_setting_changed().await?;
    loop {
        let mut reduced = None;
        for (namespace, key) in KEYS {
            if let Ok(value) = settings.read(namespace, key).await {
                reduced = Some(reduced.unwrap_or(false) | wants_less(key, &value));
            }
        }
        let Some(reduced) = reduced else {
            return Err(zbus::Error::Failure("the portal has none of the settings".to_owned()));
        };
        reports.around(|around| around.reduced_motion = reduced);
        loop {
            let Some(change) = changes.next().await else { return Ok(()) };
            let change = change.args()?;
            if KEYS.iter().any(|(_, key)| change.key == *key) {
                break;
            }
        }
    }
}

/// Interprets a setting's value. Portals wrap it in one or two variants.
fn wants_less(key: &str, value: &OwnedValue) -> bool {
    let mut value: &Value<'_> = value;
    while let Value::Value(inner) = value {
        value = inner;
    }
    match (key, value) {
        ("reduced-motion", Value::U32(preference)) => *preference == 1,
        ("enable-animations", Value::Bool(animates)) => !animates,
        ("AnimationDurationFactor", Value::Str(factor)) => {
            factor.parse::<f64>().is_ok_and(|factor| factor == 0.0)
        }
        ("AnimationDurationFactor", Value::F64(factor)) => *factor == 0.0,
        _ => false,
    }
}

fn by_gsettings() -> Option<bool> {
    let asked = std::process::Command::new("gsettings")
        .args(["get", "org.gnome.desktop.interface", "enable-animations"])
        .stdin(std::process::Stdio::null())
        .output();
    let output = asked.ok().filter(|output| output.status.success())?;
    match output.stdout.trim_ascii() {
        b"true" => Some(false),
        b"false" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_each_desktop_are_understood() {
        let wants = |key: &str, value: Value<'static>| {
            let wrapped = Value::Value(Box::new(value));
            wants_less(key, &OwnedValue::try_from(wrapped).unwrap())
        };
        assert!(wants("reduced-motion", Value::U32(1)));
        assert!(!wants("reduced-motion", Value::U32(0)));
        assert!(wants("enable-animations", Value::Bool(false)));
        assert!(!wants("enable-animations", Value::Bool(true)));
        assert!(wants("AnimationDurationFactor", Value::from("0")));
        assert!(!wants("AnimationDurationFactor", Value::from("0.5")));
        // A value of an unexpected type is ignored.
        assert!(!wants("enable-animations", Value::from("false")));
    }
}
