//! The JSON Schema of a saved plan (`murder schema plan`).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::SealedDocument;
use crate::name::{
    HostName, Mode, Parameter, RemotePath, RoleName, ServiceName, TableType, UserName,
};
use crate::service::Service;
use crate::thing::Thing;

/// The JSON Schema of a saved plan.
#[must_use]
pub fn plan_schema() -> serde_json::Value {
    schemars::schema_for!(SealedDocument).to_value()
}

/// Names are texts.
macro_rules! names {
    ($($name:ident: $text:literal;)*) => {
        $(impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $text })
            }
        })*
    };
}

names! {
    HostName: "The name of a host.";
    Mode: "Permission bits, octal: `0640`.";
    Parameter: "The name of a main.cf parameter.";
    RemotePath: "An absolute path on the host.";
    RoleName: "The name of a role.";
    Service: "`postfix`, or the instance of Postfix: `postfix-out`.";
    ServiceName: "An entry of master.cf: `smtp/inet`.";
    TableType: "A type of tables, as in `postconf -m`.";
    Thing: "A file's path, `main.cf:NAME`, `master.cf:NAME/TYPE`, `master.cf:NAME/TYPE/FIELD`, or `master.cf:NAME/TYPE:OPTION`.";
    UserName: "A user or group of the host.";
}
