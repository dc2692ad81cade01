//! [`HeartBeat`]: how often each end must send something (STOMP 1.2, "Heart-beating").

use crate::model::time::BootMs;

/// How often we offer to send something, in milliseconds.
pub const OFFERED_MS: u64 = 10_000;
/// How often the server is asked to send something, in milliseconds.
pub const WANTED_MS: u64 = 10_000;
/// Longest interval that is believed of a server, in milliseconds: a day.
const MAX_INTERVAL_MS: u64 = 86_400_000;
/// Minimum time that a heart-beat of the server may be late, in milliseconds.
const MIN_TOLERANCE_MS: u64 = 2_000;

/// The intervals that were agreed on.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartBeat {
    /// We send something at least this often, in milliseconds; `None`: no need to.
    pub ours_ms: Option<u64>,
    /// The server sends something at least this often, in milliseconds; `None`: it need not.
    pub theirs_ms: Option<u64>,
}

impl HeartBeat {
    /// Our header.
    pub fn header() -> String {
        format!("{OFFERED_MS},{WANTED_MS}")
    }

    /// From the server's header. STOMP 1.2: "if <cx> is 0 or <sy> is 0 there will be none, otherwise there will be heart-beats
    /// every MAX(<cx>,<sy>) milliseconds". What is not two numbers counts as `0,0`, as if the header were missing.
    pub fn agreed(header: Option<&str>) -> HeartBeat {
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let theirs = header.and_then(|header| header.split_once(','));
        let Some((Some(sends), Some(wants))) = theirs.map(|(sx, sy)| (number(sx), number(sy))) else {
            return HeartBeat::default();
        };
        let agree = |ours: u64, theirs: u64| (theirs > 0).then(|| ours.max(theirs).min(MAX_INTERVAL_MS));
        HeartBeat { ours_ms: agree(OFFERED_MS, wants), theirs_ms: agree(WANTED_MS, sends) }
    }

    /// When to send a heart-beat if nothing else was sent since `sent_at`: a little early, because it takes a while to arrive.
    pub fn due(&self, sent_at: BootMs) -> Option<BootMs> {
        self.ours_ms.map(|ms| sent_at.saturating_add(ms - ms / 4))
    }

    /// How long the server may say nothing, in milliseconds. STOMP 1.2: "because of timing inaccuracies, the receiver SHOULD
    /// be tolerant and take into account an error margin".
    pub fn quiet_ms(&self) -> Option<u64> {
        self.theirs_ms.map(|ms| ms.saturating_add((ms / 2).max(MIN_TOLERANCE_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_interval_counts_and_zero_is_none() {
        let agreed = |header| {
            let HeartBeat { ours_ms, theirs_ms } = HeartBeat::agreed(header);
            (ours_ms, theirs_ms)
        };
        assert_eq!(agreed(Some("0,0")), (None, None));
        assert_eq!(agreed(Some("500,0")), (None, Some(10_000)));
        assert_eq!(agreed(Some("60000,30000")), (Some(30_000), Some(60_000)));
        assert_eq!(agreed(Some(" 1 , 20000 ")), (Some(20_000), Some(10_000)));
        assert_eq!(
            agreed(Some("99999999999999,99999999999999")),
            (Some(MAX_INTERVAL_MS), Some(MAX_INTERVAL_MS))
        );
        for bad in [
            None,
            Some(""),
            Some("1"),
            Some("a,b"),
            Some("-1,5"),
            Some("1,2,3"),
            Some("99999999999999999999999,1"),
        ] {
            assert_eq!(agreed(bad), (None, None), "{bad:?}");
        }
    }

    #[test]
    fn ours_are_early_and_theirs_may_be_late() {
        let beat = HeartBeat::agreed(Some("10000,10000"));
        assert_eq!((beat.due(BootMs(1_000)), beat.quiet_ms()), (Some(BootMs(8_500)), Some(15_000)));
        assert_eq!((HeartBeat::default().due(BootMs(1_000)), HeartBeat::default().quiet_ms()), (None, None));
    }
}
