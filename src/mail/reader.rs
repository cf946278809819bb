//! Reads the parameters of one service into the form that the model uses.

use super::address::ExtensionRules;
use super::maps::{AddressLookup, Known, LocalDomains, Maps};
use super::table::{HostTables, LookupError, MatchStyle, NameList};
use crate::postfix::configuration::View;
use crate::postfix::split_list;

/// Reads parameters of one service.
pub struct ParameterReader<'a, 'v> {
    /// Its effective configuration.
    pub view: View<'v>,
    /// The tables of the host.
    pub tables: &'a mut HostTables,
}

impl<'a, 'v> ParameterReader<'a, 'v> {
    /// A reader of one service, with the tables of its host.
    pub fn new(view: View<'v>, tables: &'a mut HostTables) -> Self {
        Self { view, tables }
    }

    /// The expanded value.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn text(&self, name: &str) -> Known<String> {
        let text = self.view.expanded(name).text;
        text.map_err(|why| LookupError::NotModelled(format!("`{name}`: {why}")))
    }

    /// The value, or an empty one if it is not known.
    #[must_use]
    pub fn text_or_empty(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// Whether the value is `yes`.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.text_or_empty(name).eq_ignore_ascii_case("yes")
    }

    /// Whether `propagate_unmatched_extensions` has a class of tables.
    #[must_use]
    pub fn propagates(&self, class: &str) -> bool {
        let classes = split_list(&self.text_or_empty("propagate_unmatched_extensions"));
        classes.iter().any(|one| one == class)
    }

    /// The value as a number.
    #[must_use]
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.text_or_empty(name).parse().unwrap_or(default)
    }

    /// The tables of a parameter.
    pub fn maps(&mut self, name: &str) -> Maps {
        let tables = self.text(name);
        let tables = tables.map(|value| self.tables.of_parameter(name, &value));
        Maps {
            parameter: name.to_owned(),
            tables,
        }
    }

    /// The members of a list of domains. `relay_domains` and others match subdomains too.
    ///
    /// # Errors
    /// Why the value is not known.
    pub fn names(&mut self, name: &str, style: MatchStyle) -> Known<NameList> {
        self.text(name)
            .map(|value| self.tables.names(&value, style))
    }

    /// How a parameter's domains match subdomains (`parent_domain_matches_subdomains`).
    #[must_use]
    pub fn style(&self, name: &str) -> MatchStyle {
        let listed = split_list(&self.text_or_empty("parent_domain_matches_subdomains"));
        if listed.iter().any(|word| word == name) {
            MatchStyle::Parents
        } else {
            MatchStyle::DottedParents
        }
    }

    /// How the service looks up addresses.
    pub fn address_lookup(&mut self) -> AddressLookup {
        AddressLookup {
            extensions: ExtensionRules {
                delimiters: self.text_or_empty("recipient_delimiter"),
                owner_request_special: self.is_on("owner_request_special"),
                double_bounce: self.text_or_empty("double_bounce_sender"),
            },
            local: LocalDomains {
                myorigin: self.text("myorigin"),
                mydestination: self.names("mydestination", MatchStyle::Exact),
            },
        }
    }
}
