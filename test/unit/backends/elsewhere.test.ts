import { expect, test } from 'vitest';
import { calledElsewhere } from '../../../src/backends/shared/elsewhere.ts';

test('a client is called by others with those of our variables by which it finds what it speaks to', () => {
  const env = { DOCKER_HOST: 'ssh://far', DOCKER_CONTEXT: 'b c', INCUS_DIR: '/incus', PATH: '/bin' };
  expect(calledElsewhere('docker', ['docker', 'rm', 'x'], env)).toEqual([
    'env',
    'DOCKER_HOST=ssh://far',
    'DOCKER_CONTEXT=b c',
    'docker',
    'rm',
    'x',
  ]);
  expect(calledElsewhere('incus', ['incus'], env)).toEqual(['env', 'INCUS_DIR=/incus', 'incus']);
  expect(calledElsewhere('podman', ['podman'], env)).toEqual(['podman']);
});
