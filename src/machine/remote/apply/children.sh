# ---- the processes of Postfix ------------------------------------------------------------------
# Reads, set by the client: WAKE_PERL
# Reads, set by other files: ADDRESS ASKER BLANKS CF DRAFT FIRST_END FIRST_TIME LOG_END LOG_TIME MASTER NEWLINE OLD_PIDS PROVEN QUEUE RUNNING SERVICES_CHANGE
# Sets: ADDRESS BORN_BEFORE CHILDREN DEAD DEAD_BEFORE DEAD_PROGRAMS DEAD_PROGRAMS_BEFORE DEAD_SINCE ENTRIES FAMILY LACKING LISTENER NEW_DEAD OLD_PIDS SEEN WAKER WATCHED
# Calls: listeners.sh: number_of_port split_listener; log.sh: log_before log_since troubles; report.sh: fail
#   fail_unchanged remains; words.sh: for_each
#   master_lives run
#
# A service works if a process that master(8) began for it waits for work. A client must connect before it begins one.

# The processes of Postfix as they are when it is told: those that it began with the old configuration, or
# between the new main.cf and the telling.
note_old_pids() {
  children
  OLD_PIDS="$OLD_PIDS $CHILDREN"
}

# The children of MASTER, in CHILDREN. grep(1) reads the files: a shell takes a system call for each byte, and a busy host has
# thousands of processes. The name of a process stands in brackets and may have brackets itself. After the last of them
# come its state and the number of its parent.
children() {
  CHILDREN=''
  set +f
  stats=$(grep -lsE "\\) [A-Za-z] $MASTER [^)]*\$" /proc/[0-9]*/stat)
  for stat in $stats; do
    stat=${stat#/proc/}
    CHILDREN="$CHILDREN ${stat%/stat}"
  done
  set -f
}

# What master.cf has: WATCHED gets a record `NAME TYPE PLACE PROGRAM` for each service that is seen to come up, LISTENER the
# service that has port 25, and ADDRESS where its clients find it.
read_services() {
  WATCHED='' LACKING='' LISTENER='' ADDRESS=127.0.0.1 own='' disabled='' virtual=''
  IFS=$NEWLINE
  for line in $(run 20 postconf -c "$CF" -x daemon_directory inet_interfaces inet_protocols master_service_disable virtual_mailbox_base 2>/dev/null); do
    case $line in
      'daemon_directory = '*) daemons=${line#* = } ;;
      'inet_interfaces = '*) interfaces=${line#* = } ;;
      'inet_protocols = '*) protocols=${line#* = } ;;
      'master_service_disable = '*) disabled=${line#* = } ;;
      'virtual_mailbox_base = '?*) virtual=1 ;;
    esac
  done
  IFS=$BLANKS
  disabled=$(echo "$disabled" | tr ',A-Z' ' a-z')
  find_own_address
  ADDRESS=$own
  ENTRIES=$(run 20 postconf -c "$CF" -M 2>/dev/null)
  for_each "$ENTRIES" note_lacking
  for_each "$ENTRIES" read_service
}

# The address that a client of a service without an address of its own reaches, in `own`: one that other hosts can
# reach too, unless smtpd(8) listens on all, where the loopback address is as good and this host is a client it knows.
find_own_address() {
  own='' near='' loopback=127.0.0.1
  case $protocols in *all* | *ipv4*) ;; *) loopback=::1 ;; esac
  for word in $(echo "$interfaces" | tr ',[]' '   '); do
    case $word in
      all | loopback-only) own=$loopback && return 0 ;;
      localhost | ::1) ;;
      127.*) [ -n "$near" ] || near=$word ;;
      *[!0-9.]*) [ -n "$own" ] || own=$word ;;
      # An IPv4 address goes before others.
      *) case $own in '' | *[!0-9.]*) own=$word ;; esac ;;
    esac
  done
  [ -n "$own" ] || own=${near:-$loopback}
}

# read_service NAME TYPE PRIVATE UNPRIVILEGED CHROOT WAKEUP MAXPROC COMMAND...: of the rest of the line, nothing counts.
read_service() {
  ! is_disabled "$1" "$2" || return 0
  program=${8##*/} place=$QUEUE/private/$1
  [ "$3" != n ] || place=$QUEUE/public/$1
  case $2:$program in
    inet:smtpd | inet:postscreen) read_listener "$1" ;;
    # It needs a parameter that is empty unless the site uses it.
    unix:virtual) [ -z "$virtual" ] || watch "$1" "$2" ;;
    unix:cleanup | unix:trivial-rewrite | unix:qmgr | unix:pickup | unix:tlsmgr | unix:proxymap | unix:local | unix:lmtp | unix:smtp) watch "$1" "$2" ;;
    *)
      # These names are what Postfix's own programs look for, whatever the command is.
      case $1/$2 in cleanup/unix | rewrite/unix | qmgr/unix | pickup/unix | tlsmgr/unix | proxymap/unix) watch "$1" "$2" ;; esac
      ;;
  esac
}
# The first word of `master_service_disable` that matches decides, as in match_service(3); `!` before it means the opposite.
is_disabled() {
  for word in $disabled; do
    bare=${word#!}
    case $bare in "$2" | "$1/$2" | "$1.$2")
      [ "$bare" = "$word" ]
      return
      ;;
    esac
  done
  return 1
}
watch() { case $NEWLINE$LACKING in *"$NEWLINE$1 $2 "*) ;; *) WATCHED="$WATCHED$1 $2 $place $program$NEWLINE" ;; esac; }
read_listener() {
  split_listener "$1"
  number_of_port
  case $host in '' | 0.0.0.0 | ::) host=$own ;; esac
  if [ "$port" = 25 ]; then
    # Where one service is for other hosts and one for this host, the one for others counts.
    case $LISTENER:$ADDRESS in :* | *:127.* | *:::1) LISTENER=$1 ADDRESS=$host ;; esac
  fi
  place=$host:$port
  watch "$1" inet
}

# wake RECORDS: connects to each service and hangs up. Never waits without a deadline.
wake() {
  places='' WAKER=''
  for_each "$1" note_place
  if command -v perl >/dev/null; then
    perl -e "$WAKE_PERL" $places >/dev/null 2>&1 </dev/null &
    WAKER=$!
  else
    for place in $places; do wake_one "$place" >/dev/null 2>&1 & done
    wait
  fi
}
note_place() { places="$places $3"; }
wake_one() {
  case $1 in
    */public/qmgr | */public/pickup) run 3 postkick -c "$CF" public "${1##*/}" W ;;
    /*) class=${1%/*} && run 3 postkick -c "$CF" "${class##*/}" "${1##*/}" '' ;;
    *)
      # shellcheck disable=SC2016  # it is for bash
      case $ASKER in
        bash) run 3 bash -c 'exec 8<>"/dev/tcp/$0/$1" && { read -r -t 2 <&8; printf "QUIT\r\n" >&8; read -r -t 1 <&8; }' "${1%:*}" "${1##*:}" ;;
        *) run 3 nc "${1%:*}" "${1##*:}" ;;
      esac
      ;;
  esac
}

# FAMILY gets a record `PROCESS NAME/TYPE` for each child of master(8), by the options that it gives (`-n NAME -t TYPE`).
look_at_family() {
  children
  FAMILY='' number='' paths=''
  for number in $CHILDREN; do paths="$paths /proc/$number/cmdline"; done
  # head(1) writes the name of each file, where there are several.
  commands=$(head -c 500 /dev/null $paths 2>/dev/null | tr '\0' ' ')
  IFS=$NEWLINE
  for line in $commands; do
    IFS=$BLANKS
    case $line in
      '==> /proc/'*) number=${line#==> /proc/} number=${number%%/*} ;;
      '==> '*) ;;
      *) note_child $line ;;
    esac
    IFS=$NEWLINE
  done
  IFS=$BLANKS
}
note_child() {
  name=${1##*/} type=''
  while [ $# -gt 1 ]; do
    case $1 in -n) name=$2 ;; -t) type=$2 && break ;; esac
    shift
  done
  FAMILY="$FAMILY$number $name/$type$NEWLINE"
}

# Sets DEAD to the services that do not come up although a client connects to them, and NEW_DEAD to those of them that
# did before. A process that ends of its configuration stays for a second before it does (msg_fatal of Postfix's
# util/msg.c), so that only one that waits for work, or that has lived longer, counts.
find_dead() {
  DEAD='' DEAD_PROGRAMS='' NEW_DEAD='' SEEN='' left='' WAKER='' woken=0
  for_each "$WATCHED" note_unproven
  [ -n "$left" ] && [ -n "$RUNNING" ] && master_lives || return 0
  MASTER=$pid begun=$(date +%s) age=0
  while [ "$age" -lt 8 ]; do
    # No client learns that a process ended before it took the connection.
    [ "$woken" -gt "$age" ] || { stop_waking; wake "$left"; woken=$((age + 2)); }
    sleep 0.1 2>/dev/null || sleep 1
    look_at_family
    now=$(date +%s) age=$(($(date +%s) - begun)) waiting=$left left=''
    for_each "$waiting" judge_life
    [ -n "$left" ] || break
  done
  stop_waking
  for_each "$left" note_dead
}
note_unproven() { case $PROVEN in *" $1/$2 "*) ;; *) left="$left$1 $2 $3 $4$NEWLINE" ;; esac; }
stop_waking() { [ -z "$WAKER" ] || { kill "$WAKER" 2>/dev/null; wait "$WAKER" 2>/dev/null; WAKER=''; }; }

# judge_life NAME TYPE PLACE PROGRAM: keeps in `left` what nothing speaks for yet.
judge_life() {
  IFS=$NEWLINE
  for child in $FAMILY; do
    case $child in *" $1/$2") ;; *) continue ;; esac
    number=${child%% *}
    case " $BORN_BEFORE " in *" $number "*) continue ;; esac
    channel=''
    { read -r channel <"/proc/$number/wchan"; } 2>/dev/null
    case $channel in *epoll* | ep_poll) IFS=$BLANKS && return 0 ;; esac
    case $NEWLINE$SEEN in
      *"$NEWLINE$number "*)
        since=${SEEN##*"$number "} since=${since%%"$NEWLINE"*}
        [ $((now - since)) -lt 3 ] || { IFS=$BLANKS; return 0; }
        ;;
      *) SEEN="$SEEN$number $now$NEWLINE" ;;
    esac
  done
  IFS=$BLANKS
  left="$left$1 $2 $3 $4$NEWLINE"
}

# note_dead NAME TYPE PLACE PROGRAM: a service of which a process of before is still at work may have no room for another.
note_dead() {
  IFS=$NEWLINE
  for child in $FAMILY; do
    case $child in *" $1/$2") ;; *) continue ;; esac
    case " $BORN_BEFORE " in *" ${child%% *} "*) IFS=$BLANKS && return 0 ;; esac
  done
  IFS=$BLANKS
  DEAD="$DEAD$1/$2 " DEAD_PROGRAMS="$DEAD_PROGRAMS $4"
  case " $DEAD_BEFORE " in *" $1/$2 "*) ;; *) NEW_DEAD="$NEW_DEAD$1/$2 " ;; esac
}

# Directories that every program of Postfix goes to first (queue_directory) or needs: without them no mail moves, and
# neither `postfix check` nor a reload works.
judge_directories() {
  from=$CF
  [ ! -e "$DRAFT/check/main.cf" ] || from=$DRAFT/check
  IFS=$NEWLINE
  for line in $(run 20 postconf -c "$from" -x queue_directory data_directory daemon_directory 2>/dev/null); do
    IFS=$BLANKS
    path=${line#* = }
    case $line in
      *' = /'*) [ -d "$path" ] || fail_unchanged "\`$line\`: there is no such directory" 'Postfix cannot run without it' "$MEND" ;;
      *) fail_unchanged "\`$line\` is no absolute path" 'the programs of Postfix would look for it in whatever directory they are' "$MEND" ;;
    esac
    IFS=$NEWLINE
  done
  IFS=$BLANKS
}

# What master(8) cannot begin at all: a service whose command is no program. Where the plan brings it, nothing is
# changed; where it was there before, it stays.
judge_programs() {
  [ -n "$SERVICES_CHANGE" ] && [ -e "$DRAFT/check/master.cf" ] || return 0
  old=$NEWLINE$LACKING LACKING=''
  for_each "$(run 20 postconf -c "$DRAFT/check" -M 2>/dev/null)" note_lacking
  for_each "$LACKING" refuse_lacking
}
# note_lacking ENTRY...: a service of master.cf whose command is no program, in LACKING.
note_lacking() {
  ! is_disabled "$1" "$2" || return 0
  case $8 in /*) path=$8 ;; *) path=$daemons/$8 ;; esac
  { [ -f "$path" ] && [ -x "$path" ]; } || LACKING="$LACKING$1 $2 $path$NEWLINE"
}
remains_lacking() { remains "master(8) cannot begin the service \`$1/$2\` of master.cf: $3 is no program"; }
refuse_lacking() {
  case $old in *"$NEWLINE$1 $2 $3$NEWLINE"*) return 0 ;; esac
  fail_unchanged "master(8) could not begin the service \`$1/$2\`: $3 is no program" "the programs of Postfix are in $daemons" "mend the command of \`$1/$2\` in \`services:\` of the manifest"
}

# What is dead before the change is not its fault.
find_dead_before() {
  BORN_BEFORE='' DEAD_BEFORE='' DEAD_PROGRAMS_BEFORE=''
  find_dead
  DEAD_SINCE=$(date +%s) DEAD_BEFORE=$DEAD DEAD_PROGRAMS_BEFORE=$DEAD_PROGRAMS
}

judge_services() {
  if [ -n "$NEW_DEAD" ]; then
    set -- $NEW_DEAD
    one=$1
    [ $# = 1 ] || one="$1 and $(($# - 1)) more"
    fail "services of Postfix do not come up since it was told: $one" "${NEW_DEAD% }$NEWLINE$(log_since "$LOG_END" "$LOG_TIME" | deaths | tail -n 20)" "$MEND"
  fi
  for_each "$LACKING" remains_lacking
  for dead in $DEAD; do
    DEAD_PROGRAMS=" $(program_of "$dead")"
    cause=$( { log_before; log_since "$FIRST_END" "$FIRST_TIME"; } | OLD_PIDS='' CALM='' deaths | grep -v 'master: ' | tail -n 1)
    remains "the service \`$dead\` of master.cf does not come up, and did not before this apply${cause:+: $cause}"
  done
}
# program_of NAME/TYPE: the program that WATCHED has for it.
program_of() {
  IFS=$NEWLINE
  for record in $WATCHED; do
    case $record in "${1%/*} ${1##*/} "*) echo "${record##* }" ;; esac
  done
  IFS=$BLANKS
}
# Of the lines of a log, those in which the programs of DEAD end: others may come from a user who floods the log.
deaths() {
  programs=$(printf '%s' "$DEAD_PROGRAMS" | tr -s ' ' '|')
  grep -E "/(${programs#|})(\[[0-9]+\]: | pid [0-9]|: bad command)" | troubles
}
