"""Configurations that are mixed by chance, for compare.py: a host's own settings, of which each decides where mail goes."""
import re

LMTP = "lmtp:unix:/run/cyrus/socket/lmtp"
PLAIN = re.compile(r"[a-z0-9._+-]+@[a-z.]+", re.I)
ROUTES = ["smtp", "relay", "smtp:[smtp2.outside.example]", "relay:[backend1.example.org]:25", "smtp:backend2.example.org", "error:5.3.9 no", "error:4.3.9 no", "retry:4.7.7 later", "discard:x",
          "nosuch:x", LMTP, "smtp:[smtp.example.org]", "smtp:[smtp2.outside.example]:25, [backend1.example.org]:25"]
ANSWERS = ["REJECT", "OK", "DUNNO", "450 4.2.2 later", "550 no", "550 5.9.9 no", "DEFER", "DEFER_IF_PERMIT", "DEFER_IF_REJECT 4.9.9 x", "reject_unlisted_recipient", "permit_mynetworks", "5.4.9 x", "250"]
STEPS = ["permit_mynetworks", "reject_unauth_destination", "defer_unauth_destination", "reject_unlisted_recipient", "reject_non_fqdn_recipient", "permit_auth_destination",
         "warn_if_reject reject_unlisted_recipient", "warn_if_reject reject", "permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "check_client_access cidr:{{192.0.2.0/24 OK}}",
         "check_client_access cidr:{{203.0.113.0/24 DEFER_IF_REJECT}}", "warn_if_reject defer_if_reject", "warn_if_reject defer_if_permit", "reject_unlisted_sender", "sleep 0", "permit_sasl_authenticated", "ACCESS", "ACCESS", "ACCESS"]


class Mixer:
    """Makes settings from a source of chance and the addresses that are asked for."""

    def __init__(self, rng, asked):
        self.rng, self.asked = rng, [one for one in asked if PLAIN.fullmatch(one)]

    def address(self):
        return self.rng.choice(self.asked)

    def key(self, kinds):
        local, domain = self.address().split("@")
        return {"address": f"{local}@{domain}", "stem": f"{local.split('+')[0]}@{domain}", "upper": f"{local}@{domain}".upper(), "local": local.split("+")[0], "at": f"@{domain}", "domain": domain,
                "parent": f".{domain}", "user@": f"{local.split('+')[0]}@"}[self.rng.choice(kinds)]

    def table(self, kinds, result, is_of_senders=False):
        """An inline table, or another type with the same results. For senders none that rewrites the sender of bounces: they would never end."""
        chance = self.rng.uniform(.1 if is_of_senders else 0, 1)
        if chance < .1:
            return f"static:{{{result()}}}"
        if chance < .3:
            local = self.address().split("@")[0].split("+")[0]
            letters = re.sub(r"[.+]", r"[\g<0>]", local)
            pattern = self.rng.choice([f"^{letters}@", f"^{letters[:2]}.*@example" if local[:2].isalnum() else "^u1.*@example", "[+]ext@", "@sub[.]example[.]org$$", "^[0-9a-f]+@"])
            return f"regexp:{{{{/{pattern}/ {result()}}}}}"
        lines = {self.key(kinds): result() for _ in range(self.rng.randrange(2, 7))}
        return "inline:{" + ", ".join(f"{{{key}={value}}}" for key, value in lines.items()) + "}"

    def rewriting(self):
        def result():
            one = self.address()
            return self.rng.choice([one, one, one, one.replace("@", "+new@", 1), f"{one}, {self.address()}", "@" + self.rng.choice(["sub.example.org", "outside.example", "example.org"]), one.split("@")[0]])
        return self.table(["address", "address", "stem", "stem", "at", "local", "upper"], result)

    def single(self):
        def result():
            one = self.address()
            return self.rng.choice([one, one.replace("@", "+new@", 1), "@" + self.rng.choice(["sub.example.org", "outside.example", "example.org"]), one.split("@")[0]])
        return self.table(["address", "stem", "at", "local"], result, is_of_senders=True)

    def transports(self):
        return self.table(["address", "stem", "domain", "parent", "local"], lambda: self.rng.choice([*ROUTES, "smtp:", ":", "relay:", ":[backend2.example.org]", "local:"]))

    def access(self):
        return "check_recipient_access " + self.table(["address", "stem", "domain", "parent", "user@"], lambda: self.rng.choice(ANSWERS))

    def steps(self, last=""):
        chosen = [self.rng.choice(STEPS) for _ in range(self.rng.randrange(1, 5))]
        chosen = [self.access() if one == "ACCESS" else one for one in chosen]
        return ", ".join([*chosen, last] if last else chosen)

    def more(self, text):
        """A list of a module, with a member more."""
        return f"{{{self.rng.choice(['prepend', 'append'])}: ['{text}']}}"

    def pool(self):
        one = self.rng.choice
        return {
            "recipient_delimiter": lambda: one(["", "+", "-", "+-", "."]),
            "propagate_unmatched_extensions": lambda: one(["", "canonical", "virtual", "canonical, virtual", "canonical, virtual, alias, forward, include, generic"]),
            "canonical_maps": self.single,
            "recipient_canonical_maps": self.single,
            "sender_canonical_maps": self.single,
            "canonical_classes": lambda: one(["envelope_recipient", "envelope_sender", "envelope_sender, envelope_recipient, header_sender, header_recipient"]),
            "virtual_alias_maps": lambda: one(["", self.more(self.rewriting()), self.more(self.rewriting()), self.more(self.rewriting()), self.rewriting()]),
            "virtual_alias_domains": lambda: one(["alias.example", "alias.example, sub.example.org", "inline:{all.alias.example=1}"]),
            "virtual_mailbox_domains": lambda: one(["sub.example.org", "alias.example outside.example"]),
            "virtual_mailbox_maps": lambda: one(["", self.table(["address", "stem", "at"], lambda: "x")]),
            "virtual_transport": lambda: one(ROUTES),
            "relay_domains": lambda: one(["example.org", "example.org, sub.example.org", "example.org outside.example", "inline:{example.org=1}", ""]),
            "relay_recipient_maps": lambda: one(["", self.more(self.table(["address", "at", "stem"], lambda: "x")), self.table(["address", "at"], lambda: "x")]),
            "local_recipient_maps": lambda: one(["", "inline:{root=x, postmaster=y}", self.table(["address", "local", "at"], lambda: "x")]),
            "mydestination": lambda: one(["$myhostname, localhost", "$myhostname, sub.example.org", "", "$myhostname, example.org"]),
            "transport_maps": lambda: one([self.more(self.transports()), self.more(self.transports()), self.transports(), ""]),
            "relayhost": lambda: one(["[smtp2.outside.example]", "[backend1.example.org]", "backend2.example.org", "[smtp.example.org]", "[backend2.example.org], [backend1.example.org]"]),
            "default_transport": lambda: one(ROUTES),
            "relay_transport": lambda: one(ROUTES),
            "local_transport": lambda: one(ROUTES),
            "smtpd_recipient_restrictions": lambda: self.steps(one(["", "permit_mynetworks, reject_unauth_destination", "reject_unlisted_recipient"])),
            "smtpd_relay_restrictions": lambda: one(["permit_mynetworks, reject_unauth_destination", "permit_mynetworks, defer_unauth_destination", self.steps("reject_unauth_destination"), self.steps("reject_unauth_destination")]),
            "smtpd_sender_restrictions": self.steps,
            "smtpd_helo_restrictions": self.steps,
            "smtpd_client_restrictions": self.steps,
            "smtpd_data_restrictions": lambda: one(["reject", "permit_mynetworks, reject", "reject_unauth_pipelining"]),
            "smtpd_end_of_data_restrictions": lambda: one(["permit_mynetworks", "reject_unauth_pipelining"]),
            "smtpd_delay_reject": lambda: "no",
            "smtpd_relay_before_recipient_restrictions": lambda: "no",
            "smtpd_reject_unlisted_recipient": lambda: "no",
            "soft_bounce": lambda: "yes",
            "unknown_local_recipient_reject_code": lambda: one(["450", "559"]),
            "unknown_relay_recipient_reject_code": lambda: one(["450", "558"]),
            "unknown_virtual_alias_reject_code": lambda: one(["450", "557"]),
            "unknown_virtual_mailbox_reject_code": lambda: one(["450", "556"]),
            "access_map_reject_code": lambda: one(["450", "555"]),
            "access_map_defer_code": lambda: one(["451", "554"]),
            "relay_domains_reject_code": lambda: one(["454", "553"]),
            "non_fqdn_reject_code": lambda: one(["450", "552"]),
            "reject_code": lambda: one(["450", "559"]),
            "defer_code": lambda: one(["451", "554"]),
            "relocated_maps": lambda: self.table(["address", "stem", "at", "local"], lambda: "elsewhere"),
            "swap_bangpath": lambda: "no",
            "allow_percent_hack": lambda: "no",
            "resolve_dequoted_address": lambda: "no",
            "append_dot_mydomain": lambda: "yes",
            "append_at_myorigin": lambda: "yes",
            "allow_untrusted_routing": lambda: "yes",
            "myorigin": lambda: one(["example.org", "$mydomain", "sub.example.org"]),
            "mydomain": lambda: one(["sub.example.org", "outside.example"]),
            "masquerade_domains": lambda: one(["example.org", "sub.example.org", "!sub.example.org example.org"]),
            "masquerade_classes": lambda: one(["envelope_recipient", "envelope_sender, envelope_recipient"]),
            "masquerade_exceptions": lambda: one(["root", "u1, u2, u3"]),
            "parent_domain_matches_subdomains": lambda: one(["", "relay_domains, smtpd_access_maps", "transport_maps", "relay_domains"]),
            "owner_request_special": lambda: "no",
            "mailbox_transport": lambda: one(ROUTES),
            "fallback_transport": lambda: one(ROUTES),
            "alias_maps": lambda: one(["", "inline:{{root=" + self.address() + "}}", "inline:{{postmaster=root, " + self.address() + "},{root=" + self.address() + "}}"]),
            "smtp_generic_maps": self.single,
            "lmtp_generic_maps": self.single,
            "smtp_fallback_relay": lambda: one(["[smtp2.outside.example]", "[smtp.example.org]"]),
            "smtp_delivery_status_filter": lambda: one(["regexp:{{/^5(.*)$$/ 4$$1}}", "regexp:{{/^4(.*)$$/ 5$$1}}"]),
            "default_delivery_status_filter": lambda: one(["regexp:{{/^5(.*)$$/ 4$$1}}", "regexp:{{/^4(.*)$$/ 5$$1}}"]),
            "strict_rfc821_envelopes": lambda: "yes",
            "allow_min_user": lambda: "yes",
            "defer_transports": lambda: one(["smtp", "relay, local", "lmtp", "error"]),
            "mynetworks": lambda: one(["127.0.0.0/8", "192.0.2.0/24, 203.0.113.0/24", "!192.0.2.11, 192.0.2.0/24"]),
            "virtual_alias_recursion_limit": lambda: one(["1", "2", "30"]),
            "virtual_alias_expansion_limit": lambda: one(["1", "2", "30"]),
            "virtual_alias_address_length_limit": lambda: one(["15", "20"]),
            "enable_original_recipient": lambda: "no",
            "local_header_rewrite_clients": lambda: "static:all",
            "smtputf8_enable": lambda: "no",
        }

    def configuration(self):
        """Settings of the internal MTA, or of a backend, as compare.py takes them."""
        pool = self.pool()
        names = self.rng.sample(sorted(pool), self.rng.randrange(3, 11))
        if "virtual_mailbox_domains" in names and "virtual_transport" not in names:
            names.append("virtual_transport")  # virtual(8) ends where `virtual_mailbox_base` is empty
        settings = {name: pool[name]() for name in names}
        lines = [f"{name}: {value}" if value.startswith("{") and not value.startswith("{{") else f"{name}: '{value}'" for name, value in settings.items()]
        # lmtp(8) reaches the socket from outside of the chroot only.
        return {self.rng.choice(["smtp", "smtp", "backend1"]): f"settings: {{{', '.join(lines)}}}\nservices: {{lmtp/unix: {{chroot: 'n'}}}}"}
