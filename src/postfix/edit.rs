//! Edits of main.cf and master.cf as values.

use serde::{Deserialize, Serialize};

use crate::name::Parameter;
use crate::name::ServiceName;
use crate::thing::Field;
use crate::thing::Thing;

use super::main_cf;
use super::main_cf::MainCf;
use super::master_cf;
use super::master_cf::MasterCf;

/// One edit as postconf(1) makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// `postconf -e name=value`.
    Set(Parameter, String),
    /// `postconf -X name`.
    Unset(Parameter),
    /// `postconf -M name/type="…"`: the whole entry.
    SetService(ServiceName, String),
    /// `postconf -MX name/type`.
    UnsetService(ServiceName),
    /// `postconf -F name/type/field=value`.
    SetField(ServiceName, Field, String),
    /// `postconf -P name/type/parameter=value`.
    SetOption(ServiceName, Parameter, String),
    /// `postconf -PX name/type/parameter`.
    UnsetOption(ServiceName, Parameter),
}

/// Why an edit is refused. No edit of the same call is made then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot edit `{edit}`: {why}")]
pub struct EditError {
    /// What the refused edit names, in the form of a [`Thing`]; several are joined by commas.
    pub edit: String,
    /// The reason, in the words of postconf(1).
    pub why: String,
}

impl Edit {
    /// What is edited.
    #[must_use]
    pub fn thing(&self) -> Thing {
        match self {
            Self::Set(name, _) | Self::Unset(name) => Thing::Parameter(name.clone()),
            Self::SetService(service, _) | Self::UnsetService(service) => {
                Thing::Service(service.clone())
            }
            Self::SetField(service, field, _) => Thing::Field(service.clone(), *field),
            Self::SetOption(service, name, _) | Self::UnsetOption(service, name) => {
                Thing::Option(service.clone(), name.clone())
            }
        }
    }

    /// Whether it is main.cf that is edited, and not master.cf.
    #[must_use]
    pub fn is_main_cf(&self) -> bool {
        matches!(self, Self::Set(..) | Self::Unset(_))
    }

    /// The argument that postconf takes for it.
    fn argument(&self) -> String {
        match self {
            Self::Set(name, value) => format!("{name}={value}"),
            Self::Unset(name) => name.to_string(),
            Self::SetService(service, line) => format!("{service}={line}"),
            Self::UnsetService(service) => service.to_string(),
            Self::SetField(service, field, value) => {
                format!("{service}/{}={value}", field.as_str())
            }
            Self::SetOption(service, name, value) => format!("{service}/{name}={value}"),
            Self::UnsetOption(service, name) => format!("{service}/{name}"),
        }
    }

    fn call(&self) -> Call {
        match self {
            Self::Set(..) => Call::Main(main_cf::Change::Set),
            Self::Unset(_) => Call::Main(main_cf::Change::Remove),
            Self::SetService(..) => Call::Master(master_cf::Change::SetEntry),
            Self::UnsetService(_) => Call::Master(master_cf::Change::RemoveEntry),
            Self::SetField(..) => Call::Master(master_cf::Change::SetField),
            Self::SetOption(..) => Call::Master(master_cf::Change::SetOption),
            Self::UnsetOption(..) => Call::Master(master_cf::Change::RemoveOption),
        }
    }
}

/// The options of the postconf(1) call that makes an edit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Main(main_cf::Change),
    Master(master_cf::Change),
}

/// Makes edits on the two files as postconf(1) makes them: neighbouring edits of one kind
/// are one call of postconf. New parameters are appended in name order (Postfix before 3.8
/// takes any order).
///
/// A last line without a line end gets one first, because postconf before 3.8 appends to the line itself.
///
/// A field or option of a service that master.cf does not have is an error here. postconf only warns of it, and the
/// edit would silently be lost.
///
/// # Errors
/// The first edit that postconf would refuse. Nothing is edited then.
pub fn apply_edits(
    main: &[u8],
    master: &[u8],
    edits: &[Edit],
) -> Result<(Vec<u8>, Vec<u8>), EditError> {
    let (mut main, mut master) = (with_line_end(main), with_line_end(master));
    for group in edits.chunk_by(|left, right| left.call() == right.call()) {
        let Some(first) = group.first() else {
            continue;
        };
        let failure = |why: String| EditError {
            edit: group
                .iter()
                .map(|edit| edit.thing().to_string())
                .collect::<Vec<_>>()
                .join(", "),
            why,
        };
        let arguments: Vec<String> = group.iter().map(Edit::argument).collect();
        if arguments.iter().any(|argument| argument.contains('\0')) {
            return Err(failure("a value cannot have a NUL byte".to_owned()));
        }
        let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
        match first.call() {
            Call::Main(change) => {
                (main, _) = main_cf::change(&main, change, &arguments).map_err(failure)?;
            }
            Call::Master(change) => {
                let done = master_cf::change(&master, change, &arguments).map_err(failure)?;
                let unmatched = done.unmatched.first();
                if let Some(at) = unmatched
                    && change != master_cf::Change::RemoveOption
                {
                    return Err(EditError {
                        edit: group
                            .get(*at)
                            .map_or_else(String::new, |edit| edit.thing().to_string()),
                        why: "master.cf has no such service".to_owned(),
                    });
                }
                master = done.text;
            }
        }
    }
    Ok((main, master))
}

impl MainCf {
    /// Makes edits as postconf(1) makes them, keeping comments, order and layout.
    /// Neighbouring edits of one kind count as one call of postconf.
    ///
    /// # Errors
    /// An edit that postconf would refuse, or one of master.cf; the file is as it was.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<(), EditError> {
        if let Some(edit) = edits.iter().find(|edit| !edit.is_main_cf()) {
            return Err(EditError {
                edit: edit.thing().to_string(),
                why: "it is an edit of master.cf".to_owned(),
            });
        }
        let (main, _) = apply_edits(self.bytes(), b"", edits)?;
        *self = Self::parse(&main);
        Ok(())
    }
}

impl MasterCf {
    /// Makes edits as postconf(1) makes them, keeping comments, order and the layout of
    /// every entry that is not edited.
    ///
    /// # Errors
    /// An edit that postconf would refuse, or one of main.cf; the file is as it was.
    pub fn edit(&mut self, edits: &[Edit]) -> Result<(), EditError> {
        if let Some(edit) = edits.iter().find(|edit| edit.is_main_cf()) {
            return Err(EditError {
                edit: edit.thing().to_string(),
                why: "it is an edit of main.cf".to_owned(),
            });
        }
        let (_, master) = apply_edits(b"", self.bytes(), edits)?;
        *self = Self::parse(&master);
        Ok(())
    }
}

fn with_line_end(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn parameter(name: &str) -> Parameter {
        Parameter::new(name).unwrap()
    }

    fn service(name: &str) -> ServiceName {
        ServiceName::new(name).unwrap()
    }

    const MASTER: &[u8] = b"smtp inet n - y - - smtpd\nlmtp unix - - y - - lmtp\n";

    #[test]
    fn edits_of_both_files_in_one_go() {
        let edits = [
            Edit::Set(parameter("relayhost"), "[a]".to_owned()),
            Edit::Set(parameter("biff"), "no".to_owned()),
            Edit::Unset(parameter("old")),
            Edit::SetField(service("lmtp/unix"), Field::Chroot, "n".to_owned()),
            Edit::SetOption(
                service("lmtp/unix"),
                parameter("soft_bounce"),
                "yes".to_owned(),
            ),
        ];
        let (main, master) = apply_edits(b"old = 1\n", MASTER, &edits).unwrap();
        assert_eq!(main, b"biff = no\nrelayhost = [a]\n");
        assert_eq!(
            String::from_utf8(master).unwrap(),
            "smtp inet n - y - - smtpd\n\
             lmtp       unix  -       -       n       -       -       lmtp\n    -o soft_bounce=yes\n"
        );
    }

    #[test]
    fn a_missing_line_end_does_not_glue_lines_together() {
        let edits = [Edit::Set(parameter("a"), "1".to_owned())];
        let (main, _) = apply_edits(b"biff = no", b"", &edits).unwrap();
        assert_eq!(main, b"biff = no\na = 1\n");
    }

    #[test]
    fn a_service_that_is_not_there_is_an_error_and_names_the_thing() {
        let edit = Edit::SetField(service("x/unix"), Field::Chroot, "n".to_owned());
        let error = apply_edits(b"", MASTER, &[edit]).unwrap_err();
        assert_eq!(error.edit, "master.cf:x/unix/chroot");
        let edit = Edit::UnsetOption(service("x/unix"), parameter("a"));
        assert!(apply_edits(b"", MASTER, &[edit]).is_ok());
    }

    #[test]
    fn a_line_break_in_a_value_is_refused_and_the_value_is_not_shown() {
        let edit = Edit::Set(parameter("a"), "secret\nb = c".to_owned());
        let error = apply_edits(b"", b"", &[edit]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
