import { describe, expect, test } from 'vitest';
import { explain, madeNothing } from '../../../src/backends/containers/explain.ts';

const attempt = {
  engine: { name: 'docker', argv: ['docker'] },
  container: 'trundle-x-tb1',
  image: 'image',
  doing: 'creating the container',
  code: 'create-failed',
} as const;

function failure(stderr: string, status = 125) {
  return explain({ status, killedBy: null, stderr }, attempt);
}

describe('what podman and docker say of an option that they do not have', () => {
  test.each([
    ['podman 4', "Error: unknown flag: --bogus\nSee 'podman create --help'\n"],
    ['docker 20.10', "unknown flag: --bogus\nSee 'docker create --help'.\n"],
    [
      'docker 28',
      "unknown flag: --bogus\n\nUsage:  docker create [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker create --help' for more information\n",
    ],
  ])('is told, not where help is: %s', (_, stderr) => {
    expect(failure(stderr).message).toMatch(/unknown flag: --bogus$/);
  });
});

describe('a daemon that cannot even be asked for a container has made none', () => {
  test.each([
    [
      'no-context',
      'Failed to initialize: unable to resolve docker endpoint: context "dead": context not found: open /root/.docker/contexts/meta/9e/meta.json: no such file or directory',
    ],
    ['no-context', 'context "dead": context not found'],
    [
      'wrong-version',
      'Error response from daemon: client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version',
    ],
    [
      'wrong-version',
      'Error response from daemon: client version 1.48 is too new. Maximum supported API version is 1.41',
    ],
  ])('%s', (code, stderr) => {
    const error = failure(`${stderr}\n`, 1);
    expect(error).toMatchObject({ code, remedy: expect.stringContaining('DOCKER_') });
    expect(madeNothing(error)).toBe(true);
  });
});
