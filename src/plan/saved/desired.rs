//! What a host must have, in a saved plan: with the numbers of texts, and with the names of secrets in place of them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::texts::{TextId, Texts};
use super::unseal::PlanDamage;
use crate::name::{Mode, RemotePath, TableType, UserName};
use crate::secret::{Body, Piece, SecretName};
use crate::service::Service;
use crate::state::{Desired, DesiredService, File, Listens, Note, Probes, Want};
use crate::thing::Thing;

/// Everything that one host must have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedDesired {
    /// Whether the host is being retired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// What each service must have.
    pub services: BTreeMap<Service, SavedDesiredService>,
}

/// Everything that one service of a host must have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedDesiredService {
    /// Whole files; null where the file must not exist.
    pub files: BTreeMap<RemotePath, Option<SavedFile>>,
    /// Parameters, services, fields and options; null where it must not be set.
    pub values: BTreeMap<Thing, Option<String>>,
    /// Things that a module would manage and that the manifest leaves alone on this host.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub leave: BTreeSet<Thing>,
    /// The addresses that are asked after an apply.
    pub probes: Probes,
    /// What a plan says about values that are lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<Thing, SavedNote>,
    /// The ports on which other hosts must reach the service.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ports: BTreeSet<String>,
    /// The host's addresses in the manifest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

/// What a plan says about a value that is a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedNote {
    /// How to keep members that the host's own value had before the first apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
    /// The address class of the domains in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedFile {
    /// Its text, piece by piece.
    pub body: Vec<SavedPiece>,
    /// Its owner.
    pub owner: UserName,
    /// Its group.
    pub group: UserName,
    /// Its permission bits.
    pub mode: Mode,
    /// The table type of the index beside it, if it is an indexed table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<TableType>,
    /// The table type as which Postfix opens it, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableType>,
}

/// One stretch of a file's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SavedPiece {
    /// Plain text.
    Text(TextId),
    /// A secret, by its name in `secrets`.
    Secret(#[schemars(with = "String")] SecretName),
}

impl SavedDesired {
    /// What a host must have, with its texts among `texts`.
    #[must_use]
    pub fn of(desired: &Desired, texts: &mut Texts) -> Self {
        let services = desired.services.iter();
        Self {
            retired: desired.retired,
            services: services
                .map(|(name, service)| (name.clone(), SavedDesiredService::of(service, texts)))
                .collect(),
        }
    }

    /// The desired state that was saved.
    ///
    /// # Errors
    /// Where it names a text that the plan does not have.
    pub fn desired(&self, texts: &Texts) -> Result<Desired, PlanDamage> {
        let services = self.services.iter();
        Ok(Desired {
            retired: self.retired,
            services: services
                .map(|(name, service)| Ok((name.clone(), service.desired(texts)?)))
                .collect::<Result<_, PlanDamage>>()?,
        })
    }

    /// A file that a service must have. None where it need not have one at that path.
    pub(super) fn file(
        &self,
        service: &Service,
        path: &RemotePath,
        texts: &Texts,
    ) -> Result<Option<File>, PlanDamage> {
        let wanted = self.services.get(service);
        let file = wanted.and_then(|service| service.files.get(path)?.as_ref());
        file.map(|file| file.file(texts)).transpose()
    }

    /// The names of the secrets in its files.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        let files = self.services.values().flat_map(|one| one.files.values());
        let pieces = files.flatten().flat_map(|file| &file.body);
        pieces.filter_map(|piece| match piece {
            SavedPiece::Secret(name) => Some(name),
            SavedPiece::Text(_) => None,
        })
    }
}

impl SavedDesiredService {
    fn of(service: &DesiredService, texts: &mut Texts) -> Self {
        let note = |(thing, note): (&Thing, &Note)| {
            let Note { dropped, class } = note.clone();
            (thing.clone(), SavedNote { dropped, class })
        };
        Self {
            files: service
                .files
                .iter()
                .map(|(path, want)| {
                    let file = match want {
                        Want::Present(file) => Some(SavedFile::of(file, texts)),
                        Want::Absent => None,
                    };
                    (path.clone(), file)
                })
                .collect(),
            values: service
                .values
                .iter()
                .map(|(thing, want)| match want {
                    Want::Present(value) => (thing.clone(), Some(value.clone())),
                    Want::Absent => (thing.clone(), None),
                })
                .collect(),
            leave: service.leave.clone(),
            probes: service.probes.clone(),
            notes: service.notes.iter().map(note).collect(),
            ports: service.listens.ports.clone(),
            addresses: service.listens.addresses.clone(),
        }
    }

    fn desired(&self, texts: &Texts) -> Result<DesiredService, PlanDamage> {
        let mut files = BTreeMap::new();
        for (path, file) in &self.files {
            let want = match file {
                Some(file) => Want::Present(file.file(texts)?),
                None => Want::Absent,
            };
            files.insert(path.clone(), want);
        }
        let values = self.values.iter();
        let notes = self.notes.iter();
        Ok(DesiredService {
            files,
            values: values
                .map(|(thing, value)| {
                    let want = value.clone().map_or(Want::Absent, Want::Present);
                    (thing.clone(), want)
                })
                .collect(),
            leave: self.leave.clone(),
            probes: self.probes.clone(),
            notes: notes
                .map(|(thing, note)| {
                    let SavedNote { dropped, class } = note.clone();
                    (thing.clone(), Note { dropped, class })
                })
                .collect(),
            listens: Listens {
                ports: self.ports.clone(),
                addresses: self.addresses.clone(),
            },
        })
    }
}

impl SavedFile {
    fn of(file: &File, texts: &mut Texts) -> Self {
        let pieces = file.body.0.iter();
        Self {
            body: pieces
                .map(|piece| match piece {
                    Piece::Text(text) => SavedPiece::Text(texts.add(text)),
                    Piece::Secret(name) => SavedPiece::Secret(name.clone()),
                })
                .collect(),
            owner: file.owner.clone(),
            group: file.group.clone(),
            mode: file.mode,
            index: file.index.clone(),
            table: file.table.clone(),
        }
    }

    fn file(&self, texts: &Texts) -> Result<File, PlanDamage> {
        let piece = |piece: &SavedPiece| match piece {
            SavedPiece::Text(number) => Ok(Piece::Text(texts.named(*number)?.to_owned())),
            SavedPiece::Secret(name) => Ok(Piece::Secret(name.clone())),
        };
        Ok(File {
            body: Body(
                self.body
                    .iter()
                    .map(piece)
                    .collect::<Result<_, PlanDamage>>()?,
            ),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode,
            index: self.index.clone(),
            table: self.table.clone(),
        })
    }
}
