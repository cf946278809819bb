# ---- indexes that are of another text --------------------------------------------------------------
# Reads, set by the client: INDEXES
# Reads, set by other files: CF D HASH NEWLINE STAGE
# Calls: report.sh: remains; words.sh: for_each hash_of run

# Postfix looks keys up in the index alone. One that is newer than its text and has other entries (a file of a backup, an index of
# another table) was there before this apply: it is said, with the command that builds it anew. Of managed texts alone,
# and of those alone that this apply does not index.
judge_indexes() {
  [ -f "$D/paths" ] || return 0
  for_each "$(run 20 postconf -c "$CF" -nx 2>/dev/null | grep -v '^alias_' | grep -oE '(hash|btree|lmdb|cdb|dbm|sdbm):/[^], }]*' | sort -u)" judge_index_of
}
judge_index_of() {
  path=${1#*:}
  grep -qsxF "$path" "$D/paths" || return 0
  case "$NEWLINE$INDEXES" in *" $path "*) return 0 ;; esac
  # To index a long text once more takes its time.
  [ -f "$path" ] && [ "$(stat -L -c %s "$path")" -le 1048576 ] || return 0
  cp "$path" "$STAGE/text" 2>/dev/null && run 60 postmap -c "$CF" "${1%%:*}:$STAGE/text" 2>/dev/null &&
    entries_of "${1%%:*}:$STAGE/text" wanted && entries_of "$1" present &&
    hash_of "$STAGE/wanted" && wanted=$HASH && hash_of "$STAGE/present" && [ "$HASH" != "$wanted" ] &&
    remains "the index of $path has other entries than its text, and Postfix looks up the index; build it: postmap $1"
  set +f
  rm -f "$STAGE/text" "$STAGE/text".* "$STAGE/wanted" "$STAGE/present"
  set -f
}
entries_of() { run 60 postmap -c "$CF" -s "$1" 2>/dev/null >|"$STAGE/all" && sort "$STAGE/all" >|"$STAGE/$2"; }
