//! Two connections that are each other's server, for tests of whatever uses a [`Connection`].

use tokio::sync::mpsc;

use super::inflow::Intake;
use super::{Connection, Counters, Incoming, Outgoing, Port, channels};
use crate::model::link_state::Why;

/// A pair without a socket: what one end sends the other receives. A close reaches both; dropping an end is
/// [`Why::Lost`] to the other. Must be called on a tokio runtime.
pub fn pair() -> (Connection, Connection) {
    let (left, left_port) = channels(None);
    let (right, right_port) = channels(None);
    tokio::spawn(relay(left_port, right_port));
    (left, right)
}

async fn relay(left: Port, right: Port) {
    let Port { outgoing: mut from_left, incoming: to_left, counters: left } = left;
    let Port { outgoing: mut from_right, incoming: to_right, counters: right } = right;
    let why = tokio::select! {
        // What was sent before an end was dropped still arrives, so that tests need no luck.
        biased;
        why = forward(&mut from_left, &left, &to_right, &right) => why,
        why = forward(&mut from_right, &right, &to_left, &left) => why,
        () = to_left.closed() => dropped(),
        () = to_right.closed() => dropped(),
    };
    drop((from_left, from_right));
    // An end that is gone needs no telling.
    let _ = tokio::join!(to_left.send(Incoming::Closed(why.clone())), to_right.send(Incoming::Closed(why)));
}

async fn forward(
    from: &mut mpsc::Receiver<Outgoing>,
    sender: &Counters,
    to: &Intake,
    receiver: &Counters,
) -> Why {
    while let Some(item) = from.recv().await {
        let frame = match item {
            Outgoing::Frame(frame) => frame,
            Outgoing::Close { code, reason } => {
                return Why::Closed { code: Some(code), reason, retry_after_ms: None };
            }
        };
        sender.sent(frame.len());
        receiver.received(frame.len());
        if !to.send(Incoming::Frame(frame)).await {
            break;
        }
    }
    dropped()
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
        let (mut left, mut right) = pair();
        assert!(left.send(Frame::Text("to the right".to_owned())).await);
        assert!(right.send(Frame::Binary(vec![1, 2])).await);
        assert_eq!(right.recv().await, Some(Incoming::Frame(Frame::Text("to the right".to_owned()))));
        assert_eq!(left.recv().await, Some(Incoming::Frame(Frame::Binary(vec![1, 2]))));
        left.close(4001, "kicked").await;
        let closed = Why::Closed { code: Some(4001), reason: "kicked".to_owned(), retry_after_ms: None };
        for end in [&mut left, &mut right] {
            assert_eq!(end.recv().await, Some(Incoming::Closed(closed.clone())));
            assert_eq!(end.recv().await, None);
        }
        assert_eq!((left.counters.traffic().bytes_out, right.counters.traffic().bytes_in), (12, 12));
    }

    #[tokio::test]
    async fn dropping_an_end_is_a_loss_to_the_other() {
        let (left, mut right) = pair();
        drop(left);
        assert!(matches!(right.recv().await, Some(Incoming::Closed(Why::Lost { .. }))));
        assert!(!right.send(Frame::Text(String::new())).await);
    }
}
