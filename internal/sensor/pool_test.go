package sensor_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"

	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

// TestMemoryOfAllSessions lets many sources take all they can get, each in
// several sessions at once, and keep it: together they stay under the total, and
// somebody who only looks around is still served.
func TestMemoryOfAllSessions(t *testing.T) {
	const total = 24 << 20
	w := sensortest.NewWorld(t, func(c *sensor.WorldConfig) { c.Memory = total })
	enter := func(src string) *sensor.Login {
		s, _, _ := session(t, w, src)
		return w.Enter(s, sensor.ShellOptions{User: "root"})
	}
	runtime.GC()
	before := live()
	ctx, hangUp := context.WithCancel(t.Context())
	var greedy, ready sync.WaitGroup
	said := make([]lockedBuffer, 40)
	for i := range said {
		greedy.Add(1)
		ready.Add(1)
		go func() {
			defer greedy.Done()
			l := enter(netip.AddrFrom4([4]byte{198, 51, 100, byte(i / 2)}).String())
			r, in := io.Pipe()
			defer in.Close()
			go func() {
				<-ctx.Done()
				in.Close()
			}()
			once := sync.OnceFunc(ready.Done)
			defer once()
			said[i].on("filled", once)
			line := `head -c 3000000 /dev/zero | tr '\0' x > /tmp/f$$; x=a; while [ ${#x} -lt 4000000 ]; do y=$x$x || break; x=$y; done; echo filled; read z`
			l.Exec(ctx, line, r, &said[i], &said[i])
		}()
	}
	ready.Wait()
	runtime.GC()
	if grew := live() - before; grew > 2*total {
		t.Errorf("%d MiB are alive, %d were allowed", grew>>20, total>>20)
	}
	var out bytes.Buffer
	enter("203.0.113.9").Exec(t.Context(), "id; cd /tmp; echo hello > x; cat x; for i in 1 2 3; do x=$(ls / | wc -l); done; echo $x | grep -c .", strings.NewReader(""), &out, &out)
	if want := "uid=0(root) gid=0(root) groups=0(root)\nhello\n1\n"; out.String() != want {
		t.Errorf("a modest session gets %q", out.String())
	}
	hangUp()
	greedy.Wait()
	refused := 0
	for i := range said {
		if s := said[i].String(); strings.Contains(s, "cannot allocate") || strings.Contains(s, "No space left on device") {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d of %d were refused, in the words of bash or the disk: %s", refused, len(said), fmt.Sprintf("%.300q", said[0].String()))
	}
}

func live() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// A lockedBuffer keeps what is written and calls back when it holds a word.
type lockedBuffer struct {
	mu   sync.Mutex
	b    bytes.Buffer
	word string
	call func()
}

func (l *lockedBuffer) on(word string, call func()) { l.word, l.call = word, call }

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Write(p)
	if bytes.Contains(l.b.Bytes(), []byte(l.word)) {
		l.call()
	}
	return len(p), nil
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
