# Reads one host and writes nothing there. Parsed whole before its last line calls it.
# Reads, set by the client: N nonce, CF folder of the instance of Postfix, KNOWN identity of cached facts, FILES, GROUND
# (what they stand on), INDEXES, SOCKETS, EXPECTED (lines as sha256sum prints them), REFERENCES (lines for
# murder_references), HISTORY (`entries`, or a file), DEADLINE in seconds, and limits in bytes: CAP of
# all texts that are sent, HASHED of a file that is hashed, OWN of main.cf, master.cf and each file of murder itself.
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
  [ -f "$CF/main.cf" ] || { echo "=no-instance"; return; }

  # What the ledger names is looked at too, whether or not the manifest still does; and what the
  # ledger of a run that died was about to name.
  all=" $FILES "
  case $HISTORY in /*) all="$all$HISTORY " ;; esac
  set +f
  for paths in /var/lib/murder/paths /var/lib/murder/pending.*.paths; do
    [ -f "$paths" ] && [ -r "$paths" ] || continue
    while IFS= read -r path; do
      case $path in
        *[!A-Za-z0-9/._+@:%=-]* | '') ;;
        /*) case $all in *" $path "*) ;; *) all="$all$path " ;; esac ;;
      esac
    done <"$paths"
  done

  own='main.cf master.cf'
  # The default instance lists the others, and has listeners of its own.
  case $CF in /etc/postfix) ;; *) own="$own /etc/postfix/main.cf /etc/postfix/master.cf" ;; esac
  for path in /var/lib/murder/ledger.json /var/lib/murder/journal.json /var/lib/murder/last /var/lib/murder/pending.*.json /var/lib/murder/paths; do
    [ ! -e "$path" ] || own="$own $path"
  done
  set -f

  # Whoever may write a directory on the way to a file decides what is written there.
  walked=" $GROUND" met=
  for path in $all "$CF/main.cf" "$CF/master.cf"; do murder_walk "$path"; done

  # Each socket, with every directory on the way to it.
  ways=
  for socket in $SOCKETS; do
    way=$socket
    while [ -n "$way" ]; do
      case " $ways " in *" $way "*) ;; *) ways="$ways $way" ;; esac
      way=${way%/*}
    done
  done
  murder_references
  set +f
  dynamic=
  for path in /etc/postfix/dynamicmaps.cf /etc/postfix/dynamicmaps.cf.d/*; do
    [ ! -f "$path" ] || dynamic="$dynamic $path"
  done
  set -f
  cd "$CF" || return
  # A host without a key (the second value of its ledger) says of each file whether it was touched.
  times=%Y/%Z/%i
  if [ -f /var/lib/murder/ledger.json ] && [ -r /var/lib/murder/ledger.json ]; then
    { read -r line && read -r line && read -r line || :; } </var/lib/murder/ledger.json
    case $line in '"host_key"'*) times=%Y ;; esac
  fi
  # The names of owner and group may have blanks; their numbers, which are last, have none.
  # The time of the change of each file, which is last, is not sent.
  # A path that no list has parts what is said of each file from what is looked at for its faults alone.
  stats=$(stat -L -c "%f %s $times %n %U:%G %u:%g/%Z" $own "$postconf" $dynamic $all $INDEXES $walked $ways /. $referred 2>/dev/null)
  faults=${stats#*" /. "*"$NEWLINE"}
  stats=${stats%%" /. "*}
  stats=${stats%"$NEWLINE"*}
  [ -z "$referred$digest" ] || murder_faults

  [ -z "$met" ] || printf '=links\n%s' "$met"

  # Only regular files of a limited size are opened: a FIFO or a device would hold us up for ever.
  identity='' stream='' regular='' readable='' short='' fresh='' applied=0 known=" $EXPECTED
"
  IFS=$NEWLINE
  for line in $stats; do
    changed=${line##*/} line=${line%/*}
    # Nearly all are root's: that is not sent.
    short="$short${line%' root:root 0:0'}$NEWLINE"
    IFS=' '
    set -- $line
    IFS=$NEWLINE
    case " $dynamic $postconf " in *" $4 "*) identity="$identity:$2.${3%%/*}" ;; esac
    # A directory on the way that not everybody may enter: then it matters who postfix is.
    case " $ways $GROUND " in *" $4 "*) case $1 in 4??[02468ace]) shut=1 ;; esac ;; esac
    case $1 in 8???) ;; *) continue ;; esac
    # An index that was changed since the last apply, or before the first one, may be of another text. What a backup or
    # rsync(1) puts there keeps an old time of its content.
    case $4 in /var/lib/murder/ledger.json) applied=${3%%/*} ;; esac
    case " $INDEXES " in *" $4 "*) [ "$changed" -le "$applied" ] || fresh="$fresh $4" ;; esac
    case " $own " in *" $4 "*) [ "$2" -gt "$OWN" ] || readable="$readable $4" ;; esac
    case "$regular $all" in *" $4 "*" $4 "*) ;; *" $4 "*)
      [ "$2" -gt "$HASHED" ] || regular="$regular $4" sizes="$sizes $2:$4"
      ;;
    esac
  done
  IFS=$BLANKS
  printf '=stats\n%s' "$short"
  unsound=''
  for path in $fresh; do murder_index "$path"; done
  [ -z "$unsound" ] || echo "=unsound$unsound"

  # postconf(1) would open them too.
  case "$readable " in ' main.cf master.cf '*) ;; *) return ;; esac

  # Comment lines and blank lines mean nothing to Postfix, not even inside a folded value.
  texts=$(grep -Hsa -e '^[[:space:]]*[^#[:space:]]' ${readable% /var/lib/murder/paths})
  # A line of the same file as the line before it goes without the name.
  echo "=texts"
  queue=/var/spool/postfix from=''
  IFS=$NEWLINE
  for line in $texts; do
    case $line in
      main.cf:queue_directory[\ =]*)
        queue=${line#*=}
        queue=${queue#"${queue%%[! ]*}"}
        ;;
    esac
    case $line in
      "$from":*) printf ':%s\n' "${line#*:}" ;;
      *) from=${line%%:*} && printf '%s\n' "$line" ;;
    esac
  done
  IFS=$BLANKS
  if [ "$HISTORY" = entries ]; then
    echo "=history"
    set +f
    for path in /var/lib/murder/history/*.json; do
      [ ! -f "$path" ] || { { IFS= read -r line <"$path" || :; } && printf '%s %s\n' "$path" "$line"; }
    done
    set -f
  fi
  hashed=$regular ledger=
  for path in $readable; do
    case $path in
      main.cf | master.cf) hashed="$CF/$path $hashed" ;;
      /var/lib/murder/ledger.json) ledger=$path hashed="$path $hashed" ;;
    esac
  done
  hashes=$(sha256sum $hashed 2>/dev/null)
  echo "=identity $identity"
  IFS=$NEWLINE
  # What differs from what was expected comes after the head, in this order. The client has the hash of what does not.
  short=
  for line in $hashes; do
    path=${line#*  }
    case $known in *"$line$NEWLINE"*) short="$short-  $path$NEWLINE" ;; *) short="$short$line$NEWLINE" ;; esac
    case $path in "$CF/main.cf" | "$CF/master.cf" | "$ledger") case $all in *" $path "*) ;; *) continue ;; esac ;; esac
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
  printf '=hashes\n%s' "$short"

  # A process of that number may be another program by now; Postfix's master runs in its queue directory.
  running=no
  if [ -f "$queue/pid/master.pid" ] && [ -r "$queue/pid/master.pid" ]; then
    read -r pid <"$queue/pid/master.pid"
    if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ "/proc/$pid/cwd" -ef "$queue" ]; then running=yes; fi
  fi
  echo "=running $running"
  case $queue in *\$*) ;; *) murder_queues ;; esac
  murder_environment
  IFS=$NEWLINE
  for line in $tables; do
    IFS=$BLANKS
    murder_table $line
    IFS=$NEWLINE
  done
  IFS=$BLANKS

  murder_lock
  murder_leftovers
  [ -z "${SUDO_USER-}" ] || murder_recorded
  if [ -n "$shut" ]; then
    echo "=postfix"
    id postfix 2>&1
  fi

  # Facts lie with the client, or else in the ledger, where they are those of this Postfix.
  kept="/var/lib/murder/ledger.json:    \"identity\": \"$identity\""
  if [ "$identity" = "$KNOWN" ]; then kept=1; else case $texts in *"$kept"*) kept=1 ;; *) kept= ;; esac; fi
  if [ -z "$kept" ]; then
    distribution=
    if [ -f /etc/os-release ] && [ -r /etc/os-release ]; then
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

# Files and tables that parameters name and nothing manages: those that the client asks about, otherwise those of the
# last apply, whose file begins with the digest of its list. A line is `f PATH` for a file that root opens, `p PATH`
# for one that user postfix opens, `q TABLE KEY...` for a table that is asked, and `t TABLE` for one that is read.
murder_references() {
  digest='' referred='' opened='' tables='' shut='' kept=/var/lib/murder/references
  # One list for all instances of the host.
  if [ -z "$REFERENCES" ] && [ -f $kept ] && [ -r $kept ]; then
    while IFS= read -r line; do
      case $line in
        '='*) digest=${line#=} ;;
        *[!A-Za-z0-9/._+@:%=\ -]*) ;;
        *) REFERENCES="$REFERENCES$line$NEWLINE" ;;
      esac
    done <$kept
  fi
  IFS=$NEWLINE
  for line in $REFERENCES; do
    case $line in
      'f '*) referred="$referred$line$NEWLINE" ;;
      'p '*)
        way=${line#p }
        while [ -n "$way" ]; do
          case "$opened$NEWLINE" in *"p $way$NEWLINE"*) break ;; esac
          opened="$opened${NEWLINE}p $way"
          way=${way%/*}
        done
        ;;
      'q '?*' '?* | 't '?*) tables="$tables$line$NEWLINE" ;;
    esac
  done
  IFS=$BLANKS
  entries=$referred$opened referred=''
  for word in $entries; do
    case $word in /*) referred="$referred $word" ;; esac
  done
}

# Says of these files only what is out of the ordinary: a kind and its line of stat(1), or `KIND - PATH` where it does not
# exist. A file that root opens must exist; user postfix must be able to read the others.
murder_faults() {
  echo "=references $digest"
  IFS=$NEWLINE
  for entry in $entries; do
    kind=${entry%% *} path=${entry#* }
    line="- $path"
    case "$faults " in
      *" $path "*)
        line=${faults%%" $path "*}
        line=${line##*"$NEWLINE"}
        case $kind$line in f8* | fc* | p8??[4567cdef]\ * | p4??[13579bdf]\ *) continue ;; esac
        rest=${faults#*" $path "}
        rest=${rest%%"$NEWLINE"*}
        line="$line $path ${rest%/*}"
        ;;
    esac
    [ "$kind" = f ] || shut=1
    echo "$kind $line"
  done
  IFS=$BLANKS
}

# murder_table KIND TABLE KEY...: the lines of its source, with every key for kind `t` and with these keys for `q`; or
# what postmap(1) answers: `+ KEY VALUE`, `- KEY`, `! ERROR`.
murder_table() {
  echo "=table $*"
  kind=$1 table=${2#proxy:} source=''
  shift 2
  case $table in
    /*) source=$table ;;
    regexp:/* | pcre:/*) [ "$kind" = q ] || source=${table#*:} ;;
    hash:/* | btree:/* | lmdb:/* | cdb:/* | dbm:/* | sdbm:/* | texthash:/* | cidr:/*) source=${table#*:} ;;
  esac
  if [ -n "$source" ] && [ -f "$source" ] && [ -r "$source" ]; then
    if [ "$kind" = t ]; then
      grep -Hsa -e '^[[:space:]]*[^#[:space:]]' "$source"
    else
      words=
      for key; do words="$words -e $key"; done
      grep -HsaiF $words "$source"
    fi | head -c 65536
    echo
    return
  fi
  source=/${table#*/}
  case $table in
    /*) echo '! the file does not exist'; return ;;
    *:/*) [ ! -e "$source" ] || [ -f "$source" ] || { echo '! it is no regular file'; return; } ;;
  esac
  # postmap(1) would log an error for a table that the apply is yet to make.
  case $table in
    hash:/* | btree:/*) opened=$source.db ;;
    lmdb:/* | cdb:/*) opened=$source.${table%%:*} ;;
    dbm:/* | sdbm:/*) opened=$source.pag ;;
    *:/*) opened=$source ;;
    *) opened=/ ;;
  esac
  [ -e "$opened" ] || { echo "! $opened does not exist"; return; }
  command -v timeout >/dev/null || { echo '! the host has no timeout(1)'; return; }
  for key; do
    said=$(timeout -s KILL 10 postmap -c "$CF" -q "$key" "$table" 2>&1)
    code=$? wrong='' value=''
    IFS=$NEWLINE
    for line in $said; do
      case $line in "postmap: warning: $CF/"*) ;; 'postmap: '*) wrong=${line#*: } ;; *) value=$line ;; esac
    done
    IFS=$BLANKS
    case $code$wrong in
      0) echo "+ $key $value" ;;
      1) echo "- $key" ;;
      *) echo "! ${wrong:-no answer within 10 s}"; return ;;
    esac
  done
}

# murder_index PATH: adds to `unsound` an index that has other entries than its text: Postfix looks up the index alone.
murder_index() {
  source=${1%.*} aliases=''
  [ -f "$1" ] && [ -f "$source" ] && command -v timeout >/dev/null || return 0
  wanted=$(murder_dump "texthash:$source") || wanted=''
  case ${source##*/} in *alias*) aliases=$(murder_alias_lines <"$source" | murder_bare) ;; esac
  [ -n "$wanted$aliases" ] || return 0
  case $1 in *.db) set -- "$1" hash btree ;; *) set -- "$1" "${1##*.}" ;; esac
  path=$1
  shift
  for type; do
    entries=$(murder_dump "$type:$source") || continue
    [ "$entries" = "$wanted" ] && return
    [ -n "$aliases" ] && [ "$(printf '%s\n' "$entries" | murder_alias_entries | murder_bare)" = "$aliases" ] && return
    break
  done
  unsound="$unsound $path"
}
murder_dump() {
  dump=$(timeout -s KILL 20 postmap -c "$CF" -s "$1" 2>/dev/null) && printf '%s\n' "$dump" | sort
}
# The entries of an alias file (aliases(5)), each on one line, and those of its index, without what postalias(1) adds.
murder_alias_lines() {
  sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' | sed -e ':more' -e '$!N' -e 's/\n[[:space:]][[:space:]]*//' -e 't more' -e 'P' -e 'D'
}
murder_alias_entries() { tr '\t' ':' | sed -e '/^@:@$/d' -e '/^YP_/d'; }
# Without comments, blanks, commas and quotes, which postalias(1) writes in its own way.
murder_bare() { sed 's/([^()]*)//g' | tr -d ' \t,"\\\074\076' | tr '[:upper:]' '[:lower:]' | sort; }

# The mails that wait and those that are being delivered, each counted to 10,001 at most; or that there is no queue. The
# names of hashed directories have one character, and those of mails have more.
murder_queues() {
  [ -d "$queue" ] || { echo "=no-queue $queue"; return; }
  set +f
  count=0
  murder_count "$queue/deferred"
  deferred=$count count=0
  murder_count "$queue/active"
  set -f
  echo "=queues $deferred $count"
}
murder_count() {
  for path in "$1"/*; do
    case ${path##*/} in '*') ;; ?) murder_count "$path" ;; *) count=$((count + 1)) ;; esac
    [ "$count" -le 10000 ] || return 0
  done
}

# What some defaults of Postfix are made of: the host's name, Debian's mail name, and the networks of its interfaces,
# which only postconf(1) knows as Postfix does, and which count only where main.cf does not name them.
murder_environment() {
  name=''
  { read -r name </proc/sys/kernel/hostname; } 2>/dev/null
  echo "=hostname $name"
  if [ -f /etc/mailname ] && [ -r /etc/mailname ]; then
    read -r name </etc/mailname
    echo "=mailname $name"
  fi
  case $NEWLINE$texts in *"${NEWLINE}main.cf:mynetworks"[[:space:]=]*) return 0 ;; esac
  command -v timeout >/dev/null && echo "=networks $(timeout -s KILL 10 postconf -c "$CF" -h mynetworks 2>/dev/null)"
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

# Whether sudo records what goes through it, as far as its own files say (sudoers(5), `log_input`, `LOG_INPUT`).
murder_recorded() {
  set +f
  for path in /etc/sudoers /etc/sudoers.d/*; do
    case $path in *[!A-Za-z0-9/._-]*) continue ;; esac
    [ -f "$path" ] && [ -r "$path" ] || continue
    while IFS= read -r line; do
      case $line in
        '#'* | *!log_input* | *!log_output* | *NOLOG_*) ;;
        *log_input* | *log_output* | *LOG_INPUT:* | *LOG_OUTPUT:*)
          echo "=recorded $path"
          set -f
          return
          ;;
      esac
    done <"$path"
  done
  set -f
}

# murder_guard SECONDS: ends what this shell has begun and waits for, unless that has ended by then. A read may hang for
# reasons that no test beforehand sees: a file that is exchanged, /proc/kmsg, a name service.
murder_guard() {
  # Not TERM: the process that is to become sleep(1) has this trap until it is one, and would lose the signal.
  trap 'kill -KILL $! 2>/dev/null; exit 0' TERM
  sleep "$1" &
  wait $! || exit 0
  read -r self more </proc/self/stat
  # Stopped first, so that none begins another one that is not on the list.
  last=
  while murder_descendants $$; [ "$found" != "$last" ]; do
    last=$found
    kill -STOP $found
  done
  kill -KILL $found
}

# murder_descendants PROCESS: in `found`, without the guard itself.
murder_descendants() {
  set +f
  found='' table=
  for stat in /proc/[0-9]*/stat; do
    { IFS= read -r line <"$stat"; } 2>/dev/null || continue
    child=${line%% *}
    # The name stands in brackets and may hold anything; the parent is the second field behind it.
    set -- "$1" ${line##*) }
    [ "$child" = "$self" ] || table="$table $child:$3"
  done
  set -f
  parents=" $1 "
  while [ -n "$parents" ]; do
    next=
    for pair in $table; do
      case $parents in *" ${pair#*:} "*) next="$next ${pair%:*}" ;; esac
    done
    found="$found$next" parents=${next:+"$next "}
  done
}

murder_observe() {
  LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin
  export LC_ALL PATH
  set -f
  NEWLINE='
' BLANKS=$IFS sizes=''
  murder_guard "$DEADLINE" >/dev/null 2>&1 &
  guard=$!
  head=$(murder_look) || [ $? -lt 128 ] || head="=late $DEADLINE"
  kill $guard 2>/dev/null
  sum=$(printf '%s\n' "$head" | sha256sum)
  printf '\n%s BEGIN %s\n%s\n%s HEAD\n' "$N" "${sum%% *}" "$head" "$N"
  case $head in *"$NEWLINE"=stream*) set -- ${head##*"$NEWLINE"=stream} ;; *) set -- ;; esac
  if [ $# -gt 0 ]; then
    # How long this takes is for the line to say.
    murder_guard 600 >/dev/null 2>&1 &
    guard=$!
    cat "$@" || [ $? -lt 128 ] || return
    kill $guard 2>/dev/null
  fi
  printf '\n%s END\n' "$N"
}
