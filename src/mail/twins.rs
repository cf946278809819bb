//! Hosts that differ in nothing but their own names and addresses: mail for others takes the same way from each of them.

use super::input::HostInput;
use crate::digest::sha256_hex;

/// A digest of what the model of mail has read of a host, given as text, with marks in the place of its own names and addresses.
/// Hosts with equal digests are twins. Parameters that the model does not read, such as `smtpd_banner`, have no part in it.
pub(super) fn anonymous(mut text: String, input: &HostInput<'_>) -> String {
    for (mark, name) in [("\u{1}", input.name.as_str()), ("\u{2}", input.mailhost)] {
        // As it is, and as it is written in expressions, in files and in quotes.
        for separator in [".", "\\.", "\\\\.", "\\\\\\\\."] {
            let written = name.replace('.', separator);
            if text.contains(&written) {
                text = text.replace(&written, mark);
            }
        }
    }
    for address in input.addresses {
        text = text.replace(address.as_str(), "\u{3}");
    }
    sha256_hex(text.as_bytes())
}
