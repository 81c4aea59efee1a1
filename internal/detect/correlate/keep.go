package correlate

import (
	"encoding/json"
	"fmt"
	"slices"

	"honeyguide/internal/detect"
)

var _ detect.Keeper = (*detector)(nil)

// A memory is what takes long to learn: the usual numbers. Windows are not kept;
// they are filled again from the log, and only as far as it is read again.
type memory struct {
	Began int64   `json:"began"`
	Rates []entry `json:"rates"` // the one used last first
}

type entry struct {
	Key string `json:"key"`
	series
}

// keptRates bounds the series kept. Those that were seen in few stretches say
// little more than that they are rare, which is what is thought of the unknown.
const keptRates = 5000

// Keep returns the usual numbers.
func (d *detector) Keep() ([]byte, error) {
	m := memory{Began: d.began, Rates: []entry{}}
	d.rates.Each(func(key string, s *series) bool {
		if len(s.Counts) > firstSize {
			m.Rates = append(m.Rates, entry{key, *s})
		}
		return len(m.Rates) < keptRates
	})
	return json.Marshal(m)
}

// Recall takes them back.
func (d *detector) Recall(text []byte) error {
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read the usual numbers: %w", err)
	}
	size := d.cfg.RateHistory + 2
	for _, e := range slices.Backward(m.Rates) {
		if len(e.Counts) == 0 || len(e.Counts) > size || e.First > e.Newest {
			continue // of another configuration
		}
		e.Limits = [2]limit{}
		*d.rates.At(e.Key) = e.series
	}
	d.began = m.Began
	return nil
}
