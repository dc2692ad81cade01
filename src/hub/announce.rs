//! How a hub is found on the local network: by DNS-SD over multicast DNS (RFC 6763, RFC 6762).

use std::net::IpAddr;

use mdns_sd::{DaemonEvent, Receiver, ServiceDaemon, ServiceInfo};

use crate::model::lan::ANNOUNCED_DIGITS;

/// The kind of service, as RFC 6763 §7 names it.
pub const SERVICE: &str = "_duplex._tcp.local.";
/// Maximum bytes of an instance's name (RFC 6763 §4.1.1).
const MAX_NAME_BYTES: usize = 63;

/// A hub that is announced. Dropping it takes the announcement back.
pub(super) struct Announcement {
    daemon: ServiceDaemon,
    events: Option<Receiver<DaemonEvent>>,
    told: Told,
    trouble: Option<String>,
}

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The hub's name for people.
    pub name: String,
    /// The name to be resolved, without the last dot.
    pub host: String,
    pub port: u16,
    /// SHA-256 of the certificate. Only its first digits are announced, enough for a client that knows the certificate.
    pub fingerprint: String,
    pub addresses: Vec<IpAddr>,
}

impl Announcement {
    /// Announces it.
    ///
    /// # Errors
    /// The system's words.
    pub(super) fn new(told: Told) -> Result<Announcement, String> {
        let daemon = ServiceDaemon::new().map_err(|error| error.to_string())?;
        let events = daemon.monitor().ok();
        daemon.register(service(&told)?).map_err(|error| error.to_string())?;
        Ok(Announcement { daemon, events, told, trouble: None })
    }

    /// Announces what has changed, and says why the announcement does not get through, if that is known.
    pub(super) fn follow(&mut self, told: &Told) -> Option<String> {
        if self.told != *told {
            self.told = told.clone();
            let again = service(told)
                .and_then(|service| self.daemon.register(service).map_err(|error| error.to_string()));
            self.trouble = again.err();
        }
        while let Some(Ok(event)) = self.events.as_ref().map(Receiver::try_recv) {
            match event {
                DaemonEvent::Error(error) => {
                    log::debug!("announcing on the local network: {error}");
                    self.trouble = Some(error.to_string());
                }
                // It gets through.
                DaemonEvent::Announce(..) | DaemonEvent::Respond(_) => self.trouble = None,
                _ => {}
            }
        }
        self.trouble.clone()
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // It says goodbye on its own thread, which ends by that.
        if let Err(error) = self.daemon.shutdown() {
            log::debug!("the announcement does not end: {error}");
        }
    }
}

fn service(told: &Told) -> Result<ServiceInfo, String> {
    let id: String = told.fingerprint.chars().take(ANNOUNCED_DIGITS).collect();
    let host = format!("{}.", told.host);
    let (name, properties) = (cut(&told.name), [("v", "1"), ("id", id.as_str())]);
    ServiceInfo::new(SERVICE, name, &host, &told.addresses[..], told.port, &properties[..])
        .map_err(|error| error.to_string())
}

/// As much of a name as an instance's name holds.
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
    fn what_is_announced_is_the_name_the_place_and_too_little_of_the_certificate_to_trust_it() {
        let told = Told {
            name: "작업실".repeat(20),
            host: "duplex-1a2b3c4d.local".into(),
            port: 7870,
            fingerprint: "1a2b3c4d".repeat(8),
            addresses: vec!["192.168.1.7".parse().unwrap()],
        };
        let service = service(&told).unwrap();
        assert_eq!(service.get_hostname(), "duplex-1a2b3c4d.local.");
        assert_eq!((service.get_type(), service.get_port()), (SERVICE, 7870));
        assert_eq!(service.get_property_val_str("id"), Some("1a2b3c4d1a2b3c4d"));
        assert!(cut(&told.name).len() <= MAX_NAME_BYTES && told.name.starts_with(cut(&told.name)));
    }
}
