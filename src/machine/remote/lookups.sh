# Looks keys up in tables as Postfix does, and writes nothing on the host. Parsed whole before its last line calls it.
# Reads, set by the client: N nonce, C the folder of the instance. murder_ask_all calls murder_ask TABLE KEY for each lookup.
murder_ask() {
  # An answer of postmap(1) is its standard output; its messages begin with its name.
  out=$(timeout -s KILL 20 postmap -c "$C" -q "$2" "$1" 2>&1)
  echo "=ask $?"
  [ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/|/'
}

murder_lookups() {
  LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin
  export LC_ALL PATH
  head=$(murder_ask_all)
  sum=$(printf '%s\n' "$head" | sha256sum)
  printf '\n%s BEGIN %s\n%s\n%s HEAD\n\n%s END\n' "$N" "${sum%% *}" "$head" "$N" "$N"
}
