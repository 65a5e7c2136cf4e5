import { describe, expect, test } from 'vitest';
import {
  clientOf,
  currentProject,
  enterInstance,
  initArgv,
  queryArgv,
  removeArgv,
} from '../../../src/backends/lxd/commands.ts';
import { lxdOptions } from '../../../src/backends/lxd/options.ts';

describe('a project that the words for init name', () => {
  test.each([
    ['in one word', ['--project=ci', '--profile=x']],
    ['in two', ['--profile=x', '--project', 'ci']],
  ])('is that of all that is done to the instance: %s', (_, args) => {
    const options = lxdOptions.parse({ image: 'image', args });
    const client = clientOf('incus', options);
    for (const argv of [initArgv(client, 'mine', options), enterInstance(client, 'mine').argv])
      expect(argv.slice(0, 2)).toEqual(['incus', '--project=ci']);
    expect(removeArgv(client, 'mine').slice(4)).toEqual(['incus', '--project=ci', 'delete', '--force', 'mine']);
  });

  test('is in the path of what the client only hands on', () => {
    const client = clientOf('lxd', lxdOptions.parse({ image: 'image', args: ['--project=ci'], remote: 'far' }));
    expect(queryArgv(client, '/1.0/instances/mine/state', 'ci')).toEqual([
      'lxc',
      'query',
      'far:/1.0/instances/mine/state?project=ci',
    ]);
    expect(queryArgv(client, '/files?path=/x', 'ci').at(-1)).toBe('far:/files?path=/x&project=ci');
    expect(queryArgv(client, '/files?path=/x', null).at(-1)).toBe('far:/files?path=/x');
  });
});

test.each([
  ['default (current),YES,YES,Default project,1\nci,NO,NO,,1\n', 'default'],
  ['default,YES,YES,"Default\nproject",1\nci (current),NO,NO,,1\n', 'ci'],
  ['', null],
])('the project of the client itself is the one that it marks', (list, project) => {
  expect(currentProject(list)).toBe(project);
});
