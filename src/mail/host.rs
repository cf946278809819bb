//! One host of the murder, with all parameters that decide about mail.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::agent::{Agents, ClientAgent, Program};
use super::cleanup::Cleanup;
use super::input::{HostAbilities, HostInput};
use super::intake::Intake;
use super::local::LocalAgent;
use super::reader::ParameterReader;
use super::resolve::Resolver;
use super::smtpd::Smtpd;
use super::stock;
use super::table::{HostTables, KeyLookup, LookupLog, OpenTable};
use super::twins;
use crate::name::ServiceName;
use crate::postfix::configuration::{
    Configuration, HostEnvironment, Listener, ListensOn, Networks, PortReach, Release,
    RunningService, View, is_same_port,
};
use crate::postfix::{MainCf, MasterCf, Network, split_list};
use crate::secret::Body;
use crate::state::{DesiredSettings, Want};

/// A host as the model of mail sees it.
#[derive(Debug)]
pub struct MailHost {
    /// Its name.
    pub name: String,
    /// The machine that it is on: another instance of Postfix there is another host of mail.
    pub machine: String,
    /// Its name for others, the value of `mailHost`, and `myhostname`.
    pub names: Vec<String>,
    /// The addresses that `inet_interfaces` names; none if it listens on all of the machine.
    pub listens: Option<Vec<IpAddr>>,
    /// The addresses from which it sends.
    pub addresses: Vec<Network>,
    /// trivial-rewrite(8).
    pub resolver: Resolver,
    /// cleanup(8).
    pub cleanup: Cleanup,
    /// smtpd(8) on port 25, as other hosts reach it; none if master.cf has no such service, or it listens on loopback addresses only.
    pub smtpd: Option<Smtpd>,
    /// pickup(8), which takes the mail of sendmail(1).
    pub pickup: Intake,
    /// Whether port 25 is open on loopback addresses only, so that the machine refuses connections from others.
    pub is_shut: bool,
    /// The delivery agents.
    pub agents: Agents,
    /// Its lookup tables by the parameters that use them.
    pub tables: BTreeMap<String, Vec<OpenTable>>,
    /// All of its lookup tables, also those within others.
    pub opened: Vec<Arc<dyn KeyLookup>>,
    /// The lookups in its tables, once they are recorded.
    pub lookups: Arc<LookupLog>,
    /// `recipient_delimiter`.
    pub delimiters: String,
    /// What it does in the murder.
    pub abilities: HostAbilities,
    /// A digest of all of this without its own names and addresses: see [`super::twins`].
    pub anonymous: String,
}

impl MailHost {
    /// The host with its desired configuration over the main.cf and master.cf that its distribution installs.
    #[must_use]
    pub fn from_desired(input: &HostInput<'_>) -> Self {
        let stock = stock_of(input);
        let (main_cf, master_cf, environment) = base(input, &stock);
        let settings = DesiredSettings::new(main_cf, master_cf, input.desired);
        let release = Release::new(&input.facts.postfix_version);
        let configuration = Configuration::new(&settings, release, &environment);
        let mut tables = HostTables::new(files(input)).with_alias_files(configuration.main());
        let services = configuration.services().unwrap_or_default();
        let smtpd = smtpd_service(configuration, &services, input.addresses);
        let [rewrite, cleanup, local, pickup] = &SERVICES.map(|name| ServiceName::new(name).ok());
        let view = |service| view_of(configuration, service);
        let mut reader = ParameterReader::new(view(rewrite), &mut tables);
        let resolver = Resolver::read(&mut reader);
        let myhostname = reader.text_or_empty("myhostname").to_lowercase();
        let listens = addresses_of(&reader.text_or_empty("inet_interfaces"));
        let reach = configuration.port_reach("smtp");
        let is_shut = matches!(reach, Some(PortReach::LoopbackOnly(_)));
        let delimiters = reader.text_or_empty("recipient_delimiter");
        let waiting = split_list(&reader.text_or_empty("defer_transports"));
        reader.view = view(cleanup);
        let cleanup = Cleanup::read(&mut reader);
        let clients = clients(configuration, &services, &mut reader);
        let has_virtual_base = !reader.text_or_empty("virtual_mailbox_base").is_empty();
        reader.view = view(local);
        let local = LocalAgent::read(&mut reader);
        reader.view = view(pickup);
        let pickup = Intake::read(&reader);
        reader.view = view(&smtpd);
        let smtpd = smtpd.is_some().then(|| Smtpd::read(&mut reader));
        let (lookups, (tables, opened)) = (tables.log(), tables.into_used());
        let mut host = Self {
            machine: input.name.as_str().to_owned(),
            names: names(input, myhostname),
            name: input.label.clone(),
            addresses: sent_from(input.addresses, listens.as_deref()),
            listens,
            resolver,
            cleanup,
            smtpd,
            pickup,
            is_shut,
            agents: Agents {
                programs: programs(&services),
                chrooted: chrooted(&services),
                clients,
                local,
                has_virtual_base,
                waiting,
                soft: soft(configuration, &services),
            },
            tables,
            opened,
            lookups,
            delimiters,
            abilities: input.abilities,
            anonymous: String::new(),
        };
        host.anonymous = twins::anonymous(host.text(input), input);
        host
    }

    /// What takes a message, smtpd(8) or pickup(8); none for one that the host itself sends on, such as for an alias of local(8).
    pub(super) fn intake(&self, is_submitted: bool, is_internal: bool) -> Option<&Intake> {
        match is_submitted {
            true => (!is_internal).then_some(&self.pickup),
            false => self.smtpd.as_ref().map(|smtpd| &smtpd.intake),
        }
    }

    /// The domain of its own accounts, such as root. An instance beside the main one has no name but its `myhostname`.
    #[must_use]
    pub fn own_domain(&self) -> &str {
        let myhostname = self.names.get(2).filter(|_| self.name != self.machine);
        myhostname.unwrap_or(&self.name)
    }

    /// All that was read of the host. Tables come last, each once: other parts name them by their words.
    fn text(&self, input: &HostInput<'_>) -> String {
        let opened = self.opened.iter();
        let mut tables: Vec<String> = opened.map(|table| format!("{table:?}")).collect();
        tables.sort_unstable();
        format!(
            "{}\n{:?} {:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{}\n{:?}\n{}",
            input.service,
            self.names.get(2..),
            self.listens,
            self.resolver,
            self.cleanup,
            self.smtpd,
            self.pickup,
            self.agents,
            self.tables,
            self.delimiters,
            self.abilities,
            tables.join("\n")
        )
    }
}

/// What the distribution of a host installs.
fn stock_of(input: &HostInput<'_>) -> (MainCf, Arc<MasterCf>) {
    let distribution = &input.facts.distribution;
    stock::files(distribution, input.name.as_str(), input.service)
}

/// The files over which the desired state is: those of the host, if it was observed.
fn base<'a>(
    input: &HostInput<'a>,
    stock: &'a (MainCf, Arc<MasterCf>),
) -> (&'a MainCf, &'a MasterCf, HostEnvironment) {
    match &input.live {
        Some(live) => (live.main_cf, live.master_cf, live.environment.clone()),
        None => (&stock.0, &*stock.1, environment(input)),
    }
}

/// The names under which mail is sent to a host, and the one that it gives itself.
fn names(input: &HostInput<'_>, myhostname: String) -> Vec<String> {
    let (reached_by, mailhost) = (input.reached_by, input.mailhost);
    vec![reached_by.to_owned(), mailhost.to_owned(), myhostname]
}

/// The networks from which a host sends: smtp(8) uses the address on which its instance listens, where there is one.
fn sent_from(addresses: &[String], listens: Option<&[IpAddr]>) -> Vec<Network> {
    let own = listens.unwrap_or_default().iter();
    let own = own.filter(|one| !one.is_loopback()).map(IpAddr::to_string);
    let all = own.chain(addresses.iter().cloned());
    all.filter_map(|text| Network::read(&text)).collect()
}

/// The services of rewriting, local(8) and pickup(8).
const SERVICES: [&str; 4] = ["rewrite/unix", "cleanup/unix", "local/unix", "pickup/unix"];

/// The addresses that `inet_interfaces` names (postconf(5)); none for all of the machine, and where a name stands for some.
fn addresses_of(inet_interfaces: &str) -> Option<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for word in split_list(inet_interfaces) {
        match word.as_str() {
            "loopback-only" | "localhost" => {
                addresses.extend([
                    IpAddr::from([127, 0, 0, 1]),
                    IpAddr::from(Ipv6Addr::LOCALHOST),
                ]);
            }
            word => addresses.push(word.trim_matches(['[', ']']).parse().ok()?),
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}

fn view_of<'a>(configuration: Configuration<'a>, service: &'a Option<ServiceName>) -> View<'a> {
    match service {
        Some(service) => configuration.service(service),
        None => configuration.main(),
    }
}

/// The texts of the files that the host must have, those that it has, and the aliases of its distribution.
fn files(input: &HostInput<'_>) -> HashMap<String, String> {
    let mut files = HashMap::from([("/etc/aliases".to_owned(), stock::ALIASES.to_owned())]);
    if let Some(live) = &input.live {
        files.extend(live.files.clone());
    }
    for (path, want) in &input.desired.files {
        match want {
            Want::Present(file) => {
                files.insert(path.as_str().to_owned(), Body::masked(&file.body));
            }
            Want::Absent => {
                files.remove(path.as_str());
            }
        }
    }
    files
}

fn environment(input: &HostInput<'_>) -> HostEnvironment {
    let addresses = input.addresses.iter().map(|address| format!("{address} "));
    // Where nothing sets `mynetworks`, a host trusts itself.
    let own = format!(
        "127.0.0.0/8 [::1]/128 {}",
        addresses.collect::<String>().trim()
    );
    HostEnvironment {
        hostname: Some(input.name.as_str().to_owned()),
        mail_name: Some(input.name.as_str().to_owned()),
        networks: Networks {
            host: Some(own),
            subnet: None,
            class: None,
        },
    }
}

/// The services behind the sockets of Postfix, such as the transports.
fn sockets(services: &[RunningService]) -> impl Iterator<Item = (&str, &RunningService)> {
    let named = services.iter().map(|one| (one.name.parts(), one));
    named.filter_map(|((name, kind), one)| (kind == "unix").then_some((name, one)))
}

/// The transports that run in a chroot.
fn chrooted(services: &[RunningService]) -> BTreeSet<String> {
    let chrooted = sockets(services).filter(|(_, one)| one.chroot);
    chrooted.map(|(name, _)| name.to_owned()).collect()
}

/// The service of smtpd(8) that answers other hosts on port 25, directly or behind postscreen(8). Of several that listen there, it
/// is the one at the first address of the host.
fn smtpd_service(
    configuration: Configuration<'_>,
    services: &[RunningService],
    addresses: &[String],
) -> Option<ServiceName> {
    let answers = |one: &&RunningService| ["smtpd", "postscreen"].contains(&one.program.as_str());
    let names = services.iter().filter(answers).map(|one| &one.name);
    let mut listeners = configuration.main().listeners(names);
    listeners.retain(|one| is_same_port(&one.port, "smtp") && !one.on.is_loopback());
    let is_at = |one: &&Listener, network: &Network| {
        let named = match &one.on {
            ListensOn::Address(address) => vec![address.clone()],
            ListensOn::Interfaces(list) => split_list(list.as_deref().unwrap_or_default()),
        };
        let mut named = named.iter().filter_map(|word| word.parse().ok());
        named.any(|address| network.contains(address))
    };
    let mut networks = addresses.iter().filter_map(|text| Network::read(text));
    let at_address = networks.find_map(|network| listeners.iter().find(|one| is_at(one, &network)));
    let listener = at_address.or(listeners.first())?;
    let mut all = services.iter();
    let service = all.find(|one| one.name == listener.service)?;
    match service.program == "postscreen" {
        false => Some(service.name.clone()),
        true => {
            let mut all = services.iter();
            let behind = all.find(|one| one.name.parts() == ("smtpd", "pass"));
            behind.map(|one| one.name.clone())
        }
    }
}

/// The parameters of each transport that runs smtp(8) or lmtp(8), each with its own options in master.cf.
fn clients<'v>(
    configuration: Configuration<'v>,
    services: &'v [RunningService],
    reader: &mut ParameterReader<'_, 'v>,
) -> BTreeMap<String, ClientAgent> {
    let mut clients = BTreeMap::new();
    for (name, service) in sockets(services) {
        if ["smtp", "lmtp"].contains(&service.program.as_str()) {
            reader.view = configuration.service(&service.name);
            clients.insert(name.to_owned(), ClientAgent::read(&service.program, reader));
        }
    }
    clients
}

/// The transports where `soft_bounce` is on.
fn soft(configuration: Configuration<'_>, services: &[RunningService]) -> BTreeSet<String> {
    let is_soft = |service: &ServiceName| {
        let text = configuration.service(service).expanded("soft_bounce").text;
        text.is_ok_and(|text| text.eq_ignore_ascii_case("yes"))
    };
    let soft = sockets(services).filter(|(_, one)| is_soft(&one.name));
    soft.map(|(name, _)| name.to_owned()).collect()
}

/// The program of each transport.
fn programs(services: &[RunningService]) -> BTreeMap<String, Program> {
    let transports = sockets(services).map(|(name, one)| (name.to_owned(), program(one)));
    transports.collect()
}

fn program(service: &RunningService) -> Program {
    match service.program.as_str() {
        "smtp" => Program::Smtp,
        "lmtp" => Program::Lmtp,
        "local" => Program::Local,
        "virtual" => Program::Virtual,
        "error" if service.name.parts().0 == "retry" => Program::Retry,
        "error" => Program::Error,
        "discard" => Program::Discard,
        _ => Program::Other,
    }
}
