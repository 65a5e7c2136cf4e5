// Run by ../comeAndGo.ts. It is plain JavaScript with the built library, as a runner is that uses it: a process that
// compiles TypeScript is twice as large, and takes twice as long to start each program.

import { configureBackend, openTestbed } from '../../dist/index.js';

process.on('message', async (words) => {
  try {
    const start = performance.now();
    const testbed = await openTestbed(await configureBackend(words));
    const { status } = await testbed.exec(['true']);
    await testbed.close();
    if (status !== 0) throw new Error(`true ended with ${status}`);
    process.send({ milliseconds: performance.now() - start });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
process.send({ ready: true });
