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
    one_mentions_you: "You are mentioned.",
    hidden_text: "New message",
    device_gone: |device, gone| match gone {
        Gone::Silent => format!("{device} is silent"),
        Gone::Offline | Gone::Both => format!("{device} went offline"),
    },
    devices_gone: |count, gone, of| match gone {
        Gone::Offline => format!("{count} devices went offline in {of}"),
        Gone::Silent => format!("{count} devices are silent in {of}"),
        Gone::Both => format!("{count} devices are offline or silent in {of}"),
    },
    and_more: |names, more| format!("{names} and {more} more"),
    link_lost: |of| format!("No connection to {of}"),
    links_lost: |count| format!("{count} connections are down"),
    link_lost_text: "Duplex keeps trying. What you write is sent as soon as the connection is back.",
    trial_title: "Notifications work",
    trial_text: "This is what one looks like.",

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
        Level::Mentions => "Mentions of me",
        Level::Nothing => "Nothing",
    },
    as_all_rooms: |level| match level {
        Level::All => "As usual (all messages)".to_owned(),
        Level::Mentions => "As usual (mentions of me)".to_owned(),
        Level::Nothing => "As usual (nothing)".to_owned(),
    },
    room_is: |level| match level {
        Level::All => "notifies of all messages",
        Level::Mentions => "notifies of mentions",
        Level::Nothing => "muted",
    },
    mute_device: "No notifications",
    mute_device_text: "No notification when this device goes offline or falls silent.",

    group: "Notifications",
    rooms: "Messages to be notified of",
    rooms_text: "While you look elsewhere. A room's own menu (right click) can say otherwise.",
    devices: "Devices that go offline",
    devices_text: "Be notified when a device goes offline or falls silent. Its page can mute it.",
    link: "Lost connections",
    link_text: "Be notified once when your own connection has been down for 30 seconds.",
    show_text: "Message text in notifications",
    show_text_text: "Turn this off where others can see your screen.",
    disturb_text: "No notifications until you turn this off again.",
    quiet: "Quiet hours",
    quiet_text: "No notifications between these times, by this computer's clock.",
    quiet_from: "Quiet from",
    quiet_from_text: "When quiet hours begin.",
    quiet_to: "Quiet until",
    quiet_to_text: "When quiet hours end; past midnight where that is the earlier time.",
    clock,
    tray: "Tray icon",
    tray_text: "Shows an icon with the number of unread messages in the system tray.",
    close_to_tray: "Keep running when the window is closed",
    close_to_tray_text: "Closing the window hides it in the tray; Duplex keeps running until you choose Quit there.",
    trial: "Try it",
    trial_setting_text: "Shows a notification, even while you are not to be disturbed.",
    trial_button: "Send a test notification",
    no_service: "This computer shows no notifications: it has no notification service running.",
    no_tray: "This desktop has no tray, so closing the window quits Duplex.",
    cannot_hide: "Not available on Wayland, where a hidden window can't be shown again; closing it quits Duplex.",
};
