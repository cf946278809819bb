//! Where a message enters the murder, and what is other than usual then.

use std::collections::BTreeSet;

use super::smtpd::SmtpClient;

/// Where a message enters the murder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// At a host, over SMTP, from a client.
    Smtp(usize, SmtpClient),
    /// At a host, by sendmail(1).
    Submit(usize),
}

/// What is other than usual while a message is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Circumstances {
    /// Hosts that do not run.
    pub down: BTreeSet<usize>,
}
