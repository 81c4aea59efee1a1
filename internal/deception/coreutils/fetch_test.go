package coreutils_test

import (
	"strings"
	"testing"
)

const (
	curlHelp  = "curl: try 'curl --help' or 'curl --manual' for more information\n"
	curlMeter = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n" +
		"\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
)

// TestFetchTexts is recorded from wget 1.21.3 and curl 7.88.1 of Debian 12.
func TestFetchTexts(t *testing.T) {
	b := newBench(t, "debian-12")
	b.write("/root/list", "http://127.0.0.1:81/a\n", 0o644)
	const stamp = "--2026-11-21 09:30:00--  "
	for _, tc := range []struct {
		line, out, err string
		status         int
	}{
		{"wget http://127.0.0.1:81/x", "", stamp + "http://127.0.0.1:81/x\nConnecting to 127.0.0.1:81... failed: Connection refused.\n", 4},
		{"wget -nv http://127.0.0.1:81/", "", "failed: Connection refused.\n", 4},
		{"wget foo://bar/x", "", "foo://bar/x: Unsupported scheme ‘foo’.\n", 1},
		{"wget http://", "", "http://: Invalid host name.\n", 1},
		{"wget http://127.0.0.1:99999/x", "", "http://127.0.0.1:99999/x: Bad port number.\n", 1},
		{"wget http://[::1/x", "", "http://[::1/x: Unterminated IPv6 numeric address.\n", 1},
		{"wget ftp://127.0.0.1/x", "", stamp + "ftp://127.0.0.1/x\n           => ‘x’\nConnecting to 127.0.0.1:21... failed: Connection refused.\n", 4},
		{"wget -O /nodir/x http://127.0.0.1:81/", "", "/nodir/x: No such file or directory\n", 1},
		{"wget --spider http://127.0.0.1:81/", "", "Spider mode enabled. Check if remote file exists.\n" + stamp + "http://127.0.0.1:81/\nConnecting to 127.0.0.1:81... failed: Connection refused.\n", 4},
		{"wget -i /nosuch", "", "/nosuch: No such file or directory\nNo URLs found in /nosuch.\n", 0},
		{"wget -i list", "", stamp + "http://127.0.0.1:81/a\nConnecting to 127.0.0.1:81... failed: Connection refused.\n", 4},
		{"wget -T abc x", "", "wget: --timeout: Invalid time period ‘abc’\n", 2},
		{"wget --post-data=x --post-file=y http://127.0.0.1:81/", "", "You cannot specify both --post-data and --post-file.\n", 1},
		{"wget -nc -O list y", "", "File ‘list’ already there; not retrieving.\n", 1},
		{"curl", "", curlHelp, 2},
		{"curl -s", "", "curl: no URL specified!\n" + curlHelp, 2},
		{"curl -o", "", "curl: option -o: requires parameter\n" + curlHelp, 2},
		{"curl --nosuch x", "", "curl: option --nosuch: is unknown\n" + curlHelp, 2},
		{"curl -m abc http://x/", "", "curl: option -m: expected a proper numerical parameter\n" + curlHelp, 2},
		{"curl http://127.0.0.1:81/", "", curlMeter + "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\ncurl: (7) Failed to connect to 127.0.0.1 port 81 after 0 ms: Couldn't connect to server\n", 7},
		{"curl -s http://127.0.0.1:81/", "", "", 7},
		{"curl -f -# http://127.0.0.1:81/", "", "curl: (7) Failed to connect to 127.0.0.1 port 81 after 0 ms: Couldn't connect to server\n\n", 7},
		{"curl -sS foo://bar/x", "", "curl: (1) Protocol \"foo\" not supported or disabled in libcurl\n", 1},
		{"curl http://", "", "curl: (3) URL using bad/illegal format or missing URL\n", 3},
		{"curl http://[::1/x", "", "curl: (3) bad range specification in URL position 9:\nhttp://[::1/x\n        ^\n", 3},
		{"curl -sS file:///nosuch", "", "curl: (37) Couldn't open file /nosuch\n", 37},
		{"curl -sS file:///root/list", "http://127.0.0.1:81/a\n", "", 0},
		{"curl -O http://127.0.0.1:81/", "", "curl: Remote file name has no length!\ncurl: (23) Failed writing received data to disk/application\n", 23},
		{"curl -sw %{http_code}\\n -o /dev/null http://127.0.0.1:81/", "000\n", "", 7},
		{"curl -T /nosuch http://127.0.0.1:81/", "", "curl: Can't open '/nosuch'!\n" + curlHelp + "curl: (26) Failed to open/read local data from file/application\n", 26},
		{"curl -F a http://127.0.0.1:81", "", "Warning: Illegally formatted input field!\ncurl: option -F: is badly used here\n" + curlHelp, 2},
		{"curl -K /nosuch", "", "curl: cannot read config from '/nosuch'\ncurl: option -K: error encountered when reading a file\n" + curlHelp, 26},
		{"curl -vs http://127.0.0.1:81/", "", "*   Trying 127.0.0.1:81...\n* connect to 127.0.0.1 port 81 failed: Connection refused\n* Failed to connect to 127.0.0.1 port 81 after 0 ms: Couldn't connect to server\n* Closing connection 0\n", 7},
	} {
		b.now = moment
		out, errs, status := b.run("", strings.Fields(tc.line)...)
		if out != tc.out || errs != tc.err || status != tc.status {
			t.Errorf("%s: %q, %q, %d; want %q, %q, %d", tc.line, out, errs, status, tc.out, tc.err, tc.status)
		}
	}
}

// TestWgetInTheBackground writes what it has to say to wget-log.
func TestWgetInTheBackground(t *testing.T) {
	b := newBench(t, "debian-12")
	out, errs, status := b.run("", "wget", "-b", "http://127.0.0.1:81/")
	if status != 0 || errs != "" || !strings.HasSuffix(out, ".\nOutput will be written to ‘wget-log’.\n") {
		t.Errorf("%q, %q, %d", out, errs, status)
	}
	if log := b.read("/root/wget-log"); !strings.HasSuffix(log, "Connection refused.\n") {
		t.Errorf("log %q", log)
	}
}
