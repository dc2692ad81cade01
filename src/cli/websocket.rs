//! The flags of `tail` and `send` for the protocol, and for a plain WebSocket's handshake.

use std::ffi::OsStr;
use std::ops::Deref;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args as Flags, Command, Error, FromArgMatches, ValueEnum};

use super::args::{Access, Server};
use super::socketio::SocketIoFlags;
use super::{Exit, Failure, print};
use crate::model::address::{BadAddress, Userinfo, take_userinfo, unencrypted_host, websocket_url};
use crate::model::profile::{Login, Secret, WebSocketOptions};
use crate::model::socketio::socketio_url;
use crate::model::{Address, upgrade};
use crate::privacy::{self, PasswordOptions};

/// Heading of these flags in the help.
pub(super) const WEBSOCKET_HELP: &str = "With --protocol websocket";
/// Flags that do not apply to a plain WebSocket.
const DUPLEX_ALONE: &[&str] =
    &["room", "since", "device", "id", "no_readings", "no_messages", "token", "token_file", "data_dir"];
/// Flags that do not apply to a Duplex server.
const WEBSOCKET_ALONE: &[&str] = &["header", "subprotocol", "user", "password_file", "no_reconnect", "hex"];
/// Flags that apply to Socket.IO servers alone.
const SOCKETIO_ALONE: &[&str] = &["namespace", "auth", "auth_file", "map", "transport", "event"];
/// Flags that do not apply to Socket.IO servers.
const NOT_SOCKETIO: &[&str] =
    &["since", "token", "token_file", "data_dir", "subprotocol", "no_reconnect", "hex"];

/// Protocol names, as in the settings.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// Duplex: rooms and devices, with a token.
    Duplex,
    /// Any WebSocket server: messages are printed as received.
    #[value(name = "websocket")]
    WebSocket,
    /// Socket.IO: what is chat and what are readings is recognized.
    #[value(name = "socketio")]
    SocketIo,
}

/// The values on the command line.
#[derive(Debug, Flags)]
struct ServerFlags {
    /// The server's address. With --protocol websocket: any ws:// or wss:// URL, as it is. A user and a password in it are
    /// taken out and sent as HTTP's basic authentication.
    // It may contain a password.
    #[arg(value_name = "URL", value_parser = secret)]
    url: Secret,
    /// The protocol that the server speaks.
    #[arg(long, value_name = "PROTOCOL", default_value = "duplex")]
    protocol: Protocol,
    #[command(flatten)]
    access: Access,
    /// Send this header with the handshake, 'Name: value'; may be given several times. (On Linux it is overwritten in the
    /// command line, as a token is.)
    #[arg(long = "header", value_name = "HEADER", value_parser = HeaderParser, help_heading = WEBSOCKET_HELP)]
    header: Vec<Header>,
    /// Offer this subprotocol; may be given several times, the most wanted first. The server must choose one.
    #[arg(long = "subprotocol", value_name = "NAME", help_heading = WEBSOCKET_HELP)]
    subprotocol: Vec<String>,
    /// Sign in as this user by HTTP's basic authentication, with the password of --password-file or DUPLEX_PASSWORD.
    #[arg(long, value_name = "NAME", help_heading = WEBSOCKET_HELP)]
    user: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    socketio: SocketIoFlags,
}

/// A Duplex server, or a plain WebSocket.
#[derive(Debug)]
pub(super) struct AnyServer(Server);

impl Deref for AnyServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl Flags for AnyServer {
    fn augment_args(command: Command) -> Command {
        ServerFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ServerFlags::augment_args_for_update(command)
    }
}

impl FromArgMatches for AnyServer {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flags = ServerFlags::from_arg_matches(matches)?;
        check_company(flags.protocol, matches)?;
        flags.server().map(AnyServer)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = AnyServer::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Rejects flags that have no effect with the chosen protocol.
fn check_company(protocol: Protocol, matches: &ArgMatches) -> Result<(), Error> {
    let is_given = |name: &&&str| {
        matches.ids().any(|id| id == **name) && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    let flag = |name: &&str| format!("--{}", name.replace('_', "-"));
    let needs = |names: &[&'static str], protocol: &str| {
        let given = names.iter().find(is_given);
        given.map(|name| format!("{} can only be used with --protocol {protocol}", flag(name)))
    };
    let sentence = match protocol {
        Protocol::WebSocket => DUPLEX_ALONE.iter().find(is_given).map(|name| {
            let flag = flag(name);
            format!("{flag} can't be used with --protocol websocket: it is for Duplex servers")
        }),
        Protocol::SocketIo => NOT_SOCKETIO
            .iter()
            .find(is_given)
            .map(|name| format!("{} can't be used with --protocol socketio", flag(name))),
        Protocol::Duplex => needs(WEBSOCKET_ALONE, "websocket"),
    };
    let sentence = sentence.or_else(|| match protocol {
        Protocol::SocketIo => None,
        Protocol::Duplex | Protocol::WebSocket => needs(SOCKETIO_ALONE, "socketio"),
    });
    sentence.map_or(Ok(()), |sentence| Err(conflict(&sentence)))
}

fn conflict(sentence: &str) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, format!("{}\n", print::harmless(sentence)))
}

impl ServerFlags {
    fn server(self) -> Result<Server, Error> {
        let text = self.url.reveal();
        let bad = |why: &str| privacy::bad_address("<URL>", text, why);
        if self.protocol == Protocol::Duplex {
            let url = privacy::whole_address(text).map_err(|why| bad(&why))?;
            return Ok(Server { url, access: self.access, websocket: None, any_protocol: true });
        }
        let (mut url, userinfo) = address(text).map_err(|why| bad(&why))?;
        let mut websocket = WebSocket::new(userinfo, self.header, self.subprotocol, self.user, self.password)
            .map_err(|sentence| conflict(&sentence))?;
        if self.protocol == Protocol::SocketIo {
            url.url = socketio_url(&url.url).map_err(|why| bad(&why.to_string()))?;
            websocket.socketio = Some(self.socketio);
        }
        Ok(Server { url, access: self.access, websocket: Some(websocket), any_protocol: true })
    }
}

/// Parses a plain WebSocket's address. A fingerprint may follow, as in an invite: `#sha256=…`.
fn address(text: &str) -> Result<(Address, Option<Userinfo>), String> {
    let mut text = text.trim().to_owned();
    let userinfo = take_userinfo(&mut text);
    let sentence = |bad: BadAddress| bad.to_string();
    let is_word = privacy::is_word(&text);
    let (url, fingerprint) = match text.split_once('#') {
        Some((url, fragment)) if fragment.starts_with("sha256=") && !fragment.contains('&') => {
            let fingerprint = Address::parse(&text).map_err(sentence)?.fingerprint;
            (websocket_url(url).map_err(sentence)?, fingerprint)
        }
        _ => (websocket_url(&text).map_err(sentence)?, None),
    };
    if is_word {
        return Err(format!("write the whole address: {url}"));
    }
    Ok((Address { url, invite: None, fingerprint }, userinfo))
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// A custom header. Its value may be a secret.
#[derive(Clone, Debug)]
struct Header {
    name: String,
    value: Secret,
}

/// Parses a [`Header`]. Errors do not contain its value.
#[derive(Copy, Clone, Debug)]
struct HeaderParser;

impl TypedValueParser for HeaderParser {
    type Value = Header;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Header, Error> {
        header(&value.to_string_lossy()).map_err(|why| {
            let arg = arg.map_or_else(|| "--header".to_owned(), ToString::to_string);
            let sentence = format!("invalid value for '{arg}': {}\n", print::harmless(&why));
            Error::raw(ErrorKind::ValueValidation, sentence).with_cmd(command)
        })
    }
}

fn header(text: &str) -> Result<Header, String> {
    let Some((name, value)) = text.split_once(':') else {
        return Err("write it as 'Name: value'".to_owned());
    };
    upgrade::header(name, value).map_err(|problem| problem.to_string())?;
    privacy::known::add(value.trim());
    Ok(Header { name: name.trim().to_owned(), value: Secret::new(value) })
}

/// How to open a plain WebSocket.
#[derive(Debug)]
pub(super) struct WebSocket {
    subprotocols: Vec<String>,
    headers: Vec<Header>,
    /// May be empty.
    user: String,
    /// Whether a user was given, or a password in the address.
    signs_in: bool,
    password_of_address: Option<Secret>,
    password: PasswordOptions,
    /// For a Socket.IO server.
    socketio: Option<SocketIoFlags>,
}

impl WebSocket {
    fn new(
        userinfo: Option<Userinfo>,
        headers: Vec<Header>,
        subprotocols: Vec<String>,
        user: Option<String>,
        password: PasswordOptions,
    ) -> Result<WebSocket, String> {
        let signs_in = user.is_some() || userinfo.is_some();
        if password.password_file.is_some() && !signs_in {
            return Err("--password-file needs a user: --user NAME".to_owned());
        }
        let Userinfo { user: user_of_address, password: password_of_address } = userinfo.unwrap_or_default();
        if let Some(password) = &password_of_address {
            privacy::known::add(password.reveal());
        }
        let user = user.unwrap_or(user_of_address);
        let unfit = |problem: upgrade::BadUpgrade| problem.to_string();
        let of_address = password_of_address.clone().unwrap_or_else(|| Secret::new(""));
        let authorization = upgrade::basic(&user, &of_address).map_err(unfit)?;
        let mut all = Vec::new();
        if signs_in {
            all.push((http::header::AUTHORIZATION, authorization));
        }
        for Header { name, value } in &headers {
            all.push(upgrade::header(name, value.reveal()).map_err(unfit)?);
        }
        upgrade::check_headers(&all).map_err(unfit)?;
        upgrade::check_subprotocols(&subprotocols).map_err(unfit)?;
        let socketio = None;
        Ok(WebSocket { subprotocols, headers, user, signs_in, password_of_address, password, socketio })
    }

    /// Whether the password is read from standard input, which is then not available for anything else.
    pub(super) fn takes_standard_input(&self) -> bool {
        self.password.takes_standard_input()
    }

    /// The flags for a Socket.IO server, if it is one.
    pub(super) fn socketio(&self) -> Option<&SocketIoFlags> {
        self.socketio.as_ref()
    }

    /// The non-secret part.
    pub(super) fn options(&self) -> Result<WebSocketOptions, Failure> {
        let (socketio, mapping) = match &self.socketio {
            Some(flags) => (flags.options(), flags.mapping()?),
            None => Default::default(),
        };
        let options = WebSocketOptions {
            socketio,
            mapping,
            subprotocols: self.subprotocols.clone(),
            headers: self.headers.iter().map(|header| header.name.clone()).collect(),
            user: self.user.clone(),
            ..WebSocketOptions::default()
        };
        match options.check() {
            Ok(()) => Ok(options),
            Err(problem) => Err(Failure::new(Exit::Failed, print::harmless(&problem.to_string()))),
        }
    }

    /// The secret part. Sent to another computer without encryption only with --insecure.
    pub(super) fn login(&self, url: &str, access: &Access) -> Result<Login, Failure> {
        let unreadable =
            |error: privacy::TokenError| Failure::new(Exit::Failed, print::harmless(&error.to_string()));
        let password = match self.signs_in {
            // The environment may contain a password for other servers.
            false => None,
            true => self.password.read(self.password_of_address.as_ref()).map_err(unreadable)?,
        };
        let headers = self.headers.iter().map(|Header { name, value }| (name.clone(), value.clone()));
        let auth = self.socketio.as_ref().map(SocketIoFlags::auth).transpose()?.flatten();
        let login = Login { password, headers: headers.collect(), auth };
        let Some(host) = unencrypted_host(url).filter(|_| self.signs_in || !login.is_empty()) else {
            return Ok(login);
        };
        let host = print::harmless(host);
        if !access.insecure {
            let sentence = format!(
                "{host} is another computer, and ws:// is not encrypted: the password, the headers and all messages can be \
                 read on the way. Use wss://, or --insecure to send them all the same"
            );
            return Err(Failure::new(Exit::Refused, sentence));
        }
        print::error(&format!(
            "the connection to {host} is not encrypted: the password, the headers and all messages can be read on the way"
        ));
        Ok(login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_it_is_without_its_user_and_fingerprint() {
        let fingerprint = "0f".repeat(32);
        for (text, url, user, has_fingerprint) in [
            ("ws://a.example:1/feed?x=1,2", "ws://a.example:1/feed?x=1,2", None, false),
            ("wss://a.example", "wss://a.example/", None, false),
            ("wss://jun:p%40ss@a.example/#sha256=FP", "wss://a.example/", Some(("jun", "p@ss")), true),
            ("localhost:8080/ws", "ws://localhost:8080/ws", None, false),
        ] {
            let (address, userinfo) = address(&text.replace("FP", &fingerprint)).unwrap();
            assert_eq!((&*address.url, address.fingerprint.is_some()), (url, has_fingerprint));
            let user = user.map(|(user, password)| (user.to_owned(), Some(Secret::new(password))));
            assert_eq!(userinfo.map(|found| (found.user, found.password)), user);
        }
        for bad in [
            "foo",
            "ws://a.example/#x",
            "ws://a.example/#sha256=0f",
            "ws://a.example/#invite=A&sha256=FP",
            "ws://a b",
        ] {
            assert!(address(&bad.replace("FP", &fingerprint)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_header_is_said_without_its_value() {
        assert!(header("X-Key: hunter2").is_ok_and(|header| header.name == "X-Key"));
        for bad in ["hunter2", "Host: hunter2", "X Y: hunter2", "X: hunter2\r\nY: z", ": hunter2"] {
            assert!(header(bad).is_err_and(|why| !why.contains("hunter2")), "{bad}");
        }
    }
}
