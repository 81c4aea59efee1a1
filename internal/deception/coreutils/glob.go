package coreutils

import "strings"

// glob matches a shell pattern of *, ? and [..] against a whole name.
func glob(pattern, name string) bool {
	for steps := 0; pattern != ""; steps++ {
		switch pattern[0] {
		case '*':
			for pattern != "" && pattern[0] == '*' {
				pattern = pattern[1:]
			}
			if pattern == "" {
				return true
			}
			// Only the last star may have to move: try each place in turn.
			for i := range len(name) + 1 {
				if steps < 64 && glob(pattern, name[i:]) {
					return true
				}
			}
			return false
		case '?':
			if name == "" {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		case '[':
			end := strings.IndexByte(pattern[min(2, len(pattern)):], ']')
			if end < 0 || name == "" {
				if name == "" || name[0] != '[' {
					return false
				}
				pattern, name = pattern[1:], name[1:]
				continue
			}
			set := pattern[1 : end+2]
			if !inSet(set, name[0]) {
				return false
			}
			pattern, name = pattern[end+3:], name[1:]
		default:
			if pattern[0] == '\\' && len(pattern) > 1 {
				pattern = pattern[1:]
			}
			if name == "" || pattern[0] != name[0] {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		}
	}
	return name == ""
}

func inSet(set string, c byte) bool {
	not := set != "" && (set[0] == '!' || set[0] == '^')
	if not {
		set = set[1:]
	}
	in := false
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			in = in || c >= set[i] && c <= set[i+2]
			i += 2
			continue
		}
		in = in || c == set[i]
	}
	return in != not
}
