//! From the tree of a policy to its rules.

use std::collections::BTreeMap;

use super::judge::measure;
use super::{Demand, FileDemand, Freeze, Mistake, Policy, PolicyRule, SAFE, ValueDemand};
use crate::calendar::moment;
use crate::diagnostic::{Diagnostic, SourceId};
use crate::manifest::{Kind, Node, Text, parse_policy};
use crate::name::{Parameter, RoleName, ServiceName};
use crate::thing::Field;

/// The rules of `murder` itself.
#[must_use]
pub fn safe() -> Policy {
    let text = Text {
        source: SourceId(u32::MAX),
        text: include_str!("safe.yaml"),
    };
    let (tree, _) = parse_policy(text);
    let mut policy = tree.map_or_else(Policy::default, |tree| read(&tree, SAFE, &mut Vec::new()));
    for rule in &mut policy.rules {
        rule.at = None;
    }
    policy
}

/// Reads a tree that the grammar has judged; `name` says where it is from. What the grammar cannot see is added to
/// `problems`.
#[must_use]
pub fn read(node: &Node, name: &str, problems: &mut Vec<Diagnostic>) -> Policy {
    let list = |key: &str| node.get(key).map_or(&[][..], Node::list).iter();
    let mut policy = Policy {
        name: name.to_owned(),
        rules: list("rules")
            .filter_map(|node| rule(node, problems))
            .collect(),
        freezes: list("freeze")
            .filter_map(|node| freeze(node, problems))
            .collect(),
        allow_paths: texts(node.get("allow_paths")),
    };
    if list("builtin").any(|node| node.text() == Some("safe")) {
        policy.rules.extend(safe().rules);
    }
    policy
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else {
        return Vec::new();
    };
    match node.text() {
        Some(text) => vec![text.to_owned()],
        None => node
            .list()
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect(),
    }
}

fn rule(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<PolicyRule> {
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let demand = match demand(node) {
        Ok(demand) => demand?,
        Err((why, hint)) => {
            problems.push(
                Diagnostic::error(format!(
                    "the rule `{}` {why}",
                    text("name").unwrap_or_default()
                ))
                .at(node.span, "this rule")
                .hint(hint),
            );
            return None;
        }
    };
    Some(PolicyRule {
        name: text("name")?,
        roles: texts(node.get("roles"))
            .into_iter()
            .filter_map(|role| RoleName::new(role).ok())
            .collect(),
        provides: texts(node.get("provides")),
        demand,
        message: text("message"),
        reference: text("reference"),
        at: Some(node.get("name")?.span),
    })
}

/// What is wrong with a rule, and what to write.
type Wrong = (&'static str, &'static str);

const SUBJECT: Wrong = (
    "is about nothing, or about too much",
    "name one of `parameter` (with or without `service`), `service`, `file` and `no`",
);
const DEMAND: Wrong = (
    "demands nothing, or too much",
    "write one of `require`, `forbid`, `one_of`, `at_least` and `at_most`",
);
const ORDER: Wrong = (
    "compares values that have no order",
    "write a number or a time as this parameter takes it, or a level of TLS for `*_tls_security_level`; else write `one_of`",
);
const PRESENT: Wrong = (
    "demands what no service or file can be",
    "write `forbid: present`, or `require: {…}` with the columns of a service or with `owner`, `group` and `mode` of a file",
);

fn demand(node: &Node) -> Result<Option<Demand>, Wrong> {
    let demands: Vec<(&str, &Node)> = ["require", "forbid", "one_of", "at_least", "at_most"]
        .into_iter()
        .filter_map(|key| Some((key, node.get(key)?)))
        .collect();
    let text = |key: &str| node.get(key).and_then(Node::text);
    let (parameter, service) = (node.get("parameter"), node.get("service"));
    let (file, no) = (node.get("file"), node.get("no"));
    let subjects = [parameter.or(service), file, no];
    if subjects.iter().flatten().count() != 1 {
        return Err(SUBJECT);
    }
    if no.is_some() {
        return match demands.is_empty() {
            true => Ok(text("no").and_then(mistake).map(Demand::No)),
            false => Err(DEMAND),
        };
    }
    let [(key, value)] = demands[..] else {
        return Err(DEMAND);
    };
    let is_map = matches!(value.kind, Kind::Map(_));
    if parameter.is_some() {
        if is_map {
            return Err(DEMAND);
        }
        let name = text("parameter").and_then(|name| Parameter::new(name).ok());
        let service = text("service").and_then(|name| ServiceName::new(name).ok());
        let compares = matches!(key, "at_least" | "at_most");
        let bound = |name: &Parameter| measure(name.as_str(), value.text().unwrap_or_default());
        if compares && name.as_ref().is_some_and(|name| bound(name).is_none()) {
            return Err(ORDER);
        }
        return Ok(name.map(|name| Demand::Parameter(name, service, value_demand(key, value))));
    }
    let absent = key == "forbid" && value.text() == Some("present");
    if !(absent || key == "require" && is_map) {
        return Err(PRESENT);
    }
    if let Some(pattern) = text("file") {
        let pattern = pattern.to_owned();
        return match absent {
            true => Ok(Some(Demand::NoFile(pattern))),
            false => Ok(Some(Demand::File(pattern, file_demand(value)?))),
        };
    }
    let service = text("service").and_then(|name| ServiceName::new(name).ok());
    let Some(service) = service else {
        return Ok(None);
    };
    match absent {
        true => Ok(Some(Demand::NoService(service))),
        false => Ok(Some(Demand::Service(service, columns(value)?))),
    }
}

fn value_demand(key: &str, value: &Node) -> ValueDemand {
    let one = || value.text().unwrap_or_default().to_owned();
    match key {
        "require" if value.text().is_some() => ValueDemand::Is(one()),
        "require" => ValueDemand::Has(texts(Some(value))),
        "forbid" => ValueDemand::Not(texts(Some(value))),
        "one_of" => ValueDemand::OneOf(texts(Some(value))),
        "at_least" => ValueDemand::AtLeast(one()),
        _ => ValueDemand::AtMost(one()),
    }
}

fn file_demand(node: &Node) -> Result<FileDemand, Wrong> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let known = ["owner", "group", "mode"];
    if node
        .entries()
        .iter()
        .any(|entry| !known.contains(&entry.key.as_str()))
    {
        return Err(PRESENT);
    }
    Ok(FileDemand {
        owner: text("owner").and_then(|name| name.parse().ok()),
        group: text("group").and_then(|name| name.parse().ok()),
        mode: text("mode").and_then(|mode| mode.parse().ok()),
    })
}

fn columns(node: &Node) -> Result<BTreeMap<Field, String>, Wrong> {
    let mut columns = BTreeMap::new();
    for entry in node.entries() {
        let field = Field::ALL
            .into_iter()
            .find(|field| field.as_str() == entry.key);
        let (Some(field), Some(text)) = (field, entry.value.text()) else {
            return Err(PRESENT);
        };
        columns.insert(field, text.to_owned());
    }
    Ok(columns)
}

fn mistake(word: &str) -> Option<Mistake> {
    match word {
        "open_relay" => Some(Mistake::OpenRelay),
        "cleartext_bind" => Some(Mistake::CleartextBind),
        "world_readable_secret" => Some(Mistake::WorldReadableSecret),
        "whole_internet" => Some(Mistake::WholeInternet),
        _ => None,
    }
}

fn freeze(node: &Node, problems: &mut Vec<Diagnostic>) -> Option<Freeze> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let (from, until) = (moment(text("from")?)?, moment(text("until")?)?);
    if until <= from {
        problems.push(
            Diagnostic::error("a freeze ends before it begins")
                .at(node.get("until")?.span, "not after `from`")
                .hint("write a later moment"),
        );
        return None;
    }
    Some(Freeze {
        from,
        until,
        until_text: text("until")?.to_owned(),
        reason: text("reason").map(str::to_owned),
    })
}
