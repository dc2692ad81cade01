//! The commands and their flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Flags, Parser, Subcommand, ValueEnum};

use crate::model::{DeviceId, MessageId, MetricName, RoomName};

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
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a hub until it is stopped.
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
    /// Write manual pages and shell completions, as packages ship them.
    #[command(hide = true)]
    Generate {
        /// The `share` folder to write below.
        #[arg(value_name = "DIR")]
        share: PathBuf,
    },
}

#[derive(Debug, Flags)]
pub(super) struct Hub {
    /// Where to listen. Beyond this computer, TLS is required.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7870")]
    pub(super) listen: SocketAddr,
    /// Where to keep everything.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// The hub's name, as people see it.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Its certificate, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls_self_signed")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The certificate's key, a PEM file.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Make a certificate; invites carry its fingerprint.
    #[arg(long)]
    pub(super) tls_self_signed: bool,
    /// Listen beyond this computer without TLS: tokens and messages can be read on the way.
    #[arg(long)]
    pub(super) insecure: bool,
    /// A host name that clients may call this hub by; may be given several times.
    #[arg(long = "allow-host", value_name = "HOST")]
    pub(super) allow_host: Vec<String>,
    /// The origin of a web page that may connect; may be given several times.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub(super) allow_origin: Vec<String>,
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
    /// Whoever uses it becomes an admin.
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

/// How to come in at a server.
#[derive(Debug, Flags)]
pub(super) struct Access {
    /// The token to come in with. Not needed for a hub of your own on this computer.
    #[arg(long, env = "DUPLEX_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// The data directory of a hub of your own on this computer.
    #[arg(long, value_name = "DIR")]
    pub(super) data_dir: Option<PathBuf>,
    /// A certificate authority to trust for this server, a PEM file.
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
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
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        assert!(duration("soon").is_err() && duration("").is_err() && duration("5x").is_err());
    }
}
