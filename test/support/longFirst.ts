import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, the longest first. One of them that is begun last leaves a processor with nothing to do. */
export const LONG = [
  'runner/differential/schroot',
  'packages/archive',
  'contract/lxdAndIncus',
  'runner/differential/chroot',
  'contract/podman',
  'runner/reboots',
  'contract/nspawnAndLxc',
];

/** Vitest's order of test files, but for the longest: they come first. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at === -1 ? LONG.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
