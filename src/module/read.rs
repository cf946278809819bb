//! `module.yaml`: from its judged tree to a [`Module`].
//!
//! The grammar ([`module_form`]) has judged the form. Here is judged only what the grammar cannot know: whether a
//! variable's default is of its kind, and whether a file has one text, which exists.

use std::collections::BTreeMap;

use super::{Check, Module, Per, ProbeKind, Template, TextKind, Variable, VariableKind};
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::manifest::{Kind, MapEntry, Node, defaults, module_form, switch};
use crate::model::{ContentSpec, FileSpec, Layer, Level, ServiceSpec, SettingSpec};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName, UserName};
use crate::state::Note;
use crate::thing::{Field, Thing};

/// Reads one module. `templates` are its own and the shared ones, by name.
///
/// # Errors
/// Every fault of its form; or, where that is right, everything else that is wrong with the module by itself.
pub(super) fn module(
    role: RoleName,
    source: SourceId,
    text: &str,
    templates: BTreeMap<String, Template>,
) -> Result<Module, Vec<Diagnostic>> {
    let (tree, problems) = module_form::judge(source, text);
    let Some(tree) = tree.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    let mut reader = Reader {
        level: Level::Module(role.clone()),
        problems: Vec::new(),
        when: BTreeMap::new(),
        per: BTreeMap::new(),
        notes: BTreeMap::new(),
    };
    let vars = reader.variables(entries(&tree, "vars"));
    let settings = reader.settings(entries(&tree, "settings"));
    let services = reader.services(entries(&tree, "services"));
    let files = reader.files(&role, entries(&tree, "files"), &templates);
    let checks = reader.checks(list(&tree, "checks"));
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    Ok(Module {
        role,
        summary: text_of(&tree, "summary").unwrap_or_default(),
        source,
        after: texts(&tree, "after")
            .filter_map(|name| RoleName::new(name).ok())
            .collect(),
        provides: texts(&tree, "provides").map(str::to_owned).collect(),
        at_most_one: truth(&tree, "at_most_one").unwrap_or(false),
        recognized_by: list(&tree, "recognized_by")
            .iter()
            .map(|signs| {
                let signs = signs.list().iter().filter_map(Node::text);
                signs.map(str::to_owned).collect()
            })
            .collect(),
        listens: text_of(&tree, "listens"),
        probes: texts(&tree, "probes").filter_map(probe_kind).collect(),
        vars,
        settings,
        services,
        files,
        per: reader.per,
        when: reader.when,
        notes: reader.notes,
        checks,
        templates,
    })
}

struct Reader {
    level: Level,
    problems: Vec<Diagnostic>,
    when: BTreeMap<Thing, Layer<String>>,
    per: BTreeMap<RemotePath, Per>,
    notes: BTreeMap<Thing, Note>,
}

impl Reader {
    fn layer<T>(&self, at: Span, value: T) -> Layer<T> {
        Layer {
            level: self.level.clone(),
            at,
            value,
        }
    }

    fn problem(&mut self, summary: String, at: Span) {
        self.problems.push(
            Diagnostic::error(summary)
                .at(at, "")
                .hint("see docs/modules.md for what a module.yaml may hold"),
        );
    }

    /// Keeps the condition of a thing, where it has one.
    fn condition(&mut self, thing: Thing, node: &Node) {
        if let Some(when) = self.template(node, "when") {
            self.when.insert(thing, when);
        }
    }

    /// A text with its own place, for the templates.
    fn template(&self, node: &Node, key: &str) -> Option<Layer<String>> {
        let entry = node.entry(key)?;
        Some(self.layer(place(entry), entry.value.text()?.to_owned()))
    }

    fn variables(&mut self, entries: &[MapEntry]) -> BTreeMap<String, Variable> {
        let mut vars = BTreeMap::new();
        for entry in entries {
            let name = &entry.key;
            let Some(variable) = variable(entry) else {
                continue;
            };
            let at = entry.value.entry("default").map_or(entry.at, place);
            if !variable.kind.admits(&variable.default) {
                let wanted = variable.kind.wanted();
                self.problem(format!("the default of `{name}` is not {wanted}"), at);
            }
            if let Some((text, word, why)) = variable.wrong_text(&variable.default) {
                let what = word.what();
                self.problem(
                    format!("`{text}` in the default of `{name}` is not {what}: {why}"),
                    at,
                );
            }
            vars.insert(name.clone(), variable);
        }
        vars
    }

    fn settings(&mut self, entries: &[MapEntry]) -> BTreeMap<Parameter, Layer<SettingSpec>> {
        let mut settings = BTreeMap::new();
        for entry in entries {
            let Ok(name) = Parameter::new(entry.key.as_str()) else {
                continue;
            };
            // A text, `null`, or a map: `{value: …, when: …, dropped: …, class: …}`.
            let node = &entry.value;
            let value = match node.kind {
                Kind::Map(_) => text_of(node, "value"),
                _ => node.text().map(str::to_owned),
            };
            let value = value.map_or(SettingSpec::Unset, SettingSpec::Value);
            let thing = Thing::Parameter(name.clone());
            let note = Note {
                dropped: text_of(node, "dropped"),
                class: text_of(node, "class"),
            };
            if note != Note::default() {
                self.notes.insert(thing.clone(), note);
            }
            self.condition(thing, node);
            // A map's value has a line of its own.
            let at = node.entry("value").map_or(place(entry), |value| value.at);
            let layer = self.layer(at, value);
            settings.insert(name, layer);
        }
        settings
    }

    fn services(&mut self, entries: &[MapEntry]) -> BTreeMap<ServiceName, Layer<ServiceSpec>> {
        let mut services = BTreeMap::new();
        for entry in entries {
            let Ok(name) = ServiceName::new(entry.key.as_str()) else {
                continue;
            };
            let spec = if entry.value.is_null() {
                ServiceSpec::Absent
            } else {
                self.condition(Thing::Service(name.clone()), &entry.value);
                service(&entry.value)
            };
            let layer = self.layer(place(entry), spec);
            services.insert(name, layer);
        }
        services
    }

    fn files(
        &mut self,
        role: &RoleName,
        entries: &[MapEntry],
        templates: &BTreeMap<String, Template>,
    ) -> BTreeMap<RemotePath, Layer<FileSpec>> {
        let mut files = BTreeMap::new();
        for entry in entries {
            let Ok(path) = RemotePath::new(entry.key.as_str()) else {
                continue;
            };
            self.condition(Thing::File(path.clone()), &entry.value);
            if let Some(per) = entry.value.get("per").and_then(Node::text).and_then(per) {
                self.per.insert(path.clone(), per);
            }
            let content = self.content(role, entry, templates);
            if let Some(spec) = content.and_then(|content| file(&entry.value, content)) {
                let layer = self.layer(place(entry), spec);
                files.insert(path, layer);
            }
        }
        files
    }

    /// The text of a file: written out, or a template of the module (`x.tera`) or of all (`templates/x.tera`).
    fn content(
        &mut self,
        role: &RoleName,
        entry: &MapEntry,
        templates: &BTreeMap<String, Template>,
    ) -> Option<ContentSpec> {
        let name = match (
            entry.value.get("template"),
            text_of(&entry.value, "content"),
        ) {
            (Some(name), None) => name,
            (None, Some(text)) => return Some(ContentSpec::Literal(text)),
            _ => {
                let path = &entry.key;
                self.problem(
                    format!("`{path}` needs one of `template` and `content`"),
                    entry.at,
                );
                return None;
            }
        };
        let given = name.text()?;
        for full in [format!("{role}/{given}"), given.to_owned()] {
            if let Some(template) = templates.get(&full) {
                return Some(ContentSpec::Template {
                    name: full,
                    text: template.text.to_string(),
                });
            }
        }
        self.problem(format!("there is no template `{given}`"), name.span);
        None
    }

    fn checks(&self, list: &[Node]) -> Vec<Check> {
        let check = |node: &Node| {
            Some(Check {
                error: node.get("level")?.text()? == "error",
                about: node
                    .get("about")
                    .and_then(|name| Parameter::new(name.text()?).ok()),
                when: self.template(node, "when")?,
                text: self.template(node, "text")?,
                hint: text_of(node, "hint"),
            })
        };
        list.iter().filter_map(check).collect()
    }
}

fn variable(entry: &MapEntry) -> Option<Variable> {
    let node = &entry.value;
    let word = |key: &str| node.get(key).and_then(|name| TextKind::named(name.text()?));
    Some(Variable {
        kind: match node.get("type")?.text()? {
            "bool" => VariableKind::Bool,
            "integer" => VariableKind::Integer,
            "string" => VariableKind::String,
            "list" => VariableKind::List,
            "map" => VariableKind::Map,
            _ => VariableKind::OneOf(texts(node, "values").map(str::to_owned).collect()),
        },
        of: word("of"),
        keys: word("keys"),
        default: typed(node.get("default")?),
        doc: text_of(node, "doc")?,
        at: place(entry),
    })
}

fn service(node: &Node) -> ServiceSpec {
    let fields = Field::ALL
        .into_iter()
        .filter_map(|field| Some((field, text_of(node, field.as_str())?)));
    let options = entries(node, "options").iter().filter_map(|option| {
        let name = Parameter::new(option.key.as_str()).ok()?;
        Some((name, option.value.text().map(str::to_owned)))
    });
    ServiceSpec::Entry {
        fields: fields.collect(),
        options: options.collect(),
    }
}

fn file(node: &Node, content: ContentSpec) -> Option<FileSpec> {
    let user = |key: &str, default: &str| {
        let name = node.get(key).and_then(Node::text).unwrap_or(default);
        UserName::new(name).ok()
    };
    Some(FileSpec::Present {
        content,
        owner: user("owner", defaults::FILE_OWNER)?,
        group: user("group", defaults::FILE_GROUP)?,
        mode: node.get("mode").and_then(|mode| mode.text()?.parse().ok()),
        table: Some(truth(node, "table").unwrap_or(defaults::FILE_TABLE)),
    })
}

fn probe_kind(name: &str) -> Option<ProbeKind> {
    match name {
        "accept" => Some(ProbeKind::Accept),
        "refuse" => Some(ProbeKind::Refuse),
        _ => None,
    }
}

fn per(name: &str) -> Option<Per> {
    match name {
        "directories" => Some(Per::Directories),
        "alias_directories" => Some(Per::AliasDirectories),
        _ => None,
    }
}

/// A value as YAML 1.2 types it (its core schema): a plain `true`, `false`, `null` or number is one, all else is text.
fn typed(node: &Node) -> serde_json::Value {
    use serde_json::Value;
    match &node.kind {
        Kind::Scalar { text, plain } => {
            let number = || {
                let whole = text.parse::<i64>().ok().map(Value::from);
                let begins = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
                let float = || text.parse::<f64>().ok().filter(|_| begins);
                whole.or_else(|| float().map(Value::from))
            };
            if node.is_null() {
                Value::Null
            } else if let Some(truth) = switch(node) {
                Value::Bool(truth)
            } else {
                let number = plain.then(number).flatten();
                number.unwrap_or_else(|| Value::String(text.clone()))
            }
        }
        Kind::List(nodes) => nodes.iter().map(typed).collect(),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), typed(&entry.value)))
            .collect(),
    }
}

/// Where to point for an entry: at its value where that is a text on one place, else at its key.
fn place(entry: &MapEntry) -> Span {
    match entry.value.kind {
        Kind::Scalar { .. } if entry.value.span.end > entry.value.span.start => entry.value.span,
        _ => entry.at,
    }
}

fn entries<'n>(node: &'n Node, key: &str) -> &'n [MapEntry] {
    node.get(key).map_or(&[], Node::entries)
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map_or(&[], Node::list)
}

fn texts<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n str> {
    list(node, key).iter().filter_map(Node::text)
}

fn text_of(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::text).map(str::to_owned)
}

fn truth(node: &Node, key: &str) -> Option<bool> {
    node.get(key).and_then(switch)
}
