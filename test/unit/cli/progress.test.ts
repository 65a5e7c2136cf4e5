import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import { Progress } from '../../../src/cli/live/Progress.ts';
import { duration, statusText } from '../../../src/cli/live/statusText.ts';
import type { Deadline } from '../../../src/events/index.ts';
import { fact } from '../../support/facts.ts';

const plain = picocolors.createColors(false);

/** A run so far, and its status line at a moment. */
class Story {
  readonly progress = new Progress();
  readonly #width: number;

  constructor(width = 100) {
    this.#width = width;
  }

  saw(...events: Parameters<Progress['see']>): this {
    this.progress.see(...events);
    return this;
  }

  armed(deadline: Deadline, subject: string, ms: number, at: number): this {
    const command = { type: 'arm', testbed: 'tb1', deadline, subject, ms } as const;
    this.progress.decided({ seq: 1, machine: subject, state: '', commands: [command] }, at);
    return this;
  }

  disarmed(deadline: Deadline, subject: string): this {
    const command = { type: 'disarm', testbed: 'tb1', deadline, subject } as const;
    this.progress.decided({ seq: 1, machine: subject, state: '', commands: [command] }, 0);
    return this;
  }

  at(ms: number): string {
    return statusText(this.progress.view, ms, this.#width, plain);
  }
}

describe('the status line', () => {
  test('tells the phase, how long it has lasted, and the deadline that will end it', () => {
    const story = new Story()
      .saw(fact('testbed.requested', { at: 0 } as never))
      .armed('provision', 'backend:tb1', 600_000, 0);
    expect(story.at(500)).toBe('[  0s] making the testbed (deadline provision: 9m59s left)');
    expect(story.at(65_000)).toBe('[1m05s] making the testbed for 1m05s (deadline provision: 8m55s left)');
  });

  test('names the test that runs, and which of how many it is', () => {
    const story = new Story()
      .saw(fact('testbed.readied'))
      .saw(fact('test.planned', { test: 'a' }))
      .saw(fact('test.planned', { test: 'b' }))
      .saw(fact('test.planned', { test: 'c' }))
      .saw(fact('test.skipped', { test: 'c' }))
      .saw(fact('test.started', { test: 'a' }))
      .saw(fact('test.finished', { test: 'a' }))
      .saw(fact('test.started', { test: 'b', at: 4000 } as never))
      .armed('command', 'command:x2', 10_000_000, 4000);
    expect(story.at(14_000)).toBe('[ 14s] test 2/2 b: running for 10s (deadline command: 2h46m left)');
  });

  test('says what a connection waits for', () => {
    const failure = { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 127.0.0.1:22' };
    const story = new Story()
      .saw(fact('testbed.requested'))
      .saw(fact('provision.completed'))
      .saw(fact('endpoint.announced'))
      .saw(fact('dial.failed', { failure }));
    expect(story.at(0)).toBe('[  0s] connecting, connect ECONNREFUSED 127.0.0.1:22, trying again');
    expect(story.saw(fact('connection.established')).at(0)).toBe('[  0s] connecting');
  });

  test('forgets a deadline that is disarmed or has passed', () => {
    const story = new Story().saw(fact('testbed.requested')).armed('provision', 'backend:tb1', 1000, 0);
    expect(story.disarmed('provision', 'backend:tb1').at(0)).toBe('[  0s] making the testbed');
    story.armed('provision', 'backend:tb1', 1000, 0);
    story.saw(fact('deadline.expired', { deadline: 'provision', subject: 'backend:tb1' }));
    expect(story.at(0)).toBe('[  0s] making the testbed');
  });

  test('tells how far a copy is', () => {
    const story = new Story()
      .saw(fact('testbed.readied'))
      .saw(fact('copy.started'))
      .saw(fact('copy.progressed', { bytes: 3 * 1024 * 1024, total: null }));
    expect(story.at(0)).toBe('[  0s] preparing, copying, 3.0 MiB');
    expect(story.saw(fact('copy.completed')).at(0)).toBe('[  0s] preparing');
  });

  test('stays with the teardown whatever else still happens, and says when somebody interrupted', () => {
    const story = new Story()
      .saw(fact('testbed.readied'))
      .saw(fact('operator.signalled'))
      .saw(fact('teardown.requested'))
      .saw(fact('test.finished'));
    expect(story.at(0)).toBe('[  0s] interrupted, taking the testbed down');
  });

  test('fits the terminal, and gives up the deadline first', () => {
    const build = (width: number) =>
      new Story(width).saw(fact('testbed.requested')).armed('provision', 'backend:tb1', 600_000, 0).at(0);
    expect(build(60)).toBe('[  0s] making the testbed (deadline provision: 10m00s left)');
    expect(build(40)).toBe('[  0s] making the testbed');
    expect(build(20)).toBe('[  0s] making the...');
  });

  test('lets no control characters through', () => {
    const story = new Story()
      .saw(fact('testbed.readied'))
      .saw(fact('test.planned'))
      .saw(fact('test.started', { test: 'a\u001b[2Jb' }));
    expect(story.at(0)).toBe('[  0s] test 1/1 a [2Jb: running');
  });

  test('is coloured where there are colours', () => {
    const story = new Story().saw(fact('testbed.requested'));
    const coloured = statusText(story.progress.view, 0, 80, picocolors.createColors(true));
    expect(coloured).toBe('\u001b[2m[  0s]\u001b[22m \u001b[1mmaking the testbed\u001b[22m');
  });
});

test.each([
  [0, '0s'],
  [-5, '0s'],
  [59_999, '59s'],
  [60_000, '1m00s'],
  [3_599_000, '59m59s'],
  [9_960_000, '2h46m'],
])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});
