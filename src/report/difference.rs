//! The unified diff of one file, masked, as lines.

use similar::{ChangeTag, DiffOp, TextDiff};

use super::Detail;
use super::line::{Line, Tone};
use crate::plan::{Change, FileState, Withheld};
use crate::secret::mask;

/// Unchanged lines shown around a change, as diff(1) `-u` has it.
const CONTEXT: usize = 3;

/// Two texts with more lines than this between their first and last difference are not compared
/// line by line: the cost of a diff grows with the square of the differences, and it is too long to read.
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
    if let Some(before) = before.filter(|before| before.withheld.is_some()) {
        return withheld(path, before, after, detail);
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
            // The texts differ, but only in masked values.
            Some((before, after)) if before.sha256 != after.sha256 => {
                vec![Line::new(Tone::Faint, "(only a masked value differs)")]
            }
            _ => Vec::new(),
        };
    }
    unified(path, before.map(|_| &*old), after.map(|_| &*new), detail)
}

/// The diff where the host's text is not shown: why, and the whole text that replaces it.
fn withheld(
    path: &str,
    before: &FileState,
    after: Option<&FileState>,
    detail: Detail,
) -> Vec<Line> {
    let why = match before.withheld {
        Some(Withheld::TooLong) => "the texts of all hosts together are too long",
        Some(Withheld::Private) | None => {
            "`murder` does not manage the file, and some users of the host cannot read it"
        }
    };
    let mut lines = vec![Line::new(
        Tone::Faint,
        format!(
            "(the host's text, {} {}:{}, is not shown: {why})",
            before.mode, before.owner, before.group
        ),
    )];
    if let Some(text) = after.and_then(|after| after.text.as_deref()) {
        lines.extend(unified(
            path,
            None,
            Some(&mask::mask_file(path, text)),
            detail,
        ));
    }
    lines
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
            format!("@@ {gone} lines differ from {come} new lines: too many to show @@"),
        ));
        return lines;
    }
    let skipped = match detail {
        Detail::Full => 0,
        Detail::Summary | Detail::Context => same_start(old, new).saturating_sub(CONTEXT),
    };
    let (old, new) = match detail {
        Detail::Full => (old, new),
        Detail::Summary | Detail::Context => near_changes(old, new, skipped),
    };
    let diff = TextDiff::from_lines(old, new);
    let context = match detail {
        Detail::Full => usize::MAX / 2,
        Detail::Summary | Detail::Context => CONTEXT,
    };
    let mut unified = diff.unified_diff();
    for hunk in unified.context_radius(context).iter_hunks() {
        lines.push(Line::new(Tone::Faint, header(hunk.ops(), skipped)));
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

/// The head of a hunk, as diff(1) `-u` has it: first line and count of either side.
fn header(changes: &[DiffOp], skipped: usize) -> String {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else {
        return String::new();
    };
    let side = |start: usize, end: usize| match end - start {
        // Nothing stands after the line before it.
        0 => format!("{},0", start + skipped),
        1 => (start + skipped + 1).to_string(),
        count => format!("{},{count}", start + skipped + 1),
    };
    format!(
        "@@ -{} +{} @@",
        side(first.old_range().start, last.old_range().end),
        side(first.new_range().start, last.new_range().end)
    )
}

/// How many lines both texts begin with.
fn same_start(old: &str, new: &str) -> usize {
    old.split_inclusive('\n')
        .zip(new.split_inclusive('\n'))
        .take_while(|(a, b)| a == b)
        .count()
}

/// The texts without their first `skipped` lines, and without equal lines at their end that no
/// hunk shows. A large table with one new line is so compared in a few lines.
fn near_changes<'t>(old: &'t str, new: &'t str, skipped: usize) -> (&'t str, &'t str) {
    let start: usize = old.split_inclusive('\n').take(skipped).map(str::len).sum();
    let (old, new) = (&old[start..], &new[start..]);
    let shown = CONTEXT;
    let end: usize = old
        .split_inclusive('\n')
        .rev()
        .zip(new.split_inclusive('\n').rev())
        .take_while(|(a, b)| a == b)
        .count()
        .saturating_sub(shown);
    let cut: usize = old
        .split_inclusive('\n')
        .rev()
        .take(end)
        .map(str::len)
        .sum();
    (&old[..old.len() - cut], &new[..new.len() - cut])
}

/// How many lines stand between the first and the last difference, where they are too many.
fn too_different(old: &str, new: &str) -> Option<(usize, usize)> {
    let (old_count, new_count) = (old.lines().count(), new.lines().count());
    if old_count.min(new_count) == 0 || old_count + new_count <= TOO_MANY {
        return None;
    }
    let same_start = same_start(old, new);
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

    #[test]
    fn one_line_of_many_is_shown_where_it_stands() {
        let many = |changed: usize| -> String {
            (0..100_000)
                .map(|line| {
                    let word = if line == changed { "new" } else { "old" };
                    format!("{line} {word}\n")
                })
                .collect()
        };
        let lines = unified(
            "/x",
            Some(&many(100_000)),
            Some(&many(50_000)),
            Detail::Context,
        );
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts.len(), 11);
        assert_eq!(texts[2], "@@ -49998,7 +49998,7 @@");
        assert_eq!(texts[6], "-50000 old");
        assert_eq!(texts[7], "+50000 new");
    }

    #[test]
    fn repeated_lines_are_cut_without_loss() {
        let lines = unified(
            "/x",
            Some("a\na\na\na\na\n"),
            Some("a\na\na\na\na\na\n"),
            Detail::Context,
        );
        assert_eq!(lines.iter().filter(|line| line.text == "+a").count(), 1);
    }

    fn file(text: &str) -> FileState {
        FileState {
            text: Some(text.to_owned()),
            sha256: text.len().to_string(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: Mode::from_bits(0o644),
            secret: false,
            withheld: None,
            link: None,
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
