//! `module.yaml`: from text to a [`Module`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::{Check, Module, Per, ProbeKind, Template, Variable, VariableKind, Word, yaml_errors};
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::model::{ContentSpec, FileSpec, Layer, Level, ServiceSpec, SettingSpec};
use crate::name::{NameError, Parameter, RemotePath, RoleName, ServiceName, UserName};
use crate::state::Note;
use crate::thing::{Field, Thing};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModule {
    summary: String,
    #[serde(default)]
    after: Vec<Spanned<String>>,
    #[serde(default)]
    provides: BTreeSet<String>,
    #[serde(default)]
    at_most_one: bool,
    #[serde(default)]
    probes: BTreeSet<ProbeKind>,
    #[serde(default)]
    vars: BTreeMap<String, Spanned<RawVariable>>,
    #[serde(default)]
    settings: BTreeMap<String, Spanned<RawSetting>>,
    #[serde(default)]
    services: BTreeMap<String, Spanned<Option<RawService>>>,
    #[serde(default)]
    files: BTreeMap<String, Spanned<RawFile>>,
    #[serde(default)]
    checks: Vec<RawCheck>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariable {
    r#type: RawKind,
    #[serde(default)]
    values: Vec<String>,
    of: Option<Word>,
    keys: Option<Word>,
    default: serde_json::Value,
    doc: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    Bool,
    Integer,
    String,
    List,
    Map,
    OneOf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    level: RawLevel,
    about: Option<Parameter>,
    when: Spanned<String>,
    text: Spanned<String>,
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawLevel {
    Error,
    Warning,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    template: Option<Spanned<String>>,
    content: Option<String>,
    owner: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
    mode: Option<Spanned<String>>,
    #[serde(default)]
    table: bool,
    per: Option<Per>,
    when: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    private: Option<String>,
    unprivileged: Option<String>,
    chroot: Option<String>,
    wakeup: Option<String>,
    process_limit: Option<String>,
    command: Option<String>,
    #[serde(default)]
    options: BTreeMap<String, Option<String>>,
    when: Option<Spanned<String>>,
}

/// A text, `null`, or `{value: …, when: …, dropped: …, class: …}`.
#[derive(Default)]
struct RawSetting {
    value: Option<String>,
    when: Option<Spanned<String>>,
    note: Note,
}

impl<'de> Deserialize<'de> for RawSetting {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = RawSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, null, or `{value: …, when: …, dropped: …, class: …}`")
    }

    fn visit_unit<E: de::Error>(self) -> Result<RawSetting, E> {
        Ok(RawSetting::default())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawSetting, E> {
        Ok(RawSetting {
            value: Some(text.to_owned()),
            ..RawSetting::default()
        })
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<RawSetting, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<RawSetting, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawSetting, A::Error> {
        let mut raw = RawSetting::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "value" => raw.value = map.next_value::<Option<String>>()?,
                "when" => raw.when = Some(map.next_value::<Spanned<String>>()?),
                "dropped" => raw.note.dropped = Some(map.next_value::<String>()?),
                "class" => raw.note.class = Some(map.next_value::<String>()?),
                other => {
                    let known = &["value", "when", "dropped", "class"];
                    return Err(de::Error::unknown_field(other, known));
                }
            }
        }
        Ok(raw)
    }
}

/// Reads one module. `templates` are its own and the shared ones, by name.
pub(super) fn module(
    role: RoleName,
    source: SourceId,
    text: &str,
    templates: BTreeMap<String, Template>,
) -> Result<Module, Vec<Diagnostic>> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let raw: RawModule = match serde_saphyr::from_str_with_options(text, options) {
        Ok(raw) => raw,
        Err(error) => return Err(vec![yaml_errors::problem(source, &error)]),
    };
    let mut reader = Reader {
        level: Level::Module(role.clone()),
        source,
        problems: Vec::new(),
        when: BTreeMap::new(),
        per: BTreeMap::new(),
        notes: BTreeMap::new(),
    };
    let after = raw
        .after
        .iter()
        .filter_map(|name| reader.name(RoleName::new(name.value.as_str()), name.referenced))
        .collect();
    let vars = reader.variables(raw.vars);
    let settings = reader.settings(raw.settings);
    let services = reader.services(raw.services);
    let files = reader.files(&role, raw.files, &templates);
    let checks = raw
        .checks
        .into_iter()
        .map(|check| Check {
            error: matches!(check.level, RawLevel::Error),
            about: check.about,
            when: reader.layer(check.when.referenced, check.when.value),
            text: reader.layer(check.text.referenced, check.text.value),
            hint: check.hint,
        })
        .collect();
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    Ok(Module {
        role,
        summary: raw.summary,
        source,
        after,
        provides: raw.provides,
        at_most_one: raw.at_most_one,
        probes: raw.probes,
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
    source: SourceId,
    problems: Vec<Diagnostic>,
    when: BTreeMap<Thing, Layer<String>>,
    per: BTreeMap<RemotePath, Per>,
    notes: BTreeMap<Thing, Note>,
}

impl Reader {
    fn layer<T>(&self, at: Location, value: T) -> Layer<T> {
        Layer {
            level: self.level.clone(),
            at: span(self.source, at),
            value,
        }
    }

    fn name<T>(&mut self, name: Result<T, NameError>, at: Location) -> Option<T> {
        name.map_err(|error| self.problem(error.to_string(), at))
            .ok()
    }

    fn problem(&mut self, summary: String, at: Location) {
        self.problems.push(
            Diagnostic::error(summary)
                .at(span(self.source, at), "")
                .hint("docs/modules.md says what may stand in a module.yaml"),
        );
    }

    fn condition(&mut self, thing: Thing, when: Option<Spanned<String>>) {
        if let Some(when) = when {
            let layer = self.layer(when.referenced, when.value);
            self.when.insert(thing, layer);
        }
    }

    fn variables(
        &mut self,
        raw: BTreeMap<String, Spanned<RawVariable>>,
    ) -> BTreeMap<String, Variable> {
        let mut vars = BTreeMap::new();
        for (name, variable) in raw {
            let at = variable.referenced;
            let variable = variable.value;
            let kind = match variable.r#type {
                RawKind::Bool => VariableKind::Bool,
                RawKind::Integer => VariableKind::Integer,
                RawKind::String => VariableKind::String,
                RawKind::List => VariableKind::List,
                RawKind::Map => VariableKind::Map,
                RawKind::OneOf => VariableKind::OneOf(variable.values),
            };
            if !kind.admits(&variable.default) {
                self.problem(
                    format!("the default of `{name}` is not {}", kind.wanted()),
                    at,
                );
            }
            let variable = Variable {
                kind,
                of: variable.of,
                keys: variable.keys,
                default: variable.default,
                doc: variable.doc,
                at: span(self.source, at),
            };
            if let Some((text, word, why)) = variable.wrong_word(&variable.default) {
                let what = word.what();
                self.problem(
                    format!("`{text}` in the default of `{name}` is not {what}: {why}"),
                    at,
                );
            }
            vars.insert(name, variable);
        }
        vars
    }

    fn settings(
        &mut self,
        raw: BTreeMap<String, Spanned<RawSetting>>,
    ) -> BTreeMap<Parameter, Layer<SettingSpec>> {
        let mut settings = BTreeMap::new();
        for (name, setting) in raw {
            let Some(name) = self.name(Parameter::new(name), setting.referenced) else {
                continue;
            };
            let value = setting
                .value
                .value
                .map_or(SettingSpec::Unset, SettingSpec::Value);
            let layer = self.layer(setting.referenced, value);
            let thing = Thing::Parameter(name.clone());
            if setting.value.note != Note::default() {
                self.notes.insert(thing.clone(), setting.value.note);
            }
            self.condition(thing, setting.value.when);
            settings.insert(name, layer);
        }
        settings
    }

    fn services(
        &mut self,
        raw: BTreeMap<String, Spanned<Option<RawService>>>,
    ) -> BTreeMap<ServiceName, Layer<ServiceSpec>> {
        let mut services = BTreeMap::new();
        for (name, service) in raw {
            let at = service.referenced;
            let Some(name) = self.name(ServiceName::new(name), at) else {
                continue;
            };
            let spec = match service.value {
                None => ServiceSpec::Absent,
                Some(raw) => {
                    let columns = [
                        (Field::Private, raw.private),
                        (Field::Unprivileged, raw.unprivileged),
                        (Field::Chroot, raw.chroot),
                        (Field::Wakeup, raw.wakeup),
                        (Field::ProcessLimit, raw.process_limit),
                        (Field::Command, raw.command),
                    ];
                    let fields = columns
                        .into_iter()
                        .filter_map(|(field, value)| Some((field, value?)))
                        .collect();
                    let mut options = BTreeMap::new();
                    for (option, value) in raw.options {
                        if let Some(option) = self.name(Parameter::new(option), at) {
                            options.insert(option, value);
                        }
                    }
                    self.condition(Thing::Service(name.clone()), raw.when);
                    ServiceSpec::Entry { fields, options }
                }
            };
            let layer = self.layer(at, spec);
            services.insert(name, layer);
        }
        services
    }

    fn files(
        &mut self,
        role: &RoleName,
        raw: BTreeMap<String, Spanned<RawFile>>,
        templates: &BTreeMap<String, Template>,
    ) -> BTreeMap<RemotePath, Layer<FileSpec>> {
        let mut files = BTreeMap::new();
        for (path, file) in raw {
            let at = file.referenced;
            let Some(path) = self.name(RemotePath::new(path), at) else {
                continue;
            };
            let file = file.value;
            let content = match (file.template, file.content) {
                (Some(name), None) => self.template(role, &name, templates),
                (None, Some(text)) => Some(ContentSpec::Literal(text)),
                _ => {
                    self.problem(
                        format!("`{path}` needs one of `template` and `content`"),
                        at,
                    );
                    None
                }
            };
            let owner = self.user(file.owner, "root");
            let group = self.user(file.group, "root");
            let mode = file.mode.map_or(Some(None), |mode| {
                self.name(mode.value.parse(), mode.referenced).map(Some)
            });
            self.condition(Thing::File(path.clone()), file.when);
            if let Some(per) = file.per {
                self.per.insert(path.clone(), per);
            }
            if let (Some(content), Some(owner), Some(group), Some(mode)) =
                (content, owner, group, mode)
            {
                let spec = FileSpec::Present {
                    content,
                    owner,
                    group,
                    mode,
                    table: Some(file.table),
                };
                let layer = self.layer(at, spec);
                files.insert(path, layer);
            }
        }
        files
    }

    fn user(&mut self, name: Option<Spanned<String>>, default: &str) -> Option<UserName> {
        match name {
            Some(name) => self.name(UserName::new(name.value), name.referenced),
            None => UserName::new(default).ok(),
        }
    }

    /// `x.tera` is the module's own; `templates/x.tera` is shared.
    fn template(
        &mut self,
        role: &RoleName,
        name: &Spanned<String>,
        templates: &BTreeMap<String, Template>,
    ) -> Option<ContentSpec> {
        let own = format!("{role}/{}", name.value);
        for full in [&own, &name.value] {
            if let Some(template) = templates.get(full) {
                return Some(ContentSpec::Template {
                    name: full.clone(),
                    text: template.text.to_string(),
                });
            }
        }
        self.problem(
            format!("there is no template `{}`", name.value),
            name.referenced,
        );
        None
    }
}

pub(super) fn span(source: SourceId, at: Location) -> Span {
    let bytes = |at: Option<u64>| at.and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
    let start = bytes(at.span().byte_offset());
    let length = bytes(at.span().byte_len());
    Span {
        source,
        start,
        end: start.saturating_add(length),
    }
}
