//! Asks a host what its tables have for keys, and reads the answer.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::observe::{quote, without_comments};
use crate::exchange::{PostmapAnswer, TableQuestion};
use crate::secret::Secrets;

static PROGRAM: LazyLock<String> = LazyLock::new(|| without_comments(include_str!("lookups.sh")));

/// The program that answers the question, for the standard input of `sh -s`.
pub(super) fn program(question: &TableQuestion, nonce: &str) -> String {
    let mut program = PROGRAM.clone();
    // In halves, so that a host that echoes its input does not appear to answer.
    let (left, right) = nonce.split_at(nonce.len() / 2);
    let folder = quote(&question.service.folder());
    let _ = writeln!(program, "N={left}\nN=${{N}}{right}\nC={folder}");
    program.push_str("murder_ask_all() {\n:\n");
    for (table, key) in &question.lookups {
        let _ = writeln!(program, "murder_ask {} {}", quote(table), quote(key));
    }
    program.push_str("}\nmurder_lookups </dev/null\nexit\n");
    program
}

/// Reads the head of an answer: one answer for each lookup, as far as the host gave them.
pub(super) fn understand(head: &[u8], secrets: &Secrets) -> Vec<PostmapAnswer> {
    let text = String::from_utf8_lossy(head);
    let mut answers: Vec<(bool, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(status) = line.strip_prefix("=ask ") {
            answers.push((status.trim() == "0", Vec::new()));
        } else if let (Some(line), Some((_, lines))) = (line.strip_prefix('|'), answers.last_mut())
        {
            lines.push(line);
        }
    }
    let answers = answers.into_iter();
    answers
        .map(|(is_found, lines)| {
            let is_message = |line: &&str| line.starts_with("postmap: ");
            let values: Vec<&str> = lines
                .iter()
                .copied()
                .filter(|line| !is_message(line))
                .collect();
            match (is_found, lines.is_empty()) {
                (true, _) => PostmapAnswer::Found(secrets.scrub(&values.join("\n"))),
                (false, true) => PostmapAnswer::Absent,
                (false, false) => PostmapAnswer::Failed(secrets.scrub(&lines.join("; "))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;

    #[test]
    fn answers_are_read_and_keys_are_quoted() {
        let head = "=ask 0\n|relay:[a]:25\n=ask 1\n=ask 1\n|postmap: fatal: open x\n=ask 0\n|postmap: warning: y\n|b\n";
        assert_eq!(
            understand(head.as_bytes(), &Secrets::default()),
            [
                PostmapAnswer::Found("relay:[a]:25".to_owned()),
                PostmapAnswer::Absent,
                PostmapAnswer::Failed("postmap: fatal: open x".to_owned()),
                PostmapAnswer::Found("b".to_owned()),
            ]
        );
        let question = TableQuestion {
            service: Service::Postfix(crate::service::Instance::Default),
            lookups: vec![("hash:/x".to_owned(), "o'b$(id)@x".to_owned())],
        };
        let program = program(&question, "0123456789abcdef");
        assert!(
            program.contains("murder_ask 'hash:/x' 'o'\\''b$(id)@x'\n"),
            "{program}"
        );
    }
}
