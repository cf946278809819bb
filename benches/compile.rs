//! The pure core, phase by phase: parse, resolve, compile, diff, for a hundred and a thousand hosts.
//!
//! `cargo bench --bench compile` (criterion: it keeps the last run, and says what became faster or
//! slower since). What a whole process takes stands in the benchmark `offline`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

// Manifests of any size.
mod large;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use murder::compile::Compiler;
use murder::diagnostic::Sources;
use murder::load::{self, Loaded};
use murder::machine::Observe as _;
use murder::machine::sandbox::Sandbox;
use murder::manifest::{self, Text};
use murder::model;
use murder::name::HostName;
use murder::plan::{DiffInput, Verdict, diff, questions};
use murder::secret::Secrets;
use murder::state::{Desired, Live};

/// A manifest, and what each phase makes of it.
struct Phases {
    hosts: usize,
    text: String,
    loaded: Loaded,
    room: tempfile::TempDir,
}

impl Phases {
    fn new(hosts: usize) -> Self {
        let room = tempfile::tempdir().unwrap();
        let text = large::manifest(hosts);
        std::fs::write(room.path().join("murder.yaml"), &text).unwrap();
        let loaded = load::load(&room.path().join("murder.yaml"), &[]);
        assert!(loaded.murder.is_some(), "{:?}", loaded.diagnostics);
        Self {
            hosts,
            text,
            loaded,
            room,
        }
    }

    fn parse(&self) -> manifest::Manifest {
        let mut sources = Sources::default();
        let source = sources.add("murder.yaml", self.text.as_str());
        let text = &self.text;
        let parsed = manifest::parse(&[Text { source, text }], &[]);
        parsed.manifest.unwrap()
    }

    fn compile(&self) -> BTreeMap<HostName, Desired> {
        let murder = self.loaded.murder.as_ref().unwrap();
        let compiler = Compiler::new(murder, &self.loaded.modules).unwrap();
        let one = |(name, host): (&HostName, &model::Host)| {
            let compiled = compiler.compile(name, &host.facts).unwrap();
            (name.clone(), compiled.desired)
        };
        murder.hosts.iter().map(one).collect()
    }

    /// What the sandboxes below the folder have.
    fn observe(&self, folder: &Path, desired: &BTreeMap<HostName, Desired>) -> Vec<Live> {
        let hosts = &self.loaded.murder.as_ref().unwrap().hosts;
        let one = |(name, desired): (&HostName, &Desired)| {
            let questions = questions(desired, &Secrets::default(), None).unwrap();
            let mut sandbox = Sandbox::new(
                folder,
                name,
                hosts[name].facts.clone(),
                std::sync::Arc::default(),
            );
            sandbox.observe(&questions).unwrap().live
        };
        desired.iter().map(one).collect()
    }
}

/// The differences of all hosts; how many of them have changes.
fn differences(desired: &BTreeMap<HostName, Desired>, live: &[Live]) -> usize {
    let secrets = Secrets::default();
    let differs = |(desired, live): &(&Desired, &Live)| {
        let verdict = diff(DiffInput {
            known: None,
            murder: "bench",
            desired,
            live,
            secrets: &secrets,
            hosts: &[],
            keep: murder::history::KEPT,
            rollback: None,
        });
        matches!(verdict.verdict, Verdict::Changes(_))
    };
    desired.values().zip(live).filter(differs).count()
}

fn phases(criterion: &mut Criterion) {
    for hosts in [100, 1_000] {
        let phases = Phases::new(hosts);
        let mut group = criterion.benchmark_group("hosts");
        group.throughput(Throughput::Elements(hosts as u64));
        group.bench_function(BenchmarkId::new("parse", hosts), |bencher| {
            bencher.iter(|| black_box(phases.parse()));
        });
        // The files are read and parsed as well; the difference to `parse` is `resolve`.
        let file = phases.room.path().join("murder.yaml");
        group.bench_function(BenchmarkId::new("load", hosts), |bencher| {
            bencher.iter(|| black_box(load::load(&file, &[])));
        });
        group.bench_function(BenchmarkId::new("compile", hosts), |bencher| {
            bencher.iter(|| black_box(phases.compile()));
        });
        let desired = phases.compile();
        let sandbox = phases.room.path().join("sandbox");
        let fresh = phases.observe(&sandbox, &desired);
        assert_eq!(differences(&desired, &fresh), phases.hosts);
        group.bench_function(BenchmarkId::new("diff, all new", hosts), |bencher| {
            bencher.iter(|| differences(&desired, black_box(&fresh)));
        });
        let applied = Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(["apply", "--yes", "--sandbox"])
            .args([&sandbox, &file])
            .output()
            .unwrap();
        assert!(applied.status.success(), "{applied:?}");
        let converged = phases.observe(&sandbox, &desired);
        assert_eq!(differences(&desired, &converged), 0);
        group.bench_function(BenchmarkId::new("diff, converged", hosts), |bencher| {
            bencher.iter(|| differences(&desired, black_box(&converged)));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = phases
}
criterion_main!(benches);
