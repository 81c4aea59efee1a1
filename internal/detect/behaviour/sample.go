package behaviour

import (
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// programs are types of content (first words) that a machine runs as they are;
// carriers are those that run or unpack by something else.
var (
	programs = []string{"elf", "pe", "macho", "dex", "java-class"}
	carriers = []string{"script", "archive"}
)

// brought is a file a source brought: what it is and under which names.
type brought struct {
	sum, path, kind string
	at              time.Time
}

// maxBrought bounds the files remembered of one source.
const maxBrought = 32

// sample: content came. A program is malware: nobody brings software to a decoy.
func (d *detector) sample(e *honeyguide.Event) {
	kind, _, _ := strings.Cut(e.Str(honeyguide.AttrFileType), " ")
	b := brought{e.Str(honeyguide.AttrSHA256), e.Str(honeyguide.AttrPath), kind, e.Time}
	s := d.sources.At(detect.Source(e))
	s.brought = append(s.brought, b)
	s.brought = slices.Clone(s.brought[max(0, len(s.brought)-maxBrought):])
	text := "brings " + b.path + ": " + e.Str(honeyguide.AttrFileType)
	switch {
	case slices.Contains(programs, kind):
		d.claim(&rules.malware, e, "", text)
	case slices.Contains(carriers, kind):
		d.claim(&rules.script, e, "", text)
	}
}

// execute: a file the source brought was run, or seemed to be.
func (d *detector) execute(e *honeyguide.Event) {
	p, sum := e.Str(honeyguide.AttrPath), e.Str(honeyguide.AttrSHA256)
	s := d.sources.At(detect.Source(e))
	text := "runs " + p
	r := &rules.ran
	if e.Time.Sub(s.fetched) < runAfter && !e.Time.Before(s.fetched) {
		r = &rules.cradle
	}
	for _, b := range slices.Backward(s.brought) {
		if b.path == p || sum != "" && b.sum == sum {
			if slices.Contains(programs, b.kind) || slices.Contains(carriers, b.kind) || b.kind == "text" {
				r = &rules.ranMalware
				text += ", which it brought: " + b.kind
			}
			break
		}
	}
	a := d.claim(r, e, "", text)
	if sum != "" {
		a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: honeyguide.AttrSHA256, Type: "hash", Value: clip64(sum)})
	}
}
