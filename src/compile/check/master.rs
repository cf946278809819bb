//! Checks values that master.cf cannot hold: master(8) stops with a fatal error at one wrong entry.

use crate::postfix::{check_option, command_of};
use crate::thing::{Field, Thing};

/// The message and the hint for a value that master.cf cannot hold; none if it can.
pub(super) fn unwritable(thing: &Thing, value: &str) -> Option<(String, String)> {
    match thing {
        Thing::Field(service, Field::Private) if service.parts().1 == "inet" && value != "n" => {
            Some((
                format!("`{service}` is reached over the network, so it cannot be private"),
                "write `private: n`, or leave it out: `-` means `y`, and Postfix would not start"
                    .to_owned(),
            ))
        }
        Thing::Field(service, Field::Command) => {
            let why = command_of(value).err()?;
            let hint = if why.contains("`-o ") {
                "write it under `options`, as in `options: {soft_bounce: no}`"
            } else {
                "balance its braces, and write no blanks in its first argument"
            };
            Some((
                format!("master.cf cannot hold the command of `{service}`: {why}"),
                hint.to_owned(),
            ))
        }
        Thing::Option(..) => {
            let why = check_option(value).err()?;
            Some((
                format!("master.cf cannot hold the value of `{thing}`: {why}"),
                "give each `{` its `}`".to_owned(),
            ))
        }
        _ => None,
    }
}
