//! Actions on the settings sheet: export and import of connections, the data folder, version and licences.

use std::collections::BTreeMap;

use egui::{Label, RichText, ScrollArea, TextEdit, Ui};

use super::control::warn;
use crate::model::Connection;
use crate::model::address::unencrypted_host;
use crate::model::device::DeviceId;
use crate::model::device_choices::{DeviceChoice, DeviceChoices};
use crate::model::id::ConnectionId;
use crate::model::intent::{AppIntent, DeviceIntent, Intent, LinkIntent};
use crate::model::transfer::{self, Moved};
use crate::settings::log_folder;
use crate::ui::text::Words;
use crate::ui::theme::{self, size};
use crate::ui::{Cx, harmless, rooms, widgets};

const FONT: &str = include_str!("../../../assets/fonts/Pretendard-LICENSE.txt");
const EMOJI_NAMES: &str = include_str!("../../../assets/emoji/Unicode-LICENSE.txt");
const ICONS: &str = include_str!("../../../assets/fonts/Lucide-LICENSE.txt");
/// Maximum length of an imported list, in characters.
const MAX_CHARACTERS: usize = 1 << 20;

/// Exports all connections to the clipboard, and imports pasted ones.
pub(super) fn transfer(ui: &mut Ui, cx: &mut Cx, list: &mut String) {
    let words = cx.words.profiles;
    let ours: Vec<Moved> = cx.model.read(|model| {
        // The app's own server and connections from the command line exist only on this computer.
        let saved = model.connections.iter().filter(|(id, _)| **id > ConnectionId::COMMAND_LINE);
        let moved = |connection: &Connection| {
            let devices = BTreeMap::clone(connection.devices.choices());
            Moved { profile: connection.profile.clone(), devices }
        };
        saved.map(|(_, connection)| moved(connection)).collect()
    });
    let copy = widgets::plain(&(words.copy_all)(ours.len()));
    if ui.add_enabled(!ours.is_empty(), copy).clicked() {
        ui.ctx().copy_text(transfer::export(&ours));
    }
    ui.end_row();
    let field = TextEdit::multiline(list)
        .hint_text(words.paste_here)
        .desired_rows(2)
        .char_limit(MAX_CHARACTERS)
        .desired_width(f32::INFINITY);
    ScrollArea::vertical()
        .max_height(4.0 * size::BODY_LINE)
        .show(ui, |ui| ui.add(field).accessible_name(words.paste_here));
    if list.trim().is_empty() {
        return;
    }
    let theme = theme::of(ui);
    let (text, colour, new, settings) = match transfer::import(list) {
        Err(bad) => ((words.bad_list)(&bad), theme.bad, Vec::new(), Vec::new()),
        Ok(all) => {
            let count = all.len();
            let (new, settings) = compare(all, &ours);
            let text = what_it_adds(cx, count - new.len(), &new, &settings);
            (text, theme.text, new, settings)
        }
    };
    let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).wrap());
    widgets::live(ui, shown.id, &text);
    ui.end_row();
    if new.iter().flat_map(|moved| &moved.profile.urls).any(|url| unencrypted_host(url).is_some()) {
        let warning = RichText::new(cx.words.clear_text_warning).font(theme::small()).color(theme.warn);
        ui.add(Label::new(warning).wrap());
        ui.end_row();
    }
    let action = if new.is_empty() { words.take_over } else { words.add };
    if (!new.is_empty() || !settings.is_empty()) && ui.add(widgets::plain(action)).clicked() {
        if !new.is_empty() {
            cx.intents.push(Intent::Link(LinkIntent::AddConnections(new)));
        }
        for (connection, devices) in settings {
            cx.intents.push(Intent::Device(DeviceIntent::TakeOver(connection, devices)));
        }
        list.clear();
    }
}

/// What is added, and what does not fit. `known`: the number of connections that are here already.
fn what_it_adds(cx: &Cx, known: usize, new: &[Moved], settings: &[Settings]) -> String {
    let words = cx.words.profiles;
    let names: Vec<String> =
        new.iter().map(|moved| rooms::name_of_profile(&moved.profile, None, cx.words)).collect();
    let devices = settings.iter().map(|(_, devices)| devices.len()).sum();
    let added = (words.will_add)(&names, known, devices);
    match cx.model.read(|model| left_out(model.device_choices.clone(), new, settings)) {
        0 => added,
        devices => format!("{added} {}", (words.left_out)(devices)),
    }
}

/// Settings for devices of a connection.
type Settings = (ConnectionId, BTreeMap<DeviceId, DeviceChoice>);

/// The connections that are not here yet, and the settings for devices that are different in those that are.
fn compare(all: Vec<Moved>, ours: &[Moved]) -> (Vec<Moved>, Vec<Settings>) {
    let (mut added, mut settings) = (Vec::new(), Vec::new());
    for moved in all {
        let is_it =
            |our: &&Moved| our.profile.name == moved.profile.name && our.profile.urls == moved.profile.urls;
        let Some(our) = ours.iter().find(is_it) else {
            added.push(moved);
            continue;
        };
        let mut different = moved.devices;
        different.retain(|device, choice| our.devices.get(device) != Some(choice));
        if !different.is_empty() {
            settings.push((our.profile.id, different));
        }
    }
    (added, settings)
}

/// Number of devices whose settings do not fit beside those that are here.
fn left_out(mut choices: DeviceChoices, new: &[Moved], settings: &[Settings]) -> usize {
    let of_new: usize = (0..)
        .zip(new)
        .map(|(number, moved)| choices.take_over(ConnectionId(u64::MAX - number), &moved.devices))
        .sum();
    let of_known: usize =
        settings.iter().map(|(connection, devices)| choices.take_over(*connection, devices)).sum();
    of_new + of_known
}

/// Shows the data folder, with buttons to open it and to copy its path.
pub(super) fn folder(ui: &mut Ui, cx: &mut Cx) {
    let words = cx.words.sheet;
    let path = cx.model.read(|model| model.data_dir.display().to_string());
    let shown = RichText::new(harmless::line(&path, 300)).font(theme::mono_small());
    ui.add(Label::new(shown).selectable(true).wrap());
    ui.end_row();
    if ui.add(widgets::plain(words.folder_open)).clicked() {
        cx.intents.push(Intent::App(AppIntent::OpenLink(path.clone())));
    }
    if ui.add(widgets::plain(words.folder_copy)).clicked() {
        ui.ctx().copy_text(path);
    }
}

/// A button that shows the log files.
pub(super) fn logs(ui: &mut Ui, cx: &mut Cx) {
    if ui.add(widgets::plain(cx.words.sheet.logs_show)).clicked() {
        let folder = cx.model.read(|model| log_folder::folder(&model.data_dir));
        cx.intents.push(Intent::App(AppIntent::OpenLink(folder.display().to_string())));
    }
}

/// A check box for starting with the person's session. It shows what the system has, which others may change.
pub(super) fn autostart(ui: &mut Ui, cx: &mut Cx, name: &str, sentence: &str) {
    let state = cx.model.read(|model| model.autostart.clone());
    let mut on = state.is_on;
    let checkbox = egui::Checkbox::new(&mut on, RichText::new(name).font(theme::body()).strong());
    let toggle = ui.add_enabled(state.is_known, checkbox);
    if toggle.changed() {
        cx.intents.push(Intent::App(AppIntent::SetAutostart(on)));
    }
    let failed = state.failed.map(|detail| (cx.words.sheet.autostart_failed)(&harmless::line(&detail, 200)));
    let said = failed.as_ref().map_or(sentence.to_owned(), |failed| [sentence, failed].join(" "));
    ui.ctx().accesskit_node_builder(toggle.id, |node| node.set_description(said));
    widgets::explain(ui, sentence);
    warn(ui, failed.as_deref());
}

/// Shows the version and, on request, the licences of the fonts.
pub(super) fn about(ui: &mut Ui, words: &Words, shows_licences: &mut bool) {
    let version = concat!("Duplex ", env!("CARGO_PKG_VERSION"));
    ui.add(Label::new(version).selectable(true));
    if ui.add(widgets::plain(words.sheet.version_copy)).clicked() {
        ui.ctx().copy_text(format!("{version} ({}, {})", std::env::consts::OS, std::env::consts::ARCH));
    }
    ui.end_row();
    ui.checkbox(shows_licences, words.sheet.font_licences);
    if *shows_licences {
        ui.end_row();
        ScrollArea::vertical().max_height(10.0 * size::BODY_LINE).id_salt("licences").show(ui, |ui| {
            for text in [FONT, EMOJI_NAMES, ICONS] {
                ui.add(Label::new(RichText::new(text).font(theme::mono_small())).selectable(true).wrap());
            }
        });
    }
}
