//! The parts of an entry that the manifest names: its fields, with the command separate from its `-o` options.
//!
//! For postconf(1) `-F` the command is everything from the eighth column on. The manifest names each option separately,
//! so that a command here has no options, and setting it keeps the options of the entry.

use super::{COLUMNS, COMMAND, MasterEntry, column_of, is_option, takes_value};
use crate::name::Parameter;
use crate::postfix::text::lossy;
use crate::thing::{Field, Thing};

impl MasterEntry {
    /// An entry from one line, such as [`MasterEntry::line`] gives.
    ///
    /// # Errors
    /// The fault of which Postfix would warn, or at which it would stop.
    pub fn of_line(line: &str) -> Result<Self, String> {
        let (entry, complaints) = Self::parse(line.as_bytes())?;
        match complaints.into_iter().next() {
            Some(complaint) => Err(complaint),
            None => Ok(entry),
        }
    }

    /// The command with its flags and arguments, without its `-o` options.
    #[must_use]
    pub fn command(&self) -> String {
        let (words, _) = self.apart();
        lossy(&Self { words }.column(COMMAND))
    }

    /// The program: the first word of the command.
    #[must_use]
    pub fn program(&self) -> String {
        let command = self.command();
        let program = command.split_whitespace().next();
        program.unwrap_or_default().to_owned()
    }

    /// The names of its `-o` options, without those that are not valid parameter names.
    #[must_use]
    pub fn option_names(&self) -> Vec<Parameter> {
        let options = self.options().into_iter();
        options
            .filter_map(|(name, _)| Parameter::new(lossy(name)).ok())
            .collect()
    }

    /// Changes a field or an option. Changing the command keeps the entry's `-o` options. Without a value, a field gets its
    /// default and an option is removed.
    ///
    /// # Errors
    /// The fault of which Postfix would warn, or at which it would stop.
    pub fn change(&mut self, part: &Thing, value: Option<&str>) -> Result<(), String> {
        match (part, value) {
            (Thing::Field(_, Field::Command), Some(value)) => return self.set_command(value),
            (Thing::Field(_, field), value) => {
                let value = value.unwrap_or_else(|| field.default_of(&self.kind()));
                self.set_column(column_of(*field), value.as_bytes())?;
            }
            (Thing::Option(_, name), Some(value)) => {
                self.set_option(name.as_str().as_bytes(), value.trim().as_bytes());
            }
            (Thing::Option(_, name), None) => self.remove_option(name.as_str().as_bytes()),
            (Thing::File(_) | Thing::Parameter(_) | Thing::Service(_), _) => {}
        }
        Ok(())
    }

    fn set_command(&mut self, value: &str) -> Result<(), String> {
        let (_, options) = self.apart();
        let complaints = self.set_column(COMMAND, value.as_bytes())?;
        let (_, end) = self.find_option(b"");
        self.words.splice(end..end, options);
        match complaints.into_iter().next() {
            Some(complaint) => Err(complaint),
            None => Ok(()),
        }
    }

    /// The words other than `-o` options, and the options, each with its value.
    fn apart(&self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        let mut left = self.words.iter().cloned();
        words.extend(left.by_ref().take(COLUMNS));
        while let Some(word) = left.next() {
            if !is_option(&word) {
                words.push(word);
                break;
            }
            let value = takes_value(&word).then(|| left.next()).flatten();
            // `-o` without a value sets nothing.
            let into = if word == b"-o" && value.is_some() {
                &mut options
            } else {
                &mut words
            };
            into.push(word);
            into.extend(value);
        }
        words.extend(left);
        (words, options)
    }
}

/// Normalizes a command, so that two spellings of the same command compare as equal.
///
/// # Errors
/// Why master.cf cannot hold it.
pub fn command_of(text: &str) -> Result<String, String> {
    let entry = probe(text)?;
    if let Some((name, _)) = entry.options().first() {
        return Err(format!("it has the option `-o {}=…`", lossy(name)));
    }
    // postconf(1) drops the braces of a first argument, and an `-o` at the end takes the next word for its value.
    let mut edited = entry.clone();
    edited.set_option(b"a", b"b");
    let kept = MasterEntry::of_line(&edited.line()).as_ref() == Ok(&edited);
    if !kept || edited.options() != [(&b"a"[..], &b"b"[..])] {
        return Err("postconf(1) would change its words".to_owned());
    }
    Ok(entry.command())
}

/// Checks that master.cf can hold the value of an option: reading the entry again gives the same value.
///
/// # Errors
/// Why master.cf cannot hold it.
pub fn check_option(value: &str) -> Result<(), String> {
    let mut entry = probe("x")?;
    entry.set_option(b"a", value.trim().as_bytes());
    entry.set_option(b"b", b"");
    match MasterEntry::of_line(&entry.line()) {
        Ok(read) if read == entry => Ok(()),
        _ => Err("its braces are not balanced".to_owned()),
    }
}

fn probe(command: &str) -> Result<MasterEntry, String> {
    MasterEntry::of_line(&format!("x unix - - - - - {command}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::name::ServiceName;

    fn entry(command: &str) -> MasterEntry {
        probe(command).unwrap()
    }

    fn field(field: Field) -> Thing {
        Thing::Field(ServiceName::new("x/unix").unwrap(), field)
    }

    fn option(name: &str) -> Thing {
        let service = ServiceName::new("x/unix").unwrap();
        Thing::Option(service, Parameter::new(name).unwrap())
    }

    #[test]
    fn a_command_is_shown_without_its_options_and_with_everything_else() {
        for (whole, command) in [
            ("smtpd -o a=b", "smtpd"),
            ("smtp -v -o a=b", "smtp -v"),
            ("smtp -o a=b -v -o { c = d e }", "smtp -v"),
            (
                "pipe -o a=b flags=R argv=/x -o y",
                "pipe flags=R argv=/x -o y",
            ),
            ("smtp -vo a=b", "smtp -v"),
            ("smtp -o", "smtp -o"),
        ] {
            assert_eq!(entry(whole).command(), command, "{whole}");
        }
    }

    #[test]
    fn a_new_command_keeps_the_options_before_its_arguments() {
        let mut changed = entry("smtp -o a=b -o c=d");
        changed
            .change(&field(Field::Command), Some("pipe -v flags=R argv=/x"))
            .unwrap();
        assert!(
            changed
                .line()
                .ends_with("pipe -v -o a=b -o c=d flags=R argv=/x"),
            "{}",
            changed.line()
        );
        changed.change(&option("a"), None).unwrap();
        changed.change(&option("c"), Some("d  e")).unwrap();
        assert!(
            changed
                .line()
                .ends_with("pipe -v -o {c=d  e} flags=R argv=/x"),
            "{}",
            changed.line()
        );
        assert!(
            changed
                .change(&field(Field::Command), Some("lmtp {a"))
                .is_err()
        );
        assert!(changed.change(&field(Field::Chroot), Some("x")).is_err());
    }

    #[test]
    fn what_would_not_be_read_as_it_was_written_is_refused() {
        assert_eq!(command_of(" smtp  -v ").as_deref(), Ok("smtp -v"));
        assert_eq!(
            command_of("pipe user=x { a b }").as_deref(),
            Ok("pipe user=x {a b}")
        );
        for command in [
            "lmtp {a",
            "lmtp {a b}",
            "smtpd -o a=b",
            "smtpd -oa=b",
            "smtp -o",
            "",
        ] {
            assert!(command_of(command).is_err(), "{command}");
        }
        for value in [
            "a  b",
            "a}b",
            "{a}b{c d}",
            "",
            "{ check x, y }",
            "=",
            "a #b",
        ] {
            assert_eq!(check_option(value), Ok(()), "{value}");
        }
        for value in ["{a", "{a b", "a}b c", "a { b"] {
            assert!(check_option(value).is_err(), "{value}");
        }
    }
}
