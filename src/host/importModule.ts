/** What stands for import() in the bundle, which is compiled where there is none (src/bundle). */
declare const IMPORT: ((specifier: string) => Promise<unknown>) | undefined;

/** Loads a module that is not ours, by its URL. @throws whatever the module throws, or Node where there is none */
export async function importModule(url: string): Promise<unknown> {
  return typeof IMPORT === 'function' ? await IMPORT(url) : await import(url);
}
