# ---- ledger and history ------------------------------------------------------------------------

# keep_bytes NAME OFFSET:LENGTH SHA256 FILE: what is kept below the ledger's directory.
keep_bytes() {
  error=$( { true >|"$D/$1.new.$RUN" && take "$2" "$D/$1.new.$RUN"; } 2>&1)
  hash_of "$D/$1.new.$RUN"
  [ "$HASH" = "$3" ] && durable "$D/$1.new.$RUN" || fail "the $1 could not be written" "$error" "make room in $D"
  commit_one "$4" "$D/$1.new.$RUN"
}

# write_history GENERATION KEPT KEPT_BYTES OFFSET:LENGTH SHA256
write_history() {
  error=$(mkdir -p -m 0700 "$D/history" 2>&1) || fail 'the history could not be written' "$error" "make room in $D"
  keep_bytes history "$4" "$5" "$D/history/$1.json"
  durable "$D/history"
}

# The paths come after the ledger, and lie beside the journal until then: observation, which cannot
# read JSON, misses none of the old ledger's files nor of the new one's, whenever this ends.
write_ledger() {
  [ -z "$HISTORY" ] || write_history $HISTORY
  if [ "$LEDGER" = remove ]; then
    [ ! -e "$D/ledger.json" ] || delete_one "$D/ledger.json"
    WRITTEN=1
    rm -rf "$D/paths" "$D/history" "$D/adopted"
  else
    keep_bytes ledger $LEDGER_BYTES "$D/ledger.json"
    WRITTEN=1
    mv -f "$D/pending.$RUN.paths" "$D/paths" || fail 'the paths of the managed files could not be written' '' "make $D writable"
  fi
  fault 'before the journal ends'
  phase finished
  [ -z "$HISTORY" ] || prune $HISTORY
  forsake
  durable "$D"
}

# Texts that were adopted once, and that the ledger does not promise to give back any more.
forsake() {
  set +f
  for text in "$D/adopted"/*; do
    [ ! -f "$text" ] || grep -qs "${text##*/}" "$D/ledger.json" || rm -f "$text"
  done
  set -f
}

# prune GENERATION KEPT KEPT_BYTES: the oldest go. What is younger than this one was never recorded
# in a ledger.
prune() {
  kept=0 bytes=0
  for generation in $(ls "$D/history" | sed -n 's/^\([0-9]*\)\.json$/\1/p' | sort -rn); do
    file=$D/history/$generation.json
    if [ "$generation" -gt "$1" ]; then
      rm -f "$file"
      continue
    fi
    kept=$((kept + 1)) bytes=$((bytes + $(stat -c %s "$file")))
    [ "$kept" -le 1 ] || { [ "$kept" -le "$2" ] && [ "$bytes" -le "$3" ]; } || rm -f "$file"
  done
}
