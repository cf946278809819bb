//! Verifies the SSH signature of a saved plan by the system's ssh-keygen(1).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostic::Diagnostic;
use crate::program::{self, Bounds, Ended};

/// The namespace of signatures of plans (`ssh-keygen -Y sign -n`).
pub const NAMESPACE: &str = "murder-plan";

/// Where a signature is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
}

impl FromStr for SignatureSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix("env:") {
            Some(name) => Self::Env(name.to_owned()),
            None => Self::File(PathBuf::from(text)),
        })
    }
}

/// What a signature must be.
#[derive(Debug)]
pub struct Signature<'a> {
    /// The file of the signers that are allowed (ssh-keygen(1), ALLOWED SIGNERS).
    pub allowed: &'a Path,
    /// The one of them that must have signed. None allows each of them.
    pub identity: Option<&'a str>,
    /// Where it is.
    pub source: &'a SignatureSource,
}

/// Verifies the signature of a plan's bytes, and gives the name of the signer.
///
/// # Errors
/// Where it is missing, or made by no allowed signer, for another namespace, or of other bytes.
pub fn verify(signature: &Signature<'_>, plan: &[u8]) -> Result<String, Diagnostic> {
    std::fs::File::open(signature.allowed).map_err(|error| {
        let file = signature.allowed.display();
        Diagnostic::error(format!(
            "the allowed signers `{file}` cannot be read: {error}"
        ))
    })?;
    // ssh-keygen reads the signature from a file.
    let copy;
    let file = match signature.source {
        SignatureSource::File(file) => file.as_path(),
        SignatureSource::Env(name) => {
            let text = std::env::var(name).map_err(|_| {
                Diagnostic::error(format!(
                    "the environment variable `{name}` has no signature"
                ))
            })?;
            copy = written(&text).map_err(|error| {
                Diagnostic::error(format!("cannot write the signature to a file: {error}"))
            })?;
            copy.path()
        }
    };
    if !file.is_file() {
        let problem = Diagnostic::error(format!("there is no signature `{}`", file.display()));
        return Err(problem.hint(format!(
            "sign the plan: `ssh-keygen -Y sign -n {NAMESPACE} -f KEY FILE`"
        )));
    }
    let signers = match signature.identity {
        Some(identity) => vec![identity.to_owned()],
        None => principals(signature.allowed, file)?,
    };
    let mut said = String::new();
    for signer in signers {
        let arguments = [
            "-Y".as_ref(),
            "verify".as_ref(),
            "-n".as_ref(),
            NAMESPACE.as_ref(),
            "-I".as_ref(),
            signer.as_ref(),
            "-f".as_ref(),
            signature.allowed.as_os_str(),
            "-s".as_ref(),
            file.as_os_str(),
        ];
        let (good, words) = ssh_keygen(&arguments, plan)?;
        if good {
            return Ok(signer);
        }
        said = words;
    }
    Err(refused(&said))
}

/// The allowed signers whose key made a signature; of what, is not checked yet.
fn principals(allowed: &Path, signature: &Path) -> Result<Vec<String>, Diagnostic> {
    let arguments = [
        "-Y".as_ref(),
        "find-principals".as_ref(),
        "-f".as_ref(),
        allowed.as_os_str(),
        "-s".as_ref(),
        signature.as_os_str(),
    ];
    let (good, words) = ssh_keygen(&arguments, b"")?;
    match good {
        true => Ok(words.lines().map(str::to_owned).collect()),
        false => Err(refused(&words)),
    }
}

fn refused(words: &str) -> Diagnostic {
    Diagnostic::error("the plan has no signature of an allowed signer")
        .detail(words.trim().to_owned())
        .hint(format!(
            "the signature must be of exactly this file, made by `ssh-keygen -Y sign -n {NAMESPACE}`"
        ))
}

/// What ssh-keygen(1) may take; it answers at once, and with a few lines.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(60),
    bytes: 1 << 20,
};

/// Runs ssh-keygen(1): whether it succeeded, and what it said.
fn ssh_keygen(arguments: &[&std::ffi::OsStr], input: &[u8]) -> Result<(bool, String), Diagnostic> {
    let failed = |why: &str| {
        Diagnostic::error(format!("cannot run `ssh-keygen`: {why}"))
            .hint("install the package openssh-client")
    };
    match program::run(Command::new("ssh-keygen").args(arguments), input, BOUNDS) {
        Ended::Done {
            status,
            output,
            messages,
        } => {
            let words = String::from_utf8_lossy(&output).into_owned() + &messages;
            Ok((status.success(), words))
        }
        Ended::NotStarted(error) => Err(failed(&error.to_string())),
        Ended::TimedOut => Err(failed("it does not end")),
        Ended::TooMuch => Err(failed("it prints without end")),
    }
}

fn written(text: &str) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(text.trim().as_bytes())?;
    file.write_all(b"\n")?;
    Ok(file)
}
