//! What a change of hosts means for mail, as lines of text.

use std::fmt::Write as _;

use super::host_names;
use super::line::count;
use crate::name::HostName;
use crate::plan::mail_change::{MailChange, MailState, StateEffect, WorseAddresses, WorseMail};

/// How many addresses of a kind are listed.
const LISTED: usize = 5;

/// How many moves, places and states on the way are listed, of each.
const LINES: usize = 8;

/// The lines, the first of them without indentation. `judged` says when and by what, where that was not now. Addresses are listed
/// only with `shows_addresses`.
#[must_use]
pub fn text(change: &MailChange, judged: Option<&str>, shows_addresses: bool) -> String {
    let judged = judged.map_or(String::new(), |judged| format!(", judged {judged}"));
    let mut text = format!("mail: {}{judged}\n", addresses(change.addresses));
    let mut line = |words: String| {
        let _ = writeln!(text, "  {words}");
    };
    for words in at_the_end(change, shows_addresses) {
        line(words);
    }
    let states = alike_states(&change.states);
    for alike in states.iter().take(LINES) {
        let Some(first) = alike.first() else { continue };
        let words = state_words(alike, change.waves);
        for worse in worse(&first.worse, shows_addresses) {
            line(format!("on the way, {words}: {worse}"));
        }
    }
    if let Some(more @ 1..) = states.len().checked_sub(LINES) {
        line(format!(
            "on the way, mail is worse off in {more} more states"
        ));
    }
    line(tried(change));
    if !change.left_out.is_empty() {
        line(format!(
            "left out, and counted as they are now: {}",
            names(&change.left_out)
        ));
    }
    if !change.unseen.is_empty() {
        line(format!(
            "not observed, and counted as the manifest wants them: {}",
            names(&change.unseen)
        ));
    }
    text
}

/// The lines about the end.
fn at_the_end(change: &MailChange, shows_addresses: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut moves: Vec<_> = change.moves.iter().collect();
    moves.sort_by_key(|one| std::cmp::Reverse(one.addresses));
    for one in moves.iter().take(LINES) {
        let verb = if one.addresses == 1 { "moves" } else { "move" };
        let count = addresses(one.addresses);
        lines.push(format!("{count} {verb} from {} to {}", one.from, one.to));
    }
    if moves.len() > LINES {
        let more = moves.iter().skip(LINES).map(|one| one.addresses).sum();
        lines.push(format!("{} move between other hosts", addresses(more)));
    }
    lines.extend(worse(&change.worse, shows_addresses));
    if change.mended > 0 {
        let (is, was) = match change.mended {
            1 => ("is", "was"),
            _ => ("are", "were"),
        };
        let count = addresses(change.mended);
        lines.push(format!("{count} {is} delivered that {was} not"));
    }
    if change.redirected > 0 {
        let verb = if change.redirected == 1 {
            "reaches"
        } else {
            "reach"
        };
        let count = addresses(change.redirected);
        lines.push(format!("{count} {verb} other mailboxes than before"));
    }
    if change.not_modelled > 0 {
        let count = addresses(change.not_modelled);
        lines.push(format!("{count}: the model cannot tell, before or after"));
    }
    let places = [
        ("mail no longer enters at", &change.vanished),
        ("mail can now enter at", &change.appeared),
    ];
    for (words, places) in places {
        lines.extend(
            places
                .iter()
                .take(LINES)
                .map(|place| format!("{words} {place}")),
        );
        if let Some(more @ 1..) = places.len().checked_sub(LINES) {
            lines.push(format!("{words} {}", count(more, "more host")));
        }
    }
    let moves = !change.moves.is_empty() || change.redirected > 0;
    if change.addresses == 0 {
        lines.push(
            "the directory has no address in the mail domains, so this says nothing".to_owned(),
        );
    } else if !moves && change.worse.is_empty() && change.mended == 0 {
        lines.push("no address moves, and none is worse off at the end".to_owned());
    }
    lines
}

/// Why `apply` refuses: how many addresses lose mail, at the end or on the way. None if there are none.
#[must_use]
pub fn refusal(change: &MailChange) -> Option<String> {
    let (end, way) = change.losses();
    let lose = |count: usize| {
        let verb = if count == 1 { "loses" } else { "lose" };
        format!(
            "{} {verb} mail (refused for good, bounced, thrown away, or in a loop)",
            addresses(count)
        )
    };
    match (end, way) {
        (0, 0) => None,
        (0, way) => Some(format!("{} while hosts are applied", lose(way))),
        (end, 0) => Some(format!("{} after this plan", lose(end))),
        (end, way) => Some(format!(
            "{} after this plan, and up to {way} more while hosts are applied",
            lose(end)
        )),
    }
}

fn addresses(count: usize) -> String {
    match count {
        1 => "1 address".to_owned(),
        count => format!("{count} addresses"),
    }
}

/// A line for each way in which mail is worse off.
fn worse(all: &WorseAddresses, shows_addresses: bool) -> Vec<String> {
    let lines = WorseMail::ALL.into_iter().filter_map(|kind| {
        let count = all.get(&kind)?;
        let one = count.addresses == 1;
        let becomes = match kind {
            WorseMail::Looped if one => "now loops",
            WorseMail::Looped => "now loop",
            WorseMail::Bounced if one => "now bounces",
            WorseMail::Bounced => "now bounce",
            WorseMail::Discarded if one => "is now thrown away",
            WorseMail::Discarded => "are now thrown away",
            WorseMail::Refused if one => "is now refused for good",
            WorseMail::Refused => "are now refused for good",
            WorseMail::ShutOut if one => "gets no mail from the Internet any more",
            WorseMail::ShutOut => "get no mail from the Internet any more",
            WorseMail::NotModelled => "can no longer be modelled",
            WorseMail::Deferred if one => "now waits",
            WorseMail::Deferred => "now wait",
        };
        let mut line = format!("{} {becomes}", addresses(count.addresses));
        if !count.by.is_empty() {
            let _ = write!(line, " ({})", count.by);
        }
        if shows_addresses && !count.examples.is_empty() {
            let listed = count.examples.iter().take(LISTED);
            let listed: Vec<&str> = listed.map(String::as_str).collect();
            let more = if count.addresses > listed.len() {
                ", …"
            } else {
                ""
            };
            let _ = write!(line, ": {}{more}", listed.join(", "));
        }
        Some(line)
    });
    lines.collect()
}

/// The states one after the other; those that differ in one host, and do the same, together.
fn alike_states(states: &[StateEffect]) -> Vec<Vec<&StateEffect>> {
    let key = |effect: &StateEffect| {
        let of = match &effect.state {
            MailState::AfterWave(wave) => (0, *wave),
            MailState::WithoutHost { after_wave, .. } => (1, *after_wave),
            MailState::Alone(_) => (2, 0),
        };
        let counts = effect.worse.iter();
        let counts: Vec<_> = counts
            .map(|(kind, count)| (*kind, count.addresses))
            .collect();
        (of, counts)
    };
    let mut all: Vec<Vec<&StateEffect>> = Vec::new();
    for effect in states {
        let mut known = all.iter_mut();
        let same = known.find(|group| group.first().is_some_and(|one| key(one) == key(effect)));
        match same {
            Some(group) => group.push(effect),
            None => all.push(vec![effect]),
        }
    }
    all
}

fn state_words(alike: &[&StateEffect], waves: usize) -> String {
    let hosts = alike.iter().filter_map(|effect| match &effect.state {
        MailState::AfterWave(_) => None,
        MailState::WithoutHost { host, .. } | MailState::Alone(host) => Some(host.clone()),
    });
    let hosts: Vec<String> = hosts.collect();
    let any = if hosts.len() > 1 { "any of " } else { "" };
    match alike.first().map(|effect| &effect.state) {
        Some(MailState::AfterWave(wave)) => format!("after wave {wave} of {waves}"),
        Some(MailState::WithoutHost { after_wave, .. }) => format!(
            "after wave {after_wave} of {waves} without {any}{}",
            names(&hosts)
        ),
        _ => format!("with {any}{} alone changed", names(&hosts)),
    }
}

/// Which states were tried.
fn tried(change: &MailChange) -> String {
    let (mut waves, mut without, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    // With `--max-fail`, later waves begin without a host.
    let mut goes_on = false;
    let missing = |host: &String, known: &mut Vec<String>| {
        let is_new = !known.contains(host);
        if is_new {
            known.push(host.clone());
        }
        is_new
    };
    for state in &change.tried {
        match state {
            MailState::AfterWave(wave) => waves.push(wave.to_string()),
            MailState::WithoutHost { host, .. } => goes_on |= !missing(host, &mut without),
            MailState::Alone(host) => alone.push(host.clone()),
        }
    }
    let mut parts = vec!["the end".to_owned()];
    if !waves.is_empty() {
        let word = if waves.len() == 1 { "wave" } else { "waves" };
        parts.push(format!(
            "after {word} {} of {}",
            waves.join(", "),
            change.waves
        ));
    }
    let each = |hosts: &[String]| if hosts.len() > 1 { "each of " } else { "" };
    if !without.is_empty() {
        parts.push(format!(
            "{} but for {}{}",
            match goes_on {
                true => "after each wave from its own on",
                false => "after a wave",
            },
            each(&without),
            names(&without)
        ));
    }
    if !alone.is_empty() {
        parts.push(format!(
            "with {}{} alone changed",
            each(&alone),
            names(&alone)
        ));
    }
    let mut line = format!("tried: {}", parts.join("; "));
    if change.alike > 0 {
        let differ = match change.alike {
            1 => "1 more host differs".to_owned(),
            more => format!("{more} more hosts differ"),
        };
        let _ = write!(line, " ({differ} from these in names only)");
    }
    line
}

/// Names of hosts in short.
fn names(hosts: &[String]) -> String {
    let known: Result<Vec<HostName>, _> = hosts.iter().map(HostName::new).collect();
    match known {
        Ok(known) => host_names::short(&known),
        // An instance has the name of its host and its own.
        Err(_) => hosts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::mail_change::{MailMove, WorseCount};

    #[test]
    fn what_is_worse_is_said_with_addresses_only_where_that_is_asked() {
        let count = |addresses, by: &str, examples: &[&str]| WorseCount {
            addresses,
            by: by.to_owned(),
            examples: examples.iter().map(|one| (*one).to_owned()).collect(),
        };
        let worse: WorseAddresses = [
            (WorseMail::Bounced, count(2, "5.1.1 at b2", &["a@x", "b@x"])),
            (WorseMail::Deferred, count(1, "", &["c@x"])),
        ]
        .into();
        let without = |host: &str| StateEffect {
            state: MailState::WithoutHost {
                after_wave: 1,
                host: host.to_owned(),
            },
            worse: [(WorseMail::Looped, count(7, "", &["d@x"]))].into(),
        };
        let states = vec![without("b1"), without("b2")];
        let change = MailChange {
            addresses: 9,
            moves: vec![MailMove {
                from: "b1".to_owned(),
                to: "b2".to_owned(),
                addresses: 1,
            }],
            worse,
            waves: 2,
            alike: 1,
            tried: [MailState::AfterWave(1)]
                .into_iter()
                .chain(states.iter().map(|one| one.state.clone()))
                .collect(),
            states,
            ..MailChange::default()
        };
        assert_eq!(
            text(&change, None, false),
            "mail: 9 addresses\n  1 address moves from b1 to b2\n  2 addresses now bounce (5.1.1 at b2)\n  1 address now waits\n  on the way, after wave 1 of 2 without any of b[1:2]: 7 addresses now loop\n  tried: the end; after wave 1 of 2; after a wave but for each of b[1:2] (1 more host differs from these in names only)\n"
        );
        assert!(text(&change, None, true).contains("(5.1.1 at b2): a@x, b@x\n"));
        assert_eq!(
            refusal(&change).as_deref(),
            Some(
                "2 addresses lose mail (refused for good, bounced, thrown away, or in a loop) after this plan, and up to 7 more while hosts are applied"
            )
        );
        assert_eq!(refusal(&MailChange::default()), None);
        let mut going_on = change.clone();
        going_on.tried.push(MailState::WithoutHost {
            after_wave: 2,
            host: "b1".to_owned(),
        });
        let words = "; after each wave from its own on but for each of b[1:2] (";
        let said = text(&going_on, None, false);
        assert!(said.contains(words), "{said}");
        let without = change.without_addresses();
        assert!(!text(&without, None, true).contains('@'));
    }
}
