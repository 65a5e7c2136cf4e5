import { once } from 'node:events';
import { inspectSystem } from 'trundle';
import { createActor, createMachine, waitFor } from 'xstate';

const light = createMachine({
  id: 'light',
  initial: 'green',
  states: {
    green: { after: { 50: 'yellow' } },
    yellow: { after: { 20: 'red' } },
    red: { type: 'final' },
  },
});

const inspector = await inspectSystem({ name: 'a traffic light' });
console.log(`watch it at ${inspector.url}`);

const actor = createActor(light, { inspect: inspector.inspect }).start();
const { value } = await waitFor(actor, (snapshot) => snapshot.status === 'done');
console.log(`the light is ${value}`);

if (process.argv.includes('--stay')) await once(process, 'SIGINT');
await inspector.close();
