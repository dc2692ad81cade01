//! Logs one line per frame for measurements: `RUST_LOG=duplex::frames=trace`. Costs nothing otherwise.

use std::time::Instant;

use crate::clock;
use crate::model::SharedModel;

/// State at the beginning of a frame.
pub(super) struct FrameLog {
    began_ms: u64,
    began: Instant,
    keys: usize,
    lock_us: u128,
}

impl FrameLog {
    /// A frame begins. `None` unless the log is enabled.
    pub(super) fn begin(ui: &egui::Ui, model: &SharedModel) -> Option<FrameLog> {
        if !log::log_enabled!(target: "duplex::frames", log::Level::Trace) {
            return None;
        }
        let typed = |event: &&egui::Event| matches!(event, egui::Event::Text(_));
        let keys = ui.input(|input| input.events.iter().filter(typed).count());
        let asked = Instant::now();
        let lock_us = model.read(|_| asked.elapsed().as_micros());
        Some(FrameLog { began_ms: clock::now().boot_ms.0, began: Instant::now(), keys, lock_us })
    }

    /// The layout is done. `last_s`: the total time of the previous frame, including painting, in seconds.
    pub(super) fn end(self, model: &SharedModel, last_s: Option<f32>) {
        let now = clock::now();
        let asked = Instant::now();
        let (readings, conflated, newest, lock_us) = model.read(|model| {
            // The longest wait for the lock before or after the frame: a frame usually begins when the worker has
            // just released it.
            let lock_us = self.lock_us.max(asked.elapsed().as_micros());
            let all = || model.connections.values().map(|connection| &connection.devices);
            let heard = all().flat_map(|devices| devices.iter()).filter(|device| !device.is_local());
            (
                all().map(|devices| devices.readings()).sum::<u64>(),
                all().map(|devices| devices.conflated()).sum::<u64>(),
                heard.filter_map(|device| device.heard).max(),
                lock_us,
            )
        });
        log::trace!(
            target: "duplex::frames",
            "at_ms={} layout_us={} last_us={:.0} lock_us={} keys={} readings={readings} conflated={conflated} newest_ms={}",
            self.began_ms,
            self.began.elapsed().as_micros(),
            last_s.unwrap_or(0.0) * 1e6,
            lock_us,
            self.keys,
            newest.map_or(-1, |newest| now.wall_ms.since(newest)),
        );
    }
}
