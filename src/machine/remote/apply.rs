//! Turns orders into one payload (program, assignments, call, data) and the loader that receives it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::data::{Data, secrets_function};
use super::errors::unsayable;
use super::frame::sha256;
use super::observe::{WAYS, is_hash, quote, without_comments};
use super::service_orders;
use super::values::lines;
use crate::exchange::Failure;
use crate::ledger::Ledger;
use crate::machine::{HistoryOrder, LedgerOrder, Orders};
use crate::name::UserName;
use crate::postfix::catalogue;

/// The program, one file for each idea.
const PROGRAM: [&str; 20] = [
    WAYS,
    include_str!("apply/words.sh"),
    include_str!("apply/services.sh"),
    include_str!("apply/report.sh"),
    include_str!("apply/journal.sh"),
    include_str!("apply/exposed.sh"),
    include_str!("apply/former.sh"),
    include_str!("apply/stage.sh"),
    include_str!("apply/validate.sh"),
    include_str!("apply/indexes.sh"),
    include_str!("apply/opened.sh"),
    include_str!("apply/listeners.sh"),
    include_str!("apply/commit.sh"),
    include_str!("apply/activate.sh"),
    include_str!("apply/log.sh"),
    include_str!("apply/children.sh"),
    include_str!("apply/probe.sh"),
    include_str!("apply/ledger.sh"),
    include_str!("apply/undo.sh"),
    include_str!("apply/main.sh"),
];
const ASK_BASH: &str = include_str!("ask.bash");
const ASK_PERL: &str = include_str!("ask.perl");
const ASK_NC: &str = include_str!("ask.nc");
const WAKE_PERL: &str = include_str!("wake.perl");
static WORDS_AWK: LazyLock<String> =
    LazyLock::new(|| without_comments(include_str!("apply/words.awk")));

/// The width of the data's offset in the payload. It is fixed, so that the offset does not depend on its own length.
const OFFSET_WIDTH: usize = 12;

/// A payload, and the exec line that takes it.
#[derive(Debug)]
pub(super) struct Payload {
    /// The exec line: no quote, backslash, `!` or line break inside its single quotes, so that
    /// csh and fish read it as sh does.
    pub command: String,
    /// The payload.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Turns orders into a payload; `look` is the program of the observation that follows on work that is done.
///
/// # Errors
/// A [`Failure`] where an order contains characters that a shell would change.
pub(super) fn payload(
    orders: &Orders,
    nonce: &str,
    sh: &str,
    fault: &str,
    look: Option<&str>,
) -> Result<Payload, Failure> {
    if orders.run.is_empty() || !orders.run.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(unsayable("the name of the run", &orders.run));
    }
    let mut data = Data::default();
    let assignments = assignments(orders, nonce, sh, fault, &mut data)?;
    let program = program();
    let call = "case $1 in work) work ;; *) front ;; esac\nexit 0\n";
    let look = look.unwrap_or(":\n");
    let rest = Zeroizing::new(format!(
        "{program}{}{}{}look() {{\n{look}}}\n{call}",
        service_orders::edits(orders),
        *data.program(),
        *secrets_function(&orders.secrets)
    ));
    let length = assignments.len() + "DATA=\n".len() + OFFSET_WIDTH + rest.len();
    // tail(1) counts from 1.
    let offset = length + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + data.bytes.len()));
    bytes.extend_from_slice(assignments.as_bytes());
    bytes.extend_from_slice(format!("DATA={offset:<OFFSET_WIDTH$}\n").as_bytes());
    bytes.extend_from_slice(rest.as_bytes());
    bytes.extend_from_slice(&data.bytes);
    Ok(Payload {
        command: loader(&orders.run, nonce, sh, &sha256(&bytes)),
        bytes,
    })
}

/// The program, without the orders.
pub(super) fn program() -> &'static str {
    static WHOLE: LazyLock<String> = LazyLock::new(|| PROGRAM.map(without_comments).concat());
    &WHOLE
}

/// The loader: writes the payload to a file, verifies its hash, and runs it.
fn loader(run: &str, nonce: &str, sh: &str, sha256: &str) -> String {
    let (left, right) = nonce.split_at(nonce.len() / 2);
    format!(
        "sh -c 'trap \"\" HUP PIPE INT; umask 077; LC_ALL=C; PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin; \
         export LC_ALL PATH; n={left}; n=$n\"{right}\"; d=/var/lib/murder; s=$d/spool.{run}.$$; \
         {{ [ -d $d ] || mkdir -p $d; }} && cat >$s && x=$(sha256sum $s) && [ \"${{x%% *}}\" = {sha256} ] && \
         {{ echo; echo $n ACCEPTED; exec {sh} $s front; }}; rm -f $s; echo; echo $n REFUSED'"
    )
}

fn assignments(
    orders: &Orders,
    nonce: &str,
    sh: &str,
    fault: &str,
    data: &mut Data,
) -> Result<String, Failure> {
    let mut text = String::new();
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(text, "{name}={}", quote(value));
    };
    let by = one_line("the name of who applies", &orders.by)?;
    set("N", nonce);
    set("SH", sh);
    set("RUN", &orders.run);
    set("BY", by);
    set("BY_JSON", &by.replace('\\', r"\\").replace('"', r#"\""#));
    set("AT", one_line("the time of the run", &orders.at)?);
    set("FAULT", fault);
    set("EXPECTS", &expects(orders)?);
    set("ADOPTS", &adopts(orders)?);
    set("RENAMES", &renames(orders)?);
    set("FILES", &files(orders, data)?);
    set("UNVERIFIED", if orders.allow_unverified { "1" } else { "" });
    set(
        "DELETES",
        &lines(&orders.deletes, |(path, suffix)| {
            format!("{path} {}", suffix.unwrap_or("-"))
        }),
    );
    let (opening, not_opening) = catalogue::tables::opening_patterns();
    set("OPENING", &opening);
    set("NOT_OPENING", &not_opening);
    let ledger = ledger(&orders.ledger, data);
    set("LEDGER", ledger.word);
    set("PATHS_BYTES", &ledger.paths);
    let references = orders.references.as_ref().map(|references| {
        let digest = references.digest().unwrap_or_default();
        data.add(format!("={digest}\n{}", references.kept_lines()).as_bytes())
    });
    set("REFERENCES", &references.unwrap_or_default());
    set("OPENS", &orders.opens.kept_lines());
    set("LEDGER_BYTES", &ledger.bytes);
    set("HISTORY", &history(orders.history.as_ref(), data));
    set("ASK_BASH", ASK_BASH);
    set("ASK_PERL", ASK_PERL);
    set("ASK_NC", ASK_NC);
    set("WAKE_PERL", WAKE_PERL);
    set("WORDS_AWK", &WORDS_AWK);
    text.push_str(&service_orders::assignments(orders)?);
    Ok(text)
}

fn expects(orders: &Orders) -> Result<String, Failure> {
    let expects = &orders.expects;
    let configuration = expects.configuration();
    let configuration = configuration.map(|(path, hash)| (Cow::Owned(path), Some(hash)));
    let ledger = (
        Cow::Borrowed(super::paths::LEDGER),
        expects.ledger.as_deref(),
    );
    let files = expects
        .files
        .iter()
        .map(|(path, hash)| (Cow::Borrowed(path.as_str()), hash.as_deref()));
    let mut text = String::new();
    for (path, hash) in configuration.chain([ledger]).chain(files) {
        let hash = match hash {
            None => "-",
            Some(hash) if is_hash(hash) => hash,
            Some(hash) => return Err(unsayable(&path, hash)),
        };
        let _ = writeln!(text, "{hash} {path}");
    }
    Ok(text)
}

/// Whether a text from a ledger can be a name in `adopted/`.
fn is_kept_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=100).contains(&text.len()) && text.chars().all(is_part)
}

fn adopts(orders: &Orders) -> Result<String, Failure> {
    let mut text = String::new();
    for order in &orders.adopts {
        if !is_kept_name(&order.kept) {
            return Err(unsayable(order.path.as_str(), &order.kept));
        }
        let _ = writeln!(text, "{} {}", order.path, order.kept);
    }
    Ok(text)
}

fn renames(orders: &Orders) -> Result<String, Failure> {
    let mut text = String::new();
    for (old, new) in &orders.renames {
        for name in [old, new] {
            if !is_kept_name(name) {
                return Err(unsayable(super::paths::LEDGER, name));
            }
        }
        let _ = writeln!(text, "{old} {new}");
    }
    Ok(text)
}

fn files(orders: &Orders, data: &mut Data) -> Result<String, Failure> {
    let mut text = String::new();
    for file in &orders.files {
        let place = data.add(&file.bytes);
        let hash = sha256(&file.bytes);
        let _ = writeln!(
            text,
            "{} {place} {hash} {} {} {}",
            file.path, file.owner, file.group, file.mode
        );
    }
    for restore in &orders.restores {
        let name = |name: &String| {
            UserName::new(name.clone()).map_err(|_| unsayable(restore.path.as_str(), name))
        };
        if !is_kept_name(&restore.kept) {
            return Err(unsayable(restore.path.as_str(), &restore.kept));
        }
        let _ = writeln!(
            text,
            "{} adopted {} {} {} {}",
            restore.path,
            restore.kept,
            name(&restore.owner)?,
            name(&restore.group)?,
            restore.mode
        );
    }
    Ok(text)
}

/// The variables about the ledger.
#[derive(Default)]
struct LedgerWords {
    word: &'static str,
    /// Where the paths of the managed files stand in the payload, and their hash: observation
    /// reads them before it can read JSON.
    paths: String,
    /// Where the ledger stands in the payload, and its hash.
    bytes: String,
}

fn ledger(order: &LedgerOrder, data: &mut Data) -> LedgerWords {
    let only = |word| LedgerWords {
        word,
        ..LedgerWords::default()
    };
    let bytes = match order {
        LedgerOrder::Keep => return only("keep"),
        LedgerOrder::Remove => return only("remove"),
        LedgerOrder::WriteKeyed(bytes) => bytes,
    };
    let mut paths = String::new();
    if let Ok(ledger) = Ledger::from_bytes(bytes) {
        for path in ledger.files() {
            let _ = writeln!(paths, "{path}");
        }
    }
    let mut record = |bytes: &[u8]| format!("{} {}", data.add(bytes), sha256(bytes));
    LedgerWords {
        word: "write",
        paths: record(paths.as_bytes()),
        bytes: record(bytes),
    }
}

fn history(order: Option<&HistoryOrder>, data: &mut Data) -> String {
    let Some(order) = order else {
        return String::new();
    };
    format!(
        "{} {} {} {} {}",
        order.generation,
        order.keep,
        order.keep_bytes,
        data.add(&order.bytes),
        sha256(&order.bytes)
    )
}

fn one_line<'a>(what: &str, text: &'a str) -> Result<&'a str, Failure> {
    match text.chars().any(char::is_control) {
        true => Err(unsayable(what, text)),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_loader_has_nothing_special_for_csh_and_fish() {
        let line = loader("r1", "0123456789abcdef", "busybox sh", "00");
        let inner = line
            .strip_prefix("sh -c '")
            .and_then(|rest| rest.strip_suffix('\''))
            .unwrap();
        assert!(!inner.contains(['\'', '\\', '!', '\n', '`']));
        assert!(line.len() < 2000);
    }
}
