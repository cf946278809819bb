//! The table of parameters, and its kinds and limits.

use std::sync::{LazyLock, OnceLock};

static TEXT: &str = include_str!("parameters.tsv");

/// The lines of the table, sorted by name. A line is parsed when it is first needed, because a run needs few of them,
/// and kept, because a run over thousands of hosts needs the same ones again.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    // Nearly every run needs this: `str::lines` takes five times as long for the table.
    let ends = memchr::memchr_iter(b'\n', TEXT.as_bytes());
    let starts = std::iter::once(0).chain(ends.clone().map(|end| end + 1));
    starts
        .zip(ends)
        .filter_map(|(start, end)| TEXT.get(start..end))
        .filter(|line| !line.starts_with('#'))
        .map(|text| Line {
            text,
            row: OnceLock::new(),
        })
        .collect()
});

struct Line {
    text: &'static str,
    row: OnceLock<Option<Row>>,
}

impl Line {
    fn name(&self) -> &'static str {
        self.text.split('\t').next().unwrap_or(self.text)
    }

    /// None if the line is not a parameter.
    fn row(&self) -> Option<&Row> {
        self.row.get_or_init(|| Row::read(self.text)).as_ref()
    }
}

/// The suffixes of the parameters that each delivery service has: `SERVICE_…` (postconf(5), `transport_…`).
pub(super) const SUFFIXES: [&str; 17] = [
    "delivery_slot_cost",
    "delivery_slot_discount",
    "delivery_slot_loan",
    "destination_concurrency_failed_cohort_limit",
    "destination_concurrency_limit",
    "destination_concurrency_negative_feedback",
    "destination_concurrency_positive_feedback",
    "destination_rate_delay",
    "destination_recipient_limit",
    "extra_recipient_limit",
    "initial_destination_concurrency",
    "minimum_delivery_slots",
    "recipient_limit",
    "recipient_refill_delay",
    "recipient_refill_limit",
    "time_limit",
    "transport_rate_delay",
];

/// Whether a name is a placeholder of the documentation for the parameters of services.
pub(super) fn is_placeholder(name: &str) -> bool {
    name.strip_prefix("transport_")
        .is_some_and(|suffix| SUFFIXES.contains(&suffix))
}

/// Parameters that later patch releases of older versions also have, with the first patch release of each version (the
/// announcement of 3.8.4, 3.7.9, 3.6.13 and 3.5.23; `postconf -d` of 3.7.11 and 3.5.25 lists it).
const BACKPORTED: [(&str, &[[u32; 3]]); 1] = [(
    "smtpd_forbid_bare_newline",
    &[[3, 5, 23], [3, 6, 13], [3, 7, 9], [3, 8, 4]],
)];

/// Whether a release has a parameter although its version is older than the parameter's.
pub(super) fn is_backported(name: &str, version: [u32; 3]) -> bool {
    BACKPORTED
        .iter()
        .filter(|(backported, _)| *backported == name)
        .flat_map(|(_, releases)| *releases)
        .any(|first| first[..2] == version[..2] && first[2] <= version[2])
}

/// How Postfix programs read a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number with a unit of time.
    Time,
    /// `yes` or `no`.
    Boolean,
    /// Any text within limits of length.
    Text,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) since: Option<&'static str>,
    pub(super) removed: Option<&'static str>,
    pub(super) kind: Option<Kind>,
    pub(super) least: i64,
    /// None: no limit.
    pub(super) most: Option<i64>,
    pub(super) restart: bool,
    /// Postfix does not expand `$name` in it.
    pub(super) raw: bool,
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next().filter(|text| !text.is_empty());
        let name = next()?;
        // Fragments of names that the documentation composes, and its `transport_…` placeholders.
        if name.ends_with('_') || name == "local" || is_placeholder(name) {
            return None;
        }
        let since = next();
        let removed = next();
        // An `n` before the kind: the default is an expression. A value that is set is read in the same way.
        let word = next().map(|kind| kind.strip_prefix('n').unwrap_or(kind));
        let kind = match word {
            Some("int") => Some(Kind::Integer),
            Some("long") => Some(Kind::Long),
            Some("time") => Some(Kind::Time),
            Some("bool") => Some(Kind::Boolean),
            Some("str" | "raw") => Some(Kind::Text),
            _ => None,
        };
        let given = next()
            .and_then(|text| text.parse().ok())
            .filter(|least| *least != 0);
        // A least number of 0 is none: `check_mail_conf_int` of Postfix compares only where the limit is not 0. A time is
        // never negative (`conv_time`), nor is a length.
        let least = given.unwrap_or(match kind {
            Some(Kind::Integer) => i64::from(i32::MIN),
            Some(Kind::Long) => i64::MIN,
            _ => 0,
        });
        let most = next()
            .and_then(|text| text.parse().ok())
            .filter(|most| *most != 0);
        let restart = next().is_some();
        Some(Self {
            name,
            since,
            removed,
            kind,
            least,
            most,
            restart,
            raw: word == Some("raw"),
        })
    }
}

/// All rows, by name.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    LINES.iter().filter_map(Line::row)
}

/// The row of a name.
pub(super) fn row(name: &str) -> Option<&'static Row> {
    let at = LINES.binary_search_by(|line| line.name().cmp(name)).ok()?;
    LINES.get(at)?.row()
}

/// The row of the parameter that holds a service parameter's default: both accept the same values.
pub(super) fn suffix_row(suffix: &str) -> Option<&'static Row> {
    let default = match suffix {
        "time_limit" => "command_time_limit".to_owned(),
        "initial_destination_concurrency" => suffix.to_owned(),
        _ => format!("default_{suffix}"),
    };
    row(&default)
}
