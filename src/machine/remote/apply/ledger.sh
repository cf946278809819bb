# ---- ledger and history ------------------------------------------------------------------------
# Reads, set by the client: HISTORY LEDGER REFERENCES RUN
# Reads, set by other files: D FORMER NEWLINE STAGE
# Sets: WRITTEN
# Calls: commit.sh: commit_one delete_one; former.sh: keep_former prune_former; journal.sh: phase; report.sh: fail fault; words.sh: durable for_each take

# write_history GENERATION KEPT KEPT_BYTES PLACE SHA256: recorded and proved before the first change.
write_history() {
  # shellcheck disable=SC2174  # what is above it exists; `-p` is for a race
  [ -d "$D/history" ] || error=$(mkdir -p -m 0700 "$D/history" 2>&1) || fail 'the history could not be written' "$error" "make room in $D"
  note_in_history
  commit_one "$D/history/$1.json" "$STAGE/generation"
  durable "$D/history"
}

# What was found after the change goes into the first line of the generation, a JSON object.
note_in_history() {
  said=''
  for word in '"fault_remains":true,' '"not_probed":true,'; do case $HISTORY_WORDS in *"$word"*) said=$said$word ;; esac; done
  [ -n "$said" ] || return 0
  sed "1s/^{/{$said/" "$STAGE/generation" >"$STAGE/generation.noted" 2>/dev/null && durable "$STAGE/generation.noted" &&
    mv -f "$STAGE/generation.noted" "$STAGE/generation" || fail 'the history could not be written' '' "make room in $D"
}

# The paths come after the ledger, and lie beside the journal until then: observation, which cannot
# read JSON, misses none of the old ledger's files nor of the new one's, whenever this ends.
write_ledger() {
  [ -z "$HISTORY" ] || write_history $HISTORY
  if [ "$LEDGER" = remove ]; then
    [ ! -e "$D/ledger.json" ] || delete_one "$D/ledger.json"
    WRITTEN=1
    rm -rf "$D/paths" "$D/references" "$D/history" "$D/adopted" "$D/before"
  else
    # What was pending becomes the ledger, and stays pending until the journal says that all is done.
    ln "$D/pending.$RUN.json" "$D/ledger.new.$RUN" 2>/dev/null ||
      { cp "$D/pending.$RUN.json" "$D/ledger.new.$RUN" 2>/dev/null && durable "$D/ledger.new.$RUN"; } ||
      fail 'the ledger could not be written' '' "make room in $D"
    commit_one "$D/ledger.json" "$D/ledger.new.$RUN"
    WRITTEN=1
    mv -f "$D/pending.$RUN.paths" "$D/paths" || fail 'the paths of the managed files could not be written' '' "make $D writable"
  fi
  # Without these the next observation asks twice, which is no reason to undo anything.
  [ -z "$REFERENCES" ] || { take "$REFERENCES" "$STAGE/references" 2>/dev/null && mv -f "$STAGE/references" "$D/references" 2>/dev/null; } ||
    rm -f "$D/references"
  fault 'before the journal ends'
  phase finished
  [ -z "$HISTORY" ] || prune $HISTORY
  prune_adopted
  [ "$LEDGER" = remove ] || for_each "$FORMER" keep_former
  [ ! -d "$D/before" ] || prune_former
  durable "$D"
}

# Texts that were adopted once, and that the ledger does not promise to give back any more.
prune_adopted() {
  set +f
  for text in "$D/adopted"/*; do
    [ ! -f "$text" ] || [ ! -f "$D/ledger.json" ] || grep -qs "${text##*/}" "$D/ledger.json" || rm -f "$text"
  done
  set -f
}

# prune GENERATION KEPT KEPT_BYTES: the oldest go. What is younger than this one was never recorded
# in a ledger.
prune() {
  kept=0 bytes=0 there=0 generation=$1
  set +f
  sizes=$(stat -c '%n %s' "$D/history"/*.json)
  for file in "$D/history"/*.json; do
    number=${file##*/}
    number=${number%.json}
    case $number in *[!0-9]* | '') continue ;; esac
    if [ "$number" -gt "$1" ]; then rm -f "$file"; else there=$((there + 1)); fi
  done
  set -f
  while [ "$there" -gt 0 ] && [ "$generation" -ge 0 ]; do
    file=$D/history/$generation.json
    generation=$((generation - 1))
    [ -f "$file" ] || continue
    size=${sizes##*"$file "}
    there=$((there - 1)) kept=$((kept + 1)) bytes=$((bytes + ${size%%"$NEWLINE"*}))
    [ "$kept" -le 1 ] || { [ "$kept" -le "$2" ] && [ "$bytes" -le "$3" ]; } || rm -f "$file"
  done
}
