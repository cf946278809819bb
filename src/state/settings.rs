//! The values that main.cf and master.cf set once a host has what it must have.

use crate::name::{Parameter, ServiceName};
use crate::postfix::configuration::{SetValues, Setting};
use crate::postfix::{MainCf, MasterCf, MasterEntry};
use crate::thing::{Field, Thing};

use super::desired::{DesiredService, Want};

/// The values of the desired state, and those of two files for all else.
#[derive(Debug, Clone)]
pub struct DesiredSettings<'a> {
    main_cf: &'a MainCf,
    desired: &'a DesiredService,
    entries: Vec<MasterEntry>,
}

impl<'a> DesiredSettings<'a> {
    /// The desired state over these files.
    #[must_use]
    pub fn new(main_cf: &'a MainCf, master_cf: &MasterCf, desired: &'a DesiredService) -> Self {
        let mut entries = master_cf.services().to_vec();
        // An entry that the file lacks begins with its command.
        for (thing, want) in &desired.values {
            if let (Thing::Field(service, Field::Command), Want::Present(command)) = (thing, want)
                && !entries.iter().any(|entry| is(entry, service))
            {
                let (name, kind) = service.parts();
                let line = format!("{name} {kind} - - - - - {command}");
                entries.extend(MasterEntry::of_line(&line));
            }
        }
        for (thing, want) in &desired.values {
            match (thing, want) {
                (Thing::Service(service), Want::Absent) => {
                    entries.retain(|entry| !is(entry, service));
                }
                (Thing::Field(service, _) | Thing::Option(service, _), want) => {
                    let value = match want {
                        Want::Present(value) => Some(value.as_str()),
                        Want::Absent => None,
                    };
                    if let Some(entry) = entries.iter_mut().rfind(|entry| is(entry, service)) {
                        // Values that cannot be written were refused when the host was compiled.
                        let _ = entry.change(thing, value);
                    }
                }
                _ => {}
            }
        }
        Self {
            main_cf,
            desired,
            entries,
        }
    }
}

fn is(entry: &MasterEntry, service: &ServiceName) -> bool {
    let (name, kind) = service.parts();
    entry.matches(name.as_bytes(), kind.as_bytes())
}

impl SetValues for DesiredSettings<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        let thing = Parameter::new(name).ok().map(Thing::Parameter);
        match thing.and_then(|thing| self.desired.values.get(&thing)) {
            Some(Want::Present(text)) => Setting::Value(text),
            Some(Want::Absent) => Setting::Default,
            None => self
                .main_cf
                .get(name)
                .map_or(Setting::Default, Setting::Value),
        }
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        let entry = self.entries.iter().rfind(|entry| is(entry, service))?;
        entry.option_text(name)
    }

    fn entries(&self) -> Option<&[MasterEntry]> {
        Some(&self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// postconf(1): a value of the desired state takes the place of the file's.
    #[test]
    fn the_desired_state_is_over_the_files() {
        let main_cf = MainCf::parse(b"relayhost = [a]\nmyorigin = b\nmydomain = c\n");
        let master_cf =
            MasterCf::parse(b"smtp inet n - y - - smtpd -o x=1 -o y=2\nold unix - - n - - pipe\n");
        let service = |name: &str| ServiceName::new(name).ok();
        let mut desired = DesiredService::default();
        let set = |thing: Option<Thing>, want: Want<String>, desired: &mut DesiredService| {
            desired.values.extend(thing.map(|thing| (thing, want)));
        };
        let parameter = |name: &str| Parameter::new(name).ok().map(Thing::Parameter);
        let option = |name: &str| {
            Some(Thing::Option(
                service("smtp/inet")?,
                Parameter::new(name).ok()?,
            ))
        };
        set(
            parameter("relayhost"),
            Want::Present("[z]".to_owned()),
            &mut desired,
        );
        set(parameter("myorigin"), Want::Absent, &mut desired);
        set(option("x"), Want::Absent, &mut desired);
        set(option("y"), Want::Present("3".to_owned()), &mut desired);
        set(
            service("old/unix").map(Thing::Service),
            Want::Absent,
            &mut desired,
        );
        let new = service("new/unix").map(|service| Thing::Field(service, Field::Command));
        set(new, Want::Present("smtp -o z=4".to_owned()), &mut desired);
        let settings = DesiredSettings::new(&main_cf, &master_cf, &desired);
        assert_eq!(settings.parameter("relayhost"), Setting::Value("[z]"));
        assert_eq!(settings.parameter("myorigin"), Setting::Default);
        assert_eq!(settings.parameter("mydomain"), Setting::Value("c"));
        let of = |service: Option<ServiceName>, name| {
            service.and_then(|service| settings.option(&service, name).map(str::to_owned))
        };
        assert_eq!(of(service("smtp/inet"), "x"), None);
        assert_eq!(of(service("smtp/inet"), "y").as_deref(), Some("3"));
        assert_eq!(of(service("new/unix"), "z").as_deref(), Some("4"));
        let names = settings
            .entries()
            .unwrap_or_default()
            .iter()
            .map(MasterEntry::name);
        assert_eq!(names.collect::<Vec<_>>(), ["smtp", "new"]);
    }
}
