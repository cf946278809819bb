# ---- the mail log ------------------------------------------------------------------------------
# Reads, set by other files: BLANKS DEAD_PROGRAMS_BEFORE MAILLOG MASTER MEND NEWLINE OTHERS
# Sets: CALM FIRST_END FIRST_TIME FOUND LOG_END LOG_TIME MAIL_LOG MASTER OLD_PIDS PROXYMAP_REJECT REJECTS TROUBLE
# Calls: children.sh: note_old_pids; report.sh: fail; words.sh: log master_lives run
#
# Any user of a host may write any line into a log that syslog keeps (`logger -t 'postfix/smtpd[1]' 'fatal: x'`). So a
# line says why something failed, and is no proof that it did, unless only root and Postfix could write it.

# Where the mail log is: a file, the journal, or both; and where they end now.
mark_log() {
  MAIL_LOG=
  for MAIL_LOG in "$MAILLOG" /var/log/mail.log /var/log/maillog ''; do [ -z "$MAIL_LOG" ] || [ ! -f "$MAIL_LOG" ] || break; done
  LOG_END=0 LOG_TIME=$(date +%s)
  [ -z "$MAIL_LOG" ] || LOG_END=$(stat -L -c %s "$MAIL_LOG")
}

# log_since BYTES SECONDS: the file from there on, if there is one that is still written to; else the journal.
log_since() {
  if in_file "$1"; then
    tail -c "+$(($1 + 1))" "$MAIL_LOG"
  else
    journal --since "@$2"
  fi
}
# in_file BYTES: whether there is a file that has grown since it had that many.
in_file() { [ -n "$MAIL_LOG" ] && [ "$(stat -L -c %s "$MAIL_LOG")" != "$1" ]; }

# journal OPTIONS...: what root and user postfix wrote: journald knows the user of each line from the kernel.
journal() {
  command -v journalctl >/dev/null || return 0
  run 20 journalctl -q --no-pager -o short "$@" SYSLOG_FACILITY=2 _UID=0 + SYSLOG_FACILITY=2 "_UID=$(id -u postfix)" 2>/dev/null
}

# The lines of a log but for those of other instances.
of_this_instance() {
  if [ -n "$OTHERS" ]; then grep -vE "^[^[]*[[:space:]](${OTHERS#|})/"; else cat; fi
}

# Lines in which a service of Postfix dies, without time, host and process number; not those of processes
# that began before Postfix was told, and die of what they cannot know. Anchored, since a line may quote
# what any client in the world has said. Commands that people give are no services.
TROUBLE='^[^[]*/(master\[[0-9]+\]: warning: .*(bad command startup|exit status|killed by signal)|[a-z-]+\[[0-9]+\]: (fatal|panic): )'
troubles() {
  grep -E "$TROUBLE" | of_this_instance |
    grep -vE '^[^[]*/(sendmail|postdrop|postqueue|postsuper|postmap|postalias|postcat|postconf|postlog|postkick|postlock|postfix-script)\[' |
    while IFS= read -r line; do
      number=${line#*\[}
      case $line in *'/master['*' pid '*) number=${line##* pid } ;; esac
      number=${number%%[!0-9]*}
      # What is held back has no number; it is known by the processes that it was held back for.
      case $CALM$line in 1*'bad command startup'*) continue ;; esac
      case " $OLD_PIDS " in *" $number "*) ;; *) printf '%s\n' "$line" ;; esac
    done |
    sed -e 's/^[^[]* \([^ []*\)\[[0-9]*\]: /\1: /' -e 's/process [0-9][0-9]*/process/g; s/pid [0-9]*/pid/g' | sort -u
}

# From here on, what Postfix writes may be our doing.
await_troubles() {
  OLD_PIDS='' CALM='' MASTER=-
  ! master_lives || MASTER=$pid
  # master(8) tells of an end a second later.
  note_old_pids
  mark_log
  FIRST_END=$LOG_END FIRST_TIME=$LOG_TIME
}

# What Postfix writes again and again under the configuration that it had is not our doing. What it wrote
# before it was told of that one may be of a configuration like ours.
old_troubles() {
  OLD_PIDS='' CALM=''
  log_before | since_activation | troubles
}
log_before() {
  start=$((FIRST_END > 200000 ? FIRST_END - 200000 : 0))
  if [ -n "$MAIL_LOG" ] && [ "$FIRST_END" != 0 ]; then
    tail -c "+$((start + 1))" "$MAIL_LOG" | head -c "$((FIRST_END - start))"
  else
    journal --since "@$((FIRST_TIME - 600))" --until "@$((FIRST_TIME + 1))"
  fi
}
since_activation() { sed -e '/master\[[0-9]*\]: reload /{h;d;}' -e '/master\[[0-9]*\]: daemon started/{h;d;}' -e 'H;$!d;x'; }

# The lines since Postfix was told in which a service dies. A user who floods the log shall not fill the memory.
look_at_log() { FOUND=$(log_since "$LOG_END" "$LOG_TIME" | grep -E "$TROUBLE" | tail -n 2000); }

# Between the new main.cf and the telling, master(8) may begin a process that asks a proxymap(8) of the old one for
# a table that it does not know, and dies, as may one of before that asks a new one. If it was that process's first
# work, its service is held back for service_throttle_time. How many died so, and which: those are no trouble of the
# new configuration.
proxymap_rejects() {
  REJECTS=0 IFS=$NEWLINE
  for line in $FOUND; do
    line=${line#*\[}
    case ${line#*\]} in ": $PROXYMAP_REJECT"*) REJECTS=$((REJECTS + 1)) OLD_PIDS="$OLD_PIDS ${line%%\]*}" ;; esac
  done
  IFS=$BLANKS
}
PROXYMAP_REJECT='fatal: proxymap service is not configured'

# Whether something was held back before this change, as far as the log of before it tells.
held_before() {
  log_before | of_this_instance | grep -qE "^[^[]*/([a-z-]+\[[0-9]+\]: $PROXYMAP_REJECT|master\[[0-9]+\]: warning: .*: bad command startup -- throttling)"
}

# Those that are no process's of before, and that Postfix did not write before it was told.
new_troubles() {
  look_at_log
  foreign_troubles
}
foreign_troubles() {
  old=$(old_troubles)
  IFS=$NEWLINE
  for line in $(printf '%s\n' "$FOUND" | troubles); do
    case $NEWLINE$old$NEWLINE in *"$NEWLINE$line$NEWLINE"*) ;; *) is_of_dead || printf '%s\n' "$line" ;; esac
  done
  IFS=$BLANKS
}
# is_of_dead: whether the line is of a program whose service was dead before.
is_of_dead() {
  IFS=$BLANKS
  for program in $DEAD_PROGRAMS_BEFORE; do
    case $line in *"/$program: "* | *"/$program pid"*) IFS=$NEWLINE && return 0 ;; esac
  done
  IFS=$NEWLINE
  return 1
}

# Once all services have come up and answered, only lines that others could not write make an apply fail.
judge_troubles() {
  # Nearly always there is none.
  [ -n "$FOUND" ] || return 0
  new=$(foreign_troubles)
  [ -n "$new" ] || return 0
  if ! is_log_ours; then
    # The journal may have the same lines with the users who wrote them.
    MAIL_LOG='' old_found=$FOUND
    look_at_log
    new=$(foreign_troubles)
    if [ -z "$new" ]; then
      log "not proven: lines of the log say that services of Postfix die; all that were asked came up, and any user of the host can write such lines: $(printf '%s\n' "$old_found" | tail -n 1)"
      return 0
    fi
  fi
  fail 'services of Postfix die since it was told' "$(printf '%s\n' "$new" | head -n 20)" "$MEND"
}

# Whether only root and Postfix write the log: the journal, as it is asked here, or maillog_file, which
# postlogd(8) writes for whoever may speak to it: every user may, where postlog(1) has the group's rights.
is_log_ours() {
  in_file "$LOG_END" || return 0
  [ -n "$MAILLOG" ] && [ "$MAIL_LOG" = "$MAILLOG" ] && [ ! -h "$MAIL_LOG" ] || return 1
  [ ! -g "$(command -v postlog || echo /)" ] || return 1
  for path in "$MAIL_LOG" "${MAIL_LOG%/*}"; do
    # Neither the group nor others may write.
    case $(stat -c '%U %A' "$path" 2>/dev/null) in
      'root '?????-??-* | 'postfix '?????-??-*) ;;
      *) return 1 ;;
    esac
  done
}
