//! The answer to an observation, read with suspicion: it may hold any byte.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{Frame, sha256};
use super::reach;
use super::words::{excerpt, failure, wrong_answer};
use crate::ledger::{Journal, LEDGER_VERSION, Ledger};
use crate::machine::{KnownFacts, MachineError, Observed, Questions};
use crate::name::{Mode, RemotePath, TableType};
use crate::postfix::{MainCf, MasterCf};
use crate::state::{Facts, Live, LiveFile, LiveState, Remark, Running};
use crate::thing::Thing;

/// Where the ledger lies on a host.
pub(super) const LEDGER: &str = "/var/lib/murder/ledger.json";
const JOURNAL: &str = "/var/lib/murder/journal.json";
const LAST: &str = "/var/lib/murder/last";

/// What stat(1) says of one path, the link followed.
#[derive(Debug, Clone)]
pub(super) struct Stat {
    /// `st_mode`, whole.
    pub mode: u32,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    size: u64,
    mtime: i64,
}

impl Stat {
    /// The type bits of `st_mode` (inode(7)) as a word; none for a regular file.
    fn other(&self) -> Option<&'static str> {
        match self.mode & 0o170_000 {
            0o100_000 => None,
            0o040_000 => Some("a directory"),
            0o140_000 => Some("a socket"),
            0o010_000 => Some("a FIFO"),
            0o020_000 | 0o060_000 => Some("a device"),
            _ => Some("no regular file"),
        }
    }
}

/// The head of an answer, section by section.
#[derive(Debug, Default)]
struct Head<'a> {
    words: BTreeMap<&'a str, &'a str>,
    texts: BTreeMap<&'static str, Vec<u8>>,
    hashes: BTreeMap<&'a str, &'a str>,
    stats: BTreeMap<String, Stat>,
    links: BTreeMap<&'a str, &'a str>,
    types: BTreeSet<String>,
    defaults: Vec<&'a str>,
    postfix: &'a str,
}

/// The texts that grep(1) brings, by the name that it puts before each line.
const TEXTS: [&str; 5] = ["main.cf", "master.cf", LEDGER, JOURNAL, LAST];

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut section = "";
        for line in bytes.split(|byte| *byte == b'\n') {
            // No line of a text, hash, stat or link begins like this: they begin with a path or a number.
            if let Some(title) = line.strip_prefix(b"=") {
                let title = std::str::from_utf8(title).unwrap_or_default();
                let (word, value) = title.split_once(' ').unwrap_or((title, ""));
                section = word;
                head.words.insert(word, value.trim());
            } else if section == "texts" {
                head.text(line);
            } else if let Ok(line) = std::str::from_utf8(line) {
                head.line(section, line);
            }
        }
        head
    }

    fn text(&mut self, line: &[u8]) {
        for name in TEXTS {
            if let Some(rest) = line
                .strip_prefix(name.as_bytes())
                .and_then(|rest| rest.strip_prefix(b":"))
            {
                let text = self.texts.entry(name).or_default();
                text.extend_from_slice(rest);
                text.push(b'\n');
                return;
            }
        }
    }

    fn line(&mut self, section: &str, line: &'a str) {
        match section {
            "hashes" => {
                if let Some((hash, path)) = line.split_once("  ") {
                    self.hashes.insert(path, hash);
                }
            }
            "stats" => self.stat(line),
            "links" => {
                if let Some((path, target)) = line.split_once(' ') {
                    self.links.insert(path, target);
                }
            }
            "types" if TableType::new(line.trim()).is_ok() => {
                self.types.insert(line.trim().to_owned());
            }
            "defaults" => self.defaults.push(line),
            "postfix" if line.starts_with("uid=") => self.postfix = line,
            _ => {}
        }
    }

    fn stat(&mut self, line: &str) {
        let mut parts = line.splitn(6, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (mode, owner, group) = (next(), next(), next());
        let (size, mtime, path) = (next(), next(), next());
        let (Ok(mode), Ok(size), Ok(mtime)) =
            (u32::from_str_radix(mode, 16), size.parse(), mtime.parse())
        else {
            return;
        };
        let stat = Stat {
            mode,
            owner: owner.to_owned(),
            group: group.to_owned(),
            size,
            mtime,
        };
        self.stats.insert(path.to_owned(), stat);
    }
}

/// Understands a whole answer.
pub(super) fn understand(
    frame: &Frame<'_>,
    questions: &Questions,
) -> Result<Observed, MachineError> {
    let head = Head::read(frame.head);
    refuse_unfit(&head)?;
    let (Some(main_sha256), Some(master_sha256)) = (
        head.hashes.get("/etc/postfix/main.cf"),
        head.hashes.get("/etc/postfix/master.cf"),
    ) else {
        return Err(failure(
            "/etc/postfix/main.cf and master.cf could not both be read",
            None,
            "look at them on the host; a reinstalled `postfix` package brings them back",
        ));
    };
    let text = |name| head.texts.get(name).map_or(&[][..], Vec::as_slice);
    let ledger = ledger(&head)?;
    let main_cf = MainCf::parse(text("main.cf"));
    let facts = facts(&head, questions, &main_cf)?;
    let texts = streamed(&head, frame.body)?;

    let mut paths: BTreeSet<RemotePath> = questions.files.keys().cloned().collect();
    if let Some(ledger) = &ledger {
        paths.extend(ledger.managed.keys().filter_map(|thing| match thing {
            Thing::File(path) => Some(path.clone()),
            _ => None,
        }));
    }
    let mut files = BTreeMap::new();
    for path in paths {
        let file = live_file(&head, &path, texts.get(path.as_str()))?;
        files.insert(path, file);
    }
    let indexes = questions
        .indexes
        .iter()
        .map(|path| (path.clone(), live_index(&head, path)))
        .collect();

    let held = head.words.get("lock") == Some(&"held");
    let journal: Option<Journal> = serde_json::from_slice(text(JOURNAL)).ok();
    let mut remarks = reach::remarks(&questions.sockets, &head.stats, head.postfix);
    remarks.extend(earlier(text(LAST)));
    if let (true, Some(journal)) = (held, &journal) {
        remarks.push(Remark {
            text: format!(
                "an apply by {} is at work since {} (run {})",
                journal.by, journal.at, journal.run
            ),
            hint: Some("plan again when it is done".to_owned()),
        });
    }
    let identity = head.words.get("identity").copied().unwrap_or_default();
    let live = Live {
        main_cf,
        master_cf: MasterCf::parse(text("master.cf")),
        main_cf_sha256: (*main_sha256).to_owned(),
        master_cf_sha256: (*master_sha256).to_owned(),
        files,
        indexes,
        running: match head.words.get("running") {
            Some(&"yes") => Running::Yes,
            _ => Running::No,
        },
        ledger,
        ledger_sha256: head.hashes.get(LEDGER).map(|hash| (*hash).to_owned()),
        // A journal whose writer lives is no apply that did not end.
        journal: journal.filter(|_| !held),
        pending: None,
        lock: None,
        remarks,
        facts: facts.clone(),
    };
    Ok(Observed {
        live,
        known: Some(KnownFacts {
            identity: identity.to_owned(),
            facts,
        }),
        entries: Vec::new(),
        generation: None,
    })
}

fn refuse_unfit(head: &Head<'_>) -> Result<(), MachineError> {
    if let Some(tools) = head.words.get("missing") {
        return Err(missing_tools(tools));
    }
    if head.words.contains_key("unprivileged") {
        return Err(failure(
            "the login is not root there",
            None,
            "set `ssh: {user: root}` or `ssh: {become: {method: sudo}}` for this host",
        ));
    }
    if head.words.contains_key("no-postfix") {
        return Err(failure(
            "Postfix is not installed: there is no `postconf` or no /etc/postfix/main.cf",
            None,
            "install the packages `postfix` and `postfix-ldap` there, and run again",
        ));
    }
    Ok(())
}

/// The error for programs that a host lacks, with the packages that have them.
pub(super) fn missing_tools(tools: &str) -> MachineError {
    let packages: BTreeSet<&str> = tools
        .split_whitespace()
        .map(|tool| match tool {
            "flock" | "setsid" => "util-linux",
            "grep" => "grep",
            _ => "coreutils",
        })
        .collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    failure(
        format!("programs are missing there: {tools}"),
        None,
        format!("install the package {} there", packages.join(" and ")),
    )
}

fn ledger(head: &Head<'_>) -> Result<Option<Ledger>, MachineError> {
    let Some(text) = head.texts.get(LEDGER) else {
        // An empty file is there and yet no line of it came.
        return match head.hashes.contains_key(LEDGER) {
            true => Err(bad_ledger("it is empty")),
            false => Ok(None),
        };
    };
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice::<Version>(text) {
        Ok(Version { version }) if version != LEDGER_VERSION => Err(failure(
            format!(
                "its ledger {LEDGER} has version {version}, and this program reads version {LEDGER_VERSION}"
            ),
            None,
            "use the `murder` that wrote it, or a newer one",
        )),
        _ => serde_json::from_slice(text)
            .map(Some)
            .map_err(|error| bad_ledger(&error.to_string())),
    }
}

fn bad_ledger(why: &str) -> MachineError {
    failure(
        format!("its ledger {LEDGER} cannot be understood: {why}"),
        None,
        "look at it on the host; moving it away makes the next plan a first contact",
    )
}

fn facts(head: &Head<'_>, questions: &Questions, main_cf: &MainCf) -> Result<Facts, MachineError> {
    let index_type = |types: &_, default: &_| Facts::index_type_of(main_cf, types, default);
    let Some(distribution) = head.words.get("distribution") else {
        let identity = head.words.get("identity").copied().unwrap_or_default();
        return match &questions.known {
            Some(known) if known.identity == identity => {
                let mut facts = known.facts.clone();
                facts.index_type = index_type(&facts.table_types, &facts.default_database_type);
                Ok(facts)
            }
            _ => Err(wrong_answer("it says nothing of its Postfix", &[])),
        };
    };
    let mut parameters = BTreeSet::new();
    let (mut version, mut database) = (None, None);
    for line in &head.defaults {
        let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
        match name {
            "mail_version" => version = Some(value.to_owned()),
            "default_database_type" => database = TableType::new(value).ok(),
            _ => {}
        }
        parameters.insert(name.to_owned());
    }
    let (Some(postfix_version), Some(default_database_type)) = (version, database) else {
        return Err(failure(
            "`postconf -d` there does not name `mail_version` and `default_database_type`",
            None,
            "run `postconf -d` on the host: Postfix may be damaged",
        ));
    };
    let distribution = distribution.trim_matches(['"', '\'']).to_owned();
    let lmtp_socket = RemotePath::new(lmtp_socket(&distribution))
        .map_err(|error| wrong_answer(&error.to_string(), &[]))?;
    Ok(Facts {
        postfix_version,
        index_type: index_type(&head.types, &default_database_type),
        table_types: head.types.clone(),
        default_database_type,
        distribution,
        lmtp_socket,
        parameters,
    })
}

/// Where a distribution's Cyrus packages put lmtpd's socket.
fn lmtp_socket(distribution: &str) -> &'static str {
    match distribution {
        "rhel"
        | "centos"
        | "fedora"
        | "rocky"
        | "almalinux"
        | "ol"
        | "amzn"
        | "opensuse"
        | "opensuse-leap"
        | "opensuse-tumbleweed"
        | "sles" => "/var/lib/imap/socket/lmtp",
        _ => "/run/cyrus/socket/lmtp",
    }
}

/// Cuts the streamed bytes into the files that the head names, each proved by its hash.
fn streamed<'a>(
    head: &Head<'a>,
    mut body: &[u8],
) -> Result<BTreeMap<&'a str, String>, MachineError> {
    let mut texts = BTreeMap::new();
    let names = head.words.get("stream").copied().unwrap_or_default();
    for path in names.split_whitespace() {
        let size = head.stats.get(path).map_or(0, |stat| stat.size);
        let cut = usize::try_from(size)
            .ok()
            .filter(|size| *size <= body.len());
        let Some((text, rest)) = cut.map(|size| body.split_at(size)) else {
            return Err(moved(path));
        };
        if head.hashes.get(path) != Some(&sha256(text).as_str()) {
            return Err(moved(path));
        }
        texts.insert(path, String::from_utf8_lossy(text).into_owned());
        body = rest;
    }
    Ok(texts)
}

fn moved(path: &str) -> MachineError {
    failure(
        format!("{path} changed while it was read"),
        None,
        "run again; if it happens again, something on the host rewrites it all the time",
    )
}

fn live_file(
    head: &Head<'_>,
    path: &RemotePath,
    text: Option<&String>,
) -> Result<LiveFile, MachineError> {
    let link = head.links.get(path.as_str());
    let Some(stat) = head.stats.get(path.as_str()) else {
        return Ok(match link {
            Some(_) => LiveFile::Other("a symbolic link that leads nowhere".to_owned()),
            None => LiveFile::Absent,
        });
    };
    if let Some(other) = stat.other() {
        return Ok(LiveFile::Other(other.to_owned()));
    }
    let Some(hash) = head.hashes.get(path.as_str()) else {
        return Err(moved(path.as_str()));
    };
    Ok(LiveFile::Present(LiveState {
        sha256: (*hash).to_owned(),
        link: link.map(|target| (*target).to_owned()),
        text: text.cloned(),
        ..state(stat)
    }))
}

/// An index is judged by its age alone; its bytes are the table's, in another form.
fn live_index(head: &Head<'_>, path: &RemotePath) -> LiveFile {
    match head.stats.get(path.as_str()) {
        None => LiveFile::Absent,
        Some(stat) => match stat.other() {
            Some(other) => LiveFile::Other(other.to_owned()),
            None => LiveFile::Present(state(stat)),
        },
    }
}

fn state(stat: &Stat) -> LiveState {
    LiveState {
        sha256: String::new(),
        owner: stat.owner.clone(),
        group: stat.group.clone(),
        mode: Mode::from_bits(stat.mode),
        size: stat.size,
        mtime: stat.mtime,
        link: None,
        text: None,
    }
}

/// What became of an apply whose client went away before it could be told.
fn earlier(text: &[u8]) -> Option<Remark> {
    if text.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(text);
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|rest| excerpt(rest.trim().as_bytes()))
            .unwrap_or_default()
    };
    let summary = field("summary ");
    let ending = match field("ending ").as_str() {
        "done" => "was finished".to_owned(),
        "putback" => format!("failed and was put back ({summary})"),
        "halfway" => format!("was left half-way ({summary})"),
        _ => format!("changed nothing ({summary})"),
    };
    Some(Remark {
        text: format!(
            "the apply by {} at {}, whose connection was lost, {ending}",
            field("by "),
            field("at "),
        ),
        hint: None,
    })
}
