//! The effective configuration of one Postfix: main.cf, master.cf, and the defaults of its release and compatibility level.
//!
//! A [`Configuration`] computes a value only when it is asked for it, so that making one for each of many hosts is cheap.
//! A value that depends on something unknown is [`Unknown`], with the reason.

mod classes;
mod covers;
mod environment;
mod files;
mod listeners;
mod lists;
mod opened;
mod programs;
mod proxied;
mod recipients;
mod relaying;
mod release;
mod services;
mod settings;
mod table_results;
mod transports;
mod value;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::name::ServiceName;
use crate::postfix::{catalogue, defaults, expand};

pub use classes::{AddressClass, AskTable, Classes, Membership};
pub use covers::covers;
pub use environment::{HostEnvironment, Networks};
pub use files::{FilePurpose, OpenedFile, file_of};
pub use listeners::{Listener, ListensOn, PortReach, is_same_port};
pub use lists::MemberList;
pub use opened::OpenedTable;
pub use programs::reads;
pub use proxied::{DeniedTable, ProxyProblem};
pub use recipients::SwitchedOff;
pub use relaying::{Relaying, is_wide};
pub use release::{Release, ReleaseDefault};
pub use services::RunningService;
pub use settings::{ConfigurationFiles, SetValues, Setting};
pub use table_results::TableTexts;
pub use transports::TransportUse;
pub use value::{ExpandError, Expanded, RawValue, Unknown, ValueSource};

use environment::domain_of;

/// The effective configuration of one Postfix.
#[derive(Clone, Copy)]
pub struct Configuration<'a> {
    settings: &'a dyn SetValues,
    release: Release,
    environment: &'a HostEnvironment,
}

/// The configuration of one service of master.cf, or of main.cf alone.
#[derive(Clone, Copy)]
pub struct View<'a> {
    configuration: Configuration<'a>,
    service: Option<&'a ServiceName>,
}

impl<'a> Configuration<'a> {
    /// The configuration of these settings and the defaults of a release.
    #[must_use]
    pub fn new(
        settings: &'a dyn SetValues,
        release: Release,
        environment: &'a HostEnvironment,
    ) -> Self {
        Self {
            settings,
            release,
            environment,
        }
    }

    /// The configuration of main.cf, without the options of services.
    #[must_use]
    pub fn main(self) -> View<'a> {
        View {
            configuration: self,
            service: None,
        }
    }

    /// The configuration of a service, its `-o` options included.
    #[must_use]
    pub fn service(self, service: &'a ServiceName) -> View<'a> {
        View {
            configuration: self,
            service: Some(service),
        }
    }
}

impl<'a> View<'a> {
    /// The value of a parameter before expansion: from the service's options, from main.cf, or the default.
    ///
    /// # Errors
    /// Why the value is not known.
    pub fn get(&self, name: &str) -> Result<RawValue<'a>, Unknown> {
        let Configuration {
            settings, release, ..
        } = self.configuration;
        if let Some(service) = self.service {
            if let Some(text) = settings.option(service, name) {
                return Ok(raw(text, ValueSource::Option));
            }
            if name == "service_name" {
                return Ok(raw(service.parts().0, ValueSource::Default));
            }
        }
        let setting = settings.parameter(name);
        // Postfix ignores these in main.cf.
        if let Setting::Value(text) = setting
            && !defaults::OF_THE_PROCESS.contains(&name)
        {
            return Ok(raw(text, ValueSource::MainCf));
        }
        let assumed = setting == Setting::Unknown;
        let source = if assumed {
            ValueSource::Assumed
        } else {
            ValueSource::Default
        };
        let unknown = |reason| Unknown {
            name: name.to_owned(),
            reason,
        };
        match release.default_value(name) {
            ReleaseDefault::Text(text) => Ok(raw(text, source)),
            ReleaseDefault::OfTheMachine => {
                let text = self.of_the_machine(name)?;
                Ok(RawValue {
                    text: Cow::Owned(text),
                    source,
                })
            }
            ReleaseDefault::Unknown => Err(unknown("its default in this release is not known")),
            ReleaseDefault::Missing => {
                // The default of a service's parameter is another parameter.
                let suffix = catalogue::service_parameter(name).map(|(_, suffix)| suffix);
                match suffix.and_then(defaults::of_suffix) {
                    Some(default) => Ok(RawValue {
                        text: Cow::Owned(format!("${default}")),
                        source,
                    }),
                    None if assumed => Err(unknown("only the host knows whether it is set")),
                    None => Ok(raw("", ValueSource::Undefined)),
                }
            }
        }
    }

    /// The value that the service itself sets with `-o`.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&'a str> {
        self.configuration.settings.option(self.service?, name)
    }

    /// Whether main.cf, or an option of the service, sets a parameter.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        let value = self.get(name);
        value.is_ok_and(|value| matches!(value.source, ValueSource::MainCf | ValueSource::Option))
    }

    /// The default of a parameter that depends on the host.
    fn of_the_machine(&self, name: &str) -> Result<String, Unknown> {
        let environment = self.configuration.environment;
        let unknown = |reason| Unknown {
            name: name.to_owned(),
            reason,
        };
        let made = match name {
            "myhostname" => {
                let hostname = environment.hostname.as_deref();
                let hostname = hostname.ok_or_else(|| unknown("the host's name is not known"))?;
                if hostname.contains('.') {
                    return Ok(hostname.to_owned());
                }
                // get_hostname() of Postfix appends the `mydomain` of main.cf.
                return match self.configuration.settings.parameter("mydomain") {
                    Setting::Value(_) => Ok(format!("{hostname}.$mydomain")),
                    Setting::Default => Ok(format!("{hostname}.{}", domain_of(hostname))),
                    Setting::Unknown => Err(unknown("only the host knows its `mydomain`")),
                };
            }
            "mydomain" => self
                .expanded("myhostname")
                .text
                .map(|hostname| domain_of(&hostname).to_owned()),
            "mynetworks" => {
                let style = self.expanded("mynetworks_style").text;
                let networks = |style: String| {
                    let networks = environment.networks.of_style(&style);
                    let networks = networks.map(str::to_owned);
                    networks.ok_or_else(|| unknown("the host's networks are not known").into())
                };
                style.and_then(networks)
            }
            _ => Err(unknown("each process has its own").into()),
        };
        made.map_err(|error| match error {
            ExpandError::Unknown(unknown) => unknown,
            ExpandError::Syntax(_) => unknown("a value that it needs cannot be expanded"),
        })
    }

    /// The value of a parameter with its references replaced, as Postfix programs read it. The few parameters that Postfix
    /// does not expand (`catalogue::is_expanded`) keep their text.
    #[must_use]
    pub fn expanded(&self, name: &str) -> Expanded {
        match self.get(name) {
            Ok(value) if catalogue::is_expanded(name) => {
                let mut expanded = self.expand(&value.text);
                if name == "myorigin"
                    && let Ok(text) = &expanded.text
                    && text.starts_with('/')
                {
                    expanded.text = self.first_line(name, text);
                }
                expanded
            }
            raw => Expanded {
                text: raw.map(|value| value.text.into_owned()).map_err(Into::into),
                syntax: None,
                uses: BTreeSet::new(),
            },
        }
    }

    /// A text with its references replaced by their values for this service.
    #[must_use]
    pub fn expand(&self, text: &str) -> Expanded {
        let mut uses = BTreeSet::new();
        let mut unknown = None;
        let functions = self.configuration.release.functions();
        let result = expand::expand_with(text.as_bytes(), functions, &mut |name| {
            let name = std::str::from_utf8(name).ok()?;
            match self.get(name) {
                Ok(value) => {
                    uses.insert((name.to_owned(), value.source));
                    let defined = value.source != ValueSource::Undefined;
                    defined.then(|| value.text.into_owned().into_bytes())
                }
                Err(why) => {
                    unknown.get_or_insert(why);
                    None
                }
            }
        });
        let syntax = result.as_ref().err().cloned();
        let text = match (unknown, result) {
            (Some(unknown), _) => Err(ExpandError::Unknown(unknown)),
            (None, Ok(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
            (None, Err(problem)) => Err(ExpandError::Syntax(problem)),
        };
        Expanded { text, syntax, uses }
    }

    /// The first line of the file that a value names; known only for Debian's `/etc/mailname`.
    fn first_line(&self, name: &str, path: &str) -> Result<String, ExpandError> {
        let mail_name = &self.configuration.environment.mail_name;
        let known = mail_name.clone().filter(|_| path == "/etc/mailname");
        known.ok_or_else(|| {
            ExpandError::Unknown(Unknown {
                name: name.to_owned(),
                reason: "it is in a file that nothing has read",
            })
        })
    }
}

fn raw(text: &str, source: ValueSource) -> RawValue<'_> {
    RawValue {
        text: Cow::Borrowed(text),
        source,
    }
}

#[cfg(test)]
mod tests;
