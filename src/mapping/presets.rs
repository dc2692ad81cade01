//! Mappings for servers that are widely copied and expect more than their messages show: a name after connecting, other events than they
//! send. Offered in the form as something to begin with.

use super::document::Mapping;

/// A mapping to begin with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What it is called.
    pub name: &'static str,
    json: &'static str,
}

impl Preset {
    /// The mapping.
    pub fn mapping(&self) -> Mapping {
        Mapping::parse(self.json).unwrap_or_default()
    }
}

/// All of them. Where their facts are from: the examples of Socket.IO, of Flask-SocketIO and of Spring, and tutorials.
pub const ALL: &[Preset] = &[
    Preset {
        name: "Socket.IO chat example",
        json: r#"{"join": [{"event": "add user", "args": ["{name}"]}], "send": {"event": "new message", "args": ["{text}"]}}"#,
    },
    Preset {
        name: "Socket.IO getting started",
        json: r#"{"send": {"event": "chat message", "args": ["{text}"]}}"#,
    },
    Preset {
        name: "Socket.IO private messaging",
        json: r#"{"send": {"event": "private message", "args": [{"content": "{text}", "to": "{room}"}]}}"#,
    },
    Preset {
        name: "ChatCord",
        json: r#"{"join": [{"event": "joinRoom", "args": [{"username": "{name}", "room": "JavaScript"}]}], "send": {"event": "chatMessage", "args": ["{text}"]}}"#,
    },
    Preset {
        name: "Flask-SocketIO-Chat",
        json: r#"{"join": [{"event": "joined", "args": [{}]}], "send": {"event": "text", "args": [{"msg": "{text}"}]}}"#,
    },
    Preset {
        name: "Spring WebSocket chat",
        json: r#"{"join": [{"destination": "/app/chat.addUser", "args": [{"sender": "{name}", "type": "JOIN"}]}], "send": {"destination": "/app/chat.sendMessage", "args": [{"sender": "{name}", "content": "{text}", "type": "CHAT"}]}}"#,
    },
    Preset {
        name: "Spring guide (gs-messaging-stomp-websocket)",
        json: r#"{"send": {"destination": "/app/hello", "args": [{"name": "{text}"}]}}"#,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_mapping() {
        for preset in ALL {
            assert!(
                Mapping::parse(preset.json).is_ok_and(|mapping| mapping.send.is_some()),
                "{}",
                preset.name
            );
        }
    }
}
