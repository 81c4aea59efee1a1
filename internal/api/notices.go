package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/notice"
	"honeyguide/internal/state"
)

// Notices is the outbox as the API uses it; package notice has the real one.
type Notices interface {
	// Channels says how every channel stands, by name.
	Channels(ctx context.Context) ([]notice.Status, error)
	// Retry sends a notice again that is dead or kept, and one that waits now.
	Retry(ctx context.Context, id, by string) (honeyguide.Notice, error)
	// Test sends a message on a channel at once and returns what became of it.
	Test(ctx context.Context, channel, by string) (honeyguide.Notice, error)
}

// A Channel is one way to people as the API shows it.
type Channel notice.Status

type noticesIn struct {
	Following
	Channel  string                 `query:"channel" maxLength:"128"`
	State    honeyguide.NoticeState `query:"state" enum:"queued,sent,dead,digested,dropped,counted,kept"`
	Incident string                 `query:"incident" maxLength:"64" doc:"id or short form of the incident"`
	Key      string                 `query:"key" maxLength:"256" doc:"what it is about"`
}

func (s *server) notices() {
	list(s, op("/notices", "list-notices", "Messages to people, newest first"), func(ctx context.Context, tx state.Tx, in *noticesIn) ([]honeyguide.Notice, string, error) {
		incident, err := incidentID(ctx, tx, in.Incident)
		if err != nil {
			return nil, "", err
		}
		return tx.Notices().List(ctx, state.NoticeQuery{Page: in.page(), Channel: in.Channel, State: in.State, Incident: incident, Key: in.Key})
	})
	one(s, op("/notices/{id}", "get-notice", "One message with its receipt"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Notice, error) {
		return tx.Notices().Get(ctx, id)
	})
	read(s, op("/notices/channels", "list-channels", "How the channels messages go out on stand"), func(ctx context.Context, _ *struct{}) (client.Page[Channel], error) {
		p := client.Page[Channel]{Items: []Channel{}}
		if s.dep.Notices == nil {
			return p, nil
		}
		all, err := s.dep.Notices.Channels(ctx)
		for _, c := range all {
			p.Items = append(p.Items, Channel(c))
		}
		return p, err
	})
	write(s, post("/notices/{id}/retry", "retry-notice", "Send a message again that was given up or had no channel"), auth.PermWork, func(ctx context.Context, id string, _ *struct{}) (honeyguide.Notice, error) {
		if s.dep.Notices == nil {
			return honeyguide.Notice{}, noOutbox()
		}
		return s.dep.Notices.Retry(ctx, id, whoAsks(ctx))
	})
	writeAnew(s, post("/notices/test", "test-channel", "Send a test message on a channel at once; the answer says whether it was taken"), auth.PermWork, func(ctx context.Context, in *client.ChannelTest) (honeyguide.Notice, error) {
		if s.dep.Notices == nil {
			return honeyguide.Notice{}, noOutbox()
		}
		return s.dep.Notices.Test(ctx, in.Channel, whoAsks(ctx))
	})
}

func noOutbox() error {
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "nothing is sent here"}
}
