//! English: who may come in at a server.

use super::people::PeopleWords;
use crate::model::principal::Role;
use crate::model::rights::ManageRefusal;

/// English.
pub(super) static ENGLISH: PeopleWords = PeopleWords {
    menu: "People and invites",
    invite: "Invite people",
    title: |server| format!("People and invites: {server}"),

    people: "People",
    invites: "Invites",
    devices: "Devices",
    loading: "Loading…",
    not_connected: "Not connected. You can make changes once the connection is back.",
    nobody: "No people yet.",
    no_invites: "No invites yet.",
    no_devices: "No devices with a token yet.",

    owner: "Owner",
    admin: "Admin",
    person: "Member",
    device: "Device",
    you: "you",
    online: "online",
    offline: "offline",
    more: |name| format!("More for {name}"),
    rename: "Rename…",
    new_token: "New token…",
    make_admin: "Make admin…",
    make_person: "Remove admin rights…",
    role: |role| match role {
        Role::Guest => "Guest",
        Role::Member => "Member",
        Role::Operator => "Operator",
        Role::Admin => "Admin",
    },
    role_text: |role| match role {
        Role::Guest => "Reads rooms and devices.",
        Role::Member => "Writes, and makes rooms.",
        Role::Operator => "Also controls devices, and changes any public room.",
        Role::Admin => "Also deletes any message, and manages people, invites and devices.",
    },
    roles: "Role",
    change_role: "Change role…",
    role_title: |name| format!("Role of {name}"),
    remove: "Remove…",
    remove_device: "Remove…",

    rename_title: |name| format!("Rename {name}"),
    new_name: "New name",
    remove_title: |name| format!("Remove {name}?"),
    remove_text: |name| {
        format!("{name} is signed out at once and their token stops working. Their messages stay.")
    },
    remove_really: "Remove",
    remove_device_title: |name| format!("Remove {name}?"),
    remove_device_text: |name| {
        format!("{name} is disconnected at once and its token stops working. What it reported stays.")
    },
    token_title: |name| format!("New token for {name}?"),
    token_text: |name| {
        format!("{name} is signed out at once and the old token stops working. Give them the new one.")
    },
    own_token_text: "Your apps elsewhere are signed out at once and the old token stops working. This app switches to the new one.",
    device_token_text: |name| {
        format!(
            "{name} is disconnected at once and the old token stops working. Set up the new one on the device."
        )
    },
    token_really: "Create new token",
    admin_title: |name| format!("Make {name} an admin?"),
    admin_text: |name| format!("{name} can then add and remove people, invites and devices."),
    admin_really: "Make admin",
    person_title: |name| format!("Remove admin rights from {name}?"),
    person_text: |name| {
        format!("{name} stays a member, but can no longer add or remove people, invites and devices.")
    },
    person_really: "Remove rights",

    token_of: |name| format!("Token for {name}"),
    token_once: "Copy it now. It won't be shown again.",
    own_token_once: "This app already uses it. Copy it for your other apps; it won't be shown again.",
    publish_with: "Send a reading from a terminal or script:",
    curl_unchecked: "--insecure: the server's certificate is self-signed, so curl can't check it. Use this on networks you trust.",
    curl_pinned: "--pinnedpubkey: curl accepts only this server's key. --insecure is needed because the certificate is self-signed.",
    copy_token: "Copy token",
    copy_command: "Copy curl command",
    agent_with: "Or monitor a computer (Linux, macOS) with duplexctl:",
    copy_agent: "Copy agent command",
    device_runs: "The device runs",
    on_this_computer: "on this computer",
    on_another: "on another computer",
    device_local_only: "Other computers can't reach this server yet.",
    copy_link: "Copy link",
    copy_duplex_link: "Copy duplex:// link",
    done: "Done",

    lan_title: "Local network",
    lan_switch: "Open this server to the local network",
    lan_what_it_does: "Only this computer can reach the server now. When open, other computers on your network can find it by name and join with an invite. Members see its rooms, people and devices. Connections are encrypted.",
    lan_changing: "One moment…",
    lan_open: |name, address, port| {
        format!(
            "Open at {address}, port {port}. Computers on your network can find “{name}” and join with an invite."
        )
    },
    lan_no_network: "This computer isn't connected to a network, so nobody can reach the server. It opens by itself once there is a network.",
    lan_no_visits: |port| {
        format!(
            "No other computer has connected since it was opened. If an invite doesn't work, a firewall on this computer may be blocking TCP port {port}."
        )
    },
    lan_visitors: |now| match now {
        0 => "Other computers have reached it. None is connected right now.".into(),
        1 => "1 connection from another computer.".into(),
        _ => format!("{now} connections from other computers."),
    },
    lan_not_announced: |detail| {
        format!("The server may not appear on other computers ({detail}). Invite links still work.")
    },
    lan_closed: |ended| match ended {
        0 => "The server is closed to the network.".into(),
        1 => "The server is closed to the network. 1 connection was ended.".into(),
        _ => format!("The server is closed to the network. {ended} connections were ended."),
    },
    lan_port_in_use: |port| {
        format!(
            "Port {port} is used by another program, so the server isn't open. Invites you made for this port won't work on another one."
        )
    },
    lan_failed: |detail| format!("Couldn't open the server to the network: {detail}"),
    lan_other_port: "Use another port",
    lan_again: "Try again",

    new_invite: "New invite",
    good_for: "Valid for",
    days: |days| match days {
        1 => "1 day".into(),
        _ => format!("{days} days"),
    },
    as_admin: "Invite as admin",
    make_invite: "Create invite",
    link: "Invite link",
    link_once: |until| {
        format!("Works once, for one person, until {until}. Copy it now; it won't be shown again.")
    },
    link_how: "On the other computer, choose Add connection and paste the link. The QR code holds the same link.",
    link_local_only: "This invite works only on this computer: the server isn't open to the network.",
    invite_local_only: "Other computers can't use an invite until the server is open to the local network.",
    qr_name: "QR code of the invite link",
    copied: "Copied",
    revoke: "Revoke…",
    revoke_really: "Revoke",
    used_by: |name| format!("Used by {name}"),
    good_until: |until| format!("Valid until {until}"),
    expired: |at| format!("Expired {at}"),
    made_by: |name| format!("made by {name}"),
    remove_invite: |id| format!("Revoke invite {id}"),
    remove_invite_title: "Revoke this invite?",
    remove_invite_text: "Its link stops working. People who already joined stay.",

    device_id: "Device ID",
    device_id_hint: "greenhouse-3",
    device_name: "Name",
    device_name_hint: "Greenhouse 3",
    bad_device_id: "A device ID has 1 to 64 visible characters, doesn't start with ~, and isn't . or ..",
    bad_device_name: "A name has up to 128 visible characters.",
    device_known: "A device with this ID already exists. It will get a new token, and its current one will stop working.",
    add_device: "Add device",
    add_device_title: "Add a device",
    add_device_text: "The device gets a token of its own to send readings with. Give it a name; the ID is its address.",
    add_device_nowhere: "You can add devices on servers where you're an admin. Connect to one, or ask your server's admin.",
    at_server: "Server",

    nearby: "On your network",
    nearby_looking: "Looking for servers on your network…",
    nearby_none: "No servers found on your network. If you have an invite link, paste it above.",
    nearby_failed: |detail| format!("Can't look for servers on your network: {detail}"),
    nearby_invite: "Needs an invite",
    nearby_known: "Already added",
    nearby_link: "Invite link",
    nearby_link_hint: |name| format!("Paste the invite link for {name}"),
    nearby_link_text: "Ask the person who runs this server for an invite link. The link also tells Duplex how to recognize the server.",
    nearby_whole_link: "Paste the whole link, not only the code: it also tells Duplex how to recognize the server.",
    nearby_other_server: |name| format!("This invite is for a different server than {name}."),
    joining: "You're about to join",
    joining_server: "Server",
    joining_unnamed: "Name not given in the invite",
    joining_address: "Address",
    joining_also: |address, more| format!("{address} (and {more} more)"),
    joining_fingerprint: "Certificate fingerprint (SHA-256)",
    joining_pinned: "Duplex connects only to a server with exactly this certificate.",

    set_status: "Set status",
    status_hint: "What are you doing?",
    status_text: "Everyone on this server sees it beside your name.",
    clear_status: "Clear",
    saved: "Saved.",
    removed: |name| format!("{name} was removed."),
    removed_device: |name| format!("{name} was removed."),
    refused: |why| match why {
        ManageRefusal::NotAllowed => "Only admins can do that, and you are no longer one.",
        ManageRefusal::Unknown => "It no longer exists. The list has been updated.",
        ManageRefusal::LastAdmin => "This is the last admin. Make someone else an admin first.",
        ManageRefusal::Owner => {
            "The owner's rights can't be removed because their token is on the server's disk. Create a new token for them instead."
        }
        ManageRefusal::BadName => "A name has 1 to 64 visible characters.",
        ManageRefusal::BadToken => "The server didn't accept the token. Try again.",
        ManageRefusal::BadId => {
            "This ID can't be used: it belongs to a person, it starts with ~, or it is . or .."
        }
        ManageRefusal::BadKind => "A device can't become a person, or a person a device.",
        ManageRefusal::TooMany => "There are too many unused invites. Revoke some first.",
        ManageRefusal::Unavailable => "The server can't read or write its data right now. Try again later.",
        ManageRefusal::Other => "The server refused the request.",
    },
};
