//! The keys of a secret that is a map: where it comes from.

use crate::manifest::rule;
use crate::manifest::shape::Shape::Text;
use crate::manifest::shape::{Record, key, record};

/// Where a secret comes from, written as a map.
pub static SECRET: Record = Record {
    traps: &[
        ("command", LATER, LATER_HINT),
        ("age", LATER, LATER_HINT),
        ("sops", LATER, LATER_HINT),
        ("vault", LATER, LATER_HINT),
    ],
    ..record(
        "secret",
        &[
            key(
                "file",
                Text(&rule::LOCAL_PATH),
                "A file beside the manifest that only its owner may read.",
            ),
            key(
                "env",
                Text(&rule::ENVIRONMENT),
                "An environment variable of `murder`.",
            ),
        ],
    )
};

pub(super) const LATER: &str = "this version does not support this source of secrets";

pub(super) const LATER_HINT: &str = "use `{file: PATH}` or `{env: NAME}`";
