//! A module as it is for another instance of Postfix: in its texts, `/etc/postfix/` stands for the folder of the instance.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Module, Modules};
use crate::model::{ContentSpec, FileSpec, Host, ServiceSpec, SettingSpec};
use crate::name::RoleName;
use crate::service::Service;
use crate::thing::Thing;

/// How modules begin the paths of files in the folder of the configuration.
const FOLDER: &str = "/etc/postfix/";

impl Modules {
    /// The modules for a service: themselves for the default instance of Postfix.
    #[must_use]
    pub fn of_service(&self, service: &Service) -> Cow<'_, Self> {
        if service.named_instance().is_none() {
            return Cow::Borrowed(self);
        }
        let modules = self.0.iter();
        let modules = modules.map(|(role, module)| (role.clone(), module.of_service(service)));
        Cow::Owned(Self(modules.collect()))
    }

    /// The service that has the role of a host with a capability.
    #[must_use]
    pub fn placed<'h>(&self, host: &'h Host, capability: &str) -> Option<&'h Service> {
        let provides = |role: &&RoleName| {
            let module = self.0.get(*role);
            module.is_some_and(|module| module.provides.contains(capability))
        };
        let role = host.roles.iter().find(provides)?;
        Some(host.service_of(role))
    }
}

impl Module {
    fn of_service(&self, service: &Service) -> Self {
        let text = |text: &str| text.replace(FOLDER, &format!("{}/", service.folder()));
        let placed = |thing: &Thing| match thing {
            Thing::File(path) => Thing::File(service.placed(path)),
            other => other.clone(),
        };
        let mut module = self.clone();
        for layer in module.settings.values_mut() {
            if let SettingSpec::Value(value) = &mut layer.value {
                *value = text(value);
            }
        }
        for layer in module.services.values_mut() {
            layer.value = of_entry(&layer.value, &text);
        }
        for layer in module.files.values_mut() {
            layer.value = of_file(&layer.value, &text);
        }
        for layer in module.when.values_mut() {
            layer.value = text(&layer.value);
        }
        for check in &mut module.checks {
            check.when.value = text(&check.when.value);
            check.text.value = text(&check.text.value);
            check.hint = check.hint.as_deref().map(text);
        }
        for template in module.templates.values_mut() {
            template.text = Arc::from(text(&template.text));
        }
        module.files = with_keys(module.files, |path| service.placed(path));
        module.per = with_keys(module.per, |path| service.placed(path));
        module.when = with_keys(module.when, placed);
        module
    }
}

/// The same map with other keys.
fn with_keys<K: Ord, V>(map: BTreeMap<K, V>, key: impl Fn(&K) -> K) -> BTreeMap<K, V> {
    map.into_iter()
        .map(|(old, value)| (key(&old), value))
        .collect()
}

fn of_file(file: &FileSpec, text: &impl Fn(&str) -> String) -> FileSpec {
    let mut file = file.clone();
    if let FileSpec::Present { content, .. } = &mut file {
        *content = match content {
            ContentSpec::Literal(body) => ContentSpec::Literal(text(body)),
            ContentSpec::Template { name, text: body } => ContentSpec::Template {
                name: name.clone(),
                text: text(body),
            },
        };
    }
    file
}

fn of_entry(entry: &ServiceSpec, text: &impl Fn(&str) -> String) -> ServiceSpec {
    let ServiceSpec::Entry { fields, options } = entry else {
        return entry.clone();
    };
    let fields = fields.iter().map(|(field, value)| (*field, text(value)));
    let options: BTreeMap<_, _> = options
        .iter()
        .map(|(name, value)| (name.clone(), value.as_deref().map(text)))
        .collect();
    ServiceSpec::Entry {
        fields: fields.collect(),
        options,
    }
}
