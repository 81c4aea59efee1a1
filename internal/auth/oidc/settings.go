package oidc

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
)

// Settings are one provider as an operator writes it, under auth.oidc by its id.
type Settings struct {
	Issuer           string            `yaml:"issuer" doc:"address of the provider exactly as it calls itself, https://login.example/realms/soc"`
	ClientID         string            `yaml:"client_id" doc:"name this product has there"`
	ClientSecret     honeyguide.Secret `yaml:"client_secret" doc:"secret that goes with it; empty = a public client, held by PKCE alone"`
	ClientSecretFile string            `yaml:"client_secret_file" doc:"file that holds the secret, in the place of client_secret"`
	Label            string            `yaml:"label" doc:"what the button says; empty = the id"`
	Scopes           []string          `yaml:"scopes" doc:"asked for beside openid; empty = profile and email"`
	RoleClaim        string            `yaml:"role_claim" doc:"claim that holds the groups, such as groups or realm_access.roles; empty = everybody gets default_role"`
	Roles            map[string]string `yaml:"roles" doc:"role for each group: {soc-admins: admin}; who is in several gets the one that may do most"`
	DefaultRole      string            `yaml:"default_role" doc:"role of who is in none of the groups: viewer, or none = they are turned away"`
	AllowDomains     []string          `yaml:"allow_domains" doc:"domains an address must be in, verified by the provider; empty = any or no address"`
	SecondFactor     string            `yaml:"second_factor" doc:"here = asked for as after a password, unless the provider says that it did; provider = left to the provider"`
}

// The values of settings.
const (
	roleNone   = "none"
	roleViewer = "viewer"
	factorHere = "here"
	factorOP   = "provider"
)

// Bounds of settings.
const (
	maxText   = 512
	maxRoles  = 200
	maxSecret = 4 << 10
)

var idText = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Tidy checks settings and fills what is empty. The error names the key.
func (s *Settings) Tidy(id string) error {
	at := "auth.oidc." + id
	if !idText.MatchString(id) {
		return invalid("auth.oidc: %.40q: want 1 to 32 small letters, digits or hyphens as the id of a provider", id)
	}
	if _, err := address(s.Issuer, true); err != nil {
		return invalid("%s.issuer: %v", at, err)
	}
	u, _ := url.Parse(s.Issuer)
	if u.RawQuery != "" {
		return invalid("%s.issuer: a query does not belong into it", at)
	}
	if s.SecondFactor == "" {
		s.SecondFactor = factorHere
	}
	if s.DefaultRole == "" {
		s.DefaultRole = roleNone
	}
	if s.Label == "" {
		s.Label = id
	}
	if len(s.Scopes) == 0 {
		s.Scopes = []string{"profile", "email"}
	}
	for i, d := range s.AllowDomains {
		s.AllowDomains[i] = strings.ToLower(strings.TrimPrefix(d, "@"))
	}
	return s.check(at)
}

func (s *Settings) check(at string) error {
	switch {
	case s.ClientID == "" || len(s.ClientID) > maxText:
		return invalid("%s.client_id: missing, or longer than %d characters", at, maxText)
	case s.ClientSecret != "" && s.ClientSecretFile != "":
		return invalid("%s: client_secret and client_secret_file are both set; keep one", at)
	case len([]rune(s.Label)) > 60:
		return invalid("%s.label: want at most 60 characters", at)
	case s.DefaultRole != roleNone && s.DefaultRole != roleViewer:
		return invalid("%s.default_role: %.40q; want none or viewer", at, s.DefaultRole)
	case s.SecondFactor != factorHere && s.SecondFactor != factorOP:
		return invalid("%s.second_factor: %.40q; want here or provider", at, s.SecondFactor)
	case len(s.Roles) > 0 && s.RoleClaim == "":
		return invalid("%s.role_claim: missing; it names the claim the groups of roles are looked up in", at)
	case len(s.Roles) == 0 && s.DefaultRole == roleNone:
		return invalid("%s: nobody could sign in: set roles, or default_role: viewer", at)
	case len(s.Roles) > maxRoles || len(s.Scopes) > 20 || len(s.AllowDomains) > 100 || len(s.RoleClaim) > 200:
		return invalid("%s: too many roles, scopes or domains", at)
	}
	for _, scope := range s.Scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			return invalid("%s.scopes: %.40q is none (RFC 6749, 3.3)", at, scope)
		}
	}
	for group, role := range s.Roles {
		if group == "" || role == "" {
			return invalid("%s.roles: want GROUP: ROLE", at)
		}
	}
	return nil
}

// secret returns the client's secret.
func (s *Settings) secret(id string) (honeyguide.Secret, error) {
	if s.ClientSecretFile == "" {
		return s.ClientSecret, nil
	}
	raw, err := os.ReadFile(s.ClientSecretFile)
	text := strings.TrimRight(string(raw), "\r\n")
	if err != nil || text == "" || len(text) > maxSecret {
		return "", &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("auth.oidc.%s.client_secret_file: want a file that can be read and holds the secret alone", id), Err: err}
	}
	return honeyguide.Secret(text), nil
}

// address reads the address of something of a provider: https, or http on this
// machine when plain is allowed.
func address(text string, plain bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, fmt.Errorf("missing; want https://HOST")
	case err != nil || u.Hostname() == "" || len(text) > maxText || u.User != nil || u.Fragment != "":
		return nil, fmt.Errorf("want https://HOST without a user or a fragment")
	case u.Scheme == "https" || u.Scheme == "http" && plain && loopback(u.Hostname()):
		return u, nil
	}
	return nil, fmt.Errorf("want https: what tells who somebody is may not be changed on its way")
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// role returns the role for some groups.
func (s *Settings) role(groups []string) string {
	var found []string
	for _, g := range groups {
		if r := s.Roles[g]; r != "" {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return s.DefaultRole
	}
	slices.SortFunc(found, func(a, b string) int {
		if n := rank(a) - rank(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return found[0]
}

// rank orders roles by what they may do. Those an operator made stand between
// analyst and viewer, for it is not known here what they may do.
func rank(role string) int {
	if n := slices.Index([]string{"admin", "responder", "analyst", "", roleViewer, roleNone}, role); n >= 0 {
		return n
	}
	return 3
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
