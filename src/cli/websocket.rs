//! The flags of `tail` and `send` for the protocol, and for servers that are not Duplex's.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args as Flags, Command, Error, FromArgMatches, ValueEnum};

use super::args::{Access, Server};
use super::mqtt::MqttFlags;
use super::socketio::SocketIoFlags;
use super::transport::Transport;
use super::{Exit, Failure, print};
use crate::model::address::{
    BadAddress, Userinfo, is_mqtt, is_stream, mqtt_url, stomp_url, take_userinfo, unencrypted_host,
    websocket_url,
};
use crate::model::mqtt::MqttOptions;
use crate::model::profile::{self, Login, Secret, WebSocketOptions};
use crate::model::socketio_address::socketio_url;
use crate::model::stomp::{Destination, StompOptions};
use crate::model::{Address, RouteChoice, upgrade};
use crate::privacy::{self, PasswordOptions};

/// Heading of these flags in the help.
pub(super) const WEBSOCKET_HELP: &str = "With --protocol websocket";
/// The same.
const STOMP_HELP: &str = "With --protocol stomp";
/// Flags that do not apply to every protocol, each with the protocols that it applies to.
const NOT_FOR_ALL: &[(&[&str], &[Protocol])] = &[
    (&["since", "token", "token_file", "data_dir"], &[Protocol::Duplex]),
    (
        &["room", "device", "id", "no_readings", "no_messages"],
        &[Protocol::Duplex, Protocol::SocketIo, Protocol::Stomp, Protocol::Mqtt],
    ),
    (
        &["header", "user", "password_file"],
        &[Protocol::WebSocket, Protocol::SocketIo, Protocol::Stomp, Protocol::Mqtt],
    ),
    (&["topic", "client_id", "mqtt_version", "chat"], &[Protocol::Mqtt]),
    (&["subprotocol", "no_reconnect", "recognize"], &[Protocol::WebSocket]),
    (&["hex"], &[Protocol::WebSocket, Protocol::Mqtt]),
    (&["namespace", "auth", "auth_file", "event"], &[Protocol::SocketIo]),
    (&["transport"], &[Protocol::Duplex, Protocol::SocketIo]),
    (&["map"], &[Protocol::WebSocket, Protocol::SocketIo, Protocol::Stomp]),
    (&["destination", "host"], &[Protocol::Stomp]),
];

/// Protocol names, as in the settings.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// Duplex: rooms and devices, with a token.
    Duplex,
    /// Any WebSocket server: messages are printed as received, or with --recognize as chat and readings.
    #[value(name = "websocket")]
    WebSocket,
    /// Socket.IO: what is chat and what are readings is recognized.
    #[value(name = "socketio")]
    SocketIo,
    /// STOMP, over WebSocket or TCP: Spring, RabbitMQ, ActiveMQ.
    Stomp,
    /// MQTT, over WebSocket or TCP: Mosquitto, EMQX, RabbitMQ, HiveMQ. The default for mqtt:// and mqtts://.
    Mqtt,
}

impl Protocol {
    /// As in the command line.
    fn name(self) -> &'static str {
        match self {
            Protocol::Duplex => "duplex",
            Protocol::WebSocket => "websocket",
            Protocol::SocketIo => "socketio",
            Protocol::Stomp => "stomp",
            Protocol::Mqtt => "mqtt",
        }
    }

    /// As in a profile.
    pub(super) fn of_profile(self) -> profile::Protocol {
        match self {
            Protocol::Duplex => profile::Protocol::Duplex,
            Protocol::WebSocket => profile::Protocol::WebSocket,
            Protocol::SocketIo => profile::Protocol::SocketIo,
            Protocol::Stomp => profile::Protocol::Stomp,
            Protocol::Mqtt => profile::Protocol::Mqtt,
        }
    }
}

/// The values on the command line.
#[derive(Debug, Flags)]
pub(super) struct ServerFlags {
    /// The server's address. With --protocol websocket: any ws:// or wss:// URL, as it is. With --protocol stomp, stomp://
    /// and stomps:// are possible, too. mqtt:// and mqtts:// speak MQTT without --protocol. A user and a password in it are taken out and used to sign in.
    // It may contain a password.
    #[arg(value_name = "URL", value_parser = secret)]
    url: Secret,
    /// The protocol that the server speaks.
    #[arg(long, value_name = "PROTOCOL", default_value = "duplex")]
    protocol: Protocol,
    /// How the messages travel.
    #[arg(long, value_name = "NAME", default_value = "automatic")]
    transport: Transport,
    #[command(flatten)]
    access: Access,
    /// Send this header with the handshake (and with STOMP in its CONNECT), 'Name: value'; may be given several times. (On Linux it is overwritten in the
    /// command line, as a token is.)
    #[arg(long = "header", value_name = "HEADER", value_parser = HeaderParser, help_heading = WEBSOCKET_HELP)]
    header: Vec<Header>,
    /// Offer this subprotocol; may be given several times, the most wanted first. The server must choose one.
    #[arg(long = "subprotocol", value_name = "NAME", help_heading = WEBSOCKET_HELP)]
    subprotocol: Vec<String>,
    /// Recognize chat, people and readings in what is received, as with the other protocols; --map implies it. Messages are sent in the
    /// form in which others' messages come, or as the mapping says.
    #[arg(long, help_heading = WEBSOCKET_HELP)]
    recognize: bool,
    /// Sign in as this user, with the password of --password-file or DUPLEX_PASSWORD: by HTTP's basic authentication, or
    /// with STOMP and MQTT by their own.
    #[arg(long, visible_alias = "login", value_name = "NAME", help_heading = WEBSOCKET_HELP)]
    user: Option<String>,
    /// Subscribe to this destination, or send to it: /topic/chat, '/topic/public -> /app/chat' to send somewhere else,
    /// '/queue/work | x-queue-type: quorum' for further headers. May be given several times with tail.
    #[arg(long = "destination", value_name = "DESTINATION", value_parser = Destination::parse, help_heading = STOMP_HELP)]
    destination: Vec<Destination>,
    /// The virtual host.
    #[arg(long, value_name = "NAME", help_heading = STOMP_HELP)]
    host: Option<String>,
    #[command(flatten)]
    password: PasswordOptions,
    #[command(flatten)]
    socketio: SocketIoFlags,
    #[command(flatten)]
    mqtt: MqttFlags,
}

/// A server of any protocol, for one command.
#[derive(Debug)]
pub(super) struct AnyServer<C>(Server, PhantomData<C>);

/// What one command needs beside an address. Each asks only for flags that it has: clap tells what is unknown only in debug builds.
pub(super) trait Needs {
    /// Fails if something is missing.
    fn check(flags: &ServerFlags, matches: &ArgMatches) -> Result<(), Error>;
}

/// Prints what comes.
#[derive(Debug)]
pub(super) struct ToFollow;
/// Sends something.
#[derive(Debug)]
pub(super) struct ToSend;
/// Looks whether it can be reached: subscribes to nothing, and has no rooms.
#[derive(Debug)]
pub(super) struct ToCheck;

impl Needs for ToFollow {
    fn check(flags: &ServerFlags, _: &ArgMatches) -> Result<(), Error> {
        flags.check_destination()
    }
}

impl Needs for ToSend {
    fn check(flags: &ServerFlags, matches: &ArgMatches) -> Result<(), Error> {
        // Not required by clap where --protocol is given.
        if flags.protocol == Protocol::Duplex && !matches.contains_id("to") && !matches.contains_id("room") {
            let sentence = "--room is needed to send to a Duplex server\n";
            return Err(Error::raw(ErrorKind::MissingRequiredArgument, sentence));
        }
        flags.check_destination()
    }
}

impl Needs for ToCheck {
    fn check(_: &ServerFlags, _: &ArgMatches) -> Result<(), Error> {
        Ok(())
    }
}

impl<C> Deref for AnyServer<C> {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl<C: Needs> Flags for AnyServer<C> {
    fn augment_args(command: Command) -> Command {
        ServerFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        ServerFlags::augment_args_for_update(command)
    }
}

impl<C> DerefMut for AnyServer<C> {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.0
    }
}

impl<C: Needs> FromArgMatches for AnyServer<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let flags = ServerFlags::read(matches)?;
        C::check(&flags, matches)?;
        Ok(AnyServer(flags.server()?, PhantomData))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = AnyServer::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A server with devices: of the Duplex protocol or MQTT.
#[derive(Debug)]
pub(super) struct DeviceServer(Server);

/// A server that speaks MQTT.
#[derive(Debug)]
pub(super) struct BrokerServer(Server);

/// Flags that neither of them has.
const OF_OTHERS: [&str; 9] =
    ["subprotocol", "destination", "host", "namespace", "auth", "auth_file", "map", "transport", "chat"];
/// Flags that are of no use to publish.
const OF_DUPLEX: [&str; 4] = ["token", "token_file", "data_dir", "topic"];

/// Leaves flags out of the help.
fn without(command: Command, names: &[&str]) -> Command {
    names.iter().fold(command, |command, name| command.mut_arg(name, |arg| arg.hide(true)))
}

macro_rules! server_of_some_protocols {
    ($name:ident, $hidden:expr, $protocols:expr, $sentence:literal) => {
        impl Deref for $name {
            type Target = Server;

            fn deref(&self) -> &Server {
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Server {
                &mut self.0
            }
        }

        impl Flags for $name {
            fn augment_args(command: Command) -> Command {
                without(ServerFlags::augment_args(command), &$hidden)
            }

            fn augment_args_for_update(command: Command) -> Command {
                without(ServerFlags::augment_args_for_update(command), &$hidden)
            }
        }

        impl FromArgMatches for $name {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
                let flags = ServerFlags::read(matches)?;
                if !$protocols.contains(&flags.protocol) {
                    return Err(conflict($sentence));
                }
                flags.server().map($name)
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                *self = $name::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

server_of_some_protocols!(
    DeviceServer,
    OF_OTHERS,
    [Protocol::Duplex, Protocol::Mqtt],
    "only Duplex servers and servers that speak MQTT have devices"
);
server_of_some_protocols!(
    BrokerServer,
    [&OF_OTHERS[..], &OF_DUPLEX].concat(),
    [Protocol::Mqtt],
    "topics are of MQTT: give an address with mqtt:// or mqtts://, or ws:// with --protocol mqtt"
);

/// Rejects flags that have no effect with the chosen protocol.
fn check_company(flags: &ServerFlags, matches: &ArgMatches) -> Result<(), Error> {
    let (protocol, recognizes) = (flags.protocol, flags.recognizes());
    let is_given = |name: &str| {
        matches.ids().any(|id| id == name) && matches.value_source(name) == Some(ValueSource::CommandLine)
    };
    if recognizes && is_given("hex") {
        return Err(conflict("--hex sends bytes as they are and can't be used with --recognize or --map"));
    }
    if recognizes && is_given("no_reconnect") {
        return Err(conflict("--no-reconnect can't be used with --recognize or --map"));
    }
    let out_of_place = |(names, protocols): &&(&[&'static str], &'static [Protocol])| {
        // Then there are rooms and devices as with Socket.IO.
        let fits = protocols.contains(&protocol) || recognizes && protocols.contains(&Protocol::Stomp);
        !fits && names.iter().any(|name| is_given(name))
    };
    let Some((names, protocols)) = NOT_FOR_ALL.iter().find(out_of_place) else { return Ok(()) };
    let name = names.iter().find(|name| is_given(name)).copied().unwrap_or_default();
    let (flag, given) = (format!("--{}", name.replace('_', "-")), protocol.name());
    let sentence = match protocols.contains(&Protocol::Duplex) {
        true => format!("{flag} can't be used with --protocol {given}: it is for Duplex servers"),
        false => {
            let names: Vec<_> = protocols.iter().map(|protocol| protocol.name()).collect();
            format!("{flag} can only be used with --protocol {}", names.join(" or "))
        }
    };
    Err(conflict(&sentence))
}

fn conflict(sentence: &str) -> Error {
    Error::raw(ErrorKind::ArgumentConflict, format!("{}\n", print::harmless(sentence)))
}

impl ServerFlags {
    /// Reads the flags. The scheme names the protocol where no flag does.
    fn read(matches: &ArgMatches) -> Result<ServerFlags, Error> {
        let mut flags = ServerFlags::from_arg_matches(matches)?;
        let is_named = matches.value_source("protocol") == Some(ValueSource::CommandLine);
        if !is_named && is_mqtt(flags.url.reveal().trim()) {
            flags.protocol = Protocol::Mqtt;
        }
        check_company(&flags, matches)?;
        Ok(flags)
    }

    /// Whether messages and readings of a plain WebSocket are recognized.
    fn recognizes(&self) -> bool {
        self.protocol == Protocol::WebSocket && (self.recognize || self.socketio.has_mapping())
    }

    fn check_destination(&self) -> Result<(), Error> {
        match self.protocol == Protocol::Stomp && self.destination.is_empty() {
            true => Err(conflict("--protocol stomp needs a destination: --destination /topic/chat")),
            false => Ok(()),
        }
    }

    fn server(mut self) -> Result<Server, Error> {
        let not_of = |protocol: Protocol, transport: Transport| {
            let (transport, protocol) = (transport.name(), protocol.name());
            conflict(&format!("--transport {transport} can't be used with --protocol {protocol}"))
        };
        if self.protocol == Protocol::SocketIo {
            let carriers = self.transport.carriers();
            self.socketio.carriers = carriers.ok_or_else(|| not_of(self.protocol, self.transport))?;
        }
        let text = self.url.reveal();
        let bad = |why: &str| privacy::bad_address("<URL>", text, why);
        if self.protocol == Protocol::Duplex {
            let url = privacy::whole_address(text).map_err(|why| bad(&why))?;
            let route = self.transport.route().ok_or_else(|| not_of(self.protocol, self.transport))?;
            return Ok(Server { url, access: self.access, websocket: None, route, any_protocol: true });
        }
        let read = match self.protocol {
            Protocol::SocketIo => socketio_url,
            Protocol::Stomp => stomp_url,
            Protocol::Mqtt => mqtt_url,
            _ => websocket_url,
        };
        let (url, userinfo) = address(text, read).map_err(|why| bad(&why))?;
        let (protocol, recognize) = (self.protocol, self.recognizes());
        let stomp = StompOptions { host: self.host.unwrap_or_default(), destinations: self.destination };
        let flags = Flagged {
            userinfo,
            headers: self.header,
            subprotocols: self.subprotocol,
            user: self.user,
            stomp,
            recognize,
            socketio: self.socketio,
            mqtt: self.mqtt,
        };
        let websocket =
            WebSocket::new(protocol, flags, self.password).map_err(|sentence| conflict(&sentence))?;
        let (websocket, route) = (Some(websocket), RouteChoice::Automatic);
        Ok(Server { url, access: self.access, websocket, route, any_protocol: true })
    }
}

/// Parses a plain WebSocket's address. A fingerprint may follow, as in an invite: `#sha256=…`.
fn address(
    text: &str,
    read: fn(&str) -> Result<String, BadAddress>,
) -> Result<(Address, Option<Userinfo>), String> {
    let mut text = text.trim().to_owned();
    let userinfo = take_userinfo(&mut text);
    let sentence = |bad: BadAddress| bad.to_string();
    let is_word = privacy::is_word(&text);
    let (url, fingerprint) = match text.split_once('#') {
        Some((url, fragment)) if fragment.starts_with("sha256=") && !fragment.contains('&') => {
            let fingerprint = Address::parse(&text).map_err(sentence)?.fingerprint;
            (read(url).map_err(sentence)?, fingerprint)
        }
        _ => (read(&text).map_err(sentence)?, None),
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

/// What was given for a server that is not a Duplex server.
struct Flagged {
    userinfo: Option<Userinfo>,
    headers: Vec<Header>,
    subprotocols: Vec<String>,
    user: Option<String>,
    stomp: StompOptions,
    recognize: bool,
    socketio: SocketIoFlags,
    mqtt: MqttFlags,
}

/// How to open a WebSocket of another server than Duplex's.
#[derive(Debug)]
pub(super) struct WebSocket {
    protocol: Protocol,
    stomp: StompOptions,
    subprotocols: Vec<String>,
    headers: Vec<Header>,
    /// May be empty.
    user: String,
    /// Whether a user was given, or a password in the address.
    signs_in: bool,
    password_of_address: Option<Secret>,
    password: PasswordOptions,
    /// Of a plain WebSocket: whether messages and readings are recognized.
    recognize: bool,
    socketio: SocketIoFlags,
    mqtt: MqttFlags,
    /// Of MQTT: whether to subscribe to nothing.
    is_deaf: bool,
}

impl WebSocket {
    fn new(protocol: Protocol, flags: Flagged, password: PasswordOptions) -> Result<WebSocket, String> {
        let Flagged { userinfo, headers, subprotocols, user, stomp, recognize, socketio, mqtt } = flags;
        stomp.check().map_err(|bad| bad.to_string())?;
        mqtt.options().map_err(|bad| bad.to_string())?;
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
        let authorization = match protocol {
            // Signing in is not HTTP's.
            Protocol::Stomp | Protocol::Mqtt => http::HeaderValue::from_static(""),
            _ => upgrade::basic(&user, &of_address).map_err(unfit)?,
        };
        let mut all = Vec::new();
        if signs_in && !matches!(protocol, Protocol::Stomp | Protocol::Mqtt) {
            all.push((http::header::AUTHORIZATION, authorization));
        }
        for Header { name, value } in &headers {
            all.push(upgrade::header(name, value.reveal()).map_err(unfit)?);
        }
        upgrade::check_headers(&all).map_err(unfit)?;
        upgrade::check_subprotocols(&subprotocols).map_err(unfit)?;
        Ok(WebSocket {
            protocol,
            stomp,
            recognize,
            socketio,
            mqtt,
            is_deaf: false,
            subprotocols,
            headers,
            user,
            signs_in,
            password_of_address,
            password,
        })
    }

    /// The protocol.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Whether messages are frames, as they come.
    pub(super) fn has_frames(&self) -> bool {
        self.protocol == Protocol::WebSocket && !self.recognize
    }

    /// Of STOMP: replaces the destinations by one.
    pub(super) fn send_only_to(&mut self, destination: Destination) {
        self.stomp.destinations = vec![destination];
    }

    /// Of MQTT: the flags.
    pub(super) fn mqtt(&self) -> &MqttFlags {
        &self.mqtt
    }

    /// Of MQTT: subscribes to nothing.
    pub(super) fn listen_to_nothing(&mut self) {
        self.is_deaf = true;
    }

    /// Of STOMP: the destinations.
    pub(super) fn destinations(&self) -> &[Destination] {
        &self.stomp.destinations
    }

    /// Whether the password is read from standard input, which is then not available for anything else.
    pub(super) fn takes_standard_input(&self) -> bool {
        self.password.takes_standard_input()
    }

    /// The non-secret part.
    pub(super) fn options(&self) -> Result<WebSocketOptions, Failure> {
        let unfit = |bad: crate::model::mqtt::BadTopic| Failure::new(Exit::Failed, bad.to_string());
        let mut mqtt = match self.protocol {
            Protocol::Mqtt => self.mqtt.options().map_err(unfit)?,
            _ => MqttOptions::default(),
        };
        mqtt.is_deaf = self.is_deaf;
        let options = WebSocketOptions {
            mqtt: Box::new(mqtt),
            socketio: self.socketio.options(),
            recognize: self.recognize,
            mapping: self.socketio.mapping()?,
            subprotocols: self.subprotocols.clone(),
            headers: self.headers.iter().map(|header| header.name.clone()).collect(),
            user: self.user.clone(),
            stomp: self.stomp.clone(),
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
        let auth = self.socketio.auth()?;
        let login = Login { password, headers: headers.collect(), auth };
        let Some(host) = unencrypted_host(url).filter(|_| self.signs_in || !login.is_empty()) else {
            return Ok(login);
        };
        let host = print::harmless(host);
        let (plain, encrypted) = match (is_stream(url), is_mqtt(url)) {
            (true, true) => ("mqtt://", "mqtts://"),
            (true, false) => ("stomp://", "stomps://"),
            (false, _) => ("ws://", "wss://"),
        };
        if !access.insecure {
            let sentence = format!(
                "{host} is another computer, and {plain} is not encrypted: the password, the headers and all messages can be \
                 read on the way. Use {encrypted}, or --insecure to send them all the same"
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
            let (address, userinfo) = address(&text.replace("FP", &fingerprint), websocket_url).unwrap();
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
            assert!(address(&bad.replace("FP", &fingerprint), websocket_url).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_header_is_said_without_its_value() {
        assert!(header("X-Key: hunter2").is_ok_and(|header| header.name == "X-Key"));
        for bad in ["hunter2", "Host: hunter2", "X Y: hunter2", "X: hunter2\r\nY: z", ": hunter2"] {
            assert!(header(bad).is_err_and(|why| !why.contains("hunter2")), "{bad}");
        }
    }

    #[test]
    fn stomp_needs_a_destination_unless_the_connection_is_only_checked() {
        use crate::cli::args::Args;
        use clap::Parser;
        let read = |words: &[&str]| Args::try_parse_from([&["duplexctl"], words].concat());
        let server = ["ws://a.example/ws", "--protocol", "stomp"];
        assert!(read(&[&["doctor"], &server[..]].concat()).is_ok());
        let error = read(&[&["tail"], &server[..]].concat()).unwrap_err().to_string();
        assert!(error.contains("--destination"), "{error}");
        assert!(read(&[&["tail"], &server[..], &["--destination", "/topic/chat"]].concat()).is_ok());
    }
}
