room=$0 host=$1
shift
trap '' PIPE
mkfifo "$room/to" "$room/from" || exit 1
nc "$host" 25 <"$room/to" >"$room/from" 2>/dev/null &
exec 7>"$room/to" 8<"$room/from"
say() {
  [ -z "$1" ] || printf '%s\r\n' "$1" >&7
  while IFS= read -r reply <&8; do
    reply=${reply%?}
    case $reply in [0-9][0-9][0-9]-*) ;; *) return 0 ;; esac
  done
  reply='hung up'
  return 1
}
say '' && say 'EHLO localhost' && say 'MAIL FROM:<>' || [ "$reply" != 'hung up' ] || exit 1
for address; do
  case $reply in 'hung up' | 421*) ;; *) say "RCPT TO:<$address>" ;; esac
  echo "$address $reply"
done
case $reply in 'hung up') ;; *) say QUIT ;; esac
