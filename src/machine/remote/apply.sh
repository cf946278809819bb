# Changes one host, whole or not at all. The client puts its orders (assignments) before these
# functions, and the call and the data after them; the shell leaves before it comes to the data.
# Records are lines of words without blanks; what may hold blanks is quoted by the client.
D=/var/lib/murder
# The loader's name for this file ends in its process's number, which is now the foreground's.
SPOOL=$0
STAGE=$D/stage.$RUN
NEWLINE='
'
BLANKS=$IFS
CHANGED='' TOLD='' WRITTEN='' UNDO='' MADE='' STAGED='' POINT=0 LOG='' DOWN='' PHASE=staged

log() { LOG="$LOG- $1$NEWLINE"; }

# run SECONDS COMMAND...: nothing that we wait for may wait for ever.
run() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi </dev/null
}

# report ENDING SUMMARY DETAIL HINT: the last words. Kept on the host where nobody hears them.
report() {
  text="by $BY${NEWLINE}at $AT${NEWLINE}ending $1${NEWLINE}summary $2${NEWLINE}hint $4$NEWLINE$LOG"
  IFS=$NEWLINE
  for line in $3; do text="$text| $line$NEWLINE"; done
  IFS=$BLANKS
  sum=$(printf '%s' "$text" | sha256sum)
  printf '%s' "$text" >|"$D/last" 2>/dev/null
  if printf '\n%s BEGIN %s\n%s%s HEAD\n\n%s END\n' "$N" "${sum%% *}" "$text" "$N" "$N" 2>/dev/null; then
    rm -f "$D/last"
  fi
  exit 0
}

# fail SUMMARY DETAIL HINT: puts back what was changed, and reports.
fail() {
  IFS=$BLANKS
  if [ -n "$CHANGED" ]; then put_back "$@"; fi
  clean
  for directory in $MADE; do rmdir "$directory" 2>/dev/null; done
  report untouched "$@"
}

# A fault point stands before and after every step; only tests set FAULT.
fault() {
  POINT=$((POINT + 1))
  case $FAULT in
    "kill:$POINT") kill -9 $$ ;;
    "fail:$POINT") fail "a fault was injected at point $POINT ($1)" '' 'run again' ;;
  esac
}

step() {
  fault "before $1"
  "$@"
  fault "after $1"
}

durable() { sync "$@" 2>/dev/null || sync; }

# Postfix reads a file of settings again and again until it has not changed for a second or two
# (dict_load_file_xt in its source). Ours is whole when it gets its name, so nobody shall wait for it.
cool() { touch -d "@$(($(date +%s) - 3))" "$@" 2>/dev/null; }

# ---- journal -----------------------------------------------------------------------------------

phase() {
  PHASE=$1
  printf '{"run": "%s", "by": "%s", "at": "%s", "phase": "%s"}\n' "$RUN" "$BY_JSON" "$AT" "$1" >|"$D/journal.new.$RUN" 2>/dev/null &&
    mv -f "$D/journal.new.$RUN" "$D/journal.json"
}

open_journal() {
  directories=/etc/postfix
  for cf in main.cf master.cf; do
    real_of /etc/postfix/$cf
    directories="$directories ${REAL%/*}"
  done
  for_each "$FILES" note_directory
  for_each "$INDEXES" note_index_directory
  for_each "$DELETES" note_directory
  error=$( { printf '%s %s\n' "$RUN" "$directories" >>"$D/leftovers"; } 2>&1) && phase staged && durable "$D/leftovers" "$D/journal.json" "$D" ||
    fail 'the journal cannot be written; nothing was changed' "$error" "make room in $D, or make it writable"
}
note_directory() {
  real_of "$1"
  case " $directories " in *" ${REAL%/*} "*) ;; *) directories="$directories ${REAL%/*}" ;; esac
}
note_index_directory() { note_directory "$2"; }

# What dead runs left: each line of the file is a run and the directories that it staged in.
sweep() {
  [ -f "$D/leftovers" ] || return 0
  while read -r run directories; do
    case $run in *[!A-Za-z0-9]* | '') continue ;; esac
    set +f
    for directory in $directories; do rm -f "$directory/.murder.$run."*; done
    set -f
  done <"$D/leftovers"
  rm -f "$D/leftovers"
}

clean() {
  sweep
  rm -rf "$STAGE"
  rm -f "$SPOOL" "$D/journal.new.$RUN" "$D/ledger.new.$RUN" "$D/paths.new.$RUN" "$D/adopted.new.$RUN"
  [ -z "$OPENED" ] || rm -f "$D/journal.json"
}

clean_dead() {
  sweep
  set +f
  for old in "$D"/spool.* "$D"/stage.* "$D"/journal.new.* "$D"/ledger.new.* "$D"/paths.new.* "$D"/adopted.new.*; do
    case $old in
      "$SPOOL" | *'*') continue ;;
      # The payload of somebody who is about to find the lock taken.
      */spool.*) ! kill -0 "${old##*.}" 2>/dev/null || continue ;;
    esac
    rm -rf "$old"
  done
  set -f
  find "$D" -name 'incoming.*' -mmin +60 -exec rm -f {} + 2>/dev/null
}

# ---- words -------------------------------------------------------------------------------------

# for_each RECORDS FUNCTION: calls it with the words of each record.
for_each() {
  IFS=$NEWLINE
  for record in $1; do
    IFS=$BLANKS
    "$2" $record
    IFS=$NEWLINE
  done
  IFS=$BLANKS
}

# A path that is a link is written through: the file that it leads to changes, the link stays.
real_of() {
  REAL=$1
  [ ! -h "$1" ] || REAL=$(readlink -f "$1")
}

hash_of() {
  HASH=-
  if [ -f "$1" ]; then
    HASH=$(sha256sum "$1" 2>/dev/null)
    HASH=${HASH%% *}
  elif [ -e "$1" ]; then
    HASH=other
  fi
}

find_moved() {
  [ -z "$MOVED" ] || return 0
  hash_of "$2"
  [ "$HASH" = "$1" ] || MOVED=$2
}

master_lives() {
  [ -r "$QUEUE/pid/master.pid" ] && read -r pid <"$QUEUE/pid/master.pid" && [ -n "$pid" ] &&
    kill -0 "$pid" 2>/dev/null && [ "/proc/$pid/cwd" -ef "$QUEUE" ]
}

as_postfix() {
  if command -v setpriv >/dev/null && setpriv --reuid=postfix --regid=postfix --init-groups true 2>/dev/null; then
    run 60 setpriv --reuid=postfix --regid=postfix --init-groups "$@"
  elif command -v runuser >/dev/null; then
    run 60 runuser -u postfix -- "$@"
  else
    line=
    for word; do line="$line '$word'"; done
    run 60 su -s /bin/sh postfix -c "$line"
  fi
}

# ---- staging -----------------------------------------------------------------------------------

make_directory() {
  [ ! -d "$1" ] || return 0
  make_directory "${1%/*}"
  error=$(mkdir -m 0755 "$1" 2>&1) || fail "the directory $1 cannot be made; nothing was changed" "$error" 'see the message of the host'
  MADE="$1 $MADE"
}

# stage PATH OWNER GROUP MODE: an empty file beside the real one that has its final owner, mode
# and context before it has any content. Sets REAL and NEW.
stage() {
  real_of "$1"
  make_directory "${REAL%/*}"
  NEW=${REAL%/*}/.murder.$RUN.${REAL##*/}
  error=$( { set -C; : >"$NEW"; } 2>&1) &&
    error=$(chown "$2:$3" "$NEW" 2>&1) && error=$(chmod "$4" "$NEW" 2>&1) ||
    fail "$1 cannot be staged; nothing was changed" "$error" 'the directory must be writable, with room and inodes left, and owner and group must exist'
  if [ -e /sys/fs/selinux/enforce ] && [ -f "$REAL" ]; then chcon --reference="$REAL" "$NEW" 2>/dev/null; fi
}

# stage_file PATH SOURCE SHA256 OWNER GROUP MODE: SOURCE is OFFSET:LENGTH in the payload, or `adopted`.
stage_file() {
  stage "$1" "$4" "$5" "$6"
  case $2 in
    adopted) error=$(cat "$D/adopted/$3" 2>&1 >>"$NEW") ;;
    *) error=$( { tail -c "+$((DATA + ${2%:*}))" "$SPOOL" | head -c "${2#*:}" >>"$NEW"; } 2>&1) ;;
  esac
  hash_of "$NEW"
  [ "$HASH" = "$3" ] || fail "the new text of $1 could not be written whole; nothing was changed" "$error" 'make room on the file system; a text to be given back must still be in /var/lib/murder/adopted'
  cool "$NEW"
  STAGED="$STAGED$REAL $NEW$NEWLINE"
  SED="$SED
s#:$1\\([], }[:space:]]\\)#:$NEW\\1#g
s#:$1\$#:$NEW#"
}

# build_index TYPE PATH SUFFIX: under another name, from the staged source where there is one.
# It is renamed before its source, which is thus never newer than its index.
build_index() {
  real_of "$2"
  NEW=${REAL%/*}/.murder.$RUN.${REAL##*/}
  borrowed=
  if [ ! -e "$NEW" ]; then
    borrowed=1
    cp -p "$REAL" "$NEW" 2>/dev/null || fail "$2 has no text to build an index from; nothing was changed" '' 'plan again'
  fi
  error=$(run 300 postmap "$1:$NEW" 2>&1) || fail "postmap cannot build $1:$2; nothing was changed" "$error" 'see the message of the host'
  [ -z "$error" ] || fail "postmap warns of $1:$2; nothing was changed" "$error" 'mend the text of the table'
  set -- "$1" "$2" "$3" $(stat -c '%U:%G %a' "$NEW")
  for suffix in $3 .dir; do
    [ -e "$NEW$suffix" ] || continue
    chown "$4" "$NEW$suffix" && chmod "$5" "$NEW$suffix" || fail "the index of $2 cannot be given its owner; nothing was changed" '' 'see the owner of the table'
    STAGED="$REAL$suffix $NEW$suffix$NEWLINE$STAGED"
  done
  [ -z "$borrowed" ] || rm -f "$NEW"
}

stage_configuration() {
  error=$( { mkdir -m 0700 "$STAGE" "$STAGE/check" && cat /etc/postfix/main.cf >"$STAGE/main.cf" && cat /etc/postfix/master.cf >"$STAGE/master.cf"; } 2>&1) ||
    fail 'the configuration cannot be staged; nothing was changed' "$error" "make room in $D"
  # postconf glues what it appends to a last line without an end, and so ruins both.
  for cf in master.cf main.cf; do
    [ -z "$(tail -c 1 "$STAGE/$cf")" ] || echo >>"$STAGE/$cf"
  done
  orders_edits
  for cf in master.cf main.cf; do
    hash_of /etc/postfix/$cf
    before=$HASH
    hash_of "$STAGE/$cf"
    [ "$HASH" != "$before" ] || continue
    real_of /etc/postfix/$cf
    stage /etc/postfix/$cf $(stat -c '%U %G %a' "$REAL")
    error=$(cat "$STAGE/$cf" 2>&1 >>"$NEW")
    before=$HASH
    hash_of "$NEW"
    [ "$HASH" = "$before" ] || fail "the new $cf could not be written whole; nothing was changed" "$error" 'make room on the file system'
    cool "$NEW"
    STAGED="$STAGED$REAL $NEW$NEWLINE"
  done
}

# edit OPTIONS...: postconf says what it did not do on its standard error, and ends with 0.
edit() {
  error=$(run 60 postconf -c "$STAGE" "$@" 2>&1) || fail "postconf $1 refuses an edit; nothing was changed" "$error" 'see the message of the host'
  IFS=$NEWLINE
  for line in $error; do
    case $line in *'multiple entries for'*) ;; *) fail "postconf $1 warns of an edit; nothing was changed" "$error" 'see the message of the host' ;; esac
  done
  IFS=$BLANKS
}

# ---- validation --------------------------------------------------------------------------------

# What postconf says of a configuration, without the names and line numbers that staging changes.
complaints() { run 60 postconf -c "$1" -n 2>&1 >/dev/null | sed -e "s#$STAGE/check#/etc/postfix#g" -e "s#\\.murder\\.$RUN\\.##g" -e 's/, line [0-9]*//'; }

validate() {
  types=" $(run 60 postconf -m | tr '\n' ' ') "
  for type in $TYPES; do
    case $types in *" $type "*) ;; *)
      fail "Postfix has no table type \`$type\` here; nothing was changed" "postconf -m:$types" "install the package \`postfix-$type\` there, or use another type"
      ;;
    esac
  done
  sed -e 's/proxy://g' -e "$SED" "$STAGE/main.cf" >"$STAGE/check/main.cf"
  cp "$STAGE/master.cf" "$STAGE/check/master.cf"
  cool "$STAGE/main.cf" "$STAGE/check/main.cf"
  old="$NEWLINE$(complaints /etc/postfix)$NEWLINE" new=
  IFS=$NEWLINE
  for line in $(complaints "$STAGE/check"); do
    case $old in *"$NEWLINE$line$NEWLINE"*) ;; *) new="$new$line$NEWLINE" ;; esac
  done
  IFS=$BLANKS
  [ -z "$new" ] || fail 'postconf warns of the new configuration; nothing was changed' "$new" 'mend the manifest; warnings that were there before do not count'
  # Any program of Postfix reads what all of them need: addresses of inet_interfaces, host and domain name.
  error=$(run 60 postmap -c "$STAGE/check" -q murder-probe static:ok 2>&1)
  case $error in *fatal:*) fail 'Postfix cannot run with the new configuration; nothing was changed' "$error" 'mend the manifest' ;; esac
  for_each "$TABLES" ask_staged
  log 'validated'
}

# Where a table is limited to domains, other keys are not even looked up.
key_for() {
  KEY=murder-probe@invalid.
  domain=$(sed -n 's/^domain[[:space:]]*=[[:space:]]*\([^,:[:space:]]*\)[,[:space:]]*.*/\1/p' "$1" 2>/dev/null)
  domain=${domain%%"$NEWLINE"*}
  case $domain in *[!A-Za-z0-9.-]* | '') ;; *) KEY=murder-probe@$domain ;; esac
}

# ask TYPE FILE PATH: sets ERROR to what is wrong, and UNREACHED where only its server is.
ask() {
  ERROR='' UNREACHED=''
  key_for "$2"
  said=$(as_postfix postmap -q "$KEY" "$1:$2" 2>&1 >/dev/null)
  IFS=$NEWLINE
  for line in $said; do
    case $line in
      *main.cf*) ;;
      *"Can't contact LDAP server"* | *'Connect error'* | *'imed out'* | *'Server is busy'* | *'Server is unavailable'*) UNREACHED=1 ERROR="$ERROR$line$NEWLINE" ;;
      *) ERROR="$ERROR$line$NEWLINE" ;;
    esac
  done
  IFS=$BLANKS
}

ask_staged() {
  real_of "$2"
  staged=${REAL%/*}/.murder.$RUN.${REAL##*/}
  [ -e "$staged" ] || staged=$REAL
  ask "$1" "$staged"
  [ -n "$ERROR" ] || return 0
  if [ -n "$UNREACHED" ]; then
    [ -z "$UNVERIFIED" ] || { DOWN="$DOWN $2"; log "not verified: the server of $1:$2 does not answer"; return 0; }
    fail "the LDAP server of $1:$2 does not answer; nothing was changed" "$ERROR" 'start it, or apply with --allow-unverified'
  fi
  fail "the table $1:$2 does not answer to user postfix; nothing was changed" "$ERROR" 'see the message of the host: filter, bind_dn, bind_pw, base, file mode'
}

# ---- commit ------------------------------------------------------------------------------------

adopt() {
  real_of "$1"
  hash_of "$REAL"
  [ ! -e "$D/adopted/$HASH" ] || return 0
  error=$( { mkdir -p "$D/adopted" && cat "$REAL" >|"$D/adopted.new.$RUN" && durable "$D/adopted.new.$RUN" && mv -f "$D/adopted.new.$RUN" "$D/adopted/$HASH"; } 2>&1) ||
    fail "the present text of $1 cannot be kept; nothing was changed" "$error" "make room in $D"
}

# Sets OLD to a second name of the file, which keeps its bytes, owner, mode, and times.
back_up() {
  OLD=-
  [ -e "$1" ] || return 0
  OLD=${1%/*}/.murder.$RUN.old.${1##*/}
  ln "$1" "$OLD" 2>/dev/null || error=$(cp -p "$1" "$OLD" 2>&1) || fail "$1 cannot be backed up" "$error" 'make room on the file system'
}

commit_one() {
  back_up "$1"
  fault "before $1"
  CHANGED=1
  UNDO="$1 $OLD$NEWLINE$UNDO"
  error=$(mv -f "$2" "$1" 2>&1) || fail "$1 cannot be replaced" "$error" 'see the message of the host'
  fault "after $1"
}

commit() {
  names=
  for_each "$STAGED" collect
  [ -z "$names" ] || durable $names
  phase committing
  for_each "$STAGED" commit_one
  [ -z "$names" ] || durable $directories
  log 'committed'
}
collect() { names="$names $2"; }

check() {
  error=$(run 120 postfix check 2>&1) || fail '`postfix check` refuses the new configuration' "$error" 'mend the manifest'
  log 'checked'
}

restart() {
  if [ -d /run/systemd/system ] && systemctl -q is-active postfix.service; then
    run 120 systemctl restart postfix.service
  else
    run 120 postfix stop
    run 120 postfix start
  fi
}

tell() {
  if [ -z "$RUNNING" ]; then
    log 'Postfix does not run here, and was not started'
    return 0
  fi
  TOLD=1
  if [ "$TELL" = restart ]; then error=$(restart 2>&1); else error=$(run 120 postfix reload 2>&1); fi || fail "postfix $TELL failed" "$error" 'see the message of the host'
  phase told
  log "told: $TELL"
}

# ---- probes ------------------------------------------------------------------------------------

smtp_answers() {
  ANSWERS=
  [ -n "$RUNNING" ] || return 0
  if command -v bash >/dev/null; then
    ANSWERS=$(run 120 bash -c "$ASK_BASH" ask postmaster $ACCEPT $REFUSE 2>/dev/null)
  elif command -v perl >/dev/null; then
    ANSWERS=$(run 120 perl -e "$ASK_PERL" postmaster $ACCEPT $REFUSE 2>/dev/null)
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

probe() {
  [ -n "$TOLD" ] || return 0
  tries=0
  until master_lives; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || fail 'Postfix does not run after it was told' "$(troubles)" 'see the log of the host'
    sleep 0.5 2>/dev/null || sleep 1
  done
  for_each "$TABLES" ask_live
  smtp_answers
  if [ -z "$BEFORE$ANSWERS" ]; then
    log 'not probed over SMTP: bash and perl are missing, or nothing listens on 127.0.0.1:25'
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

# What the log told already before we came is not our doing.
old_troubles() {
  mark_log
  [ -z "$MAIL_LOG" ] || {
    end=$LOG_END LOG_END=$((LOG_END > 200000 ? LOG_END - 200000 : 0))
    OLD_TROUBLES=$(troubles)
    LOG_END=$end
  }
}

# ---- the end -----------------------------------------------------------------------------------

delete() {
  real_of "$1"
  for gone in "$REAL" "$1$2"; do
    case $gone in *-) continue ;; esac
    [ -e "$gone" ] || continue
    back_up "$gone"
    fault "before deleting $gone"
    CHANGED=1
    UNDO="$gone $OLD$NEWLINE$UNDO"
    error=$(rm -f "$gone" 2>&1) || fail "$gone cannot be deleted" "$error" 'see the message of the host'
    fault "after deleting $gone"
  done
  # A link that led to it would lead nowhere.
  [ ! -h "$1" ] || rm -f "$1"
}

write_ledger() {
  if [ "$LEDGER" = keep ]; then
    :
  elif [ -z "$LEDGER" ]; then
    rm -f "$D/ledger.json" "$D/paths"
  else
    for_each "$LEDGER" write_record
    durable "$D"
  fi
  WRITTEN=1
}
# write_record NAME OFFSET:LENGTH SHA256
write_record() {
  error=$( { tail -c "+$((DATA + ${2%:*}))" "$SPOOL" | head -c "${2#*:}" >|"$D/$1.new.$RUN"; } 2>&1)
  hash_of "$D/$1.new.$RUN"
  [ "$HASH" = "$3" ] || fail 'the ledger could not be written' "$error" "make room in $D"
  durable "$D/$1.new.$RUN"
  name=$1
  [ "$1" != ledger ] || name=ledger.json
  error=$(mv -f "$D/$1.new.$RUN" "$D/$name" 2>&1) || fail 'the ledger could not be written' "$error" "make $D writable"
}

undo_one() {
  if [ "$2" = - ]; then rm -f "$1"; else mv -f "$2" "$1"; fi 2>/dev/null || {
    LEFT="${LEFT}mv -f $2 $1$NEWLINE"
  }
}

put_back() {
  FAULT='' LEFT='' MOVED=''
  phase rolling-back
  for_each "$UNDO" undo_one
  durable $directories
  if [ -n "$TOLD" ]; then
    if [ "$TELL" = restart ]; then error=$(restart 2>&1); else error=$(run 120 postfix reload 2>&1); fi
    tries=0
    until master_lives || [ "$tries" -ge 20 ]; do
      tries=$((tries + 1))
      sleep 0.5 2>/dev/null || sleep 1
    done
    master_lives || LEFT="${LEFT}postfix check && postfix start$NEWLINE"
  fi
  for_each "$EXPECTS" find_moved
  if [ -n "$LEFT$MOVED" ]; then
    # The backups are all that is left of the old state: nobody sweeps them away.
    rm -rf "$D/leftovers" "$STAGE" "$SPOOL"
    report halfway "$1, and putting back failed too${MOVED:+: $MOVED is not what it was}" "$2$NEWLINE$error" "run there as root: $(printf '%s' "$LEFT" | tr '\n' ';') postfix check && postfix reload"
  fi
  for directory in $MADE; do rmdir "$directory" 2>/dev/null; done
  clean
  report putback "$1; the host stands as it was before" "$2" "$3"
}

order_of_work() {
  OPENED=''
  [ -f "$SPOOL" ] || report untouched 'the payload vanished before its turn came; nothing was changed' '' 'run again'
  clean_dead
  MOVED=
  for_each "$EXPECTS" find_moved
  case $MOVED in '') ;; *) clean; report stale "$MOVED" '' 'plan again' ;; esac
  QUEUE=$(run 60 postconf -h queue_directory 2>/dev/null)
  MAILLOG=$(sed -n 's/^maillog_file[[:space:]]*=[[:space:]]*//p' /etc/postfix/main.cf)
  RUNNING=
  ! master_lives || RUNNING=1
  SED=
  OPENED=1
  step open_journal
  [ -z "$ADOPTS" ] || step for_each "$ADOPTS" adopt
  [ -z "$FILES" ] || step for_each "$FILES" stage_file
  [ -z "$INDEXES" ] || step for_each "$INDEXES" build_index
  if [ -n "$FILES$EDITS$TABLES" ]; then
    step stage_configuration
    step validate
  fi
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
  CHANGED=
  [ -z "$FAULT" ] || log "points $POINT"
  clean
  report done '' '' ''
}

work() {
  trap '' HUP PIPE INT
  umask 077
  set -f
  exec 9>>"$D/lock"
  flock -n 9 || { sleep 1; flock -n 9; } || {
    read -r holder <"$D/lock"
    rm -f "$SPOOL"
    report locked "another apply is at work: ${holder:-by somebody}" '' 'wait until it is done, then plan again'
  }
  echo "by $BY since $AT (run $RUN)" >|"$D/lock"
  # The shell itself keeps the lock; no child ever has it, least of all a master that we start.
  order_of_work 9>&-
}

front() {
  setsid $SH "$SPOOL" work </dev/null &
  wait $!
  code=$?
  [ "$code" -eq 0 ] || printf '\n%s DIED %s\n' "$N" "$code"
}
