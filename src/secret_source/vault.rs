//! Secrets in a KV v2 store of HashiCorp Vault or OpenBao, over HTTPS: one login for all secrets of a server, and one read
//! for all keys of a path.

use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use super::vault_answer::{Login, Reading, Value, errors};
use super::{Text, file};
use crate::diagnostic::Diagnostic;
use crate::http::{HttpAnswer, HttpClient, HttpError, HttpLimits};
use crate::nearest;
use crate::secret::{SecretSource, VaultLogin, VaultServer, VaultSource};

/// For each exchange. Vault answers in milliseconds, or its storage is gone.
const LIMITS: HttpLimits = HttpLimits {
    time: Duration::from_secs(15),
    bytes: 1 << 20,
};

/// The largest file of certificates.
const MOST_CERTIFICATES: u64 = 1 << 20;

/// Reads these values of one server, in their order.
pub(super) fn read(sources: &[&VaultSource]) -> Vec<Text> {
    let Some(first) = sources.first() else {
        return Vec::new();
    };
    let session = match Session::open(&first.server) {
        Ok(session) => session,
        Err(problem) => return sources.iter().map(|_| Err(problem.clone())).collect(),
    };
    let mut answers: Vec<(String, Result<HttpAnswer, HttpError>)> = Vec::new();
    let mut texts = Vec::new();
    for source in sources {
        let place = place(source);
        if !answers.iter().any(|(known, _)| *known == place) {
            answers.push((place.clone(), session.get(&place)));
        }
        let answer = answers.iter().find(|(known, _)| *known == place);
        texts.push(match answer {
            Some((_, Ok(answer))) => session.value(source, answer),
            Some((_, Err(error))) => Err(session.unanswered(error)),
            None => Err(Diagnostic::error("internal error of `murder`")),
        });
    }
    session.close();
    texts
}

/// The path of a read in the API.
fn place(source: &VaultSource) -> String {
    let version = source
        .version
        .map_or(String::new(), |version| format!("?version={version}"));
    format!("{}/data/{}{version}", source.mount, source.path)
}

/// The body of a login by AppRole.
#[derive(Serialize)]
struct AppRole<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

/// The body of a login by a JWT.
#[derive(Serialize)]
struct Jwt<'a> {
    role: &'a str,
    jwt: &'a str,
}

/// A server, logged in to.
struct Session<'a> {
    client: HttpClient,
    address: String,
    namespace: Option<&'a str>,
    token: Zeroizing<String>,
    /// Whether this run made the token.
    own: bool,
}

impl<'a> Session<'a> {
    fn open(server: &'a VaultServer) -> Result<Self, Diagnostic> {
        let authorities = match &server.ca_file {
            Some(ca) => Some(file::public(&file::path_of(ca)?, MOST_CERTIFICATES)?),
            None => None,
        };
        let client = HttpClient::new(authorities.as_ref().map(|bytes| bytes.as_slice()), LIMITS);
        let mut session = Self {
            client: client.map_err(|error| {
                Diagnostic::error(format!("`ca_file` of `vault` cannot be used: {error}"))
                    .hint("let it be a file of certificates that begin with `-----BEGIN CERTIFICATE-----`")
            })?,
            address: address(server)?,
            namespace: server.namespace.as_deref(),
            token: Zeroizing::default(),
            own: false,
        };
        match &server.login {
            VaultLogin::Environment => session.token = environment_token()?,
            VaultLogin::Token(source) => session.token = way_in(source)?,
            VaultLogin::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let secret_id = way_in(secret_id)?;
                let body = AppRole {
                    role_id,
                    secret_id: &secret_id,
                };
                session.log_in(mount, "approle", &body, &secret_id)?;
            }
            VaultLogin::Jwt { mount, role, token } => {
                let token = way_in(token)?;
                let body = Jwt { role, jwt: &token };
                session.log_in(mount, "jwt", &body, &token)?;
            }
        }
        let fits = |b: u8| b.is_ascii_graphic();
        if session.token.is_empty() || !session.token.bytes().all(fits) {
            return Err(Diagnostic::error(
                "the token for Vault is empty or has a character that no token has",
            )
            .hint("check what the source of the token holds"));
        }
        Ok(session)
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = vec![("X-Vault-Request", "true")];
        headers.extend(
            self.namespace
                .map(|namespace| ("X-Vault-Namespace", namespace)),
        );
        if !self.token.is_empty() {
            headers.push(("X-Vault-Token", &self.token));
        }
        headers
    }

    fn get(&self, place: &str) -> Result<HttpAnswer, HttpError> {
        let url = format!("{}/v1/{place}", self.address);
        self.client.get(&url, &self.headers())
    }

    fn log_in(
        &mut self,
        mount: &str,
        method: &str,
        body: &impl Serialize,
        sent: &str,
    ) -> Result<(), Diagnostic> {
        let url = format!("{}/v1/auth/{mount}/login", self.address);
        let body = Zeroizing::new(serde_json::to_string(body).unwrap_or_default());
        let answer = self
            .client
            .post(&url, &self.headers(), body.as_bytes())
            .map_err(|error| self.unanswered(&error))?;
        let login = serde_json::from_slice::<Login>(&answer.body);
        match login.map(|login| login.auth.map(|auth| auth.client_token)) {
            Ok(Some(Value::Text(token))) if answer.status == 200 => {
                (self.token, self.own) = (token, true);
                Ok(())
            }
            _ => {
                let what = format!("Vault refused the login by `{method}`");
                let problem = self.refused(&what, &answer, &[sent]);
                Err(problem.hint(format!(
                    "check the role and its secret in `secret_sources.vault.{method}`, and that `auth/{mount}` is this method"
                )))
            }
        }
    }

    /// Ends a token of this run; it would end by itself, later.
    fn close(&self) {
        if self.own {
            let url = format!("{}/v1/auth/token/revoke-self", self.address);
            let _ = self.client.post(&url, &self.headers(), b"");
        }
    }

    /// What a read answered, as the text of the key.
    fn value(&self, source: &VaultSource, answer: &HttpAnswer) -> Text {
        let name = format!("`{}/{}`", source.mount, source.path);
        let reading = serde_json::from_slice::<Reading>(&answer.body);
        let data = reading.ok().and_then(|reading| reading.data);
        let metadata = data.as_ref().and_then(|data| data.metadata.as_ref());
        if answer.status == 404
            && metadata.is_some_and(|of| of.destroyed || !of.deletion_time.is_empty())
        {
            return Err(
                Diagnostic::error(format!("the version of {name} in Vault is deleted"))
                    .hint("undelete it (`vault kv undelete`), or name another `version`"),
            );
        }
        let data = match (answer.status, data) {
            (200, Some(data)) => data.data,
            _ => return Err(self.not_read(source, &name, answer)),
        };
        let mut values = data.unwrap_or_default();
        match values.remove(&source.key) {
            Some(Value::Text(text)) => Ok(text),
            Some(Value::Other) => Err(Diagnostic::error(format!(
                "`{}` of {name} in Vault is not a text",
                source.key
            ))
            .hint("store the secret as one text")),
            None => {
                let problem =
                    Diagnostic::error(format!("{name} in Vault has no key `{}`", source.key));
                let hint = nearest::hint(&source.key, values.keys().map(String::as_str));
                Err(problem.hint(hint.unwrap_or_else(|| {
                    format!(
                        "`vault kv get -mount={} {}` shows its keys",
                        source.mount, source.path
                    )
                })))
            }
        }
    }

    fn not_read(&self, source: &VaultSource, name: &str, answer: &HttpAnswer) -> Diagnostic {
        let (what, hint) = match answer.status {
            403 => (
                format!("Vault does not let this token read {name}"),
                format!(
                    "use a token that is valid, with a policy that has `read` on `{}/data/{}`",
                    source.mount, source.path
                ),
            ),
            404 => (
                format!("there is no {name} in Vault"),
                format!(
                    "check `path` and `mount` (`vault kv list -mount={}`): the path has no `data/`, and the store must be KV version 2",
                    source.mount
                ),
            ),
            503 => (
                format!("Vault did not give {name}"),
                "unseal it (`vault operator unseal`), or wait until its maintenance ends"
                    .to_owned(),
            ),
            _ => (
                format!("Vault did not give {name}"),
                format!("try `vault kv get -mount={} {}`", source.mount, source.path),
            ),
        };
        self.refused(&what, answer, &[]).hint(hint)
    }

    /// An answer that is no success, with the server's words.
    fn refused(&self, what: &str, answer: &HttpAnswer, sent: &[&str]) -> Diagnostic {
        let sent: Vec<&str> = sent.iter().copied().chain([self.token.as_str()]).collect();
        let said = match (&answer.location, answer.status) {
            (Some(location), 300..=399) => format!(
                "it answers with a redirect to `{location}`, and a token is sent to no other server"
            ),
            (_, 503) => "the server is sealed, or in maintenance".to_owned(),
            _ => errors(&answer.body, &sent).unwrap_or_default(),
        };
        let status = format!(
            "`{}` answers with HTTP status {}",
            self.address, answer.status
        );
        Diagnostic::error(what).detail(match said.is_empty() {
            true => status,
            false => format!("{status}: {said}"),
        })
    }

    fn unanswered(&self, error: &HttpError) -> Diagnostic {
        let problem = Diagnostic::error(format!(
            "the Vault server `{}` does not answer",
            self.address
        ))
        .detail(error.to_string());
        match error {
            HttpError::Failed(why) if why.contains("certificate") => problem.hint(
                "name the certificate of its authority: `secret_sources: {vault: {ca_file: PATH}}`",
            ),
            _ => problem.hint("check the address, and that it can be reached from here by HTTPS"),
        }
    }
}

/// The first of these variables of the environment that is set.
fn environment(names: [&str; 2]) -> Option<Zeroizing<String>> {
    let set = names.iter().find_map(|name| std::env::var(name).ok());
    set.filter(|text| !text.is_empty()).map(Zeroizing::new)
}

fn address(server: &VaultServer) -> Result<String, Diagnostic> {
    if let Some(address) = &server.address {
        return Ok(address.clone());
    }
    let Some(address) = environment(["VAULT_ADDR", "BAO_ADDR"]) else {
        return Err(
            Diagnostic::error("there is no address of a Vault server").hint(
                "write `secret_sources: {vault: {address: \"https://HOST:8200\"}}`, or export `VAULT_ADDR`",
            ),
        );
    };
    if !address.starts_with("https://") {
        return Err(Diagnostic::error(
            "the address of the Vault server in the environment is not `https://…`",
        )
        .hint("export `VAULT_ADDR` with an address that begins with `https://`"));
    }
    Ok(address.trim_end_matches('/').to_owned())
}

fn environment_token() -> Result<Zeroizing<String>, Diagnostic> {
    environment(["VAULT_TOKEN", "BAO_TOKEN"]).ok_or_else(|| {
        Diagnostic::error("there is no token for Vault: neither `VAULT_TOKEN` nor `BAO_TOKEN` is set")
            .hint("export `VAULT_TOKEN`, or name a login: `secret_sources: {vault: {jwt: {role: ROLE, token: {env: NAME}}}}`")
    })
}

/// The text that opens Vault.
fn way_in(source: &SecretSource) -> Text {
    match source {
        SecretSource::File(one) => file::read(one),
        SecretSource::Env(name) => file::variable(name).map(Zeroizing::new),
        SecretSource::Credential(name) => file::credential(name),
        _ => Err(Diagnostic::error("Vault is not opened by this source")),
    }
}
