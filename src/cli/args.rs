//! The commands and their flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, OsStr, Resettable};
use clap::{Args as Flags, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::proxy::ProxyParser;
use super::socketio::SOCKETIO_HELP;
use super::transport::route;
use super::websocket::{
    AnyServer, BrokerServer, DeviceServer, Protocol, ToCheck, ToFollow, ToSend, WEBSOCKET_HELP, WebSocket,
};
use super::{Exit, Failure, help, print, values};
use crate::hub::IpNet;
use crate::model::id::Offset;
use crate::model::profile::{ClientCertificate, NetworkOptions, Secret};
use crate::model::stomp::Destination;
use crate::model::time::WallMs;
use crate::model::{Address, DeviceId, FileId, MessageId, MetricName, Role, RoomId, RouteChoice};
use crate::privacy::{self, AddressParser, TokenOptions};

/// Duplex on the console: a hub, invites, devices, and chat for scripts.
#[derive(Debug, Parser)]
#[command(name = "duplexctl", version)]
pub(super) struct Args {
    /// Print more about what happens.
    #[arg(short, long, global = true, env = "DUPLEX_VERBOSE", value_parser = FalseyValueParser::new())]
    pub(super) verbose: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Args {
    /// Parses the command line and the environment, or exits with an error. Empty variables of a hub count as unset, as
    /// containers and systemd files often set them empty.
    pub(super) fn read() -> Args {
        let is_empty =
            |arg: &clap::Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        let unset = |arg: clap::Arg| if is_empty(&arg) { arg.env(Resettable::<OsStr>::Reset) } else { arg };
        let mut command = help::command().mut_subcommand("hub", |hub| hub.mut_args(unset));
        let read = command
            .try_get_matches_from_mut(std::env::args_os())
            .and_then(|matches| Args::from_arg_matches(&matches).map_err(|error| error.with_cmd(&command)));
        read.unwrap_or_else(|error| privacy::end_with(&error))
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a hub until it is stopped; or check, repair or copy what one keeps.
    Hub(Hub),
    /// Create a single-use invite to a hub, list invites, or revoke one.
    Invite(Invite),
    /// Everybody at a server; or people with a token at a hub: list, rename, remove, change the role, replace the token.
    People(PeopleAt),
    /// Rooms: make, list, rename, describe, archive, join, leave, invite.
    #[command(subcommand)]
    Room(Room),
    /// Print messages as they arrive, each once, reconnecting after outages.
    Tail(Tail),
    /// Send one message, and exit once it is on the server's disk; or, with --protocol websocket, once it was sent.
    Send(Send),
    /// Files: send one into a room, or get one.
    #[command(subcommand)]
    File(File),
    /// Add an emoji to a message, or take it back.
    React(React),
    /// Replace the text of a message of your own.
    Edit(EditMessage),
    /// Delete a message: your own, or as an admin anybody's.
    Delete(DeleteMessage),
    /// Publish this computer's readings as a device until stopped, reconnecting after outages.
    Agent(Agent),
    /// Set a property of a device, and report the result.
    #[command(name = "command")]
    Set(Set),
    /// Wait for a value of a device's metric, print it and exit.
    ReadOne(ReadOne),
    /// Publish a message on a topic of a server that speaks MQTT.
    Publish(Publish),
    /// Devices with their own token at a hub: add, list, rename, remove, replace the token.
    #[command(subcommand)]
    Device(Device),
    /// Tokens with which other programs post messages into a room of the hub on this computer.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Addresses that the hub on this computer calls when somebody is mentioned while none of their apps is connected.
    #[command(subcommand)]
    Notify(NotifyCommand),
    /// Write what a hub keeps, messages and readings, into a file, whether the hub runs or not.
    Export(Export),
    /// Take an export into a hub that is stopped. What is there already is not taken in twice.
    Import(Import),
    /// Check the connection to a server: what works, what is in the way, and how fast each transport is.
    Doctor(Doctor),
    /// Check whether a hub is healthy, for containers and monitoring.
    Health(Health),
    /// Write manual pages and shell completions, as packages ship them.
    #[command(hide = true)]
    Generate {
        /// The `share` folder to write below.
        #[arg(value_name = "DIR")]
        share: PathBuf,
    },
}

#[derive(Debug, Flags)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Hub {
    #[command(subcommand)]
    pub(super) upkeep: Option<Upkeep>,
    /// Where to listen. Listening beyond this computer requires TLS.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7870", env = "DUPLEX_HUB_LISTEN", value_parser = values::listen)]
    pub(super) listen: SocketAddr,
    /// The data directory.
    #[arg(long, value_name = "DIR", env = "DUPLEX_HUB_DATA_DIR", value_parser = values::dir)]
    pub(super) data_dir: Option<PathBuf>,
    /// The hub's name, as people see it.
    #[arg(long, env = "DUPLEX_HUB_NAME", value_parser = values::title)]
    pub(super) name: Option<String>,
    /// Its certificate, a PEM file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "tls_self_signed",
        env = "DUPLEX_HUB_TLS_CERT",
        value_parser = values::file
    )]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "DUPLEX_HUB_TLS_KEY", value_parser = values::file)]
    pub(super) tls_key: Option<PathBuf>,
    /// Create a certificate; invites carry its fingerprint.
    #[arg(long, env = "DUPLEX_HUB_TLS_SELF_SIGNED", value_parser = FalseyValueParser::new())]
    pub(super) tls_self_signed: bool,
    /// Announce the hub's name and address on the local network (mDNS), where the app lists it under "Add connection". Needs
    /// TLS.
    #[arg(long, env = "DUPLEX_HUB_ANNOUNCE", value_parser = FalseyValueParser::new())]
    pub(super) announce: bool,
    /// Allow listening beyond this computer without TLS: anyone on the network can read tokens and messages.
    #[arg(long, env = "DUPLEX_HUB_INSECURE", value_parser = FalseyValueParser::new())]
    pub(super) insecure: bool,
    /// A host name that clients may call this hub by; may be given several times.
    #[arg(long = "allow-host", value_name = "HOST", env = "DUPLEX_HUB_ALLOW_HOST", value_delimiter = ',', value_parser = values::host)]
    pub(super) allow_host: Vec<String>,
    /// The origin of a web page that may connect; may be given several times.
    #[arg(
        long = "allow-origin",
        value_name = "ORIGIN",
        env = "DUPLEX_HUB_ALLOW_ORIGIN",
        value_delimiter = ',',
        value_parser = values::origin
    )]
    pub(super) allow_origin: Vec<String>,
    /// A reverse proxy, by its address or network (10.0.0.0/8), that is believed when it says in Forwarded or
    /// X-Forwarded-For for whom it asks; may be given several times. Without it these headers are ignored.
    #[arg(
        long = "trusted-proxy",
        value_name = "CIDR",
        env = "DUPLEX_HUB_TRUSTED_PROXY",
        value_delimiter = ',',
        value_parser = values::network
    )]
    pub(super) trusted_proxy: Vec<IpNet>,
    /// Begin a new, empty log where that of a hub which lived here is missing or damaged.
    #[arg(long, env = "DUPLEX_HUB_NEW_LOG", value_parser = FalseyValueParser::new())]
    pub(super) new_log: bool,
    /// How long readings are gathered before they are written, 10s to 10m: longer spares an SD card, and a crash or a power
    /// failure loses at most this much of them. Messages are always written at once.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "60s",
        env = "DUPLEX_HUB_WRITE_READINGS_EVERY",
        value_parser = values::write_every
    )]
    pub(super) write_readings_every: Duration,
    /// Send everything uncompressed. Otherwise what is long enough is compressed, with up to a tenth of a processor core: this
    /// spares a weak processor, at the cost of about four times as much traffic when messages are loaded.
    #[arg(long, env = "DUPLEX_HUB_NO_COMPRESSION", value_parser = FalseyValueParser::new())]
    pub(super) no_compression: bool,
    #[command(flatten)]
    pub(super) limits: super::limits::LimitFlags,
}

/// Maintenance of a hub's data.
#[derive(Debug, Subcommand)]
pub(super) enum Upkeep {
    /// Check all of a hub's data, whether it runs or not. Changes nothing.
    ///
    /// Reads every page, every table, and every entry of the log.
    Check {
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// Recover what can be read of a damaged log into a new one. Stop the hub first.
    ///
    /// The damaged file is kept. Messages keep their order and get new offsets without gaps. Clients treat the log as a new
    /// one and keep what they have.
    Repair {
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// Copy all of a hub's data into a new directory, whether it runs or not, and check the copy.
    ///
    /// The copy contains the admin's token, so only you can read it.
    Backup {
        /// A directory that doesn't exist yet, or is empty.
        #[arg(value_name = "DIR", value_parser = values::dir)]
        to: PathBuf,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
}

/// Which hub to ask: that of this computer, whether it runs or not; or one elsewhere, as an admin.
#[derive(Debug, Flags)]
pub(super) struct At {
    /// The address of another hub, which needs an admin's token; by default the hub on this computer.
    #[arg(long, value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Option<Address>,
    #[command(flatten)]
    pub(super) access: Access,
}

#[derive(Debug, Flags)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Invite {
    #[command(subcommand)]
    pub(super) what: Option<InviteCommand>,
    /// The address in the invite, as the guest reaches it; by default the one the hub listens on. With --token, the hub at
    /// that address creates the invite.
    #[arg(long, value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Option<Address>,
    /// How long it is valid: a number with s, m, h or d, up to 366d.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = values::duration)]
    pub(super) expires: Duration,
    /// What the person who uses it may do.
    #[arg(long, value_name = "ROLE", default_value = "operator")]
    pub(super) role: PersonRole,
    /// The person who uses it becomes an admin: the same as --role admin.
    #[arg(long)]
    pub(super) admin: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyCommand {
    /// Have an address called for the mentions of a person.
    Add {
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
        /// The address: of a webhook, of an ntfy topic, or of Gotify with its token.
        #[arg(value_name = "URL")]
        url: String,
        /// What listens there.
        #[arg(long, value_name = "KIND", default_value = "webhook")]
        kind: NotifyKind,
        /// Send the text of the message along; otherwise only the room and who wrote it. Needs https.
        #[arg(long)]
        with_text: bool,
        /// Allow an address of this computer or of a local network.
        #[arg(long)]
        allow_local: bool,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// Stop calling an address.
    Remove {
        /// Its id, as `notify list` shows it.
        #[arg(value_name = "ID")]
        id: String,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// List the addresses: id, whose, kind and host.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
}

/// What listens at an address.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum NotifyKind {
    /// Gets a JSON object by POST.
    Webhook,
    /// A topic of ntfy.
    Ntfy,
    /// Gotify: its /message with the token of an application.
    Gotify,
}

#[derive(Debug, Flags)]
pub(super) struct Export {
    /// The hub's data directory; by default that of the hub on this computer.
    #[arg(long, value_name = "DIR", value_parser = values::dir)]
    pub(super) data_dir: Option<PathBuf>,
    /// Only this room, by id or name; may be given several times.
    #[arg(long, value_name = "ROOM", value_parser = values::who)]
    pub(super) room: Vec<String>,
    /// From this moment on: a date, or a time such as 2026-11-03T14:00.
    #[arg(long, value_name = "TIME", value_parser = super::archive::moment)]
    pub(super) from: Option<WallMs>,
    /// Before this moment.
    #[arg(long, value_name = "TIME", value_parser = super::archive::moment)]
    pub(super) to: Option<WallMs>,
    /// Leave the other out.
    #[arg(long, value_name = "WHAT")]
    pub(super) only: Option<ExportOnly>,
    /// The format. Only JSON Lines can be imported.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    pub(super) format: ExportFormat,
    /// The file, which must not exist yet; by default the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// What to export alone.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportOnly {
    /// Messages, and what else is in the log.
    Messages,
    /// Readings of devices.
    Readings,
}

/// How to write an export.
#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// JSON Lines: everything.
    Jsonl,
    /// A table for spreadsheets.
    Csv,
}

#[derive(Debug, Flags)]
pub(super) struct Import {
    /// An export in JSON Lines; - for the standard input.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The hub's data directory, created if there is none; by default that of `duplexctl hub` on this computer.
    #[arg(long, value_name = "DIR", value_parser = values::dir)]
    pub(super) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum InviteCommand {
    /// List all invites, newest first: who created them, when they expire, who used them.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Revoke an invite.
    Remove {
        /// Its id, as the list has it.
        #[arg(value_name = "ID", value_parser = values::who)]
        id: String,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum People {
    /// List everybody with access: id, kind, whether connected, name.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Rename a person.
    Rename {
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
        /// The new name: 1 to 64 characters.
        #[arg(value_name = "NAME", value_parser = values::person)]
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// Remove a person's access: they are signed out at once and their token stops working. Their messages stay.
    Remove {
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
        #[command(flatten)]
        at: At,
    },
    /// Change what a person may do.
    Role {
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
        /// The new role.
        #[arg(value_name = "ROLE")]
        role: PersonRole,
        #[command(flatten)]
        at: At,
    },
    /// A person's token.
    #[command(subcommand)]
    Token(PeopleToken),
}

/// What a person may do.
#[derive(Copy, Clone, Debug, ValueEnum)]
pub(super) enum PersonRole {
    /// Reads only.
    Guest,
    /// Chats.
    Member,
    /// Chats, and gives commands to devices.
    #[value(alias = "person")]
    Operator,
    /// Does everything, and decides who comes in.
    Admin,
}

impl PersonRole {
    pub(super) fn role(self) -> Role {
        match self {
            PersonRole::Guest => Role::Guest,
            PersonRole::Member => Role::Member,
            PersonRole::Operator => Role::Operator,
            PersonRole::Admin => Role::Admin,
        }
    }
}

/// Everybody at a server, or administration of who has access to a hub.
#[derive(Debug, Flags)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PeopleAt {
    #[command(subcommand)]
    pub(super) what: Option<People>,
    /// The server: lists everybody there, with whether they are connected and what they say of themselves.
    #[arg(value_name = "URL", required = true, value_parser = AddressParser)]
    pub(super) url: Option<Address>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

/// Rooms of a server.
#[derive(Debug, Subcommand)]
pub(super) enum Room {
    /// Make a room, and print its id.
    Make {
        #[command(flatten)]
        at: ServerAt,
        /// Its name: 1 to 64 characters.
        #[arg(value_name = "NAME")]
        name: String,
        /// What it is about.
        #[arg(long, value_name = "TEXT")]
        topic: Option<String>,
        /// Only its members see it; you are one.
        #[arg(long)]
        private: bool,
        /// Somebody who is to be a member, by id or name. Can be given several times.
        #[arg(long, value_name = "PERSON", requires = "private")]
        member: Vec<String>,
    },
    /// List the rooms: id, name, topic.
    List {
        #[command(flatten)]
        at: ServerAt,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Give a room another name.
    Rename {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
        /// The new name: 1 to 64 characters.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Say what a room is about; an empty text takes the topic away.
    Topic {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
        /// The topic: at most 250 characters.
        #[arg(value_name = "TEXT")]
        topic: String,
    },
    /// Archive a room: it stays readable and takes no new messages.
    Archive {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
        /// Take it out of the archive again.
        #[arg(long)]
        undo: bool,
    },
    /// Become a member of a room again.
    Join {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
    },
    /// Leave a room: the app no longer lists it among yours.
    Leave {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
    },
    /// Make somebody a member of a room again.
    Invite {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
    },
    /// Take somebody out of a private room.
    Remove {
        #[command(flatten)]
        at: ServerAt,
        /// Its id, or its name.
        #[arg(value_name = "ROOM")]
        room: String,
        /// Whom: their id, or a name that only one person has.
        #[arg(value_name = "PERSON")]
        who: String,
    },
}

/// The server that a command asks, and how long it waits.
#[derive(Debug, Flags)]
pub(super) struct ServerAt {
    /// The server, as the app shows it: ws:// or wss://.
    #[arg(value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Address,
    /// How long to wait for an answer: a number with s, m or h.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = values::duration)]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) access: Access,
}

impl ServerAt {
    pub(super) fn server(self) -> (Server, Duration) {
        (Server::duplex(self.url, self.access), self.timeout)
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum PeopleToken {
    /// Replace a person's token and print the new one. They are signed out, and the old token stops working.
    Rotate {
        /// An id, or a name that only one person has.
        #[arg(value_name = "WHO", value_parser = values::who)]
        who: String,
        #[command(flatten)]
        at: At,
    },
}

/// How to sign in at a server. Your own hub on this computer needs no token.
#[derive(Debug, Flags)]
pub(super) struct Access {
    #[command(flatten)]
    pub(super) token: TokenOptions,
    /// Allow ws:// to another computer: anyone on the network can read the token and all messages.
    #[arg(long)]
    pub(super) insecure: bool,
    /// The data directory of your own hub on this computer.
    #[arg(long, value_name = "DIR", value_parser = values::dir)]
    pub(super) data_dir: Option<PathBuf>,
    /// A CA certificate to trust for this server, a PEM file.
    #[arg(long, value_name = "FILE", value_parser = values::file)]
    pub(super) ca_file: Option<PathBuf>,
    /// Show this certificate to a server that asks for one: a PEM file, with the certificates of its authorities after it.
    #[arg(long, value_name = "FILE", value_parser = values::file)]
    pub(super) client_cert: Option<PathBuf>,
    /// The private key of --client-cert, a PEM file; by default in the same file.
    #[arg(long, value_name = "FILE", value_parser = values::file, requires = "client_cert")]
    pub(super) client_key: Option<PathBuf>,
    /// Connect through this proxy: http://host:port or socks5://host:port, with user:password@ before the host if it asks for
    /// them; or none. By default as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, or else the system. (On Linux a
    /// password is overwritten in the command line.)
    #[arg(long, value_name = "URL|none", value_parser = ProxyParser)]
    pub(super) proxy: Option<NetworkOptions>,
}

impl Access {
    /// How the server is reached.
    pub(super) fn network(&self) -> NetworkOptions {
        let certificate = self.client_cert.clone();
        let own =
            certificate.map(|certificate| ClientCertificate { certificate, key: self.client_key.clone() });
        NetworkOptions { client_certificate: own, ..self.proxy.clone().unwrap_or_default() }
    }

    /// The token from the option or environment; `None` if none was given.
    pub(super) fn token(&self) -> Result<Option<Secret>, Failure> {
        self.token.read().map_err(|error| Failure::new(Exit::Failed, print::harmless(&error.to_string())))
    }

    /// Fails if a token or invite would be sent to another computer without encryption. With --insecure it only warns.
    pub(super) fn check_encrypted(&self, url: &str) -> Result<(), Failure> {
        match privacy::check_encrypted(url, self.insecure) {
            Ok(None) => Ok(()),
            Ok(Some(warning)) => {
                print::error(&warning);
                Ok(())
            }
            Err(error) => Err(Failure::new(Exit::Refused, print::harmless(&error.to_string()))),
        }
    }
}

/// The server and its credentials.
#[derive(Debug, Flags)]
pub(super) struct Server {
    /// The server's address.
    #[arg(value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Address,
    #[command(flatten)]
    pub(super) access: Access,
    /// How to open the socket of a server that is not Duplex's.
    #[arg(skip)]
    pub(super) websocket: Option<WebSocket>,
    /// With a Duplex server: how its frames travel.
    #[arg(skip)]
    pub(super) route: RouteChoice,
    /// Whether the command supports other protocols.
    #[arg(skip)]
    pub(super) any_protocol: bool,
}

impl Server {
    /// A Duplex server; other protocols are not supported.
    pub(super) fn duplex(url: Address, access: Access) -> Server {
        Server { url, access, websocket: None, route: RouteChoice::Automatic, any_protocol: false }
    }

    /// Whether messages are frames, as they come.
    pub(super) fn has_frames(&self) -> bool {
        self.websocket.as_ref().is_some_and(WebSocket::has_frames)
    }

    /// Whether it is a plain WebSocket.
    pub(super) fn is_socket(&self) -> bool {
        self.websocket.as_ref().is_some_and(|websocket| websocket.protocol() == Protocol::WebSocket)
    }

    /// Replaces the destinations of STOMP by one.
    pub(super) fn send_only_to(&mut self, destination: Destination) {
        if let Some(websocket) = &mut self.websocket {
            websocket.send_only_to(destination);
        }
    }

    /// Whether it speaks MQTT.
    pub(super) fn is_broker(&self) -> bool {
        self.websocket.as_ref().is_some_and(|websocket| websocket.protocol() == Protocol::Mqtt)
    }

    /// Of MQTT: subscribes to nothing but its own answers.
    pub(super) fn listen_to_nothing(&mut self) {
        if let Some(websocket) = &mut self.websocket {
            websocket.listen_to_nothing();
        }
    }

    /// The destinations of STOMP; none for another protocol.
    pub(super) fn destinations(&self) -> &[Destination] {
        self.websocket.as_ref().map_or(&[], WebSocket::destinations)
    }
}

#[derive(Debug, Flags)]
pub(super) struct Tail {
    // First, because it checks which of the other flags were given.
    #[command(flatten)]
    pub(super) server: AnyServer<ToFollow>,
    /// Only this room, by its name or id.
    #[arg(long, value_parser = values::room)]
    pub(super) room: Option<RoomId>,
    /// Print one JSON object per line.
    #[arg(long)]
    pub(super) json: bool,
    /// Exit after this many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Start after this offset; 0 is the beginning. By default, only new messages are printed.
    #[arg(long, value_name = "OFFSET")]
    pub(super) since: Option<Offset>,
    /// Only this device. Without --json, readings are printed only for a device named here.
    #[arg(long, value_name = "ID", value_parser = values::device)]
    pub(super) device: Option<DeviceId>,
    /// Don't print readings; the status of devices is still printed.
    #[arg(long)]
    pub(super) no_readings: bool,
    /// Don't print messages.
    #[arg(long, conflicts_with_all = ["room", "count", "since"])]
    pub(super) no_messages: bool,
    /// Exit when the connection ends, instead of reconnecting.
    #[arg(long, help_heading = WEBSOCKET_HELP)]
    pub(super) no_reconnect: bool,
}

#[derive(Debug, Flags)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Agent {
    #[command(subcommand)]
    pub(super) service: Option<AgentService>,
    /// The server's address.
    #[arg(long, value_name = "URL", value_parser = AddressParser, required = true)]
    pub(super) url: Option<Address>,
    /// How the readings travel: automatic, or only by websocket, sse, stream, longpoll or poll.
    #[arg(long, value_name = "NAME", default_value = "automatic", value_parser = route)]
    pub(super) transport: RouteChoice,
    #[command(flatten)]
    pub(super) access: Access,
    /// The device's name for people; by default this computer's name.
    #[arg(long, env = "DUPLEX_AGENT_NAME", value_parser = values::title)]
    pub(super) name: Option<String>,
    /// The device's id; by default made from this computer's name. A device's token has its own.
    #[arg(long, env = "DUPLEX_AGENT_ID", value_parser = values::device)]
    pub(super) id: Option<DeviceId>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AgentService {
    /// Make this computer a device permanently: a systemd service that runs now and after each start. As root, on Linux.
    Install(Box<AgentInstall>),
    /// Stop that service, and remove what install wrote.
    Uninstall(AgentPlace),
    /// Whether the services that install made are running.
    Status(AgentRoot),
}

#[derive(Debug, Flags)]
pub(super) struct AgentInstall {
    /// The server's address.
    #[arg(long, value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Address,
    /// Read the device's token from this file instead of standard input. A file that others may read is refused.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(super) token_file: PathBuf,
    /// Allow ws:// to another computer: anyone on the network can read the token and all messages.
    #[arg(long)]
    pub(super) insecure: bool,
    /// A CA certificate to trust for this server, a PEM file. It is copied.
    #[arg(long, value_name = "FILE", value_parser = values::file)]
    pub(super) ca_file: Option<PathBuf>,
    /// How the readings travel: automatic, or only by websocket, sse, stream, longpoll or poll.
    #[arg(long, value_name = "NAME", default_value = "automatic", value_parser = route)]
    pub(super) transport: RouteChoice,
    /// Connect through this proxy: http://host:port or socks5://host:port, with user:password@ before the host if it asks for
    /// them; or none. The service doesn't know this shell's HTTPS_PROXY. (On Linux a password is overwritten in the command
    /// line.)
    #[arg(long, value_name = "URL|none", value_parser = ProxyParser)]
    pub(super) proxy: Option<NetworkOptions>,
    /// The device's name for people; by default this computer's name.
    #[arg(long, value_parser = values::title)]
    pub(super) name: Option<String>,
    /// The device's id; by default made from this computer's name. A device's token has its own.
    #[arg(long, value_parser = values::device)]
    pub(super) id: Option<DeviceId>,
    #[command(flatten)]
    pub(super) place: AgentPlace,
}

#[derive(Debug, Flags)]
pub(super) struct AgentPlace {
    /// Name of the service, which is duplex-agent@NAME: one for each server that this computer reports to.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = values::service)]
    pub(super) service: String,
    #[command(flatten)]
    pub(super) root: AgentRoot,
}

#[derive(Debug, Flags)]
pub(super) struct AgentRoot {
    /// Where the system's files are; for tests.
    #[arg(long, value_name = "DIR", default_value = "/", hide = true)]
    pub(super) root: PathBuf,
}

#[derive(Debug, Flags)]
pub(super) struct ReadOne {
    #[command(flatten)]
    pub(super) server: DeviceServer,
    /// The device's id, or its name if only one is called so.
    #[arg(value_name = "DEVICE", value_parser = values::device)]
    pub(super) device: DeviceId,
    /// The metric.
    #[arg(value_name = "METRIC", value_parser = values::device)]
    pub(super) metric: MetricName,
    /// Print a JSON object.
    #[arg(long)]
    pub(super) json: bool,
    /// How long to wait, including connecting: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct Publish {
    #[command(flatten)]
    pub(super) server: BrokerServer,
    /// The topic, without wildcards.
    #[arg(id = "to_topic", value_name = "TOPIC")]
    pub(super) topic: String,
    /// The message; - for standard input. An empty one with --retain clears what the server keeps.
    #[arg(value_name = "PAYLOAD", allow_hyphen_values = true)]
    pub(super) payload: String,
    /// How surely it is delivered: 0, at most once and unconfirmed; 1, at least once; 2, exactly once.
    #[arg(long, value_name = "QOS", default_value = "1", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(super) qos: u8,
    /// Have the server keep it for those who subscribe later.
    #[arg(long)]
    pub(super) retain: bool,
    /// Send bytes: the payload is their hexadecimal digits, with blanks wherever you like.
    #[arg(long)]
    pub(super) hex: bool,
    /// How long to keep trying: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct Set {
    #[command(flatten)]
    pub(super) server: DeviceServer,
    /// The device's id, or its name if only one is called so.
    #[arg(value_name = "DEVICE", value_parser = values::device)]
    pub(super) device: DeviceId,
    /// The property to set.
    #[arg(value_name = "PROPERTY", value_parser = values::device)]
    pub(super) property: MetricName,
    /// The new value: a number, true, false, or text.
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) value: String,
    /// How long to wait, including connecting: a number with s, m, h or d. A device has 30 s to answer.
    #[arg(long, value_name = "TIME", default_value = "40s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Subcommand)]
pub(super) enum Device {
    /// Give a device a token and print it. A token it had before stops working.
    Add {
        /// The device's id: 1 to 64 characters.
        #[arg(value_name = "ID", value_parser = values::device)]
        id: DeviceId,
        /// Its name for people.
        #[arg(long, value_parser = values::title)]
        name: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Remove a device's token: it is disconnected at once. Its readings stay.
    Remove {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = values::device)]
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
    /// Rename a device. A name that the device announces itself takes precedence.
    Rename {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = values::device)]
        id: DeviceId,
        /// The new name: 1 to 128 characters.
        #[arg(value_name = "NAME", value_parser = values::title)]
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// A device's token.
    #[command(subcommand)]
    Token(DeviceToken),
    /// List the devices that have a token.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum DeviceToken {
    /// Replace a device's token and print the new one. The old token stops working.
    Rotate {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = values::device)]
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum HookCommand {
    /// Make a token that posts messages into one room, and print it.
    Make {
        /// The room, by its name or id.
        #[arg(value_name = "ROOM", value_parser = values::room)]
        room: RoomId,
        /// The name that the messages bear.
        #[arg(long, default_value = "Webhook")]
        name: String,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// Remove a token: it stops working at once. What was posted with it stays.
    Remove {
        /// The hook's id, as `hook list` shows it.
        #[arg(value_name = "ID")]
        id: String,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
    /// List the hooks: id, room and name.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR", value_parser = values::dir)]
        data_dir: Option<PathBuf>,
    },
}

#[derive(Debug, Flags)]
pub(super) struct Doctor {
    // First, because it checks which of the other flags were given.
    #[command(flatten)]
    pub(super) server: AnyServer<ToCheck>,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Flags)]
pub(super) struct Health {
    /// The hub's address; by default that of the hub running on the data directory.
    #[arg(value_name = "URL", conflicts_with = "data_dir", value_parser = AddressParser)]
    pub(super) url: Option<Address>,
    /// The hub's data directory; by default that of the hub on this computer.
    #[arg(long, value_name = "DIR", value_parser = values::dir)]
    pub(super) data_dir: Option<PathBuf>,
    /// A CA certificate to trust for this server, a PEM file.
    #[arg(long, value_name = "FILE", requires = "url", value_parser = values::file)]
    pub(super) ca_file: Option<PathBuf>,
    /// How long to wait for an answer: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct Send {
    // First, because it checks which of the other flags were given.
    #[command(flatten)]
    pub(super) server: AnyServer<ToSend>,
    /// The room to send to, by its name or id; needed with the Duplex protocol.
    #[arg(long, required_unless_present_any = ["protocol", "to"], required_if_eq("protocol", "duplex"), value_parser = values::room)]
    pub(super) room: Option<RoomId>,
    /// Send a direct message to this person instead: their id, or a name that only one person has.
    #[arg(long, value_name = "PERSON", conflicts_with_all = ["room", "protocol", "reply"])]
    pub(super) to: Option<String>,
    /// The message; - for standard input.
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) text: String,
    /// The message's id: sending again with the same id is safe.
    #[arg(long, value_name = "UUID")]
    pub(super) id: Option<MessageId>,
    /// The id of the message that it replies to, in the same room.
    #[arg(long, value_name = "UUID", conflicts_with_all = ["protocol"])]
    pub(super) reply: Option<MessageId>,
    /// How long to keep trying: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(super) timeout: Duration,
    /// Send bytes: the text is their hexadecimal digits, with blanks wherever you like.
    #[arg(long, help_heading = WEBSOCKET_HELP)]
    pub(super) hex: bool,
    /// Send it as this event, with the text as its only argument. By default like the messages that come, or as
    /// chat-message.
    #[arg(long, value_name = "NAME", help_heading = SOCKETIO_HELP)]
    pub(super) event: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum File {
    /// Send a file into a room, and print its id. An interrupted upload goes on where it was.
    Send(SendFile),
    /// Download a file and check it. An interrupted download goes on where it was.
    Get(GetFile),
}

#[derive(Debug, Flags)]
pub(super) struct SendFile {
    #[command(flatten)]
    pub(super) server: Server,
    /// The room to send to, by its name or id.
    #[arg(long, value_parser = values::room)]
    pub(super) room: RoomId,
    /// The file.
    #[arg(value_name = "PATH")]
    pub(super) path: PathBuf,
    /// The text of the message; - for standard input. By default the file's name and size.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) text: Option<String>,
    /// The message's id: sending again with the same id is safe, and an upload goes on where it was.
    #[arg(long, value_name = "UUID")]
    pub(super) id: Option<MessageId>,
    /// How long to keep trying while nothing goes on: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct GetFile {
    #[command(flatten)]
    pub(super) server: Server,
    /// The file's id, as `file send` and `tail --json` print it.
    #[arg(value_name = "ID")]
    pub(super) id: FileId,
    /// Where to save it; by default under its name in the current folder.
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: Option<PathBuf>,
    /// Overwrite a file that is there.
    #[arg(long)]
    pub(super) force: bool,
    /// How long to keep trying while nothing goes on: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

/// What all commands that change a message have.
#[derive(Debug, Flags)]
pub(super) struct ChangedMessage {
    /// The server's address.
    #[arg(value_name = "URL", value_parser = AddressParser)]
    pub(super) url: Address,
    /// The message's id, as `tail --json` prints it.
    #[arg(value_name = "ID")]
    pub(super) target: MessageId,
    #[command(flatten)]
    pub(super) access: Access,
    /// How long to keep trying: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct React {
    #[command(flatten)]
    pub(super) message: ChangedMessage,
    /// The emoji.
    #[arg(value_name = "EMOJI")]
    pub(super) emoji: String,
    /// Take it back.
    #[arg(long)]
    pub(super) off: bool,
}

#[derive(Debug, Flags)]
pub(super) struct EditMessage {
    #[command(flatten)]
    pub(super) message: ChangedMessage,
    /// The new text; - for standard input.
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) text: String,
}

#[derive(Debug, Flags)]
pub(super) struct DeleteMessage {
    #[command(flatten)]
    pub(super) message: ChangedMessage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_make_sense() {
        help::command().debug_assert();
    }

    #[test]
    fn every_option_of_a_hub_has_an_environment_variable() {
        let args = help::command();
        let hub = args.find_subcommand("hub").unwrap();
        for arg in hub.get_arguments().filter(|arg| arg.get_long() != Some("help")) {
            let name = arg.get_long().unwrap().to_uppercase().replace('-', "_");
            let variable = arg.get_env().and_then(|name| name.to_str());
            assert_eq!(
                variable,
                Some(&*format!("DUPLEX_HUB_{name}")),
                "--{name} has no variable of its name"
            );
        }
    }
}
