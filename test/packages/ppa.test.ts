import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePackage } from '../runner/support/packages.ts';
import { runHere } from '../runner/support/runHere.ts';
import { unpackedImage } from '../support/chroots.ts';
import { IMAGE_PATIENCE, IMAGE_USER, packagesImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { type SigningKey, signingKey } from '../support/signingKey.ts';
import type { WebServer } from '../support/webServer.ts';
import { makeArchive } from './support/archive.ts';
import { ppaServer } from './support/ppaServer.ts';

const TOKEN = 'nobody-may-see-this';

let place: string;
let image: string;
let key: SigningKey;
let stranger: SigningKey;
let server: WebServer;

beforeAll(async () => {
  place = mkdtempSync(path.join(tmpdir(), 'trundle-ppa-'));
  image = unpackedImage(packagesImage());
  const [, series = ''] =
    /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync(path.join(image, 'etc/os-release'), 'utf8')) ?? [];
  key = signingKey();
  stranger = signingKey();
  const ppas = { 'public/tools': key, 'private/tools': key, 'public/forged': stranger };
  for (const [name, signer] of Object.entries(ppas)) {
    const archive = path.join(place, 'archives', name, 'ubuntu');
    makeArchive(archive, { [series]: { ground: { version: '7' } } }, '');
    const dist = path.join(archive, 'dists', series);
    writeFileSync(path.join(dist, 'InRelease'), signer.clearsign(readFileSync(path.join(dist, 'Release'), 'utf8')));
  }
  writeFileSync(path.join(place, 'sources.list'), '');
  server = await ppaServer({ archives: path.join(place, 'archives'), key, credentials: `me:${TOKEN}` });
}, IMAGE_PATIENCE);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  key?.[Symbol.dispose]();
  stranger?.[Symbol.dispose]();
  if (place !== undefined) rmSync(place, { recursive: true, force: true });
});

/** Tests a package that needs one of the PPA, and says which version it got. */
async function tested(name: string, ppa: string) {
  const own = path.join(place, name);
  // Of a try before.
  rmSync(own, { recursive: true, force: true });
  const source = makePackage(own, 'pkg', {
    control: 'Tests: a\nDepends: ground\n',
    tests: { a: 'cat /usr/share/ground/version; ls -l /etc/apt/auth.conf.d\n' },
    built: true,
  });
  const outputDir = path.join(own, 'out');
  const { report, stdout, stderr } = await runHere(
    {
      source: `${source}/`,
      outputDir,
      trace: path.join(outputDir, 'trace'),
      user: IMAGE_USER,
      addAptSources: [ppa],
      commandLine: ['trundle', 'run', `--add-apt-source=${ppa}`],
      launchpad: { api: server.url, keyServer: server.url, archive: server.url, privateArchive: server.url },
      // What the image has of its own is not asked for: that is on the network.
      copy: [`${path.join(place, 'sources.list')}:/etc/apt/sources.list`],
    },
    ['unshare', '--tarball', image],
  );
  const files = readdirSync(outputDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const all = files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  return {
    report,
    log: readFileSync(path.join(outputDir, 'log'), 'utf8'),
    read: (file: string) => readFileSync(path.join(outputDir, file), 'utf8'),
    seen: [...all, stdout(), stderr()].join('\n'),
  };
}

describeWith(['gpg', 'root', 'mounts', 'mmdebstrap', 'archive'], 'packages of a PPA', () => {
  it('are installed, trusted by the key that Launchpad names', { timeout: IMAGE_PATIENCE }, async () => {
    const { report, log, read } = await tested('public', 'ppa:public/tools');
    expect(report.exitCode, log).toBe(0);
    expect(read('a-stdout')).toMatch(/^7\n/);
    expect(log).toMatch(new RegExp(`adding ppa:public/tools for \\S+, signed by ${key.fingerprint}`));
  });

  it('are installed from a private one, and nobody reads the token', { timeout: IMAGE_PATIENCE }, async () => {
    const ppa = `ppa:me:${TOKEN}@private/tools:${key.fingerprint}`;
    const { report, log, read, seen } = await tested('private', ppa);
    expect(report.exitCode, log).toBe(0);
    expect(read('a-stdout')).toMatch(/^7\n(.*\n)*-rw------- .* autopkgtest-ppa-private-ubuntu-tools\.conf\n/);
    expect(seen).toContain('private/tools');
    expect(seen).not.toContain(TOKEN);
  });

  it('are not installed where another key signed them', { timeout: IMAGE_PATIENCE }, async () => {
    const { report, log } = await tested('forged', 'ppa:public/forged');
    expect(report.exitCode).toBe(16);
    expect(report.cause).toMatchObject({ class: 'provision-failed', phase: 'provision' });
    expect(log).toContain('NO_PUBKEY');
    expect(log).toContain('is not signed');
  });

  it('of a PPA that is none cost no testbed', async () => {
    await expect(tested('none', 'ppa:public/nothing')).rejects.toThrow('there is no public PPA ~public/ubuntu/nothing');
    expect(readdirSync(path.join(place, 'none'))).toEqual(['pkg']);
  });
});
