#!/bin/sh
# Makes the shipped indexes from Debian's own packages: a server root, a kernel
# on top of it, and services on top of both. Needs root, debootstrap and a Debian
# mirror (MIRROR, default deb.debian.org). Nothing of the roots is kept but facts.
set -eu
out=internal/deception/persona/images
mirror=${MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" = 0 ] || { echo "image: debootstrap needs root"; exit 1; }
command -v debootstrap >/dev/null || { echo "image: install debootstrap first"; exit 1; }
tmp=$(mktemp -d)
trap 'umount "$tmp/root/proc" 2>/dev/null || true; rm -rf "$tmp"' EXIT
since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
list() { tr '\n' ' ' <"$out/$1.packages"; }
build() {
	name=$1
	shift
	./bin/honeyguide image build --from-rootfs "$tmp/root" --name "$name" --sorted --since "$since" -o "$out/$name.hgi" "$@"
}
add() {
	mount -t proc proc "$tmp/root/proc"
	# shellcheck disable=SC2046 # a list of package names
	DEBIAN_FRONTEND=noninteractive chroot "$tmp/root" apt-get install -y -q --no-install-recommends $(list "$1")
	umount "$tmp/root/proc"
}

debootstrap --variant=minbase bookworm "$tmp/root" "$mirror"
printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s-security bookworm-security main\n' "$mirror" "$mirror" "$mirror" >"$tmp/root/etc/apt/sources.list"
printf '#!/bin/sh\nexit 101\n' >"$tmp/root/usr/sbin/policy-rc.d"
chmod 755 "$tmp/root/usr/sbin/policy-rc.d"
chroot "$tmp/root" apt-get update -q
add debian-12
build debian-12
add debian-12-kernel
build debian-12-kernel --base "$out/debian-12.hgi"
add debian-12-server
# Something of the list brings gawk; a server's awk is mawk all the same.
chroot "$tmp/root" update-alternatives --set awk /usr/bin/mawk || true
build debian-12-server --base "$out/debian-12.hgi" --base "$out/debian-12-kernel.hgi" --settings "$out/debian-12-settings.txt"
echo "image: now set the kernel in internal/deception/persona/base.go (indexedRelease) to the one in $out/debian-12-kernel.hgi"
