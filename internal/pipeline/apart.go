package pipeline

import (
	"context"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/state"
)

// refresh forgets what the consumer remembers of links when somebody else has
// changed them.
func (w *applying) refresh(ctx context.Context) error {
	epoch, err := w.tx.Meta().Get(ctx, metaEpoch)
	if err != nil || epoch == w.c.epoch {
		return err
	}
	list, err := readApart(ctx, w.tx)
	if err != nil {
		return err
	}
	apart := make(map[pair]bool, len(list))
	for _, p := range list {
		apart[p] = true
	}
	w.c.links = detect.NewMemory(memoryOfKeys, func() string { return "" })
	w.c.apart, w.c.epoch = apart, epoch
	return nil
}

// isApart reports whether a person has told the incidents of two keys apart.
func (w *applying) isApart(a, b string) bool { return w.c.apart[pairOf(a, b)] }

// told drops the keys that tie an alert to a story it was told apart from.
func (w *applying) told(ctx context.Context, alerts []honeyguide.Alert, keys map[string][]string) (map[string][]string, error) {
	if len(w.c.apart) == 0 {
		return keys, nil
	}
	out := make(map[string][]string, len(keys))
	for i := range alerts {
		list := keys[alerts[i].DedupeKey]
		if len(list) < 2 {
			out[alerts[i].DedupeKey] = list
			continue
		}
		own, err := w.root(ctx, list[0])
		if err != nil {
			return nil, err
		}
		kept := []string{list[0]}
		for _, k := range list[1:] {
			r, err := w.root(ctx, k)
			if err != nil {
				return nil, err
			}
			if !w.isApart(own, r) {
				kept = append(kept, k)
			}
		}
		out[alerts[i].DedupeKey] = kept
	}
	return out, nil
}

// stays returns the incident that keeps an alert although its attacker's is
// another: one that was split off by alerts. nil: the alert follows its attacker.
func (w *applying) stays(ctx context.Context, a *honeyguide.Alert) (*incidents, error) {
	if a.Incident == "" {
		return nil, nil
	}
	if i := slices.IndexFunc(w.order, func(x *incidents) bool { return x.ID == a.Incident }); i >= 0 {
		if in := w.order[i]; strings.HasPrefix(in.Key, pinned) {
			return in, nil
		}
		return nil, nil
	}
	found, err := w.tx.Incidents().Get(ctx, a.Incident)
	if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return nil, nil // retention took it
	}
	if err != nil || !strings.HasPrefix(found.Key, pinned) || !state.OpenIncident(found.Status) {
		return nil, err
	}
	in := &incidents{Incident: found}
	w.touch(found.Key, in)
	return in, nil
}
