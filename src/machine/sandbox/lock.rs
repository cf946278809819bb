//! The lock of a sandbox: held by the kernel for a process, as on a real host.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::exchange::Orders;
use crate::machine::MachineError;
use crate::root_folder::read_at_most;
use crate::state::Lock;

use super::Sandbox;

const LOCK: &str = "/var/lib/murder/lock";
/// One line says who holds it.
const MOST_BYTES: u64 = 64 << 10;

/// Takes the lock and writes who holds it. `None` if another process holds it. Dropping the file releases it.
pub(super) fn take(sandbox: &Sandbox, orders: &Orders) -> std::io::Result<Option<File>> {
    let mut file = sandbox.existing()?.append(Path::new(LOCK))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(0)?;
    let Orders { by, at, run, .. } = orders;
    writeln!(file, "by {by} at {at} (run {run})")?;
    Ok(Some(file))
}

/// The state of the lock. `None` if it was never taken.
pub(super) fn look(sandbox: &Sandbox) -> Result<Option<Lock>, MachineError> {
    let unfit = |error: std::io::Error| sandbox.unfit("cannot look at the lock", &error);
    let Some(folder) = sandbox.folder().map_err(unfit)? else {
        return Ok(None);
    };
    let file = match folder.file(Path::new(LOCK)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(unfit)?,
    };
    let held = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(unfit(error)),
    };
    let holder = read_at_most(file, MOST_BYTES).map_err(unfit)?;
    Ok(Some(Lock {
        held,
        holder: String::from_utf8_lossy(&holder).trim_end().to_owned(),
        process: None,
    }))
}
