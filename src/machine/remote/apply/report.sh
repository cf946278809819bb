# ---- last words --------------------------------------------------------------------------------
# Reads, set by the client: AT BY FAULT N RUN
# Reads, set by other files: BLANKS CHANGED D LOG NEWLINE PRIOR PRIOR_PHASE RUNNING WRITTEN
# Sets: POINT SCRUBBED SECRETS
# Calls: journal.sh: clean unmake; undo.sh: put_back; words.sh: log

# report ENDING SUMMARY DETAIL HINT: the last words. Those of a run that failed stay on the host until an
# apply is done, or `unlock` clears them away: a writer cannot know whether a pipe is read at its other end.
# Those of any other run stay where the pipe is known to be broken.
report() {
  text="by $BY${NEWLINE}at $AT${NEWLINE}ending $1${NEWLINE}summary $2${NEWLINE}hint $4$NEWLINE$LOG"
  SCRUBBED=$3
  [ -z "$3" ] || scrub
  IFS=$NEWLINE
  for line in $SCRUBBED; do text="$text| $line$NEWLINE"; done
  IFS=$BLANKS
  sum=$(printf '%s' "$text" | sha256sum)
  case $1 in
    putback | halfway) keep_words ;;
    # What was changed and put back is worth more than that nothing was done after it.
    untouched) read_last || keep_words ;;
  esac
  if printf '\n%s BEGIN %s\n%s%s HEAD\n\n%s END\n' "$N" "${sum%% *}" "$text" "$N" "$N" 2>/dev/null; then
    [ "$1$WRITTEN" != done1 ] || [ ! -e "$D/last" ] || rm -f "$D/last"
  elif [ "$1" != locked ]; then
    keep_words
  fi
  exit 0
}
# remains TEXT: a fault that was there before this apply, and that it leaves as it is.
remains() {
  HISTORY_WORDS="$HISTORY_WORDS\"fault_remains\":true,"
  say_of_service fault "$1"
}
# unprobed TEXT: what could not be asked of a running Postfix.
unprobed() {
  UNPROBED=1 HISTORY_WORDS="$HISTORY_WORDS\"not_probed\":true,"
  say_of_service unprobed "$1"
}
# say_of_service WORD TEXT: a line of the report; the folder tells instances of Postfix apart.
say_of_service() {
  text=$(printf '%s' "$2" | tr '\n' ';')
  case $CF in /etc/postfix) ;; *) text="$CF: $text" ;; esac
  LOG="$LOG$1 $text$NEWLINE"
}
# Masks the secrets of the payload in SCRUBBED: postmap(1) names keys, and what is kept here outlives the run.
scrub() {
  secrets
  IFS=$NEWLINE
  for secret in $SECRETS; do
    rest=$SCRUBBED SCRUBBED=
    while :; do
      case $rest in *"$secret"*) ;; *) break ;; esac
      SCRUBBED="$SCRUBBED${rest%%"$secret"*}***" rest=${rest#*"$secret"}
    done
    SCRUBBED=$SCRUBBED$rest
  done
  IFS=$BLANKS
}
# read_last: whether the last words are of a run that changed something.
read_last() {
  [ -f "$D/last" ] || return 1
  { read -r line && read -r line && read -r line; } <"$D/last"
  case $line in 'ending putback' | 'ending halfway') return 0 ;; *) return 1 ;; esac
}
keep_words() {
  printf '%s' "$text" 2>/dev/null >|"$D/last.new.$RUN" && mv -f "$D/last.new.$RUN" "$D/last" 2>/dev/null || rm -f "$D/last.new.$RUN"
}

# fail SUMMARY DETAIL HINT: puts back what was changed, and reports.
fail() {
  IFS=$BLANKS
  # Once the ledger is written, the work is done, whatever becomes of the cleaning.
  if [ -n "$WRITTEN" ]; then
    log "after the end: $1"
    finish
  fi
  [ -z "$CHANGED" ] || put_back "$@"
  clean
  unmake
  report untouched "$@"
}

# fail_unchanged SUMMARY DETAIL HINT: fails before the first change.
fail_unchanged() { fail "$1; nothing was changed" "$2" "$3"; }

finish() {
  [ -z "$FAULT" ] || log "points $POINT"
  # shellcheck disable=SC1010  # `done` is an argument
  clean done
  of_each judge_stopped
  # shellcheck disable=SC1010  # `done` is a word of the report
  report done '' '' ''
}

# Only a run that found Postfix at work tells it anything.
judge_stopped() {
  case $RUNNING:${PRIOR:+$PRIOR_PHASE} in
    :told | :rolling-back)
      report halfway 'the host is as it shall be, but Postfix does not run: an apply that did not end left it stopped' "$PRIOR" "look at its log, then run there as root: $HERE check; $HERE start"
      ;;
  esac
}

# A fault point stands before and after every step; only tests set FAULT.
fault() {
  POINT=$((POINT + 1))
  case " $FAULT " in
    *" kill:$POINT "*) kill -9 $$ ;;
    *" fail:$POINT "*) fail "a fault was injected at point $POINT ($1)" '' 'run again' ;;
  esac
}

step() {
  fault "before $1"
  "$@"
  fault "after $1"
}
