//! Every host compiled before any is contacted, on every core.

use std::num::NonZeroUsize;

use crate::compile::Compiler;
use crate::diagnostic::Diagnostic;
use crate::model::Murder;
use crate::name::HostName;

/// Compiles hosts with the facts that the manifest states, and gives what there is to say of
/// them: warnings, and errors where there are any. The order is that of `hosts`, whatever the
/// cores did.
#[must_use]
pub fn problems(compiler: &Compiler<'_>, murder: &Murder, hosts: &[HostName]) -> Vec<Diagnostic> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = hosts.len().div_ceil(cores).max(1);
    let of_hosts = |hosts: &[HostName]| -> Vec<Diagnostic> {
        hosts
            .iter()
            .filter_map(|name| murder.hosts.get(name))
            .flat_map(|host| match compiler.compile(&host.name, &host.facts) {
                Ok(compiled) => compiled.warnings,
                Err(problems) => problems,
            })
            .collect()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = hosts
            .chunks(share)
            .map(|hosts| scope.spawn(|| of_hosts(hosts)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(problems) => problems,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
