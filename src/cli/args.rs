//! The commands and their flags.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, OsStr, Resettable};
use clap::{Args as Flags, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::{Exit, Failure, print};
use crate::hub::IpNet;
use crate::model::profile::Secret;
use crate::model::{Address, DeviceId, MessageId, MetricName, RoomName, mask};
use crate::privacy::{self, TokenOptions};

/// Duplex on the console: a hub, invites, devices, and chat for scripts.
#[derive(Debug, Parser)]
#[command(
    name = "duplexctl",
    version,
    after_help = "\
Examples:
  duplexctl hub --listen 0.0.0.0:7870 --data-dir /srv/duplex --tls-self-signed
  duplexctl invite --data-dir /srv/duplex --url wss://hub.example:7870
  duplexctl tail wss://hub.example:7870 --room general --json
  duplexctl send wss://hub.example:7870 --room general 'The pump is back.'
  duplexctl agent --url wss://hub.example:7870
  duplexctl command wss://hub.example:7870 shed relay on
  duplexctl device add shed --data-dir /srv/duplex
  duplexctl people list --data-dir /srv/duplex
  duplexctl people remove Mallory --data-dir /srv/duplex

Exit codes:
  0  done; for send: on the server's disk; for command: the device did it
  1  failed; the last line says why; for command: the device could not, or did not answer
  2  the command line is wrong
  3  the server refused it; trying again will not help
  4  not delivered in time, and the server never saw it
  5  sent, and no answer came in time: sending again with the same --id is safe"
)]
pub(super) struct Args {
    /// Tell more about what happens.
    #[arg(short, long, global = true, env = "DUPLEX_VERBOSE", value_parser = FalseyValueParser::new())]
    pub(super) verbose: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Args {
    /// Reads the command line and the environment, or ends the program with what is wrong. A hub's variable that is empty
    /// counts as one that is not there: containers and systemd's files have them so.
    pub(super) fn read() -> Args {
        let is_empty =
            |arg: &clap::Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        let unset = |arg: clap::Arg| if is_empty(&arg) { arg.env(Resettable::<OsStr>::Reset) } else { arg };
        let command = Args::command().mut_subcommand("hub", |hub| hub.mut_args(unset));
        Args::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a hub until it is stopped; or check, repair or copy what one keeps.
    Hub(Hub),
    /// Make a single-use invite to a hub, list invites, or take one back.
    Invite(Invite),
    /// People with a token at a hub: list, rename, remove, give another token.
    #[command(subcommand)]
    People(People),
    /// Print messages as they come, through every outage, each once.
    Tail(Tail),
    /// Send one message, and leave once it is on the server's disk.
    Send(Send),
    /// Publish this computer's readings as a device, through every outage, until it is stopped.
    Agent(Agent),
    /// Set a property of a device, and leave with what became of it.
    #[command(name = "command")]
    Set(Set),
    /// Devices with a token of their own at a hub: add, list, rename, remove, give another token.
    #[command(subcommand)]
    Device(Device),
    /// Ask a hub whether it is healthy: exit code 0 if so, 1 if not. For health checks of containers and monitors.
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
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  duplexctl hub                                    run a hub, until it is stopped
  duplexctl hub check --data-dir /srv/duplex       is everything sound? beside a running hub, too
  duplexctl hub backup /backup/monday              a copy of all that a hub keeps, while it runs
  duplexctl hub repair --data-dir /srv/duplex      save what can be read of a damaged log

Exit codes:
  0  done; for check: nothing is wrong
  1  failed; for check: something is wrong; the last line says what to do
  2  the command line is wrong

Every option can be given by an environment variable instead; where several values are allowed, they are separated by commas.

Signals: SIGTERM and SIGINT end the hub after it has said goodbye to its clients. On SIGHUP a hub that was started in a \
terminal does the same, since the terminal is going; any other, as a service is, reads its certificate again (as it does \
by itself within some seconds of a change) and goes on.

Under systemd the hub takes over the socket of duplex-hub.socket instead of --listen, says when it is ready, and answers \
the watchdog."
)]
pub(super) struct Hub {
    #[command(subcommand)]
    pub(super) upkeep: Option<Upkeep>,
    /// Where to listen. Beyond this computer, TLS is required.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7870", env = "DUPLEX_HUB_LISTEN")]
    pub(super) listen: SocketAddr,
    /// Where to keep everything.
    #[arg(long, value_name = "DIR", env = "DUPLEX_HUB_DATA_DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// The hub's name, as people see it.
    #[arg(long, env = "DUPLEX_HUB_NAME")]
    pub(super) name: Option<String>,
    /// Its certificate, a PEM file.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "tls_self_signed",
        env = "DUPLEX_HUB_TLS_CERT"
    )]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert", env = "DUPLEX_HUB_TLS_KEY")]
    pub(super) tls_key: Option<PathBuf>,
    /// Make a certificate; invites carry its fingerprint.
    #[arg(long, env = "DUPLEX_HUB_TLS_SELF_SIGNED", value_parser = FalseyValueParser::new())]
    pub(super) tls_self_signed: bool,
    /// Announce the hub's name and address on the local network (mDNS), where the app lists it under "Add connection". Needs
    /// TLS.
    #[arg(long, env = "DUPLEX_HUB_ANNOUNCE", value_parser = FalseyValueParser::new())]
    pub(super) announce: bool,
    /// Listen beyond this computer without TLS: tokens and messages can be read on the way.
    #[arg(long, env = "DUPLEX_HUB_INSECURE", value_parser = FalseyValueParser::new())]
    pub(super) insecure: bool,
    /// A host name that clients may call this hub by; may be given several times.
    #[arg(long = "allow-host", value_name = "HOST", env = "DUPLEX_HUB_ALLOW_HOST", value_delimiter = ',')]
    pub(super) allow_host: Vec<String>,
    /// The origin of a web page that may connect; may be given several times.
    #[arg(
        long = "allow-origin",
        value_name = "ORIGIN",
        env = "DUPLEX_HUB_ALLOW_ORIGIN",
        value_delimiter = ','
    )]
    pub(super) allow_origin: Vec<String>,
    /// A reverse proxy, by its address or network (10.0.0.0/8), that is believed when it says in Forwarded or
    /// X-Forwarded-For for whom it asks; may be given several times. Without it these headers are ignored.
    #[arg(
        long = "trusted-proxy",
        value_name = "CIDR",
        env = "DUPLEX_HUB_TRUSTED_PROXY",
        value_delimiter = ',',
        value_parser = network
    )]
    pub(super) trusted_proxy: Vec<IpNet>,
    /// Begin a new, empty log where that of a hub which lived here is missing or damaged.
    #[arg(long, env = "DUPLEX_HUB_NEW_LOG", value_parser = FalseyValueParser::new())]
    pub(super) new_log: bool,
    #[command(flatten)]
    pub(super) limits: super::limits::LimitFlags,
}

/// What is done to a hub's data from outside.
#[derive(Debug, Subcommand)]
pub(super) enum Upkeep {
    /// Look at everything that a hub keeps, whether it runs or not, and change nothing.
    ///
    /// Every page, every table, every entry of the log. Leaves with 0 where nothing is wrong, with 1 where something is.
    Check {
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Save what can be read of a damaged log into a new one, while the hub does not run.
    ///
    /// The damaged file is set aside, whole. Messages keep their order and get new offsets without a hole. For clients the
    /// log is a new one: they keep what they have.
    Repair {
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Copy everything that a hub keeps into a new directory, while it runs or not, and check the copy.
    ///
    /// The copy has the admin's token in it: it is readable by its owner only.
    Backup {
        /// A directory that is not there yet, or is empty.
        #[arg(value_name = "DIR")]
        to: PathBuf,
        /// The hub's data directory; by default that of the hub on this computer.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
}

/// Which hub to ask: that of this computer, whether it runs or not; or one elsewhere, as an admin.
#[derive(Debug, Flags)]
pub(super) struct At {
    /// The address of a hub elsewhere, where an admin's token is needed; by default the hub on this computer.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    #[command(flatten)]
    pub(super) access: Access,
}

#[derive(Debug, Flags)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  duplexctl invite --expires 7d
  duplexctl invite --url wss://hub.example:7870
  duplexctl invite list
  duplexctl invite remove 3f9a02c1d7"
)]
pub(super) struct Invite {
    #[command(subcommand)]
    pub(super) what: Option<InviteCommand>,
    /// The address to invite to, as the guest reaches it; by default the one the hub listens on. With --token, the hub
    /// there makes the invite.
    #[arg(long, value_name = "URL")]
    pub(super) url: Option<String>,
    /// How long it is good: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    pub(super) expires: Duration,
    /// The person who uses it becomes an admin.
    #[arg(long)]
    pub(super) admin: bool,
    #[command(flatten)]
    pub(super) access: Access,
}

#[derive(Debug, Subcommand)]
pub(super) enum InviteCommand {
    /// Print all invites, the newest first: who made them, until when they are good, who used them.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Make an invite good for nothing.
    Remove {
        /// Its id, as the list has it.
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
WHO is an id, or a name that only one person has. A change reaches those who are connected at once.

Examples:
  duplexctl people list
  duplexctl people rename Jun 'Jun Park'
  duplexctl people remove 4f0c9a7be1d25a38
  duplexctl people token rotate Jun
  duplexctl people list --url wss://hub.example:7870 --token TOKEN")]
pub(super) enum People {
    /// Print everybody who may come in: id, kind, whether connected, name.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Give a person another name.
    Rename {
        /// Whom.
        #[arg(value_name = "WHO")]
        who: String,
        /// The new name: 1 to 64 characters.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// Take a person's access away: they are signed out at once, and their token works nowhere. What they wrote stays.
    Remove {
        /// Whom.
        #[arg(value_name = "WHO")]
        who: String,
        #[command(flatten)]
        at: At,
    },
    /// Make a person an admin, or an admin a person.
    Role {
        /// Whom.
        #[arg(value_name = "WHO")]
        who: String,
        /// What they are to be.
        #[arg(value_name = "ROLE")]
        role: Role,
        #[command(flatten)]
        at: At,
    },
    /// A person's token.
    #[command(subcommand)]
    Token(PeopleToken),
}

/// What a person may be.
#[derive(Copy, Clone, Debug, ValueEnum)]
pub(super) enum Role {
    /// May change who comes in.
    Admin,
    /// May not.
    Person,
}

#[derive(Debug, Subcommand)]
pub(super) enum PeopleToken {
    /// Give a person another token, and print it. They are signed out; the one before works nowhere any more.
    Rotate {
        /// Whom.
        #[arg(value_name = "WHO")]
        who: String,
        #[command(flatten)]
        at: At,
    },
}

/// How to come in at a server. No token is needed for a hub of your own on this computer.
#[derive(Debug, Flags)]
pub(super) struct Access {
    #[command(flatten)]
    pub(super) token: TokenOptions,
    /// Send the token over ws:// to another computer: it and all messages can be read on the way.
    #[arg(long)]
    pub(super) insecure: bool,
    /// The data directory of a hub of your own on this computer.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// A certificate authority to trust for this server, a PEM file.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

impl Access {
    /// The token that was given, by option or environment; `None` where none was.
    pub(super) fn token(&self) -> Result<Option<Secret>, Failure> {
        self.token.read().map_err(|error| Failure::new(Exit::Failed, print::harmless(&error.to_string())))
    }

    /// Fails where a token or an invite must not go: to another computer without encryption. With --insecure it may, and a
    /// warning is printed.
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

/// Reads an address that was given; what is wrong with it is said without a password that may be in it.
pub(super) fn address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|error| {
        Failure::new(Exit::Failed, format!("{}: {error}", print::harmless(&mask::hide_address(text))))
    })
}

/// Which server, and how to come in.
#[derive(Debug, Flags)]
pub(super) struct Server {
    /// The server's address.
    #[arg(value_name = "URL")]
    pub(super) url: String,
    #[command(flatten)]
    pub(super) access: Access,
}

#[derive(Debug, Flags)]
pub(super) struct Tail {
    #[command(flatten)]
    pub(super) server: Server,
    /// Only this room.
    #[arg(long, value_parser = room)]
    pub(super) room: Option<RoomName>,
    /// One JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
    /// Leave after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Begin after this offset; 0 is the beginning. Without it, with what comes from now on.
    #[arg(long, value_name = "OFFSET")]
    pub(super) since: Option<u64>,
    /// Of devices only this one. Without --json, readings are shown of a device that is named only.
    #[arg(long, value_name = "ID", value_parser = device)]
    pub(super) device: Option<DeviceId>,
    /// No readings; how devices are is told all the same.
    #[arg(long)]
    pub(super) no_readings: bool,
    /// No messages.
    #[arg(long, conflicts_with_all = ["room", "count", "since"])]
    pub(super) no_messages: bool,
}

#[derive(Debug, Flags)]
pub(super) struct Agent {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    pub(super) url: String,
    #[command(flatten)]
    pub(super) access: Access,
    /// The device's name for people; this computer's unless given.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The device's id; made of this computer's name unless given. A device's token has its own.
    #[arg(long, value_parser = device)]
    pub(super) id: Option<DeviceId>,
}

#[derive(Debug, Flags)]
pub(super) struct Set {
    #[command(flatten)]
    pub(super) server: Server,
    /// Which device.
    #[arg(value_name = "DEVICE", value_parser = device)]
    pub(super) device: DeviceId,
    /// Which of its properties.
    #[arg(value_name = "PROPERTY", value_parser = device)]
    pub(super) property: MetricName,
    /// To what: a number, true, false, or a text.
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) value: String,
    /// How long to wait, connecting included: a number with s, m, h or d. A device has 30 s to answer.
    #[arg(long, value_name = "TIME", default_value = "40s", value_parser = duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A change reaches those who are connected at once.

Examples:
  duplexctl device add shed --name 'Shed'
  duplexctl device token rotate shed
  duplexctl device remove shed
  duplexctl device list --url wss://hub.example:7870 --token TOKEN")]
pub(super) enum Device {
    /// Give a device a token, and print it. One that it had before works nowhere any more.
    Add {
        /// The device's id: 1 to 64 characters.
        #[arg(value_name = "ID", value_parser = device)]
        id: DeviceId,
        /// Its name for people.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Take a device's token away: its connection ends at once. What it said stays.
    Remove {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = device)]
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
    /// Give a device's token another name. One that the device announces itself goes before it.
    Rename {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = device)]
        id: DeviceId,
        /// The new name: 1 to 64 characters.
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// A device's token.
    #[command(subcommand)]
    Token(DeviceToken),
    /// Print the devices that have a token.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum DeviceToken {
    /// Give a device another token, and print it. The one before works nowhere any more.
    Rotate {
        /// The device's id.
        #[arg(value_name = "ID", value_parser = device)]
        id: DeviceId,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Flags)]
pub(super) struct Health {
    /// The hub's address; by default that of the hub that runs on the data directory.
    #[arg(value_name = "URL", conflicts_with = "data_dir")]
    pub(super) url: Option<String>,
    /// The hub's data directory; by default that of the hub on this computer.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// A certificate authority to trust for this server, a PEM file.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(super) ca_file: Option<PathBuf>,
    /// How long to wait for its answer: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    pub(super) timeout: Duration,
}

#[derive(Debug, Flags)]
pub(super) struct Send {
    #[command(flatten)]
    pub(super) server: Server,
    /// Where to.
    #[arg(long, value_parser = room)]
    pub(super) room: RoomName,
    /// What; - for standard input.
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub(super) text: String,
    /// The message's id: sending again with the same one is safe.
    #[arg(long, value_name = "UUID")]
    pub(super) id: Option<MessageId>,
    /// How long to wait through outages: a number with s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) timeout: Duration,
}

/// `10.0.0.0/8`, `2001:db8::/32`, or a single address.
fn network(text: &str) -> Result<IpNet, String> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network = text.parse::<IpNet>().ok().or_else(single);
    network.ok_or_else(|| "an address or a network, such as 10.0.0.0/8".to_owned())
}

fn room(text: &str) -> Result<RoomName, String> {
    RoomName::new(text).map_err(|error| error.to_string())
}

fn device(text: &str) -> Result<DeviceId, String> {
    DeviceId::new(text).map_err(|error| error.to_string())
}

/// `90`, `90s`, `5m`, `2h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a number with s, m, h or d".to_owned()),
    };
    let number: u64 = digits.parse().map_err(|_| "a number with s, m, h or d".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds).min(366 * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_make_sense() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_option_of_a_hub_has_an_environment_variable() {
        let args = Args::command();
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

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        assert_eq!(network("10.0.0.0/8").map(|network| network.to_string()), Ok("10.0.0.0/8".to_owned()));
        assert_eq!(network("::1").map(|network| network.to_string()), Ok("::1/128".to_owned()));
        assert!(network("10.0.0.0/33").is_err() && network("proxy.example").is_err() && network("").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert!(duration("soon").is_err() && duration("").is_err() && duration("5x").is_err());
    }
}
