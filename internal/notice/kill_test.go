package notice

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// killDir names the folder for the process that is going to be killed.
const killDir = "HONEYGUIDE_TEST_NOTICE_DIR"

// outside is a messenger whose other side is a file: what is written there has
// arrived, whatever becomes of the process.
type outside struct {
	fake
	file *os.File
}

func (o *outside) Send(_ context.Context, m respond.Message) (string, error) {
	if _, err := o.file.WriteString(m.ID + "\n"); err != nil {
		return "", err
	}
	_, err := os.Stdout.WriteString(m.ID + "\n")
	return m.ID, err
}

const killed = 300 // notices of the test

// victim posts all notices, as whoever was interrupted does again, and sends.
func victim(t *testing.T, dir string) {
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "arrived"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	box, err := New(with(func(c *Config) { c.Rate = 10_000 }), Deps{State: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := box.Open(map[string]respond.Messenger{"a": &outside{file: file}, "b": &outside{file: file}}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- box.Run(t.Context()) }()
	for n := range killed {
		if err := box.Post(t.Context(), honeyguide.Notice{ID: fmt.Sprintf("n%03d", n), Key: fmt.Sprint("k", n), Severity: honeyguide.SeverityHigh, Title: "t"}); err != nil {
			t.Fatal(err)
		}
	}
	for waits := true; waits; {
		err := store.View(t.Context(), func(tx state.Tx) error {
			queued, err := tx.Notices().Queued(t.Context())
			waits = len(queued) > 0
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	os.Stdout.WriteString("idle\n")
	<-done
}

// TestKill kills the process that sends over and over in the middle of its work.
// Every notice arrives on each channel; one that arrives twice has the same ID,
// and is one of the two that were on their way when the process died.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		victim(t, dir)
		return
	}
	t.Parallel()
	dir, r := t.TempDir(), rand.New(rand.NewPCG(3, 4))
	kills := 0
	for idle := false; !idle; kills++ {
		n := 1 + r.IntN(40)
		if kills > 40 {
			n = 1 << 30 // let it finish
		}
		idle = life(t, dir, n)
	}
	text, err := os.ReadFile(filepath.Join(dir, "arrived"))
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, id := range strings.Fields(string(text)) {
		times[id]++
	}
	twice := 0
	for n := range killed {
		for _, id := range []string{fmt.Sprintf("n%03d", n), fmt.Sprintf("n%03d.0.b", n)} {
			if times[id] == 0 {
				t.Errorf("%s never arrived", id)
			}
			twice += max(times[id]-1, 0)
		}
	}
	if len(times) != 2*killed || twice > 2*kills {
		t.Errorf("%d different ids of %d, %d arrived again after %d kills", len(times), 2*killed, twice, kills)
	}
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.View(t.Context(), func(tx state.Tx) error {
		for id := range times {
			n, err := tx.Notices().Get(t.Context(), id)
			if err != nil || n.State != honeyguide.NoticeSent || n.Ref != id {
				t.Errorf("%s: %+v, %v", id, n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d notices on 2 channels, %d kills, %d arrived again", killed, kills, twice)
}

// life runs the process until it has sent n messages, or has nothing to send any
// more, and kills it.
func life(t *testing.T, dir string, n int) (idle bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		idle = idle || lines.Text() == "idle"
		if n--; n == 0 || idle {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return idle
}
