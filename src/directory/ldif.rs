//! Reads LDIF (RFC 2849) with the content of a directory.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::build::{TooLarge, is_left_out};
use super::store::Directory;
use crate::every_core::pieces_on_every_core;

/// A fault of an LDIF text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct LdifError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// How many faults are reported of one text.
const MOST: usize = 20;

/// Reads the entries of an LDIF text. Passwords, pictures and certificates are left out.
///
/// # Errors
/// The faults of the text, at most 20: records that change entries, URLs as values, and lines that are not LDIF.
pub fn read_ldif(text: &[u8]) -> Result<Directory, Vec<LdifError>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let pieces = pieces(text, PIECE);
    let mut parts = pieces_on_every_core(&pieces, |piece| read_piece(piece)).into_iter();
    let (mut directory, mut errors) = parts.next().unwrap_or_default();
    let mut before = 0;
    for ((part, own_errors), piece) in parts.zip(&pieces) {
        before += memchr::memchr_iter(b'\n', piece).count();
        errors.extend(own_errors.into_iter().map(|error| LdifError {
            line: error.line + before,
            ..error
        }));
        if errors.is_empty()
            && let Err(error) = directory.append(part)
        {
            let (line, what) = (before, error.to_string());
            errors.push(LdifError { line, what });
        }
    }
    errors.truncate(MOST);
    if errors.is_empty() {
        Ok(directory)
    } else {
        Err(errors)
    }
}

/// How long a piece is that is read by itself.
const PIECE: usize = 4 << 20;

/// A text in pieces of about this length, each of which ends with an empty line and is followed by a record.
fn pieces(text: &[u8], length: usize) -> Vec<&[u8]> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(after) = rest.get(length..) {
        let Some(at) = memchr::memmem::find(after, b"\n\ndn:") else {
            break;
        };
        let (piece, next) = rest.split_at(length + at + 2);
        pieces.push(piece);
        rest = next;
    }
    pieces.push(rest);
    pieces
}

/// Reads a piece of an LDIF text that begins with a record.
fn read_piece(text: &[u8]) -> (Directory, Vec<LdifError>) {
    let mut directory = Directory::default();
    let mut errors = Vec::new();
    let mut is_within = false;
    let mut bad_record = false;
    for (number, line) in Lines::new(text) {
        if line.is_empty() {
            (is_within, bad_record) = (false, false);
            continue;
        }
        if bad_record {
            continue;
        }
        let result = take(&mut directory, &line, &mut is_within);
        if let Err(what) = result {
            bad_record = true;
            errors.push(LdifError { line: number, what });
            if errors.len() == MOST {
                break;
            }
        }
    }
    (directory, errors)
}

fn take(directory: &mut Directory, line: &[u8], is_within: &mut bool) -> Result<(), String> {
    let (name, value) = split(line)?;
    let too_large = |error: TooLarge| error.to_string();
    let lower = name.to_ascii_lowercase();
    if !*is_within {
        return match lower.as_str() {
            "version" if value.trim_ascii() == b"1" => Ok(()),
            "version" => Err("only version 1 of LDIF is known".to_owned()),
            "dn" => {
                *is_within = true;
                directory
                    .begin(&String::from_utf8_lossy(&value))
                    .map_err(too_large)
            }
            "search" | "result" => Err(format!(
                "`{name}:` is a line of ldapsearch(1) about itself; run it with `-LLL`, which leaves these lines out"
            )),
            _ => Err(format!("a record begins with `dn:`, not with `{name}:`")),
        };
    }
    match lower.as_str() {
        "changetype" | "control" => {
            Err("the record changes an entry; export the directory's content instead".to_owned())
        }
        "dn" => Err("an empty line is missing between two records".to_owned()),
        other if is_left_out(other) => Ok(()),
        other => directory
            .add(other, &String::from_utf8_lossy(&value))
            .map_err(too_large),
    }
}

/// The name and the value of a line.
fn split(line: &[u8]) -> Result<(&str, Cow<'_, [u8]>), String> {
    let at = memchr::memchr(b':', line).ok_or("a line has the form `attribute: value`")?;
    let name = std::str::from_utf8(&line[..at]).map_err(|_| "an attribute's name is ASCII")?;
    let is_name = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b';' | b'.' | b'_');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("a line has the form `attribute: value`".to_owned());
    }
    let rest = &line[at + 1..];
    match rest.first() {
        Some(b':') => {
            let encoded: Vec<u8> = rest[1..].trim_ascii().to_vec();
            let decoded = STANDARD.decode(&encoded);
            let decoded = decoded.map_err(|_| "the value after `::` is not base64")?;
            Ok((name, Cow::Owned(decoded)))
        }
        Some(b'<') => Err("values in other files (`:<`) are not read".to_owned()),
        _ => Ok((name, Cow::Borrowed(rest.trim_ascii_start()))),
    }
}

/// The lines of a text: folded lines are joined, comments are left out, empty lines are kept.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            number: 0,
        }
    }

    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest);
        let (line, rest) = match end {
            Some(at) => (&self.rest[..at], &self.rest[at + 1..]),
            None => (self.rest, &self.rest[self.rest.len()..]),
        };
        self.rest = rest;
        self.number += 1;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.physical()?;
            let number = self.number;
            let mut line = Cow::Borrowed(line);
            while self.rest.first() == Some(&b' ') {
                if let Some(more) = self.physical() {
                    line.to_mut().extend_from_slice(&more[1..]);
                }
            }
            if line.first() != Some(&b'#') {
                return Some((number, line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 2849.
    #[test]
    fn ldif_is_read() {
        let text = b"version: 1\n# a comment\n  that is folded\ndn: uid=a,dc=x\nmail: a@\n x.org\nMail:b@x.org\n\
                     cn:: w5xuYWw=\nuserPassword: secret\ndescription:\n\n\ndn:: dWlkPWIsZGM9eA==\r\nmail: c@x.org\r\n";
        let directory = read_ldif(text).unwrap_or_default();
        let shown: Vec<(String, Vec<String>)> = directory
            .entries()
            .map(|entry| {
                let values = directory.values(entry);
                let values =
                    values.map(|(of, value)| format!("{}={value}", directory.attribute_name(of)));
                (directory.dn(entry).to_owned(), values.collect())
            })
            .collect();
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(
            shown,
            [
                (
                    "uid=a,dc=x".to_owned(),
                    strings(&["mail=a@x.org", "mail=b@x.org", "cn=Ünal", "description="])
                ),
                ("uid=b,dc=x".to_owned(), strings(&["mail=c@x.org"])),
            ]
        );
    }

    /// Pieces end between records, and never within a folded line.
    #[test]
    fn a_text_in_pieces_is_read_as_one() {
        let text = b"version: 1\n\ndn: uid=a,dc=x\nmail: a@x\n\n\ndn: uid=b,dc=x\nCN: b\n\n\n dn: folded\n\n\ndn: uid=c,dc=x\n\
                     mail: c@x\nsn: c\n\nDN: uid=d,dc=x\nsn: d\n\nsn: no record\n";
        let shown = |directory: &Directory| -> Vec<String> {
            let entry = |entry| {
                let values = directory.values(entry);
                let values = values.map(|(of, value)| (directory.attribute_name(of), value));
                format!("{} {:?}", directory.dn(entry), values.collect::<Vec<_>>())
            };
            directory.entries().map(entry).collect()
        };
        let (whole, faults) = read_piece(text);
        assert_eq!(faults.len(), 1);
        for length in 1..text.len() {
            let pieces = pieces(text, length);
            assert_eq!(pieces.concat(), text);
            let mut joined = Directory::default();
            let mut found = 0;
            for piece in pieces {
                let (part, faults) = read_piece(piece);
                found += faults.len();
                assert_eq!(joined.append(part), Ok(()));
            }
            assert_eq!((shown(&joined), found), (shown(&whole), 1), "{length}");
        }
    }

    #[test]
    fn faults_are_named_with_their_lines() {
        let text = b"dn: a=1\nchangetype: delete\n\nmail: x\n\ndn: b=1\nx\n\ndn: c=1\njpegphoto:< file:///x\n\
                     \ndn: d=1\ncn:: ?\n";
        let errors = read_ldif(text).err().unwrap_or_default();
        let lines: Vec<usize> = errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [2, 4, 7, 10, 13]);
    }
}
