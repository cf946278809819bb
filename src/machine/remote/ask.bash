exec 8<>"/dev/tcp/$0/25" || exit 1
say() {
  [ -z "$1" ] || printf '%s\r\n' "$1" >&8
  while IFS= read -r -t 20 reply <&8 || { ended=$?; false; }; do
    reply=${reply%?}
    case $reply in [0-9][0-9][0-9]-*) ;; *) return 0 ;; esac
  done
  # Above 128 it is the time that ran out.
  # shellcheck disable=SC2086  # a number
  if [ $ended -gt 128 ]; then reply='no answer'; else reply='hung up'; fi
  return 1
}
say '' && say 'EHLO localhost' && say 'MAIL FROM:<>'
for address; do
  case $reply in 'no answer' | 'hung up' | 421*) ;; *) say "RCPT TO:<$address>" ;; esac
  echo "$address $reply"
done
case $reply in 'no answer' | 'hung up') ;; *) say QUIT ;; esac
