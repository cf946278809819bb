# ---- probes ------------------------------------------------------------------------------------
# Reads, set by the client: ACCEPT ASK_BASH ASK_NC ASK_PERL REFUSE SH TABLES
# Reads, set by other files: ACTIVATED BEFORE BLANKS DOWN ERROR HOST MAILLOG MEND NEWLINE RUNNING SAID STAGE WHO
# Sets: ANSWER ANSWERS ASKER CALM FIRST_END FIRST_TIME FOUND LOG_END LOG_TIME MAIL_LOG MASTER OLD_PIDS PATIENCE
#   PROXYMAP_REJECT REFUSED REJECTS STRANGER TROUBLE
# Calls: report.sh: fail; validate.sh: ask ask_together who_asks; words.sh: await_master capture for_each log
#   master_lives run

# postmaster, whom smtpd(8) lets pass any restriction, and a stranger, whom it does not; then the manifest's.
smtp_answers() {
  ANSWERS='' REFUSED='' STRANGER=murder-probe@$HOST
  [ -n "$RUNNING" ] || return 0
  # shellcheck disable=SC2174  # what is above it exists already
  if command -v bash >/dev/null; then
    ASKER=bash
    ANSWERS=$(run "$PATIENCE" bash -c "$ASK_BASH" ask postmaster "$STRANGER" $ACCEPT $REFUSE 2>/dev/null) || refused $?
  elif command -v perl >/dev/null; then
    ASKER=perl
    ANSWERS=$(run "$PATIENCE" perl -e "$ASK_PERL" postmaster $ACCEPT $REFUSE 2>/dev/null) || refused $?
  elif command -v nc >/dev/null && mkdir -p -m 0700 "$STAGE"; then
    ASKER=nc
    capture run "$PATIENCE" $SH -c "$ASK_NC" "$STAGE" postmaster "$STRANGER" $ACCEPT $REFUSE
    ANSWERS=$SAID
    rm -f "$STAGE/to" "$STAGE/from"
  fi
}
# refused CODE: whether the connection was; nc does not tell that from a greeting that never came.
refused() { [ "$1" -ne 1 ] || REFUSED=1; }

# answer_of ADDRESS ANSWERS: in ANSWER.
answer_of() {
  ANSWER='' IFS=$NEWLINE
  for line in $2; do
    case $line in "$1 "*) ANSWER=${line#"$1 "} && break ;; esac
  done
  IFS=$BLANKS
}

# judge ADDRESS WANTED: an answer that is wrong, and was the same before, is no reason to put anything back, and is
# said all the same.
judge() {
  answer_of "$1" "$BEFORE"
  before=$ANSWER
  answer_of "$1" "$ANSWERS"
  case "$2 $ANSWER" in
    'accepted 2'* | 'refused 4'* | 'refused 5'*) log "probed: $1 is $2 ($ANSWER)"; return 0 ;;
    'accepted 4'*reylist*) log "not probed: $1 was greylisted ($ANSWER)"; return 0 ;;
  esac
  if [ "${ANSWER%% *}" = "${before%% *}" ]; then
    case $2:$ANSWER in
      refused:2*) is=accepted ;;
      accepted:[45][0-9][0-9]*) is=refused ;;
      *) is='not answered' ;;
    esac
    log "warning: the probe $1 should be $2; it was $is before this apply, and is $is still: ${ANSWER:-no answer}"
    return 0
  fi
  fail "the probe $1 should be $2 and is not" "before: ${before:-no answer}${NEWLINE}after:  ${ANSWER:-no answer}" 'see the log of the host'
}

# Where the mail log is: a file, the journal, or both; and where they end now.
mark_log() {
  MAIL_LOG=
  for MAIL_LOG in "$MAILLOG" /var/log/mail.log /var/log/maillog ''; do [ -z "$MAIL_LOG" ] || [ ! -f "$MAIL_LOG" ] || break; done
  LOG_END=0 LOG_TIME=$(date +%s)
  [ -z "$MAIL_LOG" ] || LOG_END=$(stat -L -c %s "$MAIL_LOG")
}

# log_since BYTES SECONDS: the file from there on, if there is one that is still written to; else the journal.
log_since() {
  if [ -n "$MAIL_LOG" ] && [ "$(stat -L -c %s "$MAIL_LOG")" != "$1" ]; then
    tail -c "+$(($1 + 1))" "$MAIL_LOG"
  elif command -v journalctl >/dev/null; then
    run 20 journalctl -q --no-pager -o short --since "@$2" SYSLOG_FACILITY=2 2>/dev/null
  fi
}

# Lines in which a service of Postfix dies, without time, host and process number; not those of processes
# that began before Postfix was told, and die of what they cannot know. Anchored, since a line may quote
# what anybody in the world has said. Commands that people give are no services.
TROUBLE='^[^[]*/(master\[[0-9]+\]: warning: .*(bad command startup|exit status|killed by signal)|[a-z-]+\[[0-9]+\]: (fatal|panic): )'
troubles() {
  grep -E "$TROUBLE" |
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
  elif command -v journalctl >/dev/null; then
    run 20 journalctl -q --no-pager -o short --since "@$((FIRST_TIME - 600))" --until "@$((FIRST_TIME + 1))" SYSLOG_FACILITY=2 2>/dev/null
  fi
}
since_activation() { sed -e '/master\[[0-9]*\]: reload /{h;d;}' -e '/master\[[0-9]*\]: daemon started/{h;d;}' -e 'H;$!d;x'; }

# The processes of Postfix as they are when it is told: those that it began with the old configuration, or
# between the new main.cf and the telling.
note_old_pids() {
  set +f
  for stat in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$stat"; } 2>/dev/null || continue
    # The name stands in brackets and may hold anything; the parent is the second field behind it.
    set -- ${line##*) }
    [ "$2" != "$MASTER" ] || { line=${stat#/proc/} && OLD_PIDS="$OLD_PIDS ${line%/stat}"; }
  done
  set -f
}

probe() {
  [ -n "$ACTIVATED" ] || return 0
  await_master || fail 'Postfix does not run after it was told' "$(new_troubles)" 'see the log of the host'
  ask_together || for_each "$TABLES" ask_live
  smtp_answers
  if [ -z "$BEFORE$ANSWERS" ]; then
    look_at_log
    if [ -z "$ASKER" ]; then
      why='bash, perl and nc are missing'
    elif [ -n "$REFUSED" ]; then
      why='nothing listens on 127.0.0.1:25, nor did it before'
    else
      why='127.0.0.1:25 gives no answer, nor did it before'
    fi
    log "not probed over SMTP: $why${ACCEPT:+; nobody knows whether $ACCEPT is accepted}${REFUSE:+; nobody knows whether $REFUSE is refused}"
  else
    calm_down
    answer_of postmaster "$BEFORE"
    case $ANSWER in 2*)
      answer_of postmaster "$ANSWERS"
      case $ANSWER in 2*) ;; *) fail 'Postfix takes no mail any more' "${ANSWER:-no answer on 127.0.0.1:25}$NEWLINE$(new_troubles)" 'see the log of the host' ;; esac
      ;;
    esac
    judge_stranger
    for address in $ACCEPT; do judge "$address" accepted; done
    for address in $REFUSE; do judge "$address" refused; done
  fi
  new=''
  # Nearly always there is none.
  [ -z "$FOUND" ] || new=$(foreign_troubles)
  [ -z "$new" ] || fail 'services of Postfix die since it was told' "$new" "$MEND"
  log 'probed'
}

# What passes by itself, and neither going on nor putting back makes shorter, is waited for and judged then:
# a service that master(8) holds back (see proxymap_rejects), be it since this change or an earlier one, for
# then it shows when the last process of before ends; and a process on its way out that hangs up on whom it let in.
calm_down() {
  tries=0 held='' died=0 deadline=$((LOG_TIME + HOLD + 30))
  while :; do
    look_at_log
    proxymap_rejects
    calm=1
    as_before || calm=''
    if [ "$REJECTS" -gt "$died" ]; then
      calm='' held=1 died=$REJECTS
    elif [ -z "$calm$held" ] && held_before; then
      held=1
    fi
    [ -z "$calm" ] || break
    if [ -n "$held" ]; then
      PATIENCE=20
      [ "$(date +%s)" -le "$deadline" ] || break
    else
      # Whoever waited in vain has nothing to gain by asking again.
      case $ANSWER in '' | 'no answer') break ;; esac
      [ "$tries" -lt 3 ] || break
      [ "$tries" -gt 0 ] || log "asked over SMTP again: $ANSWER"
    fi
    tries=$((tries + 1))
    sleep 1
    smtp_answers
  done
  [ -n "$held" ] || return 0
  log 'waited for services that master(8) held back'
  [ -z "$calm" ] || CALM=1
}

# The lines since Postfix was told in which a service dies.
look_at_log() { FOUND=$(log_since "$LOG_END" "$LOG_TIME" | grep -E "$TROUBLE"); }

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
  log_before | grep -qE "^[^[]*/([a-z-]+\[[0-9]+\]: $PROXYMAP_REJECT|master\[[0-9]+\]: warning: .*: bad command startup -- throttling)"
}

as_before() {
  answer_of postmaster "$BEFORE"
  case $ANSWER in 2*) ;; *) return 0 ;; esac
  answer_of postmaster "$ANSWERS"
  case $ANSWER in 2*) ;; *) return 1 ;; esac
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
    case $NEWLINE$old$NEWLINE in *"$NEWLINE$line$NEWLINE"*) ;; *) printf '%s\n' "$line" ;; esac
  done
  IFS=$BLANKS
}

# Whoever is refused has an answer of Postfix's own making; that it cannot make one is new, or not ours.
judge_stranger() {
  answer_of "$STRANGER" "$BEFORE"
  case $ANSWER in 451*'4.3.'* | 421* | '') return 0 ;; esac
  before=$ANSWER
  answer_of "$STRANGER" "$ANSWERS"
  case $ANSWER in 451*'4.3.'* | 421*)
    fail 'Postfix can judge no recipient any more' "before: $before${NEWLINE}after:  $ANSWER$NEWLINE$(new_troubles)" 'see the log of the host: a table, or a word of a restriction list, is none'
    ;;
  esac
}

ask_live() {
  case " $DOWN " in *" $2 "*) return 0 ;; esac
  who_asks "$1" "$2"
  ask "$1" "$2"
  [ -z "$ERROR" ] || fail "the table $1:$2 does not answer to user $WHO" "$ERROR" 'see the message of the host'
}
