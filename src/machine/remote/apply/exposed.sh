# ---- files that users can exchange -------------------------------------------------------------
# Reads, set by the client: CF DELETES EDITS FILES INDEXES
# Reads, set by other files: BLANKS NEWLINE walked
# Calls: report.sh: fail_unchanged; services.sh: of_each; ways.sh: murder_walk; words.sh: for_each

# The plan has judged this too, but the owner of a directory may change since. Where only root may write each directory
# on the way, no other user can change it between here and the last write.
refuse_exposed() {
  walked='' met=''
  for_each "$FILES" walk_to
  for_each "$DELETES" walk_to
  of_each walk_service
  directories=$(stat -c '%u %g %a %n' $walked 2>/dev/null)
  for_each "$directories" judge_directory
}
walk_service() {
  for_each "$INDEXES" walk_to_index
  [ -z "$EDITS" ] || { murder_walk "$CF/main.cf"; murder_walk "$CF/master.cf"; }
}
walk_to() { murder_walk "$1"; }
walk_to_index() { murder_walk "$2"; }

# judge_directory USER GROUP MODE PATH
judge_directory() {
  case $1:$2:$3 in
    0:0:*[2367]) ;;
    0:0:*) return 0 ;;
    0:*:*[2367] | 0:*:*[2367]?) ;;
    0:*) return 0 ;;
  esac
  fail_unchanged "users other than root can write the directory $4, and so exchange a file there for a link" "$(ls -ld "$4" 2>&1)" 'let only root own and write that directory'
}
