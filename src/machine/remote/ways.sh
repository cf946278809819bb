# murder_walk PATH: follows a path component by component, as the kernel does (path_resolution(7)), to what a write would
# reach: in `reached`. Adds each directory that it searches to `walked`, and each link that it meets to `met`, as a line
# `LINK TARGET`. A target with blanks or signs is `?`, and is not followed.
murder_walk() {
  reached='' rest=${1#/} hops=0
  while [ -n "$rest" ]; do
    part=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $part in
      '' | .) continue ;;
      ..) reached=${reached%/*}; continue ;;
    esac
    case "$walked " in *" ${reached:-/} "*) ;; *) walked="$walked ${reached:-/}" ;; esac
    if [ -h "$reached/$part" ]; then
      target=$(readlink "$reached/$part") hops=$((hops + 1))
      [ $hops -le 40 ] || target=
      case $target in '' | *[!A-Za-z0-9/._+@:%=-]*) target='?' ;; esac
      case "$NEWLINE$met" in *"$NEWLINE$reached/$part "*) ;; *) met="$met$reached/$part $target$NEWLINE" ;; esac
      case $target in '?') return ;; /*) reached= ;; esac
      rest=${target#/}${rest:+/$rest}
    else
      reached=$reached/$part
    fi
  done
}
