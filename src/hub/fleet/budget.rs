//! [`Budget`]: memory used by the fleet, in total and per principal. The memory of a device is estimated, not
//! measured: its description, its metrics, and the texts among its last values.

use std::collections::HashMap;

use super::super::limits::DeviceLimits;
use crate::model::{PrincipalId, Spec, Value};

/// Estimated memory of a device besides its texts, here and in the store of readings, in bytes.
pub(super) const DEVICE_BYTES: u64 = 2_048;
/// Estimated memory of a metric besides its texts, here and in the store of readings, in bytes.
pub(super) const METRIC_BYTES: u64 = 768;

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    devices: u32,
    bytes: u64,
}

/// Tracks the memory of all devices and checks it against the limits.
#[derive(Debug, Default)]
pub(super) struct Budget {
    limits: DeviceLimits,
    all: Held,
    of: HashMap<PrincipalId, Held>,
}

/// A limit is reached; the detail of the refusal.
pub(super) type Full = &'static str;

impl Budget {
    pub(super) fn new(limits: DeviceLimits) -> Budget {
        Budget { limits, ..Budget::default() }
    }

    /// Bytes of all devices.
    pub(super) fn bytes(&self) -> u64 {
        self.all.bytes
    }

    /// Adds a device of this principal.
    pub(super) fn add(&mut self, owner: &PrincipalId) -> Result<(), Full> {
        let own = self.of.get(owner).copied().unwrap_or_default();
        let beyond = |limit: u32, count: u32| limit > 0 && count >= limit;
        if beyond(self.limits.devices, self.all.devices) {
            return Err("the hub's device limit is reached");
        }
        if beyond(self.limits.devices_per_principal, own.devices) {
            return Err("the device limit of this token is reached");
        }
        self.grow(Some(owner), 0, DEVICE_BYTES)?;
        self.all.devices += 1;
        self.of.entry(owner.clone()).or_default().devices += 1;
        Ok(())
    }

    /// Adds a device that was loaded at the start, with its size in bytes.
    pub(super) fn restore(&mut self, bytes: u64) {
        self.all.devices += 1;
        self.all.bytes += bytes;
    }

    /// Charges a device that was loaded at the start to this principal.
    pub(super) fn adopt(&mut self, owner: &PrincipalId, bytes: u64) {
        let own = self.of.entry(owner.clone()).or_default();
        own.devices += 1;
        own.bytes += bytes;
    }

    /// Changes the size of part of a device, in bytes.
    pub(super) fn grow(&mut self, owner: Option<&PrincipalId>, before: u64, now: u64) -> Result<(), Full> {
        if before == now {
            return Ok(());
        }
        let after = |held: u64| (held + now).saturating_sub(before);
        let beyond = |limit: u64, held: u64| now > before && limit > 0 && after(held) > limit;
        if beyond(self.limits.bytes, self.all.bytes) {
            return Err("the hub's memory limit for devices is reached");
        }
        let own = owner.and_then(|owner| self.of.get(owner)).copied().unwrap_or_default();
        if beyond(self.limits.bytes_per_principal, own.bytes) {
            return Err("the memory limit for devices of this token is reached");
        }
        self.all.bytes = after(self.all.bytes);
        if let Some(owner) = owner {
            match self.of.get_mut(owner) {
                Some(own) => own.bytes = after(own.bytes),
                None => {
                    self.of.insert(owner.clone(), Held { devices: 0, bytes: after(0) });
                }
            }
        }
        Ok(())
    }
}

/// Size of a value in bytes.
pub(super) fn of_value(value: &Value) -> u64 {
    match value {
        Value::Text(text) => 2 * text.len() as u64,
        _ => 0,
    }
}

/// Size of a description with its metrics in bytes.
pub(super) fn of_spec(spec: &Spec) -> u64 {
    let metrics = spec.metrics.iter().map(|metric| {
        let options = metric.options.iter().map(|option| option.len() + 24).sum::<usize>();
        METRIC_BYTES + (2 * metric.name.as_str().len() + metric.unit.len() + options) as u64
    });
    let attributes = spec.attributes.iter().map(|(name, value)| name.len() + value.len() + 64).sum::<usize>();
    let texts = spec.id.as_str().len() + spec.name.len() + spec.kind.len() + spec.will.len() + attributes;
    DEVICE_BYTES + texts as u64 + metrics.sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_principal_has_its_share_and_freed_memory_can_be_reused() {
        let limits = DeviceLimits {
            devices: 3,
            devices_per_principal: 2,
            bytes: 4 * DEVICE_BYTES,
            bytes_per_principal: 3 * DEVICE_BYTES,
        };
        let (a, b) = (PrincipalId("a".into()), PrincipalId("b".into()));
        let mut budget = Budget::new(limits);
        budget.add(&a).unwrap();
        budget.grow(Some(&a), 0, 2 * DEVICE_BYTES).unwrap();
        assert!(budget.grow(Some(&a), 0, 1).is_err(), "its own share");
        assert!(budget.add(&a).is_err());
        budget.add(&b).unwrap();
        assert!(budget.add(&b).is_err(), "the hub's");
        budget.grow(Some(&a), 2 * DEVICE_BYTES, 10).unwrap();
        budget.add(&b).unwrap();
        assert!(budget.add(&a).unwrap_err().contains("the hub's device limit"), "the hub's number");
        assert_eq!(budget.bytes(), 3 * DEVICE_BYTES + 10);
    }
}
