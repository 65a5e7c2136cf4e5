import { expect, test } from 'vitest';
import { EVERY_BACKEND } from '../support/backends.ts';
import type { Contract } from '../support/contract.ts';
import { type As, judge } from '../support/parity/differences.ts';
import { EXPLANATIONS } from '../support/parity/explanations.ts';
import { PROBE } from '../support/parity/probe.ts';
import { record, recordedReport, recording } from '../support/parity/recorded.ts';
import { readSeen, type Seen } from '../support/parity/seen.ts';

const NAMES = EVERY_BACKEND.map(({ name }) => name);

export function parity(contract: Contract): void {
  test('a test sees what docs/parity.md says it does', async () => {
    const { backend } = contract;
    const views = await viewsOf(contract);
    // All of it is judged by the next run: until the last is recorded, they are of different ages.
    if (recording) return record(backend.name, views, NAMES);
    const recorded = recordedReport()[backend.name];
    const how =
      'record it: TRUNDLE_PARITY=record npx vitest run test/contract -t parity --no-file-parallelism && npm run docs';
    expect(views, how).toEqual(recorded);
    // Whatever differs here is explained, whether it was recorded or not.
    expect(judge({ ...recordedReport(), [backend.name]: views }, EXPLANATIONS).unexplained).toEqual([]);
  });
}

/** Runs the probe as a test would, for each who may look. */
async function viewsOf({ backend, testbed, preparation }: Contract): Promise<Partial<Record<As, Seen>>> {
  const look = async (login: string) => {
    const { status, stdout, stderr } = await testbed.exec(['sh', '-c', PROBE], { login });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return readSeen(stdout, !backend.contained);
  };
  const { ordinary } = preparation;
  // Where there is no root, whoever the endpoint is of is an ordinary user.
  if (!backend.capabilities.includes('root-on-testbed')) return { ordinary: await look(backend.login) };
  return { root: await look(backend.login), ...(ordinary === null ? {} : { ordinary: await look(ordinary) }) };
}
