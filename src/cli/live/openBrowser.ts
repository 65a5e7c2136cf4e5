import { startProgram } from '../../host/index.ts';

/**
 * Opens an address in the user's browser, where there is a screen to open it on. Whoever works without one, over SSH
 * or in CI, has the address on stdout.
 */
export function openBrowser(url: string, env: NodeJS.ProcessEnv, say: (message: string) => void): void {
  const mac = process.platform === 'darwin';
  if (!mac && env.DISPLAY === undefined && env.WAYLAND_DISPLAY === undefined) return;
  const program = mac ? 'open' : 'xdg-open';
  const failed = (error: Error) => say(`no browser could be opened (${program}: ${error.message})`);
  try {
    startProgram(program, [url], { stdio: 'ignore', detached: true }).once('error', failed).unref();
  } catch (error) {
    failed(error as Error);
  }
}
