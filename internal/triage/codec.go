package triage

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// A stored model is JSON with every feature under its name, so that a model made
// before a feature existed is refused instead of misread.
type storedModel struct {
	Version   int                   `json:"version"`
	Name      string                `json:"name"`
	TrainedAt time.Time             `json:"trained_at,omitzero"`
	Data      string                `json:"data,omitempty"`
	Samples   int                   `json:"samples"`
	Positives int                   `json:"positives"`
	Bias      float64               `json:"bias"`
	Features  map[string][3]float64 `json:"features"` // weight, mean, deviation
	Rules     map[string][2]float64 `json:"rules,omitempty"`
}

const (
	modelVersion = 1
	maxModel     = 8 << 20 // bytes of a stored model
	maxPriors    = 20_000  // rules in it
)

// Encode writes a model for ReadModel.
func (m *Model) Encode() ([]byte, error) {
	s := storedModel{
		Version: modelVersion, Name: m.Name, TrainedAt: m.TrainedAt, Data: m.Data, Samples: m.Samples, Positives: m.Positives, Bias: m.Bias,
		Features: map[string][3]float64{},
	}
	for j, name := range FeatureNames() {
		s.Features[name] = [3]float64{m.Weights[j], m.Mean[j], m.Dev[j]}
	}
	if m.Priors != nil {
		s.Rules = map[string][2]float64{}
		for rule, t := range m.Priors.rules {
			s.Rules[rule] = [2]float64{t.Positive, t.All}
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode triage model: %w", err)
	}
	return raw, nil
}

// ReadModel reads what Encode wrote. It refuses what it cannot use: another
// version, other features, numbers out of bounds.
func ReadModel(raw []byte) (*Model, error) {
	if len(raw) > maxModel {
		return nil, fmt.Errorf("read triage model: %d bytes are too many", len(raw))
	}
	var s storedModel
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("read triage model: %w", err)
	}
	names := FeatureNames()
	switch {
	case s.Version != modelVersion:
		return nil, fmt.Errorf("read triage model: version %d, want %d", s.Version, modelVersion)
	case len(s.Features) != len(names):
		return nil, fmt.Errorf("read triage model: %d features, want %d", len(s.Features), len(names))
	case len(s.Rules) > maxPriors:
		return nil, fmt.Errorf("read triage model: %d rules are too many", len(s.Rules))
	case s.Samples < 0 || s.Positives < 0 || !bounded(s.Bias):
		return nil, errors.New("read triage model: a number is out of bounds")
	}
	m := &Model{Name: s.Name, TrainedAt: s.TrainedAt, Data: s.Data, Samples: s.Samples, Positives: s.Positives, Bias: s.Bias}
	for j, name := range names {
		f, ok := s.Features[name]
		if !ok || !bounded(f[0]) || !bounded(f[1]) || !bounded(f[2]) || f[2] < 1e-12 {
			return nil, fmt.Errorf("read triage model: feature %s is missing or out of bounds", name)
		}
		m.Weights[j], m.Mean[j], m.Dev[j] = f[0], f[1], f[2]
	}
	if s.Rules != nil {
		m.Priors = NewPriors()
		for rule, t := range s.Rules {
			if !(t[0] >= 0 && t[1] >= t[0] && t[1] <= 1e9) {
				return nil, errors.New("read triage model: a count of verdicts is out of bounds")
			}
			m.Priors.rules[rule] = tally{Positive: t[0], All: t[1]}
		}
		m.Priors.recount()
		m.Priors.close()
	}
	return m, nil
}

func bounded(v float64) bool { return v > -1e6 && v < 1e6 } // no NaN either

// Features are packed as numbers of 16 bits with steps of 1/1024.
const packStep = 1024

// Pack writes features as text of some hundred bytes, to the nearest
// thousandth and between -32 and 32, for the record of what a model saw.
func (f *Features) Pack() string {
	var b [2 * featureCount]byte
	for j, v := range f {
		n := math.Round(v * packStep)
		binary.LittleEndian.PutUint16(b[2*j:], uint16(int16(max(math.MinInt16, min(n, math.MaxInt16)))))
	}
	return base64.RawStdEncoding.EncodeToString(b[:])
}

// Unpack reads what Pack wrote; ok is false for anything else.
func Unpack(s string) (f Features, ok bool) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 2*featureCount {
		return f, false
	}
	for j := range f {
		f[j] = float64(int16(binary.LittleEndian.Uint16(b[2*j:]))) / packStep
	}
	return f, true
}
