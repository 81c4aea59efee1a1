// Package secrets looks for credentials that somebody left in the repository: in
// the files there are and in every line that was ever added to one. What is known
// to be bait, an example or a test value stands in a list, with the reason.
package secrets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A rule is a kind of credential.
type rule struct {
	name    string
	pattern *regexp.Regexp // its last group, or all of it, is the credential
	entropy float64        // bits a character it has at least; 0: its form is enough
	hints   []string       // one of them is in every line that fits
}

// rules: forms that are nothing but credentials, then names beside a random word.
var rules = []rule{
	{"private key", regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*[A-Za-z0-9+/=\\]{16}`), 0, []string{"PRIVATE KEY"}},
	{"age key", regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{58}`), 0, []string{"AGE-SECRET"}},
	{"minisign key", regexp.MustCompile(`RWQAAEIy[A-Za-z0-9+/]{120,}`), 0, []string{"RWQAAEIy"}},
	{"AWS key", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z2-7]{16}\b`), 3, []string{"AKIA", "ASIA"}},
	{"GitHub token", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b`), 3, []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"}},
	{"GitLab token", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}\b`), 3, []string{"glpat-"}},
	{"Slack token", regexp.MustCompile(`\bxox[abeoprs]-[A-Za-z0-9-]{10,}\b`), 3, []string{"xox"}},
	{"Slack address", regexp.MustCompile(`https://hooks\.slack\.com/services/[A-Za-z0-9/]{30,}`), 3, []string{"hooks.slack"}},
	{"Google key", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`), 3, []string{"AIza"}},
	{"Stripe key", regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{20,}\b`), 3, []string{"k_live_"}},
	{"model provider's key", regexp.MustCompile(`\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}\b`), 3.5, []string{"sk-"}},
	{"npm token", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`), 3, []string{"npm_"}},
	{"own API key", regexp.MustCompile(`\bhg_[A-Za-z0-9_]{24,}\b`), 3.5, []string{"hg_"}},
	{"web token", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}`), 3.5, []string{"eyJ"}},
	{"password in an address", regexp.MustCompile(`\b[a-z][a-z0-9+.-]{2,12}://[^\s/:@"'<>{}$%]{1,40}:([^\s/:@"'<>{}$%]{8,60})@[a-z0-9.-]{4,}`), 3.2, []string{"://"}},
	{"named secret", regexp.MustCompile(`(?i)(?:api[_-]?key|secret|token|passwd|password|credential)["'\x60]?\s*(?::=|[:=])\s*["'\x60]([A-Za-z0-9+/_=-]{20,100})["'\x60]`), 4, []string{"ey", "ecret", "oken", "assw", "edential", "KEY", "SECRET", "TOKEN", "PASSW"}},
}

// A Finding is one suspicious word.
type Finding struct {
	Rule, File string
	Line       int    // 0: in the history
	Commit     string // of the history
	Word       string
}

// String names a finding without showing more of it than tells it apart.
func (f Finding) String() string {
	where := fmt.Sprintf("%s:%d", f.File, f.Line)
	if f.Commit != "" {
		where = fmt.Sprintf("%s in commit %.12s", f.File, f.Commit)
	}
	return fmt.Sprintf("%s: %s %.6s... (%d characters)", where, f.Rule, f.Word, len(f.Word))
}

// maxLine bounds how much of a line is looked at; longer ones are data.
const maxLine = 4096

// scanLine finds what a line of a file holds.
func scanLine(file, line string) (found []Finding) {
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	for _, r := range rules {
		// Looking for a few letters first is what makes the history readable in seconds.
		if !slices.ContainsFunc(r.hints, func(h string) bool { return strings.Contains(line, h) }) {
			continue
		}
		for _, m := range r.pattern.FindAllStringSubmatch(line, 8) {
			word := m[len(m)-1]
			if entropy(word) < r.entropy || permitted(file, word) {
				continue
			}
			found = append(found, Finding{Rule: r.name, File: file, Word: word})
		}
	}
	return found
}

// entropy is the bits a character of a word carries.
func entropy(word string) float64 {
	counts, n := map[rune]int{}, 0
	for _, r := range word {
		counts[r]++
		n++
	}
	bits := 0.0
	for _, c := range counts {
		p := float64(c) / float64(n)
		bits -= p * math.Log2(p)
	}
	return bits
}

// permitted reports whether the list knows a word.
func permitted(file, word string) bool {
	for _, a := range allow {
		if a.word != nil && !a.word.MatchString(word) {
			continue
		}
		if ok, err := path.Match(a.file, file); a.file == "" || err == nil && ok || strings.HasSuffix(a.file, "/") && strings.HasPrefix(file, a.file) {
			return true
		}
	}
	return false
}

// Tree looks at every file that is or would be in the next commit.
func Tree(ctx context.Context, root string) (found []Finding, files int, err error) {
	out, err := git(ctx, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, 0, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if errors.Is(err, os.ErrNotExist) {
			continue // taken away, and not yet committed
		}
		if err != nil {
			return nil, files, fmt.Errorf("scan %s: %w", name, err)
		}
		files++
		if !utf8.Valid(raw[:min(len(raw), 4096)]) && strings.Contains(string(raw[:min(len(raw), 4096)]), "\x00") {
			continue // no text
		}
		n := 0
		for line := range strings.Lines(string(raw)) {
			n++
			for _, f := range scanLine(name, line) {
				f.Line = n
				found = append(found, f)
			}
		}
	}
	return found, files, nil
}

// History looks at every line that a commit ever added. A credential that was
// taken out again is in every copy of the repository still.
func History(ctx context.Context, root string) (found []Finding, commits int, err error) {
	cmd := exec.CommandContext(ctx, "git", "log", "--all", "--no-merges", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--format=commit %H")
	cmd.Dir = root
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read the history: %w", err)
	}
	found, commits, err = patches(out)
	return found, commits, errors.Join(err, cmd.Wait())
}

// patches reads what git log -p prints.
func patches(in io.Reader) (found []Finding, commits int, err error) {
	lines := bufio.NewReaderSize(in, 1<<16)
	commit, file, hunk := "", "", false
	seen := map[string]bool{}
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			return found, commits, nil
		}
		if err != nil {
			return found, commits, fmt.Errorf("read the history: %w", err)
		}
		switch {
		case strings.HasPrefix(line, "commit "):
			commit, hunk = line[len("commit "):], false
			commits++
		case strings.HasPrefix(line, "diff --git "):
			hunk = false
		case strings.HasPrefix(line, "@@ "):
			hunk = true
		case !hunk && strings.HasPrefix(line, "+++ "):
			file = strings.TrimPrefix(strings.Trim(line[4:], `"`), "b/")
		case hunk && strings.HasPrefix(line, "+"):
			for _, f := range scanLine(file, line[1:]) {
				if f.Commit = commit; !seen[f.Word] {
					seen[f.Word] = true
					found = append(found, f)
				}
			}
		}
	}
}

// readLine reads one line, however long, and keeps its beginning.
func readLine(in *bufio.Reader) (string, error) {
	part, more, err := in.ReadLine()
	line := string(part)
	for more && err == nil {
		_, more, err = in.ReadLine()
	}
	return line, err
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}
