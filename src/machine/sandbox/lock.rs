//! The lock of a sandbox: held by the kernel for a process, as on a real host.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};

use crate::exchange::Orders;
use crate::machine::MachineError;
use crate::state::Lock;

use super::Sandbox;

const LOCK: &str = "/var/lib/murder/lock";

/// Takes the lock and writes who holds it. `None` if another process holds it. Dropping the file releases it.
pub(super) fn take(sandbox: &Sandbox, orders: &Orders) -> std::io::Result<Option<File>> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(sandbox.inside(LOCK))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(0)?;
    let Orders { by, at, run, .. } = orders;
    writeln!(file, "by {by} since {at} (run {run})")?;
    Ok(Some(file))
}

/// The state of the lock. `None` if it was never taken.
pub(super) fn look(sandbox: &Sandbox) -> Result<Option<Lock>, MachineError> {
    let unfit = |error: std::io::Error| sandbox.unfit("cannot look at the lock", &error);
    let mut file = match File::open(sandbox.inside(LOCK)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(unfit)?,
    };
    let held = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(unfit(error)),
    };
    let mut holder = String::new();
    file.read_to_string(&mut holder).map_err(unfit)?;
    Ok(Some(Lock {
        held,
        holder: holder.trim_end().to_owned(),
        process: None,
    }))
}
