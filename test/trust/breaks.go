package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// A broken line of a row: put in the product, it must make the row fail. The
// files of breaks/ hold one each: a path, "---", the text there is, "---", the
// text in its place.
type breakage struct {
	Row, File, Old, New string
}

func readBreak(path string) (breakage, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return breakage{}, fmt.Errorf("read a break: %w", err)
	}
	b := breakage{Row: strings.TrimSuffix(filepath.Base(path), ".txt")}
	file, rest, ok := strings.Cut(string(raw), "\n---\n")
	if ok {
		b.Old, b.New, ok = strings.Cut(rest, "\n---\n")
	}
	b.File, b.New = strings.TrimSpace(file), strings.TrimSuffix(b.New, "\n")
	if !ok || b.Old == "" || b.Old == b.New || !filepath.IsLocal(b.File) || !strings.HasSuffix(b.File, ".go") {
		return b, fmt.Errorf("%s: a break is the path of a Go file, ---, the text there, ---, another text", path)
	}
	return b, nil
}

// apply returns the broken file. The old text must stand there exactly once, so
// that a break cannot come to mean something else as the product changes.
func (b breakage) apply(root string) (path string, broken []byte, err error) {
	path = filepath.Join(root, filepath.FromSlash(b.File))
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", nil, fmt.Errorf("break of %s: %w", b.Row, err)
	}
	if n := strings.Count(string(raw), b.Old); n != 1 {
		return "", nil, fmt.Errorf("break of %s: its text stands %d times in %s, not once; change test/trust/breaks/%s.txt with the line it breaks", b.Row, n, b.File, b.Row)
	}
	return path, []byte(strings.Replace(string(raw), b.Old, b.New, 1)), nil
}

// overlay writes what go build needs to see the broken file in place of the real
// one, and returns the flag that says so.
func (b breakage) overlay(root, dir string) (string, error) {
	path, broken, err := b.apply(root)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, b.Row+".go.txt")
	if err := os.WriteFile(file, broken, 0o644); err != nil {
		return "", fmt.Errorf("break of %s: %w", b.Row, err)
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: file}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, b.Row+".overlay.json")
	if err := os.WriteFile(name, list, 0o644); err != nil {
		return "", fmt.Errorf("break of %s: %w", b.Row, err)
	}
	return "-overlay=" + name, nil
}

func breakOf(root, row string) (breakage, error) {
	return readBreak(filepath.Join(root, "test", "trust", "breaks", row+".txt"))
}

// control runs a row, in the least size, on the product as it is: what misses
// anyway shows nothing by missing.
func control(ctx context.Context, root string, r row, ran map[string]execution, copyTo io.Writer) (why string) {
	env := slices.Concat(r.Short, r.Quick)
	e, again := ran[r.key(env)]
	if !again {
		e = execute(ctx, root, r, env, nil, copyTo)
		ran[r.key(env)] = e
	}
	res := result{Target: r.goal(false)}
	judge(&res, r, e, 0)
	if res.Verdict != verdictKept {
		return fmt.Sprintf("the product is whole and the row says %s: %s", res.Verdict, res.Why)
	}
	return ""
}

// tryBreak runs a row, in the least size, on a product that is broken for it.
// why says what is wrong when the row does not fail as it has to.
func tryBreak(ctx context.Context, root, dir string, r row, copyTo io.Writer) (res result, why string) {
	res = result{Name: r.Name, Promise: r.Promise, Target: r.goal(false), Log: r.Name + ".log"}
	if lack := lacking(r); lack != "" {
		res.Verdict, res.Why = verdictNotRun, lack
		return res, lack
	}
	b, err := breakOf(root, r.Name)
	if err != nil {
		return res, err.Error()
	}
	flag, err := b.overlay(root, dir)
	if err != nil {
		return res, err.Error()
	}
	e := execute(ctx, root, r, slices.Concat(r.Short, r.Quick), []string{flag}, copyTo)
	res.Seconds = e.took.Seconds()
	judge(&res, r, e, 0)
	if res.Verdict != verdictMissed {
		return res, fmt.Sprintf("the product is broken and the row says %s, not %s. %s", res.Verdict, verdictMissed, res.Why)
	}
	return res, ""
}

// runBreaks breaks the product row by row and prints what each row said.
func runBreaks(ctx context.Context, o options, chosen []row, s *screen, out io.Writer) int {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROMISE\tBROKEN FILE\tFIGURE\tROW SAYS\tSECONDS\tSO IT CAN FAIL\tWHY")
	status, counts := kept, map[bool]int{}
	for i, r := range chosen {
		s.at(i, len(chosen)).begin(r.Name)
		log, err := os.Create(filepath.Join(o.out, r.Name+".log"))
		if err != nil {
			fmt.Fprintln(out, "trust:", err)
			return untried
		}
		both := io.MultiWriter(log, s)
		res, why := tryBreak(ctx, o.root, o.out, r, both)
		if why == "" {
			why = control(ctx, o.root, r, s.ran, both)
		}
		_ = log.Close()
		s.end(res)
		b, err := breakOf(o.root, r.Name)
		answer := "yes"
		counts[why == ""]++
		switch {
		case errors.Is(err, fs.ErrNotExist):
			answer, status = "nobody knows: it has no break", missed
		case res.Verdict == verdictNotRun && lacking(r) != "" && !o.ci:
			answer = "not tried: " + why
			if status == kept {
				status = untried
			}
		case why != "":
			answer, status = "NO: "+printable(why), missed
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.1f\t%s\t%.120s\n", r.Name, b.File, res.figure(), res.Verdict, res.Seconds, answer, cmp.Or(res.Why, "its figure is over the target"))
	}
	_ = t.Flush()
	fmt.Fprintf(out, "%d rows: %d miss when the product is broken for them and are kept when it is whole, %d do not.\n", len(chosen), counts[true], counts[false])
	fmt.Fprintln(out, "What each row printed:", shortPath(o.out))
	return status
}
