//! Whether a step adds to what a host serves, or removes from it. Waves are ordered by it.

use super::{Change, FileState, HostPlan, Step};
use crate::postfix::subset::{self, Shortening};
use crate::thing::Thing;

/// What a step does to what a host serves: addresses, domains, routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It changes nothing of it: an index, a reload, a comment, the ledger.
    Neutral,
    /// It adds something.
    Adds,
    /// It removes something and adds nothing.
    Removes,
    /// It does both, or the direction is unknown.
    Both,
}

/// The direction of one step. An update removes only if that is certain: the new value or text is the old one
/// without some members or lines, and no part of it is masked.
#[must_use]
pub fn direction(step: &Step) -> Direction {
    match step {
        Step::File { change, .. } => of_change(change, of_files),
        Step::Value { thing, change, .. } => {
            of_change(change, |before, after| of_values(thing, before, after))
        }
        Step::Delete { .. } => Direction::Removes,
        Step::Sweep { .. }
        | Step::Index { .. }
        | Step::Check { .. }
        | Step::Reload { .. }
        | Step::Restart { .. }
        | Step::Probe { .. }
        | Step::TakeOver { .. }
        | Step::Release { .. } => Direction::Neutral,
    }
}

impl HostPlan {
    /// Whether the plan removes something and adds nothing.
    #[must_use]
    pub fn only_takes_away(&self) -> bool {
        let directions: Vec<Direction> = self.steps.iter().map(direction).collect();
        let comes = |one: &Direction| matches!(one, Direction::Adds | Direction::Both);
        directions.contains(&Direction::Removes) && !directions.iter().any(comes)
    }
}

fn of_change<T>(change: &Change<T>, of_update: impl Fn(&T, &T) -> Direction) -> Direction {
    match change {
        Change::Create { .. } => Direction::Adds,
        Change::Update { before, after } => of_update(before, after),
        Change::Delete { .. } => Direction::Removes,
    }
}

fn of_values(thing: &Thing, before: &str, after: &str) -> Direction {
    match thing {
        // Restrictions are a program: without one of them, more may be permitted.
        Thing::Parameter(name) | Thing::Option(_, name)
            if !name.as_str().ends_with("_restrictions") =>
        {
            of_shortening(subset::of_lists(before, after))
        }
        _ => Direction::Both,
    }
}

fn of_files(before: &FileState, after: &FileState) -> Direction {
    // Owner and mode change nothing of what is served.
    if before.sha256 == after.sha256 {
        return Direction::Neutral;
    }
    let (Some(old), Some(new)) = (&before.text, &after.text) else {
        return Direction::Both;
    };
    // They differ in what is masked.
    if old == new {
        return Direction::Both;
    }
    match subset::of_attributes(old, new) {
        // The masked line of a secret says whether it changes.
        Some(found) => of_shortening(found),
        // A table's line does not.
        None if before.secret || after.secret => Direction::Both,
        None => of_shortening(subset::of_tables(old, new)),
    }
}

fn of_shortening(found: Shortening) -> Direction {
    match found {
        Shortening::Same => Direction::Neutral,
        Shortening::Shorter => Direction::Removes,
        Shortening::Other => Direction::Both,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::digest::sha256_hex;
    use crate::name::{Mode, Parameter, RemotePath};
    use crate::plan::{Cause, IndexReason, ReloadReason};
    use crate::service::Service;

    fn value(thing: &str, change: Change<String>) -> Direction {
        direction(&Step::Value {
            service: Service::POSTFIX,
            thing: thing.parse().unwrap(),
            change,
            cause: Cause::Wanted,
        })
    }

    fn set(thing: &str, before: &str, after: &str) -> Direction {
        let (before, after) = (before.to_owned(), after.to_owned());
        value(thing, Change::Update { before, after })
    }

    fn state(text: &str) -> FileState {
        FileState {
            text: Some(text.to_owned()),
            sha256: sha256_hex(text.as_bytes()),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: Mode::from_bits(0o644),
            secret: false,
            withheld: None,
            link: None,
        }
    }

    fn file(before: FileState, after: FileState) -> Direction {
        direction(&Step::File {
            service: Service::POSTFIX,
            path: RemotePath::new("/etc/postfix/x").unwrap(),
            change: Change::Update { before, after },
            cause: Cause::Wanted,
            file: None,
        })
    }

    #[test]
    fn a_value_takes_by_losing_members() {
        let text = || "a".to_owned();
        let thing = "main.cf:relay_domains";
        assert_eq!(
            value(thing, Change::Create { after: text() }),
            Direction::Adds
        );
        assert_eq!(
            value(thing, Change::Delete { before: text() }),
            Direction::Removes
        );
        assert_eq!(set(thing, "a, b", "a"), Direction::Removes);
        assert_eq!(set(thing, "a", ""), Direction::Removes);
        assert_eq!(set(thing, "a", "a, b"), Direction::Both);
        assert_eq!(set(thing, "a, b", "a b"), Direction::Neutral);
        assert_eq!(
            set("master.cf:smtp/inet:relay_domains", "a, b", "a"),
            Direction::Removes
        );
    }

    #[test]
    fn what_is_no_list_only_changes() {
        assert_eq!(
            set("master.cf:smtp/inet/command", "smtpd -v", "smtpd"),
            Direction::Both
        );
        let restrictions = "main.cf:smtpd_recipient_restrictions";
        let less = set(restrictions, "reject_unlisted_recipient, permit", "permit");
        assert_eq!(less, Direction::Both);
    }

    #[test]
    fn a_file_takes_by_losing_lines() {
        let table = || state("# comment\na x\nb y\n");
        assert_eq!(file(table(), state("# comment\na x\n")), Direction::Removes);
        assert_eq!(file(table(), state("a x\nb z\n")), Direction::Both);
        assert_eq!(
            file(table(), state("# other\na x\nb y\n")),
            Direction::Neutral
        );
        let ldap = |domains: &str| state(&format!("domain = {domains}\nbind = no\n"));
        assert_eq!(file(ldap("a, b"), ldap("a")), Direction::Removes);
        assert_eq!(file(ldap("a"), ldap("a, b")), Direction::Both);
        let private = FileState {
            mode: Mode::from_bits(0o600),
            ..table()
        };
        assert_eq!(file(table(), private), Direction::Neutral);
    }

    #[test]
    fn what_cannot_be_seen_counts_as_coming() {
        let unknown = |text: &str| FileState {
            text: None,
            ..state(text)
        };
        assert_eq!(file(unknown("a x\nb y\n"), state("a x\n")), Direction::Both);
        assert_eq!(file(state("a x\nb y\n"), unknown("a x\n")), Direction::Both);
        // As in a file of passwords, whose masks look alike.
        let masked = |text: &str, real: &str| FileState {
            sha256: sha256_hex(real.as_bytes()),
            secret: true,
            ..state(text)
        };
        let old = || masked("a ***\nb ***\n", "a 1\nb 2\n");
        assert_eq!(file(old(), masked("a ***\n", "a 3\n")), Direction::Both);
        assert_eq!(
            file(old(), masked("a ***\nb ***\n", "a 1\nb 3\n")),
            Direction::Both
        );
        let ldap = |text: &str, real: &str| masked(&format!("bind_pw = {text}\n"), real);
        let changed = file(ldap("***", "1"), ldap("*** (changed)", "2"));
        assert_eq!(changed, Direction::Both);
    }

    #[test]
    fn effects_and_the_ledger_bear_on_nothing() {
        let source = RemotePath::new("/etc/postfix/x").unwrap();
        let delete = || Step::Delete {
            service: Service::POSTFIX,
            path: source.clone(),
            before: state("a x\n"),
            cause: Cause::Unnamed,
            index_type: None,
        };
        let index = || Step::Index {
            aliases: false,
            service: Service::POSTFIX,
            source: source.clone(),
            table_type: "hash".parse().unwrap(),
            reason: IndexReason::SourceChanges,
        };
        let reload = || Step::Reload {
            service: Service::POSTFIX,
            reason: ReloadReason::ConfigurationChanges,
        };
        let take_over = || Step::TakeOver {
            service: Service::POSTFIX,
            thing: Thing::Parameter(Parameter::new("biff").unwrap()),
        };
        assert_eq!(direction(&delete()), Direction::Removes);
        for step in [
            index(),
            Step::Check {
                service: Service::POSTFIX,
            },
            reload(),
            take_over(),
        ] {
            assert_eq!(direction(&step), Direction::Neutral, "{step:?}");
        }
    }
}
