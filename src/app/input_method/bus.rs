//! A thread that communicates with the input method over D-Bus, as GTK and Qt do. Messages are read from one stream,
//! so that the input method's signals and answers keep their order.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use zbus::{Connection, Message, MessageStream};

use super::keys::Press;
use super::order::Composed;
use super::speech::{Head, Speech, Word};

/// Maximum number of orders queued for the thread.
const MAX_ORDERS: usize = 256;
/// Maximum time to connect to an input method.
const MAX_CONNECT: Duration = Duration::from_secs(5);
/// Delay before looking for a missing input method again; doubled each time.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// Maximum number of doublings: up to about two minutes.
const MAX_RETRIES: u32 = 8;
/// Minimum interval between searches triggered by a field getting the focus.
const MIN_RETRY: Duration = Duration::from_secs(3);

/// A message to the thread.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// Ask about a key.
    Ask(u64, Press),
    /// Discard the composition.
    Reset,
    /// Commit the composition.
    Flush,
    /// A text field gained or lost the focus.
    Focus(bool),
    /// The cursor's position: x, y, width, height in pixels; relative to the screen, or to the window if its position
    /// is unknown.
    Spot { rect: [i32; 4], on_screen: bool },
}

/// A message from the thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The input method is available.
    Connected,
    /// It is gone.
    Disconnected,
    /// Whether it used the key with this number.
    Answer(u64, bool),
    /// It has committed its composition.
    Flushed,
    /// A composition event.
    Said(Composed),
    /// It was activated again, without a composition.
    Activated,
    /// It returns a key.
    HandedBack(Press),
}

/// Receives news from the thread; returns `false` once the receiver is gone.
pub(super) type Tell = Arc<dyn Fn(News) -> bool + Send + Sync>;

/// Starts the thread. It ends when the sender is dropped.
pub(super) fn start(speeches: Vec<Speech>, tell: Tell) -> std::io::Result<mpsc::Sender<Order>> {
    let (sender, orders) = mpsc::channel(MAX_ORDERS);
    std::thread::Builder::new().name("input method".to_owned()).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(serve(orders, &speeches, &tell)),
            Err(error) => log::warn!("the input method is used through the window system only: {error}"),
        }
    })?;
    Ok(sender)
}

/// Connects and reconnects until the order queue is closed.
async fn serve(mut orders: mpsc::Receiver<Order>, speeches: &[Speech], tell: &Tell) {
    let mut retries = 0;
    loop {
        for speech in speeches {
            let Some(mut talk) = timeout(MAX_CONNECT, Talk::begin(*speech)).await.ok().flatten() else {
                continue;
            };
            retries = 0;
            log::info!("connected to the input method: {}", speech.name());
            if !tell(News::Connected) || !talk.go_on(&mut orders, tell).await {
                return;
            }
            log::info!("the input method is gone: {}", speech.name());
            tell(News::Disconnected);
        }
        let wait = FIRST_RETRY.saturating_mul(1 << retries.min(MAX_RETRIES));
        if !idle(&mut orders, wait).await {
            return;
        }
        retries += 1;
    }
}

/// Waits for the next attempt, or until a field gets the focus. Returns `false` if the order queue is closed.
async fn idle(orders: &mut mpsc::Receiver<Order>, wait: Duration) -> bool {
    let begun = Instant::now();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return false,
                Some(Order::Focus(true)) if begun.elapsed() >= MIN_RETRY => return true,
                Some(_) => {}
            },
            () = sleep_until(begun + wait) => return true,
        }
    }
}

/// A connection to an input method, with our input context.
struct Talk {
    speech: Speech,
    connection: Connection,
    stream: MessageStream,
    context: String,
    /// The key that was asked about: the message's serial and our number.
    asked: Option<(u32, u64)>,
    /// Signals before the reply to this message belong to an ended composition.
    forgetting: Option<u32>,
    /// When this message is answered, the composition has been committed.
    flushing: Option<u32>,
    composed: String,
}

impl Talk {
    async fn begin(speech: Speech) -> Option<Talk> {
        let connection = match speech.connect().await {
            Ok(connection) => connection?,
            Err(error) => {
                log::debug!("no input method {}: {error}", speech.name());
                return None;
            }
        };
        let stream = MessageStream::from(&connection);
        match speech.create_context(&connection).await {
            Ok(context) => Some(Talk {
                speech,
                connection,
                stream,
                context,
                asked: None,
                forgetting: None,
                flushing: None,
                composed: String::new(),
            }),
            Err(error) => {
                log::debug!("cannot create an input context in {}: {error}", speech.name());
                None
            }
        }
    }

    /// Returns `false` if the order queue is closed, `true` if the input method is gone.
    async fn go_on(&mut self, orders: &mut mpsc::Receiver<Order>, tell: &Tell) -> bool {
        loop {
            let went = tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.carry_out(order).await.is_ok(),
                    None => {
                        // Best effort: closing the connection has the same effect.
                        let _ = self.send(self.speech.end(&self.context)).await;
                        return false;
                    }
                },
                message = self.stream.next() => match message {
                    Some(Ok(message)) => {
                        let Some(news) = self.understand(&message) else { return true };
                        news.into_iter().all(|news| tell(news))
                    }
                    _ => return true,
                },
            };
            if !went {
                return true;
            }
        }
    }

    async fn carry_out(&mut self, order: Order) -> zbus::Result<()> {
        match order {
            Order::Ask(number, press) => {
                let serial = self.send(self.speech.ask(&self.context, press)).await?;
                self.asked = Some((serial, number));
            }
            Order::Reset => {
                self.composed.clear();
                self.forgetting = Some(self.send(self.speech.reset(&self.context)).await?);
            }
            Order::Flush => {
                for message in self.speech.flush(&self.context) {
                    self.flushing = Some(self.send(message).await?);
                }
            }
            Order::Focus(focused) => {
                let serial = self.send(self.speech.focus(&self.context, focused)).await?;
                if !focused && !self.composed.is_empty() {
                    self.composed.clear();
                    self.forgetting = Some(serial);
                }
            }
            Order::Spot { rect, on_screen } => {
                self.send(self.speech.spot(&self.context, rect, on_screen)).await?;
            }
        }
        Ok(())
    }

    async fn send(&self, message: zbus::Result<Message>) -> zbus::Result<u32> {
        let message = message?;
        self.connection.send(&message).await?;
        Ok(message.primary_header().serial_num().get())
    }

    /// `None` if the input method is gone.
    fn understand(&mut self, message: &Message) -> Option<Vec<News>> {
        let head = Head::of(message).unwrap_or_default();
        if let Some(serial) = head.reply_to {
            if self.forgetting == Some(serial) {
                self.forgetting = None;
            }
            if self.flushing.take_if(|flushing| *flushing == serial).is_some() {
                return Some(vec![News::Flushed]);
            }
            if let Some((_, number)) = self.asked.take_if(|(asked, _)| *asked == serial) {
                // An error is an answer, too: the key was not used.
                return Some(vec![News::Answer(number, message.body().deserialize().unwrap_or(false))]);
            }
            return Some(Vec::new());
        }
        if self.speech.is_end(&head, message) {
            return None;
        }
        if head.path != self.context || self.forgetting.is_some() {
            return Some(Vec::new());
        }
        let said = self.speech.understand(&head, message);
        Some(said.into_iter().flat_map(|word| self.news(word)).collect())
    }

    fn news(&mut self, word: Word) -> Option<News> {
        Some(match word {
            Word::Commit(text) => {
                self.composed.clear();
                News::Said(Composed::Commit(text))
            }
            Word::Preedit(text, cursor) => {
                self.composed.clone_from(&text);
                News::Said(Composed::Preedit(text, cursor))
            }
            Word::HidePreedit if self.composed.is_empty() => return None,
            Word::HidePreedit => {
                self.composed.clear();
                News::Said(Composed::Preedit(String::new(), None))
            }
            Word::Key(press) => News::HandedBack(press),
            Word::Activated => News::Activated,
        })
    }
}
