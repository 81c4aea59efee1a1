package api

import (
	"context"

	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

type resumeIn struct {
	Reason string `query:"reason" maxLength:"1000" doc:"why it goes on"`
}

// halt registers the stop switch. Stopping is for all who respond: in doubt it
// is better done. To go on is a decision of an administrator.
func (s *server) halt() {
	read(s, op("/halt", "get-halt", "Whether the stop switch is on: then no run goes on and nothing new begins"), func(ctx context.Context, _ *struct{}) (HaltState, error) {
		r, err := s.responder()
		if err != nil {
			return HaltState{}, err
		}
		return r.Halted(ctx)
	})
	orderAnew(s, post("/halt", "halt", "Turn the stop switch on"), auth.PermHalt, func(ctx context.Context, in *client.Why) (HaltState, error) {
		r, err := s.responder()
		if err != nil {
			return HaltState{}, err
		}
		return r.Halt(ctx, whoAsks(ctx), in.Reason)
	})
	remove(s, "/halt", "resume", "Turn the stop switch off: what waited goes on", auth.PermResume, func(ctx context.Context, in *resumeIn) (HaltState, error) {
		r, err := s.responder()
		if err != nil {
			return HaltState{}, err
		}
		h, err := r.Resume(ctx, whoAsks(ctx), in.Reason)
		s.gave(ctx, "resume", "", err)
		return h, err
	})
}
