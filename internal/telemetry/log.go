package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"honeyguide/internal/safetext"
)

// secretKeys are attribute keys whose values are never written, whatever their
// type: the second net behind types that mask themselves.
var secretKeys = []string{"password", "secret", "token", "authorization", "api_key", "cookie", "passphrase", "credential", "private_key", "master_key"}

// NewLogger returns a logger that writes one line a record to w: text for a
// person when format is "text", JSON otherwise. Control characters in any
// value are escaped and values of secret-looking keys are masked.
func NewLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: replace}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, opts))
	}
	return slog.New(slog.NewJSONHandler(w, opts))
}

func replace(_ []string, a slog.Attr) slog.Attr {
	for _, k := range secretKeys {
		if strings.Contains(strings.ToLower(a.Key), k) {
			return slog.String(a.Key, "[masked]")
		}
	}
	switch a.Value.Kind() {
	case slog.KindString:
		return slog.String(a.Key, safetext.Term(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			return slog.String(a.Key, safetext.TermN(err.Error(), 2000))
		}
	}
	return a
}

// ParseLevel reads debug, info, warn or error in any case.
func ParseLevel(word string) (slog.Level, error) {
	var l slog.Level
	err := l.UnmarshalText([]byte(strings.ToUpper(word)))
	return l, err
}

// A Check says whether one part of the process can work: nil, or why not.
type Check func(ctx context.Context) error
