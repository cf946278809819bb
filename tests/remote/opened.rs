//! Files that parameters name: an apply looks at them again.

use murder::machine::remote::Remote;
use murder::machine::{Activation, Apply, Ending, NotDone};
use murder::postfix::Edit;
use murder::service::Service;
use murder::state::References;

use super::applying::{orders, parameter, refused};
use super::host::Host;
use super::{fingerprint, path};

#[test]
fn a_file_that_a_parameter_names_is_looked_at_again_before_anything_changes() {
    let host = Host::running();
    host.run("mkdir -p /etc/tls; cd /etc/tls; echo x >key; chmod 0600 key; echo x >map; chmod 0644 map; echo x >shut; chmod 0600 shut");
    let told = |run: &str, opens: &References| {
        let mut orders = orders(&host, run, &[]);
        let edit = Edit::Set(parameter("bounce_queue_lifetime"), "3d".to_owned());
        let service = orders.service_mut(&Service::POSTFIX);
        service.edits.push(edit);
        service.activation = Activation::Reload;
        orders.opens = opens.clone();
        orders
    };
    let before = fingerprint(&host);
    for (number, (file, of_postfix, why)) in [
        ("/etc/tls/gone", false, "it does not exist"),
        ("/etc/tls/gone", true, "it does not exist"),
        ("/etc/tls", false, "it is no file"),
        ("/etc/tls/shut", true, "user postfix cannot read it"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut opens = References::default();
        opens.files.insert(path("/etc/tls/key"));
        opens.of_postfix.insert(path("/etc/tls/map"));
        match of_postfix {
            true => opens.of_postfix.insert(path(file)),
            false => opens.files.insert(path(file)),
        };
        let ending = refused(&host, &told(&format!("r{number}"), &opens));
        let Ending::NotDone(NotDone::Untouched { error }) = ending else {
            panic!("{ending:?}")
        };
        let said = error.summary;
        assert!(said.contains(file) && said.contains(why), "{said}");
        assert_eq!(fingerprint(&host), before);
    }
    let mut opens = References::default();
    opens.files.insert(path("/etc/tls/key"));
    opens.of_postfix.insert(path("/etc/tls/map"));
    let done = Remote::new(host.shell()).perform(&told("r9", &opens), None);
    assert!(matches!(done.unwrap().ending, Ending::Done));
}
