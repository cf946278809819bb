//! The instances of Postfix in a sandbox.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sandbox, queue};
use crate::digest::sha256_hex;
use crate::ledger::Ledger;
use crate::machine::services::{asked, missing};
use crate::machine::{MachineError, Questions};
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{INSTANCE_MAIN_CF, MainCf, MasterCf};
use crate::service::{Instance, Service};
use crate::state::{DefaultInstance, Facts, LiveService, PostfixLive, Running};

/// The path of the mail name of Debian, in a sandbox too.
const MAIL_NAME: &str = "/etc/mailname";

/// The services of a host as found.
type LiveServices = BTreeMap<Service, LiveService>;

impl Sandbox {
    /// The services that are asked for and those that the ledger names, and the facts of the first one.
    ///
    /// # Errors
    /// Where the folder lacks a service that is asked for, or cannot be read.
    pub(super) fn services(
        &self,
        questions: &Questions,
        ledger: Option<&Ledger>,
    ) -> Result<(LiveServices, Facts), MachineError> {
        let (first, others) = asked(questions);
        let main = self.configuration(&first, &questions.services)?;
        let main = main.ok_or_else(|| missing(&first))?;
        let facts = Facts {
            index_type: Facts::index_type_of(
                &main.main_cf,
                &self.facts.table_types,
                &self.facts.default_database_type,
            ),
            ..self.facts.clone()
        };
        let mut services: LiveServices = [(first, LiveService::Postfix(main))].into();
        for service in others {
            let found = self.configuration(&service, &questions.services)?;
            let found = found.ok_or_else(|| missing(&service))?;
            services.insert(service, LiveService::Postfix(found));
        }
        for (service, _) in ledger.into_iter().flat_map(Ledger::things) {
            if !services.contains_key(service)
                && let Some(found) = self.configuration(service, &questions.services)?
            {
                services.insert(service.clone(), LiveService::Postfix(found));
            }
        }
        Ok((services, facts))
    }

    /// One instance of Postfix; none where the folder does not have it. The default one is always there, if need be
    /// with empty files. A fresh host lists `all` services.
    fn configuration(
        &self,
        service: &Service,
        all: &BTreeSet<Service>,
    ) -> Result<Option<PostfixLive>, MachineError> {
        let [main, master] = files(service);
        let main = match service.named_instance() {
            None if !self.root.exists() => Some(self.listing_main_cf(all.iter())),
            _ => self.bytes(&main)?,
        };
        if main.is_none() && service.named_instance().is_some() {
            return Ok(None);
        }
        let main = main.unwrap_or_default();
        let master = self.bytes(&master)?.unwrap_or_default();
        let main_cf = MainCf::parse(&main);
        Ok(Some(PostfixLive {
            queue: queue::count(self, &main_cf),
            main_cf,
            master_cf: MasterCf::shared(&master),
            main_cf_sha256: sha256_hex(&main),
            master_cf_sha256: sha256_hex(&master),
            environment: self.environment()?,
            running: Running::NotHere,
        }))
    }

    /// The default instance, where another one is observed.
    pub(super) fn default_beside(
        &self,
        services: &LiveServices,
    ) -> Result<Option<DefaultInstance>, MachineError> {
        if services.keys().all(|one| one.named_instance().is_none()) {
            return Ok(None);
        }
        let all = services.keys().cloned().collect();
        let found = self.configuration(&Service::POSTFIX, &all)?;
        Ok(found.map(|found| DefaultInstance {
            main_cf: found.main_cf,
            master_cf: found.master_cf,
        }))
    }

    /// main.cf of the default instance of a fresh host, which lists these services as postmulti(1) does.
    pub(super) fn listing_main_cf<'s>(
        &self,
        services: impl Iterator<Item = &'s Service>,
    ) -> Vec<u8> {
        let named = services.filter(|service| service.named_instance().is_some());
        let folders: Vec<String> = named.map(Service::folder).collect();
        let mut bytes = self.debian_main_cf();
        if !folders.is_empty() {
            let list = format!("multi_instance_directories = {}\n", folders.join(" "));
            bytes.extend_from_slice(list.as_bytes());
        }
        bytes
    }

    /// The name of the host, and the mail name in its folder. A folder has no networks.
    fn environment(&self) -> Result<HostEnvironment, MachineError> {
        let mail_name = self.bytes(MAIL_NAME)?;
        let mail_name = mail_name.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            text.lines().next().unwrap_or_default().trim().to_owned()
        });
        Ok(HostEnvironment {
            hostname: Some(self.host.to_string()),
            mail_name,
            ..HostEnvironment::default()
        })
    }

    /// A file of the configuration of a fresh host: the default instance as Debian's package leaves it, and any other
    /// one as postmulti(1) creates it.
    pub(super) fn fresh(&self, path: &str) -> Option<Vec<u8>> {
        let folder = path.strip_prefix("/etc/")?;
        let (folder, file) = folder.split_once('/')?;
        let instance = Instance::new(folder).ok()?;
        match (file, instance) {
            ("main.cf", Instance::Default) => Some(self.debian_main_cf()),
            ("main.cf", Instance::Named(name)) => Some(
                INSTANCE_MAIN_CF
                    .replace("@NAME@", name.as_str())
                    .into_bytes(),
            ),
            ("master.cf", _) => Some(DEBIAN_MASTER_CF.to_vec()),
            _ => None,
        }
    }

    /// main.cf as Debian's package leaves it on a host of this name.
    fn debian_main_cf(&self) -> Vec<u8> {
        let domain = self
            .host
            .as_str()
            .split_once('.')
            .map_or("localdomain", |(_, domain)| domain);
        DEBIAN_MAIN_CF
            .replace("@HOST@", self.host.as_str())
            .replace("@DOMAIN@", domain)
            .into_bytes()
    }
}

/// The paths of main.cf and master.cf of a service.
pub(super) fn files(service: &Service) -> [String; 2] {
    let folder = service.folder();
    ["main.cf", "master.cf"].map(|name| format!("{folder}/{name}"))
}

const DEBIAN_MAIN_CF: &str = include_str!("main.cf");
const DEBIAN_MASTER_CF: &[u8] = crate::postfix::DEBIAN_MASTER_CF.as_bytes();
