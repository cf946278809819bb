use strict; use warnings; use Socket; use IO::Select; use Fcntl;
alarm 5;
my $open = IO::Select->new;
my %greeted;
for my $place (@ARGV) {
  my $socket;
  if ($place =~ m{^/}) {
    socket($socket, AF_UNIX, SOCK_STREAM, 0) or next;
    fcntl($socket, F_SETFL, O_NONBLOCK);
    connect($socket, sockaddr_un($place)) or next;
    # These wait for a request (trigger_server.c), and hold up all work until it comes.
    if ($place =~ m{/public/(qmgr|pickup)$}) { syswrite($socket, "W"); next }
  } else {
    my ($host, $port) = $place =~ /^(.*):(\d+)$/ or next;
    my ($error, $found) = Socket::getaddrinfo($host, $port, { socktype => SOCK_STREAM, flags => Socket::AI_NUMERICHOST() });
    next if $error;
    socket($socket, $found->{family}, SOCK_STREAM, 0) or next;
    fcntl($socket, F_SETFL, O_NONBLOCK);
    connect($socket, $found->{addr});
  }
  $open->add($socket);
}
while ($open->count) {
  for my $socket ($open->can_read(4)) {
    my $read = sysread($socket, my $words, 1000);
    if ($read && $words =~ /^\d\d\d[ -]/ && !$greeted{$socket}++) { syswrite($socket, "QUIT\r\n"); next }
    $open->remove($socket);
    close $socket;
  }
}
