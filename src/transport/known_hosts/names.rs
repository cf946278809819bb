//! The names of a line: patterns by commas, or one hash.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// A host's name as known_hosts has it: bare on port 22, else `[name]:port`.
pub(super) fn with_port(name: &str, port: u16) -> String {
    if port == 22 {
        name.to_owned()
    } else {
        format!("[{name}]:{port}")
    }
}

/// Whether the names of a line name the host, which is in lower case.
pub(super) fn matches(names: &str, host: &str) -> bool {
    if let Some(hashed) = names.strip_prefix("|1|") {
        return hash_matches(hashed, host);
    }
    let hit = |pattern: &str| match pattern.contains(['*', '?']) {
        true => glob(&pattern.to_ascii_lowercase(), host),
        false => pattern.eq_ignore_ascii_case(host),
    };
    let mut found = false;
    for pattern in names.split(',') {
        // One negation that matches undoes the whole line (sshd(8)).
        match pattern.strip_prefix('!') {
            Some(pattern) if hit(pattern) => return false,
            Some(_) => {}
            None => found = found || hit(pattern),
        }
    }
    found
}

/// `salt|hash`, both base64: HMAC-SHA1 of the name under the salt.
fn hash_matches(hashed: &str, host: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else {
        return false;
    };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&salt) else {
        return false;
    };
    mac.update(host.as_bytes());
    mac.verify_slice(&hash).is_ok()
}

/// A name in the form that [`hash_matches`] finds again.
pub(super) fn hashed(host: &str, salt: &[u8]) -> String {
    // HMAC takes keys of any length, so this cannot fail.
    let hash = Hmac::<Sha1>::new_from_slice(salt).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(host.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    );
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// `*` and `?`, nothing else: in `[host]:port` the brackets stand for themselves.
///
/// Linear in practice and quadratic at worst: only the last `*` is tried again.
pub(in crate::transport) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || Some(&byte) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .unwrap_or_default()
        .iter()
        .all(|&byte| byte == b'*')
}
