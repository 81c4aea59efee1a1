// Package jira opens issues in Jira: Cloud (REST API v3) and Data Center (v2).
//
// Every issue has a label made of its message's key, the incident unless a step
// says otherwise. It is looked for before an issue is made, so that a second
// attempt finds the first one's.
package jira

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the jira action.
var Kind = kind.Of("jira", "Open an issue in Jira.", Config{Flavour: cloud, Type: "Task"}, open)

// Flavours.
const (
	cloud  = "cloud"
	server = "server"
)

// Config configures a jira action.
type Config struct {
	URL     string            `yaml:"url" doc:"address of the site, https://example.atlassian.net"`
	Flavour string            `yaml:"flavour" doc:"cloud, or server = Data Center"`
	User    string            `yaml:"user" doc:"cloud: the account's mail address; server: empty with a personal access token"`
	Token   honeyguide.Secret `yaml:"token" doc:"API token or personal access token"`
	Project string            `yaml:"project" doc:"key of the project, SEC"`
	Type    string            `yaml:"type" doc:"name of the issue type"`
	Labels  []string          `yaml:"labels" doc:"further labels of every issue"`
}

var (
	projectKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,20}$`)
	label      = regexp.MustCompile(`^[^\s"\\]{1,200}$`)
)

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case c.Flavour != cloud && c.Flavour != server:
		return respond.Invalid("flavour: want cloud or server")
	case len(c.Token) < 8 || strings.ContainsAny(c.Token.Reveal(), "\r\n "):
		return respond.Invalid("token: missing; set it, or token_file to the name of a file that holds it")
	case c.Flavour == cloud && c.User == "":
		return respond.Invalid("user: missing; cloud wants the account's mail address beside the token")
	case !projectKey.MatchString(c.Project):
		return respond.Invalid("project: want a project's key, such as SEC")
	case c.Type == "":
		return respond.Invalid("type: missing")
	case slices.ContainsFunc(c.Labels, func(l string) bool { return !label.MatchString(l) }):
		return respond.Invalid("labels: want words without blanks")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
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
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &action{reach, cfg, dep}, nil
}

// Plan plans an issue.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "Jira, project "+a.cfg.Project+", as an issue")
}

const maxSummary = 250

// marker is the label an issue is known again by.
func marker(m respond.Message) string {
	sum := sha256.Sum256([]byte(m.Key))
	return "honeyguide-" + hex.EncodeToString(sum[:10])
}

// Apply opens the issue, unless there is one. The reference is its key.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	m := respond.MessageOf(p)
	key, err := a.find(ctx, m)
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("look for an issue in Jira: %w", err)
	}
	if key != "" {
		return respond.Receipt{Ref: key, Detail: "The issue was there already."}, nil
	}
	fields := map[string]any{
		"project": map[string]any{"key": a.cfg.Project}, "issuetype": map[string]any{"name": a.cfg.Type}, "summary": m.Heading(maxSummary),
		"labels": append([]string{"honeyguide", marker(m)}, a.cfg.Labels...), "description": a.describe(m),
	}
	answer, err := a.call(ctx, http.MethodPost, "/issue", map[string]any{"fields": fields})
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("open an issue in Jira: %w", err)
	}
	var made struct {
		Key string `json:"key"`
	}
	if err := answer.Decode(&made); err != nil {
		return respond.Receipt{}, fmt.Errorf("open an issue in Jira: %w", err)
	}
	if !issueKey.MatchString(made.Key) {
		return respond.Receipt{}, answer.Fault("open an issue in Jira: no key in the answer")
	}
	return respond.Receipt{Ref: made.Key}, nil
}

var issueKey = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,20}-[0-9]{1,12}$`)

// describe writes the text: as a document whose text nodes know no formats, or for
// the wiki markup of Data Center in a block that has none.
func (a *action) describe(m respond.Message) any {
	text := m.Compose(respond.MaxText)
	if a.cfg.Flavour == server {
		text = "{noformat}\n" + strings.ReplaceAll(text, "{", "{ ") + "\n{noformat}"
		if m.Link != "" {
			text += "\n[Open in Honeyguide|" + m.Link + "]"
		}
		return text
	}
	type node map[string]any
	content := []node{{"type": "codeBlock", "content": []node{{"type": "text", "text": text}}}}
	if m.Link != "" {
		content = append(content, node{"type": "paragraph", "content": []node{
			{"type": "text", "text": "Open in Honeyguide", "marks": []node{{"type": "link", "attrs": node{"href": m.Link}}}},
		}})
	}
	return node{"type": "doc", "version": 1, "content": content}
}

// find returns the key of the issue of a message, "" when there is none.
func (a *action) find(ctx context.Context, m respond.Message) (string, error) {
	path := "/search/jql?"
	if a.cfg.Flavour == server {
		path = "/search?"
	}
	query := url.Values{
		"jql":    {fmt.Sprintf("project = %q AND labels = %q ORDER BY created ASC", a.cfg.Project, marker(m))},
		"fields": {"labels"}, "maxResults": {"2"},
	}
	answer, err := a.call(ctx, http.MethodGet, path+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	var found struct {
		Issues *[]issue `json:"issues"`
	}
	if err := answer.Decode(&found); err != nil {
		return "", err
	}
	if found.Issues == nil {
		return "", answer.Fault("no list of issues in the answer")
	}
	for _, i := range *found.Issues {
		if slices.Contains(i.Fields.Labels, marker(m)) && issueKey.MatchString(i.Key) {
			return i.Key, nil
		}
	}
	return "", nil
}

type issue struct {
	Key    string `json:"key"`
	Fields struct {
		Labels []string `json:"labels"`
	} `json:"fields"`
}

// Verify reads the issue.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if !issueKey.MatchString(p.Ref) {
		return errors.New("the plan names no issue")
	}
	answer, err := a.call(ctx, http.MethodGet, "/issue/"+p.Ref+"?fields=labels", nil)
	if err != nil {
		return fmt.Errorf("read an issue of Jira: %w", err)
	}
	var got issue
	if err := answer.Decode(&got); err != nil {
		return fmt.Errorf("read an issue of Jira: %w", err)
	}
	if !slices.Contains(got.Fields.Labels, marker(respond.MessageOf(p))) {
		return fmt.Errorf("the issue %s is not about this", p.Ref)
	}
	return nil
}

func (a *action) call(ctx context.Context, method, path string, body any) (respond.Answer, error) {
	version := "/rest/api/3"
	if a.cfg.Flavour == server {
		version = "/rest/api/2"
	}
	login := "Bearer " + a.cfg.Token.Reveal()
	if a.cfg.User != "" {
		login = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.cfg.User+":"+a.cfg.Token.Reveal()))
	}
	return a.dep.Call(ctx, respond.Call{
		Method: method, URL: a.cfg.URL + version + path, JSON: body, Header: map[string]string{"Authorization": login},
		Hide: []honeyguide.Secret{a.cfg.Token, honeyguide.Secret(strings.TrimPrefix(login, "Basic "))},
	})
}
