package live

import (
	"bytes"
	"encoding/json"
	"sync"
)

// An entry is one message in the ring.
type entry struct {
	change
	number int64
	born   int64  // number under which its row was new, 0 when that is not in the ring
	ticket uint64 // of the transaction that wrote the row

	once sync.Once
	json []byte
}

// encoded returns the row as JSON, written once, by whoever needs it first. The
// encoder writes U+FFFD for each bad byte, as in the answers of the API.
func (e *entry) encoded() []byte {
	e.once.Do(func() {
		if e.row == nil {
			return
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(e.row) == nil && b.Len() <= maxRow {
			e.json = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
		}
		e.row = nil
	})
	return e.json
}

// generations remembers the last few ten thousand names.
type generations struct{ young, old map[string]struct{} }

const generation = 20_000 // names

// first reports whether a name is new, and remembers it.
func (g *generations) first(name string) bool {
	if _, ok := g.young[name]; ok {
		return false
	}
	_, known := g.old[name]
	if len(g.young) >= generation {
		g.old, g.young = g.young, nil
	}
	if g.young == nil {
		g.young = map[string]struct{}{}
	}
	g.young[name] = struct{}{}
	return !known
}
