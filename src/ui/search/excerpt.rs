//! A result's excerpt as the message shows it: without Markdown syntax, and with the matches still marked.

use crate::model::search::Piece;
use crate::ui::{chat, harmless};

/// Delimit matches while the Markdown is removed. Noncharacters, so no text contains them.
const BEGINS: char = '\u{FDD0}';
const ENDS: char = '\u{FDD1}';

/// Pieces of the excerpt, each with whether it is a match.
pub(super) fn shown(pieces: &[Piece]) -> Vec<(String, bool)> {
    let harmless: Vec<(String, bool)> =
        pieces.iter().map(|piece| (harmless::text(&piece.text).into_owned(), piece.marked)).collect();
    without_markup(&harmless).unwrap_or(harmless)
}

/// `None` if there is no Markdown, or if removing it would hide a match, as in the address of a link.
fn without_markup(pieces: &[(String, bool)]) -> Option<Vec<(String, bool)>> {
    if pieces.iter().any(|(text, _)| text.contains([BEGINS, ENDS])) {
        return None;
    }
    let mut marked = String::new();
    for (text, is_marked) in pieces {
        if *is_marked {
            marked.extend([BEGINS].iter());
            marked.push_str(text);
            marked.push(ENDS);
        } else {
            marked.push_str(text);
        }
    }
    let plain = chat::plain_text(&marked)?;
    let mut shown: Vec<(String, bool)> = Vec::new();
    for part in plain.split_inclusive([BEGINS, ENDS]) {
        let is_marked = part.ends_with(ENDS);
        let text = part.trim_end_matches([BEGINS, ENDS]);
        if !text.is_empty() {
            shown.push((text.to_owned(), is_marked));
        }
    }
    let count = |pieces: &[(String, bool)]| pieces.iter().filter(|(_, is_marked)| *is_marked).count();
    (count(&shown) == count(pieces)).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The excerpt shown, with matches between bars.
    fn seen(text: &str) -> String {
        let pieces: Vec<Piece> = text
            .split('|')
            .enumerate()
            .map(|(at, text)| Piece { text: text.to_owned(), marked: at % 2 == 1 })
            .filter(|piece| !piece.text.is_empty())
            .collect();
        let shown = shown(&pieces);
        shown.iter().map(|(text, marked)| if *marked { format!("|{text}|") } else { text.clone() }).collect()
    }

    #[test]
    fn markdown_syntax_is_removed() {
        assert_eq!(seen("a **|bold|** word and `|code|`"), "a |bold| word and |code|");
        assert_eq!(seen("**|온실|**에서 [the |plans|](https://a.example)"), "|온실|에서 the |plans|");
        assert_eq!(seen("# The |title|"), "The |title|");
        assert_eq!(seen("> |quoted|"), "|quoted|");
        assert_eq!(seen("~~old~~ |new|"), "old |new|");
    }

    #[test]
    fn other_text_and_matches_are_kept() {
        for text in ["2*3*4 = |24|", "snake_|case|_name", "|plain|", "안녕~ |반가|워~", "…cut **|off|"]
        {
            assert_eq!(seen(text), text);
        }
        let behind = "see [here](https://|plans|.example)";
        assert!(seen(behind).contains("|plans|"), "a match is always visible: {}", seen(behind));
    }
}
