package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// maxText bounds a text of a profile, in bytes: commands may be very long.
const maxText = 1 << 10

// A gatherer sums up the events of one attacker, newest first.
type gatherer struct {
	credentials map[[3]string]*Credential
	texts       map[[2]string]*SeenText // by kind and text
	files       map[string]*SeenFile
}

func newGatherer() *gatherer {
	return &gatherer{credentials: map[[3]string]*Credential{}, texts: map[[2]string]*SeenText{}, files: map[string]*SeenFile{}}
}

// telling are the attributes clients are told apart by, and their kinds.
var telling = []struct{ attr, kind string }{
	{honeyguide.AttrClient, "software"},
	{honeyguide.AttrHASSH, "hassh"},
	{honeyguide.AttrUserAgent, "user_agent"},
	{honeyguide.AttrKeyFingerprint, "key"},
	{"tls.ja3_hash.value", "ja3"},
	{"tls.ja4", "ja4"},
	{"ja4", "ja4"},
	{"ja4h", "ja4"},
}

func (g *gatherer) add(e *honeyguide.Event) {
	switch e.Activity {
	case honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess:
		g.credential(e)
	case honeyguide.ActivityCommand:
		g.text("command", e.Str(honeyguide.AttrCommand), e.Time)
		g.text("tool", program(e.Str(honeyguide.AttrCommand)), e.Time)
	}
	g.text("tool", e.Str(honeyguide.AttrTool), e.Time)
	g.text("url", e.Str(honeyguide.AttrURL), e.Time)
	for _, x := range telling {
		g.text(x.kind, e.Str(x.attr), e.Time)
	}
	if sum := e.Str(honeyguide.AttrSHA256); sum != "" && e.Activity != honeyguide.ActivityFileRead {
		f := g.files[sum]
		if f == nil {
			f = &SeenFile{SHA256: sum, LastAt: e.Time}
			g.files[sum] = f
		}
		f.N++
		f.Path, f.Type, f.Size = cmp.Or(f.Path, state.Clip(e.Str(honeyguide.AttrPath), maxText)), cmp.Or(f.Type, e.Str(honeyguide.AttrFileType)), max(f.Size, e.Int(honeyguide.AttrSize))
	}
}

func (g *gatherer) credential(e *honeyguide.Event) {
	k := [3]string{state.Clip(e.Str(honeyguide.AttrUser), maxText), state.Clip(e.Str(honeyguide.AttrPassword), maxText), e.Str(honeyguide.AttrKeyFingerprint)}
	c := g.credentials[k]
	if c == nil {
		c = &Credential{User: k[0], Password: k[1], Key: k[2], LastAt: e.Time}
		g.credentials[k] = c
	}
	c.N++
	c.Worked = c.Worked || e.Activity == honeyguide.ActivityLoginSuccess
	if e.Time.After(c.LastAt) {
		c.LastAt = e.Time
	}
}

func (g *gatherer) text(kind, text string, at time.Time) {
	if text == "" {
		return
	}
	k := [2]string{kind, state.Clip(text, maxText)}
	x := g.texts[k]
	if x == nil {
		x = &SeenText{Text: k[1], FirstAt: at, LastAt: at}
		g.texts[k] = x
	}
	x.N++
	if at.Before(x.FirstAt) {
		x.FirstAt = at
	}
	if at.After(x.LastAt) {
		x.LastAt = at
	}
}

// program is the program a command line begins with, "" when it is no plain name.
func program(line string) string {
	words := strings.Fields(line)
	for len(words) > 0 && (words[0] == "sudo" || words[0] == "nohup" || words[0] == "busybox" || words[0] == "/bin/busybox") {
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	name := path.Base(strings.TrimRight(words[0], ";&|"))
	if len(name) > 32 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._+-", r))
	}) {
		return ""
	}
	return name
}

// top returns the most frequent of a kind.
func (g *gatherer) top(kind string) []SeenText {
	out := []SeenText{}
	for k, x := range g.texts {
		if k[0] == kind {
			out = append(out, *x)
		}
	}
	slices.SortFunc(out, func(a, b SeenText) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Text, b.Text)) })
	return out[:min(len(out), profileTop)]
}

// into writes what was gathered into a profile.
func (g *gatherer) into(p *Profile) {
	for _, c := range g.credentials {
		p.Credentials = append(p.Credentials, *c)
	}
	slices.SortFunc(p.Credentials, func(a, b Credential) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.User, b.User), cmp.Compare(a.Password, b.Password), cmp.Compare(a.Key, b.Key))
	})
	p.Credentials = p.Credentials[:min(len(p.Credentials), profileTop)]
	p.Commands, p.Tools, p.URLs = g.top("command"), g.top("tool"), g.top("url")
	for _, kind := range []string{"software", "hassh", "ja4", "ja3", "key", "user_agent"} {
		for _, x := range g.top(kind) {
			if len(p.Clients) < profileTop {
				p.Clients = append(p.Clients, Fingerprint{kind, x})
			}
		}
	}
	for _, f := range g.files {
		p.Files = append(p.Files, *f)
	}
	slices.SortFunc(p.Files, func(a, b SeenFile) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.SHA256, b.SHA256)) })
	p.Files = p.Files[:min(len(p.Files), profileTop)]
}

// A mark is something by which sources are compared.
type mark struct {
	q      eventlog.Query
	weight float64
	reason string
}

// marks returns what others may share, the most telling first.
func (g *gatherer) marks(p *Profile) (out []mark) {
	for _, f := range p.Files[:min(len(p.Files), 5)] {
		out = append(out, mark{eventlog.Query{Attr: map[string]string{honeyguide.AttrSHA256: f.SHA256}}, 40, "brought the same file " + f.SHA256[:min(len(f.SHA256), 12)]})
	}
	n := 0
	for _, c := range p.Clients {
		if attr := map[string]string{"hassh": honeyguide.AttrHASSH, "key": honeyguide.AttrKeyFingerprint, "ja4": "tls.ja4"}[c.Kind]; attr != "" && n < 3 {
			n++
			out = append(out, mark{eventlog.Query{Attr: map[string]string{attr: c.Text}}, 25, "has the same " + map[string]string{"hassh": "SSH fingerprint (HASSH)", "key": "SSH key", "ja4": "TLS fingerprint (JA4)"}[c.Kind]})
		}
	}
	for _, c := range p.Credentials[:min(len(p.Credentials), 5)] {
		if c.Password != "" {
			out = append(out, mark{eventlog.Query{Attr: map[string]string{honeyguide.AttrUser: c.User, honeyguide.AttrPassword: c.Password}}, 15, "tried " + c.User + " / " + c.Password})
		}
	}
	return out
}

// lookAlike finds other sources that share what is telling. What everybody has
// says little: a mark weighs less the more sources have it.
func (s *server) lookAlike(ctx context.Context, self netip.Prefix, g *gatherer, p *Profile) error {
	quick, done := context.WithTimeout(ctx, sameTime)
	defer done()
	found := map[string]*LooksSame{}
	for _, m := range g.marks(p) {
		m.q.From = p.Since
		list, err := s.dep.Events.Top(quick, m.q, eventlog.DimSrc, 200)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			p.SameCut = true
			break
		}
		if err != nil {
			return eventError(err)
		}
		others := 0
		for _, x := range list {
			if x.Value != self.Addr().String() {
				others++
			}
		}
		for _, x := range list {
			if x.Value == self.Addr().String() {
				continue
			}
			a := found[x.Value]
			if a == nil {
				a = &LooksSame{Address: x.Value, Reasons: []string{}}
				found[x.Value] = a
			}
			a.Score += m.weight / math.Log2(1+float64(others))
			with := "nobody else"
			if others > 1 {
				with = fmt.Sprintf("%d others", others-1)
				if len(list) == 200 {
					with = "very many others"
				}
			}
			a.Reasons = append(a.Reasons, m.reason+" (so did "+with+")")
		}
	}
	for _, a := range found {
		if a.Score = math.Round(min(a.Score, 100)*10) / 10; a.Score >= 5 {
			p.Same = append(p.Same, *a)
		}
	}
	slices.SortFunc(p.Same, func(a, b LooksSame) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Address, b.Address))
	})
	p.Same = p.Same[:min(len(p.Same), sameShown)]
	return s.dep.State.View(ctx, func(tx state.Tx) error {
		for i := range p.Same {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Src: p.Same[i].Address, Page: state.Page{Limit: 1}})
			if err != nil {
				return err
			}
			if len(list) > 0 {
				p.Same[i].Country, p.Same[i].Alerts = list[0].Src.Country, true
			}
		}
		return nil
	})
}
