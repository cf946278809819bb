#!/usr/bin/env python3
"""Compares `murder trace` with a real Postfix: RCPT answers and deliveries of one host at a time.

    tests/lab/compare.py MURDER [SEED]
    tests/lab/compare.py --write FOLDER SEED CONFIGURATION     only writes m.yaml and d.ldif of a number here, or of `mix3`

Mail enters over SMTP from outside and from inside, and by sendmail(1). `compare` beside it runs it on the Postfix of a Debian release.
COMPARE_ONLY=0,mix3 tries only these configurations, COMPARE_MIX=20 instead of the ones here so many that are mixed by chance (mix.py), COMPARE_ASK=60 only so many of the addresses that are chosen by chance;
COMPARE_AT_ONCE is how many hosts run at the same time, and COMPARE_UNKNOWN=1 prints what is not modelled.

Needs root, Postfix with postfix-ldap, slapd and unshare(1). Each host runs in namespaces of its own, with slapd beside it and
an smtp-sink(1) in the place of each other host; nothing leaves the machine. The directory and the configurations come from
the seed. Prints each disagreement, then the counts; exit code 1 if there is a disagreement or too much is not modelled.
"""
import json, os, random, re, shutil, smtplib, subprocess, sys, tempfile, time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from mix import Mixer
OUTSIDE, INSIDE = "203.0.113.1", "192.0.2.11"
HOSTS = {"mx": "192.0.2.6", "smtp": "192.0.2.5", "backend1": INSIDE, "backend2": "192.0.2.12", "frontend1": "192.0.2.13"}



def table(name, lines, settings):
    """A host's keys for an LDAP table of its own."""
    return tables({name: lines}, settings)


def tables(lines_of, settings):
    """A host's keys for LDAP tables of its own."""
    head = "version = 3\\nserver_host = ldap://127.0.0.1:389\\n"
    base = "search_base = dc=example,dc=org\\n"
    files = [f'/etc/postfix/ldap/{name}.cf: {{content: "{head}{"" if "search_base" in lines else base}{lines}\\n"}}' for name, lines in lines_of.items()]
    return f"files: {{{', '.join(files)}}}\nsettings: {{{settings}}}"


# Transports of entries of the directory: forms of next hops, and ways to fail.
NEXT_HOPS = ["smtp:[dead1.example.net]:25,[backend1.example.org]:25", "smtp:[dead1.example.net]:25,[dead2.example.net]", "relay:[dead2.example.net]:25",
             "smtp:[smtp.example.org]:25", "smtp:[dead2.example.net]:25,[smtp.example.org]:25", "lmtp:inet:[dead1.example.net]:24", "error:5.7.1 not here",
             "retry:4.2.2 full", "nosuch:x", ":[backend2.example.org]", "smtp:[smtp2.outside.example]:25, [backend1.example.org]", "error:", "discard:",
             "smtp:[smtp.example.org]", "smtp:[backend1.example.org]:smtp", "relay:smtp2.outside.example"]
NEXT = "query_filter = (&(title=next hop)(mail=%s))\\nresult_attribute = description"
NEXT_FIRST = "relay_recipient_maps: '', transport_maps: {prepend: ['proxy:ldap:/etc/postfix/ldap/next.cf']}"


# Settings and variables of each configuration, by host.
CONFIGURATIONS = [
    {},
    {"smtp": "vars: {layout: local}", "backend1": "vars: {layout: relay}"},
    {"smtp": "vars: {groups: false, dynamic_groups: false}", "backend1": "vars: {shared_folders: false}", "mx": "vars: {recipient_check: none}"},
    {"smtp": "vars: {aliases: false, forwarding: false}", "backend1": "vars: {defer_unknown: false}"},
    {"smtp": "settings: {relay_recipient_maps: '', recipient_delimiter: ''}", "backend1": "settings: {virtual_alias_maps: ''}"},
    {"smtp": "settings: {propagate_unmatched_extensions: '', soft_bounce: 'yes'}", "backend1": "settings: {local_recipient_maps: ''}"},
    {"smtp": "settings: {transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf', relay_transport: 'error:5.1.1 nobody'}"},
    {"smtp": "settings: {smtpd_recipient_restrictions: 'reject_non_fqdn_recipient, check_recipient_access inline:{{u3@example.org=reject}, {u4@example.org=450 4.2.1 later}, u5@=ok}, permit_mynetworks, reject_unauth_destination'}"},
    {"smtp": "settings: {canonical_maps: 'inline:{u1@example.org=u2@example.org}', virtual_alias_domains: 'alias.example', virtual_alias_maps: {append: ['inline:{one@alias.example=u1@example.org, @all.alias.example=u2@example.org}']}}"},
    {"smtp": "settings: {transport_maps: {prepend: ['inline:{u6@example.org=discard:gone, .sub.example.org=smtp:[smtp2.outside.example], u7@example.org=retry:}', 'regexp:/etc/postfix/re']}}\nfiles: {/etc/postfix/re: {content: '/^u8\\+.*@/ error:5.7.1 no extensions'}}"},
    {"smtp": "settings: {virtual_alias_recursion_limit: '30', virtual_alias_maps: {append: ['unionmap:{inline:{union@example.org=u1@example.org},inline:{union@example.org=u2@example.org}}', 'pipemap:{inline:{pipe@example.org=step},inline:{step=u3@example.org}}', 'static:u1@example.org']}}"},
    {"smtp": "settings: {relocated_maps: 'inline:{u9@example.org=elsewhere}', mynetworks: 127.0.0.0/8, smtpd_relay_restrictions: 'permit_mynetworks, reject_unauth_destination'}", "mx": "vars: {recipient_check: table, recipients: [u1@example.org, u2@example.org]}"},
    # Configurations of the field that lose mail.
    {"smtp": "settings: {relay_domains: '', relay_recipient_maps: '', virtual_alias_maps: '', transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf'}"},
    {"backend1": "settings: {local_recipient_maps: '', virtual_alias_maps: '', transport_maps: 'hash:/etc/postfix/transport'}"},
    {"smtp": table("bad", "query_filter = (&(mail=%s)\\\\\\n (objectClass=x))\\nresult_attribute = mail", "transport_maps: {prepend: ['proxy:ldap:/etc/postfix/ldap/bad.cf']}")},
    {"backend1": table("all", "query_filter = (|(mail=%s)(alias=%s))\\nresult_attribute = mail", "virtual_alias_maps: {append: ['proxy:ldap:/etc/postfix/ldap/all.cf']}")},
    {"backend1": table("any", "query_filter = (|(mail=%s)(alias=%s))\\nresult_attribute = mailHost\\nresult_format = lmtp:unix:/run/cyrus/socket/lmtp", "transport_maps: {prepend: ['proxy:ldap:/etc/postfix/ldap/any.cf']}")},
    {"smtp": table("many", "query_filter = (mail=%s)\\nresult_attribute = mailHost\\nresult_format = relay:[%s]:25", "transport_maps: {prepend: ['proxy:ldap:/etc/postfix/ldap/many.cf']}"), "mx": "vars: {recipient_check: none}"},
    # Forms of next hops, and how their failures end: lists, the fallback relay, `relayhost`, the host itself, no destination at all.
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}")},
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}, relayhost: '[smtp.example.org]'")},
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}, smtp_fallback_relay: '[smtp2.outside.example]'")},
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}, smtp_fallback_relay: '[smtp.example.org]', soft_bounce: 'yes'")},
    # Filters of one service and not of the other, and aliases of local(8).
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}, smtp_delivery_status_filter: 'regexp:{{{{/^5(.4.4 .*)$$/ 4$$1}}}}', "
                   "alias_maps: 'inline:{{both=root,u1@example.org},chain=both,{far=far@outside.example},{me=me@smtp.example.org,root}}'")
             + "\nservices: {relay/unix: {options: {smtp_delivery_status_filter: '', soft_bounce: 'yes'}}}"},
    # canonical(5): classes, circles, several results, whole domains; malformed domains.
    {"smtp": "settings: {canonical_maps: 'inline:{u1@example.org=u2@example.org, u2@example.org=u3@example.org, root@smtp.example.org=u1@example.org, @sub.example.org=@example.org, loop1@example.org=loop2@example.org, loop2@example.org=loop1@example.org, {multi@example.org=u1@example.org, u2@example.org}, ca=u4@example.org}', "
             "canonical_classes: 'envelope_recipient', recipient_canonical_maps: 'inline:{u4@example.org=u1@example.org, x@outside.example=u5@example.org}', recipient_canonical_classes: 'envelope_recipient, header_recipient', "
             "sender_canonical_maps: 'inline:{u6@example.org=nobody@example.org}', propagate_unmatched_extensions: 'canonical'}",
     "asked": ["u1+e@example.org", "loop1@example.org", "multi@example.org", "y+z@sub.example.org", "x@outside.example", "ca@smtp.example.org", "ca@example.org", "u1@t+ext", "u1@1.2.3.4", "u1@sub..example.org", "u1@-x.example.org", "u1%t+ext@smtp.example.org"]},
    {"smtp": "settings: {canonical_maps: 'inline:{u1@example.org=u2@example.org}', canonical_classes: 'envelope_sender, header_recipient', masquerade_domains: '!keep.example.org sub.example.org Example.ORG', masquerade_classes: 'envelope_sender, envelope_recipient', masquerade_exceptions: 'root, u3'}",
     "asked": ["u1@backend1.example.org", "root@frontend1.example.org", "ROOT@x.example.org", "root+e@x.example.org", "u2@keep.example.org", "u2@a.keep.example.org", "u3@x.sub.example.org", "u4@x.sub.example.org"]},
    # Limits of aliases that are hit, and those of LDAP tables with their attributes, scopes and bases.
    {"smtp": "settings: {virtual_alias_recursion_limit: '3', virtual_alias_expansion_limit: '4', virtual_alias_address_length_limit: '23', virtual_alias_maps: {append: ['inline:{one@alias.example=two@alias.example, two@alias.example=u1@example.org, {any@alias.example=u1@example.org,u2@example.org,u3@example.org,u4@example.org}}']}, virtual_alias_domains: 'alias.example'}"},
    {"smtp": tables({"deep": "query_filter = (mail=%s)\\nspecial_result_attribute = uniqueMember\\nleaf_result_attribute = mail\\nresult_attribute =\\nrecursion_limit = 2",
                     "few": "query_filter = (mail=%s)\\nspecial_result_attribute = memberURL\\nresult_attribute = mail\\nsize_limit = 3\\nexpansion_limit = 2",
                     "last": "query_filter = (|(mail=%s)(alias=%s))\\nterminal_result_attribute = mailForwardingAddress\\nresult_attribute = mail\\nspecial_result_attribute = uniqueMember",
                     "level": "search_base = ou=People,dc=%2,dc=%1\\nscope = one\\nquery_filter = (&(mail=%u@%d)(!(title=next hop)))\\nresult_attribute = uid\\nresult_format = %s+%U@%D",
                     "some": "domain = sub.example.org, outside.example, inline:{example.org=1}\\nquery_filter = (&(alias=%s)(|(mail=U*1@example.org)(mail=*e*@*)(!(mailHost=*))))\\nresult_attribute = mail\\nresult_format = %d%%%u@example.org"},
                    "virtual_alias_maps: 'proxy:ldap:/etc/postfix/ldap/deep.cf, proxy:ldap:/etc/postfix/ldap/few.cf, proxy:ldap:/etc/postfix/ldap/some.cf', recipient_canonical_maps: 'proxy:ldap:/etc/postfix/ldap/level.cf', relocated_maps: 'proxy:ldap:/etc/postfix/ldap/last.cf'")},
    # Other delimiters, and names of lists.
    {"smtp": "settings: {recipient_delimiter: '-+'}", "backend1": "settings: {recipient_delimiter: '-', owner_request_special: 'no'}", "asked": ["u1-x@example.org", "u2-x+y@example.org", "owner-x-y@example.org", "co@example.org", "list-request-x@example.org"]},
    # What restrictions leave for others: warnings, deferrals, classes, networks, tables that fail.
    {"smtp": "settings: {smtpd_restriction_classes: 'strict', strict: 'check_recipient_access regexp:{{/^u[37]@/ REJECT}}, permit_auth_destination', "
             "smtpd_sender_restrictions: 'check_recipient_access inline:{{u8@example.org=DEFER later},{u9@example.org=450 4.3.2 x}}', "
             "smtpd_recipient_restrictions: 'warn_if_reject check_recipient_access inline:{u1@example.org=REJECT}, check_recipient_access inline:{{u2@example.org=DEFER_IF_PERMIT 4.9.9 x},{u3@example.org=DEFER_IF_REJECT},u4@example.org=strict,u5@example.org=550,{u6@example.org=550 5.9.1 x},example.org=DUNNO,outside.example=OK}, "
             "reject_non_fqdn_recipient, check_client_access cidr:{{203.0.113.0/24 strict}}, check_recipient_access inline:{x@sub.example.org=defer_if_permit}, permit_mynetworks, check_recipient_access inline:{root@=REJECT}'}",
     "asked": ["u1@example.org", "u2@example.org", "u8@example.org", "u1%outside.example@outside.example", "u9@outside.example"]},
    {"smtp": "settings: {smtpd_delay_reject: 'no', smtpd_client_restrictions: 'check_recipient_access inline:{u1@example.org=REJECT}, permit_mynetworks', smtpd_recipient_restrictions: 'check_recipient_access fail:x'}", "mx": "settings: {smtpd_client_restrictions: 'defer_if_permit', smtpd_recipient_restrictions: 'check_recipient_access inline:{u1@example.org=REJECT}, permit'}",
     "asked": ["u1@example.org", "u2@example.org"]},
    # transport(5): null fields, parents, `*`.
    {"smtp": "settings: {transport_maps: {prepend: ['inline:{.sub.example.org=smtp:[smtp2.outside.example], u1@example.org=:, u2@example.org=:[backend2.example.org], u3=relay:never, outside.example=smtp:, {*=error:5.9.9 star}}']}}",
     "asked": ["u1@example.org", "u2@example.org", "u1+e@example.org", "y@x.sub.example.org", "y@a.b.sub.example.org", "z@else.example"]},
    {"smtp": "settings: {parent_domain_matches_subdomains: 'relay_domains, transport_maps, smtpd_access_maps', transport_maps: {append: ['inline:{sub.example.org=smtp:[smtp2.outside.example], .alias.example=smtp:never, .=smtp:never}']}, smtpd_recipient_restrictions: 'check_recipient_access inline:{sub.example.org=REJECT, .outside.example=REJECT}'}",
     "asked": ["y@x.sub.example.org", "y@a.b.sub.example.org", "z@x.alias.example", "z@x.outside.example"]},
    # Tables of senders where they decide and where they do not; transports that wait.
    {"smtp": "settings: {sender_dependent_relayhost_maps: 'inline:{nobody@x.example=[y.example]}', sender_dependent_default_transport_maps: 'inline:{nobody@x.example=smtp:}'}",
     "asked": ["u1@example.org", "nosuch@example.org", "root@smtp.example.org", "friend@outside.example", "news@example.org"], "only": True},
    {"backend1": "settings: {defer_transports: 'uucp, lmtp', allow_min_user: 'yes'}", "asked": ["-x@example.org"]},
    # virtual mailboxes, extensions that are carried on, aliases in a circle, transports of mailboxes.
    {"smtp": "settings: {virtual_mailbox_domains: 'box.example', virtual_mailbox_maps: 'inline:{a@box.example=1, b+x@box.example=1}', virtual_transport: 'lmtp:unix:/run/cyrus/socket/lmtp', propagate_unmatched_extensions: 'canonical, virtual, generic, alias, forward', "
             "alias_maps: 'inline:{{both=root,u1@example.org},chain=both,{far=far@outside.example},cyc1=cyc2,cyc2=cyc1,{self=self,far@outside.example},deep=chain}', mailbox_transport_maps: 'inline:{root=lmtp:unix:/run/cyrus/socket/lmtp}', fallback_transport: 'smtp:[smtp2.outside.example]', mailbox_transport: 'discard:mailbox', "
             "smtp_generic_maps: 'inline:{u1@example.org=gen1@outside.example, @sub.example.org=@outside.example}'}\nservices: {lmtp/unix: {chroot: 'n'}}",
     "asked": ["a@box.example", "a+e@box.example", "b+x@box.example", "b@box.example", "postmaster@box.example"] + [f"{name}@smtp.example.org" for name in ("both", "chain", "deep+y", "far+z", "cyc1", "self", "root+x", "nosuch", "daemon")]},
    # Transports that do not run.
    {"smtp": table("next", NEXT, f"{NEXT_FIRST}, master_service_disable: '!smtp/inet, !smtp/unix, LOCAL.unix, discard/unix, !local/unix'"), "asked": ["root@smtp.example.org", "postmaster@smtp.example.org"]},
]
# How many of the addresses that are chosen by chance a configuration is asked for that names its own addresses.
SOME = 12


def version():
    """That of the installed Postfix, or of Debian 12's where there is none."""
    postconf = shutil.which("postconf", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not postconf:
        return "3.7.11"
    return subprocess.run([postconf, "-dh", "mail_version"], check=True, stdout=subprocess.PIPE).stdout.decode().strip()


def manifest(configuration):
    roles = {"mx": "internet-mta", "smtp": "internal-mta", "frontend1": "frontend"}
    hosts = "".join(
        f"  {host}.example.org:\n    roles: [{roles.get(host, 'backend')}]\n    addresses: [{address}]\n    facts: {{postfix_version: '{version()}'}}\n"
        + "".join(f"    {line}\n" for line in configuration.get(host, "").splitlines() if line)
        for host, address in HOSTS.items())
    return ("version: 1\nmurder: lab\ntopology: discrete\ndomains: [example.org]\n"
            "ldap: {uris: ['ldap://127.0.0.1:389'], base: 'dc=example,dc=org', tls: {mode: none}}\n"
            "cyrus: {lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}\nexternal: [smtp2.outside.example]\n"
            "shared_folders:\n  - {address: news@example.org, backend: backend1.example.org, folder: news}\nhosts:\n" + hosts)


def directory(rng):
    """LDIF with odd entries, and the addresses to ask for."""
    text = ["dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example"]
    text += [f"dn: ou={ou},dc=example,dc=org\nobjectClass: organizationalUnit\nou: {ou}" for ou in ("People", "Groups", "Folders")]
    mails, people, groups = [], [], []
    backends = ["backend1.example.org", "backend2.example.org", "BACKEND1.example.org", "backend1", "backend9.example.org",
                "frontend1.example.org", "smtp.example.org", None, "two"]
    odd = ["o'brien", "a.b", "x_y", "a&b", "p%q", "ex!cl", "st*r", "pa(r)en", "semi=colon", "co-list", "owner-x", "list-request",
           "UPPER", "plus+sub", "slash/x", "hash#x", "#first", "-dash", "tilde~", "q?m", "br{ce}", "dol$ar", "postmaster2", "root2"]
    for number in range(200):
        name = odd[number] if number < len(odd) else f"u{number - len(odd) + 1}"
        mail = name + "@example.org" if rng.random() < .95 else name + rng.choice(["@sub.example.org", "@outside.example", "@EXAMPLE.org"])
        entry = [f"dn: uid=p{number},ou=People,dc=example,dc=org", "objectClass: inetOrgPerson", "objectClass: kolabInetOrgPerson",
                 "objectClass: mailRecipient", f"uid: p{number}", "cn: P", "sn: P", f"mail: {mail}"]
        for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
            alias = rng.choice([f"al{number}.{rng.randrange(9)}@example.org", f"al{number}+x@example.org", f"dup{rng.randrange(12)}@example.org",
                                f"u{rng.randrange(150)}@example.org", f"\"q {number}\"@example.org", f"al{number}@sub.example.org", f"s{number}%t@example.org"])
            if f"alias: {alias}" not in entry and alias.lower() not in [line[7:].lower() for line in entry]:
                entry.append(f"alias: {alias}")
                mails.append(alias)
        backend = backends[min(int(rng.expovariate(.5)), 8)] if rng.random() < .5 else rng.choice(backends[:2])
        if backend == "two":
            entry += ["mailHost: backend1.example.org", "mailHost: backend2.example.org"]
        elif backend:
            entry.append(f"mailHost: {backend}")
        if rng.random() < .08:
            entry.append("mailForwardingAddress: " + rng.choice(["u1@example.org", "friend@outside.example", f"u{rng.randrange(150)}@example.org", mail]))
        if rng.random() < .1:
            entry.append("title: engineer")
        mails.append(mail)
        people.append(entry[0][4:])
        text.append("\n".join(entry))
    for number in range(70):
        dynamic = rng.random() < .3
        kind = ["groupOfURLs", "kolabGroupOfUrls"] if dynamic else ["groupOfUniqueNames", "kolabGroupOfUniqueNames"]
        mail = f"g{number}@example.org"
        entry = [f"dn: cn=g{number},ou=Groups,dc=example,dc=org"] + [f"objectClass: {one}" for one in kind] + [f"cn: g{number}", f"mail: {mail}"]
        if rng.random() < .3:
            entry.append(f"alias: galias{number}@example.org"); mails.append(f"galias{number}@example.org")
        if dynamic:
            entry.append("memberURL: " + rng.choice(["ldap:///ou=People,dc=example,dc=org??sub?(title=engineer)", "ldap:///ou=People,dc=example,dc=org??one?(mail=u1*)",
                         "ldap:///uid=p1,ou=People,dc=example,dc=org", "ldap:///ou=None,dc=example,dc=org??sub?(mail=*)", "ldap:///dc=example,dc=org?mail?sub?(&(mailHost=backend1.example.org)(title=engineer))",
                         "ldap:///dc=example,dc=org??sub?(mail=g1*)"]))
        else:
            members = {rng.choice(people) for _ in range(rng.randrange(1, 5))}
            members |= {f"cn=g{rng.randrange(70)},ou=Groups,dc=example,dc=org" for _ in range(rng.choice([0, 0, 1, 2]))}
            if rng.random() < .1:
                members.add("uid=gone,ou=People,dc=example,dc=org")
            entry += [f"uniqueMember: {member}" for member in sorted(members)]
        mails.append(mail); text.append("\n".join(entry))
    for number in range(30):
        entry = [f"dn: cn=f{number},ou=Folders,dc=example,dc=org", "objectClass: kolabSharedFolder", f"cn: f{number}", f"mail: f{number}@example.org", f"alias: fa{number}@example.org"]
        if rng.random() < .9:
            entry.append("mailHost: " + rng.choice(["backend1.example.org", "backend1.example.org", "backend2.example.org"]))
        if rng.random() < .8:
            entry.append("kolabTargetFolder: " + rng.choice([f"shared/f{number}@example.org", f"shared/two words {number}@example.org", f"shared/F{number}"]))
        mails += [f"f{number}@example.org", f"fa{number}@example.org"]; text.append("\n".join(entry))
    for number, transport in enumerate(NEXT_HOPS):
        text.append(f"dn: uid=n{number},ou=People,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: n{number}\ncn: N\nsn: N\n"
                    f"title: next hop\nmail: n{number}@example.org\ndescription: {transport}")
    asked = [rng.choice(mails) for _ in range(150)]
    asked += [mail.replace("@", "+ext@", 1) for mail in rng.sample(mails, 12)] + [mail.upper() for mail in rng.sample(mails, 8)]
    asked += ["nosuch@example.org", "nosuch+x@example.org", "news@example.org", "postmaster@example.org", "abuse@example.org", "root@example.org",
              "folder+shared/x@example.org", "friend@outside.example", "x@sub.example.org", "root@smtp.example.org", "root@backend1.example.org",
              "u1%outside.example@example.org", "outside.example!u1@example.org", "u1@example.org.", "one@alias.example", "two@alias.example",
              "any@all.alias.example", "union@example.org", "pipe@example.org", "-x@example.org", ".x@example.org", "a..b@example.org",
              "u8+y@example.org", "u3@example.org", "u4@example.org", "u5@example.org", "u6@example.org", "u7@example.org", "u9@example.org", "postmaster@mx.example.org"]
    return "\n\n".join(text) + "\n", [one for one in dict.fromkeys(asked) if " " not in one and "@" in one]


# The last addresses, which are not chosen by chance.
NAMED = 30
# Those of the configurations with forms of next hops, and of the one with aliases of local(8).
FORMS = [f"n{number}@example.org" for number in range(len(NEXT_HOPS))]
LOCAL = [f"{name}@smtp.example.org" for name in ("both", "chain", "far", "me", "chain+x", "BOTH")]
# The sender of a mail by sendmail(1), with its number.
SUBMITTER = "s{}@outside.example"

INNER = r'''
# wait_for FAILURE CONDITION
wait_for() {{
  local n
  for ((n = 0; n < 600; n++)); do eval "$2" && return; sleep 0.1; done
  echo "$1" >&2
  exit 1
}}
ip link set lo up; hostname {host}.example.org
for a in 203.0.113.1 {addresses}; do ip addr add $a/32 dev lo; done
mount --bind {work}/hosts /etc/hosts; mount --bind {work}/nsswitch /etc/nsswitch.conf
mount --bind {work}/etc /etc/postfix; mount --bind {work}/spool /var/spool/postfix; mount --bind {work}/lib /var/lib/postfix
mount -t tmpfs none /var/log; mount -t tmpfs none /run; mkdir -p /run/cyrus/socket /run/slapd /var/log/x; chmod 755 /run/cyrus /run/cyrus/socket
for t in transport role_addresses relay_recipients shared_folders recipient_access own_folders server_folders; do
  [ ! -e /etc/postfix/$t ] || postmap hash:/etc/postfix/$t
done
postalias hash:/etc/postfix/aliases
slapd -f {work}/slapd.conf -h ldap://127.0.0.1:389
postfix start >/dev/null 2>&1
for a in {others}; do smtp-sink -u postfix -c $a:25 1000 >/dev/null 2>&1 & smtp-sink -u postfix -L -c $a:24 1000 >/dev/null 2>&1 & done
smtp-sink -u postfix -L unix:/run/cyrus/socket/lmtp 1000 >/dev/null 2>&1 &
# Where a server is late, qmgr(8) defers all mail for it until the end.
for a in {address} {others}; do wait_for "nobody listens at $a:25" 'ss -Hlnt "src $a:25" | grep -q .'; done
wait_for "slapd does not listen" 'ss -Hlnt "src 127.0.0.1:389" | grep -q .'
wait_for "nobody listens at the socket for LMTP" '[ -S /run/cyrus/socket/lmtp ]'
chmod 777 /run/cyrus/socket/lmtp
python3 {script} --inside {work} {address}
postfix stop >/dev/null 2>&1
'''


def real(murder, work, host, config_manifest, ldif):
    """Sets up a host from the rendered files, and runs it."""
    etc = work / "etc"
    shutil.copytree("/etc/postfix", etc, symlinks=True)
    subprocess.run([murder, "render", str(config_manifest), "--host", f"{host}.example.org", "--out", str(work / "out")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    out = work / "out" / f"{host}.example.org"
    for path in (out / "etc/postfix").rglob("*"):
        if path.is_file():
            target = etc / path.relative_to(out / "etc/postfix")
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
            subprocess.run(["chown", "root:postfix", str(target)]); target.chmod(0o640)
            target.parent.chmod(0o755)
    stock = {"compatibility_level": "3.6", "append_dot_mydomain": "no", "smtpd_relay_restrictions": "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
             "alias_maps": "hash:/etc/postfix/aliases", "myhostname": f"{host}.example.org", "mydestination": "$myhostname, localhost.localdomain, localhost", "relayhost": "",
             "mynetworks": "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "recipient_delimiter": "+", "inet_interfaces": HOSTS[host] + ", 127.0.0.1"}
    test = {"maillog_file": "/var/log/pf.log", "smtpd_soft_error_limit": "5000", "smtpd_hard_error_limit": "6000", "smtpd_error_sleep_time": "0", "smtp_host_lookup": "native",
            "smtpd_peername_lookup": "no", "smtp_tls_security_level": "", "smtpd_tls_security_level": "", "disable_dns_lookups": "yes", "smtpd_junk_command_limit": "6000",
            "in_flow_delay": "0", "minimal_backoff_time": "4000s", "queue_run_delay": "4000s", "bounce_queue_lifetime": "0"}
    (etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in stock.items()))
    (etc / "aliases").write_text("postmaster: root\n")
    edits = []
    for line in (out / "settings").read_text().splitlines():
        found = re.match(r"main\.cf:(\S+) = (.*)", line)
        if found:
            edits.append(f"{found[1]}={found[2]}")
        found = re.match(r"master\.cf:(\S+/\S+):(\S+) = (.*)", line)
        if found:
            subprocess.run(["postconf", "-c", str(etc), "-P", f"{found[1]}/{found[2]}={found[3]}"], check=True)
        found = re.match(r"master\.cf:(\S+/\S+/[^/:\s]+) = (.*)", line)
        if found:
            subprocess.run(["postconf", "-c", str(etc), "-F", f"{found[1]}={found[2]}"], check=True)
    subprocess.run(["postconf", "-c", str(etc), "-e"] + edits + [f"{name}={value}" for name, value in test.items()], check=True)
    for name, source in (("spool", "/var/spool/postfix"), ("lib", "/var/lib/postfix")):
        subprocess.run(["cp", "-a", source, str(work / name)])
    subprocess.run(f"chown -R postfix: {work}/lib; find {work}/spool -type f -path '*/deferred/*' -delete", shell=True)
    for service in ("smtp/unix", "relay/unix", "lmtp/unix", "smtp/inet", "cleanup/unix", "rewrite/unix"):
        subprocess.run(["postconf", "-c", str(etc), "-F", service + "/chroot=n"], check=True)
    (work / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{address} {name}.example.org\n" for name, address in HOSTS.items()) + f"{OUTSIDE} smtp2.outside.example outside.example sub.example.org alias.example all.alias.example\n")
    (work / "nsswitch").write_text("passwd: files\ngroup: files\nhosts: files\nservices: files\n")
    slapd = (HERE / "slapd.conf").read_text().replace("/etc/ldap/kolab-mini.schema", str(HERE / "kolab-mini.schema")).replace("/var/lib/ldap-lab", str(work / "ldap"))
    (work / "slapd.conf").write_text(re.sub(r"access to \* by .*", "access to * by * read", slapd))
    (work / "ldap").mkdir()
    (work / "d.ldif").write_text(ldif)
    subprocess.run(["slapadd", "-q", "-f", str(work / "slapd.conf"), "-l", str(work / "d.ldif")], check=True, stderr=subprocess.DEVNULL)
    work.chmod(0o755)
    script = INNER.format(host=host, work=work, script=__file__, address=HOSTS[host], addresses=" ".join(HOSTS.values()),
                          others=" ".join([a for name, a in HOSTS.items() if name != host] + [OUTSIDE]))
    said = subprocess.run(["unshare", "-u", "-n", "-m", "-p", "-f", "--mount-proc", "bash", "-c", script], timeout=1500, stderr=subprocess.PIPE).stderr
    if not (work / "result.json").exists():
        raise RuntimeError(said.decode(errors="replace"))
    return json.loads((work / "result.json").read_text())


def inside(work, address):
    """Runs beside the host: asks it for each address from each client, and reads its log."""
    result = {"rcpt": {}, "data": {}, "log": {}}
    asked = json.loads((Path(work) / "asked.json").read_text())
    for client in (OUTSIDE, INSIDE):
        session = smtplib.SMTP(address, 25, local_hostname="client.outside.example", source_address=(client, 0), timeout=600)
        session.ehlo()
        for number, one in enumerate(asked):
            session.mail("sender@outside.example")
            local, domain = one.rsplit("@", 1)
            code, text = session.docmd("RCPT", f"TO:<{quoted(local)}@{domain}>")
            result["rcpt"][f"{client} {one}"] = f"{code} {text.decode().split(' ')[0]}"
            if code == 250 and client == INSIDE:
                try:
                    code, text = session.data(f"Message-ID: <n{number}@compare>\nSubject: x\n\nx\n")
                except smtplib.SMTPDataError as error:
                    code, text = error.smtp_code, error.smtp_error
                result["data"][one] = f"{code} {text.decode().split(' ')[0]}"
            session.rset()
        session.close()
    taken = set()
    for number, one in enumerate(asked):
        local, domain = one.rsplit("@", 1)
        done = subprocess.run(["sendmail", "-f", SUBMITTER.format(number), "--", f"{quoted(local)}@{domain}"], input=f"Message-ID: <s{number}@compare>\nSubject: x\n\nx\n".encode(), timeout=600)
        if done.returncode == 0:
            taken.add(number)
    wait_until_idle(taken)
    ids, log = {}, log_until_now()
    result["submitted"] = {}
    for line in log.splitlines():
        found = re.search(r": (\w+): message-id=<([ns])(\d+)@compare>", line)
        if found:
            ids[found[1]] = ("log" if found[2] == "n" else "submitted", asked[int(found[3])])
        found = re.search(r"postfix/(?:relay/)?(\w+)\[\d+\]: (\w+): to=<(.*?)>,(?: orig_to=<.*?>,)? relay=(.*?), delay=.*dsn=(.*?), status=(\w+) ?(.*)", line)
        if found and found[2] in ids and found[6] in ("sent", "bounced", "deferred", "SOFTBOUNCE"):
            way, one = ids[found[2]]
            result[way].setdefault(one, []).append([found[1], found[3], found[4], found[5], found[6], found[7]])
    if os.environ.get("COMPARE_LOG"):
        Path(os.environ["COMPARE_LOG"]).write_text(log)
    result["fatal"] = [line for line in log.splitlines() if "fatal" in line or "panic" in line][:5]
    (Path(work) / "result.json").write_text(json.dumps(result))


def wait_until_idle(taken):
    """Waits until Postfix has tried each mail, and works on none.

    Mail that cannot be expanded stays in maildrop, and pickup(8) tries it again at each scan. It takes one mail after the other, so
    the first try of a mail has ended where its second one has begun. What a load of the machine makes slow takes longer, and changes nothing.
    """
    spool, calm, end = Path("/var/spool/postfix"), 0, time.monotonic() + 900
    while calm < 2:
        if time.monotonic() > end:
            raise RuntimeError("Postfix does not come to an end: " + "; ".join(re.findall(r"(?:warning|fatal): .*", log_until_now())[-3:]))
        tries = Counter(int(number) for number in re.findall(r"/pickup\[\d+\]: \w+: uid=\d+ from=<" + SUBMITTER.format(r"(\d+)") + ">", log_until_now()))
        stays = len(list((spool / "maildrop").iterdir()))
        is_tried = taken <= tries.keys() and stays <= sum(1 for count in tries.values() if count > 1)
        if not is_tried:
            # It fails while pickup(8) is at work and does not listen.
            subprocess.run(["postkick", "public", "pickup", "W"], stderr=subprocess.DEVNULL)
            time.sleep(2)
        works = any(is_taken(path) for queue in ("incoming", "active") for path in (spool / queue).rglob("*"))
        calm = calm + 1 if is_tried and not works else 0
        time.sleep(0.3)


def is_taken(path):
    """Whether a file of the queue is a message that Postfix has taken: cleanup(8) makes it executable at its end."""
    try:
        return path.is_file() and bool(path.stat().st_mode & 0o100)
    except FileNotFoundError:
        return False


def log_until_now():
    """The log with all that Postfix has said so far: postlogd(8) writes its lines in the order in which they come."""
    mark, path = f"mark-{time.monotonic_ns()}", Path("/var/log/pf.log")
    subprocess.run(["postlog", "-t", "compare", mark], check=True, stderr=subprocess.DEVNULL)
    while mark not in (log := path.read_text(errors="replace")):
        time.sleep(0.1)
    return log


def quoted(local):
    return local if re.fullmatch(r"(\"(.*)\"|[^ ()<>@,;:\\\"\[\].]+(\.[^ ()<>@,;:\\\"\[\].]+)*)", local) else '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


def plain(address):
    local, domain = address.rsplit("@", 1)
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    return f"{local}@{domain}"


def trace(murder, config_manifest, ldif, host, client, asked):
    listed = config_manifest.parent / "asked.txt"
    listed.write_text("".join(plain(one) + "\n" for one in asked))
    way = ["--submit", f"{host}.example.org"] if client is None else ["--at", f"{host}.example.org", "--client", client]
    output = subprocess.run([murder, "trace", "--manifest", str(config_manifest), "--ldif", str(ldif), *way,
                             "--addresses", str(listed), "--format", "json"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return dict(zip(asked, map(json.loads, output.stdout.decode().splitlines())))


def sent_by(route, ends, host, asked):
    """What the log must say of a route: agent, relay, code and status. `asked` has the other hosts that get recipients."""
    transport, _, nexthop = route["via"].partition(":")
    # Each other host is an smtp-sink(1), which takes all that Postfix sends it.
    failed = [end for end in ends if end["host"] == host and end["via"] == route["via"] and end["recipient"].lower() == route["recipient"].lower()
              and end["action"] in ("bounced", "deferred", "loop")]
    if failed and "mail transport unavailable" in failed[0]["reason"]:
        return "retry", "none", *failure(failed[0])
    if transport in ("error", "retry"):
        return ("error", "none", *failure(failed[0])) if failed else ("error", "?", "?", "?")
    if transport in ("discard", "local"):
        relay = {"discard": "none", "local": "local"}[transport]
        return (transport, relay, *failure(failed[0])) if failed else (transport, relay, "2.0.0", "sent")
    agent = "lmtp" if transport == "lmtp" else "smtp"
    names = [name.lower() for name in re.findall(r"(?:^|[, ])(?:inet:)?\[?([^\]:, ]+)", nexthop)]
    for name in names:
        if (name, route["recipient"].lower()) in asked:
            return agent, name, "2.0.0", "sent"
    if failed:
        code, status = failure(failed[0])
        # qmgr(8) gives more mail for a host that failed to retry(8).
        return ("retry", "none", code, "deferred") if code.startswith("4") else (agent, "none", code, status)
    if nexthop.startswith("unix:"):
        return agent, f"{host}[{nexthop[5:]}]", "2.2.0", "sent"
    taker = [found[1] for end in ends if end["host"] == host and end["via"] == route["via"] and (found := re.fullmatch("`(.*)` takes it", end["reason"]))]
    return agent, (taker or names or [nexthop])[0], "2.0.0", "sent"


def failure(end):
    """Code and status of an end."""
    code = end["reason"].split(" ")[0]
    if "`soft_bounce` keeps it" in end["reason"]:
        return code, "SOFTBOUNCE"
    return code, "bounced" if code.startswith("5") else "deferred"


def sent_in(line):
    """Agent, relay, code and status in a line of the log."""
    agent, _, relay, code, status, text = line
    relay = relay.split(", conn_use=")[0]
    if agent in ("smtp", "lmtp", "error") and relay == "none" and code.startswith("4"):
        is_queue = agent != "error" or text.startswith(("(delivery temporarily suspended", "(address resolver failure", "(mail transport unavailable"))
        return ("retry", relay, code, "deferred") if is_queue else (agent, relay, code, status)
    return agent, relay if "[/" in relay else relay.split("[")[0].lower(), code, status


def delivery(model, host, data, lines):
    """How the log differs from a trace; empty if it does not, none if the trace is not modelled here."""
    own = f"{host}.example.org"
    hop = model["hops"][0] if model["hops"] else {"routes": [], "host": own}
    ends = [end for end in model["ends"] if end["host"] == own]
    if any(one["host"] == own and one["from"] is not None for one in model["hops"][1:]):
        # The mail comes back, which it does not here: what fails then is another message.
        first = json.dumps([model["address"], hop.get("rewriting", [])]).lower()
        ends = [end for end in ends if end["recipient"].lower() in first]
    failed = [end for end in ends if end["via"] == "queue"]
    if any(entry["host"] == own for entry in model["not_modelled"]):
        if os.environ.get("COMPARE_UNKNOWN"):
            print("not modelled:", host, model["address"], model["not_modelled"])
        return None
    if not data.startswith("250"):
        return "" if failed and not hop["routes"] else f"DATA: Postfix {data}, model {hop['routes']}"
    passed = [hop] + [one for one in model["hops"][1:] if one["host"] == own and one["from"] is None]
    asked = {(one["host"], one["recipient"].lower()) for one in model["hops"][1:] if one["from"] == own}
    routes = [(route, one["routes"]) for one in passed for route in one["routes"]]
    # generic(5): the log has the recipient before it.
    mine = {route["recipient"].lower() for route, _ in routes}
    asked |= {(name, recipient) for name, given in asked if given not in mine for recipient in mine}
    wanted = {(route["recipient"].lower(), *sent_by(route, model["ends"], own, asked)) for route, _ in routes}
    # local(8) hands mail to another transport without a line of its own, unless it forwards it as well.
    hands_over = any(route["via"].startswith("local:") and any(other is not route and other["recipient"] == route["recipient"] for other in others) for route, others in routes)
    silent = {("", "local", "local", "2.0.0", "sent")} if hands_over else set()
    real_ends = {(plain(line[1]).lower(), *sent_in(line)) for line in lines}
    # The log has the account of a local delivery, and not the alias.
    wanted, real_ends = ({end if end[1] != "local" else ("", *end[1:]) for end in ends} for ends in (wanted, real_ends))
    # Where soft_bounce keeps mail that smtp(8) fails with a code of 5.X.X, retry(8) does not take this code for the mail that follows.
    softened = {end[0]: end for end in wanted if end[1] == "retry"}
    real_ends = {softened.get(end[0], end) if end[1:] == ("retry", "none", "4.0.0", "deferred") else end for end in real_ends}
    # qmgr(8) bounces it.
    wanted |= {(end["recipient"].lower(), "error", "none", *failure(end)) for end in ends if end["reason"][1:].startswith(".1.3 bad")}
    # A message that cannot be expanded stays in maildrop, and the log has no recipient of it.
    if failed and (hop["routes"] or lines):
        wanted |= {(end["recipient"].lower(), "retry", "none", "4.3.0", "deferred") for end in failed}
    if real_ends in (wanted, wanted - silent):
        return ""
    said = dict.fromkeys(line[5] for line in lines if line[4] != "sent")
    return f"Postfix {sorted(real_ends - wanted)}, model {sorted(wanted - real_ends)}" + "".join(f" {one}" for one in said)


def compare_host(murder, number, host, configuration, ldif, asked):
    """One host in one configuration: the disagreements, and how many answers were not modelled and how many there were."""
    wrong, unknown, total = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        work = Path(folder)
        config_manifest = work / "m.yaml"
        config_manifest.write_text(manifest(configuration))
        (work / "host").mkdir()
        (work / "host/asked.json").write_text(json.dumps(asked))
        (work / "all.ldif").write_text(ldif)
        try:
            found = real(murder, work / "host", host, config_manifest, ldif)
        except Exception as error:
            return [f"{number} {host}: {type(error).__name__}: {str(error)[-300:]}"], 0, 0
        wrong += [f"{number} {host}: {line[-200:]}" for line in found["fatal"]]
        for client in (OUTSIDE, INSIDE, None):
            traces = trace(murder, config_manifest, work / "all.ldif", host, client, asked)
            for one in asked:
                total += 1
                model, data, lines = traces[one], "250", found["submitted"].get(one, [])
                if client is not None:
                    have, reply = found["rcpt"].get(f"{client} {one}", "?"), model["reply"]
                    if reply is None:
                        unknown += 1
                        continue
                    if f"{reply['code']} {reply['enhanced']}" != have:
                        wrong.append(f"{number} {host} {client} RCPT {one}: Postfix {have}, model {reply['code']} {reply['enhanced']}")
                        continue
                    if client != INSIDE or reply["code"] != 250:
                        continue
                    total += 1
                    data, lines = found["data"].get(one, "?"), found["log"].get(one, [])
                outcome = delivery(model, host, data, lines)
                if outcome is None:
                    unknown += 1
                elif outcome:
                    wrong.append(f"{number} {host} {client or 'sendmail'} {one}: {outcome}")
    return wrong, unknown, total


def asked_in(number, asked):
    """The addresses that a configuration is asked for."""
    if number not in range(len(CONFIGURATIONS)):
        return asked
    configuration = CONFIGURATIONS[number]
    named = asked[-NAMED:]
    if any(NEXT in text for text in configuration.values() if isinstance(text, str)):
        return FORMS + (LOCAL if "alias_maps" in configuration["smtp"] else []) + named
    own = configuration.get("asked", [])
    if configuration.get("only"):
        return own
    return own + (asked if not own else asked[:SOME] + named)


def chosen_of(asked):
    """The addresses by chance of which COMPARE_ASK tries so many, and the named ones."""
    most = int(os.environ.get("COMPARE_ASK") or len(asked))
    return list(dict.fromkeys(asked[:most] + asked[-NAMED:]))


def configuration_of(number, seed, asked):
    """A configuration by its number; `mix3` is the fourth that is mixed by chance."""
    if not str(number).startswith("mix"):
        return CONFIGURATIONS[int(number)]
    return Mixer(random.Random(f"{seed} {number}"), asked).configuration()


def compare(murder, seed):
    ldif, asked = directory(random.Random(seed))
    chosen = [int(one) if one.isdigit() else one for one in (os.environ.get("COMPARE_ONLY") or "").split(",") if one] or range(len(CONFIGURATIONS))
    asked = chosen_of(asked)
    if os.environ.get("COMPARE_MIX"):
        chosen = [f"mix{number}" for number in range(int(os.environ["COMPARE_MIX"]))]
    jobs = [(number, host, configuration_of(number, seed, asked)) for number in chosen
            for host in ("smtp", "backend1", "mx") if number == 0 or host in configuration_of(number, seed, asked)]
    # A host mostly waits.
    with ThreadPoolExecutor(int(os.environ.get("COMPARE_AT_ONCE") or 6)) as pool:
        results = list(pool.map(lambda job: compare_host(murder, *job, ldif, asked_in(job[0], asked)), jobs))
    wrong = [line for result in results for line in result[0]]
    unknown, total = (sum(result[at] for result in results) for at in (1, 2))
    for line in wrong:
        print(line)
    print(f"seed {seed}: Postfix {version()}, {len(jobs)} hosts in {len(chosen)} configurations, {len(asked)} addresses, {total} answers, {len(wrong)} disagree, {unknown} not modelled")
    # What is mixed by chance may well be something that is not modelled.
    is_unknown = unknown * 50 > total and not os.environ.get("COMPARE_MIX")
    return 1 if wrong or not total or is_unknown else 0


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(*sys.argv[2:4])
    elif sys.argv[1] == "--write":
        folder, seed = Path(sys.argv[2]), int(sys.argv[3])
        ldif, asked = directory(random.Random(seed))
        (folder / "m.yaml").write_text(manifest(configuration_of(sys.argv[4], seed, chosen_of(asked))))
        (folder / "d.ldif").write_text(ldif)
    else:
        sys.exit(compare(os.path.realpath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
