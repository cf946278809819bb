//! The unified diff of one file, masked, as lines.

use similar::{ChangeTag, TextDiff};

use super::Detail;
use super::line::{Line, Tone};
use crate::plan::{Change, FileState};
use crate::secret::mask;

/// Unchanged lines shown around a change, as diff(1) `-u` has it.
const CONTEXT: usize = 3;

/// Two texts with more lines than this between their first and last difference are not compared
/// line by line: the cost of a diff grows with the square of what differs, and nobody reads it.
const TOO_MANY: usize = 40_000;

/// The diff of a file that is created or updated.
#[must_use]
pub fn of_change(path: &str, change: &Change<FileState>, detail: Detail) -> Vec<Line> {
    match change {
        Change::Create { after } => of_texts(path, None, Some(after), detail),
        Change::Update { before, after } => of_texts(path, Some(before), Some(after), detail),
        Change::Delete { before } => of_texts(path, Some(before), None, detail),
    }
}

/// The diff between two states of a file, either of which may be "not there".
#[must_use]
pub fn of_texts(
    path: &str,
    before: Option<&FileState>,
    after: Option<&FileState>,
    detail: Detail,
) -> Vec<Line> {
    if detail == Detail::Summary {
        return Vec::new();
    }
    let text = |state: Option<&FileState>| match state {
        None => Some(String::new()),
        Some(state) => state
            .text
            .as_deref()
            .map(|text| mask::mask_file(path, text)),
    };
    let (Some(old), Some(new)) = (text(before), text(after)) else {
        return vec![Line::new(
            Tone::Faint,
            "(its text is not shown: it was not read, or is not text)",
        )];
    };
    if old == new {
        let both = before.zip(after);
        return match both {
            // Only what is masked can differ where nothing else does.
            Some((before, after)) if before.sha256 != after.sha256 => {
                vec![Line::new(Tone::Faint, "(only a masked value differs)")]
            }
            _ => Vec::new(),
        };
    }
    unified(path, before.map(|_| &*old), after.map(|_| &*new), detail)
}

fn unified(path: &str, before: Option<&str>, after: Option<&str>, detail: Detail) -> Vec<Line> {
    let name = |side: Option<&str>| if side.is_some() { path } else { "/dev/null" }.to_owned();
    let mut lines = vec![
        Line::new(Tone::Faint, format!("--- {}", name(before))),
        Line::new(Tone::Faint, format!("+++ {}", name(after))),
    ];
    let (old, new) = (before.unwrap_or_default(), after.unwrap_or_default());
    if let Some((gone, come)) = too_different(old, new) {
        lines.push(Line::new(
            Tone::Faint,
            format!("@@ {gone} lines differ from {come} new ones: too many to show @@"),
        ));
        return lines;
    }
    let diff = TextDiff::from_lines(old, new);
    let context = match detail {
        Detail::Full => usize::MAX / 2,
        Detail::Summary | Detail::Context => CONTEXT,
    };
    let mut unified = diff.unified_diff();
    for hunk in unified.context_radius(context).iter_hunks() {
        lines.push(Line::new(Tone::Faint, hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let (mark, tone) = match change.tag() {
                ChangeTag::Delete => ('-', Tone::Removed),
                ChangeTag::Insert => ('+', Tone::Added),
                ChangeTag::Equal => (' ', Tone::Plain),
            };
            let text = change.value().trim_end_matches('\n');
            lines.push(Line::new(tone, format!("{mark}{text}")));
            if change.missing_newline() {
                lines.push(Line::new(Tone::Faint, "\\ No newline at end of file"));
            }
        }
    }
    lines
}

/// How many lines stand between the first and the last difference, where they are too many.
fn too_different(old: &str, new: &str) -> Option<(usize, usize)> {
    let (old_count, new_count) = (old.lines().count(), new.lines().count());
    if old_count.min(new_count) == 0 || old_count + new_count <= TOO_MANY {
        return None;
    }
    let same_start = old
        .lines()
        .zip(new.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let longest = old_count.min(new_count) - same_start;
    let same_end = old
        .lines()
        .rev()
        .zip(new.lines().rev())
        .take(longest)
        .take_while(|(a, b)| a == b)
        .count();
    let gone = old_count - same_start - same_end;
    let come = new_count - same_start - same_end;
    // A single block that was put in or taken out costs nothing, however long.
    (gone.min(come) > 0 && gone + come > TOO_MANY).then_some((gone, come))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Mode;

    fn file(text: &str) -> FileState {
        FileState {
            text: Some(text.to_owned()),
            sha256: text.len().to_string(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: Mode::from_bits(0o644),
            secret: false,
        }
    }

    fn shown(before: Option<&str>, after: Option<&str>, detail: Detail) -> String {
        let (before, after) = (before.map(file), after.map(file));
        of_texts("/etc/x", before.as_ref(), after.as_ref(), detail)
            .into_iter()
            .map(|line| line.text + "\n")
            .collect()
    }

    #[test]
    fn a_diff_has_context_and_no_secret() {
        assert_eq!(
            shown(
                Some("a\nb\nc\nd\nbind_pw = one\ne\n"),
                Some("a\nb\nc\nd\nbind_pw = one\nf\n"),
                Detail::Context
            ),
            "--- /etc/x\n+++ /etc/x\n@@ -3,4 +3,4 @@\n c\n d\n bind_pw = ***\n-e\n+f\n"
        );
    }

    #[test]
    fn a_new_file_comes_from_nothing_and_may_lack_its_line_end() {
        assert_eq!(
            shown(None, Some("a"), Detail::Context),
            "--- /dev/null\n+++ /etc/x\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn full_shows_every_line_and_summary_none() {
        let long: String = (0..50).map(|n| format!("{n}\n")).collect();
        let other = format!("{long}end\n");
        let full = shown(Some(&long), Some(&other), Detail::Full);
        assert_eq!(full.lines().count(), 2 + 1 + 51);
        assert_eq!(shown(Some(&long), Some(&other), Detail::Summary), "");
    }

    #[test]
    fn a_secret_that_differs_alone_is_told() {
        assert_eq!(
            shown(
                Some("bind_pw = one\n"),
                Some("bind_pw = three\n"),
                Detail::Context
            ),
            "(only a masked value differs)\n"
        );
    }

    #[test]
    fn two_huge_strangers_are_not_compared() {
        let old: String = (0..30_000).map(|n| format!("{n} a\n")).collect();
        let new: String = (0..30_000).map(|n| format!("{n} b\n")).collect();
        assert!(shown(Some(&old), Some(&new), Detail::Context).contains("30000 lines differ"));
        let one = old.replacen("15000 a", "15000 c", 1);
        assert!(shown(Some(&old), Some(&one), Detail::Context).contains("+15000 c\n"));
    }
}
