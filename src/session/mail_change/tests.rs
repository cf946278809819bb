//! The judgement of the states on the way by what routes depend on, against walking every route in every state.

mod cases;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::directory::read_ldif;
use crate::load;
use crate::plan::mail_change::WorseMail;
use crate::session::path_policy::PathPolicy;
use crate::session::routes::CompiledMurder;

/// A source of choices.
struct Choices(u64);

impl Choices {
    /// A number below `limit`.
    fn number(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.number(of.len())).copied().unwrap_or_default()
    }

    fn person(&mut self) -> String {
        format!("u{}@example.org", self.number(5))
    }

    fn backend(&mut self) -> String {
        format!("backend{}.example.org", self.number(4))
    }
}

/// A setting that may change where mail goes.
fn setting(choices: &mut Choices) -> String {
    let (person, other, backend) = (choices.person(), choices.person(), choices.backend());
    match choices.number(22) {
        0 => format!("transport_maps: {{prepend: ['inline:{{{{{person}=relay:[{backend}]}}}}']}}"),
        1 => format!("transport_maps: {{prepend: ['inline:{{{{{person}=error:gone}}}}']}}"),
        2 => format!("transport_maps: {{prepend: ['inline:{{{{{person}=lmtp:unix:/run/x}}}}']}}"),
        3 => format!("local_recipient_maps: {{prepend: ['inline:{{{{{person}=x}}}}']}}"),
        4 => "unknown_local_recipient_reject_code: '550'".to_owned(),
        5 => format!("virtual_alias_maps: {{prepend: ['inline:{{{{{person}={other}}}}}']}}"),
        6 => format!("myhostname: other{}.example.org", choices.number(9)),
        7 => "smtpd_client_restrictions: reject".to_owned(),
        8 => format!("relayhost: '[{backend}]'"),
        9 => "soft_bounce: 'yes'".to_owned(),
        10 => format!("default_process_limit: '{}'", 150 + choices.number(3)),
        11 => "smtpd_recipient_restrictions: {prepend: [reject_unverified_recipient]}".to_owned(),
        12 => "inet_interfaces: loopback-only".to_owned(),
        13 => "mydestination: localhost".to_owned(),
        14..=17 => format!(
            "transport_maps: {{prepend: ['inline:{{{{{person}=relay:[{backend}], {other}=relay:[{backend}]}}}}']}}"
        ),
        _ => "unknown_local_recipient_reject_code: '550', virtual_alias_maps: '', local_recipient_maps: 'inline:{{x=y}}'".to_owned(),
    }
}

/// The settings of a host; those that set the same are given once.
fn settings(choices: &mut Choices, most: usize) -> String {
    let all: Vec<String> = (0..choices.number(most + 1))
        .map(|_| setting(choices))
        .collect();
    let mut known = BTreeSet::new();
    let mut all = all;
    all.retain(|one| known.insert(one.split(':').next().unwrap_or_default().to_owned()));
    match all.is_empty() {
        true => String::new(),
        false => format!(", settings: {{{}}}", all.join(", ")),
    }
}

/// Two versions of a manifest.
fn manifests(choices: &mut Choices) -> [String; 2] {
    let is_shared = choices.number(3) == 0;
    let mut hosts = vec![("mx", "internet-mta", 1), ("smtp", "internal-mta", 5)];
    if is_shared || choices.number(4) == 0 {
        hosts.push(("smtp2", "internal-mta", 6));
    }
    let is_replaced = choices.number(4) == 0;
    if is_replaced || choices.number(3) == 0 {
        hosts.push(("mx2", "internet-mta", 2));
    }
    let backends = ["backend0", "backend1", "backend2", "backend3"];
    let backends = backends.iter().zip(10..).take(2 + choices.number(3));
    hosts.extend(backends.map(|(name, number)| (*name, "backend", number)));
    let head = format!(
        "version: 1\nmurder: way\ntopology: discrete\ndomains: [example.org]\n{}\
         ldap: {{uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {{mode: none}}}}\n\
         cyrus: {{lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}}\nhosts:\n",
        if is_shared {
            "external: [smart.example.org]\nsmart_host: smart.example.org\n"
        } else {
            ""
        }
    );
    let mut both = [head.clone(), head];
    let common = settings(choices, 1);
    let (person, mover) = (choices.person(), choices.backend());
    let is_move = choices.number(3) > 0;
    for (name, role, number) in hosts {
        let (mut old, mut new) = match (role, choices.number(4)) {
            ("backend", 0) => (common.clone(), common.clone()),
            ("backend", 1) => (common.clone(), settings(choices, 2)),
            (_, 2) => (settings(choices, 1), settings(choices, 2)),
            _ => (String::new(), settings(choices, 1)),
        };
        // Mail for one person moves: it bounces where it is sent before it is taken.
        if is_move && mover.starts_with(&format!("{name}.")) {
            let strict = "unknown_local_recipient_reject_code: '550'";
            old = format!(", settings: {{{strict}}}");
            new = format!(
                ", settings: {{{strict}, transport_maps: {{prepend: ['inline:{{{{{person}=lmtp:unix:/run/cyrus/socket/lmtp}}}}']}}, local_recipient_maps: {{prepend: ['inline:{{{{{person}=x}}}}']}}}}"
            );
        }
        if is_move && role == "internal-mta" {
            (old, new) = (
                String::new(),
                format!(
                    ", settings: {{transport_maps: {{prepend: ['inline:{{{{{person}=relay:[{mover}]}}}}']}}}}"
                ),
            );
        }
        // One edge replaces another.
        if is_replaced && role == "internet-mta" {
            let closed = ", settings: {inet_interfaces: loopback-only}".to_owned();
            (old, new) = match name {
                "mx" => (String::new(), closed),
                _ => (closed, String::new()),
            };
        }
        for (at, (text, more)) in both.iter_mut().zip([old, new]).enumerate() {
            // A host may come or go.
            if choices.number(12) == 0 && !["mx", "smtp", "backend0"].contains(&name) {
                continue;
            }
            let moved = usize::from(at == 1 && choices.number(12) == 0);
            let address = number + 100 * moved;
            let _ = writeln!(
                text,
                "  {name}.example.org: {{roles: [{role}], addresses: [192.0.2.{address}]{more}}}"
            );
        }
    }
    both
}

fn directory(choices: &mut Choices) -> String {
    let mut text = String::from("dn: dc=example,dc=org\nobjectClass: domain\n\n");
    for number in 0..5 {
        let _ = write!(
            text,
            "dn: uid=u{number},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: u{number}@example.org\n\
             alias: {}\nmailHost: {}\n{}\n",
            choices.one(&["a.b@example.org", "c_d@example.org", "u1@example.org"]),
            choices.backend(),
            match choices.number(4) {
                0 => format!("mailForwardingAddress: {}\n", choices.person()),
                _ => String::new(),
            }
        );
    }
    text
}

fn compiled(manifest: &str) -> Option<(load::Loaded, CompiledMurder)> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().join("m.yaml");
    std::fs::write(&path, manifest).ok()?;
    let loaded = load::load(&path, &[]);
    let murder = loaded.murder.as_ref()?;
    let paths = PathPolicy {
        allow: vec!["*".to_owned()],
    };
    let compiled = CompiledMurder::new(murder, &loaded.modules, &paths).ok()?;
    Some((loaded, compiled))
}

/// What a comparison has seen.
#[derive(Debug, Default, Clone, Copy)]
struct Compared {
    states: usize,
    /// The states in which mail is worse off than before and after.
    worse: usize,
    /// The classes with other routes than in the neighbouring state.
    differing: usize,
}

/// How many addresses of each kind.
fn counts(worse: &WorseAddresses) -> BTreeMap<WorseMail, usize> {
    let counts = worse.iter().map(|(kind, count)| (*kind, count.addresses));
    counts.collect()
}

/// Judges each address by itself, and at every host: without classes of addresses and without hosts that stand for others.
struct AddressByAddress<'a> {
    states: &'a MailStates,
    directory: &'a Directory,
    twins: PlaceTwins,
    classes: AddressClasses,
    waves: &'a [Vec<HostName>],
}

impl<'a> AddressByAddress<'a> {
    fn new(
        states: &'a MailStates,
        directory: &'a Directory,
        waves: &'a [Vec<HostName>],
        classes: &AddressClasses,
    ) -> Self {
        let attributes = states.attributes().irregular();
        let alone = address_classes(&states.union, directory, &attributes);
        Self {
            states,
            directory,
            twins: PlaceTwins::new(states.hosts.len(), |at| at),
            classes: alone.with_names_of(classes),
            waves,
        }
    }

    /// Judges a state.
    fn judged<T>(
        &self,
        is_changed: impl Fn(usize) -> bool,
        judged: impl FnOnce(&ChangeJudge<'_>, KnownState<'_>, &[Option<WorstPlace>]) -> T,
    ) -> T {
        let walks = (self.states).walks(self.directory, &self.classes, &self.twins, self.waves);
        let before = walks.all(|_| false);
        let judge = ChangeJudge::new(self.directory, &self.classes, &self.twins, &before);
        let end = judge.all_worse(&walks.all(|at| walks.turn(at).is_some()));
        let state = walks.all(is_changed);
        judged(&judge, (&state, &judge.all_worse(&state)), &end)
    }

    /// What a state makes worse that the end does not.
    fn counts(&self, is_changed: impl Fn(usize) -> bool) -> BTreeMap<WorseMail, usize> {
        self.judged(is_changed, |judge, (state, worse), end| {
            counts(&judge.worse_addresses(state, worse, end))
        })
    }

    /// The same of the end as a whole.
    fn agrees_at_the_end(&self, change: &MailChange, words: &str) {
        let turns = self.states.turns(self.waves);
        let is_changed = |at: usize| turns.get(at).copied().flatten().is_some();
        let own = self.judged(is_changed, |judge, (state, worse), _| {
            judge.change(state, worse, &self.states.names())
        });
        let of = |change: &MailChange| {
            let lines = (change.vanished.clone(), change.appeared.clone());
            let sums = [change.addresses, change.mended, change.redirected];
            let sums = (sums, change.not_modelled);
            (counts(&change.worse), change.moves.clone(), sums, lines)
        };
        assert_eq!(of(change), of(&own), "{words}");
    }
}

/// Judges each state on the way by walking all its routes too. None where a manifest is not valid.
fn compare(seed: u64) -> Option<Compared> {
    let choices = &mut Choices(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let [old, new] = manifests(choices);
    let text = directory(choices);
    let directory = read_ldif(text.as_bytes()).ok()?;
    let (old_loaded, old_compiled) = compiled(&old)?;
    let (new_loaded, new_compiled) = compiled(&new)?;
    let (old_murder, new_murder) = (old_loaded.murder.as_ref()?, new_loaded.murder.as_ref()?);
    let mut states =
        MailStates::of_manifests((old_murder, &old_compiled), (new_murder, &new_compiled));
    // Some hosts have no job before: as where an installer made the older configuration.
    for host in &mut states.hosts {
        host.joins = host.anonymous().iter().all(Option::is_some) && choices.number(5) == 0;
    }
    let waves = waves(&states, choices);
    let attributes = states.attributes();
    let turns = Turns {
        waves: &waves,
        goes_on: choices.number(2) == 0,
    };
    let change = states.change(&directory, &attributes, turns);
    let classes = address_classes(&states.union, &directory, &attributes);
    let twins = states.twins(&waves);
    let walks = states.walks(&directory, &classes, &twins, &waves);
    let before = walks.all(|_| false);
    let judge = ChangeJudge::new(&directory, &classes, &twins, &before);
    let end = judge.all_worse(&walks.all(|at| walks.turn(at).is_some()));
    let names = states.names();
    let alone = AddressByAddress::new(&states, &directory, &waves, &classes);
    alone.agrees_at_the_end(&change, &format!("{seed}\n{old}\n{new}\n{text}"));
    let mut compared = Compared::default();
    let mut prefix: Option<StateRoutes> = None;
    for state in &change.tried {
        let is_done = |at: usize, waves: usize| walks.turn(at).is_some_and(|turn| turn <= waves);
        let is_changed = |at: usize| match state {
            MailState::AfterWave(wave) => is_done(at, *wave),
            MailState::WithoutHost { after_wave, host } => {
                is_done(at, *after_wave) && names.get(at) != Some(host)
            }
            MailState::Alone(host) => names.get(at) == Some(host),
        };
        let by_force = walks.all(is_changed);
        let neighbour = match state {
            MailState::WithoutHost { after_wave, .. } => walks.all(|at| is_done(at, *after_wave)),
            MailState::AfterWave(_) | MailState::Alone(_) => walks.all(|_| false),
        };
        let changed: Vec<usize> = (0..names.len())
            .filter(|at| match state {
                MailState::AfterWave(wave) => walks.turn(*at) == Some(*wave),
                MailState::WithoutHost { host, .. } | MailState::Alone(host) => {
                    names.get(*at) == Some(host)
                }
            })
            .collect();
        // Each prefix of the waves follows from the one before it, by what that one knows of its routes.
        let last = prefix
            .as_ref()
            .filter(|_| matches!(state, MailState::AfterWave(_)));
        let by_needs = walks.all_by(last.unwrap_or(&neighbour), is_changed, &changed);
        let words = format!("{state:?} with seed {seed}\n{old}\n{new}\n{text}");
        assert!(by_needs.classes == by_force.classes, "{words}");
        let both = by_force.classes.iter().zip(&neighbour.classes);
        compared.differing += both.filter(|(one, other)| one != other).count();
        if matches!(state, MailState::AfterWave(_)) {
            prefix = Some(by_needs);
        }
        let expected = judge.worse_addresses(&by_force, &judge.all_worse(&by_force), &end);
        let effect = change.states.iter().find(|effect| effect.state == *state);
        let found = effect
            .map(|effect| effect.worse.clone())
            .unwrap_or_default();
        assert_eq!(found, expected, "{words}");
        assert_eq!(counts(&found), alone.counts(is_changed), "{words}");
    }
    compared.states = change.tried.len();
    compared.worse = change.states.len();
    Some(compared)
}

/// The hosts that differ, and perhaps some that do not, in up to three waves, or each in one of its own.
fn waves(states: &MailStates, choices: &mut Choices) -> Vec<Vec<HostName>> {
    let differing = states.hosts.iter().filter(|host| {
        let [before, after] = host.anonymous();
        before != after || choices.number(8) == 0
    });
    let differing: BTreeSet<HostName> = differing.map(|host| host.machine.clone()).collect();
    if choices.number(3) == 0 {
        return differing.into_iter().map(|host| vec![host]).collect();
    }
    let mut waves = vec![Vec::new(); 3];
    for host in differing {
        if let Some(wave) = waves.get_mut(choices.number(3)) {
            wave.push(host);
        }
    }
    waves.retain(|wave| !wave.is_empty());
    waves
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn states_are_judged_as_by_walking_all_their_routes(seed: u64) {
        compare(seed);
    }
}

/// Before it, no mail enters from the Internet: the hosts that take it have no job yet.
#[test]
fn the_first_host_that_faces_the_internet_may_join() {
    assert!(compare(4_115_808_462_332_343_884).is_some());
}

/// The property above is about something: many murders are valid, and in many states mail is worse off.
#[test]
fn random_changes_make_mail_worse_off() {
    let found: Vec<Compared> = (0..30).filter_map(compare).collect();
    let sum = |of: fn(&Compared) -> usize| -> usize { found.iter().map(of).sum() };
    let (states, worse) = (sum(|one| one.states), sum(|one| one.worse));
    let differing = sum(|one| one.differing);
    assert!(
        found.len() > 10 && states > 100 && worse > 4 && differing > 100,
        "{found:?}"
    );
}
