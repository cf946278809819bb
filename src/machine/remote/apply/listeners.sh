# ---- what master(8) listens on -----------------------------------------------------------------
# Reads, set by the client: ACTIVATION
# Reads, set by other files: BLANKS NEWLINE QUEUE RUNNING SAID STAGE
# Sets: CF_DIR ODD ODD_LISTENERS
# Calls: report.sh: fail_unchanged; words.sh: capture for_each log master_lives run

# master(8) ends at once where a line of master.cf names a port that no services database knows, or an address that
# the host does not have, and `postfix check` does not say so. Being told to read the file again is then the end of
# mail; and where the line is none of ours, putting back does not help. So it is asked for before anything changes.

# A line's service where it is no plain port: those that Postfix's own master.cf has are known everywhere.
ODD_LISTENERS='/^[^#[:space:]][^[:space:]]*[[:space:]]\{1,\}inet[[:space:]]/!d
s/[[:space:]].*//
/^[0-9]*$/d
/^127\.[0-9.]*:[0-9]*$/d
/^\(smtp\|smtps\|submission\|submissions\)$/d'

# copy_master_cf: the staged one to where it is validated; on the way, its listeners that need a look into ODD.
copy_master_cf() { ODD=$(sed -n -e "w $DRAFT/check/master.cf" -e "$ODD_LISTENERS" -e p "$DRAFT/master.cf"); }

try_listeners() {
  [ -n "$RUNNING" ] && [ "$ACTIVATION" != not ] || return 0
  [ "$ODD" != - ] || ODD=$(sed -n -e "$ODD_LISTENERS" -e p "$CF/master.cf")
  CF_DIR=$CF disabled=- hosts=''
  [ ! -e "$DRAFT/check/main.cf" ] || CF_DIR=$DRAFT/check
  for_each "$ODD" try_port
  [ -z "$hosts" ] || try_hosts
  try_taken
}

# split_listener SERVICE: in host and port, as host_port() of Postfix's util/host_port.c takes it apart.
split_listener() {
  host='' port=$1
  case $1 in
    '['*']:'*) host=${1%%]*} host=${host#?} port=${1#*]:} ;;
    *:*) host=${1%:*} port=${1##*:} ;;
  esac
}

try_port() {
  case $1 in '['*']:'*) ;; '['*)
      bad_listener "$1" 'what stands in brackets has no port behind it'
      return 0
      ;;
  esac
  split_listener "$1"
  case $port in
    '') bad_listener "$1" 'it names no port' ;;
    *[!0-9]*) knows_port "$port" || bad_listener "$1" "no services database of the host knows the port \`$port\`" ;;
  esac
  case $host in '' | 0.0.0.0 | :: | 127.*) ;; *) hosts="$hosts$host $1$NEWLINE" ;; esac
}
knows_port() {
  if command -v getent >/dev/null; then
    run 20 getent services "$1/tcp" >/dev/null && return 0
  else
    grep -qs "^\([^#]*[[:space:]]\)\{0,1\}$1[[:space:]].*/tcp\|/tcp[^#]*[[:space:]]$1\([[:space:]]\|\$\)" /etc/services && return 0
  fi
  # Postfix 3.6 and later know a few by themselves.
  case " $(postconf -c "$CF_DIR" -xh known_tcp_ports 2>/dev/null | tr ',' ' ') " in *" $1="*) return 0 ;; esac
  return 1
}

# An address that is bound already needs not be the host's any more, and some hosts bind what is not theirs (yet).
try_hosts() {
  nonlocal=' '
  for version in 4 6; do { read -r word </proc/sys/net/ipv$version/ip_nonlocal_bind && nonlocal="$nonlocal$word "; } 2>/dev/null; done
  mkdir -p "$DRAFT/listeners" || return 0
  protocols=$(postconf -c "$CF_DIR" -xh inet_protocols 2>/dev/null)
  for_each "$hosts" try_host
}
# try_host HOST SERVICE: any program of Postfix says whether the host has the address, if it is to be its interface.
try_host() {
  printf 'compatibility_level = 0\ninet_protocols = %s\ninet_interfaces = %s\n' "${protocols:-all}" "$1" >|"$DRAFT/listeners/main.cf"
  capture run 60 postmap -c "$DRAFT/listeners" -q murder-probe static:ok
  case $SAID in
    *fatal:*'no local interface'*) may_bind "$1" "${2##*:}" || bad_listener "$2" "the host has no address \`$1\`" ;;
    *fatal:*) bad_listener "$2" "\`$1\` is no address that the host can use" "$SAID" ;;
  esac
}
# may_bind ADDRESS PORT: whether the kernel lets it be listened on all the same.
may_bind() {
  case $nonlocal in *' 1 '*) return 0 ;; esac
  port=$2
  number_of_port
  # Of an IPv6 address, that a process listens on that port there is enough to leave it alone.
  case $1 in *:*) grep -qs ":$(printf '%04X' "$port" 2>/dev/null) 0*:0* 0A " /proc/net/tcp6 && return 0 ;; *) is_bound "$1" "$port" && return 0 ;; esac
  # A route may make whole networks local.
  case $(ip route get "$1" 2>/dev/null) in 'local '*) return 0 ;; esac
  return 1
}
number_of_port() {
  case $port in smtp) port=25 ;; submission) port=587 ;; smtps | submissions) port=465 ;; esac
}
# is_bound ADDRESS PORT: whether the kernel listens there, for an IPv4 address and a number.
is_bound() {
  case $1$2 in *[!0-9.]*) return 1 ;; esac
  IFS=.
  set -- $1 "$2"
  IFS=$BLANKS
  grep -qs "^ *[0-9]*: $(printf '%02X%02X%02X%02X:%04X' "$4" "$3" "$2" "$1" "$5") 0*:0* 0A " /proc/net/tcp
}

# A port that another program has. What Postfix listens on itself it goes on listening on; of several lines for one
# port, the last counts.
try_taken() {
  master_lives || return 0
  sockets=$(ls -l "/proc/$pid/fd" 2>/dev/null) mine=' ' theirs=' '
  IFS=$NEWLINE
  # shellcheck disable=SC2013  # IFS is a line break here, so these are lines
  for line in $(grep -hs ' 0A ' /proc/net/tcp /proc/net/tcp6); do
    IFS=$BLANKS
    set -- $line
    case $sockets in *"socket:[${10}]"*) mine="$mine${2##*:} " ;; *) theirs="$theirs$2 " ;; esac
    IFS=$NEWLINE
  done
  IFS=$BLANKS
  from=$CF/master.cf
  [ ! -e "$DRAFT/master.cf" ] || from=$DRAFT/master.cf
  for_each "$(sed -n -e '/^[^#[:space:]][^[:space:]]*[[:space:]]\{1,\}inet[[:space:]]/!d' -e 's/[[:space:]].*//p' "$from")" try_free
}
try_free() {
  split_listener "$1"
  number_of_port
  case $port in
    *[!0-9]* | '' | ??????*) return 0 ;;
  esac
  # What a name means, only the resolver knows.
  case $host in *[!0-9.]*) case $host in *:*) ;; *) return 0 ;; esac ;; esac
  hex=$(printf '%04X' "$port")
  case $mine in *" $hex "*) return 0 ;; esac
  case $theirs in *":$hex "*) ;; *) return 0 ;; esac
  ! is_taken || bad_listener "$1" "another program listens on port $port there"
}
# is_taken: whether a listener on that port leaves no room for the service. Whoever listens on one address leaves others
# free; of an IPv6 one without an address of its own, this program cannot know whether it takes IPv4 too.
is_taken() {
  v4=1 v6=1
  case $(postconf -c "$CF_DIR" -xh inet_protocols 2>/dev/null) in
    *all*) ;;
    *ipv4*ipv6* | *ipv6*ipv4*) ;;
    *ipv4*) v6='' ;;
    *ipv6*) v4='' ;;
  esac
  case $host in *:*) v4='' ;; *.*) v6='' ;; esac
  any=00000000
  case $v4$theirs in 1*" $any:$hex "*) return 0 ;; esac
  # Whoever listens on all IPv6 addresses may leave IPv4 free.
  case $host:$(postconf -c "$CF_DIR" -xh inet_interfaces 2>/dev/null) in
    :all | *:*:*) case $v6$theirs in 1*" $any$any$any$any:$hex "*) return 0 ;; esac ;;
  esac
  if [ -n "$host" ]; then
    is_bound "$host" "$port"
    return
  fi
  [ "$(postconf -c "$CF_DIR" -xh inet_interfaces 2>/dev/null)" = all ] || return 1
  for other in $theirs; do
    case $v4:$v6:$other in 1:*:????????":$hex" | *:1:????????????????????????????????":$hex") return 0 ;; esac
  done
  return 1
}

# bad_listener SERVICE WHY [WORDS]
bad_listener() {
  [ "$disabled" != - ] || disabled=" $(postconf -c "$CF_DIR" -xh master_service_disable 2>/dev/null | tr ',' ' ') "
  # What is disabled is passed over unread.
  case $disabled in *[!\ ]*)
    log "not verified: the service $1/inet of master.cf ($2), since some are disabled"
    return 0
    ;;
  esac
  fail_unchanged "master.cf has a line that Postfix's master dies of: the service \`$1 inet\`" "$2${3:+$NEWLINE$3}" "correct the line in $CF/master.cf on the host, or in \`services:\` of the manifest where it comes from there, and run again"
}
