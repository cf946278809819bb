//! Where on a host an exception comes from: the comment beside a word that a wider layer says in another way.

use super::assembly::Assembly;
use super::seen::SeenHost;
use super::word::{WordKey, Words};

/// Says of each exception where on the host it is: of a value that a wider layer says in another way.
pub fn comment(assembly: &mut Assembly<'_>) {
    for host in assembly.hosts {
        let Some(draft) = assembly.draft.hosts.get(&host.name) else {
            continue;
        };
        let site = draft.site.as_ref();
        let site = site.and_then(|site| assembly.draft.sites.get(site));
        let roles = draft.roles.iter();
        let wider: Vec<&Words> = roles
            .filter_map(|role| assembly.draft.modules.get(role))
            .chain(site.map(|site| &site.words))
            .chain([&assembly.draft.defaults])
            .collect();
        let odd: Vec<(WordKey, String)> = draft
            .words
            .keys()
            .filter(|key| wider.iter().any(|words| words.contains_key(key)))
            .filter_map(|key| Some((key.clone(), place(host, key)?)))
            .collect();
        let Some(draft) = assembly.draft.hosts.get_mut(&host.name) else {
            continue;
        };
        for (key, place) in odd {
            if let Some(word) = draft.words.get_mut(&key) {
                word.comment = Some(place);
            }
        }
    }
}

/// The line of main.cf or of an entry of master.cf that a word comes from.
fn place(host: &SeenHost, key: &WordKey) -> Option<String> {
    let file = match key {
        WordKey::Setting(_) => "main.cf",
        WordKey::Column(..) | WordKey::Option(..) => "master.cf",
        WordKey::Variable(_) | WordKey::File(_) | WordKey::Leave(_) => return None,
    };
    let text = host.text(&format!("/etc/postfix/{file}"))?;
    let is_it = |line: &str| match key {
        WordKey::Setting(name) => line
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.trim_start().starts_with('=')),
        WordKey::Column(service, _) | WordKey::Option(service, _) => {
            let mut words = line.split_whitespace();
            let entry = words.next().zip(words.next());
            entry.is_some_and(|(name, kind)| *service == format!("{name}/{kind}"))
        }
        _ => false,
    };
    // The last line counts where there are several.
    let lines: Vec<&str> = text.lines().collect();
    let number = lines.iter().rposition(|line| is_it(line))? + 1;
    Some(format!("{file}, line {number}"))
}
