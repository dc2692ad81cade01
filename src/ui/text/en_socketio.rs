//! English: Socket.IO servers.

use super::socketio::SocketIoWords;

/// English.
pub(super) static ENGLISH: SocketIoWords = SocketIoWords {
    address_hint: "https://chat.example or http://localhost:3000",
    namespaces: "Namespaces",
    namespaces_hint: "Optional, separated by commas: /chat, /alerts",
    auth: "Sign-in data (JSON)",
    auth_new: "Optional: {\"token\": \"…\"}",
    auth_keep: "Leave empty to keep the current data",
    auth_is_kept: "The sign-in data is saved in this computer's keyring and never shown again.",
    remove_auth: "Remove sign-in data",
    bad_auth: "The sign-in data must be a JSON object, such as {\"token\": \"abc\"}.",
    carriers: "Engine.IO transport",
    automatic: "WebSocket, else polling",
    polling_first: "Polling, then WebSocket",
    polling: "Polling only",
    websocket: "WebSocket only",

    detect: "Detect automatically",

    gap: "Messages sent while Duplex was not connected may be missing here.",
};
