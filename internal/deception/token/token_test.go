package token_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/token"
)

var (
	key  = []byte("0123456789abcdef0123456789abcdef")
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func minter(t testing.TB) *token.Minter {
	t.Helper()
	m, err := token.NewMinter(key, token.Place{Host: "db-01.decoy.internal"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// starter mints one token of each kind.
func starter(t testing.TB) []*token.Token {
	t.Helper()
	var out []*token.Token
	for _, s := range token.StarterSpecs("debian-12", "ssh", "backup") {
		tok, err := minter(t).Mint(s, noon)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tok)
	}
	return out
}

func registry(t testing.TB, tokens ...*token.Token) *token.Registry {
	t.Helper()
	r, err := token.NewRegistry(tokens...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The account numbers are those published with the keys.
func TestAWSAccount(t *testing.T) {
	for id, want := range map[string]uint64{
		"ASIAY34FZKBOKMUTVV7A": 609629065308, "ASIAQNZGKIQY56JQ7WML": 29608264753,
		"AKIAIOSFODNN7EXAMPLE": 581039954779, "AKIA6VZT6IANMRBKKWJW": 1008889380890,
		"AKIA7WNWE5SEBPIZFY67": 1078955666568, "AKIA7FU6RXYWFVGWTPXV": 1042935823916,
	} {
		if got, err := token.AWSAccount(id); err != nil || got != want {
			t.Errorf("AWSAccount(%s) = %d, %v, want %d", id, got, err, want)
		}
	}
	if _, err := token.AWSAccount("AKIAEXAMPLE0000000000"); err == nil {
		t.Error("a key id that is no base32 decodes")
	}
}

func TestMintedTokensAreProvenAndUnique(t *testing.T) {
	m, seen := minter(t), map[string]bool{}
	usual := regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`)
	for i := range 3000 {
		spec := token.StarterSpecs("debian-12", "ssh", "backup")[i%3]
		tok, err := m.Mint(spec, noon)
		if err != nil {
			t.Fatal(err)
		}
		v := tok.Values()[0]
		if spec.Kind == token.KindPassword {
			// 22 bits repeat now and then; the registry refuses that.
			if err := token.Prove(spec.Kind, v.Text); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if seen[v.Text] {
			t.Fatal("a planted string twice")
		}
		seen[v.Text] = true
		if err := token.Prove(spec.Kind, v.Text, "db-01.decoy.internal"); err != nil {
			t.Fatal(err)
		}
		if spec.Kind == token.KindAWSKey {
			if a, err := token.AWSAccount(v.Text); err != nil || a < 1e12 || a >= 1<<40 || !usual.MatchString(v.Text) {
				t.Fatalf("key id with account %d, %v", a, err)
			}
			if s := tok.Values()[1].Text; len(s) != 40 {
				t.Fatalf("secret of %d characters", len(s))
			}
		}
	}
}

func TestProveRefusesWhatMayBeReal(t *testing.T) {
	for _, c := range []struct{ kind, value string }{
		{token.KindAWSKey, "ASIAY34FZKBOKMUTVV7A"},
		{token.KindDBURL, "postgres://app:secret@db.company.com/x"},
		{token.KindDBURL, "postgres://app:secret@10.0.0.5/x"},
		{token.KindPassword, "hunter2hunter2"},
		{token.KindPassword, "SummerWinter24"},
		{"github", "ghp_x"},
	} {
		err := token.Prove(c.kind, c.value)
		if !errors.Is(err, token.ErrUnproven) {
			t.Errorf("Prove(%s) = %v, want ErrUnproven", c.kind, err)
		} else if strings.Contains(err.Error(), c.value) {
			t.Errorf("the error shows the value: %v", err)
		}
	}
	for _, c := range []struct{ kind, value string }{
		{token.KindAWSKey, "AKIAEXAMPLE0000000000"},
		{token.KindDBURL, "postgres://a:b@db.example/x"},
		{token.KindDBURL, "postgres://a:b@192.0.2.7:5432/x"},
		{token.KindPassword, "FAKE_PASSWORD_HONEYPOT_2023"},
	} {
		if err := token.Prove(c.kind, c.value); err != nil {
			t.Error(err)
		}
	}
}

func TestRestoreMakesTheSameStrings(t *testing.T) {
	for _, tok := range starter(t) {
		again, err := minter(t).Restore(tok.Public())
		if err != nil {
			t.Fatal(err)
		}
		if again.Values()[0].Text != tok.Values()[0].Text || again.Public() != tok.Public() {
			t.Errorf("%s: restored another token", tok)
		}
		other, _ := token.NewMinter([]byte("another secret of 32 bytes......"), token.Place{Host: "x"})
		if _, err := other.Restore(tok.Public()); err == nil {
			t.Error("restored with another secret")
		}
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	toks := starter(t)
	reg := registry(t, toks...)
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	for _, tok := range toks {
		js, _ := json.Marshal([]any{tok, tok.Public(), tok.Values(), tok.Credentials(), tok.Render(nil)})
		nested := struct{ T any }{struct{ t *token.Token }{tok}}
		fmt.Fprintf(&out, "%v %+v %#v %s %q %d %+v %v %#v %v %v\n%s", tok, tok, tok, tok, tok, tok, nested, tok.Values(), tok.Values(), tok.Credentials(), tok.Render(nil), js)
		log.Info("token", "token", tok, "values", tok.Values(), "credentials", tok.Credentials())
	}
	fmt.Fprintf(&out, "%v %+v %#v %+v %#v", reg, reg, *reg, minter(t), minter(t))
	log.Info("registry", "registry", reg)
	if hits := reg.Match(out.Bytes()); len(hits) > 0 {
		t.Errorf("planted strings printed: %+v", hits)
	}
	if strings.Contains(out.String(), string(key)) {
		t.Error("the secret is printed")
	}
}

func TestMatchFindsEveryForm(t *testing.T) {
	toks := starter(t)
	reg := registry(t, toks...)
	for _, tok := range toks {
		for _, n := range tok.Needles() {
			s := string(n)
			forms := map[string]string{
				"plain": "x" + s + "y", "url": "a=" + url.QueryEscape(s) + "&b", "hex": hex.EncodeToString(n),
				"basic": base64.StdEncoding.EncodeToString([]byte("backup:" + s)),
				"b64-0": base64.StdEncoding.EncodeToString([]byte(s + "\n")),
				"b64-1": base64.URLEncoding.EncodeToString([]byte("u" + s + ":more")),
				"b64-2": base64.RawURLEncoding.EncodeToString([]byte("us" + s)),
			}
			for name, text := range forms {
				hits := reg.Match([]byte(text))
				if len(hits) == 0 || hits[0].Token != tok.ID() {
					t.Errorf("%s of a %s %s: %+v", name, tok.Public().Kind, name, hits)
				}
			}
		}
	}
	if hits := reg.Match(bytes.Repeat([]byte("root:x:0:0:root:/root:/bin/bash\n"), 1000)); len(hits) > 0 {
		t.Errorf("found in nothing: %+v", hits)
	}
}

// Whatever the pieces, a scanner finds what Match finds.
func TestScannerFindsAcrossPieces(t *testing.T) {
	toks := starter(t)
	reg := registry(t, toks...)
	var text []byte
	for _, tok := range toks {
		text = append(text, bytes.Repeat([]byte("0123456789 some terminal output\r\n"), 700)...)
		text = append(text, tok.Render(nil).Content...)
	}
	want := reg.Match(text)
	if len(want) != 4 { // key id, secret and two passwords
		t.Fatalf("Match: %+v", want)
	}
	for _, size := range []int{1, 2, 7, 11, 12, 13, 100, 4096, len(text)} {
		s := reg.Scanner()
		var got []token.Hit
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			got = append(got, s.Write(rest[:n])...)
			rest = rest[n:]
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("pieces of %d: %+v, want %+v", size, got, want)
		}
	}
}

func TestUses(t *testing.T) {
	toks := starter(t)
	reg := registry(t, toks...)
	pw := toks[2].Credentials()[0]
	e := honeyguide.Event{ID: "e1", Time: noon, Activity: honeyguide.ActivityLoginSuccess, Service: "telnet", Session: "s9"}
	e.Set(honeyguide.AttrUser, pw.User)
	e.Set(honeyguide.AttrPassword, pw.Password)
	got := reg.Uses(&e)
	if len(got) != 1 || got[0].Str(honeyguide.AttrToken) != toks[2].ID() || got[0].Str(honeyguide.AttrWhere) != "password" ||
		got[0].Severity != honeyguide.SeverityCritical || got[0].Session != "s9" {
		t.Fatalf("got %+v", got)
	}
	if again := reg.Uses(&e); again[0].ID != got[0].ID {
		t.Error("a replay gives another id")
	}
	if hits := reg.Match([]byte(fmt.Sprint(got[0].Attrs))); len(hits) > 0 {
		t.Error("the use event repeats the planted string")
	}
	e.Activity = honeyguide.ActivityTokenExposed
	if got := reg.Uses(&e); got != nil {
		t.Errorf("an exposure counts as use: %+v", got)
	}
	raw := honeyguide.Event{ID: "e2", Time: noon, Activity: honeyguide.ActivityFinding, Raw: []byte(`{"k":"` + toks[0].Values()[0].Text + `"}`)}
	if got := reg.Uses(&raw); len(got) != 1 {
		t.Errorf("raw bytes: %+v", got)
	}
}

func TestRegistryRefusesTwins(t *testing.T) {
	tok := starter(t)[0]
	if _, err := token.NewRegistry(tok, tok); err == nil {
		t.Error("one token twice")
	}
	if _, err := token.NewNeedles(map[string][][]byte{"x": {[]byte("short")}}); err == nil {
		t.Error("a needle too short to search for")
	}
	r, err := token.NewNeedles(map[string][][]byte{"x": {[]byte("long enough needle")}})
	if err != nil {
		t.Fatal(err)
	}
	if h := r.Match([]byte("a long enough needle.")); len(h) != 1 || h[0].Token != "x" {
		t.Errorf("got %+v", h)
	}
	var none *token.Registry
	if none.Match([]byte("x")) != nil || none.Scanner().Write([]byte("y")) != nil {
		t.Error("a nil registry finds something")
	}
}

func TestRender(t *testing.T) {
	for _, tok := range starter(t) {
		f := tok.Render(nil)
		if f.Path != tok.Public().Path || len(registry(t, tok).Match(f.Content)) == 0 || f.Content[len(f.Content)-1] != '\n' {
			t.Errorf("%s: %q", tok, f.Content)
		}
		if got := token.Lint(f.Content, nil, "db-01.decoy.internal"); tok.Public().Kind == token.KindDBURL && len(got) > 0 {
			t.Errorf("%s: linter: %+v", tok, got)
		}
		if got := token.Lint(f.Content, registry(t, tok), "db-01.decoy.internal"); len(got) > 0 {
			t.Errorf("%s: linter: %+v", tok, got)
		}
	}
	hist := string(starter(t)[2].Render([]byte("one\ntwo\nthree\n")).Content)
	if !strings.HasPrefix(hist, "one\ntwo\nsshpass -p ") || !strings.HasSuffix(hist, "\nthree\n") {
		t.Errorf("history: %q", hist)
	}
}

func TestLintFindsWhatMayBeReal(t *testing.T) {
	text := []byte("a\nkey ASIAY34FZKBOKMUTVV7A\nurl postgres://u:p@db.company.com/x\n-----BEGIN OPENSSH PRIVATE KEY-----\nAKIA6VZT6IANMRBKKWJW\n")
	got := token.Lint(text, nil)
	if len(got) != 3 || got[0].Line != 2 || got[1].Line != 3 || got[2].Line != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestRedact(t *testing.T) {
	toks := starter(t)
	reg := registry(t, toks...)
	line := "sshpass -p " + toks[2].Credentials()[0].Password + " ssh x"
	if got := reg.Redact(line); got != "sshpass -p [honeytoken] ssh x" {
		t.Errorf("got %q", got)
	}
	if got := reg.Redact("plain"); got != "plain" {
		t.Errorf("got %q", got)
	}
}

func FuzzScanner(f *testing.F) {
	reg, err := token.NewNeedles(map[string][][]byte{"x": {[]byte("needle in a haystack")}, "y": {[]byte("aaaaaaaaaaaaaaaa")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("a needle in a haystack"), 3)
	f.Add(bytes.Repeat([]byte("a"), 40), 1)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		if size < 1 || size > 1<<20 {
			return
		}
		s, found := reg.Scanner(), map[string]bool{}
		for rest := text; len(rest) > 0; {
			n := min(size, len(rest))
			for _, h := range s.Write(rest[:n]) {
				found[h.Token+h.Form] = true
			}
			rest = rest[n:]
		}
		for _, h := range reg.Match(text) {
			if !found[h.Token+h.Form] {
				t.Fatalf("pieces of %d lose %+v", size, h)
			}
			delete(found, h.Token+h.Form)
		}
		if len(found) > 0 {
			t.Fatalf("pieces of %d invent %v", size, found)
		}
	})
}

func FuzzLint(f *testing.F) {
	f.Add([]byte("postgres://a:b@c/d AKIA6VZT6IANMRBKKWJW"))
	f.Fuzz(func(_ *testing.T, text []byte) { token.Lint(text, nil) })
}

func BenchmarkScanner(b *testing.B) {
	var toks []*token.Token
	for range 33 {
		toks = append(toks, starter(b)...)
	}
	reg := registry(b, toks...)
	text := bytes.Repeat([]byte("drwxr-xr-x 2 root root 4096 Mar  1 12:00 portal\r\n"), 84)
	b.SetBytes(int64(len(text)))
	s := reg.Scanner()
	for b.Loop() {
		s.Write(text)
	}
}
