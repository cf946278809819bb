//! Shells that run the program on the host, login shells that stand before them, and the ways to become root.

use crate::world::World;

const HOST: &str = "backend2";
const ONLY: [&str; 2] = ["--host", "backend2.example.org"];

/// Breaks something, and demands that an apply mends it.
#[track_caller]
fn mends(world: &World, what: &str, more: &[&str], env: &[(&str, &str)]) {
    world.lab.sh(
        HOST,
        "postconf -X relayhost; rm -f /etc/postfix/transport.db /etc/postfix/transport.lmdb",
    );
    let words = [&ONLY[..], &["--yes"], more].concat();
    let run = world.murder_with("apply", &words, env);
    assert_eq!(run.code, 0, "{what}: {run}");
    assert_eq!(
        world.lab.postconf(HOST, "relayhost"),
        "[smtp.example.org]",
        "{what}: {run}"
    );
    let run = world.murder_with(
        "plan",
        &[&ONLY[..], &["--detailed-exitcode"], more].concat(),
        env,
    );
    assert_eq!(run.code, 0, "{what}, once more: {run}");
}

pub fn any_shell_serves(world: &mut World) {
    for shell in ["dash", "bash", "busybox"] {
        // BusyBox finds its own tools before those of the host where it is the shell.
        world.lab.sh(
            HOST,
            &format!("ln -sf $(command -v {shell}) /bin/sh.new && mv -T /bin/sh.new /bin/sh"),
        );
        mends(world, shell, &[], &[]);
    }
    world.lab.sh(
        HOST,
        "ln -sf /bin/dash /bin/sh.new && mv -T /bin/sh.new /bin/sh",
    );
    for shell in ["/usr/bin/fish", "/bin/csh"] {
        world.lab.sh(HOST, &format!("usermod -s {shell} root"));
        mends(world, shell, &[], &[]);
    }
    world.lab.sh(HOST, "usermod -s /bin/bash root");
    // Profiles that talk, on both streams.
    world.lab.sh(HOST, "for f in .bashrc .profile .cshrc; do cp -n /root/$f /root/$f.kept 2>/dev/null; printf 'echo Welcome to this host\\n' > /root/$f; done; echo 'echo a word of warning >&2' >> /root/.bashrc");
    mends(world, "a profile that talks", &[], &[]);
    world.lab.sh(HOST, "cd /root; for f in .bashrc .profile .cshrc; do if [ -e $f.kept ]; then mv $f.kept $f; else rm -f $f; fi; done");
}

pub fn any_way_to_root_serves(world: &mut World) {
    let lab = &world.lab;
    for user in ["plain", "secret", "done"] {
        lab.sh(
            HOST,
            &format!(
                "useradd -m -s /bin/bash {user}; install -d -m 700 -o {user} /home/{user}/.ssh; \
                 install -m 600 -o {user} /root/.ssh/authorized_keys /home/{user}/.ssh/authorized_keys"
            ),
        );
    }
    lab.sh(HOST, "echo secret:open-sesame | chpasswd");
    lab.sh(HOST, "printf 'plain ALL=(ALL) NOPASSWD: ALL\\nsecret ALL=(ALL) ALL\\n' > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab");
    lab.sh(
        HOST,
        "printf 'permit nopass done as root\\n' > /etc/doas.conf; chmod 600 /etc/doas.conf",
    );
    let way = |name: &str, ssh: &str| {
        world.write(
            name,
            &format!("hosts: {{backend2.example.org: {{ssh: {{{ssh}}}}}}}\n"),
        );
    };
    way("sudo.yaml", "user: plain, become: {method: sudo}");
    way(
        "password.yaml",
        "user: secret, become: {method: sudo, password: {env: LAB_SUDO}}",
    );
    way("doas.yaml", "user: done, become: {method: doas}");
    way("openssh.yaml", "client: openssh");
    mends(world, "sudo", &["--overlay", "sudo.yaml"], &[]);
    mends(
        world,
        "sudo with a password",
        &["--overlay", "password.yaml"],
        &[("LAB_SUDO", "open-sesame")],
    );
    mends(world, "doas", &["--overlay", "doas.yaml"], &[]);
    mends(
        world,
        "the system's ssh",
        &["--overlay", "openssh.yaml"],
        &[],
    );
    // A wrong password is said, and said nowhere.
    let words = [&ONLY[..], &["--overlay", "password.yaml"]].concat();
    world
        .murder_with("plan", &words, &[("LAB_SUDO", "wrong-sesame")])
        .exits(3)
        .says("sudo")
        .says("password")
        .says_not("wrong-sesame");
    // Nobody writes passwords on a command line or into a log.
    let traces = world.lab.sh(
        HOST,
        "grep -rlsF open-sesame /var/log /tmp /run /var/lib/murder /etc/postfix || true",
    );
    assert_eq!(traces, "");
}
