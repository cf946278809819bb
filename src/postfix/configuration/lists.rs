//! Lists whose members are partly known.

use super::View;
use crate::postfix::split_list;

/// How deep references within references are followed.
const DEPTH: usize = 16;

/// The members of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberList {
    /// The members that are known, expanded.
    pub known: Vec<String>,
    /// The words that depend on something unknown, as they are in the value.
    pub unknown: Vec<String>,
}

impl View<'_> {
    /// The members of a parameter's list. A member that depends on something unknown does not hide the others.
    #[must_use]
    pub fn list(&self, name: &str) -> MemberList {
        let mut list = MemberList::default();
        self.add_members(name, DEPTH, &mut list);
        list
    }

    fn add_members(&self, name: &str, depth: usize, list: &mut MemberList) {
        if let Ok(text) = self.expanded(name).text {
            list.known.append(&mut split_list(&text));
            return;
        }
        let Ok(value) = self.get(name) else {
            list.unknown.push(format!("${name}"));
            return;
        };
        for word in split_list(&value.text) {
            match (self.expand(&word).text, reference(&word)) {
                (Ok(text), _) => list.known.append(&mut split_list(&text)),
                (Err(_), Some(other)) if depth > 0 => self.add_members(other, depth - 1, list),
                (Err(_), _) => list.unknown.push(word),
            }
        }
    }
}

/// The name in a word that is a reference and nothing more: `$name`, `${name}`.
fn reference(word: &str) -> Option<&str> {
    let name = word.strip_prefix('$')?;
    let name = name
        .strip_prefix('{')
        .map_or(Some(name), |name| name.strip_suffix('}'))?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
}
