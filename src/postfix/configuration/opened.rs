//! The lookup tables that a service opens.

use std::collections::BTreeSet;

use super::{ExpandError, View, programs};
use crate::postfix::catalogue::restrictions;
use crate::postfix::catalogue::tables::{self, Table};
use crate::postfix::split_list;

/// A table, and the parameter that names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenedTable {
    /// The parameter whose value names it.
    pub parameter: String,
    /// The table.
    pub table: Table,
}

impl View<'_> {
    /// The tables in a parameter's expanded value, in their order; empty if the parameter does not hold tables.
    ///
    /// # Errors
    /// Why the value is not known, or cannot be expanded.
    pub fn tables(&self, name: &str) -> Result<Vec<Table>, ExpandError> {
        if restrictions::is_list(name) || self.restriction_classes().contains(name) {
            let text = self.expanded(name).text?;
            let words = restrictions::read(&text).tables;
            return Ok(words.iter().flat_map(|word| tables::read(word)).collect());
        }
        if !tables::holds_tables(name) {
            return Ok(Vec::new());
        }
        Ok(tables::read(&self.expanded(name).text?))
    }

    /// The tables that a Postfix program (`smtpd`, `cleanup`) opens for reading when it runs as this service, each with the
    /// parameter that names it. The second list has the parameters whose tables are not known, each with the reason.
    #[must_use]
    pub fn opened_by(&self, program: &str) -> (Vec<OpenedTable>, Vec<(String, ExpandError)>) {
        let classes = self.restriction_classes();
        let classes = classes.iter().map(String::as_str);
        let names = programs::parameters_of(program).iter().copied();
        let names = names.chain(classes.filter(|_| program == programs::SMTPD));
        let (mut opened, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match self.tables(name) {
                Ok(found) => opened.extend(found.into_iter().map(|table| OpenedTable {
                    parameter: name.to_owned(),
                    table,
                })),
                Err(why) => unknown.push((name.to_owned(), why)),
            }
        }
        (opened, unknown)
    }

    /// The names in `smtpd_restriction_classes`, as far as they are known.
    pub(super) fn restriction_classes(&self) -> BTreeSet<String> {
        let names = self.expanded("smtpd_restriction_classes").text;
        names.map_or_else(
            |_| BTreeSet::new(),
            |names| split_list(&names).into_iter().collect(),
        )
    }

    /// The list of a restriction class by its name; `Some(None)` for one whose list only the host knows.
    pub(super) fn class_lists(&self) -> impl Fn(&str) -> Option<Option<String>> {
        let classes = self.restriction_classes();
        move |word| {
            let is_class = classes.contains(word);
            is_class.then(|| self.expanded(word).text.ok())
        }
    }
}
