# ---- staging -----------------------------------------------------------------------------------
# Reads, set by the client: FILES RUN
# Reads, set by other files: BLANKS D HASH NEWLINE REAL SAID STAGE
# Sets: BACK HASH MADE NEW OLD_WORDS SED SERVICES_CHANGE STAGED
# Calls: former.sh: keep_present take_former; report.sh: fail_unchanged; words.sh: backdate capture durable for_each hash_of log real_of run take

make_directory() {
  [ ! -d "$1" ] || return 0
  make_directory "${1%/*}"
  error=$(mkdir -m 0755 "$1" 2>&1) || fail_unchanged "the directory $1 cannot be made" "$error" 'see the message of the host'
  MADE="$1 $MADE"
}

# stage PATH OWNER GROUP MODE: an empty file beside the real one that has its final owner, mode
# and context before it has any content. Sets REAL and NEW.
stage() {
  real_of "$1"
  if [ -h "$1" ] && [ ! -e "$1" ]; then fail_unchanged "$1 is a link that leads nowhere" "it leads to $(readlink "$1")" 'remove the link, or make what it leads to'; fi
  case $REAL in *[!A-Za-z0-9/._+@:%=-]*) fail_unchanged "$1 is a link to a path with blanks or signs in it" "it leads to $REAL" 'let the link lead to a plain path' ;; esac
  if [ -e "$REAL" ] && [ ! -f "$REAL" ]; then fail_unchanged "$1 is no regular file" "$(ls -ld "$REAL" 2>&1)" 'move it away, or name another path'; fi
  make_directory "${REAL%/*}"
  NEW=${REAL%/*}/.murder.$RUN.${REAL##*/}
  error=$( { set -C; : >"$NEW"; } 2>&1) &&
    { { case $2:$3 in root:root | 0:0) ;; *) false ;; esac && [ ! -g "${REAL%/*}" ]; } || error=$(chown "$2:$3" "$NEW" 2>&1); } && error=$(chmod "$4" "$NEW" 2>&1) ||
    fail_unchanged "$1 cannot be staged" "$error" 'the directory must be writable, with room and inodes left, and owner and group must exist'
  if [ -e /sys/fs/selinux/enforce ] && [ -f "$REAL" ]; then chcon --reference="$REAL" "$NEW" 2>/dev/null; fi
}

# All files; one process proves them all, and one sets their times.
stage_files() {
  written='' names='' error=
  for_each "$FILES" stage_file
  hashes=$NEWLINE$(sha256sum $names 2>/dev/null)$NEWLINE
  for_each "$written" prove
  backdate $names
}
prove() {
  case $hashes in *"$NEWLINE$1  $2$NEWLINE"*) ;; *)
    fail_unchanged "the new text of $3 could not be written whole" "$error" 'make room on the file system; a text to be given back must still be in /var/lib/murder/adopted'
    ;;
  esac
}

# stage_file PATH SOURCE SHA256 OWNER GROUP MODE: SOURCE is OFFSET:LENGTH in the payload, or `adopted`. Then the name of the
# kept text is in the place of SHA256.
stage_file() {
  said=$error HASH=$3
  stage "$1" "$4" "$5" "$6"
  case $2 in
    adopted)
      hash_of "$D/adopted/$3"
      [ ! -f "$D/adopted/$3" ] || error=$said$(cat "$D/adopted/$3" 2>&1 >>"$NEW")
      ;;
    *) error=$said$( { take "$2" "$NEW"; } 2>&1) ;;
  esac
  written="$written$HASH $NEW $1$NEWLINE" names="$names $NEW"
  STAGED="$STAGED$REAL $NEW$NEWLINE"
  SED="$SED
s#:$1\\([], }[:space:]]\\)#:$NEW\\1#g
s#:$1\$#:$NEW#" BACK="$BACK
s#:$NEW\\([], }[:space:]]\\)#:$1\\1#g
s#:$NEW\$#:$1#"
}

# build_index TYPE PATH SUFFIX PROGRAM: under another name, from the staged source where there is one, in
# the directory where Postfix looks for it: beside the name, even where that is a link.
# An index that is there already is replaced before its source, which is thus never newer than its
# index; a new one comes after its source, so that it never stands alone.
build_index() {
  real_of "$2"
  source=${REAL%/*}/.murder.$RUN.${REAL##*/}
  [ -e "$source" ] || source=$REAL
  NEW=${2%/*}/.murder.$RUN.${2##*/}
  borrowed=
  if [ ! -e "$NEW" ]; then
    borrowed=1
    cp -p "$source" "$NEW" 2>/dev/null || fail_unchanged "$2 has no text to build an index from" '' 'plan again'
  fi
  capture run 300 "$4" -c "$CF" "$1:$NEW" || fail_unchanged "$4 cannot build $1:$2" "$SAID" 'see the message of the host'
  [ -z "$SAID" ] || judge_index "$1:$2" "$4"
  # An index has the owner and the mode of its text; postmap(1) mostly sees to that by itself.
  owners=$(stat -c '%u:%g %a' "$NEW" "$NEW$3" 2>/dev/null)
  set -- "$1" "$2" "$3" ${owners%%"$NEWLINE"*}
  for suffix in $3 .dir; do
    [ -e "$NEW$suffix" ] || continue
    [ "$suffix$owners" = "$3$4 $5$NEWLINE$4 $5" ] || { chown "$4" "$NEW$suffix" && chmod "$5" "$NEW$suffix"; } || fail_unchanged "the index of $2 cannot be given its owner" '' 'see the owner of the table'
    if [ -e "$2$suffix" ] && [ ! -f "$2$suffix" ]; then fail_unchanged "$2$suffix is no regular file" "$(ls -ld "$2$suffix" 2>&1)" 'move it away'; fi
    if [ -e "$2$suffix" ]; then STAGED="$2$suffix $NEW$suffix$NEWLINE$STAGED"; else STAGED="$STAGED$2$suffix $NEW$suffix$NEWLINE"; fi
  done
  # A text from the future stays newer than every index, and Postfix warns of that at each look.
  if [ "$source" -nt "$NEW$3" ]; then touch -r "$source" "$NEW$3" 2>/dev/null; fi
  [ -z "$borrowed" ] || rm -f "$NEW"
}

# judge_index TABLE PROGRAM: it says of main.cf whatever there is to say, at each call; and a text that is given
# back is as it was, with its duplicates.
judge_index() {
  said=$SAID new=
  [ -n "$OLD_WORDS" ] || { capture run 60 postmap -c "$CF" -q murder-probe static:ok; OLD_WORDS=$NEWLINE$SAID$NEWLINE; }
  IFS=$NEWLINE
  for line in $said; do
    case $line in postalias:*) line=postmap${line#postalias} ;; esac
    case $OLD_WORDS in *"$NEWLINE$line$NEWLINE"*) ;; *) new="$new$line$NEWLINE" ;; esac
  done
  IFS=$BLANKS
  [ -n "$new" ] || return 0
  case "$NEWLINE$FILES" in *"$NEWLINE${1#*:} adopted "*)
    log "$2 warns of $1, which is given back as it was"
    return 0
    ;;
  esac
  fail_unchanged "$2 warns of $1" "$new" 'mend the text of the table'
}

stage_configuration() {
  error=$( { mkdir -p "$DRAFT/check" && cp "$CF/main.cf" "$CF/master.cf" "$DRAFT/"; } 2>&1) ||
    fail_unchanged 'the configuration cannot be staged' "$error" "make room in $D"
  # postconf glues what it appends to a last line without an end, and so ruins both.
  for cf in master.cf main.cf; do
    [ -z "$(tail -c 1 "$DRAFT/$cf")" ] || echo >>"$DRAFT/$cf"
  done
  "orders_edits_$SERVICE"
  SERVICES_CHANGE='' staged_cfs=''
  hashes=$NEWLINE$(sha256sum "$CF/master.cf" "$CF/main.cf" "$DRAFT/master.cf" "$DRAFT/main.cf")$NEWLINE
  for cf in master.cf main.cf; do
    after=${hashes%%"  $DRAFT/$cf$NEWLINE"*}
    after=${after##*"$NEWLINE"}
    case $hashes in *"$NEWLINE$after  $CF/$cf$NEWLINE"*) continue ;; esac
    now=${hashes%%"  $CF/$cf$NEWLINE"*}
    now=${now##*"$NEWLINE"}
    ! take_former "$cf" || after=$HASH
    [ $cf = main.cf ] || SERVICES_CHANGE=1
    real_of "$CF/$cf"
    # shellcheck disable=SC2046  # owner, group and mode are three arguments
    stage "$CF/$cf" $(stat -c '%u %g %a' "$REAL")
    error=$(cat "$DRAFT/$cf" 2>&1 >>"$NEW")
    hash_of "$NEW"
    [ "$HASH" = "$after" ] || fail_unchanged "the new $cf could not be written whole" "$error" 'make room on the file system'
    staged_cfs="$staged_cfs $NEW"
    keep_present "$cf" "$now" "$after"
    STAGED="$STAGED$REAL $NEW$NEWLINE"
  done
}

# edit OPTIONS...: postconf says what it did not do on its standard error, and ends with 0.
edit() {
  capture postconf -c "$DRAFT" "$@" || fail_unchanged "postconf $1 refuses an edit" "$SAID" 'see the message of the host'
  IFS=$NEWLINE
  for line in $SAID; do
    case $line in *'multiple entries for'*) ;; *) fail_unchanged "postconf $1 warns of an edit" "$SAID" 'see the message of the host' ;; esac
  done
  IFS=$BLANKS
}

# adopt PATH NAME: the name is of the text that the file must still have.
adopt() {
  real_of "$1"
  [ ! -e "$D/adopted/$2" ] || return 0
  hash_of "$REAL"
  kept=$HASH
  error=$( { mkdir -p "$D/adopted" && cat "$REAL" >|"$D/adopted.new.$RUN" && durable "$D/adopted.new.$RUN" && mv -f "$D/adopted.new.$RUN" "$D/adopted/$2"; } 2>&1)
  hash_of "$D/adopted/$2"
  [ "$HASH" = "$kept" ] || fail_unchanged "the present text of $1 cannot be kept" "$error" "make room in $D"
}

# rename_kept OLD NEW: a kept text gets its new name beside the old one, as the ledger in force knows it by that. What no
# ledger names goes once the new one is written.
rename_kept() {
  [ -f "$D/adopted/$1" ] && [ ! -e "$D/adopted/$2" ] || return 0
  error=$( { ln "$D/adopted/$1" "$D/adopted/$2" || { cat "$D/adopted/$1" >|"$D/adopted.new.$RUN" && durable "$D/adopted.new.$RUN" && mv -f "$D/adopted.new.$RUN" "$D/adopted/$2"; }; } 2>&1)
  hash_of "$D/adopted/$1"
  kept=$HASH
  hash_of "$D/adopted/$2"
  [ "$HASH" = "$kept" ] || fail_unchanged 'the texts of adopted files cannot get their new names' "$error" "make room in $D"
}
