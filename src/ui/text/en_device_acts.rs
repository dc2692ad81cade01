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
    readings: "Edit readings…",
    merge: "Merge with another device…",
    act_on: |act, device| format!("{}: {device}", act.trim_end_matches('…')),
    full: |most| format!("Your own settings are kept for at most {most} devices. Reset some first."),

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
    readings_title: |device| format!("Readings of {device}"),
    readings_text: "Only you see these names and units, and what you clear isn't shown. Values are not converted.",
    show_reading: |reading| format!("Show {reading}"),
    reading_name: |reading| format!("Name of {reading}"),
    reading_unit: |reading| format!("Unit of {reading}"),
    no_unit: "No unit",
    reset_readings: "Use the device's own",
    merge_title: |device| format!("Merge {device} with another device"),
    merge_text: "Choose the device that this one belongs to. Both are then shown as one, under the chosen device's name. \
                 Nothing changes on the server, and the stored history of this device stays with it until you separate them. \
                 Duplex reconnects.",
    merge_filter: "Search devices",
    merge_with: |device| format!("Merge with {device}"),
    merge_nothing: "This server has no other devices.",
    merge_none_fits: "No device matches.",
    merge_more: |more| format!("{more} more match. Type more of the name."),
    merge_full: |most| format!("At most {most} devices can be merged on a server. Separate some first."),
    merged_part: |device| format!("Includes {device}"),
    separate: "Separate",
    separate_part: |device| format!("Separate {device}"),
    hidden_readings: |count| match count {
        1 => "1 reading is hidden".to_owned(),
        count => format!("{count} readings are hidden"),
    },

    renamed: |name| format!("Renamed to {name}"),
    grouped: |device, group| format!("Moved {device} to {group}"),
    ungrouped: |device| format!("Removed {device} from its group"),
    hidden: |device| format!("{device} is hidden"),
    shown: |device| format!("{device} is no longer hidden"),
    readings_changed: |device| format!("Changed the readings of {device}"),
    merged: |device, whole| format!("{device} is now part of {whole}"),
    separated: |device| format!("Separated from {device}"),
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
