import { beforeAll, expect, test } from 'vitest';
import { debianImage, IMAGE_PATIENCE } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { open } from './support/open.ts';

/** A name server that answers nobody, and prints the name that it is asked for. */
const NAME_SERVER = String.raw`
use IO::Socket::INET;
my $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 53, Proto => "udp") or die $!;
$| = 1;
print "ready\n";
while (defined $socket->recv(my $query, 512)) {
  print unpack("x12 C/a", $query), "\n";
}
`;

describeWith(['root', 'unshare', 'ip', 'tar', 'mmdebstrap'], "a session of an image's sshd", () => {
  beforeAll(() => {
    debianImage();
  }, IMAGE_PATIENCE);

  test('asks no name server who its client is', async () => {
    const words = ['unshare', '--tarball', debianImage(), '--session=login', '--private-network'];
    const { testbed } = await open(words);
    await testbed.exec('printf "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n" >/etc/resolv.conf');
    const server = testbed.start(['perl', '-e', NAME_SERVER]);
    const lines = server.stdout.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
    server.stderr.resume();
    expect(await lines.next()).toMatchObject({ value: 'ready\n' });
    // What a session itself asks for is asked as always.
    expect(await testbed.exec(['getent', 'hosts', 'asked-by-a-test'])).toMatchObject({ status: 2 });
    expect(await lines.next()).toMatchObject({ value: expect.stringMatching(/^asked-by-a-test\n/) });
  });
});
