//! Controls beyond those that a value's type tells: buttons, the movements of a cover, and colours.

use egui::{Response, Ui};

use crate::model::device::{Control, Metric, MetricType};

/// Maximum number of options that are buttons beside each other.
const MAX_BUTTONS: usize = 6;

/// Whether the options of an enumeration are buttons rather than a list.
pub(super) fn has_buttons(metric: &Metric) -> bool {
    let is_meant = matches!(metric.control, Some(Control::Button | Control::Cover));
    metric.kind == MetricType::Enum && is_meant && (1..=MAX_BUTTONS).contains(&metric.options.len())
}

/// Whether it is a single button, which is called like the property.
pub(super) fn is_button(metric: &Metric) -> bool {
    has_buttons(metric) && metric.control == Some(Control::Button) && metric.options.len() == 1
}

/// For a colour: a field that opens a picker. Returns its response and, if the person has picked one, the colour as text.
pub(super) fn colour(ui: &mut Ui, text: &str) -> (Response, Option<String>) {
    let mut rgb = from_text(text).unwrap_or([u8::MAX; 3]);
    let response = ui.color_edit_button_srgb(&mut rgb);
    let picked = response.changed().then(|| {
        let [red, green, blue] = rgb;
        format!("#{red:02X}{green:02X}{blue:02X}")
    });
    (response, picked)
}

/// Reads `#RRGGBB`.
fn from_text(text: &str) -> Option<[u8; 3]> {
    let digits = text.trim().strip_prefix('#')?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    bytes.try_into().ok()
}

/// The value nearest to a number that is so many steps from the minimum.
pub(super) fn snapped(metric: &Metric, number: f64) -> f64 {
    let step = metric.step.map(crate::model::Number::nearest).filter(|step| *step > 0.0 && step.is_finite());
    let Some(step) = step else { return number };
    let from = metric.min.map_or(0.0, crate::model::Number::nearest);
    let snapped = from + ((number - from) / step).round() * step;
    // Without the error of the division: 0.1 three times is 0.3.
    let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize + 1;
    format!("{snapped:.digits$}").parse().unwrap_or(snapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MetricName, Number};

    fn metric(min: f64, step: f64) -> Metric {
        Metric {
            min: Some(Number::from(min)),
            step: Some(Number::from(step)),
            ..Metric::new(MetricName::new("x").unwrap(), MetricType::Number)
        }
    }

    #[test]
    fn numbers_snap_to_their_steps() {
        assert_eq!(snapped(&metric(7.0, 0.5), 21.3), 21.5);
        assert_eq!(snapped(&metric(0.0, 0.1), 0.31), 0.3);
        assert_eq!(snapped(&metric(1.0, 5.0), 8.0), 6.0);
        assert_eq!(snapped(&metric(0.0, 0.0), 8.3), 8.3);
    }

    #[test]
    fn colours_are_hexadecimal() {
        assert_eq!(from_text("#FFa000"), Some([255, 160, 0]));
        assert_eq!((from_text("red"), from_text("#fff")), (None, None));
    }
}
