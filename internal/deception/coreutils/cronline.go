package coreutils

import (
	"slices"
	"strconv"
	"strings"
)

// A cronField is one of the five fields of a crontab line.
type cronField struct {
	name      string
	low, high int
	names     string // three letters each, from low on
}

var cronFields = []cronField{
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day-of-month", 1, 31, ""},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day-of-week", 0, 7, "sunmontuewedthufrisat"},
}

// badCron returns what cron says against the first line it does not take, and
// the number it gives that line; an empty text when it takes them all. It counts
// from zero, but for a line that ends where a field should be.
func badCron(text string) (line int, what string) {
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimLeft(l, " \t")
		if l == "" || l[0] == '#' {
			continue
		}
		if l[0] == '@' {
			word, _, _ := strings.Cut(strings.ReplaceAll(l[1:], "\t", " "), " ")
			if !slices.Contains(strings.Fields("reboot yearly annually monthly weekly daily midnight hourly"), word) {
				return i, "bad time specifier"
			}
			continue
		}
		if name, _, ok := strings.Cut(l, "="); ok && !strings.ContainsAny(strings.TrimSpace(name), " \t*") {
			continue
		}
		f := strings.Fields(l)
		for k, field := range cronFields {
			if k >= len(f) {
				return i + 1, "bad " + cronFields[max(k-1, 0)].name
			}
			if !field.takes(f[k]) {
				n := i
				if len(f) == 1 {
					n++
				}
				return n, "bad " + field.name
			}
		}
	}
	return 0, ""
}

// takes reports whether cron understands a field.
func (c cronField) takes(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		span, step, stepped := strings.Cut(part, "/")
		if n, err := strconv.Atoi(step); stepped && (err != nil || n <= 0) {
			return false
		}
		if span == "*" {
			continue
		}
		low, high, ranged := strings.Cut(span, "-")
		a, ok := c.value(low)
		if !ok || stepped && !ranged {
			return false
		}
		if ranged {
			if b, ok := c.value(high); !ok || b < a {
				return false
			}
		}
	}
	return true
}

func (c cronField) value(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= c.low && n <= c.high
	}
	if i := strings.Index(c.names, strings.ToLower(s)); len(s) == 3 && i >= 0 && i%3 == 0 {
		return i/3 + c.low, true
	}
	return 0, false
}
