//! [`Access`]: the credentials for a server, and what they mean for the session and the dial.

use std::fmt;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use crate::link::CONNECT_MS;
use crate::mapping::Mapping;
use crate::model::ConnectionId;
use crate::model::link_state::Why;
use crate::model::profile::{Login, Profile, Protocol, Secret, Socket, WebSocketOptions};
use crate::model::{RouteChoice, name, upgrade};
use crate::privacy;
use crate::transport::channel::RouteTimes;
use crate::transport::{self, Compression, Endpoint};
use crate::wire::duplex::client::{Config, Credentials};
use crate::wire::{Open, Setup, mqtt, plain, socketio, stomp};

/// Slightly shorter than the link's limit for dial and handshake: the transport reports a more precise reason.
const DIAL: Duration = Duration::from_millis(CONNECT_MS - 500);

/// The client name sent to servers.
pub const CLIENT: &str = concat!("Duplex ", env!("CARGO_PKG_VERSION"));

/// Credentials for a server.
#[derive(Clone)]
pub enum Access {
    /// A token.
    Token(Secret),
    /// An invite. `token` is the one to use after it has been redeemed.
    Invite {
        /// The invite's code.
        code: Secret,
        /// The name people will see.
        name: String,
        /// 64 hexadecimal digits.
        token: Secret,
    },
    /// No credentials: tests whether a Duplex server answers.
    Nobody,
    /// No credentials: tests whether an invite is valid.
    CheckInvite {
        /// The invite's code.
        code: Secret,
    },
    /// The token of a hub that must first prove its identity.
    Proof {
        /// Its data directory's secret.
        secret: [u8; 32],
        /// The token.
        token: Secret,
    },
    /// The password and headers of a plain WebSocket handshake, as far as the profile names them.
    Login(Login),
}

/// Which of them there are, without their values.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Token(_) => "Token(…)",
            Access::Invite { .. } => "Invite(…)",
            Access::Proof { .. } => "Proof(…)",
            Access::Nobody => "Nobody",
            Access::CheckInvite { .. } => "CheckInvite(…)",
            Access::Login(_) => "Login(…)",
        })
    }
}

impl Access {
    /// From the keyring's entry for a connection; `None` if a required secret is missing.
    pub fn of_secret(profile: &Profile, secret: Option<Secret>) -> Option<Access> {
        match profile.protocol {
            // A connection that used to be a plain WebSocket has no token yet.
            Protocol::Duplex => secret.filter(|secret| !Login::is_one(secret)).map(Access::Token),
            Protocol::WebSocket | Protocol::SocketIo | Protocol::Stomp | Protocol::Mqtt => {
                let login = secret.as_ref().map(Login::of_secret).unwrap_or_default();
                Some(Access::Login(login))
            }
        }
    }

    /// The session's setup. `watch`: whether to subscribe to devices. The token is sent in the handshake's header if
    /// the socket can send headers.
    pub fn setup(&self, profile: &Profile, watch: bool) -> Setup {
        match profile.protocol {
            Protocol::Duplex => {}
            Protocol::WebSocket => {
                let WebSocketOptions { subprotocols, recognize, .. } = &profile.websocket;
                return Setup::Plain(plain::Config {
                    subprotocols: subprotocols.clone(),
                    mapping: recognize.then(|| Box::new(mapping(profile))),
                });
            }
            Protocol::SocketIo => return Setup::SocketIo(Box::new(self.socketio(profile))),
            Protocol::Stomp => return Setup::Stomp(Box::new(self.stomp(profile))),
            Protocol::Mqtt => return Setup::Mqtt(Box::new(self.mqtt(profile, watch))),
        }
        let credentials = match self {
            Access::Token(_) if transport::capabilities(profile.socket).headers => Credentials::InHeader,
            Access::Token(token) => Credentials::Token(token.clone()),
            Access::Invite { code, name, token } => {
                Credentials::Invite { code: code.clone(), name: name.clone(), token: token.clone() }
            }
            Access::Nobody | Access::Login(_) => Credentials::Nobody,
            Access::CheckInvite { code } => Credentials::CheckInvite { code: code.clone() },
            Access::Proof { secret, token } => Credentials::Prove {
                secret: *secret,
                address: authority(profile.urls.first().map_or("", String::as_str)),
                token: token.clone(),
            },
        };
        // Of a race, the last route may begin so long after the first.
        let race_ms = match routes(profile) {
            Some(RouteChoice::Automatic) => RouteTimes::default().race_ms(),
            _ => 0,
        };
        Setup::Duplex(Config { client: CLIENT.to_owned(), credentials, watch, race_ms, compresses: true })
    }

    /// How to speak Socket.IO.
    fn socketio(&self, profile: &Profile) -> socketio::Config {
        let auth = match self {
            Access::Login(login) => login.auth.clone(),
            _ => None,
        };
        let namespaces = profile.websocket.socketio.namespaces.clone();
        socketio::Config { namespaces, auth, mapping: mapping(profile) }
    }

    /// How to speak STOMP: login, password and headers are those of its `CONNECT`.
    fn stomp(&self, profile: &Profile) -> stomp::session::Config {
        let nothing = Login::default();
        let login = if let Access::Login(login) = self { login } else { &nothing };
        let options = &profile.websocket;
        let value =
            |name: &String| (name.clone(), login.header(name).cloned().unwrap_or_else(|| Secret::new("")));
        stomp::session::Config {
            connection: stomp::client::Config {
                login: options.user.clone(),
                passcode: login.password.clone(),
                host: options.stomp.host.clone(),
                headers: options.headers.iter().map(value).collect(),
                destinations: options.stomp.destinations.clone(),
            },
            mapping: mapping(profile),
        }
    }

    /// How to speak MQTT: user and password are those of its `CONNECT`.
    fn mqtt(&self, profile: &Profile, watch: bool) -> mqtt::session::Config {
        let password = if let Access::Login(login) = self { login.password.clone() } else { None };
        let WebSocketOptions { user, mqtt, .. } = &profile.websocket;
        let is_seen = watch && profile.id != ConnectionId::COMMAND_LINE;
        let mut options = (**mqtt).clone();
        if options.name.is_empty() && user.is_empty() {
            options.name = system_user();
        }
        let memory = mqtt::Memory::default();
        mqtt::session::Config { options, user: user.clone(), password, memory, is_seen }
    }

    /// The secrets, which must never be shown.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Access::Token(token) | Access::Proof { token, .. } => vec![token.reveal()],
            Access::Invite { code, token, .. } => vec![code.reveal(), token.reveal()],
            Access::CheckInvite { code } => vec![code.reveal()],
            Access::Nobody => Vec::new(),
            Access::Login(login) => login.secrets().map(Secret::reveal).collect(),
        }
    }

    /// The token that HTTP requests carry, and the secret of a hub that must prove its identity before.
    pub(super) fn bearer(&self) -> Option<(&Secret, Option<&[u8; 32]>)> {
        match self {
            Access::Token(token) | Access::Invite { token, .. } => Some((token, None)),
            Access::Proof { secret, token } => Some((token, Some(secret))),
            Access::Nobody | Access::CheckInvite { .. } | Access::Login(_) => None,
        }
    }

    /// The URL to dial and its options.
    pub fn target(&self, profile: &Profile, url: &str) -> Result<Endpoint, Why> {
        // Mask them in all logs before they are used.
        self.secrets().into_iter().for_each(privacy::known::add);
        if let Access::Login(login) = self {
            login.auth_texts().iter().for_each(|text| privacy::known::add(text));
        }
        let dialing = self.setup(profile, false).dialing();
        let mut target = Endpoint::new(url);
        target.ca_file.clone_from(&profile.ca_file);
        target.fingerprint.clone_from(&profile.fingerprint);
        target.max_frame = dialing.max_frame;
        target.report_flushed = dialing.report_flushed;
        target.subprotocol_needed = dialing.subprotocol_needed;
        target.sockjs = dialing.sockjs;
        target.compression = if dialing.compresses { Compression::Offered } else { Compression::Off };
        target.subprotocols = dialing.subprotocols;
        if profile.protocol == Protocol::Stomp && !transport::capabilities(profile.socket).agreement {
            // It cannot tell which one was chosen.
            target.subprotocols.truncate(1);
        }
        target.deadline = DIAL;
        target.client_certificate.clone_from(&profile.network.client_certificate);
        target.proxy.clone_from(&profile.network.proxy);
        target.proxy_password.clone_from(&profile.network.proxy_password);
        target.proxy_password.iter().for_each(|password| privacy::known::add(password.reveal()));
        target.engine_io =
            (profile.protocol == Protocol::SocketIo).then_some(profile.websocket.socketio.carriers);
        match self {
            Access::Token(token)
                if profile.protocol == Protocol::Duplex
                    && transport::capabilities(profile.socket).headers =>
            {
                target.headers.push((AUTHORIZATION, secret_value(&format!("Bearer {}", token.reveal()))?));
            }
            Access::Login(login) => target.headers = headers(profile, login)?,
            _ => {}
        }
        Ok(target)
    }
}

/// The name under which the person is signed in to this computer; may be empty.
fn system_user() -> String {
    let user = ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    user.and_then(|user| name::make(&user, name::MAX_PERSON_CHARS).ok()).unwrap_or_default()
}

/// What on the server means what. A document that a later version wrote may not be understood: then everything is
/// recognized as if there were none.
fn mapping(profile: &Profile) -> Mapping {
    let document = serde_json::Value::Object(profile.websocket.mapping.clone());
    Mapping::parse(&document.to_string()).unwrap_or_else(|error| {
        log::warn!("the mapping of a connection is not used: {error}");
        Mapping::default()
    })
}

/// Which routes to a server may be tried; `None` where there are none but its socket.
pub(super) fn routes(profile: &Profile) -> Option<RouteChoice> {
    let has_routes = profile.protocol == Protocol::Duplex && profile.socket == Socket::Tungstenite;
    (has_routes && profile.id != ConnectionId::OWN_HUB).then_some(profile.route)
}

/// The headers of a plain WebSocket's handshake.
fn headers(profile: &Profile, login: &Login) -> Result<Vec<(HeaderName, HeaderValue)>, Why> {
    let options = &profile.websocket;
    let unfit = |problem| Why::BadUpgrade { problem };
    let mut headers = Vec::new();
    // STOMP and MQTT sign in by their own frames.
    let signs_in = !options.user.is_empty() || login.password.is_some();
    if signs_in && !matches!(profile.protocol, Protocol::Stomp | Protocol::Mqtt) {
        let password = login.password.clone().unwrap_or_else(|| Secret::new(""));
        headers.push((AUTHORIZATION, upgrade::basic(&options.user, &password).map_err(unfit)?));
    }
    for name in &options.headers {
        let value = login.header(name).map_or("", Secret::reveal);
        headers.push(upgrade::header(name, value).map_err(unfit)?);
    }
    Ok(headers)
}

pub(super) fn secret_value(text: &str) -> Result<HeaderValue, Why> {
    let mut value = HeaderValue::try_from(text).map_err(|_| Why::Unauthorized)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `host:port` of a URL.
pub(super) fn authority(url: &str) -> String {
    url.parse::<http::Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string)).unwrap_or_default()
}
