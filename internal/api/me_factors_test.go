package api

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/seal"
)

// codeAt is what an authenticator app shows (RFC 6238).
func codeAt(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, at.Unix()/30)
	sum := m.Sum(nil)
	at4 := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at4:])&0x7fffffff%1_000_000)
}

func TestMyFactors(t *testing.T) {
	p := newPeople(t, func(o *auth.Options) { o.Box = seal.Random() })
	p.user("vera", "viewer")
	cookie := p.login("vera")
	have := func() (f MyFactors) {
		t.Helper()
		w := p.ask(http.MethodGet, "/me/factors", "", cookie)
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := have(); f.TOTP || f.Passkeys != 0 || f.RecoveryCodes != 0 {
		t.Errorf("before any factor: %+v", f)
	}
	w := p.ask(http.MethodPost, "/me/totp", "", cookie)
	var n client.NewTOTP
	if err := json.Unmarshal(w.Body.Bytes(), &n); err != nil || n.Secret == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if f := have(); f.TOTP {
		t.Errorf("an app counts before a code confirmed it: %+v", f)
	}
	if w := p.ask(http.MethodPost, "/me/totp/confirm", fmt.Sprintf(`{"code":%q}`, codeAt(t, n.Secret, time.Now())), cookie); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if f := have(); !f.TOTP || f.RecoveryCodes == 0 {
		t.Errorf("with an app: %+v", f)
	}
	if w := p.ask(http.MethodGet, "/me/factors", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d", w.Code)
	}
}
