# ---- validation --------------------------------------------------------------------------------
# Reads, set by the client: DIRECT NOT_OPENING NUMBERS OPENING RUN TABLES TYPES UNVERIFIED WORDS_AWK
# Reads, set by other files: BACK BLANKS MEND NEWLINE REAL SAID SED SERVICES_CHANGE STAGE
# Sets: DOWN ERROR KEY NEW OPTIONS PROXIED UNREACHED WHO
# Calls: listeners.sh: copy_master_cf; report.sh: fail_unchanged; words.sh: as_postfix backdate capture for_each log
#   real_of run

# listing DIR NAME: what Postfix makes of a configuration into NAME, parameters and options of services, with
# every $ expanded; what it complains of into NAME.said. Both without the names that staging changes.
listing() {
  into=$DRAFT/$2
  [ "$2" = old ] || into=$into.staged
  {
    postconf -c "$1" -n -x 2>|"$DRAFT/$2.said"
    [ -z "$OPTIONS" ] || postconf -c "$1" -P -x 2>/dev/null
  } >|"$into"
  [ "$2" = old ] || plain <"$into" >|"$DRAFT/$2"
}
said_of() { [ ! -s "$DRAFT/$1.said" ] || plain <"$DRAFT/$1.said"; }
plain() { sed -e "$BACK" -e "s#$DRAFT/check#$CF#g" -e "s#\\.murder\\.$RUN\\.##g" -e 's/, line [0-9]*//'; }

validate() {
  # `proxy:` would ask the running proxymap, which has the old configuration: postconf(1) looks through it.
  sed -e "$SED" "$DRAFT/main.cf" >"$DRAFT/check/main.cf"
  copy_master_cf
  backdate "$DRAFT/main.cf" "$DRAFT/check/main.cf" $staged_cfs
  # Options change where they are written, or where what they refer to is.
  OPTIONS=$SERVICES_CHANGE
  [ -n "$OPTIONS" ] || OPTIONS=$(sed -n -e 's/\$[{(]\{0,1\}service_name//g' -e '/^[^#]*[[:space:]]-o.*\$/p' "$CF/master.cf")
  listing "$CF" old
  listing "$DRAFT/check" new
  old=$NEWLINE$(said_of old)$NEWLINE new=
  IFS=$NEWLINE
  for line in $(said_of new); do
    case $old in *"$NEWLINE$line$NEWLINE"*) ;; *) new="$new$line$NEWLINE" ;; esac
  done
  IFS=$BLANKS
  [ -z "$new" ] || fail_unchanged 'postconf warns of the new configuration' "$new" "$MEND; warnings that were there before do not count"
  opened='' each='' approved=''
  if ask_together staged; then
    for_each "$TABLES" note_type
  else
    each=1
    capture run 60 postmap -c "$DRAFT/check" -q murder-probe static:ok
    case $SAID in *fatal:*) fail_unchanged 'Postfix cannot run with the new configuration' "$SAID" "$MEND" ;; esac
  fi
  # A table that opens has a type.
  for type in $TYPES; do
    case " $opened " in *" $type "*) ;; *) has_type "$type" ;; esac
  done
  validate_values
  [ -z "$each" ] || for_each "$TABLES" ask_staged
  log 'validated'
}

# ask_together [staged]: opens all tables by one process for each user, which asks them in turn for a key that no
# table has. False where anything is said or found: then each must be asked by itself.
# Any program of Postfix reads what all of them need, too: addresses of inet_interfaces, host and domain name.
ask_together() {
  staging=${1:-} rooted='' theirs='' texts='' domain=''
  for_each "$TABLES" gather
  if [ -n "$staging" ]; then
    captures_nothing run 60 postmap -c "$DRAFT/check" -q murder-probe@invalid. $rooted static:murder || return 1
  elif [ -n "$rooted" ]; then
    captures_nothing run 60 postmap -c "$CF" -q murder-probe@invalid. $rooted static:murder || return 1
  fi
  [ -n "$theirs" ] || return 0
  for word in $(domains_of $texts); do
    [ "${domain:-$word}" = "$word" ] || return 1
    domain=$word
  done
  case $domain in *[!A-Za-z0-9.-]* | '') domain=invalid. ;; esac
  captures_nothing as_postfix postmap -c "$CF" -q "murder-probe@$domain" $theirs static:murder
}
gather() {
  case " $DOWN " in *" $2 "*) return 0 ;; esac
  NEW=$2
  [ -z "$staging" ] || staged_table "$1" "$2"
  who_asks "$1" "$2"
  if [ "$WHO" = root ]; then rooted="$rooted $1:$NEW"; else theirs="$theirs $1:$NEW" texts="$texts $NEW"; fi
}
note_type() { opened="$opened $1"; }
# The last table knows every key: that it answered says that all before it did not.
captures_nothing() {
  capture "$@" || return 1
  IFS=$NEWLINE said=
  for line in $SAID; do
    case $line in *'/main.cf'[,:]*) ;; *) said="$said$line" ;; esac
  done
  IFS=$BLANKS
  [ "$said" = murder ]
}
domains_of() { sed -n 's/^domain[[:space:]]*=[[:space:]]*\([^,:[:space:]]*\)[,[:space:]]*.*/\1/p' "$@" 2>/dev/null; }

has_type() {
  [ -n "$types" ] || types=" $(postconf -c "$DRAFT" -m | tr '\n' ' ') "
  case $types in *" $1 "*) ;; *)
    fail_unchanged "Postfix has no table type \`$1\` here" "postconf -m:$types" "install the package \`postfix-$1\` there, or use another type"
    ;;
  esac
}

# What `postfix check` and reload are content with, and the program that reads it dies of: numbers that are
# none, and tables that no process can open. Only the host knows what a value with a $ expands to.
validate_values() {
  if ! command -v awk >/dev/null; then
    log 'not verified: values and tables of parameters (awk is missing)'
    return 0
  fi
  indirect='' news=$(cd "$DRAFT" && awk -v old=old -v opening="$OPENING" -v not_opening="$NOT_OPENING" "$WORDS_AWK" old new)
  IFS=$NEWLINE
  for line in $news; do
    IFS=$BLANKS
    case $line in
      O) judge_relaying ;;
      'T '*) ask_new "${line#T }" ;;
      'C proxy_read_maps = '* | 'C proxy_write_maps = '*) judge_all_proxied ;;
      'C '*) line=${line#C } && validate_value "${line%% = *}" "${line#* =}" ;;
    esac
    IFS=$NEWLINE
  done
  IFS=$BLANKS
  [ -z "$indirect" ] || validate_indirect
}

# smtpd(8) dies where nothing at all says who may relay, as in a main.cf that was emptied: Postfix's own
# restrictions come with compatibility_level.
judge_relaying() {
  grep -q '^[^#[:space:]].*[[:space:]]smtpd\([[:space:]]\|$\)' "$DRAFT/master.cf" || return 0
  guards=$(
    # Where it dies of main.cf, that is what is wrong, and others say so.
    postconf -c "$DRAFT/check" -xh smtpd_relay_restrictions smtpd_recipient_restrictions 2>/dev/null || echo unknown
    postconf -c "$DRAFT/check" -Px 2>/dev/null | grep '/smtpd_re[a-z]*_restrictions = .'
  )
  case $guards in *[!\ "$NEWLINE"]*) return 0 ;; esac
  # shellcheck disable=SC2016  # the backticks are part of the message
  fail_unchanged 'Postfix could not take mail: main.cf has neither smtpd_relay_restrictions nor smtpd_recipient_restrictions, nor a compatibility_level that brings them' "smtpd(8) ends with: specify at least one working instance of: reject_unauth_destination, ..." "put back into $CF/main.cf what was there (was it emptied?), or set one of them in \`settings:\` of the manifest"
}

# validate_value NAME VALUE: NUMBERS has a line `NAME KIND LEAST MOST` for each that the plan changes. What
# changes with another one that it names has the kind of its default.
validate_value() {
  value=${2# }
  found=${NUMBERS#*"$NEWLINE$1 "}
  if [ "$found" != "$NUMBERS" ]; then
    is_of_kind "$1" "$value" ${found%%"$NEWLINE"*}
  else
    case $DIRECT in *" $1 "*) ;; *) indirect="$indirect$1 $value$NEWLINE" ;; esac
  fi
}
validate_indirect() {
  # shellcheck disable=SC2046  # each name is an argument
  defaults=$NEWLINE$(run 60 postconf -dx $(for_each "$indirect" base_of) 2>/dev/null)$NEWLINE
  IFS=$NEWLINE
  for line in $indirect; do
    name=${line%% *} value=${line#* }
    default=${defaults#*"$NEWLINE${name##*/} = "}
    [ "$default" != "$defaults" ] || continue
    default=${default%%"$NEWLINE"*}
    case ${name##*/}:$default in compatibility_level:*) continue ;; esac
    case $default in
      yes | no) kind=boolean ;;
      *[!0-9]*)
        # shellcheck disable=SC2209  # `time` is a word
        case ${default%[smhdw]} in *[!0-9]* | '') continue ;; *) kind=time ;; esac
        ;;
      '') continue ;;
      *) kind=number ;;
    esac
    IFS=$BLANKS
    is_of_kind "$name" "$value" $kind -2147483648 2147483647
    IFS=$NEWLINE
  done
  IFS=$BLANKS
}
base_of() { echo "${1##*/}"; }

# is_of_kind NAME VALUE KIND LEAST MOST
is_of_kind() {
  number=$2
  case $3 in
    boolean) case $2 in [Yy][Ee][Ss] | [Nn][Oo]) return 0 ;; *) number=x ;; esac ;;
    time) number=${2%[smhdw]} ;;
  esac
  case ${number#-} in
    '' | *[!0-9]*) bad_value "$1" "$2" "no $3 that Postfix can read" ;;
    # 32 bits; a few numbers have 64, and no site needs those.
    ???????????*) [ "$5" = - ] || bad_value "$1" "$2" 'larger than Postfix can read' ;;
  esac
  [ "$3" = number ] || [ "${number#-}" = "$number" ] || bad_value "$1" "$2" 'negative'
  [ "$3" = number ] || return 0
  if [ "$number" -lt "$4" ] || { [ "$5" != - ] && [ "$number" -gt "$5" ]; }; then
    bad_value "$1" "$2" "out of range ($4 to $5)"
  fi
}
bad_value() { fail_unchanged "\`$1\` is $3" "$1 = $2" "$MEND: the program that reads it would die"; }

# ask_new WORD: a table that nothing named before opens, and answers if it is one that can be asked.
ask_new() {
  case $1 in proxy:*) judge_proxied "$1" ;; esac
  word=${1#proxy:}
  table=${word#*:}
  case "$NEWLINE$TABLES$NEWLINE" in *"$NEWLINE${word%%:*} $table$NEWLINE"*) return 0 ;; esac
  has_type "${word%%:*}"
  case $word in
    # Made of others, or asked over a network that need not answer yet.
    unionmap:* | pipemap:* | randmap:* | tcp:* | socketmap:* | memcache:* | nis:* | internal:*) return 0 ;;
    *:/*) ask_staged "${word%%:*}" "$table" ;;
    *)
      ask "${word%%:*}" "$table"
      judge_staged "$word"
      ;;
  esac
}

# judge_proxied TABLE: proxymap(8) opens only what these two parameters list, and who asks it for more ends.
judge_proxied() {
  [ -n "$approved" ] || approved=" $(postconf -c "$DRAFT/check" -xh proxy_read_maps proxy_write_maps 2>/dev/null | tr ',\n' '  ' | plain) "
  case $approved in *" $1 "*) return 0 ;; esac
  # shellcheck disable=SC2016  # the backticks are part of the message
  fail_unchanged "proxymap(8) would refuse the table $1: \`proxy_read_maps\` does not list it" "proxy_read_maps =$(postconf -c "$CF" -h proxy_read_maps 2>/dev/null | sed 's/^/ /')" 'append the table, or the parameter that names it, to `proxy_read_maps`; or remove `proxy_read_maps` from main.cf, since its default lists the usual parameters'
}

# What names a table of proxymap(8) may be the default of a parameter (local_recipient_maps).
judge_all_proxied() {
  tables=$(run 60 postconf -c "$DRAFT/check" -x 2>/dev/null | awk -v opening="$OPENING" -v not_opening="$NOT_OPENING" '$1 ~ opening && $1 !~ not_opening' | plain | grep -o 'proxy:[a-z][a-z0-9_]*:[^], }]*')
  for_each "$tables" judge_proxied
}

# Where a table is limited to domains, other keys are not even looked up.
key_for() {
  KEY=murder-probe@invalid.
  # Tables of lines know no such limit.
  case $2 in hash | btree | lmdb | cdb | dbm | sdbm | texthash | regexp | pcre | cidr) return 0 ;; esac
  domain=$(domains_of "$1")
  domain=${domain%%"$NEWLINE"*}
  case $domain in *[!A-Za-z0-9.-]* | '') ;; *) KEY=murder-probe@$domain ;; esac
}

# Postfix's programs open their tables as root, before they give that up; proxymap(8) is user postfix, and so
# is whoever asks a server.
who_asks() {
  WHO=root
  case $1 in ldap | mysql | pgsql) WHO=postfix ;; *)
      [ "$PROXIED" != - ] || PROXIED=$(grep -so 'proxy:[^], }]*' "$DRAFT/new")
      case "$PROXIED$NEWLINE" in *"proxy:$1:$2$NEWLINE"*) WHO=postfix ;; esac
      ;;
  esac
}

# ask TYPE FILE PATH: sets ERROR to what is wrong, and UNREACHED where only its server is.
ask() {
  ERROR='' UNREACHED=''
  key_for "$2" "$1"
  capture complain_of "$1:$2"
  IFS=$NEWLINE
  for line in $SAID; do
    case $line in
      *fatal:*) ERROR="$ERROR$line$NEWLINE" ;;
      *"$CF/main.cf"[,:]*) ;;
      *"Can't contact LDAP server"* | *'imed out'* | *'Server is busy'* | *'Server is unavailable'*) UNREACHED=1 ERROR="$ERROR$line$NEWLINE" ;;
      *) ERROR="$ERROR$line$NEWLINE" ;;
    esac
  done
  IFS=$BLANKS
}
complain_of() {
  if [ "$WHO" = root ] && [ -e "$DRAFT/check/main.cf" ]; then
    run 60 postmap -c "$DRAFT/check" -q "$KEY" "$1" >/dev/null
  elif [ "$WHO" = root ]; then run 60 postmap -c "$CF" -q "$KEY" "$1" >/dev/null; else as_postfix postmap -c "$CF" -q "$KEY" "$1" >/dev/null; fi
}

# staged_table TYPE PATH: sets NEW to the table as it is staged: where its index was built, else where its text
# is, else itself. A text whose index this apply may not build is read by its old one.
staged_table() {
  type=$1
  shift
  NEW=${1%/*}/.murder.$RUN.${1##*/}
  set +f
  for index in "$NEW".*; do
    [ ! -e "$index" ] || { set -f; return 0; }
  done
  set -f
  case $type in hash | btree | lmdb | cdb | dbm | sdbm)
    NEW=$1
    return 0
    ;;
  esac
  real_of "$1"
  NEW=${REAL%/*}/.murder.$RUN.${REAL##*/}
  [ -e "$NEW" ] || NEW=$1
}

ask_staged() {
  who_asks "$1" "$2"
  staged_table "$1" "$2"
  ask "$1" "$NEW"
  judge_staged "$1:$2"
}
judge_staged() {
  [ -n "$ERROR" ] || return 0
  # User postfix cannot read what is staged, and asks with the main.cf that is there: where no program can live
  # with that, the probes ask once the new one is.
  case $WHO:$ERROR in
    root:*) ;;
    *fatal:*)
      capture run 60 postmap -c "$CF" -q murder-probe static:ok
      case $SAID in *fatal:*)
        log "not verified beforehand: $1, since Postfix cannot run with the present main.cf"
        return 0
        ;;
      esac
      ;;
  esac
  ERROR=$(printf '%s' "$ERROR" | plain)
  if [ -n "$UNREACHED" ]; then
    [ -z "$UNVERIFIED" ] || { DOWN="$DOWN ${1#*:}"; log "not verified: the server of $1 does not answer"; return 0; }
    fail_unchanged "the LDAP server of $1 does not answer" "$ERROR" 'start it, or apply with --allow-unverified'
  fi
  fail_unchanged "the table $1 does not answer to user $WHO" "$ERROR" 'see the message of the host: its name, its file and the mode of that; filter, bind_dn, bind_pw, base'
}
