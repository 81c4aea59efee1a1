package state

import (
	"context"
	"slices"
	"time"

	"honeyguide"
)

// Identity hands out the nouns of who may come in.
type Identity interface {
	Users() Users
	Credentials() Credentials
	LoginSessions() LoginSessions
	LoginTries() LoginTries
	Roles() Roles
	APIKeys() APIKeys
}

// ListUsers is the list of accounts.
const ListUsers List = 'U'

// Bounds of identity.
const (
	MaxUsers       = 10_000
	MaxCredentials = 64 // of one account
	MaxRoles       = 200
	MaxAPIKeys     = 5_000
	KeptTries      = 100 // of one account, the newest
)

// Users are the accounts.
type Users interface {
	// Save stores the full value u under its ID, or as new when it has none: with an
	// ID, and CreatedAt when it has none. Name and CreatedAt of a stored one stay.
	// CodeConflict when the name is taken in any case, or there are [MaxUsers].
	Save(ctx context.Context, u *honeyguide.User) (created bool, err error)
	// Get takes an ID or a name in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.User, error)
	// Named is Get that takes a name only.
	Named(ctx context.Context, name string) (honeyguide.User, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q UserQuery) ([]honeyguide.User, string, error)
	// Count counts the accounts List would return over all pages.
	Count(ctx context.Context, q UserQuery) (int64, error)
	// Remove removes an account with its credentials, sessions, tries and keys. CodeNotFound.
	Remove(ctx context.Context, id string) error
}

// UserQuery says which accounts are wanted.
type UserQuery struct {
	Page
	Role    string // "" = any
	Kind    honeyguide.UserKind
	Enabled bool // only those that are not disabled
}

// Credentials are by what accounts show who they are.
type Credentials interface {
	// Save stores the full value c under its ID, or as new when it has none. User,
	// Kind and CreatedAt of a stored one stay. CodeConflict when its Lookup is taken
	// within its kind, or its account has [MaxCredentials].
	Save(ctx context.Context, c *honeyguide.Credential) error
	// Of returns the credentials of an account, oldest first; "" for kind means all.
	Of(ctx context.Context, user string, kind honeyguide.CredentialKind) ([]honeyguide.Credential, error)
	// Find returns the one of a kind with that Lookup, which is not empty. CodeNotFound.
	Find(ctx context.Context, kind honeyguide.CredentialKind, lookup string) (honeyguide.Credential, error)
	Get(ctx context.Context, id string) (honeyguide.Credential, error) // CodeNotFound
	Remove(ctx context.Context, id string) error                       // CodeNotFound
	// RemoveOf removes those of a kind, or all for "", and returns how many there were.
	RemoveOf(ctx context.Context, user string, kind honeyguide.CredentialKind) (int64, error)
}

// LoginSessions are the browsers people are logged in with.
type LoginSessions interface {
	// Save stores the full value s under its ID, which must not be empty.
	Save(ctx context.Context, s *honeyguide.LoginSession) error
	Get(ctx context.Context, id string) (honeyguide.LoginSession, error) // CodeNotFound
	// Find returns the one with that Sum. CodeNotFound.
	Find(ctx context.Context, sum string) (honeyguide.LoginSession, error)
	// Of returns those of an account, newest first.
	Of(ctx context.Context, user string) ([]honeyguide.LoginSession, error)
	// Seen notes when sessions were last used; one that is gone is passed over.
	Seen(ctx context.Context, at map[string]time.Time) error
	// Remove ends one; one that is not there is no error.
	Remove(ctx context.Context, id string) error
	// RemoveOf ends those of an account but one, "" for none, and returns their number.
	RemoveOf(ctx context.Context, user, but string) (int64, error)
	// Trim forgets those that were not seen since idle or are over at now.
	Trim(ctx context.Context, idle, now time.Time) (int64, error)
}

// LoginTries are the attempts to log in.
type LoginTries interface {
	// Add keeps a try and forgets the oldest of its account beyond [KeptTries].
	Add(ctx context.Context, t honeyguide.LoginTry) error
	// Known reports whether an account came in from a network at or after a time.
	Known(ctx context.Context, user, network string, since time.Time) (bool, error)
	// Of returns the tries of an account, newest first.
	Of(ctx context.Context, user string) ([]honeyguide.LoginTry, error)
	// Trim forgets those before a time.
	Trim(ctx context.Context, before time.Time) (int64, error)
}

// Roles are the sets of permissions an operator made. The built-in ones are no rows.
type Roles interface {
	// Save stores the full value r under its Name. CodeConflict when there are [MaxRoles].
	Save(ctx context.Context, r *honeyguide.Role) (created bool, err error)
	Get(ctx context.Context, name string) (honeyguide.Role, error) // CodeNotFound
	List(ctx context.Context) ([]honeyguide.Role, error)           // by name
	Remove(ctx context.Context, name string) error                 // CodeNotFound
}

// APIKeys are the keys of programs.
type APIKeys interface {
	// Save stores the full value k under its ID, which must not be empty. Sum and
	// CreatedAt of a stored one stay. CodeConflict when there are [MaxAPIKeys].
	Save(ctx context.Context, k *honeyguide.APIKey) error
	// Find returns the one with that Sum. CodeNotFound.
	Find(ctx context.Context, sum string) (honeyguide.APIKey, error)
	Get(ctx context.Context, id string) (honeyguide.APIKey, error) // CodeNotFound
	List(ctx context.Context) ([]honeyguide.APIKey, error)         // oldest first
	Remove(ctx context.Context, id string) error                   // CodeNotFound
}

// TidyUser brings an account within the bounds of the store.
func TidyUser(u *honeyguide.User) {
	keys(&u.ID, &u.Name, &u.Role, &u.CreatedBy)
	u.Display = Clip(Column(u.Display), MaxKey)
	times(&u.CreatedAt, &u.UpdatedAt, &u.PasswordAt, &u.LastLoginAt)
}

// TidyCredential brings a credential within the bounds of the store.
func TidyCredential(c *honeyguide.Credential) {
	keys(&c.ID, &c.User)
	c.Name, c.Lookup = Clip(Column(c.Name), MaxKey), Clip(Column(c.Lookup), MaxTitle)
	times(&c.CreatedAt, &c.UsedAt, &c.ExpiresAt)
}

// TidyLoginSession brings a session within the bounds of the store.
func TidyLoginSession(s *honeyguide.LoginSession) {
	keys(&s.ID, &s.User, &s.Sum)
	s.Agent = Clip(Column(s.Agent), MaxKey)
	s.Methods = slices.Concat([]string{}, s.Methods)
	times(&s.Since, &s.SeenAt, &s.Until, &s.ConfirmedAt)
}

// TidyRole brings a role within the bounds of the store.
func TidyRole(r *honeyguide.Role) {
	keys(&r.Name, &r.CreatedBy)
	r.Title = Clip(Column(r.Title), MaxKey)
	r.Permissions = slices.Concat([]string{}, r.Permissions)
	times(&r.CreatedAt, &r.UpdatedAt)
}

// TidyAPIKey brings a key within the bounds of the store.
func TidyAPIKey(k *honeyguide.APIKey) {
	keys(&k.ID, &k.Name, &k.Role, &k.Sum, &k.Owner, &k.Successor)
	times(&k.CreatedAt, &k.ExpiresAt, &k.UsedAt)
}
