//! Sixteen hosts: the floor, the program and its peers take turns, round by round.

use std::process::Command;

use crate::hosts::{Lab, names};
use crate::peers::{Peer, Tool};
use crate::run::{Cost, head, median, ratio, row, run};
use crate::{Options, floor};

/// Pieces of work and what they cost, in the order of the table.
struct Turns {
    rows: Vec<(String, Vec<Cost>)>,
    /// The first round warms up and does not count.
    counts: bool,
}

impl Turns {
    fn turn(&mut self, work: &str, command: &mut Command) {
        let (cost, _) = run(command, &[0]);
        let place = self.rows.iter().position(|(name, _)| name == work);
        let place = place.unwrap_or_else(|| {
            self.rows.push((work.to_owned(), Vec::new()));
            self.rows.len() - 1
        });
        if self.counts {
            self.rows[place].1.push(cost);
        }
    }

    fn cost(&self, work: &str) -> Option<Cost> {
        let (_, costs) = self.rows.iter().find(|(name, _)| name == work)?;
        Some(median(costs))
    }
}

/// Boots hosts for the program and others for the peers, and measures.
pub fn measure(lab: &Lab, options: &Options) {
    let ours = names('b', options.hosts);
    lab.up(&ours);
    let tools: Vec<Tool> = options.with.iter().map(|name| Tool::named(name)).collect();
    let theirs = if tools.is_empty() {
        Vec::new()
    } else {
        names('p', options.hosts)
    };
    lab.up(&theirs);
    let mut peer = (!tools.is_empty()).then(|| Peer::install(lab, &tools, &theirs));
    if let Some(peer) = &mut peer {
        println!("{}", peer.versions());
        run(&mut peer.apply(tools[0]), &[0]);
    }
    lab.with_role("fleet.yaml", "seed", &ours);
    run(&mut lab.apply("fleet.yaml"), &[0]);

    let key = lab.file("id_ed25519");
    let sockets = lab.sockets(&ours);
    let mut turns = Turns {
        rows: Vec::new(),
        counts: false,
    };
    let parallel = options.hosts.to_string();
    let at_once = ["--parallel", parallel.as_str()];
    for _ in 0..=options.rounds {
        // Nothing to change: exit code 2 would say that something is.
        turns.turn(
            "floor: handshakes with `true`",
            &mut floor::command(&key, "true", &sockets),
        );
        let plan = [&at_once[..], &["--detailed-exitcode"]].concat();
        turns.turn(
            "murder plan, converged",
            &mut lab.murder("plan", "fleet.yaml", &plan),
        );
        for tool in &tools {
            let work = format!("{}, converged", tool.dry());
            turns.turn(&work, &mut peer.as_ref().unwrap().dry_run(*tool));
        }
        lab.spoil(&ours);
        turns.turn(
            "murder plan, everything differs",
            &mut lab.murder("plan", "fleet.yaml", &at_once),
        );
        let mut apply = lab.apply("fleet.yaml");
        apply.args(at_once);
        turns.turn("murder apply, everything differs", &mut apply);
        for tool in &tools {
            lab.spoil_peer(&theirs);
            let work = format!("{} apply, everything differs", tool.name());
            turns.turn(&work, &mut peer.as_ref().unwrap().apply(*tool));
        }
        turns.counts = true;
    }
    tell(&turns, &tools, options.hosts);
}

fn tell(turns: &Turns, tools: &[Tool], hosts: usize) {
    head();
    for (work, costs) in &turns.rows {
        row(&format!("{work} ({hosts} hosts)"), median(costs));
    }
    let cost = |work: &str| turns.cost(work).unwrap();
    let floor = cost("floor: handshakes with `true`");
    let plan = cost("murder plan, converged");
    let differs = cost("murder plan, everything differs");
    let apply = cost("murder apply, everything differs");
    ratio(
        "plan, converged ÷ floor",
        plan.time,
        floor.time,
        "at most 1.4",
    );
    ratio(
        "client CPU of that ÷ the floor's",
        plan.cpu,
        floor.cpu,
        "at most 1.3",
    );
    ratio(
        "plan, everything differs ÷ floor",
        differs.time,
        floor.time,
        "at most 1.7",
    );
    for tool in tools {
        let dry = cost(&format!("{}, converged", tool.dry()));
        let applied = cost(&format!("{} apply, everything differs", tool.name()));
        let (must_plan, must_apply) = tool.musts();
        if must_plan.starts_with("at most") {
            ratio(
                &format!("plan ÷ {}", tool.dry()),
                plan.time,
                dry.time,
                must_plan,
            );
            ratio(
                &format!("apply ÷ {} apply", tool.name()),
                apply.time,
                applied.time,
                must_apply,
            );
        } else {
            ratio(
                &format!("{} ÷ plan", tool.dry()),
                dry.time,
                plan.time,
                must_plan,
            );
            ratio(
                &format!("{} apply ÷ apply", tool.name()),
                applied.time,
                apply.time,
                must_apply,
            );
        }
    }
}
