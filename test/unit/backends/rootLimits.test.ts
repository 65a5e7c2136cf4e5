import { describe, expect, test } from 'vitest';
import { confValue } from '../../../src/backends/containers/podmanConf.ts';
import { judgeLimits, type LimitFacts } from '../../../src/backends/containers/rootLimits.ts';

const WITHOUT = 'Name:\tnode\nCapEff:\t000001fffeffffff\nCapBnd:\t000001ffffffffff\n';
const WITH = 'Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n';

const limits = (
  processes: string,
  files: string,
) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             1024                 ${processes.padEnd(20)} processes
Max open files            1024                 ${files.padEnd(20)} files
`;

const FACTS: LimitFacts = {
  version: 'podman version 4.3.1',
  status: WITHOUT,
  limits: limits('96364', '20000'),
  conf: [],
};

describe("the limits that root's podman asks for", () => {
  test('cannot be had where hard ones are lower, and root may not raise them', () => {
    const why = judgeLimits(FACTS);
    expect(why?.missing).toMatch(/CAP_SYS_RESOURCE.*nofile 20000, nproc 96364/);
    expect(why?.remedy).toMatch(/default_ulimits = .*--ulimit nofile=1024:1024 --ulimit nproc=1024:1024/);
    expect(judgeLimits({ ...FACTS, limits: limits('unlimited', '20000') })?.missing).toMatch(/: nofile 20000\)/);
  });

  test.each<[string, Partial<LimitFacts>]>([
    ['root may raise them', { status: WITH }],
    ['the hard ones are as high', { limits: limits('unlimited', '1048576') }],
    ['podman takes what there is', { version: 'podman version 5.4.0' }],
    [
      'containers.conf(5) names others',
      { conf: ['[containers]\ndefault_ulimits = [\n  "nofile=9:9",\n "nproc=9:9",\n]'] },
    ],
  ])('can be had where %s', (_where, facts) => {
    expect(judgeLimits({ ...FACTS, ...facts })).toBeNull();
  });

  test('are the default for each that containers.conf(5) does not name', () => {
    const conf = ['default_ulimits = ["nproc=9:9"]', '#default_ulimits = [\n#  "nofile=1280:2560",\n#]'];
    expect(judgeLimits({ ...FACTS, conf })?.missing).toMatch(/: nofile 20000\)/);
  });
});

test('a value of containers.conf(5) may stand in several lines, and those that are commented out say nothing', () => {
  const text = '# a = 0\n[engine]\na = "b" \nlist = [\n  "c",\n  # "d",\n  "e",\n]\n';
  expect(confValue(text, 'a')).toBe('"b"');
  expect(confValue(text, 'list')).toBe('[\n  "c",\n  "e",\n]');
  expect(confValue(text, 'd')).toBeNull();
});
