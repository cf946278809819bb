//! Where mail goes: how Postfix rewrites, validates, routes and delivers each address on each host, without asking one.

pub mod table;
