//! What a payload carries besides its program: texts of files, the ledger, a generation.

use zeroize::Zeroizing;

use super::observe::quote;
use crate::secret::{Secrets, scrubbed_words};

/// The bytes after the program, and the place of each piece in them.
#[derive(Default)]
pub(super) struct Data {
    /// All pieces, one after the other.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Small texts, which the program also contains, each as a line of its `case`.
    pieces: Vec<Zeroizing<String>>,
}

/// The largest text, in bytes, that the program also contains.
const PIECE: usize = 32 * 1024;

impl Data {
    /// The piece's name, or `-`, and its place: `NAME:OFFSET:LENGTH`.
    pub fn add(&mut self, bytes: &[u8]) -> String {
        let place = format!("{}:{}", self.bytes.len(), bytes.len());
        self.bytes.extend_from_slice(bytes);
        // Only characters that every shell keeps unchanged.
        let plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~');
        let name = match std::str::from_utf8(bytes) {
            Ok(text) if bytes.len() <= PIECE && bytes.iter().all(plain) => {
                let number = self.pieces.len();
                let line = format!("{number}) printf %s {} ;;\n", quote(text));
                self.pieces.push(Zeroizing::new(line));
                number.to_string()
            }
            _ => "-".to_owned(),
        };
        format!("{name}:{place}")
    }

    /// The shell function `piece NAME`, which prints a small text.
    pub fn program(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("piece() {\ncase $1 in\n"));
        for line in &self.pieces {
            text.push_str(line);
        }
        text.push_str("esac\n}\n");
        text
    }
}

/// The shell function that sets SECRETS: one a line, those that contain others first.
pub(super) fn secrets_function(secrets: &Secrets) -> Zeroizing<String> {
    let mut words: Vec<Zeroizing<String>> = secrets.iter().flat_map(scrubbed_words).collect();
    words.retain(|word| !word.contains('\n'));
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let mut text = Zeroizing::new(String::from("secrets() {\nSECRETS='"));
    for word in words {
        text.push_str(&word.replace('\'', r"'\''"));
        text.push('\n');
    }
    text.push_str("'\n}\n");
    text
}
