package behaviour

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/cmdline"
	"honeyguide/internal/detect"
)

// shellServices are the services whose commands are shell lines. The commands
// of others (SQL, Redis, FTP) are searched as text only.
var shellServices = []string{"", "ssh", "telnet", "adb", "rsh", "console"}

// runAfter is how long a fetched file makes a run of anything like it a
// download cradle.
const runAfter = 30 * time.Minute

// The lists of names the table writes as text.
var readerNames, downloaderNames = strings.Fields(readers), strings.Fields(downloaders)

// maxFiles bounds the names of fetched files remembered of one source.
const maxFiles = 16

func (d *detector) command(e *honeyguide.Event) {
	text := e.Str(honeyguide.AttrCommand)
	if text == "" {
		return
	}
	if !slices.Contains(shellServices, e.Service) {
		d.text(e, text)
		return
	}
	line := cmdline.Parse(text)
	s := d.sources.At(detect.Source(e))
	s.commands++
	ran := d.ranFetched(s, e, line)
	for _, m := range patterns.find(line) {
		r := &commandRules[m.rule].Rule
		switch {
		case r.ID == ruleRecon:
			d.recon(s, r, e, line, m.command)
		case r.ID == ruleExecute && ran:
			// said better by the cradle
		default:
			a := d.claim(r, e, "", text)
			if r.Category == malware || r.Category == persistence {
				observe(a, line, text)
			}
		}
	}
	if ran {
		observe(d.claim(&rules.cradle, e, "", text), line, text)
	}
	s.remember(e, line)
}

// text looks for what needs no shell syntax.
func (d *detector) text(e *honeyguide.Event, text string) {
	lower := strings.ToLower(text)
	line := &cmdline.Line{Text: lower}
	for _, m := range patterns.find(line) {
		d.claim(&commandRules[m.rule].Rule, e, "", text)
	}
}

// recon claims one question about the system; several different ones weigh
// more.
func (d *detector) recon(s *source, r *detect.Rule, e *honeyguide.Event, line *cmdline.Line, command int) {
	word := r.Techniques[0]
	if command >= 0 {
		c := &line.Commands[command]
		word = c.Name
		if slices.Contains(readerNames, c.Name) && len(c.Args) > 0 {
			word = c.Args[0]
		}
	}
	text := e.Str(honeyguide.AttrCommand)
	s.recon.Add(detect.Mark{At: detect.When(e), Event: e.ID, Word: clip64(word), Text: text}, d.cfg.ReconWindow)
	a := d.claim(r, e, "", text)
	if s.recon.Distinct("", d.cfg.ReconCount) {
		a.Severity, a.Title = rules.reconMany.Severity, rules.reconMany.Title
	}
}

// ranFetched reports whether the line runs what the source fetched, in this
// line or before.
func (d *detector) ranFetched(s *source, e *honeyguide.Event, line *cmdline.Line) bool {
	fetched := e.Time.Sub(s.fetched) < runAfter && !e.Time.Before(s.fetched)
	names := slices.Clone(s.files)
	if !fetched {
		names = nil
	}
	here := false
	for i := range line.Commands {
		c := &line.Commands[i]
		if isDownload(c) {
			here = true
			names = append(names, fileNames(c)...)
		}
		if (here || fetched) && runs(c, names) {
			return true
		}
	}
	return false
}

// runs reports whether c starts a dropped file or one of names.
func runs(c *cmdline.Command, names []string) bool {
	if dropped(c, nil) {
		return true
	}
	if !cmdline.IsShell(c.Name) && c.Name != "perl" && c.Name != "python" && c.Name != "python3" {
		return false
	}
	for _, a := range operands(c) {
		if slices.Contains(names, path.Base(a)) {
			return true
		}
	}
	return false
}

func isDownload(c *cmdline.Command) bool {
	return slices.Contains(downloaderNames, c.Name) && len(c.Args) > 0
}

// fileNames returns the names a downloader may write: the end of every operand.
func fileNames(c *cmdline.Command) []string {
	var out []string
	for _, a := range operands(c) {
		a, _, _ = strings.Cut(a, "?")
		if b := path.Base(a); b != "." && b != "/" && len(b) <= 128 {
			out = append(out, b)
		}
	}
	return out
}

// remember keeps the names of what a line fetches.
func (s *source) remember(e *honeyguide.Event, line *cmdline.Line) {
	for i := range line.Commands {
		if c := &line.Commands[i]; isDownload(c) {
			s.fetch(e.Time, fileNames(c)...)
		}
	}
}

func (s *source) fetch(at time.Time, names ...string) {
	s.fetched = at
	s.files = append(s.files, names...)
	if n := len(s.files); n > maxFiles {
		s.files = slices.Clone(s.files[n-maxFiles:])
	}
}

// sshKey finds a public key: what follows is the same in every line of one
// campaign, whatever the line looks like.
var sshKey = regexp.MustCompile(`(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d{3}) (AAAA[0-9A-Za-z+/]{40,})`)

// observe adds what the line shows beyond itself: URLs and keys, by which
// campaigns are recognised.
func observe(a *honeyguide.Alert, line *cmdline.Line, text string) {
	for i := range line.Commands {
		if c := &line.Commands[i]; isDownload(c) {
			for _, op := range operands(c) {
				if u := cleanURL(op); u != "" {
					a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "url.url_string", Type: "url", Value: u})
				}
			}
		}
	}
	if m := sshKey.FindStringSubmatch(text); m != nil {
		sum := sha256.Sum256([]byte(m[1]))
		a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "ssh_key", Type: "hash", Value: "ssh-key:" + hex.EncodeToString(sum[:8])})
	}
}

// cleanURL returns an operand of a downloader as a URL, "" when it is a mere
// name: wget takes 192.0.2.1/x as well as http://192.0.2.1/x.
func cleanURL(op string) string {
	op = clipN(strings.TrimSpace(op), 512)
	host, rest, slash := strings.Cut(op, "/")
	switch {
	case strings.Contains(op, "://"):
		return op
	case slash && rest != "" && strings.Contains(host, ".") && !strings.HasPrefix(host, "."):
		return "http://" + op
	}
	return ""
}

func clipN(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// download: a sensor saw the peer ask for a file.
func (d *detector) download(e *honeyguide.Event) {
	u := e.Str(honeyguide.AttrURL)
	s := d.sources.At(detect.Source(e))
	base, _, _ := strings.Cut(path.Base(u), "?")
	s.fetch(e.Time, clip64(base))
	a := d.claim(&rules.transfer, e, "", e.Str(honeyguide.AttrTool)+" "+u)
	a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "url.url_string", Type: "url", Value: clipN(u, 512)})
}

// fileWrite: what is written where tells as much as the command that does it.
func (d *detector) fileWrite(e *honeyguide.Event) {
	p := e.Str(honeyguide.AttrPath)
	text := "writes " + p
	sum := e.Str(honeyguide.AttrSHA256)
	observeHash := func(a *honeyguide.Alert) {
		// Tiny files are no sign of a campaign: everybody writes "ok".
		if sum != "" && e.Int(honeyguide.AttrSize) >= 32 {
			a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: "file.hash", Type: "hash", Value: clip64(sum)})
		}
	}
	told := false
	for _, c := range patterns.writes {
		if len(c.text) == 0 && containsAny([]string{p}, c.writes) {
			observeHash(d.claim(&commandRules[c.rule].Rule, e, "", text))
			told = true
		}
	}
	if !told && slices.ContainsFunc(stageDirs, func(dir string) bool { return strings.HasPrefix(p, dir) }) {
		s := d.sources.At(detect.Source(e))
		s.fetch(e.Time, clip64(path.Base(p)))
		observeHash(d.claim(&rules.dropped, e, "", text))
	}
}
