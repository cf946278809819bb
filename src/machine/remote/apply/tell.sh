# ---- telling Postfix ---------------------------------------------------------------------------

# postfix COMMAND, of this instance alone: without `-c` it is of all that postmulti(1) knows (postfix(1)).
instance() { run 120 postfix -c /etc/postfix "$1"; }

check() {
  hear instance check || fail '`postfix check` refuses the new configuration' "$SAID" "$MEND"
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
tell_postfix() {
  if [ "$TELL" = restart ]; then hear restart; else hear instance reload; fi
}

tell() {
  if [ -z "$RUNNING" ]; then
    log 'Postfix does not run here, and was not started'
    return 0
  fi
  TOLD=1
  note_elders
  tell_postfix || fail "postfix $TELL failed" "$SAID" 'see the message of the host'
  note_elders
  phase told
  log "told: $TELL"
}
