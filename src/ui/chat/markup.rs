//! Markdown in messages, as plain data: blocks of styled text that can be laid out one below the other. Pure, and
//! without an end to its patience: what it cannot or will not take apart is shown as it was written.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::addresses;
use crate::ui::target::Target;

/// A message of more blocks is shown as it was written: each block costs something in every frame.
const MOST_BLOCKS: usize = 400;
/// Quotes and lists are indented no deeper than this.
const MOST_DEPTH: u8 = 5;
/// A longer name of a code block's language is none.
const LANGUAGE: usize = 24;
/// Definitions of links are looked for so many times.
const ROUNDS: usize = 8;

/// How a stretch of text looks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) bold: bool,
    pub(super) italic: bool,
    pub(super) strike: bool,
    pub(super) code: bool,
    /// Its index among the links of the message.
    pub(super) link: Option<usize>,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Block {
    pub(super) kind: Kind,
    /// In so many quotes.
    pub(super) quotes: u8,
    /// In so many lists.
    pub(super) lists: u8,
    /// What stands before an item's first line.
    pub(super) marker: String,
    /// Apart from the block before it.
    pub(super) apart: bool,
    pub(super) text: String,
    /// Which part of the text looks how; they cover it in order.
    pub(super) spans: Vec<(Range<usize>, Style)>,
}

/// A message with markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup {
    pub(super) blocks: Vec<Block>,
    pub(super) links: Vec<Target>,
}

impl Markup {
    /// What a link's text says.
    pub(super) fn link_text(&self, link: usize) -> String {
        let block =
            self.blocks.iter().find(|block| block.spans.iter().any(|(_, style)| style.link == Some(link)));
        let spans = block.into_iter().flat_map(|block| block.spans.iter().map(move |span| (block, span)));
        let of_it = spans.filter(|(_, (_, style))| style.link == Some(link));
        of_it.map(|(block, (range, _))| &block.text[range.clone()]).collect()
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
pub(super) fn code(whole: &str, shown: &str, nth: usize) -> String {
    let of = |text: &str| parse(text).and_then(|markup| markup.codes().nth(nth).map(str::to_owned));
    of(whole).or_else(|| of(shown)).unwrap_or_default()
}

/// Takes a harmless text apart. `None`: there is no markup in it, or more than is good, and it is shown as it is.
pub(super) fn parse(text: &str) -> Option<Markup> {
    if !may_have_markup(text) {
        return None;
    }
    let source = prepare(text)?;
    let helped = !text.contains(HELP);
    let mut reader = Reader { source: &source, helped, ..Reader::default() };
    for (event, range) in Parser::new_ext(&source, OPTIONS).into_offset_iter() {
        reader.take(event, range);
        if reader.markup.blocks.len() > MOST_BLOCKS {
            return None;
        }
    }
    reader.close();
    let markup = reader.markup;
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

/// The source as it is given to the parser: addresses kept whole, Korean beside emphasis, no hidden definitions.
fn prepare(text: &str) -> Option<Cow<'_, str>> {
    let mut source = friendly(text);
    if let Some(kept) = whole_addresses(&source) {
        source = Cow::Owned(kept);
    }
    // `[name]: address` would vanish: nobody refers to it in a chat, and what was said must be seen.
    for _ in 0..ROUNDS {
        if !source.contains("]:") {
            return Some(source);
        }
        let parser = Parser::new_ext(&source, OPTIONS);
        let mut starts: Vec<usize> =
            parser.reference_definitions().iter().map(|(_, definition)| definition.span.start).collect();
        if starts.is_empty() {
            return Some(source);
        }
        starts.sort_unstable();
        let mut escaped = String::with_capacity(source.len() + starts.len());
        let mut from = 0;
        for start in starts {
            let start = start + source[start..].find('[').unwrap_or(0);
            escaped.push_str(&source[from..start]);
            escaped.push('\\');
            from = start;
        }
        escaped.push_str(&source[from..]);
        source = Cow::Owned(escaped);
    }
    None
}

/// Stands beside emphasis for punctuation, and is taken out again.
const HELP: char = '\u{2E4E}';

/// In Korean, Chinese and Japanese a word goes on right behind emphasis: `**"강조"**는`. CommonMark sees an end only
/// where a space or punctuation follows, so some is lent to it.
fn friendly(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(['*', '~']) || text.contains(HELP) {
        return Cow::Borrowed(text);
    }
    let is_word = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && c.is_alphanumeric());
    let is_punctuation = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(['*', '~']) {
        let mark = char::from(rest.as_bytes()[at]);
        before = rest[..at].chars().next_back().or(before);
        out.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches(mark).len();
        let after = rest[at + run..].chars().next();
        if is_word(before) && is_punctuation(after) {
            out.push(HELP);
        }
        out.push_str(&rest[at..at + run]);
        if is_punctuation(before) && is_word(after) {
            out.push(HELP);
        }
        before = Some(mark);
        rest = &rest[at + run..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Puts addresses that hold marks of emphasis into angle brackets, so that they stay whole. `None`: there are none.
fn whole_addresses(source: &str) -> Option<String> {
    let is_at_risk = |range: &Range<usize>| source[range.clone()].contains(['*', '_', '~', '[', ']']);
    let mut found: Vec<Range<usize>> = addresses::find(source).filter(is_at_risk).collect();
    if found.is_empty() {
        return None;
    }
    // Code and links are left alone.
    let mut taken: Vec<Range<usize>> = Vec::new();
    for (event, range) in Parser::new_ext(source, OPTIONS).into_offset_iter() {
        let takes = matches!(
            event,
            Event::Code(_)
                | Event::InlineHtml(_)
                | Event::Html(_)
                | Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. })
        );
        if takes {
            taken.push(range);
        }
    }
    let mut next = taken.into_iter().peekable();
    found.retain(|range| {
        // Both are in order, and what is taken nests at most.
        while next.next_if(|taken| taken.end <= range.start).is_some() {}
        next.peek().is_none_or(|taken| taken.start >= range.end)
    });
    let mut out = String::with_capacity(source.len() + 2 * found.len());
    let mut from = 0;
    for range in found {
        out.push_str(&source[from..range.start]);
        out.push('<');
        out.push_str(&source[range.clone()]);
        out.push('>');
        from = range.end;
    }
    out.push_str(&source[from..]);
    Some(out)
}

/// What an inline element that is open does when it ends.
enum Open {
    Bold,
    Italic,
    Strike,
    /// A link, and how long the text was at its beginning.
    Link(usize),
    /// It is shown as written: this is still to come.
    Literal(&'static str),
    /// The same for a link: the rest of its source.
    LiteralLink,
}

/// Makes blocks of the parser's events.
#[derive(Default)]
struct Reader<'a> {
    source: &'a str,
    markup: Markup,
    block: Option<Block>,
    open: Vec<Open>,
    links: Vec<usize>,
    /// Text that may hold addresses: the parser hands it out in pieces.
    loose: String,
    quotes: u8,
    lists: u8,
    /// The marker of an item whose first block is still to come, and in how many lists it stands.
    marker: Option<(String, u8)>,
    /// Where in the source the last text ended.
    shown_to: usize,
    in_indented_code: bool,
    is_setext: bool,
    /// Whether [`HELP`] was lent.
    helped: bool,
}

impl<'a> Reader<'a> {
    fn take(&mut self, event: Event<'a>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(_) if self.is_in_code() => self.push(&range, Style::default()),
            Event::Text(_) if self.in_indented_code => {
                // An indent alone makes no code: logs and poems have it too.
                let begins_line =
                    self.block.as_ref().is_none_or(|b| b.text.is_empty() || b.text.ends_with('\n'));
                if begins_line && range.len() > 1 {
                    self.push_text("    ", Style::default());
                }
                self.push(&range, Style::default());
            }
            Event::Text(_) => {
                self.text_block(range.start);
                self.loose.push_str(&self.source[range.clone()]);
                self.shown_to = range.end;
            }
            Event::Code(code) => {
                let style = Style { code: true, ..self.style() };
                self.text_block(range.start);
                self.push_text(&code, style);
                self.shown_to = range.end;
            }
            Event::Html(_) | Event::InlineHtml(_) => self.push(&range, self.style()),
            Event::SoftBreak | Event::HardBreak => {
                self.push_text("\n", Style::default());
                self.shown_to = range.end;
                self.keep_indent(range.end);
            }
            Event::Rule => {
                self.close();
                self.begin(Kind::Rule, range.start);
                self.close();
                self.shown_to = range.end;
            }
            // Of extensions that are off.
            _ => self.push(&range, Style::default()),
        }
    }

    fn start(&mut self, tag: Tag<'a>, range: Range<usize>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.close(),
            Tag::Heading { level, .. } => {
                self.close();
                self.is_setext = !self.source[range.start..].starts_with('#');
                // A line of dashes below a text is a line of dashes: people part things so.
                let kind = if self.is_setext { Kind::Text } else { Kind::Heading(level as u8) };
                self.begin(kind, range.start);
            }
            Tag::BlockQuote(_) => {
                self.close();
                self.quotes = self.quotes.saturating_add(1);
            }
            Tag::List(_) => {
                self.close();
                self.lists = self.lists.saturating_add(1);
            }
            Tag::Item => {
                self.close();
                let marker = marker(&self.source[range.start..]);
                match &mut self.marker {
                    // A list that begins in the very line of an item, as the date 2026. 11. 26. does.
                    Some((before, _)) => {
                        before.push(' ');
                        before.push_str(&marker);
                    }
                    None => self.marker = Some((marker, self.lists)),
                }
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                self.close();
                let (language, first_line) = match info.trim() {
                    "" => (None, None),
                    name if name.len() <= LANGUAGE && !name.contains(char::is_whitespace) => {
                        (Some(name.to_owned()), None)
                    }
                    line => (None, Some(line.to_owned())),
                };
                self.begin(Kind::Code(language), range.start);
                if let Some(line) = first_line {
                    self.push_text(&line, Style::default());
                    self.push_text("\n", Style::default());
                }
            }
            Tag::CodeBlock(CodeBlockKind::Indented) => {
                self.close();
                self.in_indented_code = true;
            }
            Tag::Emphasis => self.emphasis(range, "*", Open::Italic),
            Tag::Strong => self.emphasis(range, "**", Open::Bold),
            // One tilde is a drawn-out vowel in Korean, and a range everywhere.
            Tag::Strikethrough if !self.source[range.clone()].starts_with("~~") => {
                self.literal(range.start, "~", Open::Literal("~"));
            }
            Tag::Strikethrough => self.opened(range.start, Open::Strike),
            Tag::Link { link_type, dest_url, .. } => self.link(link_type, &dest_url, range, "["),
            Tag::Image { link_type, dest_url, .. } => self.link(link_type, &dest_url, range, "!["),
            // Of extensions that are off.
            _ => self.close(),
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        self.flush();
        match tag {
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image => {
                self.end_inline(range.end);
                self.shown_to = self.shown_to.max(range.end);
            }
            TagEnd::Heading(_) => self.end_heading(range),
            TagEnd::BlockQuote(_) => {
                self.close();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::List(_) => {
                self.close();
                self.lists = self.lists.saturating_sub(1);
            }
            TagEnd::Item => {
                if self.marker.is_some() {
                    // An item without text.
                    self.begin(Kind::Text, range.start);
                }
                self.close();
            }
            TagEnd::CodeBlock => {
                self.in_indented_code = false;
                self.close();
                self.shown_to = range.end;
            }
            _ => self.close(),
        }
    }

    fn end_inline(&mut self, end: usize) {
        match self.open.pop() {
            Some(Open::Literal(mark)) => self.push_text(mark, self.style()),
            Some(Open::LiteralLink) => {
                let from = self.shown_to.min(end);
                self.push(&(from..end), self.style());
            }
            Some(Open::Link(length)) => {
                let says_nothing = self.block.as_ref().is_none_or(|block| block.text.len() == length);
                if says_nothing && let Some(target) = self.links.last() {
                    let url = self.markup.links[*target].url().to_owned();
                    self.push_text(&url, self.style());
                }
                self.links.pop();
            }
            Some(Open::Bold | Open::Italic | Open::Strike) | None => {}
        }
    }

    fn end_heading(&mut self, range: Range<usize>) {
        let source = self.source[range.clone()].trim_end();
        if std::mem::take(&mut self.is_setext) {
            let line = source.lines().next_back().unwrap_or_default().trim_start_matches(['>', ' ']);
            self.close();
            if line.starts_with('-') {
                self.begin(Kind::Rule, range.end);
            } else {
                self.begin(Kind::Text, range.end);
                self.push_text(line, Style::default());
            }
        } else if self.block.as_ref().is_some_and(|block| block.text.is_empty()) {
            // Nothing but its mark.
            self.push_text(source, Style::default());
        }
        self.close();
        self.shown_to = range.end;
    }

    /// Emphasis between letters of one word is none: 2*3*4.
    fn emphasis(&mut self, range: Range<usize>, mark: &'static str, open: Open) {
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let before = self.source[..range.start].chars().next_back();
        let after = self.source[range.end..].chars().next();
        let by_stars = self.source[range.clone()].starts_with('*');
        if by_stars && is_word(before) && is_word(after) {
            self.literal(range.start, mark, Open::Literal(mark));
        } else {
            self.opened(range.start, open);
        }
    }

    fn link(&mut self, kind: LinkType, url: &str, range: Range<usize>, bracket: &'static str) {
        let target = match kind {
            LinkType::Email => Target::parse(&format!("mailto:{url}")),
            _ => Target::parse(url),
        };
        match target {
            Some(target) => {
                self.text_block(range.start);
                self.flush();
                self.links.push(self.markup.links.len());
                self.markup.links.push(target);
                let length = self.block.as_ref().map_or(0, |block| block.text.len());
                self.open.push(Open::Link(length));
            }
            // It leads nowhere that we go: all of it is shown.
            None => {
                let mark = if matches!(kind, LinkType::Autolink | LinkType::Email) { "<" } else { bracket };
                self.literal(range.start, mark, Open::LiteralLink);
                self.shown_to = range.start + mark.len();
            }
        }
    }

    fn opened(&mut self, at: usize, open: Open) {
        self.text_block(at);
        self.flush();
        self.open.push(open);
    }

    fn literal(&mut self, at: usize, mark: &str, open: Open) {
        self.text_block(at);
        self.push_text(mark, self.style());
        self.open.push(open);
    }

    fn style(&self) -> Style {
        let mut style = Style { link: self.links.last().copied(), ..Style::default() };
        for open in &self.open {
            match open {
                Open::Bold => style.bold = true,
                Open::Italic => style.italic = true,
                Open::Strike => style.strike = true,
                _ => {}
            }
        }
        style
    }

    fn is_in_code(&self) -> bool {
        self.block.as_ref().is_some_and(|block| matches!(block.kind, Kind::Code(_)))
    }

    /// Leading spaces of a line are kept, except those of quotes and lists.
    fn keep_indent(&mut self, from: usize) {
        if self.quotes + self.lists == 0 {
            let rest = &self.source[from..];
            let indent = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            self.push_text(&rest[..indent], Style::default());
        }
    }

    /// Sees to it that there is a block for text.
    fn text_block(&mut self, at: usize) {
        if self.block.is_none() {
            self.begin(Kind::Text, at);
        }
    }

    fn begin(&mut self, kind: Kind, at: usize) {
        let (marker, lists) = self.marker.take().unwrap_or((String::new(), self.lists));
        let between = self.source.get(self.shown_to..at).unwrap_or_default();
        self.block = Some(Block {
            apart: between.matches('\n').count() > 1,
            kind,
            quotes: self.quotes.min(MOST_DEPTH),
            lists: lists.min(MOST_DEPTH),
            marker,
            text: String::new(),
            spans: Vec::new(),
        });
    }

    /// Ends the block that is open.
    fn close(&mut self) {
        self.flush();
        let Some(mut block) = self.block.take() else { return };
        let shown = block.text.trim_end_matches('\n').len();
        block.text.truncate(shown);
        block.spans.retain_mut(|(range, _)| {
            range.end = range.end.min(shown);
            range.start < range.end
        });
        self.markup.blocks.push(block);
    }

    /// Shows a part of the source as it is.
    fn push(&mut self, range: &Range<usize>, style: Style) {
        self.text_block(range.start);
        self.flush();
        self.push_text(&self.source[range.clone()], style);
        self.shown_to = self.shown_to.max(range.end);
    }

    /// Takes loose text into the block, with the addresses in it as links.
    fn flush(&mut self) {
        if self.loose.is_empty() {
            return;
        }
        let loose = std::mem::take(&mut self.loose);
        let style = self.style();
        let mut from = 0;
        for range in addresses::find(&loose).filter(|_| style.link.is_none()) {
            let Some(target) = Target::parse(&loose[range.clone()]) else { continue };
            self.append(&loose[from..range.start], style);
            let link = Some(self.markup.links.len());
            self.markup.links.push(target);
            self.append(&loose[range.clone()], Style { link, ..style });
            from = range.end;
        }
        self.append(&loose[from..], style);
    }

    fn push_text(&mut self, text: &str, style: Style) {
        self.flush();
        self.append(text, style);
    }

    fn append(&mut self, text: &str, style: Style) {
        self.text_block(self.source.len());
        let Some(block) = &mut self.block else { return };
        let start = block.text.len();
        block.text.extend(text.chars().filter(|c| *c != HELP || !self.helped));
        let end = block.text.len();
        match block.spans.last_mut() {
            Some((range, known)) if *known == style && style.link.is_none() => range.end = end,
            _ if end > start => block.spans.push((start..end, style)),
            _ => {}
        }
    }
}

/// An item's marker as it was written, but for a round point.
fn marker(item: &str) -> String {
    let item = item.trim_start();
    let digits = item.len() - item.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 {
        return item.chars().take(digits + 1).collect();
    }
    let (mark, rest) = (item.chars().next().unwrap_or('-'), item.get(1..).unwrap_or_default());
    // What could be a sign stays one: - 5 °C.
    if rest.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        mark.to_string()
    } else {
        "•".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
            "*", "[", ">", "> ", "- ", "`", "~", "![", "[a](", "<", "_", "1. ", "*a ", "**a*", "\\",
            "[a]: b\n",
        ] {
            for text in
                [unit.repeat(60_000 / unit.len()), format!("{unit}\n").repeat(60_000 / (unit.len() + 1))]
            {
                if let Some(markup) = parse(&text) {
                    assert!(markup.blocks.len() <= MOST_BLOCKS);
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
