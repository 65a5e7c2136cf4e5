import { type CauseClass, exitCodeOf } from '../../events/index.ts';

/** What a class of cause means, why it usually happens and what to do about it. */
export interface CauseGuide {
  meaning: string;
  reasons: readonly string[];
  next: readonly string[];
}

/** One entry for each class. */
export const CAUSES: Readonly<Record<CauseClass, CauseGuide>> = {
  'provision-failed': {
    meaning: 'The backend could not make the testbed.',
    reasons: [
      'an image or a program that the backend needs is missing',
      'there is no room on the host',
      'a name is taken by what an earlier run left',
    ],
    next: [
      'run `trundle backends` to see what the backend misses on this machine',
      'run `trundle reap` to remove what earlier runs left',
    ],
  },
  'setup-failed': {
    meaning: 'A command of --setup-commands or --setup-commands-boot failed in the testbed.',
    reasons: ['the command is wrong', 'it needs a network that the testbed lacks, or root'],
    next: ['read what it printed, in the log', 'let it exit with 100 where the package is to blame, which gives 12'],
  },
  'boot-failed': {
    meaning: 'The testbed was made but did not start, or never told where it can be reached.',
    reasons: [
      'the image does not boot',
      'the host is too slow for the deadline',
      'the SSH server of the image does not start',
    ],
    next: ['read the stream of the console in the trace', 'allow more time for the deadline `boot`'],
  },
  'testbed-died': {
    meaning: 'The testbed stopped by itself while it was in use.',
    reasons: [
      'the kernel of the testbed panicked',
      'the host ran out of memory and killed its process',
      'the test shut it down',
    ],
    next: [
      "read the end of the console's stream in the trace",
      "look into the host's kernel log for the out-of-memory killer",
    ],
  },
  'revert-failed': {
    meaning: 'The testbed could not be put back to where it was when it was opened.',
    reasons: [
      'the backend lost its snapshot',
      'the host has no room',
      'the testbed did not answer after it was put back',
    ],
    next: ['run again with a new testbed', "read the evidence for what the backend's tool said"],
  },
  'reboot-failed': {
    meaning: 'The testbed was told to reboot, and no new boot could be proven in time.',
    reasons: [
      'the testbed does not come up again by itself',
      'it rebooted, but its SSH server did not start',
      'it never went down',
    ],
    next: ['read the stream of the console in the trace', 'allow more time for the deadline `reboot-up`'],
  },
  'teardown-failed': {
    meaning: 'The testbed could not be removed wholly; something of it is left.',
    reasons: ['a process in it cannot be ended', 'a file system is busy', "the backend's tool failed"],
    next: ['run `trundle reap`, which tries again and names what it cannot remove'],
  },
  'connection-refused': {
    meaning: 'Nothing listens where the SSH server should be.',
    reasons: ['the SSH server is not running', 'the port is wrong', 'a firewall rejects the connection'],
    next: ['check the address that the evidence names', 'check that the SSH server runs in the testbed'],
  },
  'connection-unreachable': {
    meaning: 'The host of the SSH server cannot be reached.',
    reasons: [
      'the name cannot be resolved',
      'there is no route, or a firewall drops the packets',
      'the testbed has no network',
    ],
    next: ['check the address that the evidence names', 'try the same address with `ssh -v`'],
  },
  'connection-closed': {
    meaning: 'The other side ended the connection in an orderly way although we still needed it.',
    reasons: [
      'the SSH server was stopped, or its session process was killed',
      'the login is closed by a policy (PAM, logind)',
      'the testbed shut down',
    ],
    next: ["read the SSH server's log in the testbed", 'read the stream of the console in the trace'],
  },
  'connection-reset': {
    meaning: 'The connection was cut off in the middle.',
    reasons: [
      'the SSH server or the testbed crashed',
      'a network device between forgot the connection',
      'the testbed lost its address',
    ],
    next: [
      'look in the evidence for a crash of the testbed at the same time',
      'run again; if it repeats, look at the network between',
    ],
  },
  'connection-silent': {
    meaning: 'The other side stopped answering without ending the connection.',
    reasons: [
      'the testbed is frozen, suspended or overloaded',
      'packets are dropped on the way',
      'something listens there that never speaks',
    ],
    next: [
      'check the load of the host and of the testbed',
      'allow more time for the deadline in the evidence, if the testbed is merely slow',
    ],
  },
  'not-an-ssh-server': {
    meaning: 'What answers at the address does not speak SSH.',
    reasons: ['the port belongs to another service', 'a proxy or a captive portal answers instead'],
    next: ['read in the evidence what it said', 'correct the address or the port'],
  },
  'protocol-error': {
    meaning: 'The SSH protocol between us and the server broke.',
    reasons: [
      'the two sides share no algorithm',
      'bytes were damaged or added on the way',
      "the server's shell start-up files write into the protocol",
    ],
    next: ['try the same address with `ssh -vv`', 'compare the algorithms of both sides'],
  },
  'host-key-mismatch': {
    meaning: 'The SSH server showed another host key than the expected one, so nothing was sent to it.',
    reasons: ['another machine has the address now', 'the testbed was installed anew', 'somebody is in between'],
    next: [
      'compare both fingerprints in the evidence with the machine itself',
      'correct the expected key once you are sure',
    ],
  },
  'auth-refused': {
    meaning: 'The SSH server did not let us log in.',
    reasons: [
      'the key is not in authorized_keys',
      'the login does not exist or is locked',
      'sshd refuses the file modes of the home directory',
    ],
    next: ["read the SSH server's log in the testbed", 'check the login and the key or agent that you gave'],
  },
  'channel-refused': {
    meaning: 'The connection stands, but the SSH server grants no session on it.',
    reasons: ['MaxSessions of the server is 0 or too low', 'the server is out of processes or memory'],
    next: ['raise MaxSessions in sshd_config', "read the SSH server's log in the testbed"],
  },
  'deadline-expired': {
    meaning: 'Something took longer than its deadline allows.',
    reasons: [
      'the host is overloaded',
      'what was waited for will never happen',
      'the deadline is too short for this testbed',
    ],
    next: ['read in the evidence which deadline it was and what it waited for', 'allow more time for that deadline'],
  },
  'host-disk-full': {
    meaning: 'There is no room left on the machine that Trundle runs on.',
    reasons: [
      'the output directory, the work directory, or where a backend keeps images and testbeds is on a full file system',
      'a quota is reached',
    ],
    next: ['make room, or give an output directory elsewhere', 'run `trundle reap` to remove what earlier runs left'],
  },
  'testbed-disk-full': {
    meaning: 'There is no room left in the testbed.',
    reasons: ['the image is too small for the tree and its build', 'the test writes more than expected'],
    next: ['use a larger image', 'look in the evidence for what was being written'],
  },
  'copy-failed': {
    meaning: 'A file or tree could not be copied to or from the testbed.',
    reasons: [
      'a file is missing or cannot be read',
      'there is no tar in the testbed',
      'the target cannot be written by that login',
    ],
    next: ['read in the evidence what tar said'],
  },
  'hostile-archive': {
    meaning: 'What the testbed sent as a copy would have written outside the target directory, and was refused.',
    reasons: ['the testbed is broken or hostile', 'the tree holds links or names that lead out of it'],
    next: ['do not trust anything from this testbed', 'look at the entry that the evidence names'],
  },
  'test-failed': {
    meaning: 'A test ended with an exit status other than 0.',
    reasons: ['the package or its test is wrong', 'the test expects something that this testbed does not have'],
    next: ["read the test's output", 'run again with `--shell-fail` to look around in the testbed'],
  },
  'test-wrote-stderr': {
    meaning: 'A test ended with exit status 0 but wrote to stderr, which counts as a failure.',
    reasons: ['a warning of a tool', 'a test that talks on stderr on purpose'],
    next: ["read the test's stderr", 'add the restriction `allow-stderr` if the output is meant to be there'],
  },
  'test-timed-out': {
    meaning: 'A test did not end in time and was ended.',
    reasons: ['the test waits for something that never comes', 'the testbed is slow'],
    next: ["read the end of the test's output", 'allow more time for the test'],
  },
  'test-signalled': {
    meaning: 'A test was killed by a signal that did not come from Trundle.',
    reasons: ['it crashed', 'the testbed ran out of memory', 'it killed its own process group'],
    next: [
      "read the test's output and the stream of the console in the trace",
      'run again with `--shell-fail` to look around in the testbed',
    ],
  },
  'bad-package': {
    meaning: 'The package, or what it says about its tests, cannot be used.',
    reasons: ['debian/tests/control is wrong', 'a file that it names is missing', 'its dependencies cannot be had'],
    next: ['correct the file and the line that the evidence names'],
  },
  'operator-interrupted': {
    meaning: 'A person or another program ended the run.',
    reasons: ['Ctrl-C', 'a SIGTERM from a service manager or a job limit'],
    next: ['run again', 'look at the time limit of the job if nobody pressed a key'],
  },
  'runner-killed': {
    meaning: 'Trundle itself was ended so suddenly that it could not take anything down.',
    reasons: ['a SIGKILL', 'the out-of-memory killer', 'the host went down'],
    next: ['run again, once `trundle reap` has removed what it left', "look into the host's kernel log"],
  },
  'wrong-usage': {
    meaning: 'What was asked for cannot be done as it was asked for.',
    reasons: [
      '--user names somebody whom the testbed does not know, or whom only root could turn into',
      'an option after the image is not for the user of a testbed to give, as --rm or --user of a container',
      'the package holds what the user who runs Trundle may not read',
      'the place for the output, or for the trace, was removed while the run went on, or cannot be written to',
    ],
    next: [
      'name what the testbed has, or leave the option out',
      'make the package readable',
      'give another -o or --trace, and leave it alone until the run is over',
    ],
  },
  'replay-diverged': {
    meaning: 'The program asked a recorded testbed for something else than was recorded.',
    reasons: [
      'other options, another package or another version of Trundle than when it was recorded',
      'the program was changed since, which may be what is looked for',
      'the recorded run was ended from outside at this point',
    ],
    next: [
      'compare in the evidence what was asked with what is recorded',
      'give the options of the recorded run, or let the backend `replay` take commands in order, whatever they are (--loose)',
    ],
  },
  'internal-error': {
    meaning: 'Trundle did something wrong, or met an order of events that it does not know.',
    reasons: ['a bug'],
    next: ['report it, with the trace: it holds all that is needed to repeat it'],
  },
};

/** docs/causes.md; `npm run docs` writes it, and `npm run qa` compares it with this. Pure. */
export function causesPage(): string {
  const entries = (Object.keys(CAUSES) as CauseClass[]).map((name) => {
    const { meaning, reasons, next } = CAUSES[name];
    const items = (texts: readonly string[]) =>
      texts.map((text) => `- ${text[0]?.toUpperCase()}${text.slice(1)}.`).join('\n');
    return `## ${name}\n\n${meaning} Exit code ${exitCodeOf(name)}.\n\nUsual reasons:\n\n${items(reasons)}\n\nWhat to do:\n\n${items(next)}\n`;
  });
  return `# Causes\n\n${INTRODUCTION}\n\n${entries.join('\n')}`;
}

const INTRODUCTION = `Every failure of a run ends as one cause: its class, the phase it happened in, what was being done, and the events
that prove it. The exit code follows from the class. \`trundle explain\` tells the cause of a run from its trace.
This page is made by \`npm run docs\` from src/trace/explain/causes.ts.`;
