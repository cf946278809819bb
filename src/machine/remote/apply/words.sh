# Changes one host, whole or not at all. The client puts its orders (assignments) before these
# functions, and the call and the data after them; the shell leaves before it comes to the data.
# Records are lines of words without blanks; what may hold blanks is quoted by the client.
#
# Reads, set by the client: EXPECTS RUN
# Reads, set by other files: QUEUE
# Sets: ACTIVATED ASKER BACKDATE BLANKS BY_WHICH CHANGED D DOWN EMPTIED FORMER HASH HEARD LOG MADE MEND MOVED NEWLINE ODD
#   OLD_WORDS OPENED PHASE POINT PRINTF PRIOR PROXIED REAL SAID SPOOL STAGE STAGED UNDO UNDONE WHO WRITTEN
D=/var/lib/murder
# The loader's name for this file ends in its process's number, which is now the foreground's.
SPOOL=$0
STAGE=$D/stage.$RUN
HEARD=$D/heard.$RUN
NEWLINE='
'
BLANKS=$IFS
CHANGED='' ACTIVATED='' WRITTEN='' UNDO='' MADE='' STAGED='' OPENED='' PRIOR='' POINT=0 UNDONE=0 LOG='' DOWN='' PHASE=staged BY_WHICH='' EMPTIED='' WHO=postfix BACKDATE='' ASKER='' HISTORY_WORDS='' FORMER='' types='' PRINTF=$(command -v printf)

log() { LOG="$LOG- $1$NEWLINE"; }

# run SECONDS COMMAND...: nothing that we wait for may wait for ever. Not every BusyBox has
# `timeout -k`, and a child may ignore TERM: so it is KILL at once.
run() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout -s KILL "$seconds" "$@"; else "$@"; fi </dev/null
}

# capture COMMAND...: its words in SAID. Through a file: a grandchild that outlives its killed parent
# would hold a pipe open, and us with it.
capture() {
  heard=$HEARD
  true 2>/dev/null >|"$HEARD" || heard=/dev/null
  "$@" >|"$heard" 2>&1
  code=$? SAID='' rest=''
  # Mostly nothing was said, and a process costs more than all of this.
  if [ -s "$heard" ] && { IFS= read -r SAID && { IFS= read -r rest || [ -n "$rest" ]; }; } <"$heard"; then SAID=$(cat "$heard"); fi
  return $code
}

durable() { sync "$@" 2>/dev/null || sync; }

# Postfix reads a file of settings again and again until it has not changed for a second or two
# (dict_load_file_xt in its source). Ours is whole when it gets its name, so no process shall wait for it.
backdate() {
  [ -n "$BACKDATE" ] || BACKDATE=$(($(date +%s) - 3))
  touch -d "@$BACKDATE" "$@" 2>/dev/null
}

# for_each RECORDS FUNCTION: calls it with the words of each record.
for_each() {
  IFS=$NEWLINE
  for record in $1; do
    IFS=$BLANKS
    "$2" $record
    IFS=$NEWLINE
  done
  IFS=$BLANKS
}

# A path that is a link is written through: the file that it leads to changes, the link stays.
real_of() {
  REAL=$1
  [ ! -h "$1" ] || REAL=$(readlink -f "$1")
}

hash_of() {
  HASH=-
  if [ -f "$1" ]; then
    HASH=$(sha256sum "$1" 2>/dev/null)
    HASH=${HASH%% *}
  elif [ -e "$1" ] || [ -h "$1" ]; then
    HASH=other
  fi
}

# proven RECORDS: whether each file has its hash (`SHA256 FILE`); one process hashes them all.
proven() {
  proofs=''
  for_each "$1" note_proof
  IFS=$NEWLINE
  for line in $(sha256sum $proofs 2>/dev/null); do
    case "$NEWLINE$1" in *"$NEWLINE${line%%  *} ${line#*  }$NEWLINE"*) ;; *) IFS=$BLANKS; return 1 ;; esac
    proofs=${proofs#*"$NEWLINE"}
  done
  IFS=$BLANKS
  [ -z "$proofs" ]
}
note_proof() { proofs="$proofs$2$NEWLINE"; }

# Sets MOVED to the first thing that is not what the plan expects; one process hashes them all.
seek_moved() {
  MOVED='' present=''
  for_each "$EXPECTS" note_present
  hashes=$NEWLINE
  # Large ones that took the place of what the plan saw would be read for hours.
  [ -z "$present" ] || hashes=$NEWLINE$(run 300 sha256sum $present 2>/dev/null)$NEWLINE
  for_each "$EXPECTS" find_moved
}
note_present() { [ ! -f "$2" ] || present="$present $2"; }
find_moved() {
  [ -z "$MOVED" ] || return 0
  if [ -f "$2" ]; then
    case $hashes in *"$NEWLINE$1  $2$NEWLINE"*) ;; *) MOVED=$2 ;; esac
  elif [ "$1" != - ] || [ -e "$2" ] || [ -h "$2" ]; then
    MOVED=$2
  fi
}

# take PIECE:OFFSET:LENGTH FILE: appends a piece of the payload to a file. What is small and plain stands in the
# program too, and costs no process there; where printf is a program, its words would be for all to see.
take() {
  place=${1#*:}
  # A shell says less of a full disk than a program does.
  { [ "${1%%:*}" != - ] && [ "$PRINTF" = printf ] && piece "${1%%:*}" >>"$2"; } ||
    tail -c "+$((DATA + ${place%:*}))" "$SPOOL" | head -c "${place#*:}" >>"$2"
}

master_lives() {
  [ -f "$QUEUE/pid/master.pid" ] && [ -r "$QUEUE/pid/master.pid" ] && read -r pid <"$QUEUE/pid/master.pid" && [ -n "$pid" ] &&
    kill -0 "$pid" 2>/dev/null && [ "/proc/$pid/cwd" -ef "$QUEUE" ]
}

await_master() {
  tries=0
  until master_lives; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || return 1
    sleep 0.5 2>/dev/null || sleep 1
  done
}

as_postfix() {
  if [ -z "$BY_WHICH" ]; then
    if command -v setpriv >/dev/null && setpriv --reuid=postfix --regid=postfix --init-groups true 2>/dev/null; then
      BY_WHICH=setpriv
    elif command -v runuser >/dev/null; then
      BY_WHICH=runuser
    else
      BY_WHICH=su
    fi
  fi
  case $BY_WHICH in
    setpriv) run 60 setpriv --reuid=postfix --regid=postfix --init-groups "$@" ;;
    runuser) run 60 runuser -u postfix -- "$@" ;;
    *)
      line=
      for word; do line="$line '$word'"; done
      run 60 su -s /bin/sh postfix -c "$line"
      ;;
  esac
}
