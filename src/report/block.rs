//! The lines that belong together in a report, such as those of one step: the unit that hosts have in common.

use super::line::{Line, Tone, count};

/// The longest line of a list, where a word does not need more.
const WIDTH: usize = 100;

/// Where the lines below a head begin.
const INDENT: &str = "      ";

/// A head, and the lines below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block {
    /// What it is about, such as a path. Blocks of two hosts with the same subject take each other's place.
    pub subject: String,
    /// Its first line.
    pub head: Line,
    /// The lines below.
    pub body: Vec<Line>,
    /// Whether the body is a part of the text of a file, which is not printed twice.
    pub is_text: bool,
    /// How it is told together with its like, where bodies are not shown.
    pub list: Option<ListItem>,
}

/// One of the things that the blocks of a list have in their head: `create /etc/postfix/x, root:root 0644`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListItem {
    /// The mark and the verb.
    pub verb: String,
    /// What one of them is.
    pub noun: String,
    /// What holds for all of them.
    pub of_all: String,
    /// The name of this one.
    pub name: String,
}

impl Block {
    /// A block of one line.
    #[must_use]
    pub fn of_line(head: Line) -> Self {
        Self {
            subject: String::new(),
            head,
            body: Vec::new(),
            is_text: false,
            list: None,
        }
    }

    /// A block of the lines of one thing; nothing of no line.
    #[must_use]
    pub fn of_lines(lines: Vec<Line>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let head = lines.next()?;
        Some(Self {
            body: lines.collect(),
            ..Self::of_line(head)
        })
    }

    /// The same block about a subject.
    #[must_use]
    pub fn about(self, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ..self
        }
    }

    /// Each text of it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let list = self.list.iter();
        let list = list.flat_map(|item| [&item.verb, &item.noun, &item.of_all, &item.name]);
        let lines = std::iter::once(&self.head).chain(&self.body);
        let texts = lines.map(|line| &line.text).chain(list);
        texts.chain([&self.subject]).map(String::as_str)
    }

    /// The block with each text in another form.
    #[must_use]
    pub fn map(&self, form: impl Fn(&str) -> String) -> Self {
        let line = |line: &Line| Line {
            tone: line.tone,
            text: form(&line.text),
        };
        Self {
            subject: form(&self.subject),
            head: line(&self.head),
            body: self.body.iter().map(line).collect(),
            is_text: self.is_text,
            list: self.list.as_ref().map(|item| ListItem {
                verb: form(&item.verb),
                noun: form(&item.noun),
                of_all: form(&item.of_all),
                name: form(&item.name),
            }),
        }
    }
}

/// The lines of blocks, one after the other. Neighbours without bodies that make a list become one.
#[must_use]
pub fn lines(blocks: &[Block]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = blocks;
    while let Some((first, after)) = rest.split_first() {
        let more = after.iter().take_while(|next| goes_on(first, next)).count();
        if more == 0 {
            lines.push(first.head.clone());
            lines.extend(first.body.iter().cloned());
        } else {
            list(&rest[..=more], &mut lines);
        }
        rest = &after[more..];
    }
    lines
}

/// Whether a block belongs to the list that another begins.
fn goes_on(first: &Block, next: &Block) -> bool {
    let parts = |item: &ListItem| (item.verb.clone(), item.of_all.clone());
    let (Some(one), Some(other)) = (&first.list, &next.list) else {
        return false;
    };
    first.body.is_empty() && next.body.is_empty() && parts(one) == parts(other)
}

/// `  + create 2 files in /etc/postfix, root:root 0644: transport, virtual`, in lines of some length.
fn list(blocks: &[Block], lines: &mut Vec<Line>) {
    let Some((item, tone)) = blocks.first().and_then(|block| {
        let item = block.list.as_ref()?;
        Some((item, block.head.tone))
    }) else {
        return;
    };
    let number = count(blocks.len(), &item.noun);
    let mut text = format!("{} {number}{}:", item.verb, item.of_all);
    let names: Vec<&str> = blocks
        .iter()
        .filter_map(|block| block.list.as_ref().map(|item| item.name.as_str()))
        .collect();
    for (at, name) in names.iter().enumerate() {
        let comma = if at + 1 < names.len() { "," } else { "" };
        if text.chars().count() + name.chars().count() + 1 + comma.len() > WIDTH {
            lines.push(Line { tone, text });
            text = format!("{INDENT}{name}{comma}");
        } else {
            text += &format!(" {name}{comma}");
        }
    }
    lines.push(Line { tone, text });
}

/// A line below a head.
#[must_use]
pub fn below(tone: Tone, text: &str) -> Line {
    Line::new(tone, format!("{INDENT}{text}"))
}
