//! The lines of one host's plan: a line for each step, and the diffs below them.

use super::line::{Line, Tone};
use super::{Detail, difference};
use crate::name::TableType;
use crate::plan::{
    Cause, Change, Failure, FileState, HostPlan, IndexReason, Refusal, ReloadReason, Step,
};
use crate::secret::mask;
use crate::service::Service;
use crate::state::{Probes, Remark};
use crate::thing::Thing;

/// A parameter's change longer than this is shown on two lines.
const LINE: usize = 100;

const TAKEN_OVER: &str = "(already correct; only recorded)";
const RELEASED: &str = "(removes the entry from the ledger; the value stays)";

/// The lines of a host's plan, in the order of work, refusals last.
#[must_use]
pub fn of_plan(plan: &HostPlan, detail: Detail) -> Vec<Line> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        of_step(step, detail, &mut lines);
    }
    for refusal in &plan.refusals {
        lines.push(of_refusal(refusal));
    }
    lines
}

fn of_step(step: &Step, detail: Detail, lines: &mut Vec<Line>) {
    let mut quiet = |text: String| lines.push(Line::new(Tone::Plain, text));
    match step {
        Step::Sweep { run } => quiet(format!(
            "  * remove what the unfinished apply {run} left behind"
        )),
        Step::File {
            path,
            change,
            cause,
            ..
        } => {
            let access = access(change) + &leads_to(change);
            lines.push(titled(change, path.as_str(), &access, *cause));
            let diff = difference::of_change(path.as_str(), change, detail);
            lines.extend(indented(diff));
        }
        Step::Value {
            service,
            thing,
            change,
            cause,
        } => of_value(service, thing, change, *cause, lines),
        Step::Delete {
            path,
            before,
            cause,
            index_type,
            ..
        } => {
            let change = Change::Delete { before };
            let suffix = index_type.as_ref().and_then(TableType::index_suffix);
            let mut index =
                suffix.map_or(String::new(), |suffix| format!(" and its index {suffix}"));
            index += &leads_to(&change);
            lines.push(titled(&change, path.as_str(), &index, *cause));
            let diff = difference::of_texts(path.as_str(), Some(before), None, detail);
            lines.extend(indented(diff));
        }
        Step::Index {
            source,
            table_type,
            aliases,
            reason,
            ..
        } => quiet(format!(
            "  * build the index of {table_type}:{source}{} ({})",
            if *aliases { " with postalias" } else { "" },
            index_reason(*reason)
        )),
        Step::Check { service } => quiet(format!("  * check with `{}`", check_command(service))),
        Step::Reload { service, reason } => {
            let (what, why) = (postfix(service), reload_reason(*reason));
            quiet(format!("  * reload {what} ({why})"));
        }
        Step::Restart {
            service,
            parameters,
        } => {
            let names: Vec<&str> = parameters.iter().map(AsRef::as_ref).collect();
            let text = format!(
                "  * stop and start {}: a reload does not reach {} (only with --allow-restart)",
                postfix(service),
                names.join(", ")
            );
            lines.push(Line::new(Tone::Warning, text));
        }
        Step::Probe { probes, .. } => quiet(format!("  * probe{}", asked(probes))),
        Step::TakeOver { service, thing } => {
            quiet(format!(
                "  = take over {} {TAKEN_OVER}",
                service.shown(thing)
            ));
        }
        Step::Release { service, thing } => {
            quiet(format!("  = release {} {RELEASED}", service.shown(thing)));
        }
    }
}

/// What a step does something to: Postfix, or one of its instances.
fn postfix(service: &Service) -> String {
    match service.named_instance() {
        None => "Postfix".to_owned(),
        Some(name) => format!("the instance {} of Postfix", name.as_str()),
    }
}

fn check_command(service: &Service) -> String {
    match service.named_instance() {
        None => "postfix check".to_owned(),
        Some(_) => format!("postfix -c {} check", service.folder()),
    }
}

fn index_reason(reason: IndexReason) -> &'static str {
    match reason {
        IndexReason::SourceChanges => "its source changes",
        IndexReason::Missing => "it is missing: Postfix cannot open the table",
        IndexReason::Stale => "it is older than its source: Postfix still reads the old entries",
    }
}

fn reload_reason(reason: ReloadReason) -> &'static str {
    match reason {
        ReloadReason::ConfigurationChanges => "its configuration changes",
        ReloadReason::NotToldYet => {
            "an earlier change is not loaded: Postfix still runs with its previous configuration"
        }
    }
}

/// `  ~ update /etc/postfix/x (drift: changed on the host since the last apply)`.
fn titled<T>(change: &Change<T>, what: &str, access: &str, cause: Cause) -> Line {
    let (mark, word, tone) = match change {
        Change::Create { .. } => ('+', "create", Tone::Added),
        Change::Update { .. } => ('~', "update", Tone::Changed),
        Change::Delete { .. } => ('-', "delete", Tone::Removed),
    };
    Line::new(
        tone,
        format!("  {mark} {word} {what}{access}{}", why(cause)),
    )
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Wanted => "",
        Cause::Drift => " (drift: changed on the host since the last apply)",
        Cause::Unnamed => " (no longer in the manifest)",
        Cause::FirstContact => " (first apply: replaces the host's own value)",
        Cause::Retired => " (the host is retired)",
        Cause::Restored => " (not managed now, but in the generation to restore)",
        Cause::AbsentInGeneration => " (not managed in the generation to restore)",
    }
}

/// Where a path that is a link leads to: that file is written or deleted.
fn leads_to<T: std::borrow::Borrow<FileState>>(change: &Change<T>) -> String {
    let state = match change {
        Change::Create { after: state }
        | Change::Update { before: state, .. }
        | Change::Delete { before: state } => state.borrow(),
    };
    state
        .link
        .as_ref()
        .map_or(String::new(), |reached| format!(", a link to {reached}"))
}

/// Owner, group and mode: of a new file all, of an existing file only what differs.
fn access(change: &Change<FileState>) -> String {
    match change {
        Change::Create { after } => format!(", {}:{} {}", after.owner, after.group, after.mode),
        Change::Update { before, after } => {
            let mut text = String::new();
            let mut differs = |word: &str, old: &str, new: &str| {
                if old != new {
                    text += &format!(", {word} {old} → {new}");
                }
            };
            differs("owner", &before.owner, &after.owner);
            differs("group", &before.group, &after.group);
            differs("mode", &before.mode.to_string(), &after.mode.to_string());
            text
        }
        Change::Delete { .. } => String::new(),
    }
}

fn of_value(
    service: &Service,
    thing: &Thing,
    change: &Change<String>,
    cause: Cause,
    lines: &mut Vec<Line>,
) {
    let (old, new) = match change {
        Change::Create { after } => (None, Some(after)),
        Change::Update { before, after } => (Some(before), Some(after)),
        Change::Delete { before } => (Some(before), None),
    };
    let (old, new) = shown(thing, old, new);
    let name = service.shown(thing);
    let one = format!("{name}: {old} → {new}");
    if one.chars().count() <= LINE {
        lines.push(titled(change, &one, "", cause));
        return;
    }
    lines.push(titled(change, &name, ":", cause));
    lines.push(Line::new(Tone::Removed, format!("      - {old}")));
    lines.push(Line::new(Tone::Added, format!("      + {new}")));
}

/// Both values, masked if the name is that of a secret.
fn shown(thing: &Thing, old: Option<&String>, new: Option<&String>) -> (String, String) {
    let name = match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
    };
    let show = |value: Option<&String>| match value {
        None => "(not set)".to_owned(),
        Some(value) if value.is_empty() => "(empty)".to_owned(),
        Some(value) => mask::mask_value(name, value),
    };
    let (before, mut after) = (show(old), show(new));
    if before == after && old != new {
        after = mask::CHANGED.to_owned();
    }
    (before, after)
}

fn asked(probes: &Probes) -> String {
    let mut parts = Vec::new();
    if !probes.accept.is_empty() {
        parts.push(format!("{} accepted", probes.accept.join(", ")));
    }
    if !probes.refuse.is_empty() {
        parts.push(format!("{} refused", probes.refuse.join(", ")));
    }
    if parts.is_empty() {
        " that Postfix runs and its tables answer".to_owned()
    } else {
        format!(": {}", parts.join("; "))
    }
}

fn indented(lines: Vec<Line>) -> impl Iterator<Item = Line> {
    lines.into_iter().map(|line| Line {
        tone: line.tone,
        text: format!("      {}", line.text),
    })
}

/// A refusal, with the flag that lifts it.
#[must_use]
pub fn of_refusal(refusal: &Refusal) -> Line {
    let flag = match refusal.kind.flag() {
        Some(flag) => format!("refused without {flag}"),
        None => "refused".to_owned(),
    };
    Line::new(Tone::Warning, format!("  ! {flag}: {}", refusal.summary))
}

/// A failure on a host, with the words of the host and a hint.
#[must_use]
pub fn of_failure(word: &str, failure: &Failure) -> Vec<Line> {
    let mut lines = vec![Line::new(
        Tone::Failure,
        format!("  ! {word}: {}", mask::mask_secrets(&failure.summary)),
    )];
    if let Some(detail) = &failure.detail {
        let detail = mask::mask_secrets(detail);
        lines.extend(
            detail
                .lines()
                .map(|words| Line::new(Tone::Faint, format!("      | {words}"))),
        );
    }
    if let Some(hint) = &failure.hint {
        for (at, words) in hint.lines().enumerate() {
            let lead = if at == 0 {
                "      help: "
            } else {
                "            "
            };
            lines.push(Line::new(Tone::Plain, format!("{lead}{words}")));
        }
    }
    lines
}

/// A remark of the plan.
#[must_use]
pub fn of_remark(remark: &Remark) -> Vec<Line> {
    let mut lines = vec![Line::new(
        Tone::Warning,
        format!("  note: {}", mask::mask_secrets(&remark.text)),
    )];
    if let Some(hint) = &remark.hint {
        lines.push(Line::new(Tone::Plain, format!("      help: {hint}")));
    }
    lines
}
