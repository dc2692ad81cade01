//! The end of each command's `--help`: examples, which a test parses as command lines, and exit codes.

use clap::CommandFactory as _;

use super::args::Args;

/// What follows the flags of a command.
struct Page {
    /// The command's names, such as `people token rotate`; empty for the program itself.
    path: &'static str,
    /// Text that fits no flag's description; may be empty.
    note: &'static str,
    /// Complete command lines.
    examples: &'static [&'static str],
    codes: &'static [Code],
}

/// An exit code and its meaning.
type Code = (u8, &'static str);

const DONE: Code = (0, "done");
const FAILED: Code = (1, "failed; the last line says why");
const USAGE: Code = (2, "the command line is wrong");
const REFUSED: Code = (3, "the server refused it; trying again will not help");
const CHANGED: &[Code] = &[
    (0, "it is on the server's disk"),
    FAILED,
    USAGE,
    REFUSED,
    (4, "not delivered in time, and the server never saw it"),
    (5, "sent, and no answer came in time: the same command again changes nothing twice"),
];
const TRANSFERRED: &[Code] = &[
    (0, "the whole file arrived and was checked"),
    FAILED,
    USAGE,
    REFUSED,
    (
        4,
        "nothing went on for as long as --timeout says; the same command goes on, for send with the --id that was named",
    ),
    (
        5,
        "the file arrived, and no answer to its message came in time: sending it again with the same --id is safe",
    ),
];
const LOCAL: &[Code] = &[DONE, FAILED, USAGE];
const ASKED: &[Code] = &[
    DONE,
    FAILED,
    USAGE,
    REFUSED,
    (4, "the hub did not answer in time; nothing was changed"),
    (5, "sent, and no answer came in time: it may have been done"),
];
const WHO: &str = "WHO is an id, or a name that only one person has. Changes reach connected people at once.";

const ROOM: &str = "ROOM is an id, or a name that only one room has. Operators and admins change any room, members those they made.";

const PAGES: &[Page] = &[
    Page {
        path: "",
        note: "",
        examples: &[
            "duplexctl hub --listen 0.0.0.0:7870 --data-dir /srv/duplex --tls-self-signed",
            "duplexctl invite --data-dir /srv/duplex --url wss://hub.example:7870",
            "duplexctl tail wss://hub.example:7870 --room general --json",
            "duplexctl send wss://hub.example:7870 --room general 'The pump is back.'",
            "duplexctl send wss://echo.example --protocol websocket hello",
            "duplexctl agent --url wss://hub.example:7870",
            "duplexctl command wss://hub.example:7870 shed relay on",
            "duplexctl device add shed --data-dir /srv/duplex",
            "duplexctl people remove Mallory --data-dir /srv/duplex",
        ],
        codes: &[
            (0, "done; for send: on the server's disk; for command: the device did it"),
            (1, "failed; the last line says why; for command: the device failed or did not answer"),
            USAGE,
            REFUSED,
            (4, "not delivered in time, and the server never saw it"),
            (5, "sent, and no answer came in time; for send: sending again with the same --id is safe"),
            (6, "for send --protocol websocket: sent, unconfirmed"),
            (7, "for doctor: no transport leads to the server"),
        ],
    },
    Page {
        path: "doctor",
        note: "The verdict comes first, then a table of the transports, then each step on the way: name, TCP, TLS, HTTP and the \
               handshake. With a token it signs in, sends pings of 100 bytes and measures what comes back; it writes nothing, and \
               reads nothing of rooms and devices. Without a token it measures as far as that leads. It takes at most 30 seconds. No \
               token, user name or password is printed.\n\n\
               With --json: one object {verdict, transports: [{transport, works, why, first_message_ms, rtt_p50_ms, rtt_p99_ms, \
               bytes_up, bytes_down, idle_requests_per_min}]}, null where something is not known; verdict_code, address, login, \
               took_ms, steps and http, the version of a transport's requests, say more.\n\n\
               With another --protocol it checks the way to the server and its handshake.",
        examples: &[
            "duplexctl doctor wss://hub.example:7870",
            "duplexctl doctor wss://hub.example:7870 --token-file token --json",
            "duplexctl doctor mqtts://broker.example --user me",
        ],
        codes: &[
            (0, "the server was reached, and some transport works"),
            FAILED,
            USAGE,
            (3, "the server was reached, and refuses the token or login"),
            (7, "the server was not reached, or no transport leads to it; the first line says why"),
        ],
    },
    Page {
        path: "hub",
        note: "Every option can also be set by an environment variable; separate several values with commas.\n\n\
               Signals: SIGTERM and SIGINT end the hub after it has said goodbye to its clients. On SIGHUP, a hub started \
               in a terminal ends too. A hub started otherwise, such as a service, reloads its certificate and keeps running. \
               It also reloads a changed certificate automatically within seconds.\n\n\
               Under systemd, the hub uses the socket of duplex-hub.socket instead of --listen, reports when it is ready, \
               and answers the watchdog.",
        examples: &[
            "duplexctl hub",
            "duplexctl hub --listen 0.0.0.0:7870 --tls-self-signed --name Workshop",
            "duplexctl hub --data-dir /srv/duplex --keep-days 90",
        ],
        codes: LOCAL,
    },
    Page {
        path: "hub check",
        note: "",
        examples: &["duplexctl hub check", "duplexctl hub check --data-dir /srv/duplex"],
        codes: &[
            (0, "no problems found"),
            (1, "problems found, or the check failed; the last line says what to do"),
            USAGE,
        ],
    },
    Page {
        path: "hub repair",
        note: "",
        examples: &["duplexctl hub repair --data-dir /srv/duplex"],
        codes: LOCAL,
    },
    Page {
        path: "hub backup",
        note: "",
        examples: &["duplexctl hub backup /backup/monday --data-dir /srv/duplex"],
        codes: LOCAL,
    },
    Page {
        path: "invite",
        note: "",
        examples: &[
            "duplexctl invite --expires 7d",
            "duplexctl invite --url wss://hub.example:7870",
            "duplexctl invite --admin --data-dir /srv/duplex",
        ],
        codes: ASKED,
    },
    Page {
        path: "invite list",
        note: "",
        examples: &["duplexctl invite list", "duplexctl invite list --json --data-dir /srv/duplex"],
        codes: ASKED,
    },
    Page { path: "invite remove", note: "", examples: &["duplexctl invite remove 3f9a02c1d7"], codes: ASKED },
    Page {
        path: "people",
        note: WHO,
        examples: &[
            "duplexctl people wss://hub.example:7870",
            "duplexctl people list",
            "duplexctl people rename Jun 'Jun Park'",
            "duplexctl people token rotate Jun",
        ],
        codes: ASKED,
    },
    Page {
        path: "people list",
        note: "",
        examples: &[
            "duplexctl people list",
            "duplexctl people list --json --url wss://hub.example:7870 --token-file admin.token",
        ],
        codes: ASKED,
    },
    Page {
        path: "people rename",
        note: WHO,
        examples: &["duplexctl people rename Jun 'Jun Park'"],
        codes: ASKED,
    },
    Page {
        path: "people remove",
        note: WHO,
        examples: &["duplexctl people remove 4f0c9a7be1d25a38"],
        codes: ASKED,
    },
    Page { path: "people role", note: WHO, examples: &["duplexctl people role Jun operator"], codes: ASKED },
    Page { path: "people token", note: WHO, examples: &["duplexctl people token rotate Jun"], codes: ASKED },
    Page {
        path: "people token rotate",
        note: WHO,
        examples: &["duplexctl people token rotate Jun"],
        codes: ASKED,
    },
    Page {
        path: "room",
        note: ROOM,
        examples: &[
            "duplexctl room list wss://hub.example:7870",
            "duplexctl room make wss://hub.example:7870 Lathes --topic 'Noise, oil and chips'",
            "duplexctl room make wss://hub.example:7870 Plans --private --member Jun",
        ],
        codes: ASKED,
    },
    Page {
        path: "room make",
        note: "",
        examples: &["duplexctl room make wss://hub.example:7870 Lathes"],
        codes: ASKED,
    },
    Page {
        path: "room list",
        note: "",
        examples: &["duplexctl room list wss://hub.example:7870 --json"],
        codes: ASKED,
    },
    Page {
        path: "room rename",
        note: ROOM,
        examples: &["duplexctl room rename wss://hub.example:7870 Lathes Mills"],
        codes: ASKED,
    },
    Page {
        path: "room topic",
        note: ROOM,
        examples: &["duplexctl room topic wss://hub.example:7870 Lathes 'Noise, oil and chips'"],
        codes: ASKED,
    },
    Page {
        path: "room archive",
        note: ROOM,
        examples: &[
            "duplexctl room archive wss://hub.example:7870 Lathes",
            "duplexctl room archive wss://hub.example:7870 Lathes --undo",
        ],
        codes: ASKED,
    },
    Page {
        path: "room join",
        note: ROOM,
        examples: &["duplexctl room join wss://hub.example:7870 Lathes"],
        codes: ASKED,
    },
    Page {
        path: "room leave",
        note: ROOM,
        examples: &["duplexctl room leave wss://hub.example:7870 Lathes"],
        codes: ASKED,
    },
    Page {
        path: "room invite",
        note: ROOM,
        examples: &["duplexctl room invite wss://hub.example:7870 Lathes Jun"],
        codes: ASKED,
    },
    Page {
        path: "room remove",
        note: ROOM,
        examples: &["duplexctl room remove wss://hub.example:7870 Plans Jun"],
        codes: ASKED,
    },
    Page {
        path: "tail",
        note: "With --protocol websocket, the URL is that of any WebSocket server: every message is printed as it came, bytes in \
               hexadecimal digits. How the connection opened and ended is printed on standard error, or as JSON objects.\n\nWith \
               --protocol socketio, what others say is printed like messages of a Duplex server, and numbers like readings. With --protocol stomp, a \
               message is acknowledged once it was printed.\n\nWith MQTT (mqtt://, mqtts://, or --protocol mqtt with a WebSocket), messages of \
               the chat are printed like those of a Duplex server, and every other message as its topic and payload. Without --topic, \
               everything is subscribed to.\n\nWhere a network blocks WebSocket, a Duplex server is reached by another transport, which is told on \
               standard error, or as \"transport\" of link events with --json. --transport uses one alone.",
        examples: &[
            "duplexctl tail wss://hub.example:7870 --room general",
            "duplexctl tail wss://hub.example:7870 --transport longpoll --json",
            "duplexctl tail wss://hub.example:7870 --json --since 0",
            "duplexctl tail wss://hub.example:7870 --device shed --no-messages",
            "duplexctl tail ws://127.0.0.1:15674/ws --protocol stomp --login me --destination /topic/chat --json",
            "duplexctl tail mqtt://broker.example",
            "duplexctl tail mqtts://broker.example --user me --topic 'zigbee2mqtt/#' --topic '$SYS/#' --json",
            "duplexctl tail wss://echo.example/feed --protocol websocket --json",
            "duplexctl tail http://127.0.0.1:3000 --protocol socketio --namespace /chat --json",
            "duplexctl tail wss://app.example --protocol websocket --subprotocol v12.stomp --header 'Origin: https://app.example'",
        ],
        codes: &[
            (
                0,
                "as many messages as --count asked for, or the reader of the output has gone; with --no-reconnect: the \
                 connection was closed cleanly, with 1000, 1001 or no code",
            ),
            (1, "failed; the last line says why; with --no-reconnect: the connection ended otherwise"),
            USAGE,
            (3, "the server refused it, or cannot be used as it is; trying again will not help"),
        ],
    },
    Page {
        path: "send",
        note: "With --protocol websocket, the URL is that of any WebSocket server, and the text is sent as it is. Such a server confirms \
               nothing, so the exit code is never 0: 6 is the best that can be known.\n\nWith --protocol socketio, the text is sent like \
               the messages that the server sends, or as the event that --event names; without either, as chat-message. The \
               exit code is 0 only if the server acknowledged it. With \
               --protocol stomp, it is 0 with the server's receipt, and nothing is subscribed to. With MQTT, --room is a name under \
               duplex/chat, and it is 0 once the server has the message.",
        examples: &[
            "duplexctl send wss://hub.example:7870 --room general 'The pump is back.'",
            "duplexctl send wss://hub.example:7870 --to Jun 'Do you have a minute?'",
            "duplexctl send ws://127.0.0.1:7870 --room general --timeout 5m -",
            "duplexctl send stomp://127.0.0.1 --protocol stomp --login me --destination /queue/work 'to do'",
            "duplexctl send mqtt://broker.example --room general 'The pump is back.'",
            "duplexctl send ws://127.0.0.1:8080/echo --protocol websocket '{\"a\": 1}'",
            "duplexctl send ws://127.0.0.1:8080/echo --protocol websocket --hex '00 01 fe ff'",
            "duplexctl send http://127.0.0.1:3000 --protocol socketio --event 'chat message' hello",
        ],
        codes: &[
            (
                0,
                "the message is on the server's disk; with --protocol socketio: the server acknowledged it; never with \
                 --protocol websocket",
            ),
            FAILED,
            USAGE,
            REFUSED,
            (4, "not delivered in time, and the server never saw it"),
            (
                5,
                "sent, and no answer came in time: sending again with the same --id is safe; with --protocol websocket or socketio: it \
                 may not have arrived, because the connection ended or the server said nothing since",
            ),
            (
                6,
                "with --protocol websocket or socketio: sent, unconfirmed: it went out, and the server said something since",
            ),
        ],
    },
    Page {
        path: "file",
        note: "",
        examples: &[
            "duplexctl file send wss://hub.example:7870 --room general report.pdf",
            "duplexctl file get wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11",
        ],
        codes: TRANSFERRED,
    },
    Page {
        path: "file send",
        note: "The message appears in the room once the whole file is at the server and checked there.",
        examples: &[
            "duplexctl file send wss://hub.example:7870 --room general report.pdf",
            "duplexctl file send wss://hub.example:7870 --room general pump.jpg --text 'It leaks again.'",
        ],
        codes: TRANSFERRED,
    },
    Page {
        path: "file get",
        note: "What is not complete yet lies beside the target in a file that ends in .part; the same command goes on with it.",
        examples: &[
            "duplexctl file get wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11",
            "duplexctl file get wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11 -o report.pdf --force",
        ],
        codes: TRANSFERRED,
    },
    Page {
        path: "react",
        note: "",
        examples: &[
            "duplexctl react wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11 👍",
            "duplexctl react wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11 👍 --off",
        ],
        codes: CHANGED,
    },
    Page {
        path: "edit",
        note: "",
        examples: &[
            "duplexctl edit wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11 'The pump is back again.'",
        ],
        codes: CHANGED,
    },
    Page {
        path: "delete",
        note: "",
        examples: &["duplexctl delete wss://hub.example:7870 0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11"],
        codes: CHANGED,
    },
    Page {
        path: "agent",
        note: "",
        examples: &[
            "duplexctl agent --url wss://hub.example:7870 --token-file device.token",
            "duplexctl agent --url ws://127.0.0.1:7870 --name Workstation",
            "duplexctl agent install --url wss://hub.example:7870 --name 'Workshop Pi'",
        ],
        codes: &[(0, "stopped by a signal"), FAILED, USAGE, REFUSED],
    },
    Page {
        path: "agent install",
        note: "The token is one line on standard input, such as `duplexctl device add ID` prints on the server's computer. The server is \
               asked first whether it takes it; if anything fails, everything is as it was. The token and the address are kept in \
               /etc/duplex/agent-NAME.conf, which only root can read. Installing again replaces them.",
        examples: &[
            "duplexctl agent install --url wss://hub.example:7870",
            "duplexctl agent install --url wss://hub.example:7870 --name 'Workshop Pi' --token-file device.token",
            "duplexctl agent install --url wss://second.example --service second",
        ],
        codes: &[
            (0, "the service runs"),
            (1, "failed, and nothing was changed; the last line says why"),
            USAGE,
            REFUSED,
            (4, "the server did not answer in time; nothing was changed"),
        ],
    },
    Page {
        path: "agent uninstall",
        note: "The readings that the server has stay there, and so does the token: `duplexctl device remove ID` there takes it away. \
               Settings that install did not write are left alone.",
        examples: &["duplexctl agent uninstall", "duplexctl agent uninstall --service second"],
        codes: &[(0, "nothing of it is left, or there was nothing"), FAILED, USAGE],
    },
    Page { path: "agent status", note: "", examples: &["duplexctl agent status"], codes: LOCAL },
    Page {
        path: "publish",
        note: "The server is asked to confirm the message unless --qos is 0. Nothing is subscribed to.",
        examples: &[
            "duplexctl publish mqtt://broker.example zigbee2mqtt/lamp/set '{\"state\": \"ON\"}'",
            "duplexctl publish mqtts://broker.example plant/1/limit 20 --retain --user me --password-file pass",
            "duplexctl publish ws://127.0.0.1:9001/mqtt --protocol mqtt plant/1/limit '' --retain",
        ],
        codes: &[
            (0, "the server has it"),
            FAILED,
            USAGE,
            REFUSED,
            (4, "not sent in time"),
            (5, "sent, and no confirmation came in time"),
            (6, "sent with --qos 0, which no server confirms"),
        ],
    },
    Page {
        path: "read-one",
        note: "",
        examples: &[
            "duplexctl read-one mqtt://broker.example lamp brightness",
            "duplexctl read-one wss://hub.example:7870 shed temperature --json --timeout 1m",
        ],
        codes: &[(0, "the value was printed"), FAILED, USAGE, REFUSED, (4, "no value came in time")],
    },
    Page {
        path: "command",
        note: "",
        examples: &[
            "duplexctl command wss://hub.example:7870 shed relay on",
            "duplexctl command mqtt://broker.example lamp state on",
            "duplexctl command ws://127.0.0.1:7870 oven target 180 --timeout 1m",
        ],
        codes: &[
            (0, "the device did it"),
            (1, "the device failed or did not answer; the last line says which"),
            USAGE,
            REFUSED,
            (4, "not sent in time"),
            (5, "sent, and no answer came in time: the device may have done it"),
        ],
    },
    Page {
        path: "device",
        note: "Changes reach connected devices at once.",
        examples: &[
            "duplexctl device add shed --name Shed",
            "duplexctl device list --url wss://hub.example:7870 --token-file admin.token",
            "duplexctl device remove shed",
        ],
        codes: ASKED,
    },
    Page {
        path: "hook",
        note: "A program posts to /v1/rooms/ROOM/messages: plain text, {\"id\", \"body\"}, or the JSON of Alertmanager, Grafana and \
               GitHub. A message that comes again with the same id is stored once.",
        examples: &[
            "duplexctl hook make alerts --name Alertmanager",
            "duplexctl hook list",
            "duplexctl hook remove 5f1e",
        ],
        codes: LOCAL,
    },
    Page {
        path: "hook make",
        note: "Only the token goes to standard output.",
        examples: &["duplexctl hook make alerts --name Grafana --data-dir /srv/duplex"],
        codes: LOCAL,
    },
    Page {
        path: "notify",
        note: "A hub calls an address when somebody is mentioned while none of their apps is connected.",
        examples: &[
            "duplexctl notify add Mina https://ntfy.example/mina-7Jq2 --kind ntfy",
            "duplexctl notify list",
            "duplexctl notify remove 5f1e",
        ],
        codes: LOCAL,
    },
    Page {
        path: "notify add",
        note: "The hub calls an address at most five times within some minutes until it answers, follows no redirect, and calls \
               no address of this computer or of a local network without --allow-local. A webhook gets \
               {\"event\":\"mention\",\"room\",\"room_id\",\"sender\",\"id\",\"at\"}, and \"text\" with --with-text.",
        examples: &[
            "duplexctl notify add Mina https://ntfy.example/mina-7Jq2 --kind ntfy",
            "duplexctl notify add Mina https://push.example/message?token=A1b2 --kind gotify --with-text",
            "duplexctl notify add Jun http://127.0.0.1:9000/mention --allow-local",
        ],
        codes: LOCAL,
    },
    Page { path: "notify remove", note: "", examples: &["duplexctl notify remove 5f1e"], codes: LOCAL },
    Page { path: "notify list", note: "", examples: &["duplexctl notify list --json"], codes: LOCAL },
    Page {
        path: "export",
        note: "JSON Lines has one room, entry of the log, device or reading a line, with everything that the hub knows of it. \
               CSV has messages and readings for a spreadsheet. Everything in the hub's database is exported, private rooms \
               included; texts of deleted messages are in neither. Times on the command line are local.",
        examples: &[
            "duplexctl export -o everything.jsonl",
            "duplexctl export --room general --from 2026-11-01 --to 2026-12-01 --only messages --format csv",
            "duplexctl export --data-dir /srv/duplex --only readings -o readings.jsonl",
        ],
        codes: LOCAL,
    },
    Page {
        path: "import",
        note: "Entries keep their ids, senders and times, and come behind what is in the hub's log; importing the same file \
               again changes nothing. Of a room that is there already under the same name, its messages go into that one. People \
               get no access by it: invite them.",
        examples: &["duplexctl import everything.jsonl --data-dir /srv/new", "duplexctl import -"],
        codes: LOCAL,
    },
    Page { path: "hook remove", note: "", examples: &["duplexctl hook remove 5f1e"], codes: LOCAL },
    Page { path: "hook list", note: "", examples: &["duplexctl hook list --json"], codes: LOCAL },
    Page { path: "device add", note: "", examples: &["duplexctl device add shed --name Shed"], codes: ASKED },
    Page { path: "device remove", note: "", examples: &["duplexctl device remove shed"], codes: ASKED },
    Page {
        path: "device rename",
        note: "",
        examples: &["duplexctl device rename shed 'Old shed'"],
        codes: ASKED,
    },
    Page { path: "device token", note: "", examples: &["duplexctl device token rotate shed"], codes: ASKED },
    Page {
        path: "device token rotate",
        note: "",
        examples: &["duplexctl device token rotate shed"],
        codes: ASKED,
    },
    Page { path: "device list", note: "", examples: &["duplexctl device list --json"], codes: ASKED },
    Page {
        path: "health",
        note: "",
        examples: &["duplexctl health", "duplexctl health wss://hub.example:7870 --timeout 2s"],
        codes: &[(0, "healthy"), (1, "not healthy, or no answer; the last line says why"), USAGE],
    },
];

/// The program's flags, with examples and exit codes after those of each command.
pub(super) fn command() -> clap::Command {
    with_pages(Args::command(), "")
}

fn with_pages(command: clap::Command, path: &str) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let command = match PAGES.iter().find(|page| page.path == path) {
        Some(page) => command.after_help(page.text()),
        None => command,
    };
    names.into_iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(&name, |inner| with_pages(inner, path.trim()))
    })
}

impl Page {
    fn text(&self) -> String {
        let examples: String = self.examples.iter().map(|example| format!("  {example}\n")).collect();
        let codes: Vec<String> =
            self.codes.iter().map(|(code, meaning)| format!("  {code}  {meaning}")).collect();
        let mut text = format!("Examples:\n{examples}\nExit codes:\n{}", codes.join("\n"));
        if !self.note.is_empty() {
            text = format!("{text}\n\n{}", self.note);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    /// All visible commands, by their names.
    fn all() -> Vec<(String, clap::Command)> {
        fn walk(path: &str, command: &clap::Command, into: &mut Vec<(String, clap::Command)>) {
            into.push((path.to_owned(), command.clone()));
            for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
                walk(format!("{path} {}", inner.get_name()).trim(), inner, into);
            }
        }
        let mut all = Vec::new();
        walk("", &command(), &mut all);
        all
    }

    /// Splits a line like a shell, as far as the examples need it: words, and words in single quotes.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (number, part) in line.split('\'').enumerate() {
            match number % 2 {
                1 => words.push(part.to_owned()),
                _ => words.extend(part.split_whitespace().map(str::to_owned)),
            }
        }
        words
    }

    #[test]
    fn every_help_has_examples_and_exit_codes() {
        let all = all();
        assert!(all.len() > 20);
        for (path, mut command) in all {
            for help in [command.render_help().to_string(), command.render_long_help().to_string()] {
                let example = format!("\n  duplexctl {path}");
                assert!(
                    help.contains("\nExamples:\n") && help.contains(example.trim_end()),
                    "{path}: {help}"
                );
                assert!(help.contains("\nExit codes:\n  0  ") && help.contains("\n  2  "), "{path}: {help}");
            }
        }
    }

    #[test]
    fn every_page_is_of_a_command_and_its_examples_are_command_lines() {
        let names: Vec<String> = all().into_iter().map(|(path, _)| path).collect();
        for page in PAGES {
            assert!(names.iter().any(|name| name == page.path), "{}", page.path);
            assert!(!page.examples.is_empty() && page.codes.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for example in page.examples {
                let read = command()
                    .try_get_matches_from(words(example))
                    .and_then(|read| Args::from_arg_matches(&read));
                assert!(read.is_ok(), "{example}: {}", read.unwrap_err());
                assert!(example.contains(page.path), "{example}");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_the_door() {
        let refused = |line: &str| {
            let read =
                command().try_get_matches_from(words(line)).and_then(|read| Args::from_arg_matches(&read));
            let error = read.expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            error.to_string()
        };
        for line in [
            "duplexctl invite --expires 0s",
            "duplexctl invite --expires 400d",
            "duplexctl invite --url foo",
            "duplexctl agent --url foo",
            "duplexctl agent",
            "duplexctl agent install",
            "duplexctl agent install --url ws://127.0.0.1 --token x",
            "duplexctl agent install --url ws://127.0.0.1 --name ' '",
            "duplexctl agent install --url ws://127.0.0.1 --id ''",
            "duplexctl agent install --url ws://127.0.0.1 --service ../x",
            "duplexctl agent uninstall --service 'a b'",
            "duplexctl agent --url ws://127.0.0.1 uninstall",
            "duplexctl tail foo",
            "duplexctl tail wss://hub.example:99999",
            "duplexctl tail ws://hub.example --count 0",
            "duplexctl send ws://hub.example --room general --timeout 0 hi",
            "duplexctl health --timeout 0s",
            "duplexctl health ftp://hub.example",
            "duplexctl hub --listen localhost",
            "duplexctl hub --name '\u{200b}'",
            "duplexctl hub --allow-host https://hub.example",
            "duplexctl hub --allow-origin hub.example",
            "duplexctl hub --tls-cert /nowhere/cert.pem --tls-key /nowhere/key.pem",
            "duplexctl hub --log-bytes 5x",
            "duplexctl hub --max-rooms -1",
            "duplexctl hub --write-readings-every 9s",
            "duplexctl hub --write-readings-every 11m",
            "duplexctl people rename Jun ' '",
            "duplexctl people remove ''",
            "duplexctl device add ''",
            "duplexctl send ws://hub.example hi",
            "duplexctl send ws://hub.example hi --protocol duplex",
            "duplexctl send ws://hub.example hi --room general --hex",
            "duplexctl send ws://a.example hi --protocol websocket --room general",
            "duplexctl send ws://a.example hi --protocol websocket --id 7f0c5c2e-8f3a-4f0e-9d5c-0b6a3a4d1e2f",
            "duplexctl tail ws://hub.example --no-reconnect",
            "duplexctl tail ws://hub.example --protocol amqp",
            "duplexctl tail ws://hub.example --transport polling",
            "duplexctl tail ws://a.example --transport sse --protocol socketio",
            "duplexctl tail mqtt://a.example --transport websocket",
            "duplexctl agent --url ws://hub.example --transport polling",
            "duplexctl tail mqtt://a.example --topic 'a/#/b'",
            "duplexctl tail mqtt://a.example --since 0",
            "duplexctl tail mqtt://a.example --destination /topic/a",
            "duplexctl tail ws://hub.example --topic a",
            "duplexctl publish ws://hub.example a b",
            "duplexctl publish mqtt://a.example a b --qos 3",
            "duplexctl publish mqtt://a.example",
            "duplexctl read-one ws://a.example shed relay --protocol stomp --destination a",
            "duplexctl tail ws://hub.example --header 'X: y'",
            "duplexctl tail ws://hub.example --protocol duplex --subprotocol a",
            "duplexctl tail ws://hub.example --user me",
            "duplexctl tail ws://hub.example --password-file f",
            "duplexctl send ws://a.example hi --protocol stomp",
            "duplexctl send ws://a.example hi --protocol stomp --destination ''",
            "duplexctl send ws://a.example hi --protocol stomp --destination /queue/a --hex",
            "duplexctl send ws://a.example hi --protocol stomp --destination '/queue/a | receipt: 1'",
            "duplexctl send amqp://a.example hi --protocol stomp --destination /queue/a",
            "duplexctl tail ws://a.example --protocol stomp --destination /topic/a --since 0",
            "duplexctl tail ws://a.example --protocol stomp --destination /topic/a --token x",
            "duplexctl tail ws://a.example --protocol websocket --destination /topic/a",
            "duplexctl tail ws://a.example --protocol websocket --host a",
            "duplexctl tail ws://a.example --protocol websocket --room general",
            "duplexctl tail ws://a.example --protocol websocket --since 0",
            "duplexctl tail ws://a.example --protocol websocket --device shed",
            "duplexctl tail ws://a.example --protocol websocket --no-readings",
            "duplexctl tail ws://a.example --protocol websocket --no-messages",
            "duplexctl tail ws://a.example --protocol websocket --token x",
            "duplexctl tail ws://a.example --protocol websocket --token-file f",
            "duplexctl tail ws://a.example --protocol websocket --data-dir .",
            "duplexctl tail ws://a.example --protocol websocket --password-file f",
            "duplexctl tail ws://a.example --protocol websocket --user a:b",
            "duplexctl tail ws://a.example --protocol websocket --header X",
            "duplexctl tail ws://a.example --protocol websocket --header 'Host: b.example'",
            "duplexctl tail ws://a.example --protocol websocket --header 'X: 1' --header 'x: 2'",
            "duplexctl tail ws://a.example --protocol websocket --user me --header 'Authorization: Bearer 1'",
            "duplexctl tail ws://a.example --protocol websocket --subprotocol 'a b'",
            "duplexctl tail ws://a.example --protocol websocket --subprotocol a --subprotocol a",
            "duplexctl tail ws://a.example/#x --protocol websocket",
            "duplexctl tail foo --protocol websocket",
            "duplexctl tail mqtt://a.example --protocol websocket",
            "duplexctl command ws://a.example shed relay on --protocol websocket",
            "duplexctl tail ws://a.example --namespace /chat",
            "duplexctl tail ws://a.example --protocol websocket --auth '{}'",
            "duplexctl tail ws://a.example --protocol socketio --since 0",
            "duplexctl tail ws://a.example --protocol socketio --token x",
            "duplexctl send ws://a.example hi --protocol socketio --hex",
            "duplexctl send ws://a.example hi --room general --event chat",
            "duplexctl tail foo --protocol socketio",
        ] {
            refused(line);
        }
        for line in [
            "duplexctl tail wss://me:hunter2@hub.test",
            "duplexctl tail wss://me:hun/hunter2@a.test --protocol websocket",
            "duplexctl tail ftp://me:hunter2@a.test --protocol websocket",
            "duplexctl tail wss://a.test --protocol websocket --header hunter2",
            "duplexctl tail wss://a.test --protocol websocket --header 'Host: hunter2'",
        ] {
            assert!(!refused(line).contains("hunter2"), "{line}");
        }
    }
}
