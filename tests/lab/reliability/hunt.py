"""Waits for the worker of an apply on this host, and kills it some time later.

argv: seconds to wait once it is there, and what dies: `worker` (its shell alone), `session` (with
every child), `front` (the shell that the connection talks to). Says `hit` or `late`."""
import os, signal, sys, time

delay, what = float(sys.argv[1]), sys.argv[2]


def words(pid):
    try:
        return open(f"/proc/{pid}/cmdline").read().replace("\0", " ").strip()
    except OSError:
        return ""


def session(pid):
    try:
        return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[3])
    except OSError:
        return 0


def find(role):
    """The first of several: a shell's short-lived children bear its words, too."""
    found = [p for p in pids() if "/var/lib/murder/spool." in words(p) and words(p).endswith(role)]
    return min(found, default=None)


def pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


print("ready", flush=True)
end = time.monotonic() + 60
while not (worker := find("work")):
    if time.monotonic() > end:
        sys.exit("no worker came")
    time.sleep(0.002)
time.sleep(delay)
hit = session(worker) == worker
if what == "front":
    front = find("front")
    hit = bool(front)
    if front:
        os.kill(front, signal.SIGKILL)
elif hit:
    # The worker first: nothing that it starts afterwards escapes.
    for pid in [worker] + [pid for pid in pids() if session(pid) == worker and pid != worker and what == "session"]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
print("hit" if hit else "late")
