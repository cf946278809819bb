//! From a YAML text to its [`Node`]s: keys once, aliases and merge keys resolved, bombs refused.
//!
//! Scalars stay as they were written. YAML 1.1 would read `no` as false, `0644` as 420 and
//! `1e3` as 1000.0; here they are texts until the reader of a key asks for its own type.

mod budget;

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};

use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::manifest::node::{Kind, MapEntry, Node};
use budget::{Budget, DEPTH_LIMIT, SIZE_LIMIT, Weight, too_deep};

/// Stands for what cannot be a key, until its value has gone with it: no word without quotes has it.
const NO_KEY: &str = "\0";

/// Reads one text, which holds one document.
///
/// A key that is set twice is a problem, and the tree keeps the first, so that the rest can be
/// looked at in the same run. A mistake of YAML's own grammar ends the reading: no tree.
pub fn parse(source: SourceId, text: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    if text.len() > SIZE_LIMIT {
        problems.push(
            Diagnostic::error(format!(
                "a manifest file of {} bytes is too large",
                text.len()
            ))
            .detail(format!("the limit is {SIZE_LIMIT} bytes"))
            .hint("spread it over several files of one folder"),
        );
        return None;
    }
    let mut reader = Reader {
        source,
        anchors: HashMap::new(),
        budget: Budget::default(),
        problems: Vec::new(),
        open: Vec::new(),
        root: None,
        documents: 0,
    };
    let result = reader.run(text);
    problems.append(&mut reader.problems);
    if let Err(problem) = result {
        problems.push(problem);
        return None;
    }
    let start = Span {
        source,
        start: 0,
        end: 0,
    };
    Some(match reader.root {
        // A file of comments only says nothing.
        Some(root) if root.is_null() => Node::empty_map(root.span),
        Some(root) => root,
        None => Node::empty_map(start),
    })
}

/// A collection whose end has not been seen.
struct Open {
    node: Building,
    span: Span,
    flow: bool,
    anchor: usize,
    weight: Weight,
}

enum Building {
    List(Vec<Node>),
    Map {
        entries: Vec<MapEntry>,
        key: Option<(String, Span, bool)>,
        merges: Vec<(Node, Span)>,
    },
}

struct Reader {
    source: SourceId,
    anchors: HashMap<usize, (Node, Weight)>,
    budget: Budget,
    problems: Vec<Diagnostic>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Reader {
    fn run(&mut self, text: &str) -> Result<(), Diagnostic> {
        let options = serde_saphyr::granit_parser::options! {
            emit_comments: false,
            block_nesting_limit: DEPTH_LIMIT,
            flow_nesting_limit: DEPTH_LIMIT,
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|error| {
                let at = error.marker().byte_offset().unwrap_or(0);
                // Past the end there is no line to show: step back to the last one.
                let at = at.min(text.trim_end().len());
                Diagnostic::error(format!("this is not YAML: {}", error.info()))
                    .at(self.place(at, at), "here")
                    .hint(hint(&error.info()))
            })?;
            let span = self.place(
                span.start.byte_offset().unwrap_or(0),
                span.end.byte_offset().unwrap_or(0),
            );
            self.event(event, span, text)?;
        }
        Ok(())
    }

    fn place(&self, start: usize, end: usize) -> Span {
        let short = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span {
            source: self.source,
            start: short(start),
            end: short(end.max(start)),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span, text: &str) -> Result<(), Diagnostic> {
        self.budget.event(span)?;
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Diagnostic::error("a file can hold only one YAML document")
                        .at(span, "the second one begins here")
                        .hint("move it to a file of its own in the same folder"));
                }
            }
            Event::Scalar(value, style, anchor, tag) => {
                let quoted = self.tag(tag.as_deref(), span);
                let weight = Weight::one(value.len());
                let node = Node {
                    span,
                    kind: Kind::Scalar {
                        // The parser gives `~` for nothing at all.
                        text: match span.end > span.start {
                            true => value.into_owned(),
                            false => String::new(),
                        },
                        plain: style == ScalarStyle::Plain && !quoted,
                    },
                };
                self.value(node, weight, anchor)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), span);
                self.begin(Building::List(Vec::new()), span, style, anchor)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(tag.as_deref(), span);
                let map = Building::Map {
                    entries: Vec::new(),
                    key: None,
                    merges: Vec::new(),
                };
                self.begin(map, span, style, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span, text)?,
            Event::Alias(id) => {
                let Some((node, weight)) = self.anchors.get(&id) else {
                    return Err(Diagnostic::error(
                        "a YAML alias refers to the value that contains it",
                    )
                    .at(span, "this would never end")
                    .hint("write the value out"));
                };
                let weight = *weight;
                self.budget.alias(weight, span)?;
                let mut node = node.clone();
                // Inside, places stay at the definition: that is the line to mend.
                if matches!(node.kind, Kind::Scalar { .. }) {
                    node.span = span;
                }
                self.value(node, weight, 0)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the tag says text; `!!str 0644` is a way to quote.
    /// Any other is refused, and the value read as if it were not there.
    fn tag(&mut self, tag: Option<&Tag>, span: Span) -> bool {
        match tag {
            None => false,
            Some(tag) if tag.core_suffix() == Some("str") => true,
            Some(tag) => {
                self.problems.push(
                    Diagnostic::error(format!(
                        "the YAML tag `{}` is not supported",
                        tag.original()
                    ))
                    .at(span, "this tag")
                    .hint("remove it"),
                );
                false
            }
        }
    }

    fn begin(
        &mut self,
        node: Building,
        span: Span,
        style: StructureStyle,
        anchor: usize,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err(too_deep(span));
        }
        self.open.push(Open {
            node,
            span,
            flow: style == StructureStyle::Flow,
            anchor,
            weight: Weight::one(0),
        });
        Ok(())
    }

    fn end(&mut self, end: Span, text: &str) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let mut span = open.span;
        if open.flow {
            let whole = span.start as usize..end.end as usize;
            // A mark over many lines hides more than it shows.
            span.end = match text.get(whole) {
                Some(part) if !part.contains('\n') => end.end,
                _ => span.start + 1,
            };
        } else {
            span.end = span.start;
        }
        let kind = match open.node {
            Building::List(nodes) => Kind::List(nodes),
            Building::Map {
                entries, merges, ..
            } => Kind::Map(self.finish_map(entries, merges)),
        };
        if let (false, Kind::Map(entries)) = (open.flow, &kind)
            && let Some(first) = entries.first()
        {
            span = first.at;
        }
        self.value(Node { span, kind }, open.weight, open.anchor)
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, mut node: Node, weight: Weight, anchor: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), weight));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight.nodes = open.weight.nodes.saturating_add(weight.nodes);
        open.weight.bytes = open.weight.bytes.saturating_add(weight.bytes);
        open.weight.depth = open.weight.depth.max(weight.depth + 1);
        if open.weight.depth > DEPTH_LIMIT {
            return Err(too_deep(node.span));
        }
        match &mut open.node {
            Building::List(nodes) => nodes.push(node),
            Building::Map {
                entries,
                key,
                merges,
            } => match key.take() {
                None => match node.kind {
                    Kind::Scalar { text, plain } => *key = Some((text, node.span, plain)),
                    _ => {
                        self.problems.push(Diagnostic::error("a list or a map cannot be a key")
                            .at(node.span, "only text can be a key")
                            .hint("write `key: value`; put quotes around a text that begins with `{` or `[`"));
                        *key = Some((NO_KEY.to_owned(), node.span, true));
                    }
                },
                Some((text, _, true)) if text == NO_KEY => {}
                Some((text, at, true)) if text == "<<" => merges.push((node, at)),
                Some((text, at, _)) => {
                    let block = !matches!(node.kind, Kind::Scalar { .. }) && !is_flow(&node);
                    if block || node.is_null() && node.span.start == node.span.end {
                        node.span = at;
                    }
                    entries.push(MapEntry {
                        key: text,
                        at,
                        value: node,
                        under: None,
                    });
                }
            },
        }
        Ok(())
    }

    /// Refuses keys that are set twice, then adds what merge keys bring: the map's own keys win,
    /// and of several merged maps the first (<https://yaml.org/type/merge.html>).
    fn finish_map(&mut self, entries: Vec<MapEntry>, merges: Vec<(Node, Span)>) -> Vec<MapEntry> {
        let mut seen: HashMap<String, Span> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(first) = seen.get(&entry.key) {
                self.problems.push(
                    Diagnostic::error(format!("the key `{}` is set twice", entry.key))
                        .at(entry.at, "again")
                        .related(*first, "first here")
                        .hint("keep one of the two"),
                );
            } else {
                seen.insert(entry.key.clone(), entry.at);
                kept.push(entry);
            }
        }
        for (node, at) in merges {
            let maps = match node.kind {
                Kind::List(nodes) => nodes,
                _ => vec![node],
            };
            for map in maps {
                let Kind::Map(entries) = map.kind else {
                    self.problems.push(
                        Diagnostic::error("the merge key `<<` has no map")
                            .at(at, "`<<` takes a map, or a list of maps")
                            .hint("name an anchored map, as in `<<: *backend`"),
                    );
                    continue;
                };
                for entry in entries {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.at);
                        kept.push(entry);
                    }
                }
            }
        }
        kept
    }
}

fn is_flow(node: &Node) -> bool {
    // A block list keeps the empty place of its dash, a block map the place of its first key.
    match &node.kind {
        Kind::Scalar { .. } => false,
        Kind::List(_) => node.span.end > node.span.start,
        Kind::Map(entries) => entries
            .first()
            .is_none_or(|first| first.at.start != node.span.start),
    }
}

/// What to do about a text that is no YAML, by what its parser says.
fn hint(info: &str) -> &'static str {
    if info.contains("tab") {
        "indent with spaces"
    } else if info.contains("quote") {
        "close the quote on the line where it opens; inside single quotes, write a quote twice: `'it''s'`"
    } else if info.contains("bracket") || info.contains("recursion") {
        "close each `[` and `{`, and put quotes around a text that begins with one"
    } else if info.contains("anchor") {
        "define the anchor first, as in `&name`, or put quotes around a text that begins with `*` or `&`"
    } else {
        "check the indentation, and put quotes around a text that contains `: ` or `#`"
    }
}
