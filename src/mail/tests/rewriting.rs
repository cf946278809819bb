//! What cleanup(8) makes of a recipient: canonical(5), virtual(5), ADDRESS_REWRITING_README.

use super::{Rules, check};
use crate::directory::Directory;

/// canonical(5), "TABLE SEARCH ORDER" and "RESULT FORMAT"; up to ten times one after the other.
#[test]
fn canonical_addresses() {
    let chain = |name: &str, length: usize| {
        let links = (0..length).map(|at| format!(",{name}{at}@here.org={name}{}@here.org", at + 1));
        links.collect::<String>()
    };
    let rules = Rules::new(&format!(
        "recipient_canonical_maps = inline:{{a@here.org=b@here.org,b@here.org=z@here.org,c1@here.org=c2,
           loop1@here.org=loop2@here.org,loop2@here.org=loop1@here.org,{{multi@here.org=m1@here.org, m2@here.org}},
           ext@here.org=target@here.org,@cat.org=@here.org,self@here.org=self@here.org,bare=short{}{}}}",
        chain("d", 9),
        chain("e", 12),
    ));
    check(
        "canonical",
        |address| rules.recipients(address),
        &[
            ("a@here.org", "z@here.org"),
            ("A@HERE.org", "z@here.org"),
            ("c1@here.org", "c2@host.here.org"),
            // Postfix warns that it "nests unreasonably", and goes on.
            ("loop1@here.org", "loop1@here.org"),
            ("d0@here.org", "d9@here.org"),
            ("e0@here.org", "e10@here.org"),
            ("multi@here.org", "m1@here.org"),
            ("ext+x@here.org", "target+x@here.org"),
            ("u@cat.org", "u@here.org"),
            ("u+x@cat.org", "u+x@here.org"),
            ("SELF@here.org", "self@here.org"),
            ("bare@other.org", "bare@other.org"),
            ("bare+y@here.org", "short+y@host.here.org"),
            ("none@here.org", "none@here.org"),
        ],
    );
}

/// ADDRESS_REWRITING_README, "Canonical address mapping": the order; postconf(5): `canonical_classes`,
/// `recipient_canonical_classes`, `sender_canonical_maps`, `propagate_unmatched_extensions`, `receive_override_options`.
#[test]
fn order_and_classes_of_rewriting() {
    for (main_cf, cases) in [
        (
            "recipient_canonical_maps = inline:{a@here.org=b@here.org}
             canonical_maps = inline:{b@here.org=c@here.org, a@here.org=wrong@here.org}
             sender_canonical_maps = inline:{c@here.org=wrong@here.org}
             virtual_alias_maps = inline:{c@here.org=d@here.org, a@here.org=wrong@here.org}",
            &[("a@here.org", "d@here.org"), ("b@here.org", "d@here.org")][..],
        ),
        // Masquerading comes between canonical addresses and aliases.
        (
            "canonical_maps = inline:{a@here.org=a@x.m.org}
             masquerade_domains = m.org
             masquerade_classes = envelope_recipient
             virtual_alias_maps = inline:{a@m.org=b@y.m.org}",
            &[("a@here.org", "b@y.m.org")],
        ),
        (
            "canonical_maps = inline:{a@here.org=b@here.org}\ncanonical_classes = envelope_sender, header_recipient",
            &[("a@here.org", "a@here.org")],
        ),
        (
            "canonical_maps = inline:{a@here.org=b@here.org}\ncanonical_classes = envelope_recipient",
            &[("a@here.org", "b@here.org")],
        ),
        (
            "recipient_canonical_maps = inline:{a@here.org=b@here.org}\nrecipient_canonical_classes = header_recipient",
            &[("a@here.org", "a@here.org")],
        ),
        (
            "propagate_unmatched_extensions = virtual
             canonical_maps = inline:{c@here.org=t@here.org}\nvirtual_alias_maps = inline:{v@here.org=w@here.org}",
            &[("c+x@here.org", "t@here.org"), ("v+x@here.org", "w+x@here.org")],
        ),
        (
            "propagate_unmatched_extensions = canonical
             canonical_maps = inline:{c@here.org=t@here.org}\nvirtual_alias_maps = inline:{v@here.org=w@here.org}",
            &[("c+x@here.org", "t+x@here.org"), ("v+x@here.org", "w@here.org")],
        ),
        (
            "canonical_maps = fail:x",
            &[("a@here.org", "`fail:x`")],
        ),
    ] {
        let rules = Rules::new(main_cf);
        check(main_cf, |address| rules.recipients(address), cases);
    }
}

/// `sender_canonical_maps`, `canonical_maps` and `masquerade_domains` for a message without a sender. The answers are those of
/// a Postfix 3.7, which tests/remote/bounces.rs asks for the same.
#[test]
fn senders_of_bounces() {
    let patterns = |name: &str| format!("regexp:/etc/postfix/{name}");
    let files = [
        ("/etc/postfix/empty", "/^$/ x@here.org\n"),
        ("/etc/postfix/quotes", "/^\"\"$/ x@here.org\n"),
        ("/etc/postfix/any", "/^/ x@here.org\n"),
        ("/etc/postfix/at", "/@/ x@here.org\n"),
    ];
    for (main_cf, expected) in [
        (String::new(), ""),
        ("sender_canonical_maps = static:x@here.org".to_owned(), "x@here.org"),
        ("sender_canonical_maps = static:x".to_owned(), "x@host.here.org"),
        ("canonical_maps = static:x@here.org".to_owned(), "x@here.org"),
        ("canonical_maps = static:x@here.org\ncanonical_classes = envelope_recipient".to_owned(), ""),
        ("sender_canonical_maps = static:x@here.org\nsender_canonical_classes = header_sender".to_owned(), ""),
        ("sender_canonical_maps = inline:{x@here.org=y@here.org}".to_owned(), ""),
        ("sender_canonical_maps = static:x@here.org\ncanonical_maps = inline:{x@here.org=y@here.org}".to_owned(), "y@here.org"),
        ("sender_canonical_maps = static:x@a.here.org\nmasquerade_domains = here.org".to_owned(), "x@here.org"),
        ("masquerade_domains = here.org".to_owned(), ""),
        (format!("sender_canonical_maps = {}", patterns("empty")), ""),
        (format!("sender_canonical_maps = {}", patterns("quotes")), "x@here.org"),
        (format!("sender_canonical_maps = {}", patterns("any")), "x@here.org"),
        (format!("sender_canonical_maps = {}", patterns("at")), ""),
    ] {
        let rules = Rules::with_files(&main_cf, &files);
        let host = &rules.0.hosts[0];
        let sender = host.cleanup.sender_of_bounces(&host.resolver, &Directory::default());
        let sender = sender.unwrap().map_or(String::new(), |(sender, _)| sender);
        assert_eq!(sender, expected, "{main_cf}");
    }
}

/// postconf(5): `masquerade_domains`, `masquerade_classes`, `masquerade_exceptions`.
#[test]
fn masquerading() {
    for (main_cf, cases) in [
        (
            "masquerade_domains = !keep.here.org here.org Upper.org
             masquerade_classes = envelope_sender, envelope_recipient
             masquerade_exceptions = root",
            &[
                ("a@x.here.org", "a@here.org"),
                ("root@x.here.org", "root@x.here.org"),
                ("ROOT@y.here.org", "ROOT@y.here.org"),
                ("root+e@x.here.org", "root+e@here.org"),
                ("a@x.Upper.org", "a@upper.org"),
                ("a@keep.here.org", "a@keep.here.org"),
                ("a@here.org", "a@here.org"),
                ("a@there.org", "a@there.org"),
            ][..],
        ),
        (
            "masquerade_domains = here.org",
            &[("a@x.here.org", "a@x.here.org")],
        ),
    ] {
        let rules = Rules::new(main_cf);
        check(main_cf, |address| rules.recipients(address), cases);
    }
}

/// postconf(5): `virtual_alias_recursion_limit`, `virtual_alias_expansion_limit`, `virtual_alias_address_length_limit`.
#[test]
fn limits_of_virtual_aliases() {
    let rules = Rules::new(
        "virtual_alias_recursion_limit = 3
         virtual_alias_expansion_limit = 4
         virtual_alias_address_length_limit = 30
         virtual_alias_maps = inline:{a1@here.org=a2@here.org,a2@here.org=a3@here.org,a3@here.org=a4@here.org,
           {m4@here.org=x1@here.org,x2@here.org,x3@here.org,x4@here.org},
           {m5@here.org=x1@here.org,x2@here.org,x3@here.org,x4@here.org,x5@here.org},
           {tree@here.org=m2@here.org,m4@here.org},{m2@here.org=y1@here.org,y2@here.org},
           {long@here.org=aaaaaaaaaaaaaaaaaaaaaaaaaaa@here.org},{short@here.org=aaaaaaaaaaaaaaaaaaaaa@here.org}}",
    );
    check(
        "limits",
        |address| rules.recipients(address),
        &[
            ("a1@here.org", "4.6.0"),
            ("a2@here.org", "a4@here.org"),
            (
                "m4@here.org",
                "x1@here.org,x2@here.org,x3@here.org,x4@here.org",
            ),
            ("m5@here.org", "4.6.0"),
            ("m2@here.org", "y1@here.org,y2@here.org"),
            ("tree@here.org", "4.6.0"),
            ("long@here.org", "4.6.0"),
            ("short@here.org", "aaaaaaaaaaaaaaaaaaaaa@here.org"),
        ],
    );
    // The limits are 1000 where nothing sets them.
    let many = |count: usize| {
        (1..=count)
            .map(|at| format!("x{at}@here.org,"))
            .collect::<String>()
    };
    let text = format!("most {}\nmore {}\n", many(1000), many(1001));
    let rules = Rules::with_files("virtual_alias_maps = texthash:/v", &[("/v", &text)]);
    assert_eq!(rules.recipients("most@here.org").split(',').count(), 1000);
    assert_eq!(rules.recipients("more@here.org"), "4.6.0");
}

/// virtual(5): "TABLE FORMAT", "RESULT FORMAT": what a result may look like, and aliases of aliases.
#[test]
fn results_of_virtual_aliases() {
    let rules = Rules::new(
        "virtual_alias_maps = inline:{{s1@here.org=x@here.org y@here.org},{s2@here.org=x@here.org,,y@here.org},
           {s3@here.org=\"a b\"@here.org},s5@here.org=x,{s7@here.org=x@[192.0.2.5]},{s10@here.org=x@Here.Org.},u@here.org=x@here.org,
           {g@here.org=g@here.org,h@here.org},cyc1@here.org=cyc2@here.org,cyc2@here.org=cyc1@here.org,
           {dup@here.org=x@here.org,X@HERE.org,y@here.org},plus@here.org=plus+a@here.org,sp@here.org=sp@here.org,
           big@here.org=BIG@HERE.org,{s4@here.org=John Doe <x@here.org>}, {nest@here.org=s1@here.org, u@here.org, z@here.org}}",
    );
    check(
        "results",
        |address| rules.recipients(address),
        &[
            ("s1@here.org", "x@here.org,y@here.org"),
            ("s2@here.org", "x@here.org,y@here.org"),
            ("s3@here.org", "a b@here.org"),
            ("s5@here.org", "x@host.here.org"),
            // Only the host knows whether the address is its own.
            ("s7@here.org", "?"),
            ("s10@here.org", "x@Here.Org"),
            ("U@here.org", "x@here.org"),
            ("u+e@here.org", "x+e@here.org"),
            ("g@here.org", "g@here.org,h@here.org"),
            ("cyc1@here.org", "4.6.0"),
            ("dup@here.org", "x@here.org,y@here.org"),
            ("plus@here.org", "4.6.0"),
            ("sp+e@here.org", "sp+e@here.org"),
            ("big@here.org", "BIG@HERE.org"),
            ("nest@here.org", "x@here.org,z@here.org,y@here.org"),
            ("nest+e@here.org", "x+e@here.org,z+e@here.org,y+e@here.org"),
            ("none@here.org", "none@here.org"),
            // Names before an address.
            ("s4@here.org", "?"),
        ],
    );
}

/// virtual(5), "TABLE SEARCH ORDER" and "ADDRESS EXTENSION".
#[test]
fn keys_of_virtual_aliases() {
    let text = "k+e@here.org 1@t.org\nk@here.org 2@t.org\nl@here.org 3@t.org\nl+e 4@t.org\nm+e 5@t.org\nm 6@t.org\nn 7@t.org\n@here.org 8@t.org\n\
                p 9@t.org\nq 10@t.org\n@cat.org @t.org\n\"a b\"@here.org 12@t.org\n";
    let files = [("/v", text)];
    let rules = Rules::with_files(
        "myorigin = orig.org\nvirtual_alias_maps = texthash:/v",
        &files,
    );
    check(
        "keys",
        |address| rules.recipients(address),
        &[
            ("k+e@here.org", "1@t.org"),
            ("k+f@here.org", "2+f@t.org"),
            // The address without its extension comes before the local part with it.
            ("l+e@here.org", "3+e@t.org"),
            ("m+e@here.org", "5@t.org"),
            ("n+e@here.org", "7+e@t.org"),
            ("o+e@here.org", "8@t.org"),
            ("o@here.org", "8@t.org"),
            ("p@orig.org", "9@t.org"),
            ("q@else.org", "q@else.org"),
            ("r+e@cat.org", "r+e@t.org"),
            ("a b@here.org", "12@t.org"),
            ("c d@here.org", "8@t.org"),
            ("postmaster+e@here.org", "8@t.org"),
        ],
    );
    for (delimiter, cases) in [
        ("", &[("k+f@here.org", "8@t.org")][..]),
        (
            "-",
            &[("k-f@here.org", "2-f@t.org"), ("k+e@here.org", "1@t.org")],
        ),
        (
            "+-",
            &[
                ("k-f@here.org", "2-f@t.org"),
                ("k+f-g@here.org", "2+f-g@t.org"),
            ],
        ),
    ] {
        let main_cf =
            format!("recipient_delimiter = {delimiter}\nvirtual_alias_maps = texthash:/v");
        let rules = Rules::with_files(&main_cf, &files);
        check(&main_cf, |address| rules.recipients(address), cases);
    }
}

/// trivial-rewrite(8), "rewrite"; postconf(5): `append_dot_mydomain`, `swap_bangpath`, `allow_percent_hack`, `myorigin`.
#[test]
fn incomplete_addresses() {
    for (main_cf, cases) in [
        (
            "",
            &[
                ("a", "a@host.here.org"),
                ("a%b.org", "a@b.org"),
                ("b.org!a", "a@b.org"),
                ("c.org!b.org!a", "b.org!a@c.org"),
                ("a%b.org%c.org", "a%b.org@c.org"),
                ("a@short", "a@short"),
                ("a@b.org.", "a@b.org"),
                ("a@", "a@"),
            ][..],
        ),
        (
            "append_dot_mydomain = yes\nmydomain = my.org\nmyorigin = short",
            &[
                ("a@short", "a@short.my.org"),
                ("a", "a@short.my.org"),
                ("a@b.org", "a@b.org"),
                ("a@[1.2.3.4]", "a@[1.2.3.4]"),
            ],
        ),
        (
            "swap_bangpath = no\nallow_percent_hack = no",
            &[
                ("a%b.org", "a%b.org@host.here.org"),
                ("b.org!a", "b.org!a@host.here.org"),
            ],
        ),
    ] {
        let rules = Rules::new(main_cf);
        check(main_cf, |address| rules.recipients(address), cases);
    }
}
