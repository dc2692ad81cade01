//! Marks of Markdown around a part of what is written. Pure.

/// Puts `mark` around the characters from `from` to `to`, or takes it away where it stands. Returns where they are then.
pub(super) fn toggle(text: &mut String, from: usize, to: usize, mark: &str) -> (usize, usize) {
    let byte = |text: &str, index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let (start, end) = (byte(text, from), byte(text, to));
    // Marks are ASCII: as many characters as bytes.
    let length = mark.len();
    let stands = text[..start].ends_with(mark) && text[end..].starts_with(mark);
    // One star of two is no mark of its own.
    let one = mark.chars().next().unwrap_or('*');
    let runs_on = length == 1 && (text[..start].trim_end_matches(one).len() + length < start);
    if stands && !runs_on {
        text.replace_range(end..end + length, "");
        text.replace_range(start - length..start, "");
        (from - length, to - length)
    } else {
        text.insert_str(end, mark);
        text.insert_str(start, mark);
        (from + length, to + length)
    }
}

/// Puts `mark` before each line that the characters from `from` to `to` touch, or takes it away where all of them have it.
/// Returns where those characters are then.
pub(super) fn toggle_lines(text: &mut String, from: usize, to: usize, mark: &str) -> (usize, usize) {
    let byte = |text: &str, index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let (start, end) = (byte(text, from), byte(text, to));
    let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let last = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let lines: Vec<&str> = text[first..last].split('\n').collect();
    let takes_away = lines.iter().all(|line| line.starts_with(mark));
    let changed: Vec<String> = lines
        .iter()
        .map(|line| match line.strip_prefix(mark).filter(|_| takes_away) {
            Some(bare) => bare.to_owned(),
            None if line.is_empty() && lines.len() > 1 => String::new(),
            None => format!("{mark}{line}"),
        })
        .collect();
    let changed = changed.join("\n");
    let (before, after) = (text[first..last].chars().count(), changed.chars().count());
    text.replace_range(first..last, &changed);
    let to = (to + after).saturating_sub(before);
    let moved = mark.chars().count();
    let from = match (takes_away, from == to) {
        (_, true) => to,
        (true, _) => from.saturating_sub(moved),
        (false, _) => from + moved,
    };
    (from.min(to), to)
}

/// Makes a link of the characters from `from` to `to`. Returns where its address is, to be typed.
pub(super) fn link(text: &mut String, from: usize, to: usize) -> (usize, usize) {
    const ADDRESS: &str = "https://";
    let byte = |text: &str, index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let (start, end) = (byte(text, from), byte(text, to));
    text.insert_str(end, &format!("]({ADDRESS})"));
    text.insert(start, '[');
    if from == to {
        // The words come first.
        return (from + 1, from + 1);
    }
    (to + 3, to + 3 + ADDRESS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toggled(text: &str, from: usize, to: usize, mark: &str) -> (String, usize, usize) {
        let mut text = text.to_owned();
        let (from, to) = toggle(&mut text, from, to, mark);
        (text, from, to)
    }

    #[test]
    fn marks_come_and_go() {
        assert_eq!(toggled("한 글자 더", 2, 4, "**"), ("한 **글자** 더".into(), 4, 6));
        assert_eq!(toggled("한 **글자** 더", 4, 6, "**"), ("한 글자 더".into(), 2, 4));
        assert_eq!(toggled("", 0, 0, "`"), ("``".into(), 1, 1));
        assert_eq!(toggled("**a**", 2, 3, "*"), ("***a***".into(), 3, 4));
        assert_eq!(toggled("*a*", 1, 2, "*"), ("a".into(), 0, 1));
    }

    #[test]
    fn lines_are_marked_and_bare_again() {
        let lines = |text: &str, from, to, mark| {
            let mut text = text.to_owned();
            let (from, to) = toggle_lines(&mut text, from, to, mark);
            (text, from, to)
        };
        assert_eq!(lines("한 줄", 2, 2, "- "), ("- 한 줄".into(), 4, 4));
        assert_eq!(lines("a\nb\nc", 0, 3, "> "), ("> a\n> b\nc".into(), 2, 7));
        assert_eq!(lines("> a\n> b\nc", 2, 7, "> "), ("a\nb\nc".into(), 0, 3));
        assert_eq!(lines("> a\nb", 0, 5, "> "), ("> > a\n> b".into(), 2, 9));
        assert_eq!(lines("", 0, 0, "- "), ("- ".into(), 2, 2));
    }

    #[test]
    fn a_link_is_made_of_words_or_awaits_them() {
        let mut text = "see 이것 now".to_owned();
        assert_eq!(link(&mut text, 4, 6), (9, 17));
        assert_eq!(text, "see [이것](https://) now");
        let mut text = String::new();
        assert_eq!((link(&mut text, 0, 0), text.as_str()), ((1, 1), "[](https://)"));
    }
}
