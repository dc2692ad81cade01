//! The routes of the Duplex protocol: a WebSocket, or a channel whose pieces HTTP requests carry, and which a WebSocket may take
//! over later. [`Race`] decides what is tried until something works, [`Course`] how an open channel goes on,
//! [`ClientChannel`](crate::wire::duplex::channel::ClientChannel) what belongs into each request; the rest does it.

mod course;
mod driver;
mod pause;
mod race;
mod receiving;
mod requests;

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Duration, Instant, sleep_until};

use super::{Connection, Endpoint, Trace, websocket};
use crate::model::address::SOCKET_PATH;
use crate::model::link_state::Why;
use crate::model::profile::Socket;
use crate::model::route::{Route, RouteChoice, RouteInUse};
use crate::model::time::BootMs;
pub use course::{LOSSES_MS, MAX_LOSSES, RouteTimes};
use driver::Driver;
use race::{Failure, Race, Step};
use requests::Channel;

/// Which routes may be tried.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutePlan {
    /// What the person chose.
    pub choice: RouteChoice,
    /// What worked last on this network, and why no WebSocket did.
    pub known: Option<RouteInUse>,
    /// Times.
    pub times: RouteTimes,
}

/// Time since the first use, as [`Race`] and [`Course`] want it.
#[derive(Copy, Clone, Debug)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> BootMs {
        BootMs(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn instant(self, at: BootMs) -> Instant {
        self.0 + Duration::from_millis(at.0)
    }
}

/// A route that works.
enum Open {
    Socket(Connection),
    Channel(Box<Channel>),
}

/// What happens in a race.
enum Event {
    Reached(Route),
    Done(Route, Result<Open, Failure>),
}

/// Opens a connection by the best route that works.
pub(super) async fn dial(socket: Socket, mut target: Endpoint, plan: RoutePlan) -> Result<Connection, Why> {
    target.routes = None;
    let choice = match target.url.contains(SOCKET_PATH) {
        true => plan.choice,
        // Where the other routes would be is not known.
        false => RouteChoice::Only(Route::WebSocket),
    };
    let clock = Clock(Instant::now());
    let mut race = Race::new(clock.now(), choice, plan.known, plan.times.stagger_ms);
    let mut events: FuturesUnordered<BoxFuture<'static, Event>> = FuturesUnordered::new();
    loop {
        while let Some(step) = race.poll(clock.now()) {
            match step {
                Step::Start(route) => start(&events, socket, &target, route),
                Step::Lost(why) => return Err(why),
            }
        }
        let deadline = race.deadline().map(|at| clock.instant(at));
        tokio::select! {
            Some(event) = events.next() => match event {
                Event::Reached(route) => race.reached(route),
                Event::Done(route, Err(failure)) => {
                    log::debug!("{}: {} (by the server: {})", route.name(), failure.why.code(), failure.by_server);
                    race.failed(clock.now(), route, failure);
                }
                Event::Done(route, Ok(open)) => {
                    let used = race.won(route, choice);
                    return Ok(match open {
                        Open::Socket(mut connection) => {
                            connection.route = Some(used);
                            connection
                        }
                        Open::Channel(channel) => {
                            Driver::start(socket, *channel, RoutePlan { choice, ..plan }, used, target)
                        }
                    });
                }
            },
            () = until(deadline) => {}
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn start(
    events: &FuturesUnordered<BoxFuture<'static, Event>>,
    socket: Socket,
    target: &Endpoint,
    route: Route,
) {
    let trace: Arc<Trace> = Arc::default();
    let target = Endpoint { trace: Arc::clone(&trace), ..target.clone() };
    let reached = Arc::clone(&trace);
    events.push(
        async move {
            reached.until_reached().await;
            Event::Reached(route)
        }
        .boxed(),
    );
    let open = async move {
        let opened = match route {
            Route::WebSocket => dial_socket(socket, target).await.map(Open::Socket),
            route => Channel::open(&target, route).await.map(|channel| Open::Channel(Box::new(channel))),
        };
        Event::Done(route, opened.map_err(|why| Failure { why, by_server: trace.is_by_duplex() }))
    };
    events.push(open.boxed());
}

async fn dial_socket(socket: Socket, target: Endpoint) -> Result<Connection, Why> {
    match socket {
        Socket::Tungstenite => websocket::dial(target).await,
        Socket::Ewebsock => super::ewebsock::dial(target).await,
    }
}
