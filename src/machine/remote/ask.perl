use IO::Socket::IP;
my $s = IO::Socket::IP->new(PeerHost => shift, PeerPort => 25, Timeout => 20) or exit 1;
$SIG{ALRM} = sub { exit 2 };
my $reply = "";
sub say_ {
  print $s "$_[0]\r\n" if length $_[0];
  alarm 20;
  while (defined($reply = <$s>)) { $reply =~ s/\s+$//; return 1 unless $reply =~ /^\d\d\d-/ }
  $reply = "hung up";
  return 0;
}
say_("") && say_("EHLO localhost") && say_("MAIL FROM:<>");
for (@ARGV) {
  say_("RCPT TO:<$_>") unless $reply =~ /^(hung up|421)/;
  print "$_ $reply\n";
}
say_("QUIT");
