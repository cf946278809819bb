//! The indexes of a sandbox: each is built elsewhere and written whole into it. Nothing of the sandbox itself, whose
//! links may lead anywhere, is read or written by another program.

use std::path::Path;

use crate::exchange::{Failure, IndexOrder};
use crate::root_folder::WriteOptions;

use super::indexer::{Built, Table};
use super::{MOST_BYTES, Sandbox, tree};

/// Builds an index and writes it into the sandbox. Without postmap it does nothing.
///
/// # Errors
/// Where postmap or postalias fails, or warns about the table.
pub(super) fn build(sandbox: &Sandbox, order: &IndexOrder) -> Result<(), Failure> {
    if !sandbox.indexer.can_build() {
        return Ok(());
    }
    let (source, kind) = (order.source.as_str(), order.table_type.as_str());
    let failure = |summary: String, detail: String| Failure {
        summary,
        detail: Some(detail),
        hint: None,
    };
    let io = |error: std::io::Error| failure(format!("cannot index `{source}`"), error.to_string());
    let table = staged(sandbox, order).map_err(io)?;
    let suffix = table.suffix;
    match sandbox.indexer.build(table).map_err(io)? {
        None => Ok(()),
        Some(Built::Refused { words, as_named }) => {
            let real = sandbox.inside(source);
            Err(failure(
                format!("{} refuses `{kind}:{source}`", order.program()),
                words.replace(&as_named, &real.to_string_lossy()),
            ))
        }
        Some(Built::Index(bytes, mode)) => {
            let options = WriteOptions {
                mode: Some(mode),
                modified: None,
            };
            let index = format!("{source}{suffix}");
            let folder = sandbox.existing().map_err(io)?;
            folder.write(Path::new(&index), &bytes, options).map_err(io)
        }
    }
}

/// The table of an order, as it is in the sandbox.
fn staged(sandbox: &Sandbox, order: &IndexOrder) -> std::io::Result<Table> {
    let source = Path::new(order.source.as_str());
    let folder = sandbox.existing()?;
    Ok(Table {
        program: order.program(),
        kind: order.table_type.as_str().to_owned(),
        suffix: order.table_type.index_suffix().unwrap_or(".db"),
        bytes: folder.read(source, MOST_BYTES)?,
        mode: tree::mode(&folder.metadata(source)?),
    })
}
