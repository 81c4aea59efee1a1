package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"honeyguide/internal/detect"
	"honeyguide/internal/sigma"
)

var _ detect.Keeper = (*detector)(nil)

// Keep writes down what correlations have counted, and the time they know, in
// base64: what is kept is text.
func (d *detector) Keep() ([]byte, error) {
	b := d.memory()
	return base64.StdEncoding.AppendEncode(make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))), b), nil
}

// memory is what Keep writes down, nil for nothing.
func (d *detector) memory() []byte {
	if d.chains == nil || d.chains.Len() == 0 {
		return nil
	}
	b := binary.AppendVarint(nil, d.passed.Unix())
	b = binary.AppendVarint(b, int64(d.passed.Nanosecond()))
	return append(b, d.chains.Snapshot()...)
}

// Recall takes that over, in place of what was counted since the start.
// Correlations that changed meanwhile begin anew.
func (d *detector) Recall(text []byte) error {
	d.chains, d.chainOf = nil, nil
	d.take(d.book.Current())
	if len(text) == 0 {
		return nil // nothing was counted
	}
	memory, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("what correlations counted is no base64: %w", err)
	}
	sec, n := binary.Varint(memory)
	nsec, m := binary.Varint(memory[max(n, 0):])
	switch {
	case n <= 0 || m <= 0:
		return fmt.Errorf("what correlations counted begins with no time")
	case d.chains == nil:
		return nil // there are none any more
	}
	if err := d.chains.Restore(memory[n+m:]); err != nil {
		return fmt.Errorf("go on with what correlations counted: %w", err)
	}
	d.passed = time.Unix(sec, nsec).UTC()
	return nil
}

// goOn gives the correlations of another edition what those before counted.
func (d *detector) goOn(before *sigma.Correlator) {
	if before == nil || d.chains == nil {
		return
	}
	_ = d.chains.Restore(before.Snapshot()) // just made, so it is whole
}
