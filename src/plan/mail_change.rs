//! What a change of hosts means for mail, as a value: counts, and addresses only where they are asked for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes worse, from bad to worst.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WorseMail {
    /// Mail waits.
    Deferred,
    /// The model cannot tell, and could.
    NotModelled,
    /// No host takes it from the Internet any more.
    ShutOut,
    /// The first host refuses it for good.
    Refused,
    /// A host throws it away, and its sender is not told.
    Discarded,
    /// It bounces.
    Bounced,
    /// It loops.
    Looped,
}

impl WorseMail {
    /// All, from worst to bad.
    pub const ALL: [Self; 7] = [
        Self::Looped,
        Self::Bounced,
        Self::Discarded,
        Self::Refused,
        Self::ShutOut,
        Self::NotModelled,
        Self::Deferred,
    ];

    /// Whether mail is lost.
    #[must_use]
    pub fn is_loss(self) -> bool {
        self >= Self::ShutOut
    }
}

/// Addresses for which mail becomes worse in one way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorseCount {
    /// How many.
    pub addresses: usize,
    /// Where the mail of the first of them ends, and by which answer: `5.1.1 at mx.example.org`. Empty where no host takes it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Some of them, where addresses are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// The addresses for which mail becomes worse, by what becomes worse. An address counts once, for the worst.
pub type WorseAddresses = BTreeMap<WorseMail, WorseCount>;

/// Addresses that move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailMove {
    /// The hosts that deliver their mail before.
    pub from: String,
    /// The hosts that deliver it after.
    pub to: String,
    /// How many.
    pub addresses: usize,
}

/// A state of the hosts between before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MailState {
    /// So many waves are done.
    AfterWave(usize),
    /// So many waves are done, but for one host of the last one.
    WithoutHost {
        /// The number of the last wave.
        after_wave: usize,
        /// The host.
        host: String,
    },
    /// This host alone is changed.
    Alone(String),
}

/// A state on the way, and what it does to mail that neither the state before nor the one after does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateEffect {
    /// The state.
    pub state: MailState,
    /// The addresses that it makes worse.
    pub worse: WorseAddresses,
}

/// What a change of hosts means for mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailChange {
    /// How many addresses were tried.
    pub addresses: usize,
    /// How many addresses move from some hosts to others.
    pub moves: Vec<MailMove>,
    /// The addresses that are worse off at the end.
    pub worse: WorseAddresses,
    /// How many addresses are delivered that were not.
    pub mended: usize,
    /// How many addresses reach other mailboxes than before, and are not worse off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub redirected: usize,
    /// How many addresses the model cannot tell, before and after.
    pub not_modelled: usize,
    /// Places where mail enters before and not after, in words.
    pub vanished: Vec<String>,
    /// Places where mail enters after and not before, in words.
    pub appeared: Vec<String>,
    /// How many waves the change has.
    pub waves: usize,
    /// The states on the way in which mail is worse off.
    pub states: Vec<StateEffect>,
    /// The states on the way that were tried.
    pub tried: Vec<MailState>,
    /// How many hosts were not tried by themselves, because they differ from a tried one in names only.
    pub alike: usize,
    /// The hosts that the plan leaves out although they have changes. They count as they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The hosts that were not observed: they count as the manifest wants them, before and after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String>,
}

// serde gives a reference.
#[expect(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl MailChange {
    /// How many addresses lose mail at the end (see [`WorseMail::is_loss`]), and in the worst state on the way.
    #[must_use]
    pub fn losses(&self) -> (usize, usize) {
        let lost = |worse: &WorseAddresses| -> usize {
            let of_loss = worse.iter().filter(|(kind, _)| kind.is_loss());
            of_loss.map(|(_, count)| count.addresses).sum()
        };
        let states = self.states.iter().map(|state| lost(&state.worse));
        (lost(&self.worse), states.max().unwrap_or(0))
    }

    /// The same without addresses.
    #[must_use]
    pub fn without_addresses(mut self) -> Self {
        let states = self.states.iter_mut().map(|state| &mut state.worse);
        for count in states
            .chain([&mut self.worse])
            .flat_map(BTreeMap::values_mut)
        {
            count.examples.clear();
        }
        self
    }
}
