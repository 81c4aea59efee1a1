package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// An Identity is who a provider says somebody is.
type Identity struct {
	Provider      string // id of the settings
	Issuer        string
	Subject       string // with Issuer what somebody is known by
	Name          string // preferred_username, else the address; chosen by them: no proof of anything
	Display       string
	Email         string
	EmailVerified bool
	Role          string
	SecondFactor  bool // enough was shown there; no second factor is asked for here
}

// maxSubject is the longest subject (OpenID Connect Core 1.0, 2).
const maxSubject = 255

// Bounds of claims.
const (
	maxGroups = 2000
	maxClaim  = 200 // characters of a name or an address
)

// identity checks the token and reads who it is about.
func (p *Provider) identity(ctx context.Context, doc *document, tok *oauth2.Token, nonce string) (Identity, error) {
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" {
		return Identity{}, refuse(Impostor, "the provider gives no id_token", nil)
	}
	id, err := p.verifier(ctx, doc).Verify(ctx, raw)
	if err != nil {
		return Identity{}, p.why(raw, err)
	}
	if err := p.ours(id, nonce); err != nil {
		return Identity{}, err
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
			return Identity{}, refuse(Impostor, "the access token is not that of the id_token", nil)
		}
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return Identity{}, refuse(Impostor, "the claims cannot be read", err)
	}
	if err := authorized(claims, id.Audience, p.set.ClientID); err != nil {
		return Identity{}, err
	}
	if err := p.complete(ctx, doc, tok, id.Subject, claims); err != nil {
		return Identity{}, err
	}
	return p.admit(id.Subject, claims)
}

// ours checks what the library leaves to its caller.
func (p *Provider) ours(id *gooidc.IDToken, nonce string) error {
	now := p.now()
	switch {
	case id.Issuer != p.set.Issuer: // the library makes an exception for one provider
		return refuse(Impostor, "the token is that of another issuer", nil)
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return refuse(Impostor, "the nonce of the token is not the one that was sent", nil)
	case id.Subject == "":
		return refuse(Impostor, "the token is about nobody: it has no sub", nil)
	case len(id.Subject) > maxSubject:
		return refuse(Impostor, "the sub of the token is too long", nil)
	case id.IssuedAt.After(now.Add(ahead)):
		return refuse(Impostor, "the token was made in the future: look at both clocks", nil)
	case id.IssuedAt.Before(now.Add(-oldest)):
		return refuse(Impostor, "the token was not made now: look at both clocks", nil)
	}
	return nil
}

// authorized checks azp (OpenID Connect Core 1.0, 3.1.3.7, 4 and 5): a token for
// several has to say for whom it was made.
func authorized(claims map[string]any, audience []string, client string) error {
	azp, given := claims["azp"]
	switch {
	case given && azp != client:
		return refuse(Impostor, "the token was made for another client: azp", nil)
	case !given && len(audience) > 1:
		return refuse(Impostor, "the token is for several clients and does not say for whom it was made", nil)
	}
	return nil
}

// complete asks for claims that are wanted and that the token lacks.
func (p *Provider) complete(ctx context.Context, doc *document, tok *oauth2.Token, subject string, claims map[string]any) error {
	lacks := func(name string) bool { _, ok := find(claims, name); return !ok }
	needed := p.set.RoleClaim != "" && lacks(p.set.RoleClaim) || len(p.set.AllowDomains) > 0 && lacks("email")
	if !needed && !lacks("preferred_username") || doc.op.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := doc.op.UserInfo(ctx, oauth2.StaticTokenSource(tok))
	if err != nil {
		if needed {
			return refuse(Down, "the provider does not say more about who it is", bare(err))
		}
		return nil
	}
	if info.Subject != subject {
		return refuse(Impostor, "userinfo is about somebody else than the token", nil)
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return refuse(Down, "userinfo cannot be read", err)
	}
	for name, v := range more {
		if _, has := claims[name]; !has { // what is signed stays
			claims[name] = v
		}
	}
	return nil
}

// admit decides whether somebody may come in, and as what.
func (p *Provider) admit(subject string, claims map[string]any) (Identity, error) {
	text := func(name string) string {
		s, _ := claims[name].(string)
		return strings.ToValidUTF8(string([]rune(s)[:min(len([]rune(s)), maxClaim)]), "")
	}
	verified, _ := claims["email_verified"].(bool)
	if s, ok := claims["email_verified"].(string); ok { // some providers send it as text
		verified = s == "true"
	}
	who := Identity{
		Provider: p.id, Issuer: p.set.Issuer, Subject: subject, Display: text("name"), Email: text("email"), EmailVerified: verified,
		Name: text("preferred_username"), SecondFactor: p.set.SecondFactor == factorOP || slices.Contains(list(claims["amr"]), "mfa"),
	}
	if who.Name == "" {
		who.Name = who.Email
	}
	if len(p.set.AllowDomains) > 0 {
		_, domain, _ := strings.Cut(strings.ToLower(who.Email), "@")
		switch {
		case !verified:
			return Identity{}, refuse(Domain, "the provider has not verified the address", nil)
		case strings.Count(who.Email, "@") != 1 || !slices.Contains(p.set.AllowDomains, domain):
			return Identity{}, refuse(Domain, "the address is in none of allow_domains", nil)
		}
	}
	groups := []string(nil)
	if v, ok := find(claims, p.set.RoleClaim); ok {
		groups = list(v)
	}
	if who.Role = p.set.role(groups); who.Role == roleNone {
		return Identity{}, refuse(NoRole, fmt.Sprintf("none of %d groups has a role", len(groups)), nil)
	}
	return who, nil
}

// find looks a claim up: by its whole name, else as a path of names with dots.
func find(claims map[string]any, name string) (any, bool) {
	if name == "" {
		return nil, false
	}
	if v, ok := claims[name]; ok {
		return v, true
	}
	head, rest, deeper := strings.Cut(name, ".")
	inner, ok := claims[head].(map[string]any)
	if !deeper || !ok {
		return nil, false
	}
	return find(inner, rest)
}

// list reads one text or many.
func list(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v[:min(len(v), maxGroups)] {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// why names the reason of a token that was refused, by what it claims. It was
// refused already; this is only for the log.
func (p *Provider) why(raw string, err error) error {
	var head struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
	}
	var body struct {
		Iss string `json:"iss"`
		Aud any    `json:"aud"`
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || decode(parts[0], &head) != nil || decode(parts[1], &body) != nil {
		return refuse(Impostor, "the token cannot be read", err)
	}
	var late *gooidc.TokenExpiredError
	switch {
	case !slices.Contains(signing, head.Alg):
		return refuse(Impostor, "the token is signed with an algorithm that is not taken", fmt.Errorf("%.20q", head.Alg))
	case errors.As(err, &late):
		return refuse(Impostor, "the token has ended", err)
	case strings.Contains(err.Error(), "fetching keys"):
		return refuse(Down, "the keys of the provider cannot be had", bare(err))
	case strings.Contains(err.Error(), "signature"):
		return refuse(Impostor, "the signature of the token is not the provider's", err)
	case body.Iss != p.set.Issuer:
		return refuse(Impostor, "the token is that of another issuer", err)
	case !slices.Contains(list(body.Aud), p.set.ClientID):
		return refuse(Impostor, "the token is for another client", err)
	}
	return refuse(Impostor, "the token is not right", err)
}

func decode(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
