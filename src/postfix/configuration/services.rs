//! The services of master.cf that master(8) runs.

use super::Configuration;
use crate::name::ServiceName;
use crate::postfix::{MasterEntry, split_list};
use crate::thing::Field;

/// A service of master.cf that master(8) runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningService {
    /// Its name and type.
    pub name: ServiceName,
    /// The program of its command, without arguments.
    pub program: String,
    /// Whether it runs in the chroot jail.
    pub chroot: bool,
    /// Whether it has `-o` options.
    pub has_options: bool,
}

impl Configuration<'_> {
    /// The services that master(8) runs, in the order of their last entries; none if master.cf is not known. Of two entries
    /// for the same service master(8) uses the last one, and it skips those in `master_service_disable`.
    #[must_use]
    pub fn services(self) -> Option<Vec<RunningService>> {
        let entries = self.settings.entries()?;
        let disabled = self.main().expanded("master_service_disable").text;
        let disabled = disabled.map_or_else(|_| Vec::new(), |list| split_list(&list));
        let is_last = |at: usize, entry: &MasterEntry| {
            let later = entries.iter().skip(at + 1);
            !later
                .into_iter()
                .any(|other| other.word(0) == entry.word(0) && other.word(1) == entry.word(1))
        };
        let running = entries
            .iter()
            .enumerate()
            .filter(|(at, entry)| is_last(*at, entry));
        let services = running.filter_map(|(_, entry)| {
            let name = ServiceName::new(format!("{}/{}", entry.name(), entry.kind())).ok()?;
            (!is_disabled(&disabled, &name)).then(|| RunningService {
                program: entry.program(),
                chroot: self.is_chrooted(entry),
                has_options: !entry.options().is_empty(),
                name,
            })
        });
        Some(services.collect())
    }

    /// Whether an entry's service runs in the chroot jail. The default is `y` below compatibility level 1 (master(5)).
    fn is_chrooted(self, entry: &MasterEntry) -> bool {
        match entry.field(Field::Chroot).as_str() {
            "-" => {
                let level = self.main().expanded("compatibility_level").text;
                level.is_ok_and(|level| level.trim() == "0")
            }
            set => set == "y",
        }
    }
}

/// Whether `master_service_disable` has a service, as match_service(3) decides: the first word that matches does, in any
/// case of letters. A word is a type, `NAME/TYPE` or, as in Postfix 2.x, `NAME.TYPE`; `!` before it means the opposite.
fn is_disabled(list: &[String], service: &ServiceName) -> bool {
    let (name, kind) = service.parts();
    let matches = |word: &str| {
        let both = word.rsplit_once('/').or_else(|| word.rsplit_once('.'));
        match both {
            Some((of, kind_of)) => {
                of.eq_ignore_ascii_case(name) && kind_of.eq_ignore_ascii_case(kind)
            }
            None => word.eq_ignore_ascii_case(kind),
        }
    };
    let verdict = list.iter().find_map(|word| {
        let bare = word.trim_start_matches('!');
        matches(bare).then_some((word.len() - bare.len()) % 2 == 0)
    });
    verdict.unwrap_or(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_matches_decides() {
        let service = ServiceName::new("smtp/inet").unwrap();
        for (list, expected) in [
            ("", false),
            ("inet", true),
            ("smtp/inet", true),
            ("smtp.inet", true),
            ("SMTP/INET", true),
            ("smtp", false),
            ("unix", false),
            ("!smtp/inet, inet", false),
            ("inet, !smtp/inet", true),
            ("!inet, smtp/inet", false),
            ("!!inet", true),
        ] {
            assert_eq!(is_disabled(&split_list(list), &service), expected, "{list}");
        }
    }
}
