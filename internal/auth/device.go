package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// A device cookie says which accounts came in from a browser before. It opens
// nothing: it gives the account a bucket of its own at that browser, so that
// guesses from elsewhere do not lock its owner out.
const (
	// DeviceLife is how long a device is known without a login.
	DeviceLife = 180 * 24 * time.Hour
	maxOnOne   = 4 // accounts a browser is known for
	macSize    = 16
)

var deviceText = base64.RawURLEncoding.Strict()

// device is what a device cookie says.
type device struct {
	id    string   // of the browser
	users []string // ids, the last one in first
}

// sign makes the text of a cookie: "1", when, the device, the accounts, a seal.
func (d device) sign(key []byte, now time.Time) string {
	when := binary.BigEndian.AppendUint64(nil, uint64(now.Unix()))
	body := strings.Join(append([]string{"1", deviceText.EncodeToString(when), d.id}, d.users...), ".")
	return body + "." + deviceText.EncodeToString(mac(key, body))
}

// readDevice reads a cookie that one of the keys signed; the zero device when it
// is not, or too old.
func readDevice(keys [][]byte, text string, now time.Time) device {
	i := strings.LastIndexByte(text, '.')
	if i < 0 || len(text) > 1024 {
		return device{}
	}
	given, err := deviceText.DecodeString(text[i+1:])
	if err != nil || !slices.ContainsFunc(keys, func(k []byte) bool { return hmac.Equal(given, mac(k, text[:i])) }) {
		return device{}
	}
	parts := strings.Split(text[:i], ".")
	if len(parts) < 3 || parts[0] != "1" {
		return device{}
	}
	when, err := deviceText.DecodeString(parts[1])
	if err != nil || len(when) != 8 {
		return device{}
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(when)), 0))
	if age > DeviceLife || age < -skew {
		return device{}
	}
	return device{id: parts[2], users: parts[3:]}
}

// with returns the device after a login of an account.
func (d device) with(user string) device {
	if d.id == "" {
		var id [12]byte
		_, _ = rand.Read(id[:]) // never fails (crypto/rand)
		d.id = deviceText.EncodeToString(id[:])
	}
	users := append([]string{user}, slices.DeleteFunc(slices.Clone(d.users), func(u string) bool { return u == user })...)
	d.users = users[:min(len(users), maxOnOne)]
	return d
}

// knows reports whether an account came in from there.
func (d device) knows(user string) bool { return user != "" && slices.Contains(d.users, user) }

func mac(key []byte, body string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	return h.Sum(nil)[:macSize]
}
