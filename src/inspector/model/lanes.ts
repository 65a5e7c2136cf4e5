import type { MachineTrack, RunModel, StreamTrack } from './RunModel.ts';

/** One row of the timeline. */
export type Lane =
  | { readonly kind: 'machine'; readonly id: string; readonly label: string; readonly track: MachineTrack }
  | { readonly kind: 'stream'; readonly id: string; readonly label: string; readonly track: StreamTrack };

const ORDER = ['run', 'testbed', 'backend', 'connection', 'reboot', 'command'];

/** The lanes of a run: machines from the outermost to the innermost, each command with its streams below it. Pure. */
export function lanesOf(model: RunModel): Lane[] {
  const rank = ({ kind }: MachineTrack) => {
    const index = ORDER.indexOf(kind);
    return index < 0 ? ORDER.length : index;
  };
  const machines = [...model.machines.values()].sort((a, b) => rank(a) - rank(b));
  const lanes: Lane[] = [];
  const streams = new Set(model.streams.keys());
  const add = (name: string) => {
    const track = model.streams.get(name);
    if (track === undefined || !streams.delete(name)) return;
    lanes.push({ kind: 'stream', id: name, label: name, track });
  };
  for (const track of machines) {
    if (rank(track) > ORDER.indexOf('backend')) add('console');
    const label = track.kind === track.subject ? track.kind : `${track.kind} ${track.subject}`;
    lanes.push({ kind: 'machine', id: track.id, label, track });
    if (track.kind === 'command') for (const name of ['stdout', 'stderr']) add(`${track.subject}.${name}`);
  }
  for (const name of [...streams]) add(name);
  return lanes;
}
