# ---- files that parameters name ------------------------------------------------------------------
# Reads, set by the client: OPENS
# Reads, set by other files: SAID
# Calls: report.sh: fail_unchanged; words.sh: as_postfix capture for_each

# Certificates, keys, tables and sockets that nothing manages, and that could be opened when the plan was made: a line is
# `f PATH` for a file that root opens, `p PATH` for one that user postfix opens. Only their names and modes are looked at.
judge_opened() {
  theirs=''
  for_each "$OPENS" judge_opened_by_root
  [ -n "$theirs" ] || return 0
  # shellcheck disable=SC2016  # it is for the shell of user postfix
  capture as_postfix sh -c 'for f; do [ -r "$f" ] || echo "$f"; done' sh $theirs
  for path in $SAID; do
    case " $theirs " in *" $path "*) refuse_closed "$path" 'user postfix cannot read it' ;; esac
  done
}
judge_opened_by_root() {
  case $1 in
    p) theirs="$theirs $2" ;;
    *) [ -f "$2" ] || [ -S "$2" ] || refuse_closed "$2" 'it is no file' ;;
  esac
}
refuse_closed() {
  [ -e "$1" ] || set -- "$1" 'it does not exist'
  fail_unchanged "a parameter names $1, which Postfix could open when the plan was made, and cannot now: $2" "$(ls -ld "$1" 2>&1)" 'put it back with its permissions, or plan again'
}
