# ---- the whole ---------------------------------------------------------------------------------

order_of_work() {
  [ -f "$SPOOL" ] || report untouched 'the payload vanished before its turn came; nothing was changed' '' 'run again'
  clean_dead
  judge_dead
  MOVED=
  for_each "$EXPECTS" find_moved
  [ -z "$MOVED" ] || stale
  # What is known of a run that did not end stays: the next apply finishes its work.
  if [ "$LEDGER" = keep ]; then
    clean
    report done '' '' ''
  fi
  QUEUE=$(run 60 postconf -h queue_directory 2>/dev/null)
  MAILLOG=$(sed -n 's/^maillog_file[[:space:]]*=[[:space:]]*//p' /etc/postfix/main.cf)
  RUNNING=
  ! master_lives || RUNNING=1
  SED=
  step open_journal
  [ -z "$ADOPTS" ] || step for_each "$ADOPTS" adopt
  [ -z "$FILES" ] || step for_each "$FILES" stage_file
  [ -z "$INDEXES" ] || step for_each "$INDEXES" build_index
  if [ -n "$FILES$EDITS$TABLES" ]; then
    step stage_configuration
    step validate
  fi
  PATIENCE=120 BEFORE=''
  if [ "$TELL" != not ]; then
    smtp_answers
    BEFORE=$ANSWERS
    old_troubles
  fi
  [ -z "$STAGED" ] || step commit
  [ -z "$CHECK" ] || step check
  if [ "$TELL" != not ]; then
    step tell
    step probe
  fi
  [ -z "$DELETES" ] || step for_each "$DELETES" delete
  step write_ledger
  finish
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

# Says who holds the lock: its last holder wrote its name and process into it. Somebody else may
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
  report locked "another apply is at work: $holder" '' 'it ends by itself: wait, then plan again; `murder unlock` shows whether it lives'
}

work() {
  trap '' HUP PIPE INT
  umask 077
  set -f
  exec 9>>"$D/lock"
  flock -n 9 || { sleep 1; flock -n 9; } || locked
  echo "by $BY since $AT (run $RUN, process $$)" >|"$D/lock"
  # The shell itself keeps the lock; no child ever has it, least of all a master that we start.
  order_of_work 9>&-
}

front() {
  setsid $SH "$SPOOL" work </dev/null &
  wait $!
  code=$?
  [ "$code" -ne 0 ] || return 0
  # The journal stays for the next run; the payload, which may hold secrets, need not wait for it.
  rm -rf "$SPOOL" "$STAGE" "$HEARD"
  printf '\n%s DIED %s\n' "$N" "$code"
}
