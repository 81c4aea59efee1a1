package evidence

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Typing is how a session's input came: what tells a person from a program.
type Typing struct {
	Reads     int     `json:"reads"`  // pieces the input came in
	Keys      int     `json:"keys"`   // characters and control keys
	Single    int     `json:"single"` // pieces of one key
	MedianGap float64 `json:"median_gap_ms"`
	LF        int     `json:"lf"`      // line feeds used as Enter: nearly only programs do
	CR        int     `json:"cr"`      // what an Enter key sends
	Edits     int     `json:"edits"`   // deletions, cursor keys, Tab, Ctrl-C, Ctrl-R
	Pastes    int     `json:"pastes"`  // bracketed pastes
	Verdict   string  `json:"verdict"` // human, bot or unknown
	Reason    string  `json:"reason"`
}

// Bounds of what is looked at, and of the pace people type at.
const (
	maxTypingLine = 1 << 20
	maxGaps       = 20_000
	fastest       = 15.0   // ms between two keys: below, nobody types
	thinking      = 5000.0 // ms: above, somebody thinks
)

// ReadTyping reads a recording (asciicast version 3) and sums up how its input
// came. Lines that are none of ours are passed over.
func ReadTyping(r io.Reader) (Typing, error) {
	var t Typing
	var gaps []float64
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxTypingLine)
	since, terminal := 0.0, false
	for lines.Scan() {
		var row [3]json.RawMessage
		var gap float64
		var code, text string
		if json.Unmarshal(lines.Bytes(), &row) != nil || json.Unmarshal(row[0], &gap) != nil ||
			json.Unmarshal(row[1], &code) != nil || json.Unmarshal(row[2], &text) != nil {
			continue
		}
		since += gap * 1000
		switch code {
		case "r":
			terminal = true
		case "i":
			if t.Reads > 0 && since < thinking && len(gaps) < maxGaps {
				gaps = append(gaps, since)
			}
			since = 0
			t.piece(text)
		}
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		t.MedianGap = gaps[len(gaps)/2]
	}
	t.judge(terminal, gaps)
	if err := lines.Err(); err != nil {
		return t, fmt.Errorf("read recording: %w", err)
	}
	return t, nil
}

// Editing keys as terminals send them.
const (
	pasteBegin = "\x1b[200~"
	editing    = "\x7f\b\t\x03\x12\x01\x05\x15\x17\x0b"
)

// piece counts what one read brought.
func (t *Typing) piece(text string) {
	t.Reads++
	t.Pastes += strings.Count(text, pasteBegin)
	keys := 0
	for len(text) > 0 {
		n := keyLen(text)
		key := text[:n]
		text = text[n:]
		keys++
		switch {
		case key == "\n":
			t.LF++
		case key == "\r":
			t.CR++
		case strings.ContainsAny(key, editing) && n == 1, n > 2 && key[0] == 0x1b && strings.ContainsAny(key[n-1:], "ABCDHF"):
			t.Edits++
		}
	}
	t.Keys += keys
	if keys == 1 {
		t.Single++
	}
}

// keyLen is how many bytes the first key of a text takes: an escape sequence is
// one key.
func keyLen(s string) int {
	if s[0] != 0x1b || len(s) < 3 || s[1] != '[' && s[1] != 'O' {
		_, n := utf8.DecodeRuneInString(s)
		return n
	}
	for i := 2; i < len(s) && i < 16; i++ {
		if s[i] >= '@' && s[i] <= '~' {
			return i + 1
		}
	}
	return 1
}

// least is how many keys are enough to say something.
const least = 8

// judge says who typed. Every reason can be checked against the figures.
func (t *Typing) judge(terminal bool, gaps []float64) {
	share := func(n int) float64 { return float64(n) / float64(max(1, t.Reads)) }
	t.Verdict = "unknown"
	switch {
	case t.Reads == 0:
		t.Reason = "nothing was typed"
	case !terminal:
		t.Verdict, t.Reason = "bot", "the commands were given without a terminal"
	case t.Keys < least:
		t.Reason = fmt.Sprintf("only %d keys", t.Keys)
	case share(t.Single) < 0.5 && t.Edits == 0 && t.Pastes == 0:
		t.Verdict, t.Reason = "bot", fmt.Sprintf("%d keys came in %d pieces: whole lines at once", t.Keys, t.Reads)
	case len(gaps) >= least && t.MedianGap < fastest:
		t.Verdict, t.Reason = "bot", fmt.Sprintf("half of the keys follow within %.1f ms", t.MedianGap)
	case t.LF > t.CR && t.Edits == 0:
		t.Verdict, t.Reason = "bot", "line feeds for Enter"
	case len(gaps) >= least && steady(gaps):
		t.Verdict, t.Reason = "bot", fmt.Sprintf("keys follow in an even beat of %.0f ms", t.MedianGap)
	case t.Edits > 0:
		t.Verdict, t.Reason = "human", fmt.Sprintf("%d corrections, Tabs or cursor keys at %.0f ms a key", t.Edits, t.MedianGap)
	case share(t.Single) >= 0.5 && len(gaps) >= least:
		t.Verdict, t.Reason = "human", fmt.Sprintf("key by key, %.0f ms apart and uneven", t.MedianGap)
	default:
		t.Reason = "too little to tell"
	}
}

// steady reports gaps of which four fifths are within a tenth of the median: no
// hand is so even. gaps are sorted.
func steady(gaps []float64) bool {
	m := gaps[len(gaps)/2]
	low, high := gaps[len(gaps)/10], gaps[len(gaps)*9/10]
	return m > 0 && high-low < m/5
}
