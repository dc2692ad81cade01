//! Announces a hub on the local network with DNS-SD over multicast DNS (RFC 6763, RFC 6762).

use std::net::IpAddr;

use mdns_sd::{DaemonEvent, Receiver, ServiceDaemon, ServiceInfo};

use crate::model::lan::ANNOUNCED_DIGITS;

/// The service type (RFC 6763 §7).
pub const SERVICE: &str = "_duplex._tcp.local.";
/// Maximum bytes of an instance name (RFC 6763 §4.1.1).
const MAX_NAME_BYTES: usize = 63;

/// An announcement. Dropping it withdraws it.
pub(super) struct Announcement {
    daemon: ServiceDaemon,
    events: Option<Receiver<DaemonEvent>>,
    service_data: ServiceData,
    trouble: Option<String>,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceData {
    /// The hub's display name.
    pub name: String,
    /// The host name, without the final dot.
    pub host: String,
    pub port: u16,
    /// SHA-256 of the certificate. Only its first digits are announced: enough for a client that already knows the
    /// certificate.
    pub fingerprint: String,
    pub addresses: Vec<IpAddr>,
}

impl Announcement {
    /// Starts the announcement.
    ///
    /// # Errors
    /// The error text of the mDNS library.
    pub(super) fn new(service_data: ServiceData) -> Result<Announcement, String> {
        let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
        let events = daemon.monitor().ok();
        daemon.register(service(&service_data)?).map_err(|error| error.to_string())?;
        Ok(Announcement { daemon, events, service_data, trouble: None })
    }

    /// Announces changes. Returns why the announcement fails, if it does.
    pub(super) fn follow(&mut self, service_data: &ServiceData) -> Option<String> {
        if self.service_data != *service_data {
            self.service_data = service_data.clone();
            let again = service(service_data)
                .and_then(|service| self.daemon.register(service).map_err(|error| error.to_string()));
            self.trouble = again.err();
        }
        while let Some(Ok(event)) = self.events.as_ref().map(Receiver::try_recv) {
            match event {
                DaemonEvent::Error(error) => {
                    log::debug!("announcing on the local network: {error}");
                    self.trouble = Some(error.to_string());
                }
                // The announcement works.
                DaemonEvent::Announce(..) | DaemonEvent::Respond(_) => self.trouble = None,
                _ => {}
            }
        }
        self.trouble.clone()
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // It sends the goodbye packet on its own thread and ends.
        if let Err(error) = self.daemon.shutdown() {
            log::debug!("cannot withdraw the announcement: {error}");
        }
    }
}

fn service(service_data: &ServiceData) -> Result<ServiceInfo, String> {
    let id: String = service_data.fingerprint.chars().take(ANNOUNCED_DIGITS).collect();
    let host = format!("{}.", service_data.host);
    let (name, properties) = (cut(&service_data.name), [("v", "1"), ("id", id.as_str())]);
    ServiceInfo::new(SERVICE, name, &host, &service_data.addresses[..], service_data.port, &properties[..])
        .map_err(|error| error.to_string())
}

/// Truncates a name to the length of an instance name.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_contains_name_address_and_a_truncated_fingerprint() {
        let service_data = ServiceData {
            name: "작업실".repeat(20),
            host: "duplex-1a2b3c4d.local".into(),
            port: 7870,
            fingerprint: "1a2b3c4d".repeat(8),
            addresses: vec!["192.168.1.7".parse().unwrap()],
        };
        let service = service(&service_data).unwrap();
        assert_eq!(service.get_hostname(), "duplex-1a2b3c4d.local.");
        assert_eq!((service.get_type(), service.get_port()), (SERVICE, 7870));
        assert_eq!(service.get_property_val_str("id"), Some("1a2b3c4d1a2b3c4d"));
        assert!(
            cut(&service_data.name).len() <= MAX_NAME_BYTES
                && service_data.name.starts_with(cut(&service_data.name))
        );
    }
}
