package rulebook

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// sources are the log sources events came from so far.
type sources struct {
	mu   sync.Mutex
	seen map[sigma.Source]bool
}

// maxSources bounds what is remembered of them.
const maxSources = 4096

// Saw notes that events of these sources come. Adapters call it once for each
// kind of event.
func (b *Book) Saw(list []sigma.Source) {
	b.sources.mu.Lock()
	defer b.sources.mu.Unlock()
	if b.sources.seen == nil {
		b.sources.seen = map[sigma.Source]bool{}
	}
	for _, s := range list {
		if len(b.sources.seen) < maxSources {
			b.sources.seen[s] = true
		}
	}
}

// Sources returns the log sources that feed rules: those of the decoys, and
// those events came from since the book was opened.
func (b *Book) Sources() []sigma.Source {
	b.sources.mu.Lock()
	all := maps.Clone(b.sources.seen)
	b.sources.mu.Unlock()
	if all == nil {
		all = map[sigma.Source]bool{}
	}
	for _, s := range decoyFeeds() {
		all[s] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b sigma.Source) int {
		return strings.Compare(a.Product+"/"+a.Category+"/"+a.Service, b.Product+"/"+b.Category+"/"+b.Service)
	})
}

// decoyFeeds are the sources the decoys feed, whether or not somebody came yet.
func decoyFeeds() (out []sigma.Source) {
	for _, service := range []string{"ssh", "telnet", "http"} {
		for _, activity := range []string{
			honeyguide.ActivityConnect, honeyguide.ActivityClose, honeyguide.ActivityClient, honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess,
			honeyguide.ActivityCommand, honeyguide.ActivityRequest, honeyguide.ActivityDownload, honeyguide.ActivityFileWrite, honeyguide.ActivityFileRead,
			honeyguide.ActivityFileList, honeyguide.ActivityFileChange, honeyguide.ActivityExecute, honeyguide.ActivitySample, honeyguide.ActivitySubsystem,
			honeyguide.ActivityTunnel, honeyguide.ActivityMalformed, honeyguide.ActivityUnsupported, honeyguide.ActivityTokenExposed, honeyguide.ActivityTokenUsed,
		} {
			list, _ := decoySources(&planKey{activity: activity, kind: service})
			out = append(out, list...)
		}
	}
	return out
}

// Fed reports whether events of any of the sources go to rules of a logsource.
func Fed(logsource sigma.Source, by []sigma.Source) bool {
	return slices.ContainsFunc(by, func(s sigma.Source) bool { return covers(logsource, s) })
}
