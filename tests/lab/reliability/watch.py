"""Looks at Postfix on this host every 50 ms, as its programs and its neighbours do.

What is wrong is written down, a line each; how often it was looked, too. It begins where an earlier
run of it was cut off, and ends when the file `stop` is there. argv: the folder, the table, its key,
the answers that may come, and after `--` the recipient asked for over SMTP."""
import os, socket, subprocess, sys, threading, time

folder, table, key, *rest = sys.argv[1:]
answers, recipient = rest[: rest.index("--")], rest[-1]
lock = threading.Lock()
counts = {"looks": 0, "asked": 0, "later": 0, "slowest": 0}
try:
    for line in open(folder + "/counts"):
        name, number = line.split()
        counts[name] = int(number)
except OSError:
    pass


def wrong(what):
    with lock, open(folder + "/wrong", "a") as file:
        file.write(time.strftime("%H:%M:%S ") + " ".join(what.split()) + "\n")


def count(name):
    with lock:
        counts[name] += 1
        with open(folder + "/counts.new", "w") as file:
            file.writelines(f"{name} {number}\n" for name, number in counts.items())
        os.rename(folder + "/counts.new", folder + "/counts")


def run(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or "fatal" in done.stderr or "error" in done.stderr:
        wrong(f"{words}: exit {done.returncode}: {done.stderr}")
        return None
    return done.stdout


def look():
    """main.cf, master.cf and a table: each must be readable at any moment."""
    said = run("postconf", "-n")
    if said is not None and "\nvirtual_alias_maps = " not in said:
        wrong(f"postconf -n misses what must be there: {said}")
    if counts["looks"] % 4 == 0:
        said = run("postconf", "-M")
        if said is not None and "lmtp " not in said:
            wrong(f"postconf -M misses what must be there: {said}")
    said = run("postmap", "-q", key, table)
    if said is not None and said.strip() not in answers:
        wrong(f"{table} says {said!r} of {key}")
    count("looks")


def ask():
    """A recipient that the changing table makes valid."""
    begin = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", 25), timeout=60) as line:
            file = line.makefile("rw", newline="")
            for words in (None, "EHLO localhost", "MAIL FROM:<>", f"RCPT TO:<{recipient}>"):
                if words:
                    file.write(words + "\r\n")
                    file.flush()
                while (answer := file.readline())[3:4] == "-":
                    pass
                if answer[:1] != "2":
                    break
            if answer[:1] == "4" and "local.err" not in answer:
                count("later")
                with open(folder + "/later", "a") as said:
                    said.write(answer)
            elif answer[:1] != "2":
                wrong(f"SMTP: {words}: {answer!r}")
            file.write("QUIT\r\n")
            file.flush()
    except OSError as error:
        wrong(f"SMTP: {error}")
    counts["slowest"] = max(counts["slowest"], int(1000 * (time.monotonic() - begin)))
    count("asked")


def again(work):
    while not os.path.exists(folder + "/stop"):
        begin = time.monotonic()
        work()
        time.sleep(max(0, 0.05 - (time.monotonic() - begin)))


threads = [threading.Thread(target=again, args=(work,)) for work in (look, ask)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
open(folder + "/stopped", "w")
