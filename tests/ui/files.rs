//! Files and pictures in the window: attaching, what waits, cards, thumbnails and the viewer. By accessible names, without a
//! display.

use std::path::PathBuf;
use std::sync::Arc;

use duplex::model::content::Content;
use duplex::model::event::{ChatEvent, ChoicesUpdate, Event, Update};
use duplex::model::export::Picture;
use duplex::model::file::{FileHash, FileId, FileInfo, file_body};
use duplex::model::files::{FileTrouble, FileUpdate, Held, PendingFile, Stage, Thumbnail, Viewed};
use duplex::model::intent::{AppIntent, FileIntent, FileSource, Intent};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::{Feature, Features};
use egui::Key;
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, general, message};

fn info(name: &str, size: u64, sides: Option<(u32, u32)>) -> FileInfo {
    let (width, height) = sides.unzip();
    FileInfo {
        id: FileId::from_random([name.len() as u8; 16]),
        name: name.to_owned(),
        size,
        sha256: FileHash([name.len() as u8; 32]),
        media_type: duplex::model::file::media_type(name).to_owned(),
        width,
        height,
    }
}

fn with_file(window: &mut Window, offset: u64, file: &FileInfo, text: &str) {
    let mut entry = message(offset, "general", "mina", text);
    let body = if text.is_empty() { file_body(&file.name, file.size) } else { text.to_owned() };
    entry.draft.content = Content::text(body).with_file(file);
    window.event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
}

fn told(window: &mut Window, update: FileUpdate) {
    window.update(Update::File(update));
}

fn of_files(window: &mut Window) -> Vec<FileIntent> {
    let file = |intent| match intent {
        Intent::File(intent) => Some(intent),
        _ => None,
    };
    window.intents().into_iter().filter_map(file).collect()
}

fn has(window: &Window, label: &str) -> bool {
    window.harness.query_all_by_label(label).next().is_some()
}

fn pending(file: &FileInfo, stage: Stage) -> FileUpdate {
    FileUpdate::Pending(CONNECTION, PendingFile { info: file.clone(), room: general(), thread: None, stage })
}

#[test]
fn files_are_attached_and_sent_with_what_is_typed() {
    let mut window = Window::online();
    window.intents();
    window.click("Attach files");
    let picked = FileIntent::Pick { connection: CONNECTION, room: general(), thread: None };
    assert_eq!(of_files(&mut window), [picked]);
    let file = info("pump.log", 2_500, None);
    told(&mut window, pending(&file, Stage::Copying));
    assert!(has(&window, "Copying…"));
    told(&mut window, pending(&file, Stage::Attached));
    assert!(has(&window, "Sent with your next message"));
    window.type_message("It leaks again");
    window.key(Key::Enter);
    let sent = FileIntent::Send {
        connection: CONNECTION,
        room: general(),
        thread: None,
        text: "It leaks again".into(),
        reply_to: None,
    };
    assert_eq!(of_files(&mut window), [sent]);
    assert_eq!(window.message_text(), "");
    for (stage, says) in [
        (Stage::Waiting(None), "Waiting to upload"),
        (Stage::Uploading(1_250), "Uploading… 50%"),
        (
            Stage::Waiting(Some(FileTrouble::Unreachable)),
            "The server can't be reached. Retrying automatically.",
        ),
        (Stage::Sending, "Sending…"),
        (
            Stage::Failed(FileTrouble::TooLarge { limit: Some(1_000) }),
            "Too large: the server takes files of up to 1.0 kB.",
        ),
    ] {
        told(&mut window, pending(&file, stage));
        assert!(has(&window, says), "{says}");
    }
    window.click("Retry");
    window.click("Remove pump.log");
    let (connection, file_id) = (CONNECTION, file.id);
    assert_eq!(
        of_files(&mut window),
        [FileIntent::Retry { connection, file: file_id }, FileIntent::Cancel { connection, file: file_id }]
    );
    told(&mut window, FileUpdate::PendingOver(CONNECTION, file.id));
    // Without words nothing is sent, unless a file is.
    window.key(Key::Enter);
    assert_eq!(of_files(&mut window), []);
}

#[test]
fn where_nothing_picks_files_a_path_is_typed() {
    let mut window = Window::online();
    window.click("Attach files");
    window.intents();
    told(&mut window, FileUpdate::NoPicker { connection: CONNECTION, room: general(), thread: None });
    window.fill("Path of the file", "/srv/report.pdf");
    window.click("Attach");
    let added = FileIntent::Add {
        connection: CONNECTION,
        room: general(),
        thread: None,
        source: FileSource::Path(PathBuf::from("/srv/report.pdf")),
    };
    assert_eq!(of_files(&mut window), [added]);
}

#[test]
fn a_server_that_takes_no_files_offers_none() {
    let mut window = Window::online();
    window.offer(Features::all().without(Feature::Files));
    assert!(!has(&window, "Attach files"));
    let picture = Picture { width: 1, height: 1, rgba: Arc::from([0; 4]) };
    window.ui(|ui, model, intents| assert!(!ui.paste_picture(model, picture, intents)));
    assert_eq!(of_files(&mut window), []);
}

#[test]
fn a_pasted_picture_is_attached() {
    let mut window = Window::online();
    window.intents();
    let picture = Picture { width: 1, height: 1, rgba: Arc::from([0; 4]) };
    let pasted = picture.clone();
    window.ui(move |ui, model, intents| assert!(ui.paste_picture(model, pasted, intents)));
    let added = FileIntent::Add {
        connection: CONNECTION,
        room: general(),
        thread: None,
        source: FileSource::Picture(picture),
    };
    assert_eq!(of_files(&mut window), [added]);
}

#[test]
fn a_file_shows_its_harmless_name_and_is_saved() {
    let mut window = Window::online();
    let file = info("invoice\u{202E}fdp.exe", 2_500_000, None);
    with_file(&mut window, 1, &file, "");
    let shown = window.harness.query_all_by_label_contains("fdp.exe, 2.5 MB");
    let names: Vec<String> =
        shown.map(|node| node.accesskit_node().label().unwrap_or_default().to_string()).collect();
    assert!(names.len() == 1 && !names[0].contains('\u{202E}'), "{names:?}");
    assert!(!has(&window, &file_body(&file.name, file.size)), "its name is not told twice");
    window.intents();
    window.click("Save");
    assert_eq!(of_files(&mut window), [FileIntent::Save { connection: CONNECTION, file: file.clone() }]);
    told(&mut window, FileUpdate::Held(file.sha256, Some(Held::Loading(1_000_000))));
    window.click("Cancel");
    assert_eq!(of_files(&mut window), [FileIntent::EndFetch(file.sha256)]);
    told(&mut window, FileUpdate::Held(file.sha256, Some(Held::Failed(FileTrouble::Gone))));
    assert!(has(&window, "The server no longer keeps this file: its admin limits how long files are kept."));
    let saved = PathBuf::from("/home/mina/invoice.exe");
    told(&mut window, FileUpdate::Saved(file.id, Ok(saved.clone())));
    assert!(has(&window, "Saved to /home/mina/invoice.exe"));
    window.click("Show in folder");
    assert!(window.intents().contains(&Intent::App(AppIntent::ShowFile(saved))));
}

#[test]
fn a_picture_has_a_thumbnail_and_a_viewer() {
    let mut window = Window::online();
    let file = info("boat.png", 400_000, Some((1_200, 600)));
    with_file(&mut window, 1, &file, "Look at this");
    let fetch = FileIntent::Fetch { connection: CONNECTION, file: file.clone(), thumbnail: true };
    assert_eq!(of_files(&mut window), [fetch], "asked once");
    window.run();
    assert_eq!(of_files(&mut window), []);
    let before = window.rect("Picture: boat.png, 400.0 kB");
    let pixels = Picture { width: 4, height: 2, rgba: Arc::from([200; 32]) };
    told(&mut window, FileUpdate::Held(file.sha256, Some(Held::Here)));
    told(&mut window, FileUpdate::Thumbnail(file.sha256, Thumbnail::Picture(pixels.clone())));
    assert_eq!(window.rect("Picture: boat.png, 400.0 kB"), before, "nothing moves when it comes");
    assert!((before.width() / before.height() - 2.0).abs() < 0.05, "{before:?}");
    assert!(has(&window, "Look at this"));
    window.click("Picture: boat.png, 400.0 kB");
    let view = FileIntent::View { connection: CONNECTION, file: file.clone() };
    assert_eq!(of_files(&mut window), [view]);
    let viewed = |picture| Viewed { connection: CONNECTION, info: file.clone(), picture };
    told(&mut window, FileUpdate::Viewed(Some(viewed(None))));
    assert!(has(&window, "Loading…"));
    told(&mut window, FileUpdate::Viewed(Some(viewed(Some(Thumbnail::Picture(pixels))))));
    window.click("Zoom in");
    window.click("Fit to window");
    window.check_names();
    window.key(Key::Escape);
    assert_eq!(of_files(&mut window), [FileIntent::EndView]);
    told(&mut window, FileUpdate::Viewed(None));
    assert!(!has(&window, "Zoom in"));
}

#[test]
fn a_bomb_is_a_file() {
    let mut window = Window::online();
    let file = info("bomb.png", 400_000, Some((1_200, 600)));
    with_file(&mut window, 1, &file, "");
    told(&mut window, FileUpdate::Thumbnail(file.sha256, Thumbnail::None));
    assert!(has(&window, "File: bomb.png, 400.0 kB"));
    // A picture that is large is not fetched by itself.
    let large = info("a large picture.png", 80_000_000, Some((9_000, 6_000)));
    window.intents();
    with_file(&mut window, 2, &large, "");
    assert_eq!(of_files(&mut window), []);
    window.click("View");
    assert_eq!(of_files(&mut window), [FileIntent::View { connection: CONNECTION, file: large }]);
}

#[test]
fn it_speaks_korean() {
    let mut window = Window::online();
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
    let file = info("보고서.pdf", 2_500, None);
    with_file(&mut window, 1, &file, "");
    assert!(has(&window, "파일: 보고서.pdf, 2.5 kB") && has(&window, "파일 첨부") && has(&window, "저장"));
    told(&mut window, pending(&file, Stage::Uploading(1_250)));
    assert!(has(&window, "업로드하는 중… 50%"));
    window.check_names();
}
