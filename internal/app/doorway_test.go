package app

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/certs"
	"honeyguide/internal/seal"
)

func TestDoorSettings(t *testing.T) {
	for what, c := range map[string]struct {
		edit func(*API)
		want string // "" = fine
	}{
		"defaults":            {func(*API) {}, ""},
		"cert alone":          {func(a *API) { a.TLS.Cert = "x" }, "go together"},
		"cert and acme":       {func(a *API) { a.TLS.Cert, a.TLS.Key, a.TLS.ACME.Domains = "x", "y", []string{"a.example"} }, "not both"},
		"required without CA": {func(a *API) { a.TLS.Client = "required" }, "client_ca"},
		"another word":        {func(a *API) { a.TLS.Client = "maybe" }, "optional or required"},
		"plain authority":     {func(a *API) { a.TLS.ACME.Directory = "http://ca.example" }, "https://"},
		"another header":      {func(a *API) { a.ProxyHeader = "X-Real-IP" }, "proxy_header"},
		"forwarded":           {func(a *API) { a.ProxyHeader = "forwarded" }, ""},
		"a bad proxy":         {func(a *API) { a.Proxies = []string{"proxy.example"} }, "api.proxies"},
		"a host with a port":  {func(a *API) { a.Hosts = []string{"soc.example:8443"} }, "api.hosts"},
		"a bad redirect":      {func(a *API) { a.Redirect = "80" }, "api.redirect"},
		"a negative limit":    {func(a *API) { a.Limits.Read = -1 }, "api.limits"},
		"nobody comes in":     {func(a *API) { a.Allow = []string{"192.0.2.0/24"} }, "nobody could come in"},
		"loopback comes in":   {func(a *API) { a.Allow = []string{"192.0.2.0/24", "127.0.0.1"} }, ""},
		"a network elsewhere": {func(a *API) { a.Listen, a.Allow = "0.0.0.0:8443", []string{"192.0.2.0/24"} }, ""},
	} {
		a := defaults().API
		c.edit(&a)
		if err := a.check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", what, err, c.want)
		}
	}
}

// On loopback only the names of this machine are served; elsewhere any, until names are set.
func TestNamesServed(t *testing.T) {
	s := defaults()
	s.Node.Name = "core"
	s.API.URL = "https://soc.example"
	if g := (&App{settings: s}).guards(); !slices.Contains(g.Hosts, "core") || !slices.Contains(g.Hosts, "soc.example") {
		t.Errorf("on loopback: %v", g.Hosts)
	}
	s.API.Listen = "0.0.0.0:8443"
	if g := (&App{settings: s}).guards(); g.Hosts != nil {
		t.Errorf("elsewhere: %v", g.Hosts)
	}
	s.API.Hosts = []string{"other.example"}
	if g := (&App{settings: s}).guards(); !slices.Contains(g.Hosts, "other.example") || !slices.Contains(g.Hosts, "soc.example") {
		t.Errorf("elsewhere, with names: %v", g.Hosts)
	}
}

func TestDoctorLooksAtTheDoor(t *testing.T) {
	s := defaults()
	s.Node.Data = t.TempDir()
	if f := checkCertificate(s, time.Now()); f.Status != StatusWarn {
		t.Errorf("before the first start: %+v", f)
	}
	if _, _, err := certs.SelfSigned(seal.Clear(filepath.Join(s.Node.Data, "keys")), nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if f := checkCertificate(s, time.Now()); f.Status != StatusOK {
		t.Errorf("self-signed on loopback: %+v", f)
	}
	if f := checkCertificate(s, time.Now().AddDate(3, 0, 0)); f.Status != StatusFail {
		t.Errorf("ended: %+v", f)
	}
	if f := checkAPI(s); f.Status != StatusOK {
		t.Errorf("loopback: %+v", f)
	}
	s.API.Listen = "0.0.0.0:8443"
	if f := checkCertificate(s, time.Now()); f.Status != StatusWarn {
		t.Errorf("self-signed for everybody: %+v", f)
	}
	if f := checkAPI(s); f.Status != StatusWarn || !strings.Contains(f.Mend, "api.allow") {
		t.Errorf("for everybody: %+v", f)
	}
	s.API.Allow, s.API.Proxies = []string{"192.0.2.0/24"}, []string{"10.0.0.1"}
	if f := checkAPI(s); f.Status != StatusOK {
		t.Errorf("with a list: %+v", f)
	}
	if f := checkProxies(s); f.Status != StatusOK {
		t.Errorf("a proxy: %+v", f)
	}
	s.API.Proxies = []string{"10.0.0.0/8"}
	if f := checkProxies(s); f.Status != StatusWarn {
		t.Errorf("wide proxies: %+v", f)
	}
	s.API.TLS.Cert, s.API.TLS.Key = "none", "none"
	if f := checkCertificate(s, time.Now()); f.Status != StatusFail {
		t.Errorf("no files: %+v", f)
	}
}
