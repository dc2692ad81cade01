//! [`Reader`]: makes blocks of the parser's events.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Tag, TagEnd};

use super::prepare::HELP;
use super::{Block, Kind, MOST_LINKS, Markup, Style};
use crate::ui::chat::addresses;
use crate::ui::harmless;
use crate::ui::target::LinkTarget;

/// Quotes and lists are indented no deeper than this.
pub(super) const MOST_DEPTH: u8 = 5;
/// A longer name of a code block's language is none.
const LANGUAGE: usize = 24;

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
pub(super) struct Reader<'a> {
    source: &'a str,
    markup: Markup,
    block: Option<Block>,
    open: Vec<Open>,
    links: Vec<usize>,
    /// Text that may hold addresses: the parser hands it out in pieces.
    loose: String,
    quotes: usize,
    lists: usize,
    /// The marker of an item whose first block is still to come, and in how many lists it stands.
    marker: Option<(String, usize)>,
    /// Where in the source the last text ended.
    shown_to: usize,
    in_indented_code: bool,
    is_setext: bool,
    /// Whether [`HELP`] was lent.
    helped: bool,
}

impl<'a> Reader<'a> {
    /// For the source that the parser gets, and whether it was lent [`HELP`].
    pub(super) fn new(source: &'a str, helped: bool) -> Reader<'a> {
        Reader { source, helped, ..Reader::default() }
    }

    /// How many blocks there are so far.
    pub(super) fn len(&self) -> usize {
        self.markup.blocks.len()
    }

    /// What came of it.
    pub(super) fn finish(mut self) -> Markup {
        self.close();
        self.markup
    }

    /// Takes the parser's next event and its place in the source.
    pub(super) fn take(&mut self, event: Event<'a>, range: Range<usize>) {
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
                self.quotes += 1;
            }
            Tag::List(_) => {
                self.close();
                self.lists += 1;
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
                self.begin_code(&info, range.start);
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

    /// Begins a fenced code block. `info` stands behind the opening fence: a language, or code already.
    fn begin_code(&mut self, info: &str, start: usize) {
        // What the parser decodes could hide something again.
        let info = harmless::text(info);
        let (language, first_line) = match info.trim() {
            "" => (None, None),
            name if name.len() <= LANGUAGE && !name.contains(char::is_whitespace) => {
                (Some(name.to_owned()), None)
            }
            line => (None, Some(line.to_owned())),
        };
        self.begin(Kind::Code(language), start);
        if let Some(line) = first_line {
            self.push_text(&line, Style::default());
            self.push_text("\n", Style::default());
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
            LinkType::Email => LinkTarget::parse(&format!("mailto:{url}")),
            _ => LinkTarget::parse(url),
        };
        let target = target.filter(|_| self.markup.links.len() < MOST_LINKS);
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
            quotes: depth(self.quotes),
            lists: depth(lists),
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
            if self.markup.links.len() >= MOST_LINKS {
                break;
            }
            let Some(target) = LinkTarget::parse(&loose[range.clone()]) else { continue };
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

fn depth(levels: usize) -> u8 {
    u8::try_from(levels).map_or(MOST_DEPTH, |levels| levels.min(MOST_DEPTH))
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
