//! One HTTP request with limits of time and size, over the TLS library that SSH has already (OpenSSL).

use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, http};
use zeroize::Zeroizing;

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// The time for a whole exchange, name resolution and TLS included.
    pub time: Duration,
    /// The most bytes of an answer's body.
    pub bytes: u64,
}

/// A client of one server. It follows no redirect: a token must not go to another server than the one that was named.
#[derive(Debug)]
pub struct HttpClient {
    agent: Agent,
    limits: HttpLimits,
}

/// What a server answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The status, such as 200.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The body, which is wiped when it is dropped.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer; in words without the request's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The body is larger than allowed.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
    /// The certificates of `ca_file` cannot be used.
    #[error("no certificate in PEM form was found")]
    NoCertificate,
    /// The name, the connection, TLS or the answer.
    #[error("{0}")]
    Failed(String),
}

impl HttpClient {
    /// A client that trusts the certificates of `authorities` (PEM), or else those of the system.
    ///
    /// # Errors
    /// [`HttpError::NoCertificate`] where `authorities` has none.
    pub fn new(authorities: Option<&[u8]>, limits: HttpLimits) -> Result<Self, HttpError> {
        let roots = match authorities {
            Some(text) => RootCerts::new_with_certs(&certificates(text)?),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(roots)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(limits.time))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("murder/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { agent, limits })
    }

    /// Asks for `url`, with these headers.
    ///
    /// # Errors
    /// [`HttpError`] where there is no whole answer. A status such as 404 is an answer.
    pub fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<HttpAnswer, HttpError> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.call())
    }

    /// Sends `body` to `url`, with these headers.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<HttpAnswer, HttpError> {
        let mut request = self.agent.post(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.send(body))
    }

    fn answer(
        &self,
        answered: Result<http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<HttpAnswer, HttpError> {
        let mut response = answered.map_err(|error| self.failed(&error))?;
        let location = response.headers().get(http::header::LOCATION);
        let location = location.and_then(|value| value.to_str().ok());
        let location = location.map(str::to_owned);
        let body = response
            .body_mut()
            .with_config()
            .limit(self.limits.bytes)
            .read_to_vec();
        Ok(HttpAnswer {
            status: response.status().as_u16(),
            location,
            body: Zeroizing::new(body.map_err(|error| self.failed(&error))?),
        })
    }

    fn failed(&self, error: &ureq::Error) -> HttpError {
        match error {
            ureq::Error::Timeout(_) => HttpError::TimedOut(self.limits.time),
            ureq::Error::BodyExceedsLimit(_) => HttpError::TooLarge(self.limits.bytes),
            ureq::Error::HostNotFound => {
                HttpError::Failed("the name of the server has no address".to_owned())
            }
            other => HttpError::Failed(plain(&other.to_string())),
        }
    }
}

/// An error without the names of OpenSSL's functions and files: `error:CODE:LIBRARY:FUNCTION:REASON:FILE:LINE:DATA`.
fn plain(error: &str) -> String {
    let Some((_, fields)) = error.split_once("error:") else {
        return error.trim_start_matches("io: ").to_owned();
    };
    match fields.split(':').nth(3) {
        Some(reason) => format!("TLS: {reason}"),
        None => error.to_owned(),
    }
}

fn certificates(text: &[u8]) -> Result<Vec<Certificate<'static>>, HttpError> {
    let found: Vec<Certificate<'static>> = parse_pem(text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(HttpError::NoCertificate);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_tls_is_its_reason() {
        let error = "native-tls: error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:ssl/x.c:77:";
        assert_eq!(plain(error), "TLS: wrong version number");
        assert_eq!(plain("io: Connection refused"), "Connection refused");
    }
}
