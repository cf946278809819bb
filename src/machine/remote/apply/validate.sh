# ---- validation --------------------------------------------------------------------------------

# What postconf says of a configuration, without the names and line numbers that staging changes.
complaints() { run 60 postconf -c "$1" -n 2>&1 >/dev/null | sed -e "s#$STAGE/check#/etc/postfix#g" -e "s#\\.murder\\.$RUN\\.##g" -e 's/, line [0-9]*//'; }

validate() {
  types=" $(run 60 postconf -m | tr '\n' ' ') "
  for type in $TYPES; do
    case $types in *" $type "*) ;; *)
      fail "Postfix has no table type \`$type\` here; nothing was changed" "postconf -m:$types" "install the package \`postfix-$type\` there, or use another type"
      ;;
    esac
  done
  sed -e 's/proxy://g' -e "$SED" "$STAGE/main.cf" >"$STAGE/check/main.cf"
  cp "$STAGE/master.cf" "$STAGE/check/master.cf"
  cool "$STAGE/main.cf" "$STAGE/check/main.cf"
  old="$NEWLINE$(complaints /etc/postfix)$NEWLINE" new=
  IFS=$NEWLINE
  for line in $(complaints "$STAGE/check"); do
    case $old in *"$NEWLINE$line$NEWLINE"*) ;; *) new="$new$line$NEWLINE" ;; esac
  done
  IFS=$BLANKS
  [ -z "$new" ] || fail 'postconf warns of the new configuration; nothing was changed' "$new" 'mend the manifest; warnings that were there before do not count'
  # Any program of Postfix reads what all of them need: addresses of inet_interfaces, host and domain name.
  hear run 60 postmap -c "$STAGE/check" -q murder-probe static:ok
  case $SAID in *fatal:*) fail 'Postfix cannot run with the new configuration; nothing was changed' "$SAID" 'mend the manifest' ;; esac
  for_each "$NUMBERS" check_number
  for_each "$TABLES" ask_staged
  log 'validated'
}

# check_number NAME KIND: `postfix check` and reload are content with any text, and then the program
# that reads it dies. Only the host knows what a value with a $ expands to.
check_number() {
  value=$(run 60 postconf -c "$STAGE/check" -hx "$1" 2>/dev/null)
  number=$value
  case $2 in
    boolean) case $value in [Yy][Ee][Ss] | [Nn][Oo]) return 0 ;; *) number=x ;; esac ;;
    time) number=${value%[smhdw]} ;;
  esac
  case ${number#-} in
    '' | *[!0-9]*) fail "\`$1\` is no $2 that Postfix can read; nothing was changed" "$1 = $value" 'mend the manifest: the program that reads it would die' ;;
  esac
}

# Where a table is limited to domains, other keys are not even looked up.
key_for() {
  KEY=murder-probe@invalid.
  domain=$(sed -n 's/^domain[[:space:]]*=[[:space:]]*\([^,:[:space:]]*\)[,[:space:]]*.*/\1/p' "$1" 2>/dev/null)
  domain=${domain%%"$NEWLINE"*}
  case $domain in *[!A-Za-z0-9.-]* | '') ;; *) KEY=murder-probe@$domain ;; esac
}

# ask TYPE FILE PATH: sets ERROR to what is wrong, and UNREACHED where only its server is.
ask() {
  ERROR='' UNREACHED=''
  key_for "$2"
  hear complain_of "$1:$2"
  IFS=$NEWLINE
  for line in $SAID; do
    case $line in
      *main.cf*) ;;
      *"Can't contact LDAP server"* | *'Connect error'* | *'imed out'* | *'Server is busy'* | *'Server is unavailable'*) UNREACHED=1 ERROR="$ERROR$line$NEWLINE" ;;
      *) ERROR="$ERROR$line$NEWLINE" ;;
    esac
  done
  IFS=$BLANKS
}
complain_of() { as_postfix postmap -q "$KEY" "$1" >/dev/null; }

# Sets NEW to the table as it is staged: where its index was built, else where its text is, else itself.
staged_table() {
  NEW=${1%/*}/.murder.$RUN.${1##*/}
  set +f
  for index in "$NEW".*; do
    [ ! -e "$index" ] || { set -f; return 0; }
  done
  set -f
  real_of "$1"
  NEW=${REAL%/*}/.murder.$RUN.${REAL##*/}
  [ -e "$NEW" ] || NEW=$1
}

ask_staged() {
  staged_table "$2"
  ask "$1" "$NEW"
  [ -n "$ERROR" ] || return 0
  if [ -n "$UNREACHED" ]; then
    [ -z "$UNVERIFIED" ] || { DOWN="$DOWN $2"; log "not verified: the server of $1:$2 does not answer"; return 0; }
    fail "the LDAP server of $1:$2 does not answer; nothing was changed" "$ERROR" 'start it, or apply with --allow-unverified'
  fi
  fail "the table $1:$2 does not answer to user postfix; nothing was changed" "$ERROR" 'see the message of the host: filter, bind_dn, bind_pw, base, file mode'
}
