# ---- journal -----------------------------------------------------------------------------------
# Reads, set by the client: AT BY_JSON DELETES FILES HISTORY INDEXES LEDGER_BYTES PATHS_BYTES RUN
# Reads, set by other files: D EMPTIED HASH HEARD MADE NEWLINE REAL SPOOL STAGE
# Sets: OPENED PHASE PRIOR PRIOR_PHASE
# Calls: report.sh: fail_unchanged; words.sh: durable for_each hash_of proven real_of take

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
  directories=$D
  [ -z "$HISTORY" ] || { { [ -d "$D/history" ] || mkdir -m 0700 "$D/history" 2>/dev/null; } && directories="$directories $D/history"; }
  of_each note_configuration
  for_each "$FILES" note_directory
  for_each "$INDEXES" note_index_directory
  for_each "$DELETES" note_directory
  OPENED=1
  error=$( { printf '%s %s\n' "$RUN" "$directories" >>"$D/leftovers"; } 2>&1) && write_records && phase staged &&
    durable "$D/leftovers" "$D/journal.json" "$D" ||
    fail_unchanged 'the journal cannot be written' "$error" "make room in $D, or make it writable"
}
note_configuration() { note_directory "$CF/main.cf" && note_directory "$CF/master.cf"; }
note_directory() {
  for named in "$1" ${2:+"$1$2"}; do
    case " $directories " in *" ${named%/*} "*) ;; *) directories="$directories ${named%/*}" ;; esac
    real_of "$named"
    case " $directories " in *" ${REAL%/*} "*) ;; *) directories="$directories ${REAL%/*}" ;; esac
  done
}
note_index_directory() { note_directory "$2" "$3"; }

# What the host will have made if it dies now: without this, the next plan would take for another's
# what we created. Its paths lie beside it, for an observation that cannot read JSON. And the
# generation, which gets its name when all is done.
write_records() {
  records='' recorded='' pending=''
  error=$(mkdir "$STAGE" 2>&1) || return 1
  [ -z "$LEDGER_BYTES" ] || {
    pending="$STAGE/pending.$RUN.paths $STAGE/pending.$RUN.json"
    record $PATHS_BYTES "$STAGE/pending.$RUN.paths" && record $LEDGER_BYTES "$STAGE/pending.$RUN.json"
  } && { [ -z "$HISTORY" ] || record_history $HISTORY; } || return 1
  [ -n "$records" ] || return 0
  proven "$records" && durable $recorded && { [ -z "$pending" ] || mv -f $pending "$D/"; }
}
# record PLACE SHA256 FILE
record() {
  error=$(take "$1" "$3" 2>&1) || return 1
  records="$records$2 $3$NEWLINE" recorded="$recorded $3"
}
# record_history GENERATION KEPT KEPT_BYTES PLACE SHA256
record_history() { record "$4" "$5" "$STAGE/generation"; }

# collect_leftovers staged|all: what runs left, in SWEPT. Each line of the file is a run and the
# directories that it worked in. A dead run's backups stay until an apply is done.
collect_leftovers() {
  swept=
  [ -f "$D/leftovers" ] || return 0
  while read -r run directories; do
    case $run in *[!A-Za-z0-9]* | '') continue ;; esac
    collect_run "$run" "$1"
  done <"$D/leftovers"
}
collect_run() {
  set +f
  for directory in $directories; do
    # Berkeley DB leaves a file of its own where a disk is full.
    for left in "$directory/.murder.$1."* "$directory/__db..murder.$1."* "$directory/.murder.$1-old."*; do
      case $2:$left in staged:*"/.murder.$1-old."*) ;; *) [ ! -e "$left" ] && [ ! -h "$left" ] || swept="$swept $left" ;; esac
    done
  done
  set -f
}

# clean [done]: leaves nothing of this run; and where it is done, nothing of earlier ones. The
# journal goes last.
clean() {
  set +f
  gone="$STAGE $SPOOL $HEARD"
  for left in "$D"/*".new.$RUN"; do [ ! -e "$left" ] || gone="$gone $left"; done
  set -f
  # shellcheck disable=SC1010  # `done` is an argument
  if [ -n "$OPENED" ] && { [ "${1:-}" = done ] || [ -z "$PRIOR" ]; }; then
    forget
    return 0
  fi
  rm -rf $gone
  if [ -n "$OPENED" ]; then
    # What an earlier run left unfinished is as unfinished as before.
    swept=
    collect_run "$RUN" all
    [ -z "$swept" ] || rm -f $swept
    grep -v "^$RUN " "$D/leftovers" >|"$D/leftovers.new.$RUN"
    mv -f "$D/leftovers.new.$RUN" "$D/leftovers"
    printf '%s\n' "$PRIOR" >|"$D/journal.new.$RUN" && mv -f "$D/journal.new.$RUN" "$D/journal.json"
    rm -f "$D/pending.$RUN.json" "$D/pending.$RUN.paths"
  fi
}

# Nothing is unfinished any more. rm(1) takes its arguments in turn: the journal is the last.
forget() {
  collect_leftovers all
  set +f
  for left in "$D/leftovers" "$D"/pending.*; do [ ! -e "$left" ] || swept="$swept $left"; done
  set -f
  if [ -z "$EMPTIED" ]; then
    rm -rf $gone $swept "$D/journal.json"
  else
    rm -rf $gone $swept
    for directory in $EMPTIED; do leave_empty "$directory"; done
    rm -f "$D/journal.json"
  fi
}

# A directory below Postfix's whose last file was deleted goes too, if nothing else is in it.
leave_empty() {
  for folder in $FOLDERS; do
    case $1 in
      "$folder/sasl") ;;
      "$folder"/?*) ! rmdir "$1" 2>/dev/null || leave_empty "${1%/*}" ;;
    esac
  done
}

# Directories that this run made.
unmake() {
  for directory in $MADE; do rmdir "$directory" 2>/dev/null; done
}

# What dead runs left that is of no more use.
clean_dead() {
  collect_leftovers staged
  [ -z "$swept" ] || rm -f $swept
  set +f
  for old in "$D"/spool.* "$D"/stage.* "$D"/heard.* "$D"/*.new.*; do
    case $old in
      "$SPOOL" | *'*'*) continue ;;
      # The payload of another client, which is about to find the lock taken.
      */spool.*) ! reads_spool "$old" || continue ;;
    esac
    rm -rf "$old"
  done
  set -f
}
# After a power failure another process may have the number. The loader has the name of the file but for its own
# number in its command.
reads_spool() {
  [ -r "/proc/${1##*.}/cmdline" ] || return 1
  reads=${1%.*}
  case $(tr '\0' ' ' <"/proc/${1##*.}/cmdline") in *"${reads##*/}."*) ;; *) return 1 ;; esac
}

# The journal of a run that did not end, if its work did not end either.
judge_dead() {
  if [ ! -f "$D/journal.json" ]; then
    set +f
    for left in "$D"/pending.*; do [ ! -e "$left" ] || rm -f "$left"; done
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
    gone=
    forget
  fi
}
