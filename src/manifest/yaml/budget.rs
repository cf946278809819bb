//! How much a YAML text may hold, so that no text uses up all memory.

use crate::diagnostic::{Diagnostic, Span};

/// Deeper nesting is no manifest, and would cost stack.
pub(super) const DEPTH_LIMIT: usize = 48;
/// A manifest of ten thousand hosts has about three million bytes.
pub(super) const SIZE_LIMIT: usize = 64 << 20;
/// Nodes that aliases may add to what was written: ten thousand hosts may share fifty lines.
const ALIAS_LIMIT: usize = 1_000_000;
/// Bytes of text that aliases may add to what was written: a long text that is repeated costs more than its node.
const ALIAS_BYTES: usize = 64 << 20;
/// Values, keys and brackets that one text may hold: ten thousand hosts have about a quarter of it.
const NODE_LIMIT: usize = 2_000_000;

/// What a node costs where an alias repeats it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) nodes: usize,
    pub(super) depth: usize,
    /// Bytes of text.
    pub(super) bytes: usize,
}

impl Weight {
    /// One value with a text of `bytes`.
    pub(super) fn one(bytes: usize) -> Self {
        Self {
            nodes: 1,
            depth: 0,
            bytes,
        }
    }
}

/// What one text has used so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    nodes: usize,
    alias_nodes: usize,
    alias_bytes: usize,
}

impl Budget {
    /// Counts one event of the parser.
    ///
    /// # Errors
    /// Where the text has too many.
    pub(super) fn event(&mut self, span: Span) -> Result<(), Diagnostic> {
        self.nodes += 1;
        if self.nodes <= NODE_LIMIT {
            return Ok(());
        }
        Err(Diagnostic::error("a manifest file has too many values")
            .at(span, format!("more than {NODE_LIMIT} up to here"))
            .hint("spread it over several files of one folder"))
    }

    /// Counts what an alias repeats.
    ///
    /// # Errors
    /// Where the aliases of the text repeat too much.
    pub(super) fn alias(&mut self, weight: Weight, span: Span) -> Result<(), Diagnostic> {
        self.alias_nodes = self.alias_nodes.saturating_add(weight.nodes);
        self.alias_bytes = self.alias_bytes.saturating_add(weight.bytes);
        if self.alias_nodes > ALIAS_LIMIT {
            return Err(bomb(span, ALIAS_LIMIT, "values"));
        }
        if self.alias_bytes > ALIAS_BYTES {
            return Err(bomb(span, ALIAS_BYTES, "bytes"));
        }
        Ok(())
    }
}

fn bomb(span: Span, limit: usize, of: &str) -> Diagnostic {
    Diagnostic::error(format!("the YAML aliases expand to too many {of}"))
        .at(span, format!("more than {limit} {of} up to here"))
        .detail("such a text could use up all memory (a YAML bomb)")
        .hint("write the values out, or put them into `defaults` or `sites`")
}

/// Values are nested beyond [`DEPTH_LIMIT`].
pub(super) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("values are nested too deeply")
        .at(span, format!("more than {DEPTH_LIMIT} levels down"))
        .hint("a manifest needs eight levels at most: look for a bracket that is never closed")
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::diagnostic::SourceId;

    fn problem(text: &str) -> String {
        let mut problems = Vec::new();
        parse(SourceId(0), text, &mut problems);
        problems
            .iter()
            .map(|problem| problem.summary.as_str())
            .collect()
    }

    #[test]
    fn a_long_text_may_be_repeated_but_not_without_end() {
        let long = "x".repeat(1 << 20);
        let repeated = |times| format!("a: &a {long}\nb: [{}]\n", "*a, ".repeat(times));
        assert_eq!(problem(&repeated(60)), "");
        let said = problem(&repeated(70));
        assert!(said.contains("expand to too many bytes"), "{said}");
    }

    #[test]
    fn a_text_of_many_small_values_is_refused() {
        let said = problem(&format!("a: [{}]\n", "1, ".repeat(NODE_LIMIT)));
        assert!(said.contains("too many values"), "{said}");
    }
}
