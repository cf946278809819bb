//! `--shard` and `--wave`: one of several runners, and one stage of a pipeline.

use std::env;

use clap::Args;

use super::error::CliError;
use crate::diagnostic::Diagnostic;
use crate::fleet::{NamedWave, Shard, named_waves};
use crate::name::{HostName, RoleName};
use crate::plan::Plan;
use crate::session::rollout_order::RolloutOrder;

/// For the verbs that only read hosts.
#[derive(Debug, Clone, Copy, Args)]
pub struct ShardArguments {
    /// Take only the hosts of shard I of N, for several runners: `2/8`; `gitlab` for CI_NODE_INDEX and CI_NODE_TOTAL;
    /// `kubernetes/N` for JOB_COMPLETION_INDEX. Every shard reads the whole manifest.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,
}

/// For `apply`.
#[derive(Debug, Clone, Args)]
pub struct WaveArguments {
    /// Apply only the hosts that are in this wave now: `add-1`, `remove-1`, `retire-1` … An empty wave ends with 0.
    #[arg(long, value_name = "NAME")]
    pub wave: Option<String>,
    /// With `--wave`: take only the hosts of shard I of N: `2/8`; `gitlab` for CI_NODE_INDEX and CI_NODE_TOTAL;
    /// `kubernetes/N` for JOB_COMPLETION_INDEX.
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "wave")]
    pub shard: Option<Shard>,
}

/// Reads a shard: its numbers, or the variables of an engine that has them.
fn shard(text: &str) -> Result<Shard, String> {
    let variable = |name: &str| {
        let value = env::var(name).map_err(|_| format!("the variable {name} is not set"))?;
        number(&value).map_err(|_| format!("the variable {name} is no number: `{value}`"))
    };
    if text == "gitlab" {
        return Shard::new(variable("CI_NODE_INDEX")?, variable("CI_NODE_TOTAL")?);
    }
    let (index, count) = text
        .split_once('/')
        .ok_or("write `I/N`, `gitlab` or `kubernetes/N`")?;
    let count = number(count)?;
    match index {
        // An indexed job counts from 0.
        "kubernetes" => Shard::new(variable("JOB_COMPLETION_INDEX")?.saturating_add(1), count),
        index => Shard::new(number(index)?, count),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let number = text.parse();
    number.map_err(|_| format!("`{text}` is no number"))
}

impl WaveArguments {
    /// The wave that is meant.
    ///
    /// # Errors
    /// If the manifest has no such wave, or several runners would break the rollout of one of its roles. No host was
    /// contacted.
    pub fn chosen(
        &self,
        order: &RolloutOrder,
        canary: Option<usize>,
    ) -> Result<Option<NamedWave>, CliError> {
        let Some(name) = &self.wave else {
            return Ok(None);
        };
        let waves = named_waves(&order.hosts, &order.after);
        let known: Vec<String> = waves.iter().map(described).collect();
        let Some(wave) = waves.into_iter().find(|wave| wave.name == *name) else {
            let problem = Diagnostic::error(format!("there is no wave `{name}`"));
            let problem = problem.hint(format!("the manifest has: {}", known.join("; ")));
            return Err(CliError::arguments(vec![problem]));
        };
        if self.shard.is_some() {
            one_after_the_other(&wave, order, canary)?;
        }
        Ok(Some(wave))
    }

    /// The hosts to contact among `hosts`.
    #[must_use]
    pub fn hosts(&self, wave: Option<&NamedWave>, hosts: Vec<HostName>) -> Vec<HostName> {
        let mut hosts = hosts;
        if let Some(wave) = wave {
            hosts.retain(|host| wave.hosts.contains(host));
        }
        match self.shard {
            Some(shard) => shard.of(hosts),
            None => hosts,
        }
    }
}

/// The part of a plan that is in the wave, and the rest of it.
#[must_use]
pub fn of_wave(wave: Option<&NamedWave>, plan: Plan) -> (Plan, Plan) {
    let part = wave.map(|wave| wave.of(&plan));
    let mut rest = plan;
    let part = part.unwrap_or_else(|| Plan {
        hosts: std::mem::take(&mut rest.hosts),
        ..rest.clone()
    });
    rest.hosts.retain(|host, _| !part.hosts.contains_key(host));
    (part, rest)
}

/// `add-1 (backend, frontend)`.
fn described(wave: &NamedWave) -> String {
    let roles: Vec<&str> = wave.roles.iter().map(RoleName::as_str).collect();
    match roles.as_slice() {
        [] => format!("{} (no host)", wave.name),
        roles => format!("{} ({})", wave.name, roles.join(", ")),
    }
}

/// Refuses shards of a wave whose hosts the manifest takes in turn.
fn one_after_the_other(
    wave: &NamedWave,
    order: &RolloutOrder,
    canary: Option<usize>,
) -> Result<(), CliError> {
    let mut broken: Vec<String> = Vec::new();
    for role in &wave.roles {
        let Some(rollout) = order.rollout.get(role) else {
            continue;
        };
        let keys = [
            ("serial", rollout.serial.is_some()),
            ("canary", rollout.canary.is_some()),
            ("max_deferred", rollout.max_deferred.is_some()),
        ];
        let given = keys.into_iter().filter(|(_, given)| *given);
        broken.extend(given.map(|(key, _)| format!("`rollout.{role}.{key}`")));
    }
    if canary.is_some() {
        broken.push("`--canary`".to_owned());
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(CliError::arguments(vec![
        Diagnostic::error(format!(
            "`--shard` would break {} in the wave `{}`",
            broken.join(" and "),
            wave.name
        ))
        .detail("each shard counts only its own hosts")
        .hint("apply this wave in one job, without `--shard`"),
    ]))
}
