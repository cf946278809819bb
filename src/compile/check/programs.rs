//! Checks the programs of master.cf: their names, and whether they can run in a chroot.

use super::{Found, Values};
use crate::diagnostic::{Diagnostic, Severity};
use crate::name::ServiceName;
use crate::nearest::{is_slip, nearest};
use crate::postfix::{DEBIAN_MASTER_CF, MasterCf};
use crate::state::Want;
use crate::thing::{Field, Thing};

/// The programs that master(8) can start, in `daemon_directory` of Postfix up to 3.11.
const PROGRAMS: [&str; 28] = [
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "dnsblog",
    "error",
    "flush",
    "lmtp",
    "local",
    "nqmgr",
    "oqmgr",
    "pickup",
    "pipe",
    "postlogd",
    "postscreen",
    "proxymap",
    "qmgr",
    "qmqpd",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "tlsmgr",
    "tlsproxy",
    "trivial-rewrite",
    "verify",
    "virtual",
];

/// Programs that serve clients of the network.
const SERVERS: [&str; 4] = ["postscreen", "qmqpd", "smtpd", "spawn"];

/// Programs that cannot run in a chroot (master(5), `chroot`).
const OUTSIDE: [&str; 5] = ["local", "pipe", "proxymap", "spawn", "virtual"];

/// Checks the program in a command, and the chroot of a service.
pub(super) fn check(values: &Values<'_>, thing: &Thing, text: &str, found: &mut Found) {
    match thing {
        Thing::Field(service, Field::Command) => check_name(values, thing, service, text, found),
        Thing::Field(service, Field::Chroot) if text == "y" => {
            let Some(program) = program_of(values, service) else {
                return;
            };
            if OUTSIDE.contains(&program.as_str()) {
                found.warnings.push(
                    Diagnostic::warning(format!(
                        "{program}(8) of `{service}` cannot run in a chroot"
                    ))
                    .at((values.place)(thing), "")
                    .detail("it needs files and programs outside the queue directory (master(5))")
                    .hint("write `chroot: n`"),
                );
            }
        }
        _ => {}
    }
}

fn check_name(
    values: &Values<'_>,
    thing: &Thing,
    service: &ServiceName,
    text: &str,
    found: &mut Found,
) {
    let Some(program) = first_word(text) else {
        return;
    };
    check_attributes(values, (thing, service), program, text, found);
    // A path is the site's own program.
    if PROGRAMS.contains(&program) || program.contains(['/', '$']) {
        return;
    }
    let said = Diagnostic::error(format!(
        "`{program}` of `{service}` is no program of Postfix"
    ))
    .at((values.place)(thing), "");
    let lower = program.to_ascii_lowercase();
    let likely = match service.parts().1 {
        "inet" | "pass" => &SERVERS[..],
        _ => &PROGRAMS,
    };
    match nearest(&lower, likely.iter().copied()) {
        Some(near) if is_slip(&lower, near) => found.error(
            thing,
            said.detail("master(8) would start the service again and again, and each start would fail")
                .hint(format!("did you mean `{near}`?")),
        ),
        _ => found.warnings.push(Diagnostic {
            level: Severity::Warning,
            ..said
                .detail("master(8) starts only programs in `daemon_directory`")
                .hint("write a program of Postfix, such as `pipe` or `spawn`, which start other programs; or put the program into `daemon_directory`")
        }),
    }
}

/// pipe(8) and spawn(8) need a user without privileges and a command, and stop with a fatal error without them.
fn check_attributes(
    values: &Values<'_>,
    (thing, service): (&Thing, &ServiceName),
    program: &str,
    text: &str,
    found: &mut Found,
) {
    if !["pipe", "spawn"].contains(&program) || text.contains('$') {
        return;
    }
    let mut words = text.split_whitespace();
    let mut before_command = words.by_ref().take_while(|word| !word.starts_with("argv="));
    let user = before_command.find_map(|word| word.strip_prefix("user="));
    let what = match user.map(|user| user.split(':').next().unwrap_or(user)) {
        None | Some("") => format!("{program}(8) has no `user=`"),
        Some("root" | "0") => format!("{program}(8) has `user=root`"),
        Some(_)
            if !text
                .split_whitespace()
                .any(|word| word.starts_with("argv=")) =>
        {
            format!("{program}(8) has no `argv=`")
        }
        Some(_) => return,
    };
    found.error(
        thing,
        Diagnostic::error(format!("{what} in the command of `{service}`"))
            .at((values.place)(thing), "")
            .detail(format!(
                "{program}(8) would stop with a fatal error at each start, and mail for it would wait"
            ))
            .hint(format!(
                "write a user without privileges, then the command: `{program} user=nobody argv=/path/to/program`"
            )),
    );
}

fn first_word(text: &str) -> Option<&str> {
    text.split_whitespace().next()
}

/// The program of a service: the manifest's, else that of Debian's master.cf.
fn program_of(values: &Values<'_>, service: &ServiceName) -> Option<String> {
    let command = Thing::Field(service.clone(), Field::Command);
    if let Some(Want::Present(text)) = values.all.get(&command) {
        return first_word(text).map(str::to_owned);
    }
    let entry = MasterCf::parse(DEBIAN_MASTER_CF.as_bytes()).service(service)?;
    first_word(&entry.field(Field::Command)).map(str::to_owned)
}
