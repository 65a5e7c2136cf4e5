import { render } from 'preact';
import { App } from './App.tsx';
import { listenToKeys } from './keys.ts';
import { supply, View, views } from './state.ts';
import { openSupply } from './supply.ts';

const root = document.getElementById('app') as HTMLElement;

openSupply().then(
  (opened) => {
    supply.value = opened;
    views.value = opened.info.runs.map((_, index) => new View(opened, index));
    root.textContent = '';
    render(<App />, root);
    listenToKeys();
    for (const view of views.value) void view.read(opened);
  },
  (error: unknown) => {
    root.textContent = `This page cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
  },
);
