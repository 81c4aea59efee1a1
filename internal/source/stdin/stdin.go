// Package stdin takes in what is piped into the core: the output of a program
// that writes records and never ends. What the pipe held when the core went away
// is gone with it; a file is the better way for whoever has the choice.
package stdin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
	"honeyguide/internal/supervise"
)

// Kind reads standard input.
var Kind = kind.Of("stdin", "Lines piped into the core.", Config{Stream: "stdin"}, open)

// Config configures a stdin source.
type Config struct {
	Stream string `yaml:"stream" doc:"what dead letters call it"`
}

type pipe struct {
	cfg  Config
	in   source.Input
	once sync.Once
	cuts chan source.Cut // read and not taken yet
	end  error           // set before cuts is closed
}

func open(_ context.Context, cfg Config, dep source.Deps) (source.Source, error) {
	if dep.In == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "this process has no standard input to read"}
	}
	return &pipe{cfg: cfg, in: dep.In, cuts: make(chan source.Cut, 8)}, nil
}

// pieceSize is how much is asked for at a time.
const pieceSize = 256 << 10

// read reads to the end of the input.
func (p *pipe) read(context.Context) error {
	lines := source.NewLines(p.in, source.MaxRecord, pieceSize)
	defer close(p.cuts)
	for {
		cut, err := lines.Next()
		if err != nil {
			p.end = err
			return nil
		}
		p.cuts <- cut
	}
}

// Run takes lines until the input ends. A pipe cannot be read twice, so one
// reading serves every life of the source; a read that waits cannot be told to
// end, and holds nothing anybody needs.
func (p *pipe) Run(ctx context.Context, sink *source.Sink) error {
	p.once.Do(func() { supervise.New(nil).Go(context.WithoutCancel(ctx), "standard input", p.read) })
	w := &writer{sink: sink, name: p.cfg.Stream, origin: honeyguide.NewID(sink.Now()), line: 1}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case cut, ok := <-p.cuts:
			if err := w.add(ctx, cut); err != nil {
				return err
			}
			if ok && len(w.data) < source.MaxPiece && len(p.cuts) > 0 {
				continue // what has come in the meantime shares the sync
			}
			if err := w.flush(ctx); err != nil {
				return err
			}
			if !ok && !errors.Is(p.end, io.EOF) {
				return p.end
			}
			if !ok {
				return nil
			}
		}
	}
}

// A writer collects lines until they are stored.
type writer struct {
	sink         *source.Sink
	name, origin string
	line         int64 // of the first of data
	data         []byte
}

func (w *writer) add(ctx context.Context, cut source.Cut) error {
	if cut.Long == 0 {
		w.data = append(w.data, cut.Data...)
		return nil
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	d := honeyguide.DeadLetter{ID: honeyguide.NewID(w.sink.Now()), Source: w.name, Line: w.line, Reason: source.TooLong(source.MaxRecord), Bytes: cut.Long, Raw: cut.Data}
	w.line++
	return w.sink.Refuse(ctx, d)
}

func (w *writer) flush(ctx context.Context) error {
	if len(w.data) == 0 {
		return nil
	}
	if err := w.sink.Take(ctx, source.Piece{Stream: w.name, Origin: w.origin, Line: w.line, Data: w.data}); err != nil {
		return err
	}
	w.line += int64(bytes.Count(w.data, []byte{'\n'}))
	w.data = w.data[:0]
	return nil
}
