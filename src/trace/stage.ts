import { brief, type Phase, type TrundleEvent } from '../events/index.ts';
import type { Fold } from './folds.ts';

/** What a run was about when its trace ends. */
export interface Stage {
  phase: Phase;
  /** Completes "while ...". */
  doing: string;
  /** Seq of the event that tells so; 0 where no event does. */
  since: number;
}

/**
 * Where a run was when its trace ends: in the copy or command that it had begun last and not ended, or in the phase
 * of the testbed that something happened to last.
 */
export function foldStage(): Fold<Stage> {
  const phases = new Map<string | null, Stage>();
  const commands = new Map<string, Stage>();
  const tests = new Map<string, Stage>();
  const copies = new Map<string, Stage>();
  let last: Stage = { phase: 'plan', doing: DOING.plan, since: 0 };
  return {
    see(event) {
      const stage = stageAfter(event, phases.get(event.testbed)?.phase ?? 'plan');
      if (stage !== null) {
        phases.set(event.testbed, stage);
        last = stage;
      }
      if (event.type === 'command.requested') {
        commands.set(event.command, { phase: 'exec', doing: `running ${brief(event.line)}`, since: event.seq });
      } else if (event.type === 'test.started') {
        tests.set(event.test, { phase: 'exec', doing: `running test ${event.test}`, since: event.seq });
      } else if (event.type === 'test.finished') tests.delete(event.test);
      else if (event.type === 'command.concluded') commands.delete(event.command);
      else if (event.type === 'copy.started') {
        copies.set(event.copy, {
          phase: 'copy',
          doing: `copying ${event.source} to ${event.target}`,
          since: event.seq,
        });
      } else if (event.type === 'copy.completed' || event.type === 'copy.failed') copies.delete(event.copy);
    },
    result() {
      if (last.phase !== 'exec') return last;
      // A copy and a test have a command of their own, which says less.
      return [...copies.values()].at(-1) ?? [...tests.values()].at(-1) ?? [...commands.values()].at(-1) ?? last;
    },
  };
}

/** The stage that an event begins for its testbed, or null where the stage stays. */
function stageAfter(event: TrundleEvent, before: Phase): Stage | null {
  const phase = PHASE_AFTER[event.type];
  if (phase === undefined) return null;
  // An endpoint is announced after a reboot and a revert too, and a failed testbed is not one that is taken down anew.
  if (event.type === 'endpoint.announced' && before !== 'boot') return null;
  if (before === 'teardown' && event.type !== 'testbed.requested' && !ENDED.has(event.type)) return null;
  return { phase, doing: ENDED.has(event.type) ? 'ending the run' : DOING[phase], since: event.seq };
}

/** What ends a testbed's part in a run. */
const ENDED: ReadonlySet<TrundleEvent['type']> = new Set(['testbed.removed', 'testbed.kept'] as const);

const DOING: Readonly<Record<Phase, string>> = {
  plan: 'preparing the run',
  provision: 'making the testbed',
  boot: 'starting the testbed',
  'ssh-ready': 'connecting to the testbed',
  exec: 'running commands',
  copy: 'copying',
  reboot: 'rebooting the testbed',
  revert: 'putting the testbed back',
  teardown: 'taking the testbed down',
};

const PHASE_AFTER: Readonly<Partial<Record<TrundleEvent['type'], Phase>>> = {
  'testbed.requested': 'provision',
  'provision.completed': 'boot',
  'endpoint.announced': 'ssh-ready',
  'testbed.readied': 'exec',
  'reboot.requested': 'reboot',
  'revert.requested': 'revert',
  'testbed.failed': 'teardown',
  'teardown.requested': 'teardown',
  'testbed.removed': 'teardown',
  'testbed.kept': 'teardown',
};
