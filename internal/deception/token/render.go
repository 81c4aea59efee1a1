package token

import (
	"fmt"
	"path"
	"strings"
)

// A File is a token as it is planted: one whole file. Content is a secret.
type File struct {
	Path     string
	UID, GID uint32
	Mode     uint32 // permission bits
	Content  []byte
}

// String names the file without its content.
func (f File) String() string { return fmt.Sprintf("%s (%d bytes, masked)", f.Path, len(f.Content)) }

// Format masks the content whatever the verb.
func (f File) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(f.String())) }

// MarshalText masks the content for every encoder.
func (f File) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// Render returns the file to plant for t at its path. The name of the file
// chooses the form: credentials (AWS), a dot-env file, a shell history, or a
// plain note for any other name. before is what the file already holds on the
// persona; a history or dot-env keeps it, anything else replaces it.
func (t *Token) Render(before []byte) File {
	f := File{Path: t.face.Path, Mode: 0o600}
	name := path.Base(t.face.Path)
	switch {
	case name == ".bash_history" || name == ".ash_history" || name == ".history":
		f.Content = []byte(withLine(string(before), t.HistoryLine(), usualHistory))
	case t.face.Kind == KindAWSKey && name == "credentials":
		f.Content = []byte(t.awsCredentials())
	case strings.HasPrefix(name, ".env"):
		f.Mode = 0o640
		f.Content = []byte(dotEnvHead)
		if len(before) > 0 { // the application already says what it is
			f.Content = []byte(strings.TrimRight(string(before), "\n") + "\n\n")
		}
		f.Content = append(f.Content, t.dotEnv()...)
	default:
		f.Content = []byte(t.note())
	}
	return f
}

// value returns the planted string of a part.
func (t *Token) value(part string) string {
	for _, v := range append(t.own.secret.values, t.own.secret.needles...) {
		if v.Part == part {
			return v.Text
		}
	}
	return ""
}

// awsCredentials is the INI file of the AWS CLI (~/.aws/credentials).
func (t *Token) awsCredentials() string {
	return "[default]\naws_access_key_id = " + t.value(partKeyID) +
		"\naws_secret_access_key = " + t.value(partSecret) + "\nregion = eu-central-1\n"
}

// dotEnvHead begins the environment file of an application that has none.
const dotEnvHead = "APP_NAME=portal\nAPP_ENV=production\nAPP_DEBUG=false\nLOG_LEVEL=warning\n\n"

// dotEnv is the token's part of a web application's environment file.
func (t *Token) dotEnv() string {
	switch t.face.Kind {
	case KindAWSKey:
		return "AWS_ACCESS_KEY_ID=" + t.value(partKeyID) + "\nAWS_SECRET_ACCESS_KEY=" + t.value(partSecret) + "\nAWS_DEFAULT_REGION=eu-central-1\n"
	case KindDBURL:
		return "DATABASE_URL=" + t.value(partURL) + "\nDATABASE_POOL=10\n\nCACHE_DRIVER=redis\nSESSION_DRIVER=redis\nQUEUE_CONNECTION=redis\n"
	default:
		return "ADMIN_USER=" + t.face.User + "\nADMIN_PASSWORD=" + t.value(partPassword) + "\n"
	}
}

// HistoryLine is the shell command by which an administrator would have left
// the token in a history file, without the line break.
func (t *Token) HistoryLine() string {
	switch t.face.Kind {
	case KindAWSKey:
		return "AWS_ACCESS_KEY_ID=" + t.value(partKeyID) + " AWS_SECRET_ACCESS_KEY=" + t.value(partSecret) + " aws s3 sync /var/backups s3://portal-backup-eu"
	case KindDBURL:
		if strings.HasPrefix(t.value(partURL), "mysql:") {
			return "mysqlsh --uri '" + t.value(partURL) + "' --sql -e 'select count(*) from users'"
		}
		return `psql "` + t.value(partURL) + `" -c 'select count(*) from users'`
	default:
		switch t.face.OpensSensor {
		case "http", "https":
			return "curl -u " + t.face.User + ":" + t.value(partPassword) + " http://127.0.0.1/admin/"
		case "mysql", "mariadb":
			return "mysql -h 127.0.0.1 -u " + t.face.User + " -p" + t.value(partPassword)
		case "ftp":
			return "curl -T /var/backups/portal.tar.gz ftp://" + t.face.User + ":" + t.value(partPassword) + "@127.0.0.1/"
		case "telnet":
			return "echo '" + t.face.User + " / " + t.value(partPassword) + "' >> ~/telnet-console.txt"
		default:
			return "sshpass -p " + t.value(partPassword) + " ssh " + t.face.User + "@127.0.0.1"
		}
	}
}

func (t *Token) note() string {
	switch t.face.Kind {
	case KindAWSKey:
		return t.awsCredentials()
	case KindDBURL:
		return t.value(partURL) + "\n"
	default:
		return t.face.User + ":" + t.value(partPassword) + "\n"
	}
}

// usualHistory surrounds a history line when the persona has no history of
// its own.
const usualHistory = "apt update\napt upgrade -y\nsystemctl status nginx\ndf -h\ntail -n 50 /var/log/nginx/error.log\nsystemctl restart nginx\ncd /var/www\nls -la\nexit\n"

// withLine puts line at about two thirds of a history: neither the first nor
// the last thing a reader sees.
func withLine(before, line, usual string) string {
	if before == "" {
		before = usual
	}
	lines := strings.Split(strings.TrimRight(before, "\n"), "\n")
	at := len(lines) * 2 / 3
	out := append(append(append([]string{}, lines[:at]...), line), lines[at:]...)
	return strings.Join(out, "\n") + "\n"
}

// StarterSpecs are the tokens of a fresh persona: an AWS key pair, a database
// URL, and a password in root's history that opens the decoy opens for user.
func StarterSpecs(persona, opens, user string) []Spec {
	return []Spec{
		{Kind: KindAWSKey, Persona: persona, Path: "/root/.aws/credentials"},
		{Kind: KindDBURL, Persona: persona, Path: "/var/www/portal/.env"},
		{Kind: KindPassword, Persona: persona, Path: "/root/.bash_history", OpensSensor: opens, User: user},
	}
}
