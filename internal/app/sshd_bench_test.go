package app

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkAuthLog reads the log of an attacked SSH server, the input other
// products are measured with: groups of ten attackers, a thousand lines a group,
// 60 % failed passwords, 20 % unknown users, 10 % accepted, 10 % cron. BENCH_LINES
// says how many lines; 50,000 are what the others were given.
func BenchmarkAuthLog(b *testing.B) {
	n := setting("BENCH_LINES", 50_000)
	file := filepath.Join(b.TempDir(), "auth.log")
	if err := authLog(file, n); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := standard(b)
		s.Node.Data, s.Node.Memory, s.Sensors = b.TempDir(), int64(setting("BENCH_MEMORY", 0)), nil
		take(b, s, file, n)
	}
}

// authLog writes n lines with a time every 20 ms.
func authLog(file string, n int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	rnd := rand.New(rand.NewPCG(7, 7))
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	users := []string{"root", "admin", "ubuntu", "test", "oracle", "postgres", "git", "pi"}
	for i := range n {
		at := start.Add(time.Duration(i) * 20 * time.Millisecond).Format("2006-01-02T15:04:05.000000Z07:00")
		attacker := i/1000*10 + rnd.IntN(10)
		from := fmt.Sprintf("%d.%d.%d.%d port %d", 45+attacker>>16&63, attacker>>8&255, attacker&255, 7, 1024+rnd.IntN(60000))
		user, pid := users[rnd.IntN(len(users))], 1000+i%30000
		switch p := rnd.IntN(10); {
		case p < 6:
			fmt.Fprintf(w, "%s web1 sshd[%d]: Failed password for %s from %s ssh2\n", at, pid, user, from)
		case p < 8:
			fmt.Fprintf(w, "%s web1 sshd[%d]: Invalid user %s%d from %s\n", at, pid, user, rnd.IntN(100), from)
		case p < 9:
			fmt.Fprintf(w, "%s web1 sshd[%d]: Accepted password for %s from %s ssh2\n", at, pid, user, from)
		default:
			fmt.Fprintf(w, "%s web1 CRON[%d]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)\n", at, pid)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
