//! What one layer (host, site, module, defaults) says of things: read once, shared by its hosts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Scope, Span};
use crate::manifest::{Kind, MapEntry, Node, defaults, integer, switch};
use crate::model::resolve::parts::{layer, scalar};
use crate::model::resolve::{Resolver, parts};
use crate::model::{
    ContentSpec, FileSpec, Host, InstanceLayers, Layer, Level, ListEdit, ServiceSpec, SettingSpec,
};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName, UserName};
use crate::nearest;
use crate::thing::{Field, Thing};

/// The things of one layer.
#[derive(Debug, Default)]
pub(super) struct Things {
    settings: Vec<(Parameter, Layer<SettingSpec>)>,
    services: Vec<(ServiceName, Layer<ServiceSpec>)>,
    files: Vec<(RemotePath, Layer<FileSpec>)>,
    vars: Vec<(String, Layer<Value>)>,
    leave: Vec<Layer<String>>,
}

impl Things {
    /// Adds what this layer says behind what nearer layers said.
    pub(super) fn add_to(&self, host: &mut Host) {
        add(&mut host.settings, &self.settings);
        add(&mut host.services, &self.services);
        add(&mut host.files, &self.files);
        add(&mut host.vars, &self.vars);
        host.leave.extend(self.leave.iter().cloned());
    }

    /// The same for what a layer says of one instance.
    pub(super) fn add_to_instance(&self, layers: &mut InstanceLayers) {
        add(&mut layers.settings, &self.settings);
        add(&mut layers.services, &self.services);
        layers.leave.extend(self.leave.iter().cloned());
    }
}

fn add<K: Ord + Clone, T: Clone>(into: &mut BTreeMap<K, Vec<Layer<T>>>, from: &[(K, Layer<T>)]) {
    for (key, layer) in from {
        into.entry(key.clone()).or_default().push(layer.clone());
    }
}

impl Resolver<'_> {
    /// Reads the things of one layer. `roles` are those whose variables it may set.
    /// `place` is the layer's path in the manifest, for the names of its secrets.
    pub(super) fn things(
        &mut self,
        node: &Node,
        level: &Level,
        roles: &[RoleName],
        place: &str,
    ) -> Things {
        let before = self.problems.len();
        let things = self.each_thing(node, level, roles, place);
        for problem in self.problems.iter_mut().skip(before) {
            problem.scope = Scope::Value;
        }
        things
    }

    fn each_thing(
        &mut self,
        node: &Node,
        level: &Level,
        roles: &[RoleName],
        place: &str,
    ) -> Things {
        let entries = |key: &str| node.get(key).map_or(&[][..], Node::entries);
        let mut things = Things::default();
        for entry in entries("settings") {
            self.setting_words(entry, level, &mut things);
        }
        for entry in entries("services") {
            self.service_words(entry, level, &mut things);
        }
        for entry in entries("files") {
            self.file_words(entry, level, place, &mut things);
        }
        for entry in entries("vars") {
            self.variable_words(entry, level, roles, &mut things);
        }
        for node in node.get("leave").map_or(&[][..], Node::list) {
            self.leave_word(node, level, &mut things);
        }
        things
    }

    /// What an entry of `settings` says, and behind it what overlays replaced: a list edit of an overlay edits that.
    fn setting_words(&mut self, entry: &MapEntry, level: &Level, things: &mut Things) {
        let Ok(name) = Parameter::new(entry.key.as_str()) else {
            return;
        };
        self.known_parameter(&entry.key, entry.at);
        for entry in entry.and_under() {
            self.no_secret_value(&entry.key, &entry.value);
            if let Some(value) = self.setting(&entry.value, entry.at) {
                let at = parts::edit(entry);
                let word = layer(level, at, &entry.value, value);
                things.settings.push((name.clone(), word));
            }
        }
    }

    fn service_words(&mut self, entry: &MapEntry, level: &Level, things: &mut Things) {
        let Ok(name) = ServiceName::new(entry.key.as_str()) else {
            return;
        };
        for (depth, entry) in entry.and_under().enumerate() {
            let said = self.problems.len();
            let value = self.service(&entry.value);
            self.forget_under(depth, said);
            let word = layer(level, entry.at, &entry.value, value);
            let words = parts::service(entry, level, word).into_iter();
            things
                .services
                .extend(words.map(|word| (name.clone(), word)));
        }
    }

    fn file_words(&mut self, entry: &MapEntry, level: &Level, place: &str, things: &mut Things) {
        let Ok(path) = RemotePath::new(entry.key.as_str()) else {
            return;
        };
        let place = format!("{place}.files.{path}");
        for (depth, entry) in entry.and_under().enumerate() {
            let said = self.problems.len();
            let value = self.file(&entry.value, entry.at, &place);
            self.forget_under(depth, said);
            if let Some(value) = value {
                let word = layer(level, entry.at, &entry.value, value);
                let words = parts::file(entry, word).into_iter();
                things.files.extend(words.map(|word| (path.clone(), word)));
            }
        }
    }

    fn variable_words(
        &mut self,
        entry: &MapEntry,
        level: &Level,
        roles: &[RoleName],
        things: &mut Things,
    ) {
        if !self.known_variable(&entry.key, entry.at, roles) {
            return;
        }
        let text = roles
            .iter()
            .filter_map(|role| self.context.roles.get(role))
            .any(|role| role.texts.contains(&entry.key));
        for entry in entry.and_under() {
            let value = variable(&entry.value, text);
            let word = layer(level, entry.at, &entry.value, value);
            things.vars.push((entry.key.clone(), word));
        }
    }

    fn leave_word(&mut self, node: &Node, level: &Level, things: &mut Things) {
        let Some(text) = node.text() else {
            return;
        };
        if ServiceName::new(text).is_err()
            && let Ok(Thing::Parameter(name)) = text.parse()
        {
            self.known_parameter(name.as_str(), node.span);
        }
        things.leave.push(Layer {
            level: level.clone(),
            at: node.span,
            value: text.to_owned(),
        });
    }

    /// Drops the problems of a value that an overlay replaced: the value does not count.
    fn forget_under(&mut self, depth: usize, said: usize) {
        if depth > 0 {
            self.problems.truncate(said);
        }
    }

    fn known_variable(&mut self, name: &str, at: Span, roles: &[RoleName]) -> bool {
        let roles: Option<Vec<_>> = roles
            .iter()
            .map(|role| self.context.roles.get(role))
            .collect();
        // An unknown role has been reported; its variables are not known.
        let Some(roles) = roles.filter(|roles| !roles.is_empty()) else {
            return true;
        };
        if roles
            .iter()
            .any(|role| role.unusable || role.vars.contains(name))
        {
            return true;
        }
        let known = roles
            .iter()
            .flat_map(|role| role.vars.iter().map(String::as_str));
        let problem = Diagnostic::error(format!("unknown variable `{name}`"))
            .at(at, "no module of these roles has it");
        self.say(match nearest::hint(name, known) {
            Some(hint) => problem.hint(hint),
            None => problem.hint("look at `vars` in the role's module.yaml"),
        });
        false
    }

    fn setting(&mut self, node: &Node, at: Span) -> Option<SettingSpec> {
        if node.is_null() {
            return Some(SettingSpec::Unset);
        }
        match &node.kind {
            Kind::Scalar { text, .. } => Some(SettingSpec::Value(text.clone())),
            Kind::Map(_) => {
                let texts = |key: &str| -> Vec<String> {
                    let nodes = node.get(key).map_or(&[][..], Node::list);
                    nodes
                        .iter()
                        .filter_map(|node| node.text().map(str::to_owned))
                        .collect()
                };
                let given = ["prepend", "append"].into_iter();
                let places = given
                    .filter_map(|key| node.get(key))
                    .flat_map(Node::list)
                    .filter_map(|node| Some((node.text()?.to_owned(), node.span)));
                let edit = ListEdit {
                    prepend: texts("prepend"),
                    append: texts("append"),
                    remove: texts("remove"),
                    places: places.collect(),
                };
                if node.entries().is_empty() {
                    self.say(
                        Diagnostic::error("the list edit changes nothing")
                            .at(at, "has none of `prepend`, `append`, `remove`")
                            .hint("write `{append: [\"hash:/etc/postfix/x\"]}`, or the whole value as a text"),
                    );
                }
                // One of an unknown key alone edits nothing either, and the grammar has said so.
                (edit != ListEdit::default()).then_some(SettingSpec::Edit(edit))
            }
            Kind::List(_) => None,
        }
    }

    /// main.cf is world-readable (postconf(5)): a password has no place in a value.
    fn no_secret_value(&mut self, name: &str, node: &Node) {
        let values = ["prepend", "append"]
            .iter()
            .filter_map(|key| node.get(key))
            .flat_map(Node::list)
            .chain([node]);
        for value in values {
            let Some(text) = value.text() else {
                continue;
            };
            let table = name.ends_with("password_maps")
                && (text.contains("static:") || text.contains("inline:"));
            if table || self.defines_password(name) {
                self.say(
                    Diagnostic::error(
                        "a secret cannot be a main.cf value: every user of the host can read main.cf",
                    )
                    .at(value.span, "holds a password")
                    .hint(
                        "put it into a table under `files` with `secrets`, and set the parameter to that table",
                    ),
                );
            }
        }
    }

    fn service(&mut self, node: &Node) -> ServiceSpec {
        if node.is_null() {
            return ServiceSpec::Absent;
        }
        let fields = Field::ALL
            .into_iter()
            .filter_map(|field| Some((field, node.get(field.as_str())?.text()?.to_owned())))
            .collect();
        let mut options = BTreeMap::new();
        for entry in node.get("options").map_or(&[][..], Node::entries) {
            if let Ok(name) = Parameter::new(entry.key.as_str()) {
                self.known_parameter(&entry.key, entry.at);
                options.insert(name, scalar(&entry.value));
            }
        }
        ServiceSpec::Entry { fields, options }
    }

    fn file(&mut self, node: &Node, at: Span, place: &str) -> Option<FileSpec> {
        if node.is_null() {
            return Some(FileSpec::Absent);
        }
        let user = |key: &str, default: &str| {
            let name = node.get(key).and_then(Node::text).unwrap_or(default);
            UserName::new(name).ok()
        };
        let content = self.content(node, at, place)?;
        let mode = node.get("mode").and_then(|node| node.text()?.parse().ok());
        Some(FileSpec::Present {
            content,
            owner: user("owner", defaults::FILE_OWNER)?,
            group: user("group", defaults::FILE_GROUP)?,
            mode,
            table: node.get("table").and_then(switch),
        })
    }

    /// The text of a file: written out, or a template beside the manifest. One of the two must be there.
    fn content(&mut self, node: &Node, at: Span, place: &str) -> Option<ContentSpec> {
        match (node.entry("content"), node.entry("template")) {
            (Some(content), None) => {
                let mut text = scalar(&content.value)?;
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                let (at, secrets) = (content.value.span, node.get("secrets"));
                let text = self.place_secrets(&text, at, secrets, place);
                Some(ContentSpec::Literal(text))
            }
            (None, Some(template)) => {
                let name = template.value.text()?;
                if let Some(secrets) = node.entry("secrets") {
                    self.say(
                        Diagnostic::error("`secrets` cannot be used with `template`")
                            .at(secrets.at, "only with `content`")
                            .hint("write the text itself under `content`"),
                    );
                }
                Some(ContentSpec::Template {
                    name: name.to_owned(),
                    // The loader has said so where it could not be read.
                    text: self.context.templates.get(name)?.clone(),
                })
            }
            (Some(content), Some(template)) => {
                self.say(
                    Diagnostic::error("the file has both `content` and `template`")
                        .at(template.at, "the second text")
                        .related(content.at, "the first text")
                        .hint("keep either `content` or `template`"),
                );
                None
            }
            (None, None) => {
                if matches!(node.kind, Kind::Map(_)) {
                    self.say(
                        Diagnostic::error("the file has no text")
                            .at(at, "has neither `content` nor `template`")
                            .hint("add `content` or `template`, or write `null` if the file must not exist"),
                    );
                }
                None
            }
        }
    }
}

/// A module variable. Plain `true`, `false` and decimal numbers are what they look like, unless
/// a text is wanted; inside lists and maps there are only texts.
fn variable(node: &Node, text: bool) -> Value {
    fn word(node: &Node) -> Value {
        scalar(node).map_or(Value::Null, Value::String)
    }
    match &node.kind {
        Kind::Scalar {
            text: word,
            plain: true,
        } if !text => {
            if let Some(truth) = switch(node) {
                Value::Bool(truth)
            } else if let Some(number) = integer(word) {
                Value::from(number)
            } else {
                scalar(node).map_or(Value::Null, Value::String)
            }
        }
        Kind::Scalar { .. } => word(node),
        Kind::List(nodes) => Value::Array(nodes.iter().map(word).collect()),
        Kind::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), word(&entry.value)))
            .collect(),
    }
}
