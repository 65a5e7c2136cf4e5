import { readFileSync } from 'node:fs';
import { EMPTY } from 'rxjs';
import type { ConfiguredBackend } from '../../../src/backends/contract.ts';
import type { Address } from '../../support/faultProxy.ts';
import type { SshServer } from './sshServer.ts';

export function existingHost(
  sshd: Pick<SshServer, 'hostKey' | 'identity' | 'login'>,
  address: Address,
): ConfiguredBackend {
  const capabilities = () => (sshd.login === 'root' ? (['root-on-testbed'] as const) : []);
  const nothing = async () => {};
  return {
    name: 'ssh',
    words: ['ssh'],
    capabilities,
    open: () => ({
      observations$: EMPTY,
      create: nothing,
      start: nothing,
      endpoint: async () => ({
        endpoint: {
          via: { kind: 'tcp', ...address },
          server: 'sshd',
          login: sshd.login,
          hostKeys: [sshd.hostKey],
          credentials: { privateKeys: [readFileSync(sshd.identity, 'utf8')] },
        },
        capabilities: capabilities(),
      }),
      stop: nothing,
      destroy: nothing,
    }),
  };
}
