# ---- the whole ---------------------------------------------------------------------------------
# Reads, set by the client: ACTIVATION ADOPTS AT BY CHECK DELETES EDITS FILES INDEXES LEDGER N OPENS RENAMES RUN SH TABLES
# Reads, set by other files: ANSWERS BLANKS D HEARD MOVED NEWLINE PRIOR SPOOL STAGE STAGED
# Sets: BACK BEFORE HOLD HOST MAILLOG OTHERS PATIENCE QUEUE RUNNING SED
# Calls: activate.sh: activate check; children.sh: find_dead_before judge_directories judge_programs read_services; commit.sh: commit delete stale;
#   exposed.sh: refuse_exposed; indexes.sh: judge_indexes; journal.sh: clean clean_dead judge_dead open_journal; ledger.sh: write_ledger;
#   listeners.sh: try_listeners; log.sh: await_troubles; opened.sh: judge_opened;
#   probe.sh: note_proven probe smtp_answers; report.sh: finish report step; stage.sh: adopt build_index rename_kept stage_configuration stage_files; validate.sh:
#   validate; words.sh: for_each master_lives seek_moved

order_of_work() {
  [ -f "$SPOOL" ] || report untouched 'the payload vanished before its turn came; nothing was changed' '' 'run again'
  clean_dead
  judge_dead
  seek_moved
  [ -z "$MOVED" ] || stale
  # What is known of a run that did not end stays, and so do its last words, which may hold commands for a person:
  # the next apply finishes its work.
  if [ "$LEDGER" = keep ]; then
    clean
    [ -n "$PRIOR" ] || rm -f "$D/last"
    # shellcheck disable=SC1010  # `done` is a word of the report
    report done '' '' ''
  fi
  refuse_exposed
  of_each read_settings
  SED='' BACK=''
  step open_journal
  [ -z "$ADOPTS" ] || step for_each "$ADOPTS" adopt
  [ -z "$RENAMES" ] || step for_each "$RENAMES" rename_kept
  [ -z "$FILES" ] || step stage_files
  of_each stage_service
  [ -z "$OPENS" ] || judge_opened
  PATIENCE=120
  of_each look_before
  [ -z "$STAGED" ] || step commit
  of_each check_service
  of_each activate_service
  [ -z "$DELETES" ] || step for_each "$DELETES" delete
  step write_ledger
  finish
}

stage_service() {
  [ -z "$INDEXES" ] || step for_each "$INDEXES" build_index
  [ -n "$FILES$EDITS$TABLES" ] || return 0
  step stage_configuration
  step validate
}

look_before() {
  BEFORE=
  judge_indexes
  [ "$ACTIVATION" = not ] || judge_directories
  try_listeners
  [ "$ACTIVATION" != not ] || return 0
  read_services
  judge_programs
  smtp_answers
  BEFORE=$ANSWERS
  note_proven
  find_dead_before
  await_troubles
}

check_service() { [ -z "$CHECK" ] || step check; }

activate_service() {
  [ "$ACTIVATION" != not ] || return 0
  step activate
  step probe
}

# What Postfix calls its places here, and whether it runs.
read_settings() {
  QUEUE='' MAILLOG='' HOST=localhost HOLD=60 RUNNING='' OTHERS='' listed='' PROXIED=- ODD=- OLD_WORDS='' DRAFT=$STAGE
  [ "$SERVICE" = 1 ] || DRAFT=$STAGE/$SERVICE
  HERE="postfix -c $CF"
  # This program cannot know who gave a value.
  MEND="mend it in the manifest, or in $CF on the host if the manifest does not say it"
  IFS=$NEWLINE
  for line in $(postconf -c "$CF" -x queue_directory maillog_file myhostname service_throttle_time multi_instance_directories 2>/dev/null); do
    case $line in
      'queue_directory = '*) QUEUE=${line#* = } ;;
      'multi_instance_directories = '*) listed=${line#* = } ;;
      'maillog_file = '*) MAILLOG=${line#* = } ;;
      'myhostname = '*) HOST=${line#* = } ;;
      'service_throttle_time = '*s) HOLD=${line#* = } HOLD=${HOLD%s} ;;
    esac
  done
  IFS=$BLANKS
  case $HOST in *[!A-Za-z0-9.-]* | '') HOST=localhost ;; esac
  case $HOLD in *[!0-9]* | '' | ????*) HOLD=60 ;; esac
  ! master_lives || RUNNING=1
  [ "$CF" = /etc/postfix ] || listed="/etc/postfix $(postconf -c /etc/postfix -xh multi_instance_directories 2>/dev/null)"
  [ -z "$listed" ] || find_others
}

# The names under which other instances of Postfix write to the log of this host, with a `|` before each.
find_others() {
  for folder in $(echo "$listed" | tr ',' ' '); do
    [ "$folder" != "$CF" ] || continue
    name=$(postconf -c "$folder" -xh syslog_name 2>/dev/null)
    case $name in *[!A-Za-z0-9_-]* | '') ;; *) OTHERS="$OTHERS|$name" ;; esac
  done
}

# holds PROCESS: whether one of its descriptors is the lock's.
holds() {
  set +f
  for descriptor in "/proc/$1/fd"/*; do
    if [ "$descriptor" -ef "$D/lock" ] && grep -qs FLOCK "/proc/$1/fdinfo/${descriptor##*/}"; then
      set -f
      return 0
    fi
  done
  set -f
  return 1
}

# Says who holds the lock: its last holder wrote its name and process into it. Another process may
# hold it by hand.
locked() {
  read -r holder <"$D/lock"
  process=${holder##*process }
  process=${process%)}
  case $process in
    '' | *[!0-9]*) process= ;;
  esac
  if [ -z "$process" ] || ! holds "$process"; then
    set +f
    for process in /proc/[0-9]* ''; do
      process=${process#/proc/}
      [ -n "$process" ] && [ "$process" != $$ ] && holds "$process" && break
      set +f
    done
    set -f
    holder="by process ${process:-?}, which is none of \`murder\`${holder:+ (last held $holder)}"
  fi
  rm -f "$SPOOL"
  # shellcheck disable=SC2016  # the backticks are part of the message
  report locked "another apply is running: started $holder" '' 'wait until it has ended, then run `murder plan` again; `murder unlock` shows whether it still runs'
}

work() {
  trap '' HUP PIPE INT
  umask 077
  set -f
  # A FIFO would hold up whoever opens it.
  if [ -e "$D/lock" ] && [ ! -f "$D/lock" ]; then report untouched 'the lock is no regular file; nothing was changed' "$D/lock" 'remove it, and run again'; fi
  true 2>/dev/null >>"$D/lock" || report untouched 'the lock cannot be written; nothing was changed' "$D/lock" "make room in $D, or make it writable"
  exec 9>>"$D/lock"
  flock -n 9 || { sleep 1; flock -n 9; } || locked
  echo "by $BY at $AT (run $RUN, process $$)" >|"$D/lock"
  # The shell itself keeps the lock; no child ever has it, least of all a master that we start.
  order_of_work 9>&-
}

front() {
  setsid $SH "$SPOOL" work </dev/null &
  wait $!
  code=$?
  [ "$code" -ne 0 ] || { look; return 0; }
  # The journal stays for the next run; the payload, which may hold secrets, need not wait for it.
  rm -rf "$SPOOL" "$STAGE" "$HEARD"
  word=DIED
  if ! { [ -f "$D/journal.json" ] && grep -qs "\"$RUN\"" "$D/journal.json"; }; then
    set -f
    seek_moved
    [ -n "$MOVED" ] || word=UNTOUCHED
  fi
  printf '\n%s %s %s\n' "$N" "$word" "$code"
}
