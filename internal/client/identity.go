package client

import (
	"time"

	"honeyguide"
)

// LoginMethods are the ways in.
type LoginMethods struct {
	FirstRun bool           `json:"first_run" doc:"there is no user yet: the link that honeyguide run shows makes the first one"`
	Password bool           `json:"password"`
	Passkey  bool           `json:"passkey"`
	OIDC     []OIDCProvider `json:"oidc"`
	Banner   string         `json:"banner,omitempty" doc:"text to show to everybody who is about to log in"`
}

// An OIDCProvider is a way in through somebody else's login.
type OIDCProvider struct {
	ID    string `json:"id"`
	Label string `json:"label"`
}

// A LoginOrder is a name and a password.
type LoginOrder struct {
	Name     string            `json:"name" minLength:"1" maxLength:"128"`
	Password honeyguide.Secret `json:"password" minLength:"1" maxLength:"1024"`
}

// A FirstRunOrder uses a one-time link.
type FirstRunOrder struct {
	Token    honeyguide.Secret `json:"token" minLength:"1" maxLength:"128" doc:"behind the # of the link"`
	Name     string            `json:"name,omitempty" maxLength:"64" doc:"what the first administrator is called; for everybody else their name, or nothing"`
	Password honeyguide.Secret `json:"password" minLength:"1" maxLength:"1024" doc:"12 characters or more"`
}

// A CodeOrder is a second factor.
type CodeOrder struct {
	Code honeyguide.Secret `json:"code" minLength:"1" maxLength:"64"`
}

// A ConfirmOrder shows again who somebody is: by password or by code.
type ConfirmOrder struct {
	Password honeyguide.Secret `json:"password,omitempty" maxLength:"1024"`
	Code     honeyguide.Secret `json:"code,omitempty" maxLength:"64" doc:"of the authenticator app"`
}

// A LoginAnswer says how far a login has come. The cookie comes beside it.
type LoginAnswer struct {
	State   string   `json:"state" enum:"in,second,enrol" doc:"in; second: a second factor is wanted; enrol: the role wants one and none is set, so that nothing but that can be done"`
	Methods []string `json:"methods" doc:"by which the second factor can be shown or set: totp, passkey, recovery"`
	User    string   `json:"user,omitempty"`
	Failed  int      `json:"failed,omitempty" doc:"wrong tries since the login before"`
}

// Me is who asks.
type Me struct {
	ID                 string    `json:"id"`
	Name               string    `json:"name"`
	Display            string    `json:"display"`
	Role               string    `json:"role"`
	Permissions        []string  `json:"permissions" doc:"what they may now"`
	Kind               string    `json:"kind" enum:"user,key,local"`
	SecondFactor       bool      `json:"second_factor"`
	Enrol              bool      `json:"enrol" doc:"the role wants a second factor, and none is set"`
	MustChangePassword bool      `json:"must_change_password,omitempty"`
	Failed             int       `json:"failed,omitempty" doc:"wrong tries between the login before and this one"`
	Session            MySession `json:"session,omitzero" doc:"of users"`
}

// MySession is the login of who asks.
type MySession struct {
	ID             string    `json:"id"`
	Since          time.Time `json:"since"`
	IdleUntil      time.Time `json:"idle_until" doc:"when it ends unless it is used"`
	Until          time.Time `json:"until" doc:"when it ends in any case"`
	ConfirmedUntil time.Time `json:"confirmed_until,omitzero" doc:"until then nothing asks who it is"`
}

// A PasswordOrder changes the own password.
type PasswordOrder struct {
	Old honeyguide.Secret `json:"old" maxLength:"1024"`
	New honeyguide.Secret `json:"new" minLength:"1" maxLength:"1024"`
}

// A StrengthOrder asks how good a password is.
type StrengthOrder struct {
	Password honeyguide.Secret `json:"password" maxLength:"1024"`
}

// Strength is how good a password is.
type Strength struct {
	Score       int      `json:"score" minimum:"0" maximum:"4"`
	Warning     string   `json:"warning"`
	Suggestions []string `json:"suggestions"`
	Breached    bool     `json:"breached" doc:"it is on a list of stolen passwords"`
}

// NewTOTP is what an authenticator app needs. It counts once a code confirms it.
type NewTOTP struct {
	Secret string   `json:"secret" doc:"to type in by hand"`
	URI    string   `json:"uri"`
	QR     []string `json:"qr" doc:"the picture: rows of 0 and 1"`
}

// RecoveryCodes are shown once; each lets its owner in once in the place of a
// second factor.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}

// A PasskeyRow is a passkey of somebody.
type PasskeyRow struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"`
	BackedUp  bool      `json:"backed_up" doc:"its maker keeps copies of it"`
}

// A NameOrder gives something a name.
type NameOrder struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

// A LoginRow is a browser somebody is logged in with.
type LoginRow struct {
	ID      string    `json:"id"`
	Since   time.Time `json:"since"`
	SeenAt  time.Time `json:"seen_at"`
	Until   time.Time `json:"until"`
	Address string    `json:"address"`
	Agent   string    `json:"agent" doc:"what the browser calls itself"`
	Methods []string  `json:"methods" doc:"by what"`
	Current bool      `json:"current" doc:"it is the one that asks"`
	Halfway bool      `json:"halfway" doc:"the second factor is missing"`
}

// Ended counts logins that were ended.
type Ended struct {
	Ended int64 `json:"ended"`
}

// A UserRow is an account.
type UserRow struct {
	honeyguide.User
	Locked bool `json:"locked,omitempty" doc:"after too many wrong passwords strangers have to wait; known devices have not"`
	Failed int  `json:"failed,omitempty" doc:"wrong tries since the last login"`
}

// A UserOrder asks for an account.
type UserOrder struct {
	Name    string `json:"name" minLength:"1" maxLength:"64" doc:"what they log in with and what stands in decisions; never changes"`
	Display string `json:"display,omitempty" maxLength:"200"`
	Kind    string `json:"kind,omitempty" enum:"person,service" doc:"absent means person; a service holds keys and cannot log in"`
	Role    string `json:"role" minLength:"1" maxLength:"32"`
}

// A UserPatch changes an account; what is absent stays.
type UserPatch struct {
	Display            *string `json:"display,omitempty" maxLength:"200"`
	Role               *string `json:"role,omitempty" maxLength:"32" doc:"ends the logins"`
	Disabled           *bool   `json:"disabled,omitempty" doc:"ends the logins"`
	MustChangePassword *bool   `json:"must_change_password,omitempty"`
}

// A ResetOrder asks for a one-time link.
type ResetOrder struct {
	Factors bool `json:"factors,omitempty" doc:"it takes the second factors away, too, for somebody who lost them"`
}

// An OneTimeLink lets somebody choose a password. It is shown once.
type OneTimeLink struct {
	User      honeyguide.User `json:"user"`
	Link      string          `json:"link,omitempty" doc:"absent for services"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"`
}

// A RoleOrder makes a role, or says what it grants from now on.
type RoleOrder struct {
	Name        string   `json:"name" minLength:"2" maxLength:"32"`
	Title       string   `json:"title,omitempty" maxLength:"200"`
	Permissions []string `json:"permissions" minItems:"1" maxItems:"64"`
}

// A RolePatch changes a role; what is absent stays.
type RolePatch struct {
	Title       *string   `json:"title,omitempty" maxLength:"200"`
	Permissions *[]string `json:"permissions,omitempty" maxItems:"64"`
}

// Roles are the roles there are, and what there is to grant.
type Roles struct {
	Items       []honeyguide.Role `json:"items"`
	Next        string            `json:"next"`
	Permissions []PermissionRow   `json:"permissions"`
}

// A PermissionRow is something a role can grant.
type PermissionRow struct {
	Name string `json:"name"`
	Text string `json:"text" doc:"what it is good for"`
}

// A RotateOrder asks for a key in the place of another.
type RotateOrder struct {
	Overlap string `json:"overlap,omitempty" maxLength:"16" doc:"how long the old one stays good, such as 24h; absent: not at all"`
}
