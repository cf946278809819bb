//! Nasty main.cf and master.cf texts, and arguments, from fragments: the same ones every time.

/// A generator of pseudo-random numbers (splitmix64), for cases that can be repeated.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).unwrap()
    }

    /// Once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

pub const NAMES: &[&str] = &[
    "relayhost",
    "myorigin",
    "mydestination",
    "transport_maps",
    "virtual_alias_maps",
    "virtual_maps",
    "smtpd_banner",
    "biff",
    "user_list",
    "classa",
    "smtp_destination_concurrency_limit",
    "lmtp_destination_recipient_limit",
    "maildrop_time_limit",
    "no_such_parameter",
    "RELAYHOST",
    "x",
    "é",
];

const MAIN: &[&[u8]] = &[
    b"relayhost = [a.example.org]:25",
    b"relayhost=b   c\t d",
    b"relayhost",
    b"relayhost =",
    b"relayhost = $myorigin ${biff?{yes}:{no}} $$x",
    b"myorigin = ${user_list}",
    b"myorigin\t=\tx",
    b"mydestination = a,",
    b"mydestination = a =b= c",
    b"transport_maps = hash:/etc/postfix/transport # no comment",
    b"transport_maps = ldap:x, proxy:mysql:x",
    b"x_server_host = ldap.example.org",
    b"x_user = $x",
    b"virtual_maps = hash:/old",
    b"virtual_alias_maps = inline:{ a=b, {c = d} }",
    b"smtpd_banner = $myhostname ESMTP ${{$biff} == {no} ? {quiet} : {loud}}",
    b"biff = no \\",
    b"user_list = one  two",
    b"no_such_parameter = 1",
    b"RELAYHOST = upper",
    b"smtpd_restriction_classes = classa, $user_list",
    b"classa = permit",
    b"smtp_destination_concurrency_limit = 3",
    b"lmtp_destination_recipient_limit = $x",
    b"maildrop_time_limit = 5s",
    b"x = y",
    b"x = \xff\xfe\x80",
    b"\xc3\xa9 = \xc3\xa9",
    b"x\x0b= y",
    b"x = a\x0b\x0cb",
    b"process_id = 5",
    b"# a comment",
    b"#relayhost = commented",
    b"#",
    b"",
    b"   ",
    b"\t",
    b" \r",
    b"  # a comment with blanks",
    b" continued",
    b"\tcontinued = twice,",
    b"  and $x more",
    b"   #not = a setting",
    b"\x0ccontinued too",
    b"\r",
];

/// Lines that Postfix dies of, or that hold a NUL.
const MAIN_RARE: &[&[u8]] = &[
    b"no equals sign",
    b"= no name",
    b"lonely",
    b"x = a\0b",
    b"x\0y = z",
    b"\0",
    b"  \0 z",
    b"relayhost = ${unfinished",
    b"relayhost = $",
    b"user_list = ${a-b}",
];

/// `whole`: with the names whose default only the machine knows.
pub fn main_cf(dice: &mut Dice, whole: bool) -> Vec<u8> {
    let mut text =
        b"mydomain = d.example.org\nmyhostname = h.$mydomain\nmynetworks = 127.0.0.0/8\n".to_vec();
    if !whole && dice.once_in(2) {
        text.clear();
    }
    let rare = dice.once_in(6);
    lines(dice, &mut text, MAIN, if rare { MAIN_RARE } else { &[] });
    if dice.once_in(20) {
        text.extend_from_slice(b"x = ");
        for number in 0..dice.below(3000) {
            text.extend_from_slice(format!("word{number},").as_bytes());
            text.push(dice.pick(b" \t"));
        }
        end(dice, &mut text);
    }
    text
}

fn lines(dice: &mut Dice, text: &mut Vec<u8>, usual: &[&[u8]], rare: &[&[u8]]) {
    let carriage_returns = dice.once_in(8);
    for _ in 0..dice.below(14) {
        let line = if !rare.is_empty() && dice.once_in(4) {
            dice.pick(rare)
        } else {
            dice.pick(usual)
        };
        text.extend_from_slice(line);
        if carriage_returns || dice.once_in(30) {
            text.push(b'\r');
        }
        text.push(b'\n');
    }
    if dice.once_in(5) {
        text.pop();
        if dice.once_in(6) {
            text.push(0xff);
        }
    }
}

fn end(dice: &mut Dice, text: &mut Vec<u8>) {
    if !dice.once_in(4) {
        text.push(b'\n');
    }
}

const MASTER: &[&[u8]] = &[
    b"smtp      inet  n       -       y       -       -       smtpd",
    b"smtp inet n - n - 1 smtpd -v",
    b"submission inet n       -       y       -       -       smtpd -o a=b -o { c = d  e } -vo x=y",
    b"127.0.0.1:10025 inet n - n - - smtpd -o content_filter= -o mynetworks=127.0.0.0/8,[::1]/128",
    b"lmtp\tunix  -       -       y       -       -       lmtp",
    b"smtp      unix  -       -       y       -       -       smtp",
    b"relay     unix  -       -       y       -       -       smtp -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name",
    b"maildrop  unix  -       n       n       -       -       pipe flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient} and some more words to fold",
    b"qmgr      unix  n       -       n       300     1       qmgr",
    b"tlsmgr    unix  -       -       y       1000?   1       tlsmgr",
    b"policy    unix  -       n       n       -       0       spawn user=nobody argv=/x {a b} { c d }",
    b"odd unix - - n - - smtp -- -o a=b",
    b"odd unix - - n - - smtp -o",
    b"odd unix - - n - - smtp -o {unclosed = x",
    b"odd unix - - n - - smtp -o {a = b}tail -oc=d -oe={f}",
    b"odd unix - - n - - smtp -o {noequals here}",
    b"post-log unix-dgram n - n - 1 postlogd",
    b"a-very-long-service-name-indeed unix - - n - - error -o smtpd_relay_restrictions=permit_mynetworks,permit_sasl_authenticated,reject",
    b"# comment",
    b"#smtp inet n - n - - smtpd",
    b"",
    b"   ",
    b"  # indented comment",
    b"  -o continued=1",
    b"  -o { with = blanks in it }",
    b"\t-o user_list=2 -v",
    b"    argument {in braces} last",
    b"\r",
];

const MASTER_RARE: &[&[u8]] = &[
    b"short unix - - n",
    b"lonely",
    b"bad tcp - - n - - smtp",
    b"bad unix maybe - n - - smtp",
    b"bad unix - - n soon - smtp",
    b"bad unix - - n - many smtp",
    b"na=me unix - - n - - smtp",
    b"name un/ix - - n - - smtp",
    b"nul unix - - n - - smtp -o a=\0b",
    b"  \0",
];

pub fn master_cf(dice: &mut Dice) -> Vec<u8> {
    let mut text = Vec::new();
    if !dice.once_in(8) {
        // Something to begin with that a continuation can continue.
        let first = dice.below(8);
        text.extend_from_slice(MASTER[first]);
        text.push(b'\n');
    }
    let rare = dice.once_in(8);
    lines(
        dice,
        &mut text,
        MASTER,
        if rare { MASTER_RARE } else { &[] },
    );
    text
}

pub const SERVICES: &[&str] = &[
    "smtp/inet",
    "smtp/unix",
    "submission/inet",
    "127.0.0.1:10025/inet",
    "lmtp/unix",
    "relay/unix",
    "maildrop/unix",
    "odd/unix",
    "policy/unix",
    "none/unix",
    "*/unix",
    "smtp/*",
];

pub const FIELDS: &[&str] = &[
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
];

/// An argument of `-e`.
pub fn setting(dice: &mut Dice) -> Vec<u8> {
    const VALUES: &[&[u8]] = &[
        b"",
        b"a",
        b" a  b\t c ",
        b"x = y",
        b"# not a comment",
        b"$a ${b?{c}:{d}}",
        b"\xff\xc3\xa9",
        b"inline:{ a=b, c=d }",
        b"\"quoted\"",
        b"back\\slash",
        b"end\r",
        b"\x0bv",
        b"hash:/a, hash:/b,\tldap:/etc/postfix/ldap/very/long/path/of/a/table.cf, proxy:ldap:/c",
    ];
    let name = dice.pick(NAMES);
    let equals = dice.pick(&["=", " = ", "= ", "\t="]);
    let mut argument = [name, equals].concat().into_bytes();
    argument.extend_from_slice(dice.pick(VALUES));
    if dice.once_in(40) {
        argument = dice
            .pick(&[&b"a=b\nc=d"[..], b"#a=b", b"=b", b"", b"  z  =  w  "])
            .to_vec();
    }
    argument
}

/// An argument of `-M` that sets an entry.
pub fn entry(dice: &mut Dice) -> Vec<u8> {
    let service = dice.pick(SERVICES);
    let line = dice.pick(&MASTER[..18]);
    let mut argument = format!("{service}=").into_bytes();
    if dice.once_in(30) {
        argument.extend_from_slice(dice.pick(&MASTER_RARE[..6]));
    } else {
        argument.extend_from_slice(line);
    }
    argument
}

/// An argument of `-F` that sets a field.
pub fn field(dice: &mut Dice) -> Vec<u8> {
    let service = dice.pick(SERVICES);
    let (field, value) = dice.pick(&[
        ("service", "renamed"),
        ("type", "unix"),
        ("type", "fifo"),
        ("private", "n"),
        ("unprivileged", "-"),
        ("chroot", "n"),
        ("chroot", "y"),
        ("wakeup", "60?"),
        ("wakeup", "-"),
        ("process_limit", "1"),
        ("process_limit", "-"),
        ("command", "smtp"),
        ("command", "smtp -o a=b -voc=d -o { e = f g } {h i} j"),
        ("command", "pipe {x y} {z w}"),
    ]);
    if dice.once_in(40) {
        return dice
            .pick(&[
                &b"smtp/inet/chroot=a b"[..],
                b"smtp/inet/chroot=x",
                b"smtp/inet/colour=y",
                b"smtp/inet/*=y",
                b"smtp/inet=y",
                b"/inet/chroot=y",
                b"s*/inet/chroot=y",
            ])
            .to_vec();
    }
    format!("{service}/{field}={value}").into_bytes()
}

/// The name of an option, with its service.
pub fn option(dice: &mut Dice) -> String {
    let service = dice.pick(SERVICES);
    let name = dice.pick(&[
        "a",
        "c",
        "continued",
        "with",
        "user_list",
        "new_one",
        "x",
        "syslog_name",
    ]);
    format!("{service}/{name}")
}
