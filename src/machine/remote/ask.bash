exec 8<>/dev/tcp/127.0.0.1/25 || exit 1
say() {
  [ -z "$1" ] || printf '%s\r\n' "$1" >&8
  while IFS= read -r -t 20 reply <&8; do
    reply=${reply%?}
    case $reply in [0-9][0-9][0-9]-*) ;; *) return 0 ;; esac
  done
  reply='no answer'
  return 1
}
say '' && say 'EHLO localhost' && say 'MAIL FROM:<>'
for address; do
  case $reply in 'no answer' | 421*) ;; *) say "RCPT TO:<$address>" ;; esac
  echo "$address $reply"
done
say QUIT
