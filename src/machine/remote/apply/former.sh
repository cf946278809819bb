# ---- the text before the last change ---------------------------------------------------------------
# Reads, set by the client: CF RUN
# Reads, set by other files: D DRAFT HASH REAL
# Sets: FORMER
# Calls: report.sh: fail_unchanged; words.sh: hash_of
#
# main.cf and master.cf as they were before the apply that last changed them lie in $D/before, for root alone: they may
# hold secrets. INSTANCE.FILE is such a text, and INSTANCE.FILE.after what that apply wrote: where the file is another
# one by now, both are of no use and go. Nothing here makes an apply fail but a text that is there in part.

# logical_lines FILE SED: the lines as Postfix reads them, one on each line, in an order of their own.
logical_lines() {
  awk '/^[ \t\r\f\v]*(#|$)/ { next }
    /^[ \t\r\f\v]/ && line != "" { line = line " " $0; next }
    { if (line != "") print line; line = $0 }
    END { if (line != "") print line }' "$1" | sed "s/[[:space:]][[:space:]]*/ /g; s/ \$//; $2" | sort
}

# take_former FILE: where the draft says the same as the text before the last change, that text takes its place, with its
# folding, its comments and its order.
take_former() {
  former=$D/before/${CF##*/}.$1
  [ -f "$former" ] && cmp -s "$former.after" "$CF/$1" || return 1
  # shellcheck disable=SC2209  # a program of sed(1)
  case $1 in main.cf) blanks='s/ *= */ = /' ;; *) blanks='' ;; esac
  [ "$(logical_lines "$former" "$blanks")" = "$(logical_lines "$DRAFT/$1" "$blanks")" ] || return 1
  error=$(cat "$former" 2>&1 >|"$DRAFT/$1")
  hash_of "$former"
  former=$HASH
  hash_of "$DRAFT/$1"
  [ "$HASH" = "$former" ] || fail_unchanged "the new $1 could not be written whole" "$error" 'make room on the file system'
}

# keep_present FILE SHA256 AFTER: the present text, with its hash, until what will be written is written.
keep_present() {
  kept=$D/${CF##*/}.$1.new.$RUN
  cat "$REAL" 2>/dev/null >|"$kept" && FORMER="$FORMER$kept $2 $D/before/${CF##*/}.$1 $3 $REAL$NEWLINE"
}

# keep_former COPY SHA256 PLACE AFTER WRITTEN: once all is done. AFTER is the hash of what was written.
keep_former() {
  hash_of "$1"
  # shellcheck disable=SC2174  # what is above it exists
  [ "$HASH" = "$2" ] && { [ -d "$D/before" ] || mkdir -p -m 0700 "$D/before" 2>/dev/null; } && rm -f "$3.after" && mv -f "$1" "$3" 2>/dev/null &&
    cat "$5" 2>/dev/null >|"$3.after"
  hash_of "$3.after"
  [ "$HASH" = "$4" ] || rm -f "$3" "$3.after"
  rm -f "$1"
}

# Copies that no file is the successor of, or of an instance that is not managed any more.
prune_former() {
  set +f
  for former in "$D/before"/*; do
    of=${former##*/}
    case $of in
      *.cf) { cmp -s "$former.after" "/etc/${of%%.*}/${of#*.}" && grep -qs "\"${of%%.*}\" *:" "$D/ledger.json"; } || rm -f "$former" "$former.after" ;;
      *.cf.after) [ -f "${former%.after}" ] || rm -f "$former" ;;
      *) rm -f "$former" ;;
    esac
  done
  set -f
  rmdir "$D/before" 2>/dev/null
}
