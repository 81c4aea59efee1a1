package sigma

import (
	"encoding/binary"
	"fmt"
	"time"

	"honeyguide/internal/detect"
	"honeyguide/internal/sigma"
)

var _ detect.Rememberer = (*detector)(nil)

// Remember writes down what correlations have counted, and the time they know.
func (d *detector) Remember() []byte {
	if d.chains == nil || d.chains.Len() == 0 {
		return nil
	}
	b := binary.AppendVarint(nil, d.passed.Unix())
	b = binary.AppendVarint(b, int64(d.passed.Nanosecond()))
	return append(b, d.chains.Snapshot()...)
}

// Resume takes that over. Correlations that changed meanwhile begin anew.
func (d *detector) Resume(memory []byte) error {
	d.take(d.book.Current())
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

// Sleep says that correlations have counted the events to come already.
func (d *detector) Sleep(asleep bool) { d.asleep = asleep }

// goOn gives the correlations of another edition what those before counted.
func (d *detector) goOn(before *sigma.Correlator) {
	if before == nil || d.chains == nil {
		return
	}
	_ = d.chains.Restore(before.Snapshot()) // just made, so it is whole
}
