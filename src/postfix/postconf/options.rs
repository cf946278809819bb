//! The command line of postconf(1).

use std::collections::BTreeSet;

use crate::postfix::configuration::Release;
use crate::postfix::main_cf;
use crate::postfix::master_cf;
use crate::postfix::text::lossy;

/// A parsed command line of postconf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub(super) mode: Mode,
    pub(super) directory: Option<Vec<u8>>,
    pub(super) shown: BTreeSet<char>,
    pub(super) overrides: Vec<Vec<u8>>,
    pub(super) classes: Vec<Vec<u8>>,
    pub(super) operands: Vec<Vec<u8>>,
    pub(super) release: Release,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    ShowMain,
    ShowEntries,
    ShowFields,
    ShowOptions,
    EditMain(main_cf::Change),
    EditMaster(master_cf::Change),
}

/// Options with an argument, options without one, and options that only Postfix's own postconf has.
const WITH_ARGUMENT: &str = "cCo";
const PLAIN: &str = "deEfFhHMnpPvxX#";
const NOT_HERE: &str = "aAblmtT";

/// Sets of options that exclude each other.
const EXCLUSIVE: [&str; 6] = ["pMFP", "den#X", "fe#X", "xe#X", "ode#X", "he#XH"];

/// The only options that may accompany an option.
const TOGETHER: [(char, &str); 4] = [
    ('p', "eX#fhxdnoH"),
    ('M', "eX#fox"),
    ('F', "efhoxH"),
    ('P', "eXfhoxH"),
];

impl Request {
    /// Parses the arguments after the program's name. Options end at the first operand.
    ///
    /// # Errors
    /// The message with which postconf refuses.
    pub fn parse(arguments: &[Vec<u8>]) -> Result<Self, String> {
        let mut given = BTreeSet::new();
        let mut request = Self {
            mode: Mode::ShowMain,
            directory: None,
            shown: BTreeSet::new(),
            overrides: Vec::new(),
            classes: Vec::new(),
            operands: Vec::new(),
            release: Release::default(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            if argument == b"--" {
                break;
            }
            let Some((b'-', mut letters @ [_, ..])) = argument.split_first() else {
                request.operands.push(argument.clone());
                break;
            };
            while let Some((letter, after)) = letters.split_first() {
                let letter = char::from(*letter);
                letters = after;
                if !takes_argument(letter)? {
                    given.insert(letter);
                    continue;
                }
                let value = match std::mem::take(&mut letters) {
                    b"" => rest.next().cloned(),
                    value => Some(value.to_vec()),
                };
                let value =
                    value.ok_or_else(|| format!("option -{letter} requires an argument"))?;
                match letter {
                    'c' => request.directory = Some(value),
                    'C' => request.classes = classes(&value)?,
                    _ => {
                        given.insert('o');
                        request.overrides.push(value);
                    }
                }
            }
        }
        request.operands.extend(rest.cloned());
        request.mode = mode(&mut given, &request.operands)?;
        request.shown = given;
        Ok(request)
    }

    /// The same request to the postconf of another release than Postfix 3.7.
    #[must_use]
    pub fn of_release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// The folder of `-c`.
    #[must_use]
    pub fn directory(&self) -> Option<&[u8]> {
        self.directory.as_deref()
    }

    pub(super) fn has(&self, letter: char) -> bool {
        self.shown.contains(&letter)
    }
}

/// Whether an option takes an argument.
///
/// # Errors
/// If it is no option, or one of Postfix's own postconf(1) alone.
fn takes_argument(letter: char) -> Result<bool, String> {
    if NOT_HERE.contains(letter) {
        return Err(format!(
            "option -{letter} is only in Postfix's own postconf"
        ));
    }
    match PLAIN.contains(letter) {
        true => Ok(false),
        false if WITH_ARGUMENT.contains(letter) => Ok(true),
        false => Err(format!("unknown option -{letter}; postconf(1) lists them")),
    }
}

fn mode(given: &mut BTreeSet<char>, operands: &[Vec<u8>]) -> Result<Mode, String> {
    // -v and the obsolete -E may accompany every option.
    given.remove(&'v');
    given.remove(&'E');
    if !['p', 'M', 'F', 'P']
        .iter()
        .any(|major| given.contains(major))
    {
        given.insert('p');
    }
    if operands.first().is_some_and(|first| first.contains(&b'=')) {
        given.insert('e');
    }
    for set in EXCLUSIVE {
        let both: Vec<String> = set
            .chars()
            .filter(|letter| given.contains(letter))
            .map(|letter| format!("-{letter}"))
            .collect();
        if both.len() > 1 {
            return Err(format!("specify one of {}", both.join(" ")));
        }
    }
    for (option, allowed) in TOGETHER {
        if !given.contains(&option) {
            continue;
        }
        if let Some(letter) = given
            .iter()
            .find(|letter| **letter != option && !allowed.contains(**letter))
        {
            return Err(format!("with option -{option}, do not specify -{letter}"));
        }
    }
    let has = |letter: char| given.contains(&letter);
    let edit = ['e', 'X', '#'].into_iter().find(|letter| has(*letter));
    if let Some(edit) = edit
        && operands.is_empty()
    {
        return Err(format!("-{edit} requires an argument"));
    }
    use main_cf::Change as Main;
    use master_cf::Change as Master;
    Ok(match (edit, has('M'), has('F'), has('P')) {
        (None, true, ..) => Mode::ShowEntries,
        (None, _, true, _) => Mode::ShowFields,
        (None, _, _, true) => Mode::ShowOptions,
        (None, ..) => Mode::ShowMain,
        (Some('e'), true, ..) => Mode::EditMaster(Master::SetEntry),
        (Some('X'), true, ..) => Mode::EditMaster(Master::RemoveEntry),
        (Some(_), true, ..) => Mode::EditMaster(Master::CommentOutEntry),
        (Some(_), _, true, _) => Mode::EditMaster(Master::SetField),
        (Some('e'), _, _, true) => Mode::EditMaster(Master::SetOption),
        (Some(_), _, _, true) => Mode::EditMaster(Master::RemoveOption),
        (Some('e'), ..) => Mode::EditMain(Main::Set),
        (Some('X'), ..) => Mode::EditMain(Main::Remove),
        (Some(_), ..) => Mode::EditMain(Main::CommentOut),
    })
}

fn classes(value: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut found = Vec::new();
    for word in crate::postfix::text::words(value, b", \t\r\n|") {
        let word = word.to_ascii_lowercase();
        match word.as_slice() {
            b"builtin" | b"service" | b"user" => found.push(word),
            b"all" => found.extend([&b"builtin"[..], b"service", b"user"].map(<[u8]>::to_vec)),
            _ => return Err(format!("unknown -C option value \"{}\"", lossy(&word))),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, String> {
        let arguments: Vec<Vec<u8>> = arguments
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
        Request::parse(&arguments)
    }

    fn mode(arguments: &[&str]) -> Option<Mode> {
        parse(arguments).ok().map(|request| request.mode)
    }

    #[test]
    fn options_bundle_and_an_equals_sign_means_edit() {
        assert_eq!(mode(&["-nfc", "/x"]), Some(Mode::ShowMain));
        assert_eq!(
            parse(&["-nfc/x"]).ok().and_then(|r| r.directory),
            Some(b"/x".to_vec())
        );
        assert_eq!(mode(&["a=b"]), Some(Mode::EditMain(main_cf::Change::Set)));
        assert_eq!(
            mode(&["-MX", "a/unix"]),
            Some(Mode::EditMaster(master_cf::Change::RemoveEntry))
        );
        assert_eq!(
            mode(&["-P", "a/unix/b=c"]),
            Some(Mode::EditMaster(master_cf::Change::SetOption))
        );
        assert_eq!(
            mode(&["--", "-x=y"]),
            Some(Mode::EditMain(main_cf::Change::Set))
        );
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for arguments in [
            &["-n", "-d"][..],
            &["-M", "-P"],
            &["-Mh"],
            &["-nX", "a"],
            &["-FX", "a/unix/chroot"],
            &["-e"],
            &["-X"],
            &["-z"],
            &["-m"],
            &["-c"],
            &["-C", "x"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
