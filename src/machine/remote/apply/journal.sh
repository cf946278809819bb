# ---- journal -----------------------------------------------------------------------------------

# phase NAME: says how far the work is. While nothing is changed yet, what an earlier dead run had
# changed counts more.
phase() {
  PHASE=$1
  [ -z "$PRIOR" ] || [ "$PHASE" != staged ] || PHASE=$PRIOR_PHASE
  printf '{"run": "%s", "by": "%s", "at": "%s", "phase": "%s"}\n' "$RUN" "$BY_JSON" "$AT" "$PHASE" 2>/dev/null >|"$D/journal.new.$RUN" &&
    mv -f "$D/journal.new.$RUN" "$D/journal.json"
}

# Before the first change: where temporary files will stand, the ledger that is to be, and the journal.
open_journal() {
  directories="/etc/postfix $D"
  [ -z "$HISTORY" ] || { mkdir -p -m 0700 "$D/history" 2>/dev/null && directories="$directories $D/history"; }
  for cf in main.cf master.cf; do
    real_of /etc/postfix/$cf
    directories="$directories ${REAL%/*}"
  done
  for_each "$FILES" note_directory
  for_each "$INDEXES" note_index_directory
  for_each "$DELETES" note_directory
  OPENED=1
  error=$( { printf '%s %s\n' "$RUN" "$directories" >>"$D/leftovers"; } 2>&1) && write_pending && phase staged &&
    durable "$D/leftovers" "$D/journal.json" "$D" ||
    fail 'the journal cannot be written; nothing was changed' "$error" "make room in $D, or make it writable"
}
note_directory() {
  for named in "$1" ${2:+"$1$2"}; do
    case " $directories " in *" ${named%/*} "*) ;; *) directories="$directories ${named%/*}" ;; esac
    real_of "$named"
    case " $directories " in *" ${REAL%/*} "*) ;; *) directories="$directories ${REAL%/*}" ;; esac
  done
}
note_index_directory() { note_directory "$2" "$3"; }

# What the host will have made if it dies now: without this, the next plan would take for somebody
# else's what we created. Its paths lie beside it, for an observation that cannot read JSON.
write_pending() {
  [ -z "$LEDGER_BYTES" ] || { write_one $PATHS_BYTES "$D/pending.$RUN.paths" && write_one $LEDGER_BYTES "$D/pending.$RUN.json"; }
}
# write_one OFFSET:LENGTH SHA256 FILE
write_one() {
  error=$( { true >|"$D/pending.new.$RUN" && take "$1" "$D/pending.new.$RUN"; } 2>&1)
  hash_of "$D/pending.new.$RUN"
  [ "$HASH" = "$2" ] && durable "$D/pending.new.$RUN" && mv -f "$D/pending.new.$RUN" "$3"
}

# sweep staged|all: what runs left. Each line of the file is a run and the directories that it
# worked in. A dead run's backups stay until an apply is done.
sweep() {
  [ -f "$D/leftovers" ] || return 0
  while read -r run directories; do
    case $run in *[!A-Za-z0-9]* | '') continue ;; esac
    sweep_run "$run" "$1"
  done <"$D/leftovers"
  [ "$1" != all ] || rm -f "$D/leftovers"
}
sweep_run() {
  set +f
  for directory in $directories; do
    # Berkeley DB leaves a file of its own where a disk is full.
    rm -f "$directory/.murder.$1."* "$directory/__db..murder.$1."*
    [ "$2" != all ] || rm -f "$directory/.murder.$1-old."*
  done
  set -f
}

# clean [done]: leaves nothing of this run; and where it is done, nothing of earlier ones. The
# journal goes last.
clean() {
  rm -rf "$STAGE"
  rm -f "$SPOOL" "$HEARD"
  set +f
  rm -f "$D"/*".new.$RUN"
  set -f
  [ -n "$OPENED" ] || return 0
  if [ "${1:-}" = done ] || [ -z "$PRIOR" ]; then
    forget
  else
    # What an earlier run left unfinished is as unfinished as before.
    sweep_run "$RUN" all
    grep -v "^$RUN " "$D/leftovers" >|"$D/leftovers.new.$RUN"
    mv -f "$D/leftovers.new.$RUN" "$D/leftovers"
    printf '%s\n' "$PRIOR" >|"$D/journal.new.$RUN" && mv -f "$D/journal.new.$RUN" "$D/journal.json"
    rm -f "$D/pending.$RUN.json" "$D/pending.$RUN.paths"
  fi
}

# Nothing is unfinished any more.
forget() {
  sweep all
  for directory in $EMPTIED; do leave_empty "$directory"; done
  set +f
  rm -f "$D"/pending.*
  set -f
  rm -f "$D/journal.json"
}

# A directory below Postfix's whose last file was deleted goes too, if nothing else is in it.
leave_empty() {
  case $1 in
    /etc/postfix/sasl) ;;
    /etc/postfix/?*) rmdir "$1" 2>/dev/null && leave_empty "${1%/*}" ;;
  esac
}

# Directories that this run made.
unmake() {
  for directory in $MADE; do rmdir "$directory" 2>/dev/null; done
}

# What dead runs left that nobody needs any more.
clean_dead() {
  sweep staged
  set +f
  for old in "$D"/spool.* "$D"/stage.* "$D"/heard.* "$D"/*.new.*; do
    case $old in
      "$SPOOL" | *'*'*) continue ;;
      # The payload of somebody who is about to find the lock taken.
      */spool.*) ! reads_spool "$old" || continue ;;
    esac
    rm -rf "$old"
  done
  set -f
  find "$D" -name 'incoming.*' -mmin +60 -exec rm -f {} + 2>/dev/null
}
# After a power failure another process may have the number.
reads_spool() {
  [ -r "/proc/${1##*.}/cmdline" ] || return 1
  case $(tr '\0' ' ' <"/proc/${1##*.}/cmdline") in *"$1"*) ;; *) return 1 ;; esac
}

# The journal of a run that did not end, if its work did not end either.
judge_dead() {
  if [ ! -f "$D/journal.json" ]; then
    set +f
    rm -f "$D"/pending.*
    set -f
    return 0
  fi
  PRIOR=$(cat "$D/journal.json")
  run=${PRIOR#*\"run\": \"}
  run=${run%%\"*}
  PRIOR_PHASE=${PRIOR##*\"phase\": \"}
  PRIOR_PHASE=${PRIOR_PHASE%%\"*}
  hash_of "$D/ledger.json"
  now=$HASH
  hash_of "$D/pending.$run.json"
  if [ "$PRIOR_PHASE" = finished ] || { [ "$HASH" != - ] && [ "$HASH" = "$now" ]; }; then
    # Only its cleaning was left.
    PRIOR=
    [ ! -f "$D/pending.$run.paths" ] || mv -f "$D/pending.$run.paths" "$D/paths"
    forget
  fi
}
