// Package github opens issues on GitHub, or on an Enterprise Server (REST API,
// version 2022-11-28).
//
// Every issue carries a mark made of its message's key, the incident unless a step
// says otherwise, in a comment of its text. The newest issues are looked through
// for it before one is made, so that a second attempt finds the first one's.
package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the github action.
var Kind = kind.Of("github", "Open an issue on GitHub.", Config{URL: "https://api.github.com", Label: "honeyguide"}, open)

// Config configures a github action.
type Config struct {
	URL        string            `yaml:"url" doc:"address of the API; for Enterprise Server https://host/api/v3"`
	Repository string            `yaml:"repository" doc:"owner/name; a private one"`
	Token      honeyguide.Secret `yaml:"token" doc:"fine-grained token that may read and write issues of the repository"`
	Label      string            `yaml:"label" doc:"label of every issue; issues are looked for among those that have it"`
}

var (
	repository = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)
	labelName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,48}$`)
)

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case !repository.MatchString(c.Repository) || strings.HasSuffix(c.Repository, "/..") || strings.HasSuffix(c.Repository, "/."):
		return respond.Invalid("repository: want owner/name")
	case len(c.Token) < 8 || strings.ContainsAny(c.Token.Reveal(), "\r\n "):
		return respond.Invalid("token: missing; set it, or token_file to the name of a file that holds it")
	case !labelName.MatchString(c.Label):
		return respond.Invalid("label: want a word of letters, digits, blanks and . _ : -")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg  Config
	dep  respond.Deps
	base string
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	return &action{reach, cfg, dep, strings.TrimRight(cfg.URL, "/") + "/repos/" + cfg.Repository + "/issues"}, nil
}

// Plan plans an issue.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "GitHub, "+a.cfg.Repository+", as an issue")
}

// Bounds.
const (
	maxTitle = 250
	pages    = 3 // of 100 issues looked through
)

// mark is what an issue is known again by. No attacker can write one: their text
// stands in a block of code, and the mark is of a hash.
func mark(m respond.Message) string {
	sum := sha256.Sum256([]byte(m.Key))
	return "<!-- honeyguide:" + hex.EncodeToString(sum[:10]) + " -->"
}

type issue struct {
	Number int64  `json:"number"`
	Body   string `json:"body"`
}

// marked reports whether an issue is a message's: the mark is its last line.
func (i issue) marked(m respond.Message) bool {
	return i.Number > 0 && strings.HasSuffix(strings.TrimSpace(i.Body), "\n"+mark(m))
}

// Apply opens the issue, unless there is one. The reference is its number.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	m := respond.MessageOf(p)
	for page := 1; page <= pages; page++ {
		query := url.Values{"labels": {a.cfg.Label}, "state": {"all"}, "per_page": {"100"}, "page": {strconv.Itoa(page)}}
		answer, err := a.call(ctx, http.MethodGet, "?"+query.Encode(), nil)
		if err != nil {
			return respond.Receipt{}, fmt.Errorf("look for an issue on GitHub: %w", err)
		}
		var list []issue
		if err := answer.Decode(&list); err != nil {
			return respond.Receipt{}, fmt.Errorf("look for an issue on GitHub: %w", err)
		}
		for _, i := range list {
			if i.marked(m) {
				return respond.Receipt{Ref: strconv.FormatInt(i.Number, 10), Detail: "The issue was there already."}, nil
			}
		}
		if len(list) < 100 {
			break
		}
	}
	text := respond.Fence(m.Compose(respond.MaxText))
	if m.Link != "" {
		text += "\n\n[Open in Honeyguide](" + m.Link + ")"
	}
	answer, err := a.call(ctx, http.MethodPost, "", map[string]any{"title": m.Heading(maxTitle), "body": text + "\n\n" + mark(m), "labels": []string{a.cfg.Label}})
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("open an issue on GitHub: %w", err)
	}
	var made issue
	if err := answer.Decode(&made); err != nil {
		return respond.Receipt{}, fmt.Errorf("open an issue on GitHub: %w", err)
	}
	if made.Number <= 0 {
		return respond.Receipt{}, answer.Fault("open an issue on GitHub: no number in the answer")
	}
	return respond.Receipt{Ref: strconv.FormatInt(made.Number, 10)}, nil
}

// Verify reads the issue.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	number, err := strconv.ParseInt(p.Ref, 10, 64)
	if err != nil || number <= 0 {
		return errors.New("the plan names no issue")
	}
	answer, err := a.call(ctx, http.MethodGet, "/"+strconv.FormatInt(number, 10), nil)
	if err != nil {
		return fmt.Errorf("read an issue of GitHub: %w", err)
	}
	var got issue
	if err := answer.Decode(&got); err != nil {
		return fmt.Errorf("read an issue of GitHub: %w", err)
	}
	if !got.marked(respond.MessageOf(p)) {
		return fmt.Errorf("the issue %d is not about this", number)
	}
	return nil
}

func (a *action) call(ctx context.Context, method, path string, body any) (respond.Answer, error) {
	answer, err := a.dep.Call(ctx, respond.Call{
		Method: method, URL: a.base + path, JSON: body, MaxBytes: 16 << 20, Hide: []honeyguide.Secret{a.cfg.Token},
		Header: map[string]string{"Authorization": "Bearer " + a.cfg.Token.Reveal(), "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
	})
	// Its limits come as 403, too.
	if answer.Status == http.StatusForbidden && (answer.Header["Retry-After"] != "" || answer.Header["X-Ratelimit-Remaining"] == "0") {
		text := errors.New(err.Error()) // no longer permanent
		wait := respond.RetryAfter(answer.Header["Retry-After"], a.dep.Now())
		if reset, bad := strconv.ParseInt(answer.Header["X-Ratelimit-Reset"], 10, 64); bad == nil && wait == 0 {
			wait = min(max(time.Unix(reset, 0).Sub(a.dep.Now()), time.Second), time.Hour)
		}
		return answer, respond.Later(text, max(wait, time.Second))
	}
	return answer, err
}
