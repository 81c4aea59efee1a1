package ingest

import (
	"bytes"
	"errors"
	"io"

	"honeyguide/internal/evtx"
)

// evtxMagic begins a Windows event log file.
const evtxMagic = evtx.Magic

// events cuts a Windows event log file: each record comes as its XML, with its
// number for a line.
type events struct {
	w *window
	r *evtx.Reader
}

func newEvtx(w *window) (framer, framing, error) {
	head := bytes.Clone(w.rest())
	w.skip(len(head))
	r, err := evtx.NewReader(io.MultiReader(bytes.NewReader(head), w.src))
	if errors.Is(err, evtx.ErrFormat) {
		return nil, "", refuse("the input begins like a Windows event log file but is none of version 3, or is cut off")
	}
	return &events{w, r}, framingEvtx, err
}

func (e *events) next(rec *Record) error {
	got, err := e.r.Next()
	if lost, ok := errors.AsType[*evtx.Damage](err); ok {
		return &broken{line: int64(lost.Record), size: int64(lost.Size), reason: lost.Error()}
	}
	if err != nil {
		return err
	}
	rec.takeLine(int64(got.ID), got.XML)
	if got.Dirty {
		rec.Note("dirty_chunk")
	}
	return nil
}
