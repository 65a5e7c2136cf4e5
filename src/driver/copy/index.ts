import { copyFileDown, copyFileUp } from './copyFile.ts';
import { copyTreeDown, copyTreeUp } from './copyTree.ts';
import { CopyError, type CopyExec, type CopyRequest } from './exec.ts';

export { CopyError, type CopyExec, type CopyRequest } from './exec.ts';

/** Copies from the host into the testbed: a tree where both paths end in a slash, else a file. @throws CopyError */
export async function copyDown(exec: CopyExec, request: CopyRequest): Promise<void> {
  await (isTree(request) ? copyTreeDown : copyFileDown)(exec, request);
}

/** Copies from the testbed to the host: a tree where both paths end in a slash, else a file. @throws CopyError */
export async function copyUp(exec: CopyExec, request: CopyRequest): Promise<void> {
  await (isTree(request) ? copyTreeUp : copyFileUp)(exec, request);
}

function isTree({ from, to }: CopyRequest): boolean {
  if (from.endsWith('/') === to.endsWith('/')) return from.endsWith('/');
  const message = `either both paths end in a slash (a tree) or neither does (a file): ${from}, ${to}`;
  throw new CopyError('copy-failed', { code: 'EINVAL', message });
}
