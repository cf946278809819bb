# ---- putting back ------------------------------------------------------------------------------
# Reads, set by the client: FAULT
# Reads, set by other files: ACTIVATED ADDRESS ANSWER ANSWERS BEFORE HEARD MOVED NEWLINE REFUSED RUNNING SPOOL STAGE UNDO
# Sets: ACCEPT FIRST HERE LEFT PATIENCE REFUSE SAID UNDONE WHY
# Calls: activate.sh: activate_postfix restart; journal.sh: clean phase unmake; log.sh: new_troubles; probe.sh: answer_of
#   smtp_answers; report.sh: report; words.sh: await_master capture durable for_each master_lives seek_moved

# undo_one PATH BACKUP: `-` where nothing was there. The commands for what could not be put back
# are collected for a person.
undo_one() {
  UNDONE=$((UNDONE + 1))
  case " $FAULT " in *" undo-kill:$UNDONE "*) kill -9 $$ ;; esac
  if [ "$2" = - ]; then mend="rm -f $1"; else mend="mv -f $2 $1"; fi
  case " $FAULT " in
    *" undo-fail:$UNDONE "*) LEFT="$LEFT$mend; " ;;
    *) error=$($mend 2>&1) || LEFT="$LEFT$mend; " WHY="$WHY$error$NEWLINE" ;;
  esac
}

# alive: whether SMTP answers with anything but that it is not there, or on its way out.
alive() {
  smtp_answers
  answer_of postmaster "$ANSWERS"
  case $ANSWER in [0-9][0-9][0-9]*) case $ANSWER in 421*) return 1 ;; esac ;; *) return 1 ;; esac
}

# A process that dies of the new configuration just after Postfix was told of the old one makes master(8) hold its
# service back for service_throttle_time, a minute unless it is set; being told again does not make that shorter.
# Who connects then is let in all the same, and hears nothing: where the connection is refused, no client is held back,
# and time alone brings no client.
wait_for_smtp() {
  answer_of postmaster "$BEFORE"
  case $ANSWER in 2*) ;; *) return 0 ;; esac
  ACCEPT='' REFUSE='' PATIENCE=8 shut=0 deadline=$(($(date +%s) + HOLD + 30))
  until alive; do
    if [ -n "$REFUSED" ]; then shut=$((shut + 1)); else shut=0; fi
    if [ "$shut" -ge 5 ] || [ "$(date +%s)" -gt "$deadline" ]; then
      SAID="nothing answers on $ADDRESS:25 any more, and something did before$NEWLINE$(new_troubles)"
      return 1
    fi
    sleep 2
  done
}

# Tells a service that had loaded the new configuration to load the old one.
load_old() {
  [ -n "$ACTIVATED" ] || return 0
  # What cannot run the new configuration may have ended with it; a signal to no process has no effect.
  if { if master_lives; then activate_postfix; else capture restart; fi; } && wait_for_smtp; then again=; else again=1 WHY="$WHY$SAID$NEWLINE"; fi
  if ! await_master; then
    # It stood when this began: what it dies of now was there before, and is not ours to put right.
    again="$HERE start; " WHY="$WHY$(new_troubles)$NEWLINE"
    FIRST="first put right what Postfix ends of (see its words, and its log), such as a line of $CF/master.cf; then "
  elif [ -n "$again" ]; then again="$HERE reload; "; fi
  [ -z "$again" ] || LEFT="$LEFT$HERE check; $again"
}

# Where something is left to do by hand, a service that runs must load the result.
name_reload() {
  case $LEFT in *"$HERE start; "* | *"$HERE reload; "*) ;; *) [ -z "$RUNNING" ] || LEFT="$LEFT$HERE check; $HERE reload; " ;; esac
}

put_back() {
  LEFT='' WHY='' FIRST=''
  phase rolling-back
  for_each "$UNDO" undo_one
  durable $directories
  of_each load_old
  seek_moved
  if [ -n "$LEFT$MOVED" ]; then
    # The backups are all that is left of the old state: they stay until an apply is done.
    rm -rf "$STAGE" "$SPOOL" "$HEARD"
    of_each name_reload
    report halfway "$1, and putting back failed too${MOVED:+: $MOVED is not what it was}" "$2$NEWLINE$WHY" "${FIRST}run there as root: ${LEFT%; }"
  fi
  clean
  unmake
  report putback "$1; the host stands as it was before" "$2" "$3"
}
