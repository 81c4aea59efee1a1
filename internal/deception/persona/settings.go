package persona

import (
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/image"
)

// debianSettings are the lines of Debian's configuration that say something to
// the machine; "@@N" stands for N bytes of explanation, which are our own words.
// `make image` writes it together with the indexes.
//
//go:embed images/debian-12-settings.txt
var debianSettings string

// settings is a configuration file: given lines, and words of our own between
// them. It is small and made whole whenever it is read.
type settings struct {
	text string
	mark string // of a comment
	key  uint64
}

// ReadAt implements vfs.Source.
func (s *settings) ReadAt(p []byte, off int64) {
	if b := s.whole(); off < int64(len(b)) {
		copy(p, b[off:])
	}
}

func (s *settings) whole() []byte {
	var b []byte
	gap := uint64(0)
	for line := range strings.Lines(s.text) {
		if n, ok := gapOf(line); ok {
			gap++
			b = appendWords(b, s.mark, n, s.key+gap)
			continue
		}
		b = append(b, line...)
	}
	return b
}

// size is the length of the whole.
func (s *settings) size() int64 {
	n := 0
	for line := range strings.Lines(s.text) {
		if gap, ok := gapOf(line); ok {
			n += gap
			continue
		}
		n += len(line)
	}
	return int64(n)
}

func gapOf(line string) (int, bool) {
	rest, ok := strings.CutPrefix(line, "@@")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSuffix(rest, "\n"))
	return n, err == nil && n >= 0 && n < 1<<16
}

// phrases say something in few words, for gaps too short for a sentence.
var phrases = strings.Split(`Paths
Limits
Logging
Options
Network
Security
Defaults
Local part
Time limits
Not required
Order matters
Local settings
Read at startup
One entry a line
Rarely necessary
See also the manual
Applies to all users
Needed by some programs
Kept for older programs
Checked at every login
Not used unless switched on
Standard settings of the service
Common part of several services
Only the administrator may change this
Uncomment to use another value
The value is the built-in default
Names and numbers are both accepted
Has no effect on sessions already open`, "\n")

// appendWords appends exactly n bytes of comment lines.
func appendWords(b []byte, mark string, n int, key uint64) []byte {
	for k := uint64(0); n > 0; k++ {
		room := n - len(mark) - 1
		if room < 1 {
			b = append(b, strings.Repeat("\n", n)...)
			return b
		}
		s := fitting(room, key+k)
		line := len(mark) + len(s) + 1
		b = append(append(b, mark...), s...)
		if n-line <= len(mark)+5 { // nothing more fits: blanks nobody sees
			b = append(b, strings.Repeat(" ", n-line)...)
			line = n
		}
		b = append(b, '\n')
		n -= line
	}
	return b
}

// fitting chooses something to say that is at most room long: where much room is
// left any sentence, at the end the longest that fits.
func fitting(room int, key uint64) string {
	best := ""
	for k := range uint64(len(sentences)) {
		s := sentences[mix(key+k)%uint64(len(sentences))]
		if room > 100 {
			return s
		}
		if len(s) <= room && len(s) > len(best) {
			best = s
		}
	}
	for k := range uint64(len(phrases)) {
		if s := phrases[mix(key+k)%uint64(len(phrases))]; len(s) <= room && len(s) > len(best) {
			best = s
		}
	}
	if best == "" {
		best = strings.Repeat("-", room)
	}
	return best
}

// configuration gives the configuration of packages its settings, where the
// index has a file of that length.
func (b *builder) configuration(texts string) {
	all, err := image.ParseTexts(texts)
	b.check(err)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		mark := "# "
		if strings.HasSuffix(path, ".ini") || strings.Contains(path, "/pool.d/") {
			mark = "; "
		}
		s := &settings{text: all[path], mark: mark, key: hashOf(path)}
		e, ok := b.h.Image.Find(path)
		if !ok || e.Mode&vfs.TypeMask != vfs.Regular || e.Size != s.size() {
			continue
		}
		if path == "/etc/ssh/sshd_config" { // the one setting attackers live on
			s.text = strings.Replace(s.text, "#PermitRootLogin prohibit-password", "PermitRootLogin yes", 1)
			e.Size, e.Mtime = s.size(), b.at.Add(47*time.Minute)
		}
		e.Source = s
		b.add(e)
	}
}

// fit puts a text of ours where the index has a file, with its facts, and fills
// it to the length the index states: comments at the line "@@", or at the end.
func (b *builder) fit(path, text string) {
	e, ok := b.h.Image.Find(path)
	if !ok {
		b.text(path, text)
		return
	}
	head, tail, marked := strings.Cut(text, "@@\n")
	if !marked {
		head, tail = text, ""
	}
	if missing := int(e.Size) - len(head) - len(tail); missing > 0 {
		head = string(appendWords([]byte(head), "# ", missing, hashOf(path)))
	}
	e.Text = head + tail
	b.add(e)
}
