//! English about files and pictures.

use super::files::FileWords;
use crate::model::file::size_text;
use crate::model::files::FileTrouble;
use crate::ui::harmless;

/// English about files and pictures.
pub static ENGLISH: FileWords = FileWords {
    attach: "Attach files",
    file_named: |name, size| format!("File: {name}, {size}"),
    picture_named: |name, size| format!("Picture: {name}, {size}"),
    save: "Save",
    save_as: "Save as",
    saved_to: |path| format!("Saved to {path}"),
    show_in_folder: "Show in folder",
    view: "View",
    fetching: |percent| format!("Downloading… {percent}%"),
    pending: "Files to send",
    copying: "Copying…",
    attached: "Sent with your next message",
    waiting: "Waiting to upload",
    uploading: |percent| format!("Uploading… {percent}%"),
    sending: "Sending…",
    remove: |name| format!("Remove {name}"),
    trouble: |trouble| match trouble {
        FileTrouble::Unreachable => "The server can't be reached. Retrying automatically.".to_owned(),
        FileTrouble::TooLarge { limit: Some(limit) } => {
            format!("Too large: the server takes files of up to {}.", size_text(*limit))
        }
        FileTrouble::TooLarge { limit: None } => "The file is too large for the server.".to_owned(),
        FileTrouble::Quota { limit: Some(limit) } => format!(
            "Your files on this server may take up to {}. Delete messages with files to free space.",
            size_text(*limit)
        ),
        FileTrouble::Quota { limit: None } => {
            "You've used all your space for files on this server. Delete messages with files to free space."
                .to_owned()
        }
        FileTrouble::ServerFull => {
            "The server has no space left for files. Retrying automatically; you can also ask its admin."
                .to_owned()
        }
        FileTrouble::TooMany => {
            "Too many files are waiting to be sent. Send or remove some first.".to_owned()
        }
        FileTrouble::NotAllowed => "You're not allowed to do this. Ask the server's admin.".to_owned(),
        FileTrouble::NotOffered => "This server doesn't take files.".to_owned(),
        FileTrouble::Gone => {
            "The server no longer keeps this file: its admin limits how long files are kept.".to_owned()
        }
        FileTrouble::NoSuchFile => "The server doesn't have this file anymore.".to_owned(),
        FileTrouble::Checksum => "The file was damaged on the way. Try again.".to_owned(),
        FileTrouble::Disk { detail } => {
            format!("The file couldn't be read or written ({}).", harmless::line(detail, 200))
        }
        FileTrouble::Refused { detail } => {
            format!("The server refused the file: {}", harmless::line(detail, 200))
        }
    },
    drop_here: "Drop files here to attach them",
    path: "Path of the file",
    path_hint: "Type the full path, for example /home/mina/report.pdf",
    add: "Attach",
    viewer: "Picture",
    zoom_in: "Zoom in",
    zoom_out: "Zoom out",
    fit: "Fit to window",
    loading: "Loading…",
    not_a_picture: "This picture can't be shown: it is damaged, too large, or in another format. You can save it.",
};
