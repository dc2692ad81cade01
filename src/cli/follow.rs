//! [`Follow`]: the connection used by `tail` and `send`.

use super::args::Server;
use super::hub::failed;
use super::reason::{reason_at, reason_of};
use super::{Exit, Failure, proxy};
use crate::link::Input;
use crate::model::address::is_loopback;
use crate::model::event::LinkEvent;
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Profile, Protocol, Socket, WebSocketOptions};
use crate::model::{ConnectionId, Event};
use crate::settings;
use crate::wire::{Request, SavedState};
use crate::worker::access::Access;
use crate::worker::file_transfer::FileServer;
use crate::worker::own_hub::HubAt;
use crate::worker::single::Single;

/// A driven connection.
pub(super) struct Follow(Single);

impl Follow {
    /// Begins to connect. `watch`: whether to subscribe to all devices.
    pub(super) fn start(server: &Server, saved: SavedState, watch: bool) -> Result<Follow, Failure> {
        let (profile, access) = profile(server)?;
        Ok(Follow::with(profile, access, saved, watch))
    }

    /// The same with a profile that was completed.
    pub(super) fn with(profile: Profile, access: Access, saved: SavedState, watch: bool) -> Follow {
        let mut uris = profile.urls.iter().filter_map(|url| url.parse::<http::Uri>().ok());
        // Nothing stands between this computer and itself.
        let is_here = uris.all(|uri| uri.host().is_some_and(is_loopback));
        // The app's, which is not made where there is no app.
        let dir = settings::data_dir().filter(|dir| dir.is_dir() && !is_here);
        Follow(match dir {
            Some(dir) => Single::start_remembering(profile, access, saved, watch, &dir),
            None => Single::start(profile, access, saved, watch),
        })
    }

    /// Why the link is down, and what to do about it.
    pub(super) fn reason(&self, why: &Why) -> String {
        reason_at(why, self.0.profile().urls.first().map_or("", String::as_str))
    }

    /// The link's state.
    pub(super) fn state(&self) -> &LinkState {
        self.0.state()
    }

    /// Sends a request; dropped unless online.
    pub(super) fn ask(&mut self, request: Request) {
        self.tell(Input::Request(request));
    }

    /// Gives the link an input.
    pub(super) fn tell(&mut self, input: Input) {
        self.0.tell(input);
    }

    /// Waits for the next event. Cancel-safe.
    pub(super) async fn next(&mut self) -> Event {
        let event = self.0.next().await;
        if let Event::Link(LinkEvent::Proxy(Some(used))) = &event {
            proxy::tell(used);
        }
        event
    }

    /// Closes the connection, with a short deadline for sending the close frame.
    pub(super) async fn end(self) {
        self.0.end().await;
    }
}

/// The same server for files.
pub(super) fn file_server(server: &Server) -> Result<FileServer, Failure> {
    let (profile, access) = profile(server)?;
    Ok(FileServer { url: server.url.url.clone(), profile, access })
}

/// Resolves the flags.
pub(super) fn profile(server: &Server) -> Result<(Profile, Access), Failure> {
    profile_with(server, || {
        let needed = || Failure::new(Exit::Refused, reason_of(server, &Why::NoToken));
        access(server)?.ok_or_else(needed)
    })
}

/// The same for a check of the connection, which leads somewhere without a token, too.
pub(super) fn profile_to_check(server: &Server) -> Result<(Profile, Access), Failure> {
    profile_with(server, || Ok(access(server)?.unwrap_or(Access::Nobody)))
}

fn profile_with(
    server: &Server,
    access: impl FnOnce() -> Result<Access, Failure>,
) -> Result<(Profile, Access), Failure> {
    let address = server.url.clone();
    let (protocol, access, websocket) = match &server.websocket {
        Some(websocket) => {
            let login = websocket.login(&address.url, &server.access)?;
            let protocol = websocket.protocol().of_profile();
            (protocol, Access::Login(login), websocket.options()?)
        }
        None => (Protocol::Duplex, access()?, WebSocketOptions::default()),
    };
    let profile = Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![address.url],
        protocol,
        socket: Socket::Tungstenite,
        route: server.route,
        ca_file: server.access.ca_file.clone(),
        fingerprint: address.fingerprint,
        auto_connect: true,
        websocket,
        network: server.access.network(),
    };
    Ok((profile, access))
}

/// Credentials for a Duplex server; `None` where there are none.
fn access(server: &Server) -> Result<Option<Access>, Failure> {
    if let Some(token) = server.access.token()? {
        server.access.check_encrypted(&server.url.url)?;
        return Ok(Some(Access::Token(token)));
    }
    // A hub that proves to be on this computer: the connection stays on this computer.
    let here = HubAt::find(server.access.data_dir.as_deref(), &server.url.url).map_err(failed)?;
    Ok(here.map(|at| at.access()))
}
