//! Hosts by SSH: a real sshd on loopback, and every way in which it says no.

mod become_root;
mod hostile;
mod keys;
mod many;

mod openssh;
mod prelogin;
pub mod sshd;
mod streams;
mod trust;
mod way;
