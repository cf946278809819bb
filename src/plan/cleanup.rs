//! Orders that change nothing: the host takes the lock, removes what dead applies left, and lets go.

use crate::exchange::{Activation, Expects, LedgerOrder, Orders};
use crate::state::{Live, Probes};

use super::Run;

/// The orders that clear a host of leftovers. Its ledger stays, and so does what is known of the
/// apply that did not end: the next one finishes its work.
#[must_use]
pub fn sweep(live: &Live, run: &Run) -> Orders {
    Orders {
        run: run.id.clone(),
        by: run.by.clone(),
        at: run.at.clone(),
        expects: Expects {
            main_cf: live.main_cf_sha256.clone(),
            master_cf: live.master_cf_sha256.clone(),
            ledger: live.ledger_sha256.clone(),
            ..Expects::default()
        },
        files: Vec::new(),
        restores: Vec::new(),
        adopts: Vec::new(),
        indexes: Vec::new(),
        edits: Vec::new(),
        check: false,
        activation: Activation::Nothing,
        tables: Vec::new(),
        probes: Probes::default(),
        allow_unverified: false,
        deletes: Vec::new(),
        ledger: LedgerOrder::Keep,
        history: None,
    }
}
