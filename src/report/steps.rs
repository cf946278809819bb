//! The lines of one host's plan: a line for each step, and the diffs below them.

use super::block::{self, Block, ListItem};
use super::line::{Line, Tone};
use super::step_title::{action, titled, why};
use super::{Detail, difference, step_value};
use crate::name::{RemotePath, TableType};
use crate::plan::{
    Cause, Change, Failure, FileState, HostPlan, IndexReason, Refusal, ReloadReason, Step,
};
use crate::secret::mask;
use crate::service::Service;
use crate::state::{Probes, Remark};
use crate::visible::visible;

const TAKEN_OVER: &str = "(already correct; only recorded)";
const RELEASED: &str = "(removes the entry from the ledger; the value stays)";

/// The lines of a host's plan, in the order of work, refusals last.
#[must_use]
pub fn of_plan(plan: &HostPlan, detail: Detail) -> Vec<Line> {
    block::lines(&blocks(plan, detail))
}

/// The same, each step and each refusal by itself. A summary tells several alike in one list.
#[must_use]
pub fn blocks(plan: &HostPlan, detail: Detail) -> Vec<Block> {
    let steps = plan.steps.iter().map(|step| {
        let block = of_step(step, detail);
        let list = block.list.clone().filter(|_| detail == Detail::Summary);
        Block { list, ..block }
    });
    let refusals = plan.refusals.iter().map(of_refusal).map(Block::of_line);
    steps.chain(refusals).collect()
}

fn of_step(step: &Step, detail: Detail) -> Block {
    let quiet = |text: String| Block::of_line(Line::new(Tone::Plain, text));
    match step {
        Step::Sweep { run } => quiet(format!(
            "  * remove what the unfinished apply {run} left behind"
        )),
        Step::File {
            path,
            change,
            cause,
            ..
        } => of_file(path.as_str(), change, *cause, detail),
        Step::Value {
            service,
            thing,
            change,
            cause,
        } => step_value::of_value(service, thing, change, *cause, detail),
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
            Block {
                body: indented(difference::of_texts(
                    path.as_str(),
                    Some(before),
                    None,
                    detail,
                )),
                is_text: true,
                ..Block::of_line(titled(&change, path.as_str(), &index, *cause))
            }
            .about(path.as_str())
        }
        Step::Index {
            source,
            table_type,
            aliases,
            reason,
            ..
        } => of_index(source, table_type, *aliases, *reason),
        Step::Check { service } => quiet(format!("  * check with `{}`", check_command(service))),
        Step::Reload { service, reason } => {
            let (what, why) = (postfix(service), reload_reason(*reason));
            quiet(format!("  * reload {what} ({why})"))
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
            Block::of_line(Line::new(Tone::Warning, text))
        }
        Step::Probe { probes, .. } => quiet(format!("  * probe{}", asked(probes))),
        Step::TakeOver { service, thing } => {
            of_entry("take over", &service.shown(thing), TAKEN_OVER)
        }
        Step::Release { service, thing } => of_entry("release", &service.shown(thing), RELEASED),
    }
}

pub(super) fn of_file(
    path: &str,
    change: &Change<FileState>,
    cause: Cause,
    detail: Detail,
) -> Block {
    let access = access(change) + &leads_to(change);
    let (mark, word, _) = action(change);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    Block {
        body: indented(difference::of_change(path, change, detail)),
        is_text: true,
        list: Some(ListItem {
            verb: format!("  {mark} {word}"),
            noun: "file".to_owned(),
            of_all: visible(&format!(" in {folder}{access}{}", why(cause))),
            name: visible(name),
        }),
        ..Block::of_line(titled(change, path, &access, cause))
    }
    .about(path)
}

fn of_index(
    source: &RemotePath,
    table_type: &TableType,
    aliases: bool,
    reason: IndexReason,
) -> Block {
    let (how, why) = (
        if aliases { " with postalias" } else { "" },
        index_reason(reason),
    );
    let text = format!("  * build the index of {table_type}:{source}{how} ({why})");
    Block {
        list: Some(ListItem {
            verb: "  * build".to_owned(),
            noun: "index".to_owned(),
            of_all: format!("{how} ({})", index_reason_of_several(reason)),
            name: visible(&format!("{table_type}:{source}")),
        }),
        ..Block::of_line(Line::new(Tone::Plain, text))
    }
    .about(format!("{table_type}:{source}"))
}

/// A step that changes the ledger only.
fn of_entry(verb: &str, thing: &str, note: &str) -> Block {
    Block {
        list: Some(ListItem {
            verb: format!("  = {verb}"),
            noun: "thing".to_owned(),
            of_all: format!(" {note}"),
            name: visible(thing),
        }),
        ..Block::of_line(Line::new(Tone::Plain, format!("  = {verb} {thing} {note}")))
    }
    .about(thing)
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
        IndexReason::OtherEntries => "it has other entries than its source: Postfix reads those",
    }
}

fn index_reason_of_several(reason: IndexReason) -> &'static str {
    match reason {
        IndexReason::SourceChanges => "their sources change",
        IndexReason::Missing => "they are missing: Postfix cannot open the tables",
        IndexReason::Stale => {
            "they are older than their sources: Postfix still reads the old entries"
        }
        IndexReason::OtherEntries => {
            "they have other entries than their sources: Postfix reads those"
        }
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

pub(super) fn asked(probes: &Probes) -> String {
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

fn indented(lines: Vec<Line>) -> Vec<Line> {
    let indented = lines.into_iter().map(|line| Line {
        tone: line.tone,
        text: format!("      {}", line.text),
    });
    indented.collect()
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
