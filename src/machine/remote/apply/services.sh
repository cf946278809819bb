# ---- the services of a host --------------------------------------------------------------------
# Reads, set by the client: CF FOLDERS SERVICES
# Sets: MAIL_CONFIG SERVICE, and every name of OF_SERVICE
#
# Orders may be for several instances of Postfix. Everything that is of one instance has a plain name, which stands for
# the instance at hand: `enter` stores the values of one under NAME_NUMBER, and takes those of another. The client gives
# the orders of the first service in plain names, and those of others as NAME_NUMBER.
OF_SERVICE='CF INDEXES TABLES TYPES EDITS CHECK ACTIVATION ACCEPT REFUSE NUMBERS DIRECT
DRAFT QUEUE OTHERS MAILLOG HOST HOLD RUNNING BEFORE ANSWERS STRANGER SERVICES_CHANGE PROXIED ODD OPTIONS OLD_WORDS ACTIVATED
OLD_PIDS CALM MASTER ADDRESS LISTENER WATCHED BORN_BEFORE DEAD DEAD_BEFORE DEAD_PROGRAMS_BEFORE DEAD_SINCE LOG_END LOG_TIME FIRST_END FIRST_TIME MAIL_LOG MEND HERE staged_cfs'
SERVICE=1

# enter NUMBER: makes that service the one at hand.
enter() {
  if [ "$1" != "$SERVICE" ]; then
    for name in $OF_SERVICE; do eval "${name}_$SERVICE=\$$name $name=\${${name}_$1-}"; done
    SERVICE=$1
  fi
  # What has no `-c` reads this. The default instance needs none, and the login's own does not count.
  unset MAIL_CONFIG
  case $CF in /etc/postfix) ;; *) export MAIL_CONFIG="$CF" ;; esac
}

# of_each COMMAND...: does it for each service in turn.
of_each() {
  for service in $SERVICES; do
    enter "$service"
    "$@"
  done
}
