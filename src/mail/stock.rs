//! The files that a distribution installs, as far as mail depends on them.

use std::sync::Arc;

use crate::postfix::{DEBIAN_MASTER_CF, INSTANCE_MAIN_CF, MainCf, MasterCf};
use crate::service::Service;

/// The aliases that Debian's package makes.
pub(super) const ALIASES: &str = "# See man 5 aliases for format\npostmaster:    root\n";

/// main.cf of a Debian host that was set up as "Internet Site", without comments and TLS.
const DEBIAN_MAIN_CF: &str = "\
append_dot_mydomain = no
compatibility_level = 3.6
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mydestination = $myhostname, localhost.localdomain, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
";

/// main.cf of the packages of Red Hat and its relatives, without comments and TLS.
const RED_HAT_MAIN_CF: &str = "\
compatibility_level = 2
inet_interfaces = localhost
inet_protocols = all
mydestination = $myhostname, localhost.$mydomain, localhost
unknown_local_recipient_reject_code = 550
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
";

/// main.cf and master.cf as a distribution installs them on a host, or as postmulti(1) makes them for an instance.
pub(super) fn files(
    distribution: &str,
    hostname: &str,
    service: &Service,
) -> (MainCf, Arc<MasterCf>) {
    if let Some(name) = service.named_instance() {
        let main_cf = INSTANCE_MAIN_CF.replace("@NAME@", name.as_str());
        let master_cf = MasterCf::shared(DEBIAN_MASTER_CF.as_bytes());
        return (MainCf::parse(main_cf.as_bytes()), master_cf);
    }
    let is_red_hat = matches!(
        distribution,
        "rhel" | "centos" | "rocky" | "almalinux" | "fedora" | "ol" | "amzn"
    );
    let main_cf = if is_red_hat {
        RED_HAT_MAIN_CF.to_owned()
    } else {
        format!("myhostname = {hostname}\n{DEBIAN_MAIN_CF}")
    };
    let master_cf = MasterCf::shared(DEBIAN_MASTER_CF.as_bytes());
    (MainCf::parse(main_cf.as_bytes()), master_cf)
}
