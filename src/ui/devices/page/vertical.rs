//! The value range of a plot: automatic, or set by the person. Kept by value type and unit while the page is
//! open.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Label, PopupCloseBehavior, RichText, TextEdit, Ui};

use super::plots::Plotted;
use crate::model::device::{Metric, MetricType};
use crate::ui::theme::{self, space};
use crate::ui::{Cx, widgets};

/// Width of the fields, in points.
const FIELD: f32 = 150.0;

/// The custom ranges by value type and unit, and the form.
#[derive(Default)]
pub(super) struct Ranges {
    set: Vec<(MetricType, String, (f64, f64))>,
    form: Form,
}

#[derive(Default)]
struct Form {
    of: Option<(MetricType, String)>,
    low: String,
    high: String,
    refused: bool,
}

impl Ranges {
    /// The custom range of a plot, if any.
    pub(super) fn of(&self, metric: &Metric) -> Option<(f64, f64)> {
        let is_it = |(kind, unit, _): &&(MetricType, String, (f64, f64))| {
            *kind == metric.kind && *unit == metric.unit
        };
        self.set.iter().find(is_it).map(|(.., ends)| *ends)
    }

    fn choose(&mut self, metric: &Metric, ends: Option<(f64, f64)>) {
        self.set.retain(|(kind, unit, _)| *kind != metric.kind || *unit != metric.unit);
        self.set.extend(ends.map(|ends| (metric.kind, metric.unit.clone(), ends)));
    }

    /// The button in a plot's legend and its popup. `ends` is the range in view.
    pub(super) fn button(&mut self, ui: &mut Ui, cx: &mut Cx, lines: &[Plotted], ends: (f64, f64)) {
        let Some(first) = lines.first().map(|line| line.metric) else { return };
        if first.kind != MetricType::Number {
            return;
        }
        let words = cx.words.device_page;
        let theme = theme::of(ui);
        // Fields and buttons have their normal style, not that of menu items.
        let config = MenuConfig::new()
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .style(egui::style::StyleModifier::default());
        let button = MenuButton::from_button(widgets::link(theme, words.y_axis)).config(config);
        let (response, shown) = button.ui(ui, |ui| ui.vertical(|ui| self.form(ui, cx, first, ends)));
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        widgets::named(ui, &response, &(words.y_axis_of)(&names.join(", ")));
        if shown.is_none() && self.form.of.as_ref().is_some_and(|of| *of == (first.kind, first.unit.clone()))
        {
            self.form = Form::default();
        }
    }

    fn form(&mut self, ui: &mut Ui, cx: &mut Cx, metric: &Metric, ends: (f64, f64)) {
        let words = cx.words.device_page;
        let theme = theme::of(ui);
        let of = (metric.kind, metric.unit.clone());
        let is_new = self.form.of.as_ref() != Some(&of);
        if is_new {
            let (low, high) = (short(ends.0), short(ends.1));
            self.form = Form { of: Some(of), low, high, refused: false };
        }
        let is_auto = self.of(metric).is_none();
        if ui.radio(is_auto, words.y_auto).clicked() {
            self.choose(metric, None);
            cx.deadline.at(cx.now.boot_ms);
            ui.close();
        }
        let mut entered = false;
        let fields = [(words.y_low, &mut self.form.low), (words.y_high, &mut self.form.high)];
        for (at, (name, text)) in fields.into_iter().enumerate() {
            ui.add(Label::new(RichText::new(name).font(theme::small()).color(theme.weak)).selectable(false));
            let field = TextEdit::singleline(text).id_salt(name).char_limit(32).desired_width(FIELD);
            let field = ui.add(field.return_key(None)).accessible_name(name);
            if is_new && at == 0 {
                field.request_focus();
            }
            self.form.refused &= !field.changed();
            entered |= field.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        }
        // Takes up space even when empty, so that nothing moves.
        let said = if self.form.refused { words.y_bad } else { " " };
        let said = RichText::new(said).font(theme::small()).color(theme.bad);
        ui.set_max_width(FIELD + 2.0 * space::LARGE);
        let label = ui.add(Label::new(said).wrap());
        if self.form.refused {
            widgets::live(ui, label.id, words.y_bad);
        }
        if ui.add(widgets::plain(words.y_set)).clicked() || entered {
            match ends_of(&self.form.low, &self.form.high) {
                Some(ends) => {
                    self.choose(metric, Some(ends));
                    cx.deadline.at(cx.now.boot_ms);
                    ui.close();
                }
                None => self.form.refused = true,
            }
        }
    }
}

/// Parses both ends. The lower comes first; both must be within what a plot can draw.
fn ends_of(low: &str, high: &str) -> Option<(f64, f64)> {
    let number = |text: &str| {
        let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
        plain.parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() <= 1e200)
    };
    let ends = (number(low)?, number(high)?);
    // The axis cannot resolve a smaller range.
    let least = ends.0.abs().max(ends.1.abs()) * 1e-9;
    (ends.1 - ends.0 > least).then_some(ends)
}

/// A number as the initial text of a field, with four significant digits.
fn short(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{number:.3e}");
    }
    let digits = if size == 0.0 { 0 } else { (3 - size.log10().floor() as i32).clamp(0, 9) };
    let text = format!("{number:.0$}", digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_accepted_the_lower_first() {
        assert_eq!(ends_of("0", " 1,000 "), Some((0.0, 1_000.0)));
        assert_eq!(ends_of("-1e3", "2.5"), Some((-1_000.0, 2.5)));
        for (low, high) in
            [("", "1"), ("1", "x"), ("2", "1"), ("1", "1"), ("nan", "1"), ("0", "inf"), ("0", "1e300")]
        {
            assert_eq!(ends_of(low, high), None, "{low} {high}");
        }
    }

    #[test]
    fn initial_texts_are_short() {
        let all = [0.0, 21.456_789, -0.001_234, 123_456.0, 1e12].map(short);
        assert_eq!(all, ["0", "21.46", "-0.001234", "123456", "1.000e12"]);
    }
}
