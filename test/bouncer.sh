#!/bin/sh
# Unpacks Debian's crowdsec-firewall-bouncer into DIR without installing it:
# nothing is configured and no service is started. Needs apt and the network.
#
#   sh test/bouncer.sh DIR
set -eu
dir=$1
[ ! -x "$dir/crowdsec-firewall-bouncer" ] || exit 0
command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1 || { echo "bouncer: this needs apt and dpkg" >&2; exit 1; }
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
apt-get download -qq crowdsec-firewall-bouncer >/dev/null 2>&1 ||
	{ apt-get update -qq >/dev/null 2>&1; apt-get download -qq crowdsec-firewall-bouncer >/dev/null; }
dpkg -x crowdsec-firewall-bouncer_*.deb x
cp x/usr/bin/crowdsec-firewall-bouncer "$dir/"
