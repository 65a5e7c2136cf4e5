import type { Explanation } from './differences.ts';

const HERE = /^(null|ssh )/;
const BOOTED = /with an init$|^(lxc|lxd|incus)/;
const STAND_IN = /^null$|by the stand-in$|^nspawn, held/;
const SINGLE = /^unshare of a single id/;
const CONTAINERS = /^(podman|docker)/;

/** Why some backends show other values than most. An entry that explains nothing any more must go. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    fact: /^(PID 1|systemd runs|login session|systemctl --user|D-Bus of the user|XDG_RUNTIME_DIR is usable|cgroup|mounted on .*|.* is known|\/.*|status: .*)$/,
    backends: HERE,
    why: 'The testbed is this machine itself: its init, mounts, control groups and sessions are what they are.',
  },
  {
    fact: 'environment: MAIL',
    backends: /^ssh |third party|^unshare of a single id, by its sshd/,
    why: 'An sshd without PAM sets it by itself. With PAM, pam_mail does or does not, as the image is configured.',
  },
  {
    fact: /^(PID 1|systemd runs)$/,
    backends: BOOTED,
    why: 'It was asked to boot the init of the image.',
  },
  {
    fact: /^(login session|systemctl --user|D-Bus of the user|XDG_RUNTIME_DIR is usable|environment: (XDG_|DBUS_).*)$/,
    backends: BOOTED,
    why: 'With systemd and PAM a login is a session of logind. Nothing else can give one.',
  },
  {
    fact: 'cgroup',
    backends: /^(lxc|lxd|incus), by the stand-in/,
    why: 'lxc-attach has a group for all that it starts, beside that of the init; so has exec of lxd and incus.',
  },
  { fact: 'cgroup', backends: BOOTED, why: 'logind gives each login a control group of its own.' },
  {
    fact: 'cgroup',
    backends: /^nspawn, held/,
    why: 'Commands have a group inside the container, which its own processes do not share.',
  },
  {
    fact: 'environment: MOTD_SHOWN',
    backends: /./,
    why: 'pam_motd of Debian sets it: wherever an sshd with PAM answers.',
  },
  {
    fact: 'environment: SHLVL',
    backends: /./,
    why: 'bash counts shells in it, dash does not: it depends on the account. The tests begin it at 1 where their sshd is of this machine, or bash would read ~/.bashrc before each command.',
  },
  {
    fact: /^environment: SSH_(CLIENT|CONNECTION)$/,
    backends: STAND_IN,
    why: 'The stand-in is no connection from anywhere, and says nothing rather than something untrue.',
  },
  {
    fact: /^environment: SSH_(CLIENT|CONNECTION)$/,
    backends: /^ssh over TCP$/,
    why: 'Over TCP there are addresses; over a pipe or a Unix socket sshd knows none.',
  },
  {
    fact: 'host name',
    backends: /^(podman|docker)|^nspawn, held/,
    why: 'Containers have a name of their own. An image whose init sets its name from /etc/hostname has that of the machine it was made on.',
  },
  {
    fact: /^(localhost|host name) is known$/,
    backends: CONTAINERS,
    why: 'podman and docker write a hosts(5) over that of the image; docker names the container in it only where it gives it a network.',
  },
  {
    fact: /^(localhost|host name) is known$/,
    backends: /^nspawn, held|third party/,
    why: "Elsewhere the image's hosts(5) stands, and that of the tests has none. Without an init, nspawn adds the container's name; the third party's root lies over this machine's.",
  },
  {
    fact: 'network interfaces',
    backends: /./,
    why: "Containers have only the loopback, unless --network gives them more. The others use this machine's network, unless --private-network is given.",
  },
  {
    fact: 'limit: Max open files',
    backends: /^ssh |third party/,
    why: 'Their sshd uses no PAM and keeps the limits of who started it: here a Node.js, which raises its own. pam_limits and the stand-in put back the 1024 of the kernel.',
  },
  {
    fact: 'limit: Max processes',
    backends: /^podman/,
    why: 'podman sets it by default_ulimits of containers.conf(5); the one that the tests use names 20000.',
  },
  {
    fact: /^status: (CapBnd|CapEff)$/,
    backends: CONTAINERS,
    why: "podman and docker take capabilities from a container's root (--cap-add). A docker with an init has SYS_ADMIN besides.",
  },
  {
    fact: /^status: (CapBnd|CapEff)$/,
    backends: /^unshare of (an ordinary user|a single id)/,
    why: 'A user namespace has all capabilities there are, over what is mapped into it and nothing else.',
  },
  {
    fact: /^\/(tmp|run|run\/lock|dev\/shm)$/,
    backends: SINGLE,
    why: 'There is no other id that it could belong to.',
  },
  {
    fact: /^status: (CapBnd|CapEff)$/,
    backends: /^(lxc|lxd|incus)/,
    why: 'In an id-mapped container root has all capabilities, over what is mapped; a privileged one, as that of lxc, loses those that reach this machine.',
  },
  {
    fact: 'status: CapBnd',
    as: 'ordinary',
    backends: /^(unshare as root|chroot|schroot|nspawn)|third party/,
    why: 'Without a user namespace there are those that trundle may have; where this was recorded, not all.',
  },
  {
    fact: 'status: Seccomp',
    backends: /./,
    why: 'podman, docker, lxc, lxd and incus filter system calls (--security-opt, lxc.seccomp.profile, security.syscalls.deny_default); the others do not.',
  },
  {
    fact: '/sys can be written',
    backends: /^(lxd|incus)/,
    why: 'In an id-mapped container it is mounted so; what the mapped root may not change stays as it is.',
  },
  {
    fact: '/sys can be written',
    backends: /^unshare of (an ordinary user|a single id)/,
    why: "It is this machine's, and mounted as there; who is no root there may write nothing in it.",
  },
  {
    fact: /^\/(sys|proc\/sys) can be written$/,
    backends: /^(chroot|unshare|schroot)|third party/,
    why: 'They have no view of the kernel of their own: root of them is root of it. Containers get it read-only.',
  },
  {
    fact: 'mounted on /run',
    backends: /^(podman( of an ordinary user|, held|, by)|docker, (held|by)|schroot)/,
    why: 'Without an init, containers and sessions have the /run of the image, in what is thrown away with them.',
  },
  {
    fact: '/run/lock',
    backends: /third party/,
    why: 'A fresh tmpfs on /run, in which only an init would make it.',
  },
  { fact: '/run/lock', backends: /^podman.*, with an init/, why: 'podman --systemd mounts it so.' },
  {
    fact: '/dev/shm',
    backends: /^schroot/,
    why: "The profile of the section decides; the tests' binds /dev and /dev/pts alone.",
  },
];
