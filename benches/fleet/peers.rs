//! Ansible, pyinfra and Mitogen with the seed's backend recipe, set up as their own manuals advise for speed.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::hosts::Lab;

/// One of the programs to compare with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Ansible,
    Pyinfra,
    Mitogen,
}

impl Tool {
    /// By the word of `--with`.
    pub fn named(name: &str) -> Self {
        match name {
            "ansible" => Self::Ansible,
            "pyinfra" => Self::Pyinfra,
            "mitogen" => Self::Mitogen,
            _ => panic!("--with takes ansible, pyinfra and mitogen, not {name}"),
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ansible => "ansible",
            Self::Pyinfra => "pyinfra",
            Self::Mitogen => "ansible with mitogen",
        }
    }

    /// Its run that changes nothing.
    pub fn dry(self) -> &'static str {
        match self {
            Self::Ansible => "ansible --check --diff",
            Self::Pyinfra => "pyinfra --dry",
            Self::Mitogen => "ansible with mitogen --check --diff",
        }
    }

    /// What the ratios of plan and apply must be.
    pub fn musts(self) -> (&'static str, &'static str) {
        match self {
            Self::Ansible => ("at least 60", "at least 8"),
            Self::Pyinfra => ("at most 0.4", "at most 1.0"),
            Self::Mitogen => ("more than 1", "more than 1"),
        }
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Ansible => &["ansible-core"],
            Self::Pyinfra => &["pyinfra"],
            Self::Mitogen => &["ansible-core", "mitogen"],
        }
    }
}

/// The peers, installed, and their inventories.
pub struct Peer {
    environment: PathBuf,
    room: PathBuf,
    forks: usize,
}

impl Peer {
    /// Installs what is asked for from PyPI, once, into a virtual environment below `target`.
    pub fn install(lab: &Lab, tools: &[Tool], hosts: &[String]) -> Self {
        let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let environment = target.join("fleet-peers");
        if !environment.join("bin/pip").exists() {
            let made = Command::new("python3")
                .args(["-m", "venv"])
                .arg(&environment)
                .status()
                .unwrap();
            assert!(made.success(), "apt-get install python3-venv");
        }
        let packages: Vec<&str> = tools
            .iter()
            .flat_map(|tool| tool.packages())
            .copied()
            .collect();
        let installed = Command::new(environment.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(packages)
            .status()
            .unwrap();
        assert!(installed.success());
        let room = lab.room().join("peers");
        lab.copy("benches/fleet/peers", "peers");
        let (key, known) = (lab.file("id_ed25519"), lab.file("known_hosts"));
        let (key, known) = (key.display(), known.display());
        let mut ini = String::from("[backends]\n");
        let mut python = String::from("backends = [\n");
        for host in hosts {
            let address = lab.address(host);
            let _ = writeln!(
                ini,
                "{host}.example.org ansible_host={address} ansible_user=root ansible_ssh_private_key_file={key} ansible_ssh_common_args='-o UserKnownHostsFile={known}'"
            );
            let _ = writeln!(
                python,
                "  (\"{host}.example.org\", {{\"ssh_hostname\": \"{address}\", \"ssh_user\": \"root\", \"ssh_key\": \"{key}\", \"ssh_known_hosts_file\": \"{known}\"}}),"
            );
        }
        fs::write(room.join("inventory.ini"), ini).unwrap();
        fs::write(room.join("inventory.py"), python + "]\n").unwrap();
        Self {
            environment,
            room,
            forks: hosts.len(),
        }
    }

    /// Names and versions of what is installed.
    pub fn versions(&self) -> String {
        let output = Command::new(self.environment.join("bin/pip"))
            .args(["list", "--format=freeze", "--disable-pip-version-check"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mine = |line: &&str| {
            ["ansible-core=", "pyinfra=", "mitogen=", "paramiko="]
                .iter()
                .any(|name| line.starts_with(name))
        };
        text.lines().filter(mine).collect::<Vec<_>>().join(", ")
    }

    fn command(&self, tool: Tool, pyinfra: &[&str], ansible: &[&str]) -> Command {
        let programs = self.environment.join("bin");
        let mut command;
        if tool == Tool::Pyinfra {
            command = Command::new(programs.join("pyinfra"));
            command.args(pyinfra).args(["inventory.py", "deploy.py"]);
        } else {
            command = Command::new(programs.join("ansible-playbook"));
            command
                .args(["-i", "inventory.ini", "play.yml"])
                .args(ansible)
                .env("ANSIBLE_CONFIG", self.room.join("ansible.cfg"))
                .env("ANSIBLE_FORKS", self.forks.to_string());
        }
        if tool == Tool::Mitogen {
            let plugins = format!("{}/lib", self.environment.display());
            let folder = fs::read_dir(plugins)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path();
            command.env("ANSIBLE_STRATEGY", "mitogen_linear").env(
                "ANSIBLE_STRATEGY_PLUGINS",
                folder.join("site-packages/ansible_mitogen/plugins/strategy"),
            );
        }
        command.current_dir(&self.room).env("LANG", "C.UTF-8");
        command
    }

    /// The run that only looks.
    pub fn dry_run(&self, tool: Tool) -> Command {
        self.command(tool, &["-y", "--dry"], &["--check", "--diff"])
    }

    /// The run that changes.
    pub fn apply(&self, tool: Tool) -> Command {
        self.command(tool, &["-y"], &[])
    }
}
