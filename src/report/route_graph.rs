//! Pictures of routes: the hosts on the way and the ends, as DOT, Mermaid and SVG.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::mail::{Arrival, MailTrace};
use crate::visible::visible;

/// The hosts and ends of routes, and how mail goes between them.
#[derive(Debug, Default)]
pub struct RouteGraph {
    /// The label of each node, and its column.
    nodes: Vec<(String, usize)>,
    edges: BTreeMap<(usize, usize), Vec<String>>,
}

impl RouteGraph {
    /// The graph of some routes.
    #[must_use]
    pub fn new(traces: &[MailTrace]) -> Self {
        let mut graph = Self::default();
        for trace in traces {
            graph.add(trace);
        }
        graph
    }

    fn add(&mut self, trace: &MailTrace) {
        let hosts: Vec<&str> = trace.hops.iter().map(|hop| hop.host.as_str()).collect();
        for hop in &trace.hops {
            let from = match &hop.arrival {
                Arrival::Smtp(from) if hosts.contains(&from.as_str()) => from.clone(),
                Arrival::Smtp(_) => "client".to_owned(),
                Arrival::Submitted => continue,
            };
            self.edge(&from, &hop.host, &hop.recipient);
        }
        for end in &trace.ends {
            let label = format!("{}: {}", end.action.word(), end.via);
            self.edge(&end.host, label.trim_end_matches(": "), &end.recipient);
        }
    }

    fn edge(&mut self, from: &str, to: &str, label: &str) {
        let from = self.node(from, 0);
        let column = self.nodes.get(from).map_or(0, |(_, column)| column + 1);
        let to = self.node(to, column);
        let labels = self.edges.entry((from, to)).or_default();
        let label = visible(label);
        if !labels.contains(&label) {
            labels.push(label);
        }
    }

    fn node(&mut self, label: &str, column: usize) -> usize {
        let label = visible(label);
        if let Some(at) = self.nodes.iter().position(|(known, _)| *known == label) {
            return at;
        }
        self.nodes.push((label, column));
        self.nodes.len() - 1
    }

    /// The edges with one label each: the recipient, or how many there are.
    fn labelled(&self) -> impl Iterator<Item = (usize, usize, String)> {
        self.edges.iter().map(|((from, to), labels)| {
            let label = match labels.as_slice() {
                [one] => one.clone(),
                many => format!("{} recipients", many.len()),
            };
            (*from, *to, label)
        })
    }

    /// The graph in the language of Graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut text = String::from("digraph mail {\n  rankdir=LR;\n  node [shape=box];\n");
        for (at, (label, _)) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "  n{at} [label=\"{}\"];", quoted(label));
        }
        for (from, to, label) in self.labelled() {
            let _ = writeln!(text, "  n{from} -> n{to} [label=\"{}\"];", quoted(&label));
        }
        text + "}\n"
    }

    /// The graph in the language of Mermaid.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let quoted = |text: &str| {
            text.replace('#', "#35;")
                .replace('"', "#quot;")
                .replace('<', "#lt;")
                .replace('>', "#gt;")
        };
        let mut text = String::from("flowchart LR\n");
        for (at, (label, _)) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "  n{at}[\"{}\"]", quoted(label));
        }
        for (from, to, label) in self.labelled() {
            let _ = writeln!(text, "  n{from} -->|\"{}\"| n{to}", quoted(&label));
        }
        text
    }

    /// Where each node is in the picture: a column for each step of the way.
    fn places(&self) -> Vec<(usize, usize)> {
        const COLUMN: usize = 380;
        const ROW: usize = 80;
        let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
        let places = self.nodes.iter().map(|(_, column)| {
            let row = rows.entry(*column).or_default();
            *row += 1;
            (20 + column * COLUMN, 20 + (*row - 1) * ROW)
        });
        places.collect()
    }

    /// The graph as a picture.
    #[must_use]
    pub fn svg(&self) -> String {
        const WIDTH: usize = 250;
        const HEIGHT: usize = 40;
        let escaped = |text: &str| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
        };
        let shortened = |text: &str| -> String {
            if text.chars().count() <= 38 {
                text.to_owned()
            } else {
                text.chars().take(37).chain(['…']).collect()
            }
        };
        let places = self.places();
        let right = places.iter().map(|(x, _)| x + WIDTH).max();
        let bottom = places.iter().map(|(_, y)| y + HEIGHT).max();
        let [width, height] = [right, bottom].map(|end| end.unwrap_or(0) + 20);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<defs><marker id=\"a\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"3\" \
             orient=\"auto\"><path d=\"M0,0 L7,3 L0,6 z\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        // Above all lines, so that none crosses a word.
        let mut words = String::new();
        for (from, to, label) in self.labelled() {
            let (Some((x1, y1)), Some((x2, y2))) = (places.get(from), places.get(to)) else {
                continue;
            };
            let (x1, y1, y2) = (x1 + WIDTH, y1 + HEIGHT / 2, y2 + HEIGHT / 2);
            let _ = writeln!(
                text,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#555\" marker-end=\"url(#a)\"/>"
            );
            let _ = writeln!(
                words,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\" stroke=\"white\" stroke-width=\"4\" \
                 paint-order=\"stroke\">{}<title>{}</title></text>",
                (x1 + x2) / 2,
                (y1 + y2) / 2 - 4,
                escaped(&shortened(&label)),
                escaped(&label)
            );
        }
        text.push_str(&words);
        for ((label, _), (x, y)) in self.nodes.iter().zip(&places) {
            let _ = writeln!(
                text,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"#eef\" stroke=\"#335\"/>\n\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}<title>{}</title></text>",
                x + WIDTH / 2,
                y + HEIGHT / 2 + 4,
                escaped(&shortened(label)),
                escaped(label)
            );
        }
        text + "</svg>\n"
    }
}
