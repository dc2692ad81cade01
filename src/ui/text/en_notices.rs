//! English in notices, in the tray, and where a person chooses of what to be told.

use super::notices::{NoticeWords, clock};
use crate::model::notices::{Gone, Level};

/// English in notices.
pub static ENGLISH: NoticeWords = NoticeWords {
    message_in: |sender, room| format!("{sender} in {room}"),
    mention_in: |sender, room| format!("{sender} mentioned you in {room}"),
    messages_in: |count, room| match count {
        1 => format!("1 new message in {room}"),
        _ => format!("{count} new messages in {room}"),
    },
    messages_in_rooms: |count, rooms| format!("{count} new messages in {rooms} rooms"),
    one_mentions_you: "You were mentioned.",
    hidden_text: "New message",
    device_gone: |device, gone| match gone {
        Gone::Silent => format!("No data from {device}"),
        Gone::Offline | Gone::Both => format!("{device} went offline"),
    },
    devices_gone: |count, gone, of| match gone {
        Gone::Offline => format!("{count} devices went offline in {of}"),
        Gone::Silent => format!("No data from {count} devices in {of}"),
        Gone::Both => format!("{count} devices in {of} are offline or send no data"),
    },
    and_more: |names, more| format!("{names} and {more} more"),
    link_lost: |of| format!("No connection to {of}"),
    links_lost: |count| format!("{count} connections are down"),
    link_lost_text: "Reconnecting automatically. Messages you write are sent once the connection is back.",
    trial_title: "Notifications work",
    trial_text: "This is what a notification looks like.",

    open: "Open Duplex",
    do_not_disturb: "Do not disturb",
    quit: "Quit",
    tooltip: |unread| match unread {
        0 => "Duplex: no unread messages".to_owned(),
        1 => "Duplex: 1 unread message".to_owned(),
        _ => format!("Duplex: {unread} unread messages"),
    },

    level: |level| match level {
        Level::All => "All messages",
        Level::Mentions => "Mentions only",
        Level::Nothing => "Nothing",
    },
    of_room: "Notifications for this room",
    as_all_rooms: |level| match level {
        Level::All => "Default (all messages)".to_owned(),
        Level::Mentions => "Default (mentions only)".to_owned(),
        Level::Nothing => "Default (nothing)".to_owned(),
    },
    room_is: |level| match level {
        Level::All => "notifies of all messages",
        Level::Mentions => "notifies of mentions",
        Level::Nothing => "muted",
    },
    mute_device: "Mute notifications",
    mute_device_text: "Don't notify me when this device goes offline or stops sending data.",

    group: "Notifications",
    rooms: "Notify me about",
    rooms_text: "When Duplex isn't in focus. Right-click a room to choose otherwise for it.",
    devices: "Devices going offline",
    devices_text: "Notify me when a device goes offline or stops sending data. Each device can be muted on its page.",
    link: "Lost connections",
    link_text: "Notify me once when my connection has been down for 30 seconds.",
    show_text: "Message text in notifications",
    show_text_text: "Turn this off if others can see your screen.",
    disturb_text: "No notifications until you turn this off again.",
    quiet: "Quiet hours",
    quiet_text: "No notifications between these times (this computer's clock).",
    quiet_from: "Quiet from",
    quiet_from_text: "When quiet hours begin.",
    quiet_to: "Quiet until",
    quiet_to_text: "When quiet hours end; on the next day if earlier than the start.",
    clock,
    tray: "Tray icon",
    tray_text: "Shows the number of unread messages in the system tray.",
    close_to_tray: "Keep running when the window is closed",
    close_to_tray_text: "Closing the window hides it in the tray; Duplex keeps running until you choose Quit there.",
    trial: "Test notification",
    trial_setting_text: "Shows one notification, even during Do not disturb.",
    trial_button: "Send test notification",
    no_service: "Notifications aren't available: no notification service is running on this computer.",
    no_tray: "This desktop has no tray, so closing the window quits Duplex.",
    cannot_hide: "Not available on Wayland, where a hidden window can't be brought back. Closing the window quits Duplex.",
};
