package coreutils

import (
	"slices"
	"strconv"
	"strings"
)

// A cronField is one of the five of a line: its name in messages, its bounds and
// the words for its numbers, from the lowest on.
type cronField struct {
	name      string
	low, high int
	words     string
}

var cronFields = []cronField{
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day-of-month", 1, 31, ""},
	{"month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"},
	{"day-of-week", 0, 7, "sun mon tue wed thu fri sat"},
}

// badCron finds the first thing cron would refuse: its name, "" for none, and
// the line as cron counts, which is one less while the line's end is unread.
func badCron(text string) (line int, field string) {
	for l := range strings.Lines(text) {
		line++
		rest := strings.TrimLeft(strings.TrimSuffix(l, "\n"), " \t")
		if rest == "" || rest[0] == '#' || isCronSetting(rest) {
			continue
		}
		words := strings.Fields(rest)
		if rest[0] == '@' {
			if !slices.Contains([]string{"reboot", "yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"}, words[0][1:]) {
				return line - map[bool]int{true: 1}[len(words) > 1], "time specifier"
			}
			continue
		}
		for i, f := range cronFields {
			switch {
			case i >= len(words):
				return line, f.name
			case f.takes(words[i]):
			case i == len(words)-1:
				return line, f.name
			default:
				return line - 1, f.name
			}
		}
	}
	return 0, ""
}

// isCronSetting tells a line that sets a variable: NAME = value.
func isCronSetting(l string) bool {
	name, _, ok := strings.Cut(l, "=")
	name = strings.TrimSpace(name)
	return ok && name != "" && !strings.ContainsAny(name, " \t*") && (name[0] < '0' || name[0] > '9')
}

func (f cronField) takes(list string) bool {
	for part := range strings.SplitSeq(list, ",") {
		span, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n <= 0) {
			return false
		}
		if span == "*" {
			continue
		}
		from, to, ranged := strings.Cut(span, "-")
		if !f.number(from) || ranged && !f.number(to) {
			return false
		}
	}
	return true
}

func (f cronField) number(s string) bool {
	if slices.Contains(strings.Fields(f.words), strings.ToLower(s)) {
		return true
	}
	n, err := strconv.Atoi(s)
	return err == nil && s[0] != '+' && n >= f.low && n <= f.high
}
