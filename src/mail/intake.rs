//! The services that take mail into the queue, smtpd(8) and pickup(8), as far as they decide what cleanup(8) does with it.

use super::maps::Known;
use super::reader::ParameterReader;
use super::table::LookupError;

/// The parameters that smtpd(8) and pickup(8) have in common.
#[derive(Debug)]
pub struct Intake {
    /// A content filter, which takes the mail another way.
    content_filter: Known<String>,
    /// Whether cleanup(8) rewrites addresses (`receive_override_options`).
    pub maps_addresses: bool,
}

impl Intake {
    /// Reads the parameters of a service.
    pub fn read(reader: &ParameterReader<'_, '_>) -> Self {
        Self {
            content_filter: reader.text("content_filter"),
            maps_addresses: !reader.view.overrides("no_address_mappings"),
        }
    }

    /// Fails where a content filter takes the mail another way (FILTER_README).
    ///
    /// # Errors
    /// If there is a filter, or it is not known whether there is one.
    pub fn unfiltered(&self) -> Known<()> {
        match self.content_filter.clone()?.as_str() {
            "" => Ok(()),
            filter => Err(LookupError::NotModelled(format!(
                "`content_filter = {filter}` takes the mail another way"
            ))),
        }
    }
}
