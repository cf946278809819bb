//! A role's module: the data under `modules/<role>/` that says what a host with that role must have.

use std::collections::BTreeMap;

use crate::diagnostic::{SourceId, Span};
use crate::model::{FileSpec, Layer, ServiceSpec, SettingSpec};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName};

/// One module, parsed and checked by itself (its templates are rendered by `compile`).
#[derive(Debug, Clone)]
pub struct Module {
    /// The role it is for.
    pub role: RoleName,
    /// One line for people.
    pub summary: String,
    /// Where it was read.
    pub source: SourceId,
    /// Roles whose additions go before this one's.
    pub after: Vec<RoleName>,
    /// Its variables.
    pub vars: BTreeMap<String, Variable>,
    /// main.cf parameters; values are Tera templates.
    pub settings: BTreeMap<Parameter, Layer<SettingSpec>>,
    /// master.cf entries; values are Tera templates.
    pub services: BTreeMap<ServiceName, Layer<ServiceSpec>>,
    /// Whole files; content is a Tera template. A path may be conditional by `when`.
    pub files: BTreeMap<RemotePath, Layer<FileSpec>>,
    /// For any thing above: a Tera expression; where it renders to `false` or nothing, the thing is not named.
    pub when: BTreeMap<crate::thing::Thing, Layer<String>>,
}

/// One variable of a module.
#[derive(Debug, Clone)]
pub struct Variable {
    /// What it may hold.
    pub kind: VariableKind,
    /// What it holds where nobody says otherwise.
    pub default: serde_json::Value,
    /// One or more sentences for people.
    pub doc: String,
    /// Where it is declared.
    pub at: Span,
}

/// The kinds of a module's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Text of one line.
    String,
    /// A list of texts.
    List,
    /// A map of texts.
    Map,
    /// One of these words.
    OneOf(Vec<String>),
}
