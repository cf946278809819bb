# ---- telling Postfix ---------------------------------------------------------------------------
# Reads, set by the client: ACTIVATION
# Reads, set by other files: CF CHILDREN MEND RUNNING SAID
# Sets: ACTIVATED BORN_BEFORE
# Calls: children.sh: note_old_pids; journal.sh: phase; report.sh: fail; words.sh: capture log run

# postfix COMMAND, of this instance alone: without `-c` it is of all that postmulti(1) knows (postfix(1)).
instance() { run 120 postfix -c "$CF" "$1"; }

check() {
  # shellcheck disable=SC2016  # the backticks are part of the message
  capture instance check || fail '`postfix check` refuses the new configuration' "$SAID" "$MEND"
  log 'checked'
}

restart() {
  if [ -d /run/systemd/system ]; then
    for unit in $(units); do
      ! run 20 systemctl -q is-active "$unit" || { run 120 systemctl restart "$unit"; return; }
    done
  fi
  instance stop
  instance start
}

# The units that may run this instance. Up to Debian 12, postfix.service stands for all instances, and each has one of
# its own; `-` is the default one there.
units() {
  case $CF in
    /etc/postfix) echo postfix@-.service postfix.service ;;
    *) echo "postfix@${CF##*/}.service" ;;
  esac
}

# By the way that the parameters need which changed, or changed back.
activate_postfix() {
  if [ "$ACTIVATION" = restart ]; then capture restart; else capture instance reload; fi
}

activate() {
  if [ -z "$RUNNING" ]; then
    log 'Postfix does not run here, and was not started'
    return 0
  fi
  ACTIVATED=1
  note_old_pids
  BORN_BEFORE=$CHILDREN
  activate_postfix || fail "postfix $ACTIVATION failed" "$SAID" 'see the message of the host'
  note_old_pids
  phase told
  log "told: $ACTIVATION"
}
