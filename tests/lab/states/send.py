"""Sends mail to addresses, and prints what the server answers to each: the answer to RCPT, or to DATA if that is worse.

Standard input: {"server": ADDRESS or null, "mails": {ID: RECIPIENT}}. Without a server it gives mail to sendmail(1). The sender is the null sender,
so that no bounce adds to the mails. Standard output: {ID: "250 2.1.5"}.
"""
import json, smtplib, subprocess, sys

work = json.load(sys.stdin)
said = {}


def message(name):
    return f"Message-ID: <{name}@states>\r\nSubject: x\r\n\r\nx\r\n"


def words(code, text):
    return f"{code} {text.decode(errors='replace').split(' ')[0]}"


def session():
    made = smtplib.SMTP(work["server"], 25, local_hostname="client.outside.example", timeout=60)
    made.ehlo()
    return made


client, errors = None, 0
for name, to in work["mails"].items():
    if not work["server"]:
        done = subprocess.run(["sendmail", "-f", "<>", to], input=message(name).replace("\r", "").encode())
        said[name] = f"sendmail {done.returncode}"
        continue
    # smtpd(8) makes a client wait that has made `smtpd_soft_error_limit` errors.
    if not client or errors == 8:
        client, errors = session(), 0
    client.docmd("MAIL FROM:<>")
    said[name] = words(*client.docmd(f"RCPT TO:<{to}>"))
    if said[name].startswith("25"):
        answer = words(*client.data(message(name)))
        if not answer.startswith("25"):
            said[name] = "DATA " + answer
    errors += not said[name].startswith("25")
    client.rset()
json.dump(said, sys.stdout)
