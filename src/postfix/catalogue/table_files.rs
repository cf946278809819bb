//! Table types by the files that Postfix reads for them.

/// Whether Postfix reads an index beside the source of a table of this type.
#[must_use]
pub fn has_index(kind: &str) -> bool {
    ["btree", "cdb", "dbm", "hash", "lmdb", "sdbm"].contains(&kind)
}

/// Whether the source of a table of this type is lines of a key and a value, as for postmap(1).
#[must_use]
pub fn has_lines(kind: &str) -> bool {
    let kinds = [
        "btree", "cdb", "cidr", "dbm", "hash", "lmdb", "sdbm", "texthash",
    ];
    kinds.contains(&kind)
}
