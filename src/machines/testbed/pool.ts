/** One SSH connection in the pool and the commands on it. */
export interface PooledConnection {
  readonly id: string;
  readonly login: string;
  readonly established: boolean;
  /** Whether it is being hung up: it takes no more commands. */
  readonly leaving: boolean;
  /** Commands that have, or are about to have, a channel on it. */
  readonly active: readonly string[];
  /** How many commands it takes. A server says no beyond its MaxSessions; then the limit is what it took. */
  readonly limit: number;
}

/** A command and the login name that it wants. */
export interface PooledCommand {
  readonly command: string;
  /** Empty for the endpoint's own, as long as that is not known. */
  readonly login: string;
  /** It had a connection already, whose server took no more. */
  readonly again?: boolean;
}

/** The connections of a testbed and the commands that wait for one. Immutable. */
export interface Pool {
  readonly connections: readonly PooledConnection[];
  readonly queue: readonly PooledCommand[];
  /** Commands whose connection is gone and that have not concluded yet. */
  readonly stranded: readonly PooledCommand[];
  /** How many connections there may be. */
  readonly max: number;
  /** How many were ever asked for, for their ids. */
  readonly made: number;
}

/** What a schedule wants done: channels on connections that stand, and new connections. */
export interface Schedule {
  readonly pool: Pool;
  readonly assigned: readonly { readonly command: string; readonly connection: string }[];
  readonly requested: readonly { readonly connection: string; readonly login: string }[];
  /** Idle connections of other logins that must make room. */
  readonly evicted: readonly string[];
}

/**
 * Commands that a connection takes unless its server takes fewer: sshd's default MaxSessions is 10
 * (sshd_config(5)), and signals and probes want channels too.
 */
const SESSIONS = 8;

/** A pool without connections. Pure. */
export function emptyPool(max: number): Pool {
  return { connections: [], queue: [], stranded: [], max, made: 0 };
}

/** Adds a command to the end of the queue. Pure. */
export function enqueue(pool: Pool, command: string, login: string): Pool {
  return { ...pool, queue: [...pool.queue, { command, login }] };
}

/** Adds a connection that is being made; one that is known already stays as it is. Pure. */
export function addConnection(pool: Pool, id: string, login: string): Pool {
  if (pool.connections.some((connection) => connection.id === id)) return pool;
  const connection: PooledConnection = { id, login, established: false, leaving: false, active: [], limit: SESSIONS };
  return { ...pool, connections: [...pool.connections, connection], made: pool.made + 1 };
}

/** Marks a connection as ready for commands. Pure. */
export function establish(pool: Pool, id: string): Pool {
  return change(pool, id, (connection) => ({ ...connection, established: true }));
}

/** Gives commands that asked for the endpoint's own login its name. Pure. */
export function nameLogin(pool: Pool, login: string): Pool {
  return { ...pool, queue: pool.queue.map((waiting) => (waiting.login === '' ? { ...waiting, login } : waiting)) };
}

/** Marks a connection as being hung up. Pure. */
export function leave(pool: Pool, id: string): Pool {
  return change(pool, id, (connection) => ({ ...connection, leaving: true }));
}

/** Takes a connection out. Commands that were on it have still to conclude. Pure. */
export function dropConnection(pool: Pool, id: string): Pool {
  const dropped = pool.connections.find((connection) => connection.id === id);
  if (dropped === undefined) return pool;
  const { active, login } = dropped;
  return {
    ...pool,
    connections: pool.connections.filter((connection) => connection !== dropped),
    stranded: [...pool.stranded, ...active.map((command) => ({ command, login }))],
  };
}

/** Takes a command out, wherever it is. Pure. */
export function release(pool: Pool, command: string): Pool {
  const others = (list: readonly PooledCommand[]) => list.filter((each) => each.command !== command);
  const connections = pool.connections.map((connection) =>
    connection.active.includes(command)
      ? { ...connection, active: connection.active.filter((id) => id !== command) }
      : connection,
  );
  return { ...pool, connections, queue: others(pool.queue), stranded: others(pool.stranded) };
}

/** Takes the commands that wait for a login out of the queue. Pure. */
export function dismiss(pool: Pool, login: string): { pool: Pool; dismissed: readonly PooledCommand[] } {
  const dismissed = pool.queue.filter((waiting) => waiting.login === login);
  return { pool: { ...pool, queue: pool.queue.filter((waiting) => waiting.login !== login) }, dismissed };
}

/**
 * The server took no more sessions on the command's connection: that one takes one less than it has, so that signals
 * find a session too, and the command goes back to the head of the queue, behind those that went there before. Pure.
 */
export function refuse(pool: Pool, command: string): Pool {
  const connection = holderOf(pool, command);
  const login = connection?.login ?? pool.stranded.find((each) => each.command === command)?.login;
  if (login === undefined) return pool;
  const released = release(pool, command);
  const returned = released.queue.filter((waiting) => waiting.again === true);
  const others = released.queue.filter((waiting) => waiting.again !== true);
  const queue = [...returned, { command, login, again: true }, ...others];
  if (connection === undefined) return { ...released, queue };
  const limited = change(released, connection.id, (each) => ({ ...each, limit: Math.max(1, each.active.length - 1) }));
  return { ...limited, queue };
}

/** The connection that a command is on. Pure. */
export function holderOf(pool: Pool, command: string): PooledConnection | undefined {
  return pool.connections.find((connection) => connection.active.includes(command));
}

/** All commands that have not concluded. Pure. */
export function commandsOf(pool: Pool): readonly string[] {
  return [
    ...pool.connections.flatMap((connection) => connection.active),
    ...[...pool.stranded, ...pool.queue].map(({ command }) => command),
  ];
}

/** How many commands there are. Pure. */
export function load(pool: Pool): number {
  let sum = pool.queue.length + pool.stranded.length;
  for (const connection of pool.connections) sum += connection.active.length;
  return sum;
}

/**
 * Gives waiting commands, first come first served for each login, a place on a connection that has room, and asks
 * for more connections where all are full. Pure.
 * @param prefix of the ids of new connections
 */
export function schedule(pool: Pool, prefix: string): Schedule {
  if (pool.queue.length === 0) return { pool, assigned: [], requested: [], evicted: [] };
  const connections = [...pool.connections];
  const waiting: PooledCommand[] = [];
  const assigned: { command: string; connection: string }[] = [];
  for (const entry of pool.queue) {
    const index = connections.findIndex((connection) => hasRoom(connection, entry.login));
    const connection = connections[index];
    if (connection === undefined) {
      waiting.push(entry);
      continue;
    }
    connections[index] = { ...connection, active: [...connection.active, entry.command] };
    assigned.push({ command: entry.command, connection: connection.id });
  }
  return grow({ ...pool, connections, queue: waiting }, assigned, prefix);
}

function hasRoom({ login, established, leaving, active, limit }: PooledConnection, wanted: string): boolean {
  return login === wanted && established && !leaving && active.length < limit;
}

function grow(pool: Pool, assigned: Schedule['assigned'], prefix: string): Schedule {
  let grown = pool;
  const requested: { connection: string; login: string }[] = [];
  const evicted: string[] = [];
  for (const login of new Set(pool.queue.map((entry) => entry.login))) {
    const wanted = pool.queue.filter((entry) => entry.login === login).length;
    const own = pool.connections.filter((connection) => connection.login === login && !connection.leaving);
    let coming = SESSIONS * own.filter((connection) => !connection.established).length;
    while (coming < wanted && grown.connections.length < grown.max) {
      const connection = `${prefix}${grown.made + 1}`;
      grown = addConnection(grown, connection, login);
      requested.push({ connection, login });
      coming += SESSIONS;
    }
    if (coming > 0 || own.length > 0) continue;
    // Every place is taken by other logins: an idle one makes room, unless one is on its way out already.
    if (grown.connections.some((connection) => connection.leaving)) continue;
    const idle = grown.connections.find((connection) => connection.established && connection.active.length === 0);
    if (idle === undefined) continue;
    grown = leave(grown, idle.id);
    evicted.push(idle.id);
  }
  return { pool: grown, assigned, requested, evicted };
}

function change(pool: Pool, id: string, by: (connection: PooledConnection) => PooledConnection): Pool {
  return {
    ...pool,
    connections: pool.connections.map((connection) => (connection.id === id ? by(connection) : connection)),
  };
}
