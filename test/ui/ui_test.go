package ui

import (
	"strings"
	"testing"
	"time"

	"honeyguide/test/oidc"
)

// TestLogin is the first hour of an installation, with everything on that is on by
// default.
func TestLogin(t *testing.T) {
	need(t)
	port := freePort(t)
	issuer := oidc.Start(t, oidc.Client{ID: "honeyguide", Secret: "s", Redirect: "https://localhost:" + port + "/api/v1/auth/oidc/corp/callback"})
	at := "auth.oidc.corp."
	c := start(t, port, at+"issuer="+issuer, at+"client_id=honeyguide", at+"client_secret=s", at+"label=Corp", at+"role_claim=groups",
		at+"roles.soc=analyst", at+"roles.soc-admins=admin")
	c.give["oidc"] = issuer
	var b strings.Builder
	for n := range 60 {
		b.WriteString(Record(time.Now(), 1_000_000+n))
	}
	c.ingest(t, "suricata", b.String())
	c.rate.Store(20)
	c.run(t, "login", 3*time.Minute, nil)
}
