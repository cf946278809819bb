//! What `drift` found, as metrics for Prometheus' node_exporter (textfile collector): the text exposition format, without
//! time stamps.
//!
//! Each series has the label `murder`, so that several manifests can write into one folder. A series that is 0 is written too,
//! so that an alert can tell 0 from nothing. What is not known is left out, or keeps the value of the file before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::drift::DriftReport;
use crate::calendar::moment;
use crate::name::HostName;
use crate::plan::{Cause, Condition, HostVerdict, Step, Verdict};
use crate::service::Service;
use crate::thing::Thing;

/// What is known of a run beside its report.
#[derive(Debug, Clone, Default)]
pub struct RunMetrics<'a> {
    /// The git commit of the manifest, with `-dirty` where files were not committed. Empty where it is not known.
    pub revision: &'a str,
    /// When the run ended, in seconds since the epoch.
    pub ended: u64,
    /// How long each phase took, in seconds.
    pub phases: Vec<(&'static str, f64)>,
    /// The metrics of the run before; empty if there are none.
    pub before: &'a str,
}

/// The kinds of things that change.
const KINDS: [&str; 4] = ["file", "index", "parameter", "service"];

/// The causes of a change.
const CAUSES: [&str; 3] = ["held", "host", "manifest"];

/// Labels of one sample.
type Labels<'a> = Vec<(&'static str, &'a str)>;

/// Metrics in the making.
struct Exposition<'a> {
    text: String,
    murder: &'a str,
}

/// The metrics of a run.
#[must_use]
pub fn write(report: &DriftReport<'_>, run: &RunMetrics<'_>) -> String {
    let mut out = Exposition {
        text: String::new(),
        murder: &report.plan.murder,
    };
    out.constants(run);
    out.hosts(report);
    out.changes(report);
    out.observed(report, run);
    out.running(report);
    out.maintenance(report);
    out.times(report, run);
    out.text
}

impl Exposition<'_> {
    /// HELP and TYPE of a metric.
    fn metric(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    /// One sample.
    fn sample(&mut self, name: &str, labels: &Labels<'_>, value: impl std::fmt::Display) {
        let line = line(name, self.murder, labels);
        let _ = writeln!(self.text, "{line} {value}");
    }

    fn constants(&mut self, run: &RunMetrics<'_>) {
        let name = "murder_build_info";
        self.metric(name, "The version of murder that wrote these metrics.");
        self.sample(name, &vec![("version", env!("CARGO_PKG_VERSION"))], 1);
        let name = "murder_manifest_info";
        self.metric(
            name,
            "The git commit of the manifest, and whether it had changes that were not committed.",
        );
        let commit = run.revision.strip_suffix("-dirty");
        let dirty = if commit.is_some() { "true" } else { "false" };
        let labels = vec![
            ("revision", commit.unwrap_or(run.revision)),
            ("dirty", dirty),
        ];
        self.sample(name, &labels, 1);
    }

    fn hosts(&mut self, report: &DriftReport<'_>) {
        let name = "murder_hosts";
        self.metric(name, "Hosts by verdict.");
        for condition in Condition::ALL {
            let labels = vec![("verdict", condition.word())];
            self.sample(name, &labels, report.plan.count(condition));
        }
        let orphans = report.plan.orphans().len();
        self.sample(name, &vec![("verdict", "orphaned")], orphans);
    }

    fn changes(&mut self, report: &DriftReport<'_>) {
        let name = "murder_host_changes";
        self.metric(
            name,
            "Things that differ on a host, by what changed: the manifest or the host.",
        );
        for (host, verdict) in &report.plan.hosts {
            if !is_seen(verdict) {
                continue;
            }
            let counts = counts(verdict);
            for kind in KINDS {
                for cause in CAUSES {
                    let labels = vec![("host", host.as_str()), ("kind", kind), ("cause", cause)];
                    self.sample(name, &labels, counts.get(&(kind, cause)).unwrap_or(&0));
                }
            }
        }
    }

    fn observed(&mut self, report: &DriftReport<'_>, run: &RunMetrics<'_>) {
        let hosts = &report.plan.hosts;
        let note = |host: &HostName| report.notes.get(host);
        let time = "murder_host_last_observed_timestamp_seconds";
        self.metric(
            time,
            "When a host was last observed; 0 if that is not known.",
        );
        for host in hosts.keys() {
            let labels = vec![("host", host.as_str())];
            let before = || kept(run.before, &line(time, self.murder, &labels));
            let at = note(host).map_or_else(before, |note| note.observed);
            self.sample(time, &labels, at);
        }
        let generation = "murder_host_generation";
        self.metric(
            generation,
            "The generation of a host; 0 before its first apply.",
        );
        for host in hosts.keys() {
            let labels = vec![("host", host.as_str())];
            let before = || kept(run.before, &line(generation, self.murder, &labels));
            let number = note(host).map_or_else(before, |note| note.generation.unwrap_or(0));
            self.sample(generation, &labels, number);
        }
        let reachable = "murder_host_reachable";
        self.metric(
            reachable,
            "Whether a host could be reached; absent where it is in maintenance.",
        );
        let contacted = |verdict: &HostVerdict| !matches!(verdict.verdict, Verdict::Maintenance(_));
        for (host, verdict) in hosts.iter().filter(|(_, verdict)| contacted(verdict)) {
            let answers = !matches!(verdict.verdict, Verdict::Unreachable { .. });
            let labels = vec![("host", host.as_str())];
            self.sample(reachable, &labels, u8::from(answers));
        }
    }

    fn running(&mut self, report: &DriftReport<'_>) {
        let name = "murder_postfix_up";
        self.metric(
            name,
            "Whether an instance of Postfix runs; absent where it was not seen.",
        );
        for (host, notes) in report.notes {
            for (Service::Postfix(_), service, runs) in notes
                .running
                .iter()
                .map(|(service, runs)| (service, service.to_string(), runs))
            {
                let labels = vec![("host", host.as_str()), ("postfix_instance", &*service)];
                self.sample(name, &labels, u8::from(*runs));
            }
        }
    }

    fn maintenance(&mut self, report: &DriftReport<'_>) {
        let name = "murder_host_maintenance_until_timestamp_seconds";
        let help = "When the maintenance of a host is due to end; absent where it is in none.";
        self.metric(name, help);
        for (host, verdict) in &report.plan.hosts {
            if let Verdict::Maintenance(one) = &verdict.verdict {
                let labels = vec![("host", host.as_str())];
                self.sample(name, &labels, moment(&one.until).unwrap_or(0));
            }
        }
    }

    fn times(&mut self, report: &DriftReport<'_>, run: &RunMetrics<'_>) {
        let name = "murder_run_duration_seconds";
        self.metric(name, "How long each phase of the last run took.");
        for (phase, seconds) in &run.phases {
            self.sample(name, &vec![("phase", *phase)], format!("{seconds:.3}"));
        }
        let name = "murder_last_run_timestamp_seconds";
        self.metric(name, "When drift last ran.");
        self.sample(name, &Vec::new(), run.ended);
        let name = "murder_last_success_timestamp_seconds";
        self.metric(
            name,
            "When drift last got an answer of every host that is not in maintenance; 0 if that is not known.",
        );
        let whole =
            |host: &HostVerdict| is_seen(host) || matches!(host.verdict, Verdict::Maintenance(_));
        let whole = report.plan.hosts.values().all(whole);
        let before = || kept(run.before, &line(name, self.murder, &Vec::new()));
        let at = if whole { run.ended } else { before() };
        self.sample(name, &Vec::new(), at);
    }
}

/// Whether a host was observed and compared.
fn is_seen(host: &HostVerdict) -> bool {
    matches!(host.verdict, Verdict::Converged | Verdict::Changes(_))
}

/// How many things differ, by kind and cause.
fn counts(host: &HostVerdict) -> BTreeMap<(&'static str, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for held in host.held.iter().filter(|held| held.differs) {
        *counts.entry((kind(&held.thing), "held")).or_insert(0) += 1;
    }
    let Verdict::Changes(plan) = &host.verdict else {
        return counts;
    };
    let drifted = plan.is_drifted();
    let mut things: BTreeSet<String> = BTreeSet::new();
    for step in &plan.steps {
        let by = |cause: Cause| {
            if cause == Cause::Drift {
                "host"
            } else {
                "manifest"
            }
        };
        let (kind, cause, thing) = match step {
            Step::File { path, cause, .. } | Step::Delete { path, cause, .. } => {
                ("file", by(*cause), path.to_string())
            }
            Step::Value { thing, cause, .. } => (kind(thing), by(*cause), thing.to_string()),
            Step::Index { source, reason, .. }
                if *reason != crate::plan::IndexReason::SourceChanges =>
            {
                let cause = if drifted { "host" } else { "manifest" };
                ("index", cause, format!("index of {source}"))
            }
            _ => continue,
        };
        if things.insert(thing) {
            *counts.entry((kind, cause)).or_insert(0) += 1;
        }
    }
    counts
}

fn kind(thing: &Thing) -> &'static str {
    match thing {
        Thing::File(_) => "file",
        Thing::Parameter(_) => "parameter",
        Thing::Service(_) | Thing::Field(..) | Thing::Option(..) => "service",
    }
}

/// `name{murder="…",host="…"}`.
fn line(name: &str, murder: &str, labels: &Labels<'_>) -> String {
    let mut text = format!("{name}{{murder=\"{}\"", escaped(murder));
    for (label, value) in labels {
        let _ = write!(text, ",{label}=\"{}\"", escaped(value));
    }
    text.push('}');
    text
}

/// The value of a label, as the format wants it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// The value of a sample in the metrics of the run before; 0 if there is none.
fn kept(before: &str, line: &str) -> u64 {
    let mut lines = before.lines();
    let value = lines.find_map(|one| one.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or(0)
}
