# ---- commit ------------------------------------------------------------------------------------
# Reads, set by the client: RUN
# Reads, set by other files: D MOVED NEWLINE REAL STAGED
# Sets: CHANGED EMPTIED OLD UNDO
# Calls: journal.sh: clean phase unmake; report.sh: fail fail_unchanged fault report; words.sh: durable for_each log
#   real_of seek_moved

# Sets OLD to a second name of the file, which keeps its bytes, owner, mode, and times.
back_up() {
  OLD=-
  [ -e "$1" ] || [ -h "$1" ] || return 0
  OLD=${1%/*}/.murder.$RUN-old.${1##*/}
  ln "$1" "$OLD" 2>/dev/null || error=$(cp -pP "$1" "$OLD" 2>&1) || fail "$1 cannot be backed up" "$error" 'make room on the file system'
}

commit_one() {
  back_up "$1"
  fault "before $1"
  CHANGED=1
  error=$(mv -f "$2" "$1" 2>&1) || fail "$1 cannot be replaced" "$error" 'see the message of the host'
  # Only now: what was not replaced (an immutable file) cannot be put back either, and need not be.
  UNDO="$1 $OLD$NEWLINE$UNDO"
  fault "after $1"
}

commit() {
  names=
  for_each "$STAGED" collect
  durable $names
  # Validation took its time: a change that was made meanwhile is not to be overwritten.
  seek_moved
  [ -z "$MOVED" ] || stale
  phase committing && durable "$D/journal.json" "$D" || fail_unchanged 'the journal cannot be written' '' "make room in $D"
  for_each "$STAGED" commit_one
  durable $directories
  log 'committed'
}
collect() { names="$names $2"; }

stale() {
  clean
  unmake
  report stale "$MOVED" '' 'plan again'
}

# delete PATH SUFFIX: first the index, which no later run would find without its source; then a link and
# the file that it leads to.
delete() {
  [ "$2" = - ] || delete_one "$1$2"
  real_of "$1"
  gone=$REAL
  [ "$REAL" = "$1" ] || delete_one "$1"
  delete_one "$gone"
  EMPTIED="$EMPTIED ${1%/*}"
}
delete_one() {
  [ -e "$1" ] || [ -h "$1" ] || return 0
  back_up "$1"
  fault "before deleting $1"
  CHANGED=1
  error=$(rm -f "$1" 2>&1) || fail "$1 cannot be deleted" "$error" 'see the message of the host'
  UNDO="$1 $OLD$NEWLINE$UNDO"
  fault "after deleting $1"
}
