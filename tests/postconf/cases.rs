//! What both programs are asked.

use super::Case;
use super::generator;
use super::generator::Dice;
use super::generator::FIELDS;
use super::generator::NAMES;
use super::generator::SERVICES;

/// The seed of every run but `tests/run fuzz`, which sets the variable.
const SEED: u64 = 20_261_123;
const SEED_VARIABLE: &str = "MURDER_TEST_SEED";
const ROUNDS: usize = 420;

/// Every case: from the generator, and by hand.
pub fn all() -> Vec<Case> {
    let mut cases = by_hand();
    let seed = std::env::var(SEED_VARIABLE).map_or(SEED, |seed| seed.parse().unwrap());
    let mut dice = Dice::new(seed);
    for _ in 0..ROUNDS {
        for arguments in [
            edit_main(&mut dice),
            edit_master(&mut dice),
            edit_master(&mut dice),
            read_main(&mut dice),
            read_main(&mut dice),
            read_master(&mut dice),
        ] {
            let expands = arguments[0].contains(&b'x');
            cases.push(Case {
                main: generator::main_cf(&mut dice, expands),
                master: generator::master_cf(&mut dice),
                arguments,
            });
        }
    }
    cases
}

fn edit_main(dice: &mut Dice) -> Vec<Vec<u8>> {
    let count = 1 + dice.below(3);
    if dice.once_in(2) {
        let mut arguments: Vec<Vec<u8>> = (0..count).map(|_| generator::setting(dice)).collect();
        arguments.insert(0, b"-e".to_vec());
        return arguments;
    }
    let mut arguments = vec![dice.pick(&["-X", "-#"]).as_bytes().to_vec()];
    for _ in 0..count {
        let name = dice.pick(NAMES).as_bytes().to_vec();
        // The real one crashes where a name is there twice: its warning prints a null pointer.
        if !arguments.contains(&name) {
            arguments.push(name);
        }
    }
    if dice.once_in(25) {
        arguments.push(
            dice.pick(&["  ", "a=b", "  relayhost ", "a\nb"])
                .as_bytes()
                .to_vec(),
        );
    }
    arguments
}

fn edit_master(dice: &mut Dice) -> Vec<Vec<u8>> {
    let count = 1 + dice.below(3);
    let option = dice.pick(&["-M", "-MX", "-M#", "-F", "-P", "-PX"]);
    let mut arguments = vec![option.as_bytes().to_vec()];
    for _ in 0..count {
        arguments.push(match option {
            "-M" => generator::entry(dice),
            "-F" => generator::field(dice),
            "-P" => {
                let value = dice.pick(&["", "1", "a,b", "{x", "$y", "q=r"]);
                format!("{}={value}", generator::option(dice)).into_bytes()
            }
            "-PX" => generator::option(dice).into_bytes(),
            _ => dice.pick(SERVICES).as_bytes().to_vec(),
        });
    }
    if dice.once_in(40) {
        arguments.push(
            dice.pick(&["smtp", "a/b/c/d", "x y", "smtp/inet/*"])
                .as_bytes()
                .to_vec(),
        );
    }
    arguments
}

fn read_main(dice: &mut Dice) -> Vec<Vec<u8>> {
    let options = dice.pick(&[
        "-n", "-nf", "-nh", "-nH", "-nx", "-nxf", "-h", "-f", "-p", "-hx", "-x", "-H", "-d", "-dh",
        "-nC",
    ]);
    let mut arguments = vec![options.as_bytes().to_vec()];
    if options.ends_with('C') {
        arguments.push(
            dice.pick(&["user", "builtin", "service", "all", "user,service"])
                .as_bytes()
                .to_vec(),
        );
    }
    if dice.once_in(8) && !options.contains('d') {
        arguments.push(b"-o".to_vec());
        arguments.push(
            dice.pick(&["x=over", "relayhost = $x", "user_list=1 2"])
                .as_bytes()
                .to_vec(),
        );
    }
    let named = dice.once_in(2) || !options.starts_with("-n");
    if named {
        for _ in 0..1 + dice.below(4) {
            arguments.push(dice.pick(NAMES).as_bytes().to_vec());
        }
    }
    arguments
}

fn read_master(dice: &mut Dice) -> Vec<Vec<u8>> {
    let options = dice.pick(&[
        "-M", "-Mf", "-Mx", "-F", "-Ff", "-Fh", "-FH", "-P", "-Pf", "-Ph", "-PH", "-Px",
    ]);
    let mut arguments = vec![options.as_bytes().to_vec()];
    for _ in 0..dice.below(3) {
        let service = dice.pick(SERVICES);
        let pattern = match (&options[1..2], dice.below(4)) {
            (_, 0) => service.split('/').next().unwrap().to_owned(),
            ("F", 1 | 2) => format!("{service}/{}", dice.pick(FIELDS)),
            ("P", 1 | 2) => generator::option(dice),
            _ => service.to_owned(),
        };
        arguments.push(pattern.into_bytes());
    }
    if dice.once_in(40) {
        arguments.push(
            dice.pick(&["a/b/c/d", "s*tp", "/inet", "smtp/inet/colour"])
                .as_bytes()
                .to_vec(),
        );
    }
    arguments
}

/// Files and arguments that somebody thought of.
fn by_hand() -> Vec<Case> {
    let mains: &[&[u8]] = &[
        b"",
        b"\n",
        b"#",
        b"# only a comment\n",
        b"   leading = blank\n   and = more\nbiff = no\n",
        b"biff = no",
        b"biff =\n  no\n\n# between\n  really\n",
        b"biff = no\r\nrelayhost = x\r\n",
        b"biff=no\nbiff = yes\n  maybe\nbiff\t=\tno\n",
        b"biff = no\xff",
        b"biff = no\0\nrelayhost = x\n",
        b"biff = no\n  \0\nrelayhost = x\n",
        b"biff = a \\\nrelayhost = b \\\n  c\n",
        b"a = $b\nb = $c\nc = d\n",
        b"biff = no\n\x0crelayhost = x\n",
        b"\xef\xbb\xbfbiff = no\n",
        b"biff == no\n",
        b"b i f f = no\n",
        b"=\n",
        b"config_directory = /elsewhere\n",
    ];
    let master =
        b"smtp inet n - y - - smtpd\n  -o a=1\n# c\n\n  -o { b = 2 3 }\nlmtp unix - - y - - lmtp\n";
    let arguments: &[&[&str]] = &[
        &["-n"],
        &["-nf"],
        &["biff"],
        &["-e", "biff=x"],
        &["biff=x", "new=1", "another = 2"],
        &["-e", "biff=x", "biff=y"],
        &["-X", "biff"],
        &["-#", "biff"],
        &["-X", "nothing"],
        &["-M"],
        &["-nx"],
    ];
    let mut cases = Vec::new();
    for main in mains {
        for arguments in arguments {
            cases.push(case(main, master, arguments));
        }
    }
    let masters: &[&[u8]] = &[
        b"",
        b"# nothing\n",
        master,
        b"lmtp unix - - y - - lmtp\n# last comment, no end",
        b"lmtp unix - - y - - lmtp\n  -o a=b\n  # comment\n  -o c=d",
        b"lmtp unix - - y - - lmtp\nlmtp unix - - n - - lmtp\n",
        b"lmtp unix - - y - - lmtp\r\n  -o a=b\r\n",
        b"  -o a=b\nlmtp unix - - y - - lmtp\n",
        b"lmtp unix - - y - - lmtp -o a=b\xff",
    ];
    let arguments: &[&[&str]] = &[
        &["-M"],
        &["-Mf"],
        &["-F"],
        &["-P"],
        &["-F", "lmtp/unix/chroot=n"],
        &["-F", "lmtp/unix/command=lmtp -v"],
        &[
            "-F",
            "lmtp/unix/chroot=n",
            "lmtp/unix/wakeup=9",
            "smtp/inet/chroot=n",
        ],
        &["-P", "lmtp/unix/a=z"],
        &["-PX", "lmtp/unix/a"],
        &["-M", "lmtp/unix=lmtp unix - - n - - lmtp"],
        &["-M", "lmtp/unix=other unix - - n - - lmtp"],
        &[
            "-M",
            "new/unix=lmtp unix - - n - - lmtp",
            "lmtp/unix=lmtp unix - - n - - smtp",
        ],
        &["-MX", "lmtp/unix"],
        &["-M#", "lmtp/unix"],
        &["-MX", "*/*"],
        &["-PX", "*/*/a"],
    ];
    for master in masters {
        for arguments in arguments {
            cases.push(case(b"biff = no\n", master, arguments));
        }
    }
    // The whole of what Postfix knows, service parameters included.
    let main = b"myhostname = h.example.org\nmydomain = example.org\nmynetworks = 127.0.0.0/8\n";
    let services = b"lmtp unix - - y - - lmtp\nmaildrop unix - n n - - pipe\npolicy unix - n n - - spawn\nx unix - - n - - error\n";
    for arguments in [
        &[
            "-h",
            "mail_version",
            "default_database_type",
            "maildrop_time_limit",
        ][..],
        &["-C", "service"],
        &["-C", "user"],
        &[
            "-x",
            "smtpd_banner",
            "mydestination",
            "append_dot_mydomain",
            "smtputf8_enable",
        ],
        &[
            "-x",
            "-o",
            "compatibility_level=3.6",
            "append_dot_mydomain",
            "mynetworks_style",
        ],
        &["-xf", "smtpd_relay_restrictions", "proxy_read_maps"],
        &["-n", "-d"],
        &["-M", "-P"],
        &["-Mh"],
        &["-FX", "lmtp/unix/chroot"],
        &["-z"],
        &["-e"],
        &["-X"],
        &["biff", "-h"],
        &["--", "biff"],
        &["-nfC", "builtin"],
    ] {
        cases.push(case(main, services, arguments));
    }
    cases
}

fn case(main: &[u8], master: &[u8], arguments: &[&str]) -> Case {
    Case {
        main: main.to_vec(),
        master: master.to_vec(),
        arguments: arguments
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect(),
    }
}
