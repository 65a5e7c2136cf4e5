/** The program and the library, of one piece, so that both mean the same by a class. What a verb needs loads with it. */
export interface Whole {
  /** The command line; ends the process. */
  main(words: readonly string[]): Promise<never>;
  library(): Promise<typeof import('../index.ts')>;
}

export const main: Whole['main'] = async (words) => await (await import('../cli/main.ts')).main(words);

export const library: Whole['library'] = () => import('../index.ts');
