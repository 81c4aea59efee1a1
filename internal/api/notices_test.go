package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/notice"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// fakeNotices takes everything.
type fakeNotices struct{}

func (fakeNotices) Channels(context.Context) ([]notice.Status, error) {
	return []notice.Status{{Name: "chat", State: notice.StateOK}}, nil
}

func (fakeNotices) Retry(_ context.Context, id, by string) (honeyguide.Notice, error) {
	return honeyguide.Notice{ID: id, State: honeyguide.NoticeQueued}, nil
}

func (fakeNotices) Test(_ context.Context, channel, by string) (honeyguide.Notice, error) {
	return honeyguide.Notice{ID: "t", Channel: channel, State: honeyguide.NoticeSent}, nil
}

// oneWay is a messenger without a plan.
type oneWay struct{ respond.Action }

func (oneWay) Send(context.Context, respond.Message) (string, error) { return "42", nil }

// The outbox as an operator sees it: listed, filtered, tested, sent again.
func TestNoticesOverTheAPI(t *testing.T) {
	var box *notice.Outbox
	r := newRig(t, func(d *Deps) {
		var err error
		if box, err = notice.New(notice.Defaults(), notice.Deps{State: d.State, Now: func() time.Time { return day }}); err != nil {
			t.Fatal(err)
		}
		if err := box.Open(map[string]respond.Messenger{"chat": oneWay{}}); err != nil {
			t.Fatal(err)
		}
		d.Notices = box
	})
	r.fill()
	if err := box.Post(t.Context(), honeyguide.Notice{ID: "n2", Severity: honeyguide.SeverityLow, Title: "another"}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"": "n2 n1", "?state=dead": "n1", "?state=sent": "", "?channel=chat": "n2 n1", "?channel=mail": "", "?incident=I-1": "n1", "?key=another": "n2", "?limit=1": "n2",
	} {
		var got []string
		for _, n := range get[client.Page[honeyguide.Notice]](r, "/api/v1/notices"+query).Items {
			got = append(got, n.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("notices%s: %v, want %s", query, got, want)
		}
	}
	if n := get[honeyguide.Notice](r, "/api/v1/notices/n1"); n.Title != "t" {
		t.Errorf("%+v", n)
	}
	if p := get[client.Page[notice.Status]](r, "/api/v1/notices/channels"); len(p.Items) != 1 || p.Items[0].Name != "chat" || p.Items[0].Queued != 1 {
		t.Errorf("%+v", p)
	}
	if n := postTo[honeyguide.Notice](r, "/api/v1/notices/n1/retry", `{}`, http.StatusOK); n.State != honeyguide.NoticeQueued {
		t.Errorf("%+v", n)
	}
	n := postTo[honeyguide.Notice](r, "/api/v1/notices/test", `{"channel":"chat"}`, http.StatusOK)
	if n.State != honeyguide.NoticeSent || n.Ref != "42" || !strings.HasPrefix(n.Text, "Honeyguide can reach you here.") {
		t.Errorf("%+v", n)
	}
	for path, want := range map[string]int{
		"/notices/" + n.ID + "/retry {}":        http.StatusConflict,
		"/notices/none/retry {}":                http.StatusNotFound,
		`/notices/test {"channel":"nobody"}`:    http.StatusNotFound,
		`/notices/test {"chanel":"chat"}`:       http.StatusUnprocessableEntity,
		`/notices/test {"channel":""}`:          http.StatusUnprocessableEntity,
		`/notices/n1/retry {"channel":"other"}`: http.StatusBadRequest,
	} {
		path, body, _ := strings.Cut(path, " ")
		if w := r.call(http.MethodPost, "/api/v1"+path, bootstrap, strings.NewReader(body)); w.Code != want {
			t.Errorf("%s %s: %d, want %d: %s", path, body, w.Code, want, w.Body)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/notices?state=lost", bootstrap, nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("unknown state: %d", w.Code)
	}
	r.update(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.Notices().Get(ctx, "n1")
		if n.State != honeyguide.NoticeQueued || n.Error != "" {
			t.Errorf("stored %+v", n)
		}
		return err
	})
}
