# ---- probes ------------------------------------------------------------------------------------

smtp_answers() {
  ANSWERS=
  [ -n "$RUNNING" ] || return 0
  if command -v bash >/dev/null; then
    ANSWERS=$(run "$PATIENCE" bash -c "$ASK_BASH" ask postmaster $ACCEPT $REFUSE 2>/dev/null)
  elif command -v perl >/dev/null; then
    ANSWERS=$(run "$PATIENCE" perl -e "$ASK_PERL" postmaster $ACCEPT $REFUSE 2>/dev/null)
  elif command -v nc >/dev/null && mkdir -p -m 0700 "$STAGE"; then
    hear run "$PATIENCE" $SH -c "$ASK_NC" "$STAGE" postmaster $ACCEPT $REFUSE
    ANSWERS=$SAID
    rm -f "$STAGE/to" "$STAGE/from"
  fi
}

answer_of() {
  ANSWER=$(printf '%s\n' "$2" | while read -r address reply; do [ "$address" != "$1" ] || { echo "$reply"; break; }; done)
}

# judge ADDRESS WANTED: an answer that is wrong, and was the same before, is not ours to judge.
judge() {
  answer_of "$1" "$BEFORE"
  before=$ANSWER
  answer_of "$1" "$ANSWERS"
  case "$2 $ANSWER" in
    'accepted 2'* | 'refused 4'* | 'refused 5'*) log "probed: $1 is $2 ($ANSWER)"; return 0 ;;
    'accepted 4'*reylist*) log "not probed: $1 was greylisted ($ANSWER)"; return 0 ;;
  esac
  if [ "${ANSWER%% *}" = "${before%% *}" ]; then
    log "not probed: $1 is not $2, nor was it before ($ANSWER)"
    return 0
  fi
  fail "the probe $1 should be $2 and is not" "before: ${before:-no answer}${NEWLINE}after:  ${ANSWER:-no answer}" 'see the log of the host'
}

mark_log() {
  MAIL_LOG=
  for MAIL_LOG in "$MAILLOG" /var/log/mail.log /var/log/maillog ''; do [ -z "$MAIL_LOG" ] || [ ! -f "$MAIL_LOG" ] || break; done
  if [ -n "$MAIL_LOG" ]; then LOG_END=$(stat -L -c %s "$MAIL_LOG"); else LOG_END=$(date +%s); fi
}

# Lines of trouble since the mark, without time, host and process number.
troubles() {
  if [ -n "$MAIL_LOG" ]; then tail -c "+$((LOG_END + 1))" "$MAIL_LOG"; else run 20 journalctl -q --no-pager -o cat --since "@$LOG_END" SYSLOG_FACILITY=2 2>/dev/null; fi |
    grep -E 'fatal: |panic: |throttling' | sed -e 's/^.* \([^ ]*postfix[^ ]*\)\[[0-9]*\]: /\1: /' -e 's/process [0-9]*/process/g; s/pid [0-9]*/pid/g' | sort -u
}

# What the log told already before we came is not our doing.
old_troubles() {
  mark_log
  [ -z "$MAIL_LOG" ] || {
    end=$LOG_END LOG_END=$((LOG_END > 200000 ? LOG_END - 200000 : 0))
    OLD_TROUBLES=$(troubles)
    LOG_END=$end
  }
}

probe() {
  [ -n "$TOLD" ] || return 0
  await_master || fail 'Postfix does not run after it was told' "$(troubles)" 'see the log of the host'
  for_each "$TABLES" ask_live
  smtp_answers
  if [ -z "$BEFORE$ANSWERS" ]; then
    log 'not probed over SMTP: bash, perl and nc are missing, or nothing listens on 127.0.0.1:25'
  else
    answer_of postmaster "$BEFORE"
    case $ANSWER in 2*)
      answer_of postmaster "$ANSWERS"
      case $ANSWER in 2*) ;; *) fail 'Postfix takes no mail any more' "${ANSWER:-no answer on 127.0.0.1:25}$NEWLINE$(troubles)" 'see the log of the host' ;; esac
      ;;
    esac
    for address in $ACCEPT; do judge "$address" accepted; done
    for address in $REFUSE; do judge "$address" refused; done
  fi
  old="$NEWLINE$OLD_TROUBLES$NEWLINE" new=
  IFS=$NEWLINE
  for line in $(troubles); do
    case $old in *"$NEWLINE$line$NEWLINE"*) ;; *) new="$new$line$NEWLINE" ;; esac
  done
  IFS=$BLANKS
  [ -z "$new" ] || fail 'services of Postfix die since it was told' "$new" 'mend the manifest'
  log 'probed'
}

ask_live() {
  case " $DOWN " in *" $2 "*) return 0 ;; esac
  ask "$1" "$2"
  [ -z "$ERROR" ] || fail "the table $1:$2 does not answer to user postfix" "$ERROR" 'see the message of the host'
}
