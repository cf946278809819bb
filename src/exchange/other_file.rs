//! What a file is that was given as a saved plan or a live file and is none that can be used.

use serde_json::Value;

use super::sealed::{HEAD, LIVE_FORMAT, PLAN_FORMAT};

/// So much of a file says which of the sealed files it is.
const LOOKED_AT: usize = 4096;

/// What a file is, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherFile {
    /// It has nothing but blanks.
    Empty,
    /// It begins as a sealed file or another document of JSON, and its end is missing.
    CutOff,
    /// A saved plan, whole or edited.
    SavedPlan,
    /// A live file, whole or edited.
    LiveFile,
    /// What a verb printed with `--format json`.
    Report,
    /// What `murder schema` printed.
    Schema,
    /// Other JSON.
    Json,
    /// It is no text.
    Binary,
    /// Any other text.
    Text,
}

impl OtherFile {
    /// What these bytes are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let head = bytes.get(..LOOKED_AT.min(bytes.len())).unwrap_or_default();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        let begin = bytes.trim_ascii_start();
        if HEAD.as_bytes().starts_with(begin) {
            return Self::CutOff;
        }
        let text = std::str::from_utf8(bytes).ok();
        let text = text.filter(|text| !text.contains('\0'));
        let is_json = begin.starts_with(b"{") || begin.starts_with(b"[");
        match text.filter(|_| is_json).map(serde_json::from_str::<Value>) {
            Some(Ok(document)) => Self::of_json(&document),
            Some(Err(error)) if error.is_eof() => Self::CutOff,
            _ => Self::of_head(head).unwrap_or(match text {
                Some(_) => Self::Text,
                None => Self::Binary,
            }),
        }
    }

    /// A sealed file that was edited so that it is no JSON any more.
    fn of_head(head: &[u8]) -> Option<Self> {
        let head = String::from_utf8_lossy(head);
        if head.contains(LIVE_FORMAT) {
            return Some(Self::LiveFile);
        }
        (head.starts_with(HEAD) || head.contains(PLAN_FORMAT)).then_some(Self::SavedPlan)
    }

    fn of_json(document: &Value) -> Self {
        let has = |key: &str| document.get(key).is_some();
        match document.get("format").and_then(Value::as_str) {
            Some(LIVE_FORMAT) => Self::LiveFile,
            Some(PLAN_FORMAT) => Self::SavedPlan,
            _ if has("$schema") => Self::Schema,
            _ if has("format_version") => Self::Report,
            _ if has("digest") => Self::SavedPlan,
            _ => Self::Json,
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "an empty file",
            Self::CutOff => "a file whose end is missing",
            Self::SavedPlan => "a saved plan",
            Self::LiveFile => "a live file",
            Self::Report => "a report (`--format json`)",
            Self::Schema => "a JSON Schema",
            Self::Json => "JSON of another kind",
            Self::Binary => "not text",
            Self::Text => "other text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sealed;
    use super::*;

    #[test]
    fn each_file_is_told_by_its_bytes() {
        let plan = sealed(br#"{"format":"murder-plan","format_version":"2.0"}"#).0;
        let live = sealed(br#"{"format":"murder-live","format_version":"1.0"}"#).0;
        let edited = |bytes: &[u8]| [&bytes[..bytes.len() - 3], b"1\"}\n"].concat();
        for (bytes, expected) in [
            (&b""[..], OtherFile::Empty),
            (b" \n", OtherFile::Empty),
            (b"{\"dig", OtherFile::CutOff),
            (&plan[..plan.len() / 2], OtherFile::CutOff),
            (&live[..live.len() - 2], OtherFile::CutOff),
            (&edited(&plan), OtherFile::SavedPlan),
            (&edited(&live), OtherFile::LiveFile),
            (&[&plan[..], b"\xff"].concat(), OtherFile::SavedPlan),
            (
                b"{\"format_version\": \"1.4\", \"hosts\": {}}",
                OtherFile::Report,
            ),
            (b"{\"$schema\": \"x\"}", OtherFile::Schema),
            (b"[]", OtherFile::Json),
            (b"{}", OtherFile::Json),
            (b"[1, 2", OtherFile::CutOff),
            (b"\x7fELF\x02\x01\x01\x00", OtherFile::Binary),
            (b"a\xff", OtherFile::Binary),
            (b"version: 1\n", OtherFile::Text),
            (b"{version: 1, hosts: {}}\n", OtherFile::Text),
        ] {
            let text = String::from_utf8_lossy(bytes);
            assert_eq!(OtherFile::of(bytes), expected, "{text}");
        }
    }
}
