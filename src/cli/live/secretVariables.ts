import { UsageError } from '../UsageError.ts';

/**
 * The variables that --secret-env names, as `NAME=VALUE` with the values that they have in our own environment: so
 * no value stands on a command line, nor in the trace that keeps it.
 * @throws UsageError where there is no such variable
 */
export function secretVariables(
  names: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): { assignments: string[]; secrets: string[] } {
  const secrets = (names ?? []).map((name) => {
    const value = env[name];
    if (value === undefined) {
      throw new UsageError(
        `--secret-env ${name}: there is no such variable in the environment`,
        `To set it for this run only: ${name}=... trundle ...`,
      );
    }
    return value;
  });
  return { assignments: (names ?? []).map((name, index) => `${name}=${secrets[index]}`), secrets };
}
