import type { Command, EventData, EventDraft, EventType } from '../../../src/events/index.ts';
import type { Machines } from '../../../src/machines/index.ts';
import { draft } from '../facts.ts';
import type { Move } from './SimulatedEdges.ts';

const TESTBEDS = ['tb1', 'tb2'];
const COMMANDS = 14;

/** The runner, the library's user and the operator: they ask for what their interfaces let them ask for. */
export class SimulatedPeople {
  readonly #append: (draft: EventDraft) => void;
  readonly #machines: () => Machines;
  readonly #asked = new Set<string>();
  #commands = 0;
  #tests = 0;
  #signals = 0;

  constructor(append: (draft: EventDraft) => void, machines: () => Machines) {
    this.#append = append;
    this.#machines = machines;
  }

  /** Ids of testbeds that were asked for. */
  get testbeds(): readonly string[] {
    return [...this.#asked];
  }

  /** Ids of commands that were asked for. */
  get commands(): readonly string[] {
    return Array.from({ length: this.#commands }, (_, index) => `x${index + 1}`);
  }

  /** A runner obeys `abort` by tearing down what there is. */
  perform(command: Command): void {
    if (command.type !== 'abort') return;
    for (const testbed of this.#asked) this.teardown(testbed, command.force);
  }

  /** Asks for the end of a testbed. */
  teardown(testbed: string, force: boolean, keep = false): void {
    this.#say(testbed, 'teardown.requested', { force, ...(keep ? { keep } : {}) });
  }

  /** What they may do next. */
  moves(): Move[] {
    return [...this.#movesOfUsers(), ...this.#movesOfRunner()];
  }

  #movesOfUsers(): Move[] {
    const moves: Move[] = [];
    const next = TESTBEDS.find((testbed) => !this.#asked.has(testbed));
    if (next !== undefined) {
      moves.push(() => {
        this.#asked.add(next);
        this.#say(next, 'testbed.requested', { maxConnections: next === 'tb1' ? 1 : 3 });
      });
    }
    for (const testbed of this.#asked) {
      moves.push(() => this.teardown(testbed, this.#commands % 2 === 0));
      moves.push(() => this.teardown(testbed, false, true));
      for (let each = 0; each < 4; each += 1) moves.push(...this.#movesOfCommands(testbed, each));
      if (!(this.#machines().stateOf(`testbed:${testbed}`) ?? '').startsWith('ready')) continue;
      moves.push(() => this.#say(testbed, 'reboot.requested', { how: 'guest' }));
      moves.push(() => this.#say(testbed, 'reboot.requested', { how: 'backend' }));
      moves.push(() => this.#say(testbed, 'revert.requested', {}));
    }
    return moves;
  }

  #movesOfCommands(testbed: string, variant: number): Move[] {
    const moves: Move[] = [];
    if (this.#commands < COMMANDS) {
      moves.push(() => {
        this.#commands += 1;
        const timeout = variant % 2 === 0 ? null : 1000;
        const login = variant === 3 ? 'user' : '';
        this.#say(testbed, 'command.requested', {
          command: `x${this.#commands}`,
          login,
          timeout,
          sweep: variant > 1,
        });
      });
    }
    const last = this.#commands - variant;
    if (last > 0) moves.push(() => this.#say(testbed, 'cancel.requested', { command: `x${last}` }));
    return moves;
  }

  #movesOfRunner(): Move[] {
    const test = `t${this.#tests}`;
    return [
      () => this.#say(null, 'run.started', {}),
      () => {
        this.#tests += 1;
        this.#say(null, 'test.planned', { test: `t${this.#tests}` });
      },
      () => this.#say(null, 'test.started', { test }),
      () => this.#say(null, 'test.finished', { test }),
      () => {
        this.#signals += 1;
        if (this.#signals % 4 === 0) this.#say(null, 'operator.signalled', { count: this.#signals });
      },
    ];
  }

  #say<T extends EventType>(testbed: string | null, type: T, data: Partial<EventData<T>>): void {
    this.#append(draft(type, data, testbed, 'runner'));
  }
}
