//! Markdown in messages, as plain data: blocks of styled text that can be laid out one below the other. Pure, and of
//! limited patience: what it cannot or will not take apart is shown as it was written.

mod prepare;
mod reader;

use std::ops::Range;

use pulldown_cmark::{Options, Parser};

use crate::model::notices::mention_places;
use crate::ui::target::LinkTarget;
use prepare::{HELP, prepare};
use reader::Reader;

/// A message of more blocks is shown as it was written: each block costs something in every frame.
const MOST_BLOCKS: usize = 400;
/// Further links of a message are shown as they were written: each is a control.
const MOST_LINKS: usize = 200;

/// How a stretch of text looks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ui::chat) struct Style {
    pub(in crate::ui::chat) bold: bool,
    pub(in crate::ui::chat) italic: bool,
    pub(in crate::ui::chat) strike: bool,
    pub(in crate::ui::chat) code: bool,
    /// Whether it names the person before the screen.
    pub(in crate::ui::chat) mention: bool,
    /// Its index among the links of the message.
    pub(in crate::ui::chat) link: Option<usize>,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::chat) enum Kind {
    /// Text.
    Text,
    /// A heading of this level, from 1.
    Heading(u8),
    /// Code of this language, where one was named.
    Code(Option<String>),
    /// A line across.
    Rule,
}

/// One block of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::chat) struct Block {
    pub(in crate::ui::chat) kind: Kind,
    /// In so many quotes.
    pub(in crate::ui::chat) quotes: u8,
    /// In so many lists.
    pub(in crate::ui::chat) lists: u8,
    /// What stands before an item's first line.
    pub(in crate::ui::chat) marker: String,
    /// Apart from the block before it.
    pub(in crate::ui::chat) apart: bool,
    pub(in crate::ui::chat) text: String,
    /// Which part of the text looks how; they cover it in order.
    pub(in crate::ui::chat) spans: Vec<(Range<usize>, Style)>,
}

/// A message with markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ui::chat) struct Markup {
    pub(in crate::ui::chat) blocks: Vec<Block>,
    pub(in crate::ui::chat) links: Vec<LinkTarget>,
}

impl Markup {
    /// What a link's text says.
    pub(in crate::ui::chat) fn link_text(&self, link: usize) -> String {
        let block =
            self.blocks.iter().find(|block| block.spans.iter().any(|(_, style)| style.link == Some(link)));
        let spans = block.into_iter().flat_map(|block| block.spans.iter().map(move |span| (block, span)));
        let of_it = spans.filter(|(_, (_, style))| style.link == Some(link));
        of_it.map(|(block, (range, _))| &block.text[range.clone()]).collect()
    }

    /// All text in one line.
    pub(in crate::ui::chat) fn plain(&self) -> String {
        let blocks = self.blocks.iter().filter(|block| !block.text.is_empty());
        let texts: Vec<String> = blocks.map(|block| block.text.replace('\n', " ")).collect();
        texts.join(" ")
    }

    /// Marks where the person of this name is named, in what is not code. Returns whether that is anywhere.
    fn mark_mentions(&mut self, name: &str) -> bool {
        let mut any = false;
        for block in self.blocks.iter_mut().filter(|block| !matches!(block.kind, Kind::Code(_))) {
            for place in mention_places(&block.text, name) {
                any |= mark(&mut block.spans, &place);
            }
        }
        any
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        self.blocks
            .iter()
            .filter(|block| matches!(block.kind, Kind::Code(_)))
            .map(|block| block.text.as_str())
    }
}

/// The text of a code block as it was written: of the `nth`, counted among code blocks. `shown` is what the screen has
/// of the message, harmless and folded.
pub(in crate::ui::chat) fn code(whole: &str, shown: &str, nth: usize) -> String {
    let of = |text: &str| parse(text).and_then(|markup| markup.codes().nth(nth).map(str::to_owned));
    of(whole).or_else(|| of(shown)).unwrap_or_default()
}

/// A message that names somebody: with where it does. `parsed`: what [`parse`] made of the text. The second says whether
/// it names them anywhere.
pub(in crate::ui::chat) fn with_mentions(
    text: &str,
    parsed: Option<Markup>,
    name: &str,
) -> (Option<Markup>, bool) {
    let mut markup = parsed.unwrap_or_else(|| Markup {
        blocks: vec![Block {
            kind: Kind::Text,
            quotes: 0,
            lists: 0,
            marker: String::new(),
            apart: false,
            text: text.to_owned(),
            spans: vec![(0..text.len(), Style::default())],
        }],
        links: Vec::new(),
    });
    let is_named = markup.mark_mentions(name);
    ((is_named || !is_plain(&markup, text)).then_some(markup), is_named)
}

/// Splits spans where a stretch begins and ends, and marks those within as a mention. Code and links stay what they are.
fn mark(spans: &mut Vec<(Range<usize>, Style)>, place: &Range<usize>) -> bool {
    let within = |range: &Range<usize>| range.start < place.end && range.end > place.start;
    if spans.iter().any(|(range, style)| within(range) && (style.code || style.link.is_some())) {
        return false;
    }
    let mut split = Vec::with_capacity(spans.len() + 2);
    for (range, style) in spans.drain(..) {
        let middle = range.start.max(place.start)..range.end.min(place.end);
        if middle.is_empty() {
            split.push((range, style));
            continue;
        }
        split.push((range.start..middle.start, style));
        split.push((middle.clone(), Style { mention: true, ..style }));
        split.push((middle.end..range.end, style));
    }
    split.retain(|(range, _)| !range.is_empty());
    *spans = split;
    true
}

/// Takes a harmless text apart. `None`: there is no markup in it, or more than is good, and it is shown as it is.
pub(in crate::ui::chat) fn parse(text: &str) -> Option<Markup> {
    if !may_have_markup(text) {
        return None;
    }
    let source = prepare(text)?;
    let helped = !text.contains(HELP);
    let mut reader = Reader::new(&source, helped);
    for (event, range) in Parser::new_ext(&source, OPTIONS).into_offset_iter() {
        reader.take(event, range);
        if reader.len() > MOST_BLOCKS {
            return None;
        }
    }
    let markup = reader.finish();
    let says_something = markup.blocks.iter().any(|block| !block.text.trim().is_empty());
    (says_something && !is_plain(&markup, text)).then_some(markup)
}

/// Tables, footnotes, formulas and more are left as they were typed.
const OPTIONS: Options = Options::ENABLE_STRIKETHROUGH;

/// A quick look, so that most messages are never parsed.
fn may_have_markup(text: &str) -> bool {
    let marks = |b: u8| matches!(b, b'*' | b'_' | b'~' | b'`' | b'[' | b'<' | b'\\' | b'>' | b'#');
    if text.bytes().any(marks) || text.contains("://") || text.contains("mailto:") {
        return true;
    }
    text.lines().any(|line| {
        let line = line.trim_start();
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.as_bytes() {
            [b'-' | b'+', b' ' | b'\t', ..] => true,
            [b'.' | b')', b' ' | b'\t', ..] => rest.len() < line.len(),
            [b'-', b'-', b'-', ..] => true,
            _ => false,
        }
    })
}

/// Whether nothing came of it.
fn is_plain(markup: &Markup, text: &str) -> bool {
    match &markup.blocks[..] {
        [block] => {
            let plain = block.spans.iter().all(|(_, style)| *style == Style::default());
            block.kind == Kind::Text && block.quotes + block.lists == 0 && plain && block.text == text
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reader::MOST_DEPTH;
    use super::*;

    /// The blocks as lines: how deep, what, marker, text with its styles.
    fn shape(text: &str) -> Vec<String> {
        let Some(markup) = parse(text) else { return vec![format!("plain {text}")] };
        let block = |block: &Block| {
            let mut line = "> ".repeat(block.quotes.into()) + &"  ".repeat(block.lists.into());
            match &block.kind {
                Kind::Text => {}
                Kind::Heading(level) => line += &format!("h{level} "),
                Kind::Code(language) => line += &format!("code({}) ", language.as_deref().unwrap_or("")),
                Kind::Rule => line += "rule",
            }
            if !block.marker.is_empty() {
                line += &format!("[{}] ", block.marker);
            }
            for (range, style) in &block.spans {
                let mut marks = String::new();
                for (has, mark) in
                    [(style.bold, "b"), (style.italic, "i"), (style.strike, "s"), (style.code, "c")]
                {
                    marks += if has { mark } else { "" };
                }
                if let Some(link) = style.link {
                    marks += &format!("→{}", markup.links[link].url());
                }
                let text = &block.text[range.clone()];
                line += &if marks.is_empty() { text.to_owned() } else { format!("{{{marks}|{text}}}") };
            }
            line
        };
        markup.blocks.iter().map(block).collect()
    }

    #[test]
    fn emphasis_code_and_strikes() {
        assert_eq!(shape("a **b** *c* _d_ ~~e~~ `f`"), ["a {b|b} {i|c} {i|d} {s|e} {c|f}"]);
        assert_eq!(shape("***both*** and **`code`**"), ["{bi|both} and {bc|code}"]);
        assert_eq!(shape("one\n*two*\nthree"), ["one\n{i|two}\nthree"]);
    }

    #[test]
    fn what_only_looks_like_markup_is_left_alone() {
        for text in [
            "snake_case_name and 2 * 3 * 4",
            "2*3*4 = 24",
            "안녕~ 반가워~",
            "3~5 and 6~8",
            "#5 is next",
            "-5 °C",
            "a < b > c",
            "*",
            "***",
            "---",
            "```",
            ">",
            "1.",
            "AT&amp;T &#x202E;",
            "arr[i](x) and [a](javascript:alert(1))",
            "![shot](file:///etc/passwd)",
            "no markup at all\n\nbut two paragraphs",
            "    four spaces",
        ] {
            assert_eq!(parse(text), None, "{text}: {:?}", shape(text));
        }
        assert_eq!(shape("**x** &amp; &#x202E;"), ["{b|x} &amp; &#x202E;"]);
        assert_eq!(shape("**x** <b>html</b> <!-- no -->"), ["{b|x} <b>html</b> <!-- no -->"]);
        assert_eq!(
            shape("<div>\n**x**\n</div>"),
            ["<div>\n**x**\n</div>"].map(|text| format!("plain {text}"))
        );
    }

    #[test]
    fn who_is_named_is_marked_but_not_in_code_and_links() {
        let marked = |text: &str| {
            let (markup, is_named) = with_mentions(text, parse(text), "민아");
            let blocks = markup.map(|markup| markup.blocks).unwrap_or_default();
            let mut shown = String::new();
            for (block, (range, style)) in blocks.iter().flat_map(|b| b.spans.iter().map(move |s| (b, s))) {
                let part = &block.text[range.clone()];
                shown += &if style.mention { format!("[{part}]") } else { part.to_owned() };
            }
            (is_named, shown)
        };
        let yes = |text: &str| (true, text.to_owned());
        assert_eq!(marked("안녕 @민아님, 봐"), yes("안녕 [@민아]님, 봐"));
        assert_eq!(marked("**@민아** and @민아"), yes("[@민아] and [@민아]"));
        assert_eq!(marked("`@민아` here"), (false, "@민아 here".to_owned()));
        assert_eq!(marked("nobody @민"), (false, String::new()));
        let decomposed = unicode_normalization::UnicodeNormalization::nfd("@민아!").collect::<String>();
        assert!(marked(&decomposed).0);
    }

    #[test]
    fn korean_goes_on_right_behind_emphasis() {
        assert_eq!(shape("**강조**는 여기"), ["{b|강조}는 여기"]);
        assert_eq!(shape("**\"인용\"**은 그대로"), ["{b|\"인용\"}은 그대로"]);
        assert_eq!(shape("이것은**(주)**이다"), ["이것은{b|(주)}이다"]);
        assert_eq!(shape("~~(옛)~~값"), ["{s|(옛)}값"]);
    }

    #[test]
    fn lists_keep_the_numbers_that_were_typed() {
        assert_eq!(shape("- a\n- b\n  - c"), ["  [•] a", "  [•] b", "    [•] c"]);
        assert_eq!(shape("3. x\n7. y\n1) z"), ["  [3.] x", "  [7.] y", "  [1)] z"]);
        assert_eq!(shape("2026. 11. 26. 회의"), ["  [2026. 11. 26.] 회의"]);
        assert_eq!(shape("- 5 °C\n- 6 °C"), ["  [-] 5 °C", "  [-] 6 °C"]);
        assert_eq!(shape("- a\n-\n- c"), ["  [•] a", "  [•] ", "  [•] c"]);
    }

    #[test]
    fn quotes_headings_and_rules() {
        assert_eq!(shape("> one\n> two\n\nmine"), ["> one\ntwo", "mine"]);
        assert_eq!(shape("> a\n>> b"), ["> a", "> > b"]);
        assert_eq!(shape("# One\n### Three #"), ["h1 One", "h3 Three"]);
        assert_eq!(shape("**a**\n---\nb"), ["{b|a}", "rule", "b"]);
        assert_eq!(shape("**a**\n==="), ["{b|a}", "==="]);
    }

    #[test]
    fn code_blocks_are_kept_to_the_letter() {
        assert_eq!(
            shape("```rust\nfn f() {\n    *x\n}\n```\nend"),
            ["code(rust) fn f() {\n    *x\n}", "end"]
        );
        assert_eq!(shape("```\nopen"), ["code() open"]);
        assert_eq!(shape("```let x = 1;\nlet y\n```"), ["code() let x = 1;\nlet y"]);
        assert_eq!(shape("```a&#x202E;b\nx\n```"), ["code(a⟨U+202E⟩b) x"]);
        let whole = "```\nfirst\n```\n```sh\nsecond \u{202E}\n```";
        let shown = crate::ui::harmless::text(whole).into_owned();
        assert_eq!(code(whole, &shown, 1), "second \u{202E}");
    }

    #[test]
    fn links_and_bare_addresses() {
        assert_eq!(shape("[here](https://a.example/x \"t\")"), ["{→https://a.example/x|here}"]);
        assert_eq!(
            shape("see https://a.example/a_b_c, ok"),
            ["see {→https://a.example/a_b_c|https://a.example/a_b_c}, ok"]
        );
        assert_eq!(
            shape("https://a.example/_x_/*y*/z"),
            ["{→https://a.example/_x_/*y*/z|https://a.example/_x_/*y*/z}"]
        );
        assert_eq!(shape("`https://a.example/_x_/`"), ["{c|https://a.example/_x_/}"]);
        assert_eq!(shape("**https://a.example**"), ["{b→https://a.example|https://a.example}"]);
        assert_eq!(shape("<mina@a.example>"), ["{→mailto:mina@a.example|mina@a.example}"]);
        assert_eq!(shape("![a cat](https://a.example/cat.png)"), ["{→https://a.example/cat.png|a cat}"]);
        assert_eq!(shape("[](https://a.example)"), ["{→https://a.example|https://a.example}"]);
        assert_eq!(
            shape("https://a.example/x를 보세요"),
            ["{→https://a.example/x|https://a.example/x}를 보세요"]
        );
        assert_eq!(shape("*x* [a](javascript:b)"), ["{i|x} [a](javascript:b)"]);
        let markup = parse("[**bold** and not](https://a.example)").unwrap();
        assert_eq!(markup.link_text(0), "bold and not");
    }

    #[test]
    fn no_definition_hides_what_was_said() {
        assert_eq!(
            shape("**a**\n\n[mina]: https://a.example"),
            ["{b|a}", "[mina]: {→https://a.example|https://a.example}"]
        );
        let repeated = "[a]: x\n\n".repeat(2_000);
        assert_eq!(parse(&repeated), None);
    }

    #[test]
    fn whatever_is_sent_ends_soon_and_stays_small() {
        for unit in [
            "*",
            "[",
            ">",
            "> ",
            "- ",
            "`",
            "~",
            "![",
            "[a](",
            "<",
            "_",
            "1. ",
            "*a ",
            "**a*",
            "\\",
            "[a]: b\n",
            "http://a.b ",
            "[](http://a.b)",
        ] {
            for text in
                [unit.repeat(60_000 / unit.len()), format!("{unit}\n").repeat(60_000 / (unit.len() + 1))]
            {
                if let Some(markup) = parse(&text) {
                    assert!(markup.blocks.len() <= MOST_BLOCKS && markup.links.len() <= MOST_LINKS);
                    assert!(markup.blocks.iter().all(|block| block.quotes.max(block.lists) <= MOST_DEPTH));
                }
            }
        }
    }

    /// Letters and digits, which no markup consists of.
    fn letters(text: &str) -> String {
        text.chars().filter(|c| c.is_alphanumeric()).collect()
    }

    proptest! {
        #[test]
        fn nothing_that_was_said_is_lost(text in r"([a-z가-힣 ]|[*_~`>#<\[\]()!&;|:.\\-]|\n|[0-9]\. |https://a\.example/|```){0,60}") {
            if let Some(markup) = parse(&text) {
                let mut shown = String::new();
                for block in &markup.blocks {
                    shown += &block.marker;
                    if let Kind::Code(Some(language)) = &block.kind {
                        shown += language;
                    }
                    let mut linked = None;
                    for (range, style) in &block.spans {
                        if linked.is_some() && linked != style.link {
                            shown += linked.map_or("", |link: usize| markup.links[link].url());
                        }
                        linked = style.link;
                        shown += &block.text[range.clone()];
                    }
                    shown += linked.map_or("", |link: usize| markup.links[link].url());
                }
                // Each letter in its order; a link's address may be there twice.
                let mut rest = shown.chars().filter(|c| c.is_alphanumeric());
                for c in letters(&text).chars() {
                    prop_assert!(rest.any(|other| other == c), "{:?} lacks {c} in {:?}", shape(&text), text);
                }
            }
        }

        #[test]
        fn spans_cover_the_text(text in "\\PC{0,200}") {
            for block in parse(&text).iter().flat_map(|markup| &markup.blocks) {
                let mut end = 0;
                for (range, _) in &block.spans {
                    prop_assert_eq!(range.start, end);
                    end = range.end;
                }
                prop_assert_eq!(end, block.text.len());
            }
        }
    }
}
