//! What a payload carries besides its program: texts of files, the ledger, a generation.

use zeroize::Zeroizing;

use super::observe::quote;

/// Bytes after the program, and where each piece stands in them.
#[derive(Default)]
pub(super) struct Data {
    /// One after the other.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Pieces that are words of the program as well, each as a line of its `case`.
    pieces: Vec<Zeroizing<String>>,
}

/// A piece up to this size is a word of the program too.
const PIECE: usize = 32 * 1024;

impl Data {
    /// The piece's name, or `-`, and its place: `NAME:OFFSET:LENGTH`.
    pub fn add(&mut self, bytes: &[u8]) -> String {
        let place = format!("{}:{}", self.bytes.len(), bytes.len());
        self.bytes.extend_from_slice(bytes);
        // What every shell keeps as it is.
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

    /// `piece NAME`: prints it.
    pub fn program(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("piece() {\ncase $1 in\n"));
        for line in &self.pieces {
            text.push_str(line);
        }
        text.push_str("esac\n}\n");
        text
    }
}
