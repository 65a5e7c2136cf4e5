# Answers questions about dpkg's own view of things: one JSON array a line in, one JSON value a line out.
use strict;
use warnings;
use JSON::PP;
use Dpkg::Arch qw(debarch_is debarch_is_concerned get_valid_arches);
use Dpkg::Control;
use Dpkg::Deps;
use Dpkg::Deps::KnownFacts;
use Dpkg::ErrorHandling;
use Dpkg::Version;

report_options(quiet_warnings => 1);
$| = 1;
my $json = JSON::PP->new->utf8->allow_nonref;
my $facts;

# A program of dpkg-dev in a child of this process, which has loaded its modules already.
sub program {
    my ($file, @words) = @_;
    my $pid = open(my $out, '-|') // die "cannot fork: $!";
    if ($pid == 0) {
        open(STDERR, '>&', \*STDOUT);
        open(STDIN, '<', '/dev/null');
        @ARGV = @words;
        $0 = $file;
        do $file;
        print "died: $@" if $@;
        exit($@ ? 255 : 0);
    }
    my $said = do { local $/; <$out> } // '';
    close($out);
    return { status => $? >> 8, said => $said };
}

my %answer = (
    compare => sub { version_compare($_[0], $_[1]) },
    version => sub { my ($ok) = version_check($_[0]); $ok ? JSON::PP::true : JSON::PP::false },
    architectures => sub { [ get_valid_arches() ] },
    meant => sub { my ($wildcard, @names) = @_; [ grep { debarch_is($_, $wildcard) } @names ] },
    concerned => sub { my ($host, @list) = @_; debarch_is_concerned($host, @list) ? JSON::PP::true : JSON::PP::false },
    # The text as dpkg writes it, or null where it cannot be read.
    parse => sub {
        # It warns of most, and dies of an architecture that cannot be one.
        my $deps = eval { deps_parse($_[0], build_dep => 1) };
        defined $deps ? $deps->output() : undef;
    },
    reduce => sub {
        my ($text, $host) = @_;
        my $deps = deps_parse($text, build_dep => 1, reduce_arch => 1, reduce_profiles => 1,
            build_profiles => [], host_arch => $host);
        defined $deps ? $deps->output() : undef;
    },
    # As dpkg-checkbuilddeps reads them from the status file.
    facts => sub {
        $facts = Dpkg::Deps::KnownFacts->new();
        for (@_) {
            my ($name, $version, $architecture, $multiarch, $provides) = @$_;
            $facts->add_installed_package($name, $version, $architecture, $multiarch);
            next if $provides eq '';
            my $names = deps_parse($provides, reduce_arch => 1, virtual => 1, union => 1);
            $facts->add_provided_package($_->{package}, $_->{relation}, $_->{version}, $name) for $names->get_deps();
        }
        JSON::PP::true;
    },
    satisfied => sub {
        my ($text, $host) = @_;
        my $deps = deps_parse($text, build_dep => 1, reduce_arch => 1, reduce_profiles => 1,
            build_profiles => [], host_arch => $host, build_arch => $host);
        $deps->simplify_deps($facts);
        $deps->output() eq '' ? JSON::PP::true : JSON::PP::false;
    },
    # Stanzas as objects, or null where dpkg refuses the file.
    control => sub {
        my ($text) = @_;
        utf8::encode($text) if utf8::is_utf8($text);
        open(my $in, '<', \$text) or die $!;
        my @stanzas;
        my $fine = eval {
            while (1) {
                my $stanza = Dpkg::Control->new(type => CTRL_TESTS);
                last unless $stanza->parse($in, 'a file');
                push @stanzas, { map { $_ => $stanza->{$_} } keys %$stanza };
            }
            1;
        };
        $fine ? \@stanzas : undef;
    },
    program => \&program,
);

while (my $line = <STDIN>) {
    my ($question, @words) = @{ $json->decode($line) };
    my $said = eval { $answer{$question}->(@words) };
    print $json->encode($@ ? { died => "$@" } : $said), "\n";
}
