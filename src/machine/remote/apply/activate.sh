# ---- telling Postfix ---------------------------------------------------------------------------
# Reads, set by the client: ACTIVATION
# Reads, set by other files: MEND RUNNING SAID
# Sets: ACTIVATED
# Calls: journal.sh: phase; probe.sh: note_old_pids; report.sh: fail; words.sh: capture log run

# postfix COMMAND, of this instance alone: without `-c` it is of all that postmulti(1) knows (postfix(1)).
instance() { run 120 postfix -c /etc/postfix "$1"; }

check() {
  # shellcheck disable=SC2016  # the backticks are part of the message
  capture instance check || fail '`postfix check` refuses the new configuration' "$SAID" "$MEND"
  log 'checked'
}

restart() {
  if [ -d /run/systemd/system ] && run 20 systemctl -q is-active postfix.service; then
    run 120 systemctl restart postfix.service
  else
    instance stop
    instance start
  fi
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
  activate_postfix || fail "postfix $ACTIVATION failed" "$SAID" 'see the message of the host'
  note_old_pids
  phase told
  log "told: $ACTIVATION"
}
