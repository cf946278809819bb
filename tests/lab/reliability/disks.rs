//! Disks that fail at every point of an apply: full by kibibytes and by inodes, read-only, immutable.

use super::colours::{Colour, Stands, Target};
use super::{Tally, only, times};
use crate::world::World;

/// A way in which a disk fails: how it is brought about and mended again.
struct Case {
    name: &'static str,
    spoil: String,
    mend: &'static str,
    /// Whether an apply must fail; otherwise it may find room enough.
    fails: bool,
}

/// A folder on a small file system of its own, with the same bytes.
fn small(folder: &str, options: &str) -> String {
    format!(
        "cp -a {folder} /root/kept && mount -t tmpfs -o mode=755,{options} tmpfs {folder} && cp -a /root/kept/. {folder}/"
    )
}

/// And away again. What an apply did on it is carried over.
const ETC_AWAY: &str = "rm -f /etc/postfix/ballast*; rm -rf /root/kept; cp -a /etc/postfix /root/kept; umount -l /etc/postfix; \
    rm -rf /etc/postfix/ldap /etc/postfix/lab-*; cp -a /root/kept/. /etc/postfix/; rm -rf /root/kept";
const VAR_AWAY: &str = "rm -f /var/lib/murder/ballast*; rm -rf /root/kept; cp -a /var/lib/murder /root/kept; umount -l /var/lib/murder; \
    cp -a /root/kept/. /var/lib/murder/; rm -rf /root/kept";

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case {
            name: "/etc read-only",
            spoil: "mount --bind /etc /etc; mount -o remount,bind,ro /etc; ! touch /etc/x 2>/dev/null".to_owned(),
            mend: "umount -l /etc",
            fails: true,
        },
        Case {
            name: "/etc/postfix read-only",
            spoil: "mount --bind /etc/postfix /etc/postfix; mount -o remount,bind,ro /etc/postfix".to_owned(),
            mend: "umount -l /etc/postfix",
            fails: true,
        },
        Case {
            name: "/var/lib/murder read-only",
            spoil: "mount --bind /var/lib/murder /var/lib/murder; mount -o remount,bind,ro /var/lib/murder".to_owned(),
            mend: "umount -l /var/lib/murder",
            fails: true,
        },
        Case {
            // It can be staged, and not renamed: the failure comes in the middle of the commit.
            name: "main.cf immutable",
            spoil: "chattr +i /etc/postfix/main.cf".to_owned(),
            mend: "chattr -i /etc/postfix/main.cf",
            fails: true,
        },
        Case {
            name: "master.cf immutable",
            spoil: "chattr +i /etc/postfix/master.cf".to_owned(),
            mend: "chattr -i /etc/postfix/master.cf",
            fails: true,
        },
        Case {
            name: "a table immutable",
            spoil: "chattr +i /etc/postfix/lab-flip.db".to_owned(),
            mend: "chattr -i /etc/postfix/lab-flip.db",
            fails: true,
        },
        Case {
            name: "the ledger immutable",
            spoil: "chattr +i /var/lib/murder/ledger.json".to_owned(),
            mend: "chattr -i /var/lib/murder/ledger.json",
            fails: true,
        },
    ];
    // From nothing left to nearly enough: each stops the work at a later place.
    for (name, folder, away, sizes) in [
        ("/etc/postfix full", "/etc/postfix", ETC_AWAY, [0, 12, 36]),
        (
            "/var/lib/murder full",
            "/var/lib/murder",
            VAR_AWAY,
            [0, 48, 72],
        ),
    ] {
        for free in sizes {
            let name_of_case: &'static str = String::leak(format!("{name} but for {free} KiB"));
            cases.push(Case {
                name: name_of_case,
                spoil: format!(
                    "{}; dd if=/dev/zero of={folder}/ballast bs=1k 2>/dev/null; truncate -s -{free}K {folder}/ballast; true",
                    small(folder, "size=1m")
                ),
                mend: away,
                fails: free == 0,
            });
        }
    }
    for (name, folder, away, most) in [
        ("/etc/postfix", "/etc/postfix", ETC_AWAY, 12),
        ("/var/lib/murder", "/var/lib/murder", VAR_AWAY, 8),
    ] {
        for free in (0..=most).step_by(if times(1) > 1 { 1 } else { 6 }) {
            let name_of_case: &'static str =
                String::leak(format!("{name} with {free} inodes left"));
            cases.push(Case {
                name: name_of_case,
                spoil: format!(
                    "{}; i=0; while touch {folder}/ballast$i 2>/dev/null; do i=$((i+1)); done; rm -f $(ls -d {folder}/ballast* | head -n {free}); true",
                    small(folder, "size=4m,nr_inodes=120")
                ),
                mend: away,
                fails: free == 0,
            });
        }
    }
    cases
}

/// Each is refused or put back with nothing lost, and once the disk is mended the next apply converges.
pub fn disks_fail(world: &World, target: &Target) {
    let mut tally = Tally::default();
    let (mut refused, mut done) = (0, 0);
    for case in cases() {
        let from = match target.stands(world) {
            Stands::As(colour) => colour,
            Stands::Between => Colour::Red,
        };
        let wanted = from.other();
        world.lab.sh(&target.host, &case.spoil);
        let run = world.murder("apply", &[&only(target, wanted)[..], &["--yes"]].concat());
        let stands = target.stands_but_for_ballast(world);
        let answers = world.lab.try_sh(
            &target.host,
            "postconf -n >/dev/null && postmap -q colour@example.org hash:/etc/postfix/lab-flip && postfix status",
        );
        world.lab.sh(&target.host, case.mend);
        let result = match (run.code, stands) {
            (3, Stands::As(colour)) if colour == from => {
                refused += 1;
                Ok(())
            }
            (0, Stands::As(colour)) if colour == wanted && !case.fails => {
                done += 1;
                Ok(())
            }
            _ => Err(format!(
                "{}: it was {from:?}, stands {stands:?}: {run}{}",
                case.name,
                world.lab.sh(&target.host, "ls -lAR /etc/postfix")
            )),
        };
        let result = result.and_then(|()| match answers.status.success() {
            true => target.converges(world, wanted),
            false => Err(format!(
                "{}: Postfix cannot read its files: {}",
                case.name,
                crate::world::text(&answers.stderr)
            )),
        });
        tally.add(result.map_err(|error| format!("{}: {error}", case.name)));
    }
    tally.notes.push(format!(
        "{refused} refused or put back with the bytes as before, {done} found room enough"
    ));
    tally.tell("disk full, out of inodes, read-only, immutable");
}
