import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { ConfiguredBackend } from '../../src/backends/contract.ts';
import { configureBackend } from '../../src/backends/index.ts';
import { generateKeyPair } from '../../src/driver/index.ts';
import type { ReachableEndpoint } from '../../src/events/index.ts';
import { beginHost, openHost } from '../driver/support/openHost.ts';
import { describeWith } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { forThisTest } from '../support/workplace.ts';

test('the stand-in takes only the key that was made for it', async () => {
  const stranger = generateKeyPair();
  const { log, opening, run } = beginHost(
    await nullWith((endpoint) => ({ ...endpoint, credentials: { privateKeys: [stranger.privateKey] } })),
  );
  await expect(opening).rejects.toMatchObject({ cause: { class: 'auth-refused', phase: 'ssh-ready' } });
  expect(await log.first('auth.refused')).toMatchObject({ tried: ['publickey'] });
  await run.close();
});

test('the stand-in takes no password', async () => {
  const { log, opening, run } = beginHost(
    await nullWith((endpoint) => ({ ...endpoint, credentials: { password: 'root' } })),
  );
  await expect(opening).rejects.toMatchObject({ cause: { class: 'auth-refused' } });
  expect(await log.first('auth.refused')).toMatchObject({ tried: ['password'] });
  await run.close();
});

test('the stand-in shows a host key of its own, and another is refused', async () => {
  const { fingerprint } = generateKeyPair();
  const { log, opening, run } = beginHost(await nullWith((endpoint) => ({ ...endpoint, hostKeys: [fingerprint] })));
  await expect(opening).rejects.toMatchObject({ cause: { class: 'host-key-mismatch' } });
  const { seen } = await log.first('hostkey.mismatched');
  await run.close();
  const other = forThisTest(await openHost(await configureBackend(['null'])));
  const verified = await other.log.first('hostkey.verified');
  // Each has one of its own.
  expect(verified.fingerprint).not.toBe(seen);
  expect(other.testbed.endpoint.hostKeys).toEqual([verified.fingerprint]);
});

describeWith(['root', 'useradd'], 'another user of the stand-in', () => {
  test('has his own rights, groups, home and environment', async () => {
    const user = forThisTest(makeOrdinaryUser());
    const host = forThisTest(await openHost(await configureBackend(['null', '--normal-user', user.login])));
    const script = 'id -un; id -gn; pwd; echo "$HOME $USER $LOGNAME $SHELL"; touch ~root/x 2>&1 | grep -c denied';
    const { stdout } = await host.testbed.exec(script, { login: user.login });
    const { login, home } = user;
    expect(stdout).toBe(`${login}\n${login}\n${home}\n${home} ${login} ${login} /bin/sh\n1\n`);
    const groups = await host.testbed.exec(['id', '-G'], { login });
    expect(groups.stdout).not.toMatch(/(^| )0( |$)/m);
  });

  test('works beside root, and has a terminal too', async () => {
    const user = forThisTest(makeOrdinaryUser());
    const host = forThisTest(await openHost(await configureBackend(['null', '--normal-user', user.login])));
    const whoami = (login: string) => host.testbed.exec(['id', '-un'], { login });
    const [root, other] = await Promise.all([whoami('root'), whoami(user.login)]);
    expect([root.stdout, other.stdout]).toEqual(['root\n', `${user.login}\n`]);
    const stdout = new PassThrough();
    let said = '';
    stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const size = { columns: 80, rows: 24 };
    await host.testbed.shell({ stdin: new PassThrough(), stdout, size, login: user.login, line: 'id -un; stty size' });
    expect(said).toBe(`${user.login}\r\n24 80\r\n`);
  });

  test('that does not exist is refused, and the testbed goes on', async () => {
    const host = forThisTest(await openHost(await configureBackend(['null'])));
    await expect(host.testbed.exec(['true'], { login: 'trundle-nobody' })).rejects.toMatchObject({
      cause: { class: 'auth-refused' },
    });
    expect(await host.testbed.exec(['true'])).toMatchObject({ status: 0 });
  });
});

/** The null backend, with another idea of its endpoint. */
async function nullWith(change: (endpoint: ReachableEndpoint) => ReachableEndpoint): Promise<ConfiguredBackend> {
  const backend = await configureBackend(['null']);
  return {
    ...backend,
    open: (host) => {
      const verbs = backend.open(host);
      const locate = verbs.endpoint.bind(verbs);
      verbs.endpoint = async (signal) => {
        const location = await locate(signal);
        return { ...location, endpoint: change(location.endpoint) };
      };
      return verbs;
    },
  };
}
