/** The variables by which each client finds what it speaks to, or what it keeps. */
const VARIABLES = {
  podman: [
    ...['CONTAINER_HOST', 'CONTAINER_CONNECTION', 'CONTAINER_SSHKEY', 'CONTAINERS_CONF', 'CONTAINERS_CONF_OVERRIDE'],
    ...['CONTAINERS_STORAGE_CONF', 'STORAGE_DRIVER', 'STORAGE_OPTS', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'],
  ],
  docker: ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'],
  lxd: ['LXD_DIR', 'LXD_CONF', 'LXD_PROJECT', 'LXD_REMOTE'],
  incus: ['INCUS_DIR', 'INCUS_CONF', 'INCUS_PROJECT', 'INCUS_REMOTE'],
} as const;

/**
 * A client as whoever has another environment is to call it: a person, or a later reap. Without our variables it would
 * look elsewhere, find nothing there, and what is left would be told as gone.
 */
export function calledElsewhere(
  client: keyof typeof VARIABLES,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): string[] {
  const set = VARIABLES[client].flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]));
  return set.length === 0 ? [...argv] : ['env', ...set, ...argv];
}
