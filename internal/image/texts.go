package image

import (
	"fmt"
	"strings"
)

// ParseTexts splits a file of texts into its parts by path. Each begins with a
// line "-- /path --" and goes on to the next such line.
func ParseTexts(s string) (map[string]string, error) {
	out := map[string]string{}
	at, from := "", 0
	for pos := 0; pos < len(s); {
		end := strings.IndexByte(s[pos:], '\n')
		if end < 0 {
			return nil, fmt.Errorf("texts: the last line of %q has no end", at)
		}
		line := s[pos : pos+end]
		next := pos + end + 1
		if strings.HasPrefix(line, "-- /") && strings.HasSuffix(line, " --") {
			if at != "" {
				out[at] = s[from:pos]
			}
			at, from = line[3:len(line)-3], next
			if _, twice := out[at]; twice {
				return nil, fmt.Errorf("texts: %q comes twice", at)
			}
		} else if at == "" {
			return nil, fmt.Errorf("texts: line %q belongs to no file", line)
		}
		pos = next
	}
	if at != "" {
		out[at] = s[from:]
	}
	return out, nil
}
