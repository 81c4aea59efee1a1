#!/bin/sh
# Installs the real clients that the tests attack the decoys with. Without root
# or apt it says what is missing; the tests that need it then skip and say so,
# except with CI=true, where nothing is skipped.
set -eu
# CrowdSec is unpacked and not installed: its package would start it and make this
# machine known to its central service.
unpacked=/usr/local/lib/honeyguide-test/crowdsec
if [ ! -e "$unpacked/usr/bin/crowdsec" ] && [ ! -e /usr/share/crowdsec/hub ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then
		echo "setup: unpacking crowdsec to $unpacked"
		apt-get update -qq >/dev/null || true
		ls /usr/lib/*/libsqlite3.so.0 >/dev/null 2>&1 || apt-get install -y -qq --no-install-recommends libsqlite3-0 >/dev/null
		at=$(mktemp -d)
		(cd "$at" && apt-get download -qq crowdsec >/dev/null 2>&1 && mkdir -p "$unpacked" && dpkg -x crowdsec_*.deb "$unpacked") ||
			echo "setup: there is no package of crowdsec; the test that uses it is skipped"
		rm -rf "$at"
	else
		echo "setup: missing crowdsec; unpacking it needs root and apt, or the test that uses it is skipped"
	fi
fi
# A real CrowdSec bouncer, unpacked and not installed: its package would start a service.
sh "$(dirname "$0")/bouncer.sh" "$(dirname "$0")/../bin" || echo "setup: no CrowdSec bouncer; the test that uses it is skipped"
# Let's Encrypt's test authority, for the test of ACME.
if [ ! -e "$(dirname "$0")/../bin/pebble" ] && ! command -v pebble >/dev/null 2>&1; then
	GOBIN="$(cd "$(dirname "$0")/.." && pwd)/bin" "${GO:-go}" install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1 2>/dev/null || echo "setup: no pebble; the test of ACME is skipped"
fi
missing=""
for pair in ssh:openssh-client plink:putty-tools dbclient:dropbear-bin rsync:rsync telnet:telnet curl:curl nmap:nmap strace:strace logger:bsdutils rsyslogd:rsyslog promtool:prometheus nft:nftables ip:iproute2 nsenter:util-linux pdftotext:poppler-utils exim4:exim4-daemon-light hping3:hping3 sysctl:procps slowhttptest:slowhttptest chromium:chromium minisign:minisign 7z:p7zip-full; do
	command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
# rsyslog's TLS is a module of its own.
ls /usr/lib/*/rsyslog/lmnsd_gtls.so >/dev/null 2>&1 || missing="$missing rsyslog-gnutls"
# CrowdSec's own set-up asks the internet and fails without: its programs are enough.
crowdsec=""
command -v crowdsec >/dev/null 2>&1 && command -v cscli >/dev/null 2>&1 || crowdsec="crowdsec"
[ -n "$missing$crowdsec" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "setup: installing$missing $crowdsec"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null || true
	# shellcheck disable=SC2086 # a list of package names
	# RUNLEVEL=1: no daemon that comes with a package is started.
	[ -z "$missing" ] || RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
	if [ -n "$crowdsec" ]; then
		dir=$(mktemp -d)
		(cd "$dir" && apt-get download -qq crowdsec && dpkg -x crowdsec_*.deb x && install -m 755 x/usr/bin/crowdsec x/usr/bin/cscli /usr/local/bin/) || echo "setup: crowdsec cannot be had"
		rm -r "$dir"
	fi
else
	echo "setup: missing$missing $crowdsec; install them (needs root and apt) or the tests that use them are skipped"
fi
