//! Puts what most hosts agree on into the widest layer: all hosts, the hosts of a role, or those of a site. The others keep a
//! word of their own. Of the ways to do that, the one after which the fewest words are left is taken.

use std::collections::{BTreeMap, BTreeSet};

use super::assembly::Assembly;
use super::connection::most_common;
use super::word::{Word, WordKey};
use super::yaml::Yaml;
use crate::name::{HostName, RoleName};

/// A layer that holds for several hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wide {
    All,
    Role(RoleName),
    Site(String),
}

/// Kinds of layers that are tried one after the other, the weaker before the stronger. The first of equally good ways counts.
const WAYS: [&[Kind]; 7] = [
    &[],
    &[Kind::All],
    &[Kind::Role],
    &[Kind::Site],
    &[Kind::All, Kind::Role],
    &[Kind::All, Kind::Site],
    &[Kind::Role, Kind::Site],
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Role,
    Site,
}

impl Wide {
    fn kind(&self) -> Kind {
        match self {
            Self::All => Kind::All,
            Self::Role(_) => Kind::Role,
            Self::Site(_) => Kind::Site,
        }
    }
}

/// What a host says of one place of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said<'a> {
    /// Nothing, and no wider layer says anything.
    Nothing,
    /// A value of its own.
    Own(&'a Yaml),
    /// What a wider layer says.
    Covered(&'a Yaml),
    /// A wider layer says something that this host does not have.
    Undone,
}

/// One way to put the words of one place into layers.
#[derive(Debug, Clone)]
struct Trial<'a> {
    hosts: BTreeMap<&'a HostName, Said<'a>>,
    layers: Vec<(&'a Wide, &'a Yaml)>,
    exceptions: usize,
}

/// The words of one place that go from hosts to wider layers.
struct Move {
    key: WordKey,
    covered: Vec<HostName>,
    widened: Vec<(Wide, Yaml)>,
}

/// Moves words of hosts to `defaults`, `modules.<role>` and the sites. Hosts that have no such word may need one afterwards, as
/// [`Assembly::settle`] finds them.
pub fn hoist(assembly: &mut Assembly<'_>) {
    let layers = layers(assembly);
    let hosts = &assembly.draft.hosts;
    let keys: BTreeSet<WordKey> = hosts
        .values()
        .flat_map(|host| host.words.keys().cloned())
        .collect();
    let mut moves = Vec::new();
    for key in keys {
        let said = hosts.iter().map(|(name, host)| {
            let word = host.words.get(&key);
            (
                name,
                word.map_or(Said::Nothing, |word| Said::Own(&word.value)),
            )
        });
        let before = Trial {
            hosts: said.collect(),
            layers: Vec::new(),
            exceptions: 0,
        };
        let ways = WAYS.iter().map(|kinds| {
            let mut trial = before.clone();
            for kind in *kinds {
                let of_kind = layers.iter().filter(|(wide, _)| wide.kind() == *kind);
                of_kind.for_each(|(wide, members)| trial.widen(&key, wide, members));
            }
            trial
        });
        let Some(best) = ways.min_by_key(Trial::cost) else {
            continue;
        };
        let covered = best.hosts.iter();
        let covered = covered.filter(|(_, said)| matches!(said, Said::Covered(_)));
        let covered = covered.map(|(name, _)| (*name).clone()).collect();
        let widened = best.layers.iter();
        let widened = widened.map(|(wide, value)| ((*wide).clone(), (*value).clone()));
        moves.push(Move {
            covered,
            widened: widened.collect(),
            key: key.clone(),
        });
    }
    for Move {
        key,
        covered,
        widened,
    } in moves
    {
        for host in covered {
            if let Some(draft) = assembly.draft.hosts.get_mut(&host) {
                draft.words.remove(&key);
            }
        }
        for (wide, value) in widened {
            insert(assembly, &wide, key.clone(), value);
        }
    }
}

/// The layers that several hosts have in common.
fn layers(assembly: &Assembly<'_>) -> Vec<(Wide, Vec<HostName>)> {
    let mut by_role: BTreeMap<RoleName, Vec<HostName>> = BTreeMap::new();
    let mut by_site: BTreeMap<String, Vec<HostName>> = BTreeMap::new();
    for (name, host) in &assembly.draft.hosts {
        if let [role] = host.roles.as_slice() {
            by_role.entry(role.clone()).or_default().push(name.clone());
        }
        if let Some(site) = &host.site {
            by_site.entry(site.clone()).or_default().push(name.clone());
        }
    }
    let everyone: Vec<HostName> = assembly.draft.hosts.keys().cloned().collect();
    let mut found = Vec::new();
    if everyone.len() > 2 && by_role.len() > 1 {
        found.push((Wide::All, everyone));
    }
    found.extend(
        by_role
            .into_iter()
            .map(|(role, hosts)| (Wide::Role(role), hosts)),
    );
    found.extend(
        by_site
            .into_iter()
            .map(|(site, hosts)| (Wide::Site(site), hosts)),
    );
    found.retain(|(_, hosts)| hosts.len() > 1);
    found
}

/// Whether a layer may hold a word. What a variable means, and what is left alone, depends on the role.
fn may_hold(wide: &Wide, key: &WordKey) -> bool {
    match (wide, key) {
        (Wide::Role(_), _) => true,
        (_, WordKey::Variable(_) | WordKey::Leave(_)) => false,
        _ => true,
    }
}

impl<'a> Trial<'a> {
    /// Puts the value that most of these hosts have into their layer.
    fn widen(&mut self, key: &WordKey, wide: &'a Wide, members: &'a [HostName]) {
        if !may_hold(wide, key) {
            return;
        }
        let said: Vec<Said<'a>> = members
            .iter()
            .filter_map(|host| self.hosts.get(host).copied())
            .collect();
        let own = said.iter().filter_map(|said| match said {
            Said::Own(value) => Some(*value),
            _ => None,
        });
        let own: Vec<&Yaml> = own.collect();
        // A host without a word there needs one that undoes it.
        let without = said.len() - own.len();
        let may_be_undone = matches!(key, WordKey::Setting(_) | WordKey::File(_));
        if without > 0 && !may_be_undone {
            return;
        }
        let Some(value) = most_common(own.iter().copied()) else {
            return;
        };
        let count = own.iter().filter(|other| **other == value).count();
        let is_most = match without {
            0 => count * 2 > said.len(),
            _ => count > 2 && count >= 2 * (said.len() - count),
        };
        if !is_most {
            return;
        }
        self.layers.push((wide, value));
        for host in members {
            let Some(said) = self.hosts.get_mut(host) else {
                continue;
            };
            *said = match *said {
                Said::Own(own) | Said::Covered(own) if own == value => Said::Covered(value),
                Said::Own(own) | Said::Covered(own) => Said::Own(own),
                Said::Nothing | Said::Undone => Said::Undone,
            };
            if !matches!(said, Said::Covered(_)) {
                self.exceptions += 1;
            }
        }
    }

    /// How many words are to be read, and how many of them undo what a wider layer says.
    fn cost(&self) -> (usize, usize) {
        let of_hosts = self.hosts.values();
        let of_hosts = of_hosts.filter(|said| matches!(said, Said::Own(_) | Said::Undone));
        (of_hosts.count() + self.layers.len(), self.exceptions)
    }
}

fn insert(assembly: &mut Assembly<'_>, wide: &Wide, key: WordKey, value: Yaml) {
    let layer = match wide {
        Wide::Role(role) => assembly.draft.modules.entry(role.clone()).or_default(),
        Wide::All => &mut assembly.draft.defaults,
        Wide::Site(site) => match assembly.draft.sites.get_mut(site) {
            Some(site) => &mut site.words,
            None => return,
        },
    };
    let comment = None;
    layer.insert(key, Word { value, comment });
}
