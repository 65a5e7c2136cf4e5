import * as z from 'zod';
import { capabilitySchema } from '../../events/schemas/common.ts';
import { debugOption } from '../debugOption.ts';
import { shellWords } from './shellWords.ts';

/** The longest wait that a timer of Node can hold, in seconds. */
const MOST_SECONDS = 2_147_483;

/** Options of the ssh backend, spelled as autopkgtest-virt-ssh(1) spells them where it has them. */
export const sshOptions = z
  .object({
    hostname: z.string().optional().describe('host name or address of the testbed; USER@ before it is as --login'),
    port: z.number().int().min(1).max(65535).default(22).describe('TCP port of its SSH server (22)'),
    socket: z.string().optional().describe('Unix socket of its SSH server, instead of a host name'),
    command: z
      .string()
      .optional()
      .describe(
        'command whose stdin and stdout are an SSH server, as in "sshd -i"; quotes as in a shell, nothing is expanded',
      ),
    login: z.string().optional().describe('user to log in as; your own name by default'),
    identity: z.array(z.string()).default([]).describe('file with a private key to log in with; may be repeated'),
    password: z.string().optional().describe('password to log in with, or a file that holds it'),
    agent: z.boolean().default(true).describe('ask the agent at SSH_AUTH_SOCK for keys'),
    hostKey: z
      .array(z.string())
      .default([])
      .describe('fingerprint (SHA256:...) of a host key that may answer, instead of known_hosts'),
    knownHosts: z.array(z.string()).default([]).describe("known_hosts file, instead of your own and the system's"),
    normalUser: z.string().optional().describe('ordinary user to suggest for tests that do not need root'),
    reboot: z.boolean().default(false).describe('the testbed can be rebooted (as --capability reboot)'),
    capability: z.array(capabilitySchema).default([]).describe('the testbed has this capability; may be repeated'),
    timeoutSsh: z
      .number()
      .positive()
      .max(MOST_SECONDS)
      .optional()
      .describe('seconds until it must let us in (as --deadline ssh-ready=MS of trundle, which stands above it)'),
    ...debugOption,
  })
  .superRefine(({ hostname, socket, command }, context) => {
    if ([hostname, socket, command].filter((each) => each !== undefined).length !== 1) {
      const message = 'exactly one of --hostname, --socket and --command says where the SSH server is';
      context.addIssue({ code: 'custom', message });
    }
    if (command === undefined) return;
    const path = ['command'];
    try {
      if (shellWords(command).length === 0) context.addIssue({ code: 'custom', path, message: 'it names no program' });
    } catch (error) {
      context.addIssue({ code: 'custom', path, message: (error as Error).message });
    }
  });

/** The ssh backend's options as parsed. */
export type SshOptions = z.output<typeof sshOptions>;

/** The options with what stands before the host name as the login, where none is given. Pure. */
export function withLogin<T extends Pick<SshOptions, 'hostname' | 'login'>>(options: T): T {
  const [, user, hostname] = /^([^@]+)@(.+)$/.exec(options.hostname ?? '') ?? [];
  return user === undefined ? options : { ...options, hostname, login: options.login ?? user };
}
