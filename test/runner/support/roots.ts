import { unpackedImage } from '../../support/chroots.ts';
import { IMAGE_USER, packagesImage } from '../../support/images.ts';
import { HOUSE, type Place, withoutArchive } from './sides.ts';

/** A Debian of its own in /mnt/root, which forgets all and can unpack a source, with an ordinary user `tester` and no other. */
function ownRoot(): string {
  const lower = unpackedImage(packagesImage());
  return `${HOUSE}
mkdir /mnt/root /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir=${lower},upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
sed -i /^${IMAGE_USER}:/d /mnt/root/etc/passwd /mnt/root/etc/shadow
cp /etc/resolv.conf /mnt/root/etc/resolv.conf
echo tester:x:64242:64242::/nonexistent:/bin/bash >>/mnt/root/etc/passwd
echo tester:x:64242: >>/mnt/root/etc/group
echo 'tester:*:20000::::::' >>/mnt/root/etc/shadow
${withoutArchive('/mnt/root')}`;
}

/** The chroot server on that root. */
export function inChroot(): Place {
  const box = `${ownRoot()}
mount -t proc proc /mnt/root/proc
mount --bind /dev /mnt/root/dev`;
  return { box, server: ['chroot', '/mnt/root'] };
}

/** The schroot server on that root: each session is an overlay on it. */
export function inSchroot(): Place {
  const box = `${ownRoot()}
mount -t tmpfs -o mode=755 none /var/lib/schroot
mkdir -p /var/lib/schroot/session /var/lib/schroot/unpack /var/lib/schroot/union/overlay /var/lib/schroot/union/underlay
mkdir -p /run/schroot
mount -t tmpfs -o mode=755 none /run/schroot
mkdir -p /var/lib/schroot/mount /run/schroot/mount /etc/schroot/chroot.d
printf '%s\\n' '/proc /proc none rw,bind 0 0' '/sys /sys none rw,bind 0 0' '/dev /dev none rw,bind 0 0' >/etc/schroot/both-sides
cat >/etc/schroot/chroot.d/both-sides <<END
[both-sides]
type=directory
directory=/mnt/root
union-type=overlay
root-users=root
setup.fstab=both-sides
setup.nssdatabases=
END`;
  return { box, server: ['schroot', 'both-sides'] };
}
