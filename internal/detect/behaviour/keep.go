package behaviour

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"honeyguide/internal/detect"
)

var _ detect.Keeper = (*detector)(nil)

// A memory is what takes long to learn: which programs there are.
type memory struct {
	Watched  time.Time           `json:"watched"`
	Started  int                 `json:"started"`
	Programs []rememberedProgram `json:"programs"` // the one seen last first
}

type rememberedProgram struct {
	Name  string    `json:"name"`
	First time.Time `json:"first"`
	Hosts []string  `json:"hosts"`
}

// keptPrograms bounds the programs kept.
const keptPrograms = 20_000

// Keep returns the programs known.
func (d *detector) Keep() ([]byte, error) {
	m := memory{Watched: d.watched, Started: d.started, Programs: []rememberedProgram{}}
	d.programs.Each(func(name string, p *program) bool {
		m.Programs = append(m.Programs, rememberedProgram{name, p.first, p.hosts})
		return len(m.Programs) < keptPrograms
	})
	return json.Marshal(m)
}

// Recall takes them back.
func (d *detector) Recall(text []byte) error {
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read the known programs: %w", err)
	}
	for _, p := range slices.Backward(m.Programs) {
		*d.programs.At(p.Name) = program{p.First, p.Hosts}
	}
	d.watched, d.started = m.Watched, m.Started
	return nil
}
