//! The roles of a host by the instance of Postfix that has them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Host, Layer, Level, ServiceSpec, SettingSpec};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName};
use crate::service::{Instance, Service};

/// What the layers of a host say of one instance of Postfix alone; they are nearer than what the host says of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstanceLayers {
    /// main.cf parameters, the nearest layer first.
    pub settings: BTreeMap<Parameter, Vec<Layer<SettingSpec>>>,
    /// master.cf entries, the nearest layer first.
    pub services: BTreeMap<ServiceName, Vec<Layer<ServiceSpec>>>,
    /// Things that a module would manage, and that are left alone there.
    pub leave: Vec<Layer<String>>,
}

impl Host {
    /// The service that has a role.
    #[must_use]
    pub fn service_of(&self, role: &RoleName) -> &Service {
        self.placement.get(role).unwrap_or(&Service::POSTFIX)
    }

    /// The services that have its roles.
    #[must_use]
    pub fn roles_on(&self) -> BTreeSet<&Service> {
        self.roles
            .iter()
            .map(|role| self.service_of(role))
            .collect()
    }

    /// The service that a name of the host means, where nothing else tells: the default instance if it has a role, else
    /// the first one.
    #[must_use]
    pub fn main_service(&self) -> Service {
        self.roles_on()
            .first()
            .copied()
            .cloned()
            .unwrap_or_default()
    }

    /// The host as far as one service is concerned: the roles that are on it, and what the layers say of it.
    ///
    /// Settings, entries of master.cf and `leave` of a host, a site and the defaults count for every instance that has
    /// roles; a file counts for the instance in whose folder it is, else for the main one.
    #[must_use]
    pub fn part(&self, service: &Service) -> Cow<'_, Self> {
        let is_on = |role: &RoleName| self.service_of(role) == service;
        let own = self.instances.get(service);
        if self.roles.iter().all(is_on) && own.is_none() {
            return Cow::Borrowed(self);
        }
        let mut part = self.clone();
        part.roles.retain(is_on);
        // What `modules` says of a role is of its own instance.
        let is_here = |level: &Level| match level {
            Level::Role(role) => is_on(role),
            _ => true,
        };
        keep(&mut part.settings, |_, level| is_here(level));
        keep(&mut part.services, |_, level| is_here(level));
        keep(&mut part.vars, |_, level| is_here(level));
        keep(&mut part.files, |path, level| match level {
            Level::Role(_) => is_here(level),
            _ => self.service_of_file(path) == *service,
        });
        part.leave
            .retain(|layer| is_here(&layer.level) && self.is_of(service, &layer.value));
        if let Some(own) = own {
            put_first(&mut part.settings, &own.settings);
            put_first(&mut part.services, &own.services);
            part.leave.splice(0..0, own.leave.iter().cloned());
        }
        Cow::Owned(part)
    }

    /// The service that a file of the host is of.
    fn service_of_file(&self, path: &RemotePath) -> Service {
        let folder = path.as_str().strip_prefix("/etc/");
        let folder = folder.and_then(|rest| rest.split_once('/'));
        let named = folder.and_then(|(folder, _)| Instance::new(folder).ok());
        let named = named.map(Service::Postfix);
        let of_roles = named.filter(|service| self.roles_on().contains(service));
        of_roles.unwrap_or_else(|| self.main_service())
    }

    /// Whether what `leave` names may be of a service: a path is of one, anything else of all.
    fn is_of(&self, service: &Service, word: &str) -> bool {
        match RemotePath::new(word) {
            Ok(path) if word.starts_with('/') => self.service_of_file(&path) == *service,
            _ => true,
        }
    }
}

/// Keeps the layers that `wanted` names, and the things that have some.
fn keep<K: Ord, T>(things: &mut BTreeMap<K, Vec<Layer<T>>>, wanted: impl Fn(&K, &Level) -> bool) {
    things.retain(|key, layers| {
        layers.retain(|layer| wanted(key, &layer.level));
        !layers.is_empty()
    });
}

/// Puts nearer layers before those that are there.
fn put_first<K: Ord + Clone, T: Clone>(
    things: &mut BTreeMap<K, Vec<Layer<T>>>,
    nearer: &BTreeMap<K, Vec<Layer<T>>>,
) {
    for (key, layers) in nearer {
        let known = things.entry(key.clone()).or_default();
        known.splice(0..0, layers.iter().cloned());
    }
}
