//! English about a person's own choices for devices and about saved files.

use super::device_acts::ActWords;
use crate::model::export::ExportFailure;

/// English.
pub static ENGLISH: ActWords = ActWords {
    rename: "Rename…",
    group: "Group…",
    pin: "Pin to top",
    unpin: "Unpin",
    hide: "Hide",
    unhide: "Stop hiding",
    unmute: "Unmute notifications",
    copy_id: "Copy device ID",
    act_on: |act, device| format!("{}: {device}", act.trim_end_matches('…')),
    full: |most| {
        format!("Names, groups, pins and hiding are kept for at most {most} devices. Reset some first.")
    },

    rename_title: |device| format!("Rename {device}"),
    name: "Name",
    rename_text: "Only you see this name. Leave it empty to use the device's own.",
    on_server: |name, id| format!("On the server: {name} · ID {id}"),
    reset_name: "Use the device's own name",
    bad_name: |most| format!("A name has at most {most} visible characters."),
    group_title: |device| format!("Group for {device}"),
    group_name: "Group",
    group_text: "Devices in the same group are listed together. Only you see your groups.",
    use_group: |name| format!("Use group {name}"),
    no_group: "Remove from group",

    renamed: |name| format!("Renamed to {name}"),
    grouped: |device, group| format!("Moved {device} to {group}"),
    ungrouped: |device| format!("Removed {device} from its group"),
    hidden: |device| format!("{device} is hidden"),
    shown: |device| format!("{device} is no longer hidden"),
    undo: "Undo",

    save: "Save…",
    save_csv: "Save readings as CSV",
    save_picture: "Save picture as PNG",
    saving: "Saving…",
    saved: |path, rows| match rows {
        Some(1) => format!("Saved 1 row to {path}"),
        Some(rows) => format!("Saved {rows} rows to {path}"),
        None => format!("Saved to {path}"),
    },
    cut: |until| format!("The file was full: it ends at {until}. Save a shorter range for the rest."),
    picture_part: "The picture shows the part of the plots that was visible.",
    show_in_folder: "Show in folder",
    copy_path: "Copy path",
    not_saved: |failure| match failure {
        ExportFailure::NoFolder => {
            "Not saved: no Downloads or home folder was found. Create one and try again.".to_owned()
        }
        ExportFailure::DiskFull => "Not saved: the disk is full. Free some space and try again.".to_owned(),
        ExportFailure::Denied { folder } => {
            format!("Not saved: you don't have permission to write to {folder}. Allow it and try again.")
        }
        ExportFailure::NotWritten { folder, detail } => {
            format!("Not saved: {folder} couldn't be written ({detail}). Check the folder and try again.")
        }
        ExportFailure::NotRead { detail } => {
            format!("Not saved: the stored readings couldn't be read ({detail}). Try again.")
        }
        ExportFailure::Busy => "Not saved: another file is being saved. Try again when it's done.".to_owned(),
        ExportFailure::Gone => "Not saved: this device is no longer known to its server.".to_owned(),
    },
};
