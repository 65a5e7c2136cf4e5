/** What a resource may be that a backend makes outside our memory. */
export const RESOURCE_KINDS = [
  'process',
  'directory',
  'file',
  'mount',
  'session',
  'container',
  'namespace',
  'cgroup',
  'port',
  'socket',
  'remote-directory',
] as const;
