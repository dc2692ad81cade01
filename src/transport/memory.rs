//! An in-memory pair of connections, for tests of everything that uses a [`Connection`].

use tokio::sync::mpsc;

use super::incoming::Intake;
use super::{Connection, Counters, Incoming, Outgoing, Port, channels};
use crate::model::link_state::{Closing, Why};

/// A pair without a socket: what one end sends, the other receives. A close reaches both; dropping one end is
/// [`Why::Lost`] at the other. Items count as flushed once the other end's queue has accepted them, and pings are
/// answered at once. Must be called on a tokio runtime.
pub fn pair(report_flushed: bool) -> (Connection, Connection) {
    let (left, left_port) = channels(None, report_flushed);
    let (right, right_port) = channels(None, report_flushed);
    tokio::spawn(relay(left_port, right_port));
    (left, right)
}

async fn relay(left: Port, right: Port) {
    let Port { outgoing: mut from_left, incoming: to_left, counters: left } = left;
    let Port { outgoing: mut from_right, incoming: to_right, counters: right } = right;
    let (why_left, why_right) = tokio::select! {
        // Items sent before an end was dropped still arrive, which keeps tests deterministic.
        biased;
        () = report(&to_left) => return,
        () = report(&to_right) => return,
        (ours, theirs) = forward(&mut from_left, (&to_left, &left), (&to_right, &right)) => (ours, theirs),
        (ours, theirs) = forward(&mut from_right, (&to_right, &right), (&to_left, &left)) => (theirs, ours),
        () = to_left.closed() => (dropped(), dropped()),
        () = to_right.closed() => (dropped(), dropped()),
    };
    drop((from_left, from_right));
    // Fails if that end is gone.
    let _ =
        tokio::join!(to_left.send(Incoming::Closed(why_left)), to_right.send(Incoming::Closed(why_right)));
}

/// Reports to one end what the other has accepted, until the connection ends.
async fn report(to: &Intake) {
    loop {
        to.has_report().await;
        to.report().await;
    }
}

/// Forwards items from one end to the other. Returns the reasons that the sender and the receiver are given.
async fn forward(
    from: &mut mpsc::Receiver<Outgoing>,
    (to_sender, sender): (&Intake, &Counters),
    (to, receiver): (&Intake, &Counters),
) -> (Why, Why) {
    while let Some(item) = from.recv().await {
        let frame = match item {
            Outgoing::Frame(frame) => frame,
            Outgoing::Ping => {
                if !to_sender.send(Incoming::Pong).await {
                    break;
                }
                continue;
            }
            Outgoing::Compress => continue,
            Outgoing::Close { code, reason } => {
                let closed = |closing| Why::Closed {
                    code: Some(code),
                    reason: reason.clone(),
                    retry_after_ms: None,
                    closing,
                };
                return (closed(Closing::ByUs), closed(Closing::ByServer));
            }
        };
        sender.sent(frame.len());
        receiver.received(frame.len());
        if !to.send(Incoming::Frame(frame)).await {
            break;
        }
        to_sender.flushed(sender.traffic().frames_out);
    }
    (dropped(), dropped())
}

fn dropped() -> Why {
    Why::Lost { detail: "the other end is gone".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    #[tokio::test]
    async fn frames_cross_and_a_close_reaches_both() {
        let (mut left, mut right) = pair(false);
        assert!(left.send(Frame::Text("to the right".to_owned())).await);
        assert!(right.send(Frame::Binary(vec![1, 2])).await);
        assert_eq!(right.recv().await, Some(Incoming::Frame(Frame::Text("to the right".to_owned()))));
        assert_eq!(left.recv().await, Some(Incoming::Frame(Frame::Binary(vec![1, 2]))));
        left.close(4001, "kicked").await;
        for (end, closing) in [(&mut left, Closing::ByUs), (&mut right, Closing::ByServer)] {
            let reason = "kicked".to_owned();
            let closed = Why::Closed { code: Some(4001), reason, retry_after_ms: None, closing };
            assert_eq!(end.recv().await, Some(Incoming::Closed(closed)));
            assert_eq!(end.recv().await, None);
        }
        assert_eq!((left.counters.traffic().bytes_out, right.counters.traffic().bytes_in), (12, 12));
    }

    #[tokio::test]
    async fn dropping_one_end_is_a_loss_at_the_other() {
        let (left, mut right) = pair(false);
        drop(left);
        assert!(matches!(right.recv().await, Some(Incoming::Closed(Why::Lost { .. }))));
        assert!(!right.send(Frame::Text(String::new())).await);
    }

    #[tokio::test]
    async fn accepted_frames_are_reported_as_flushed() {
        let (mut left, mut right) = pair(true);
        for _ in 0..2 {
            assert!(left.send(Frame::Text("frame".to_owned())).await);
        }
        let mut told = 0;
        while told < 2 {
            match left.recv().await {
                Some(Incoming::Flushed(total)) if total > told => told = total,
                other => panic!("{other:?}"),
            }
        }
        left.outgoing.send(Outgoing::Ping).await.unwrap();
        assert_eq!(left.recv().await, Some(Incoming::Pong));
        drop(left);
        for _ in 0..2 {
            assert!(matches!(right.recv().await, Some(Incoming::Frame(_))));
        }
        assert!(matches!(right.recv().await, Some(Incoming::Closed(Why::Lost { .. }))));
    }
}
