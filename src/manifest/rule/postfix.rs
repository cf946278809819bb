//! Names and values of main.cf and master.cf.

use super::holds::{is_number, named, require};
use crate::manifest::shape::Rule;
use crate::name::{Parameter, ServiceName, TableType};
use crate::service::Instance;
use crate::thing::Thing;

/// A main.cf parameter's name.
pub static PARAMETER: Rule = Rule {
    what: "a main.cf parameter",
    hint: "write a name as postconf(5) has it, such as `relayhost`",
    check: |text| named(Parameter::new(text)),
};

/// A main.cf value; empty is a value too.
pub static VALUE: Rule = Rule {
    what: "a main.cf value",
    hint: "write it as main.cf has it",
    check: |_| Ok(()),
};

/// A member of a comma- or blank-separated list of main.cf.
pub static MEMBER: Rule = Rule {
    what: "a member of a main.cf list",
    hint: "write one member of the list, such as `hash:/etc/postfix/x`",
    check: |text| require(!text.trim().is_empty(), "it is empty"),
};

/// An instance of Postfix, as postmulti(1) names it.
pub static INSTANCE: Rule = Rule {
    what: "an instance of Postfix",
    hint: "write `postfix-` and a name, such as `postfix-out` (its configuration is in /etc/postfix-out), or `postfix` for the default instance",
    check: |text| {
        require(
            Instance::new(text).is_ok(),
            "postmulti(1) gives names that begin with `postfix-`",
        )
    },
};

/// A master.cf entry's name.
pub static SERVICE: Rule = Rule {
    what: "a master.cf service",
    hint: "write the name and type of the master.cf line, such as `lmtp/unix` or `smtp/inet`",
    check: |text| named(ServiceName::new(text)),
};

/// A yes-or-no column of master.cf (master(5)).
pub static YES_NO: Rule = Rule {
    what: "`y`, `n` or `-`",
    hint: "write `y`, `n`, or `\"-\"` for the default",
    check: |text| {
        require(
            matches!(text, "y" | "n" | "-"),
            "master.cf accepts nothing else",
        )
    },
};

/// The wake-up column of master.cf (master(5)): seconds, with `?` only for services in use.
pub static WAKEUP: Rule = Rule {
    what: "a number of seconds, also with `?`, or `-`",
    hint: "write seconds such as `60` or `60?`, `0` for never, or `-` for the default",
    check: |text| {
        let digits = text.strip_suffix('?').unwrap_or(text);
        require(
            text == "-" || is_number(digits),
            "master.cf accepts nothing else",
        )
    },
};

/// The process limit column of master.cf (master(5)).
pub static PROCESS_LIMIT: Rule = Rule {
    what: "a number of processes or `-`",
    hint: "write a number such as `50`, `0` for no limit, or `-` for the default",
    check: |text| {
        require(
            text == "-" || is_number(text),
            "master.cf accepts nothing else",
        )
    },
};

/// The command column of master.cf.
pub static COMMAND: Rule = Rule {
    what: "a command",
    hint: "write the program and its arguments, such as `smtpd` or `pipe flags=R user=x argv=/bin/y`",
    check: |text| require(!text.trim().is_empty(), "it is empty"),
};

/// A Postfix table type.
pub static TABLE_TYPE: Rule = Rule {
    what: "a Postfix table type",
    hint: "write a type as `postconf -m` lists it, such as `hash` or `lmdb`",
    check: |text| named(TableType::new(text)),
};

/// postconf(5) `recipient_delimiter`, one character of it.
pub static DELIMITER: Rule = Rule {
    what: "one character",
    hint: "write `\"+\"`, which is what Cyrus and Postfix use",
    check: |text| {
        require(text.chars().count() == 1, "it is not one character")?;
        require(
            text.chars().all(|c| "+-_=.#~!%^&".contains(c)),
            "it cannot separate a local part from its extension",
        )
    },
};

/// A thing as `leave:` names it.
pub static THING: Rule = Rule {
    what: "a parameter, a path, or a service",
    hint: "write `relayhost`, `/etc/postfix/access` or `lmtp/unix`",
    check: |text| {
        let is_entry = text.contains('/') && !text.starts_with('/');
        if is_entry
            && (ServiceName::new(text).is_ok()
                || format!("master.cf:{text}").parse::<Thing>().is_ok())
        {
            return Ok(());
        }
        named(text.parse::<Thing>())
    },
};
