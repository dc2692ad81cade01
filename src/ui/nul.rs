//! [`NoNul`]: keeps NUL characters out of text fields and the accessibility tree. AT-SPI uses NUL-terminated
//! strings; a single NUL disconnects the application from the bus until it restarts.

use egui::accesskit::{Action, ActionData, Node};
use egui::{Context, Event, FullOutput, ImeEvent, Plugin, RawInput};

/// Replaces a NUL in text for assistive technology. One byte long, so that character positions stay valid.
const STAND_IN: &str = " ";

/// An egui plugin that removes NULs from input, and replaces them in the accessibility tree.
pub(super) struct NoNul;

impl Plugin for NoNul {
    fn debug_name(&self) -> &'static str {
        "NoNul"
    }

    fn input_hook(&mut self, _ctx: &Context, input: &mut RawInput) {
        for event in &mut input.events {
            match event {
                Event::Text(text) | Event::Paste(text) | Event::MiddleClickPaste { text, .. } => strip(text),
                Event::Ime(ImeEvent::Commit(text) | ImeEvent::Preedit { text, .. }) => strip(text),
                Event::AccessKitActionRequest(request)
                    if matches!(request.action, Action::SetValue | Action::ReplaceSelectedText) =>
                {
                    if let Some(ActionData::Value(value)) = &mut request.data
                        && value.contains('\0')
                    {
                        *value = value.replace('\0', "").into();
                    }
                }
                _ => {}
            }
        }
    }

    fn output_hook(&mut self, _ctx: &Context, output: &mut FullOutput) {
        let Some(update) = &mut output.platform_output.accesskit_update else { return };
        for (_, node) in &mut update.nodes {
            clean(node);
        }
    }
}

fn strip(text: &mut String) {
    if text.contains('\0') {
        text.retain(|c| c != '\0');
    }
}

fn clean(node: &mut Node) {
    type Get = fn(&Node) -> Option<&str>;
    type Set = fn(&mut Node, String);
    const TEXTS: [(Get, Set); 5] = [
        (Node::label, |node, text| node.set_label(text)),
        (Node::value, |node, text| node.set_value(text)),
        (Node::description, |node, text| node.set_description(text)),
        (Node::placeholder, |node, text| node.set_placeholder(text)),
        (Node::role_description, |node, text| node.set_role_description(text)),
    ];
    for (get, set) in TEXTS {
        let clean = get(node).filter(|text| text.contains('\0')).map(|text| text.replace('\0', STAND_IN));
        if let Some(clean) = clean {
            set(node, clean);
        }
    }
}
