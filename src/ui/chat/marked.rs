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
}
