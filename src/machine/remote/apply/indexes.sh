# ---- indexes that are of another text --------------------------------------------------------------
# Reads, set by the client: INDEXES
# Reads, set by other files: CF D HASH NEWLINE STAGE
# Calls: report.sh: remains; words.sh: for_each hash_of log run

# Postfix looks keys up in the index alone. One that is newer than its text and has other entries (a file of a backup, an index of
# another table) was there before this apply: it is said, with the command that builds it anew. Of managed texts alone,
# and of those alone that this apply does not index.
judge_indexes() {
  # shellcheck disable=SC2174  # what is above it exists already
  [ -f "$D/paths" ] && mkdir -p -m 0700 "$STAGE" 2>/dev/null || return 0
  program=postmap
  for_each "$(run 20 postconf -c "$CF" -nx 2>/dev/null | grep -v '^alias_' | tables_with_index)" judge_index_of
  program=postalias
  for_each "$(run 20 postconf -c "$CF" -xh alias_maps alias_database 2>/dev/null | tables_with_index)" judge_index_of
}
tables_with_index() { grep -oE '(hash|btree|lmdb|cdb|dbm|sdbm):/[^], }]*' | sort -u; }
judge_index_of() {
  path=${1#*:}
  grep -qsxF "$path" "$D/paths" && [ -f "$path" ] || return 0
  case "$NEWLINE$INDEXES" in *" $path "*) return 0 ;; esac
  # To list a long text takes its time.
  if [ "$(stat -L -c %s "$path")" -gt 16777216 ]; then
    log "not verified: whether the index of $path has the entries of its text, which is longer than 16 MiB"
    return 0
  fi
  text=texthash:$path
  if [ $program = postalias ]; then
    text=${1%%:*}:$STAGE/text
    cp "$path" "$STAGE/text" 2>/dev/null && run 60 postalias -c "$CF" "$text" 2>/dev/null || return 0
  fi
  entries_of "$text" wanted && entries_of "$1" present &&
    hash_of "$STAGE/wanted" && wanted=$HASH && hash_of "$STAGE/present" && [ "$HASH" != "$wanted" ] &&
    remains "the index of $path has other entries than its text, and Postfix looks up the index; build it: $program $1"
  set +f
  rm -f "$STAGE/text" "$STAGE/text".* "$STAGE/wanted" "$STAGE/present" "$STAGE/all"
  set -f
}
# postalias(1) adds entries for sendmail and NIS, one of them with the time.
entries_of() {
  run 60 $program -c "$CF" -s "$1" 2>/dev/null >|"$STAGE/all" && grep -v '^YP_' "$STAGE/all" | sort >|"$STAGE/$2"
}
