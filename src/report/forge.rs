//! How long a comment may be where it is posted, and what its Markdown may have.

use std::str::FromStr;

/// The fewest bytes that a comment needs: its head, and the note that says what was cut.
pub const LEAST: usize = 4_000;

/// Where a comment is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// GitHub: 65,536 characters.
    GitHub,
    /// GitLab: 1,000,000 characters.
    GitLab,
    /// Bitbucket: 32,768 characters, and no HTML.
    Bitbucket,
    /// Azure DevOps: 150,000 characters.
    Azure,
    /// Another place, that takes so many bytes.
    Bytes(usize),
}

impl FromStr for Forge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "github" => Ok(Self::GitHub),
            "gitlab" => Ok(Self::GitLab),
            "bitbucket" => Ok(Self::Bitbucket),
            "azure" => Ok(Self::Azure),
            _ => match text.parse() {
                Ok(bytes) if bytes >= LEAST => Ok(Self::Bytes(bytes)),
                Ok(_) => Err(format!("a comment needs {LEAST} bytes at least")),
                Err(_) => Err(
                    "use `github`, `gitlab`, `bitbucket`, `azure` or a number of bytes".to_owned(),
                ),
            },
        }
    }
}

impl Forge {
    /// The longest comment, as [`measure`] counts.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::GitHub => 65_536,
            Self::GitLab => 1_000_000,
            Self::Bitbucket => 32_768,
            Self::Azure => 150_000,
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Whether `<details>` folds a part of a comment. Bitbucket shows HTML as text.
    #[must_use]
    pub fn folds(self) -> bool {
        self != Self::Bitbucket
    }
}

/// The length of a text in a request to a forge: as a JSON string of ASCII characters, which is never shorter than
/// the text in characters or in bytes, however the forge counts.
#[must_use]
pub fn measure(text: &str) -> usize {
    let length = |c: char| match c {
        '"' | '\\' | '\n' | '\t' | '\r' => 2,
        ' '..='~' => 1,
        other => 6 * other.len_utf16(),
    };
    text.chars().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_as_json() {
        assert_eq!(measure("a\n\"→"), 1 + 2 + 2 + 6);
        assert_eq!(measure("\u{1f600}"), 12);
        for text in ["", "ä\\ö", "x\ty\u{1b}", "plain"] {
            assert!(measure(text) >= text.len());
        }
    }

    #[test]
    fn a_limit_is_a_forge_or_a_number() {
        assert_eq!("github".parse(), Ok(Forge::GitHub));
        assert_eq!("4000".parse(), Ok(Forge::Bytes(4_000)));
        assert!("3999".parse::<Forge>().is_err());
        assert!("gitea".parse::<Forge>().is_err());
    }
}
