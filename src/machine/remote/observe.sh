# Reads one host and writes nothing there. Parsed whole before its last line calls it.
# Reads, set by the client: N nonce, KNOWN identity of cached facts, FILES, GROUND (what they stand on), INDEXES, SOCKETS,
# EXPECTED (lines as sha256sum prints them), CAP bytes of text in all, HISTORY (`entries`, or a file).
# Every process costs more than everything that the shell does by itself, so: one grep for all
# texts, one sha256sum, one stat; the rest are built-ins.
murder_look() {
  missing=
  for tool in grep stat sha256sum readlink flock setsid; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
  done
  [ -z "$missing" ] || { echo "=missing$missing"; return; }
  if [ -e /etc/shadow ] && [ ! -r /etc/shadow ]; then echo "=unprivileged"; return; fi
  postconf=$(command -v postconf) && [ -f /etc/postfix/main.cf ] || { echo "=no-postfix $postconf"; return; }

  # What the ledger names is looked at too, whether or not the manifest still does; and what the
  # ledger of a run that died was about to name.
  all=" $FILES "
  case $HISTORY in /*) all="$all$HISTORY " ;; esac
  set +f
  for paths in /var/lib/murder/paths /var/lib/murder/pending.*.paths; do
    [ -r "$paths" ] || continue
    while IFS= read -r path; do
      case $path in
        *[!A-Za-z0-9/._+@:%=-]* | '') ;;
        /*) case $all in *" $path "*) ;; *) all="$all$path " ;; esac ;;
      esac
    done <"$paths"
  done

  # Comment lines and blank lines mean nothing to Postfix, not even inside a folded value.
  texts=$(cd /etc/postfix && grep -Hsa -e '^[[:space:]]*[^#[:space:]]' main.cf master.cf \
    /var/lib/murder/ledger.json /var/lib/murder/journal.json /var/lib/murder/last /var/lib/murder/pending.*.json)
  printf '=texts\n%s\n' "$texts"
  if [ "$HISTORY" = entries ]; then
    echo "=history"
    for path in /var/lib/murder/history/*.json; do
      [ ! -f "$path" ] || { IFS= read -r line <"$path" && printf '%s\n' "$line"; }
    done
  fi
  set -f

  regular='' links=''
  for path in $all; do
    [ ! -f "$path" ] || regular="$regular $path"
    [ ! -h "$path" ] || links="$links $path"
  done
  # A file that is not regular is not opened: a FIFO would hold us up for ever.
  ledger=/var/lib/murder/ledger.json
  [ -f "$ledger" ] || ledger=
  hashes=$(sha256sum /etc/postfix/main.cf /etc/postfix/master.cf $ledger $regular 2>/dev/null)
  printf '=hashes\n%s\n' "$hashes"

  # Each socket, with every directory on the way to it.
  ways=
  for socket in $SOCKETS; do
    way=$socket
    while [ -n "$way" ]; do
      case " $ways " in *" $way "*) ;; *) ways="$ways $way" ;; esac
      way=${way%/*}
    done
  done
  set +f
  dynamic=
  for path in /etc/postfix/dynamicmaps.cf /etc/postfix/dynamicmaps.cf.d/*; do
    [ ! -f "$path" ] || dynamic="$dynamic $path"
  done
  set -f
  stats=$(stat -L -c '%f %U %G %s %Y %n' "$postconf" $dynamic $all $INDEXES $GROUND $ways 2>/dev/null)
  printf '=stats\n%s\n' "$stats"

  if [ -n "$links" ]; then
    echo "=links"
    for path in $links; do echo "$path $(readlink -f "$path")"; done
  fi

  identity='' shut='' stream='' known=" $EXPECTED
"
  IFS=$NEWLINE
  for line in $stats; do
    IFS=' '
    set -- $line
    IFS=$NEWLINE
    case " $dynamic $postconf " in *" $6 "*) identity="$identity:$4.$5" ;; esac
    # A directory on the way that not everybody may enter: then it matters who postfix is.
    case " $ways $GROUND " in *" $6 "*) case $1 in 4??[02468ace]) shut=1 ;; esac ;; esac
    case "$regular " in
      *" $6 "*) sizes="$sizes $4:$6" ;;
    esac
  done
  echo "=identity $identity"
  queue=/var/spool/postfix
  for line in $texts; do
    case $line in
      main.cf:queue_directory[\ =]*)
        queue=${line#*=}
        queue=${queue#"${queue%%[! ]*}"}
        ;;
    esac
  done
  # What differs from what was expected comes after the head, in this order.
  for line in $hashes; do
    path=${line#*  }
    case $path in /etc/postfix/main.cf | /etc/postfix/master.cf | "$ledger") case $all in *" $path "*) ;; *) continue ;; esac ;; esac
    case $known in *"$line$NEWLINE"*) continue ;; esac
    case "$sizes " in
      *":$path "*)
        size="$sizes "
        size=${size%%":$path "*}
        size=${size##* }
        [ "$size" -gt "$CAP" ] || { stream="$stream $path" CAP=$((CAP - size)); }
        ;;
    esac
  done
  IFS=$BLANKS

  # A process of that number may be anybody's by now; Postfix's master stands in its queue directory.
  running=no
  if [ -r "$queue/pid/master.pid" ]; then
    read -r pid <"$queue/pid/master.pid"
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "/proc/$pid/cwd" -ef "$queue" ]; then running=yes; fi
  fi
  echo "=running $running"

  murder_lock
  murder_leftovers
  if [ -n "$shut" ]; then
    echo "=postfix"
    id postfix 2>&1
  fi

  # Facts lie with the client, or else in the ledger, where they are those of this Postfix.
  kept="/var/lib/murder/ledger.json:    \"identity\": \"$identity\""
  if [ "$identity" = "$KNOWN" ]; then kept=1; else case $texts in *"$kept"*) kept=1 ;; *) kept= ;; esac; fi
  if [ -z "$kept" ]; then
    distribution=
    if [ -r /etc/os-release ]; then
      while IFS= read -r line; do
        case $line in ID=*) distribution=${line#ID=} ;; esac
      done </etc/os-release
    fi
    echo "=distribution $distribution"
    echo "=types"
    types=$(postconf -m 2>/dev/null)
    # It dies of a main.cf whose values cannot be expanded, which may be about to be mended: then those that every
    # Postfix of Debian has, and those of its packages.
    [ -n "$types" ] || {
      types='btree cidr environ fail hash inline internal memcache nis pipemap proxy randmap regexp socketmap static tcp texthash unionmap unix'
      for path in $dynamic; do
        while read -r type more; do types="$types $type"; done <"$path"
      done
    }
    printf '%s\n' $types
    echo "=defaults"
    postconf -d 2>/dev/null |
      sed -e '/^mail_version = /b' -e '/^default_database_type = /b' -e 's/ =.*//'
  fi
  echo "=stream$stream"
}

# Who holds the lock: its last holder wrote its process into it, and has it open as long as it lives.
# Only where a journal stands is the kernel asked as well, which costs a process.
murder_lock() {
  lock=/var/lib/murder/lock
  [ -f $lock ] || return 0
  holder='' pid=''
  read -r holder <$lock
  case $holder in *'process '*) pid=${holder##*process } ;; esac
  pid=${pid%)}
  case $pid in
    *[!0-9]* | '') ;;
    *)
      set +f
      for path in "/proc/$pid/fd"/*; do
        [ ! "$path" -ef $lock ] || { echo "=lock held $pid"; pid=; break; }
      done
      set -f
      ;;
  esac
  case $holder:$pid in
    *'process '*:) ;;
    *) if [ ! -e /var/lib/murder/journal.json ] || flock -n -s 9; then echo "=lock free"; else echo "=lock held"; fi 9<$lock ;;
  esac
  echo "=holder $holder"
}

# Payloads and stages of dead applies that had no journal yet. A payload's name ends in the process that takes it
# and works on it.
murder_leftovers() {
  set +f
  leftovers=
  for path in /var/lib/murder/spool.* /var/lib/murder/stage.*; do
    [ ! -e "$path" ] || [ -d "/proc/${path##*.}" ] || leftovers="$leftovers $path"
  done
  set -f
  case $leftovers in *[!\ ]*) echo "=leftovers$leftovers" ;; esac
}

murder_observe() {
  LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin
  export LC_ALL PATH
  set -f
  NEWLINE='
' BLANKS=$IFS sizes=''
  head=$(murder_look)
  sum=$(printf '%s\n' "$head" | sha256sum)
  printf '\n%s BEGIN %s\n%s\n%s HEAD\n' "$N" "${sum%% *}" "$head" "$N"
  set -- ${head##*"$NEWLINE"=stream}
  [ $# -eq 0 ] || cat "$@"
  printf '\n%s END\n' "$N"
}
