package behaviour

import (
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// Where OCSF keeps the program of a process.
const (
	attrImage  = "process.file.path"
	attrParent = "process.parent_process.file.path"
)

// processStart is the verb of a process that starts, in the words of mappers.
const processStart = "process_start"

// A program is what is known of one program name, over all assets.
type program struct {
	first time.Time
	hosts []string // first ones, at most spread+1
}

// freshFor is how long a program counts as new after it was first seen.
const freshFor = time.Hour

// rare claims that a program starts which no asset has started before, once the
// assets have been watched for a while. What starts on several assets at once is
// an update, not an intruder.
func (d *detector) rare(e *honeyguide.Event) {
	image := e.Str(attrImage)
	if image == "" || !detect.External(e) || e.Activity != processStart && e.Activity != honeyguide.ActivityCommand {
		return
	}
	at := detect.When(e)
	if d.watched.IsZero() || at.Before(d.watched) {
		d.watched = at
	}
	d.started++
	name := baseName(image)
	if parent := baseName(e.Str(attrParent)); parent != "" {
		// A known program under an unknown parent is new, too: a shell under a web server.
		name = parent + " > " + name
	}
	p := d.programs.At(clipN(name, 200))
	if p.first.IsZero() || at.Before(p.first) {
		p.first = at
	}
	host := e.Str(honeyguide.AttrDevice)
	if host == "" {
		host = detect.Source(e)
	}
	if len(p.hosts) <= d.cfg.RareHosts && !slices.Contains(p.hosts, host) {
		p.hosts = append(p.hosts, host)
	}
	if at.Sub(d.watched) < d.cfg.RareLearn || d.started < d.cfg.RareEvents || at.Sub(p.first) > freshFor || len(p.hosts) > d.cfg.RareHosts {
		return
	}
	a := d.claim(&rules.rare, e, "", name+" on "+host+": "+clipN(image, 300))
	a.DedupeKey = "rare_process|" + host + "|" + name
	a.ID = honeyguide.DerivedID(e.Time, "alert", "behaviour", a.DedupeKey, e.ID)
}

// baseName returns the name of a program in lower case, without folders of either
// kind of system.
func baseName(image string) string {
	if i := strings.LastIndexAny(image, `/\`); i >= 0 {
		image = image[i+1:]
	}
	return strings.ToLower(clipN(image, 100))
}
