# ---- probes ------------------------------------------------------------------------------------
# Reads, set by the client: ACCEPT ASK_BASH ASK_NC ASK_PERL REFUSE SH TABLES
# Reads, set by other files: ACTIVATED ADDRESS BEFORE BLANKS CF DEAD DEAD_BEFORE DEAD_SINCE DOWN ERROR FOUND HOLD HOST LISTENER
#   LOG_TIME MEND NEWLINE NEW_DEAD REJECTS RUNNING SAID STAGE UNPROBED WHO
# Sets: ANSWER ANSWERS ASKER CALM PATIENCE PROVEN REFUSED STRANGER UNPROBED
# Calls: children.sh: find_dead judge_services; log.sh: held_before judge_troubles look_at_log new_troubles
#   proxymap_rejects; report.sh: fail remains unprobed; validate.sh: ask ask_together who_asks; words.sh: await_master
#   capture for_each log run

# postmaster, whom smtpd(8) lets pass any restriction, and a stranger, whom it does not; then the manifest's.
smtp_answers() {
  ANSWERS='' REFUSED='' STRANGER=murder-probe@$HOST
  [ -n "$RUNNING" ] || return 0
  # shellcheck disable=SC2174  # what is above it exists already
  if command -v bash >/dev/null; then
    ASKER=bash
    ANSWERS=$(run "$PATIENCE" bash -c "$ASK_BASH" "$ADDRESS" postmaster "$STRANGER" $ACCEPT $REFUSE 2>/dev/null) || refused $?
  elif command -v perl >/dev/null; then
    ASKER=perl
    ANSWERS=$(run "$PATIENCE" perl -e "$ASK_PERL" "$ADDRESS" postmaster "$STRANGER" $ACCEPT $REFUSE 2>/dev/null) || refused $?
  elif command -v nc >/dev/null && mkdir -p -m 0700 "$STAGE"; then
    ASKER=nc
    capture run "$PATIENCE" $SH -c "$ASK_NC" "$STAGE" "$ADDRESS" postmaster "$STRANGER" $ACCEPT $REFUSE
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
# reported all the same.
judge() {
  answer_of "$1" "$BEFORE"
  before=$ANSWER
  answer_of "$1" "$ANSWERS"
  case "$2 $ANSWER" in
    'accepted 2'* | 'refused 4'* | 'refused 5'*) log "probed: $1 is $2 ($ANSWER)"; return 0 ;;
    'accepted 4'*reylist*) unprobed "$1 was greylisted ($ANSWER)"; return 0 ;;
  esac
  if [ "${ANSWER%% *}" = "${before%% *}" ]; then
    case $2:$ANSWER in
      refused:2*) is=accepted ;;
      accepted:[45][0-9][0-9]*) is=refused ;;
      *) is='not answered' ;;
    esac
    remains "the probe $1 should be $2; it was $is before this apply, and is $is still: ${ANSWER:-no answer}"
    return 0
  fi
  fail "the probe $1 should be $2 and is not" "before: ${before:-no answer}${NEWLINE}after:  ${ANSWER:-no answer}" 'see the log of the host'
}

# What proves that Postfix works with the configuration that it was told: its tables answer, its services come up, and
# smtpd(8) answers. What could not be asked is `not probed`, and then the services and the tables decide.
probe() {
  [ -n "$ACTIVATED" ] || return 0
  UNPROBED=''
  await_master || fail 'Postfix does not run after it was told' "$(new_troubles)" 'see the log of the host'
  ask_together || for_each "$TABLES" ask_live
  read_services
  smtp_answers
  calm_down
  judge_services
  judge_smtp
  judge_troubles
  [ -n "$UNPROBED" ] || log 'probed'
}

# What passes by itself, and neither going on nor putting back makes shorter, is waited for and judged then:
# a service that master(8) holds back (see proxymap_rejects), be it since this change or an earlier one, for
# then it shows when the last process of before ends; and a process on its way out that hangs up on whom it let in.
calm_down() {
  tries=0 held='' deadline=$((LOG_TIME + HOLD + 30))
  while :; do
    look_at_log
    proxymap_rejects
    note_proven
    find_dead
    calm=1
    as_before || calm=''
    [ -z "$NEW_DEAD" ] || calm=''
    # A service that was dead before and is mended by this change is held back, too.
    if [ -n "$DEAD" ] && [ "$(date +%s)" -le $((DEAD_SINCE + HOLD + 5)) ]; then calm='' held=1; fi
    [ -z "$calm" ] || break
    if [ -z "$held" ] && { [ "$REJECTS" -gt 0 ] || held_before; }; then held=1; fi
    if [ -n "$held" ]; then
      PATIENCE=20
      [ "$(date +%s)" -le "$deadline" ] || break
    else
      [ -z "$NEW_DEAD" ] || break
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

# Which services the answers over SMTP prove: an accepted recipient has passed all three.
note_proven() {
  PROVEN=' '
  answer_of postmaster "$ANSWERS"
  case $ANSWER in 2*) PROVEN=" $LISTENER/inet rewrite/unix cleanup/unix " ;; esac
}

# as_before: whether smtpd(8) answers as well as it did before.
as_before() {
  answer_of postmaster "$BEFORE"
  case $ANSWER in 2*) ;; *) return 0 ;; esac
  answer_of postmaster "$ANSWERS"
  case $ANSWER in 2*) return 0 ;; esac
  declines "$ANSWER"
}

# declines ANSWER: whether it is of a server that works and does not talk to this client now: too many connections or
# too high a rate (4.7.x, smtpd(8)), tests after the greeting (450 4.3.2, postscreen(8)).
declines() { case $1 in 4[0-9][0-9]' 4.7.'* | '450 4.3.2 '*) return 0 ;; *) return 1 ;; esac; }

judge_smtp() {
  answer_of postmaster "$BEFORE"
  before=$ANSWER
  answer_of postmaster "$ANSWERS"
  case $ANSWER in
    2*)
      judge_stranger
      for address in $ACCEPT; do judge "$address" accepted; done
      for address in $REFUSE; do judge "$address" refused; done
      return 0
      ;;
  esac
  case $before in 2*)
    declines "$ANSWER" || fail 'Postfix takes no mail any more' "${ANSWER:-no answer on $ADDRESS:25}$NEWLINE$(new_troubles)" 'see the log of the host'
    ;;
  esac
  if [ -z "$ASKER" ]; then
    why='bash, perl and nc are missing'
  elif [ -n "$REFUSED" ]; then
    why="nothing listens on $ADDRESS:25, nor did it before"
    [ -z "$LISTENER" ] || remains "nothing listens on $ADDRESS:25, although master.cf has \`$LISTENER inet\`; it was so before this apply"
  else
    case $ANSWER in
      '' | 'no answer') why="$ADDRESS:25 gives no answer, nor did it before" ;;
      'hung up') why="$ADDRESS:25 hangs up, as before" ;;
      *) why="$ADDRESS:25 answers this host with \`$ANSWER\`" ;;
    esac
  fi
  unprobed "$why${ACCEPT:+; whether $ACCEPT is accepted is not known}${REFUSE:+; whether $REFUSE is refused is not known}"
}

# Whoever is refused has an answer of Postfix's own making; that it cannot make one is new, or not ours.
judge_stranger() {
  answer_of "$STRANGER" "$BEFORE"
  before=$ANSWER
  answer_of "$STRANGER" "$ANSWERS"
  case $ANSWER in 451*'4.3.'* | 421*) ;; *) return 0 ;; esac
  case $before in
    451*'4.3.'* | 421*) remains "Postfix can judge no recipient; it could not before this apply either: $ANSWER" ;;
    '') ;;
    *) fail 'Postfix can judge no recipient any more' "before: $before${NEWLINE}after:  $ANSWER$NEWLINE$(new_troubles)" 'see the log of the host: a table, or a word of a restriction list, is none' ;;
  esac
}

ask_live() {
  case " $DOWN " in *" $2 "*) return 0 ;; esac
  who_asks "$1" "$2"
  ask "$1" "$2"
  [ -z "$ERROR" ] || fail "the table $1:$2 does not answer to user $WHO" "$ERROR" 'see the message of the host'
}
