package colblock

import (
	"iter"

	"honeyguide"
)

// Bounds of a word in bytes. A longer word counts by its beginning.
const (
	minWord = 2
	maxWord = 64
)

// wordAttrs are the attributes whose words can be asked for.
var wordAttrs = [...]string{
	honeyguide.AttrMessage, honeyguide.AttrCommand, honeyguide.AttrClient, honeyguide.AttrUserAgent,
	honeyguide.AttrURL, honeyguide.AttrPath, honeyguide.AttrUser, honeyguide.AttrRule, honeyguide.AttrDetail,
}

// WordAttrs returns the names of the attributes whose words are indexed.
func WordAttrs() []string { return wordAttrs[:] }

// wordByte maps a byte to itself as it stands in a word, upper case made lower,
// or to 0 when it separates words. Bytes beyond ASCII belong to words.
var wordByte = func() (t [256]byte) {
	for c := range 256 {
		switch b := byte(c); {
		case b >= 'A' && b <= 'Z':
			t[c] = b + 'a' - 'A'
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '.', b == '_', b == '-', b >= 0x80:
			t[c] = b
		}
	}
	return t
}()

func joint(b byte) bool { return b == '.' || b == '_' || b == '-' }

// Words yields the words of s in lower case: letters, digits and bytes beyond
// ASCII, with dots, dashes and underscores inside, 2 bytes or more, cut to 64. The
// slice is reused.
func Words(s string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var buf [maxWord]byte
		for i := 0; i < len(s); {
			if c := wordByte[s[i]]; c == 0 || joint(c) {
				i++
				continue
			}
			n := 0
			for ; i < len(s) && wordByte[s[i]] != 0; i++ {
				if n < maxWord {
					buf[n] = wordByte[s[i]]
					n++
				}
			}
			for n > 0 && joint(buf[n-1]) {
				n--
			}
			if n >= minWord && !yield(buf[:n]) {
				return
			}
		}
	}
}

// HasWords reports whether each of words, as [Words] yields them, stands in one
// of the word attributes of e.
func HasWords(e *honeyguide.Event, words []string) bool {
	for _, w := range words {
		if !hasWord(e, w) {
			return false
		}
	}
	return true
}

func hasWord(e *honeyguide.Event, want string) bool {
	for _, name := range wordAttrs {
		s, _ := e.Attrs[name].(string)
		for w := range Words(s) {
			if string(w) == want {
				return true
			}
		}
	}
	return false
}
