import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportReport } from '../../../src/inspector/report.ts';
import { TraceError } from '../../../src/trace/index.ts';
import { workplace } from '../../support/workplace.ts';

test.each(['', 'root:x:0:0', '{"log":{"entries":[]}}'])(
  'of what is no trace there is no report: %j',
  async (content) => {
    const directory = workplace();
    writeFileSync(join(directory, 'events.jsonl'), content);
    await expect(exportReport([directory])).rejects.toThrow(TraceError);
  },
);
