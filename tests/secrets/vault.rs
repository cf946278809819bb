//! A real server of OpenBao, which speaks Vault's protocol: each way to log in, and each way to fail.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Place, SECRET, said, tools};

/// `bao server -dev-tls`: a server in memory, unsealed, with a KV v2 store at `secret`.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
    address: String,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut command = tools::program("bao");
        command.args([
            "server",
            "-dev",
            "-dev-tls",
            "-dev-root-token-id=root",
            "-dev-no-store-token",
        ]);
        command.arg(format!("-dev-tls-cert-dir={}", folder.path().display()));
        command.arg(format!("-dev-listen-address=127.0.0.1:{port}"));
        let child = command
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = format!("https://127.0.0.1:{port}");
        let server = Self {
            child,
            folder,
            address,
        };
        let began = Instant::now();
        loop {
            let status = server.command(&["status"]).output().unwrap();
            if status.status.success() {
                return server;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "{}",
                said(&status)
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tools::program("bao");
        command
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("BAO_ADDR", &self.address)
            .env("BAO_CACERT", self.folder.path().join("vault-ca.pem"))
            .env("BAO_TOKEN", "root");
        command
    }

    fn bao(&self, arguments: &[&str]) -> String {
        tools::run_command(self.command(arguments), b"")
            .trim()
            .to_owned()
    }

    /// `secret_sources.vault` with this login.
    fn sources(&self, login: &str) -> String {
        format!(
            "secret_sources:\n  vault: {{address: \"{}\", ca_file: vault-ca.pem{login}}}\n",
            self.address
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A JWT with an Ed25519 signature (RFC 8037).
fn jwt(folder: &std::path::Path, claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}");
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let (key, text, signature) = ("jwt.key", "jwt.text", "jwt.signature");
    fs::write(folder.join(text), &signed).unwrap();
    let done = Command::new("openssl")
        .args([
            "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", text, "-out", signature,
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let signature = fs::read(folder.join(signature)).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn make_key(folder: &std::path::Path) {
    for arguments in [
        &["genpkey", "-algorithm", "ed25519", "-out", "jwt.key"][..],
        &["pkey", "-in", "jwt.key", "-pubout", "-out", "jwt.pem"],
    ] {
        let made = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .output();
        assert!(made.unwrap().status.success());
    }
}

#[test]
fn a_kv_store_is_read_by_each_login() {
    let server = Server::start();
    let folder = server.folder.path();
    let first = format!("password={SECRET}-first");
    server.bao(&["kv", "put", "-mount=secret", "mail/ldap", &first]);
    let (newest, other) = (
        format!("password={SECRET}-kv"),
        format!("other={SECRET}-other"),
    );
    server.bao(&["kv", "put", "-mount=secret", "mail/ldap", &newest, &other]);
    server.bao(&["kv", "put", "-mount=secret", "mail/gone", "x=y"]);
    server.bao(&["kv", "delete", "-mount=secret", "mail/gone"]);
    server.bao(&["kv", "put", "-mount=secret", "closed", "x=y"]);
    fs::write(
        folder.join("policy.hcl"),
        "path \"secret/data/mail/*\" { capabilities = [\"read\"] }",
    )
    .unwrap();
    let policy = folder.join("policy.hcl").display().to_string();
    server.bao(&["policy", "write", "mail", &policy]);
    server.bao(&["auth", "enable", "approle"]);
    server.bao(&["write", "auth/approle/role/murder", "token_policies=mail"]);
    let role_id = server.bao(&["read", "-field=role_id", "auth/approle/role/murder/role-id"]);
    let secret_id = server.bao(&[
        "write",
        "-f",
        "-field=secret_id",
        "auth/approle/role/murder/secret-id",
    ]);
    server.bao(&["auth", "enable", "-path=gitlab", "jwt"]);
    make_key(folder);
    let pem = format!(
        "jwt_validation_pubkeys=@{}",
        folder.join("jwt.pem").display()
    );
    server.bao(&[
        "write",
        "auth/gitlab/config",
        &pem,
        "bound_issuer=https://gitlab.example.org",
    ]);
    let role = [
        "write",
        "auth/gitlab/role/murder",
        "role_type=jwt",
        "user_claim=sub",
        "bound_audiences=murder",
        "token_policies=mail",
    ];
    server.bao(&role);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = format!(
        "{{\"iss\":\"https://gitlab.example.org\",\"aud\":\"murder\",\"sub\":\"job\",\"iat\":{now},\"exp\":{}}}",
        now + 300
    );
    let token = jwt(folder, &claims);

    let mut place = Place::new();
    let ca = fs::read_to_string(folder.join("vault-ca.pem")).unwrap();
    place.write("vault-ca.pem", &ca, 0o644);
    place.write("token", "root\n", 0o600);
    place.write("secret-id", &secret_id, 0o600);
    place.set("VAULT_TOKEN", "root");
    place.set("VAULT_ID_TOKEN", &token);
    let values = [
        "{vault: {path: mail/ldap, key: password}}",
        "{vault: {path: mail/ldap, key: other}}",
        "{vault: {path: mail/ldap, key: password, version: 1}}",
    ];
    let expected = ["kv", "other", "first"].map(|kind| format!("{SECRET}-{kind}"));
    let approle = format!(", approle: {{role_id: {role_id}, secret_id: {{file: secret-id}}}}");
    let logins = [
        "",
        ", token: {file: token}",
        &approle,
        ", jwt: {role: murder, mount: gitlab, token: {env: VAULT_ID_TOKEN}}",
    ];
    for login in logins {
        place.manifest(&values, &server.sources(login));
        assert_eq!(place.applied(&[]), expected, "{login}");
        fs::remove_dir_all(place.path("box")).unwrap();
    }

    // Address and token from the environment, as OpenBao's own program takes them.
    let mut environment = Place::new();
    environment.write("vault-ca.pem", &ca, 0o644);
    environment.set("BAO_ADDR", &server.address);
    environment.set("BAO_TOKEN", "root");
    environment.manifest(
        &values,
        "secret_sources: {vault: {ca_file: vault-ca.pem}}\n",
    );
    assert_eq!(environment.applied(&[]), expected);

    let failing: [(&str, &str, &str, &str); 8] = [
        (
            "a key that is not there",
            "mail/ldap, key: pasword",
            "",
            "`secret/mail/ldap` in Vault has no key `pasword`",
        ),
        (
            "a path that is not there",
            "mail/ldpa, key: x",
            "",
            "there is no `secret/mail/ldpa` in Vault",
        ),
        (
            "a deleted version",
            "mail/gone, key: x",
            "",
            "the version of `secret/mail/gone` in Vault is deleted",
        ),
        (
            "no right",
            "closed, key: x",
            &approle,
            "Vault does not let this token read `secret/closed`",
        ),
        (
            "a wrong token",
            "mail/ldap, key: password",
            ", token: {env: WRONG}",
            "Vault does not let this token read `secret/mail/ldap`",
        ),
        (
            "a wrong role",
            "mail/ldap, key: password",
            ", approle: {role_id: x, secret_id: {file: secret-id}}",
            "Vault refused the login by `approle`",
        ),
        (
            "a wrong JWT",
            "mail/ldap, key: password",
            ", jwt: {role: murder, mount: gitlab, token: {env: WRONG}}",
            "Vault refused the login by `jwt`",
        ),
        (
            "a store of another version",
            "mail/ldap, key: x, mount: cubbyhole",
            "",
            "in Vault",
        ),
    ];
    place.set("WRONG", "wrong-token-of-the-test");
    for (what, path, login, message) in failing {
        let source = format!("{{vault: {{path: {path}}}}}");
        place.manifest(&[&source], &server.sources(login));
        let output = place.run(&["plan", "murder.yaml", "--sandbox=box"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{what}: {text}");
        for part in [message, "secret0", "--> murder.yaml:", &source, "= help: "] {
            assert!(text.contains(part), "{what} lacks `{part}`: {text}");
        }
        for hidden in [SECRET, &secret_id, &token, "wrong-token-of-the-test"] {
            assert!(!text.contains(hidden), "{what}: {text}");
        }
    }
    // A server whose certificate nobody vouches for gets no token.
    let address = server.address.clone();
    place.manifest(
        &values[..1],
        &format!("secret_sources: {{vault: {{address: \"{address}\"}}}}\n"),
    );
    let output = place.run(&["plan", "murder.yaml", "--sandbox=box"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("ca_file: PATH"), "{}", said(&output));
    // One that is sealed gives nothing.
    server.bao(&["operator", "seal"]);
    place.manifest(&values[..1], &server.sources(""));
    let output = place.run(&["plan", "murder.yaml", "--sandbox=box"]);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "sealed",
        "unseal",
        "secret0",
        "--> murder.yaml:",
        "= help: ",
    ] {
        assert!(said(&output).contains(part), "{part}: {}", said(&output));
    }
}
