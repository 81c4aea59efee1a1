package syslog

import "honeyguide"

// Verbs of hosts no sensor has a word for.
const (
	authFailure = "auth_failure" // said once more by another part of the same program
	sessionOpen = "session_open"
	sessionEnd  = "session_close"
	sudo        = "sudo"
	su          = "su"
	cronCommand = "cron_command"
	cronChange  = "crontab_change"
	account     = "account_change"
	preauth     = "preauth_close"
	negotiation = "negotiation_failed"
	blocked     = "packet_dropped"
	passed      = "packet_passed"
)

type verb struct {
	class    honeyguide.Class
	activity string
}

var (
	failed  = verb{honeyguide.ClassAuthentication, honeyguide.ActivityLoginFailed}
	success = verb{honeyguide.ClassAuthentication, honeyguide.ActivityLoginSuccess}
	again   = verb{honeyguide.ClassAuthentication, authFailure}
	opened  = verb{honeyguide.ClassAuthentication, sessionOpen}
	ended   = verb{honeyguide.ClassAuthentication, sessionEnd}
	changed = verb{honeyguide.ClassAccount, account}
	closed  = verb{honeyguide.ClassSSH, preauth}
)

// A message is a line of the tables: what a program writes, and what it means.
// The parts are: user, by (who does it), src, sport, auth, key, command, cwd, tty,
// path, detail, uid, group and _ for what is left out.
type message struct {
	text string
	verb verb
}

// A program is what is known of one program: the service Sigma rules call it by,
// and its messages, the first that fits wins.
type program struct {
	service  string
	messages []message
}

// pam are the messages of PAM's modules, under the name of any program.
var pam = []message{
	{"pam_unix({_}:auth): authentication failure; {_} rhost={src}  user={user}", again},
	{"pam_unix({_}:auth): authentication failure; {_} rhost={src}", again},
	{"pam_unix({_}:auth): authentication failure; {_} ruser={by} rhost= {_}user={user}", again},
	{"pam_unix({_}:auth): authentication failure;{detail}", again},
	{"pam_unix({_}:session): session opened for user {user}(uid={uid}) by {by}(uid={_})", opened},
	{"pam_unix({_}:session): session opened for user {user} by {by}(uid={_})", opened},
	{"pam_unix({_}:session): session closed for user {user}", ended},
	{"pam_unix({_}:chauthtok): password changed for {user}", changed},
	{"pam_unix({_}): check pass; user unknown", again},
}

var sshd = program{"sshd", []message{
	{"Failed {auth} for invalid user {user} from {src} port {sport} ssh2", failed},
	{"Failed {auth} for invalid user {user} from {src} port {sport} ssh2: {key}", failed},
	{"Failed {auth} for {user} from {src} port {sport} ssh2", failed},
	{"Failed {auth} for {user} from {src} port {sport} ssh2: {key}", failed},
	{"Accepted {auth} for {user} from {src} port {sport} ssh2", success},
	{"Accepted {auth} for {user} from {src} port {sport} ssh2: {key}", success},
	{"Invalid user {user} from {src} port {sport}", again},
	{"Invalid user {user} from {src}", again},
	{"User {user} from {src} not allowed because {detail}", again},
	{"error: maximum authentication attempts exceeded for invalid user {user} from {src} port {sport} ssh2 [preauth]", again},
	{"error: maximum authentication attempts exceeded for {user} from {src} port {sport} ssh2 [preauth]", again},
	{"Disconnecting invalid user {user} {src} port {sport}: {detail}", closed},
	{"Disconnecting authenticating user {user} {src} port {sport}: {detail}", closed},
	{"Connection closed by invalid user {user} {src} port {sport} [preauth]", closed},
	{"Connection closed by authenticating user {user} {src} port {sport} [preauth]", closed},
	{"Connection closed by {src} port {sport} [preauth]", closed},
	{"Connection closed by {src} port {sport}", verb{honeyguide.ClassSSH, honeyguide.ActivityClose}},
	{"Connection reset by invalid user {user} {src} port {sport} [preauth]", closed},
	{"Connection reset by authenticating user {user} {src} port {sport} [preauth]", closed},
	{"Connection reset by {src} port {sport} [preauth]", closed},
	{"Connection reset by {src} port {sport}", closed},
	{"Disconnected from invalid user {user} {src} port {sport} [preauth]", closed},
	{"Disconnected from authenticating user {user} {src} port {sport} [preauth]", closed},
	{"Disconnected from user {user} {src} port {sport}", verb{honeyguide.ClassSSH, honeyguide.ActivityClose}},
	{"Disconnected from {src} port {sport} [preauth]", closed},
	{"Received disconnect from {src} port {sport}:{detail}", closed},
	{"Did not receive identification string from {src} port {sport}", closed},
	{"Did not receive identification string from {src}", closed},
	{"banner exchange: Connection from {src} port {sport}: {detail}", verb{honeyguide.ClassSSH, honeyguide.ActivityMalformed}},
	{"Bad protocol version identification {detail} from {src} port {sport}", verb{honeyguide.ClassSSH, honeyguide.ActivityMalformed}},
	{"Unable to negotiate with {src} port {sport}: {detail}", verb{honeyguide.ClassSSH, negotiation}},
	{"ssh_dispatch_run_fatal: Connection from {src} port {sport}: {detail}", closed},
	{"Connection from {src} port {sport} on {_}", verb{honeyguide.ClassSSH, honeyguide.ActivityConnect}},
	{"Timeout before authentication for {src} port {sport}", closed},
	{"Starting session: {detail} for {user} from {src} port {sport} id {_}", opened},
	{"subsystem request for {detail} by user {user}", verb{honeyguide.ClassSSH, honeyguide.ActivitySubsystem}},
}}

var sudoers = program{sudo, []message{
	{"{by} : {_} incorrect password attempt{_} ; TTY={tty} ; PWD={cwd} ; USER={user} ; COMMAND={command}", failed},
	{"{by} : user NOT in sudoers ; TTY={tty} ; PWD={cwd} ; USER={user} ; COMMAND={command}", failed},
	{"{by} : command not allowed ; TTY={tty} ; PWD={cwd} ; USER={user} ; COMMAND={command}", failed},
	{"{by} : TTY={tty} ; PWD={cwd} ; USER={user} ; ENV={_} ; COMMAND={command}", verb{honeyguide.ClassProcess, sudo}},
	{"{by} : TTY={tty} ; PWD={cwd} ; USER={user} ; COMMAND={command}", verb{honeyguide.ClassProcess, sudo}},
	{"{by} : PWD={cwd} ; USER={user} ; COMMAND={command}", verb{honeyguide.ClassProcess, sudo}},
}}

var cron = program{"cron", []message{
	{"({user}) CMD ({command})", verb{honeyguide.ClassProcess, cronCommand}},
	{"({user}) BEGIN EDIT ({_})", verb{honeyguide.ClassLog, cronChange}},
	{"({user}) REPLACE ({_})", verb{honeyguide.ClassLog, cronChange}},
	{"({user}) DELETE ({_})", verb{honeyguide.ClassLog, cronChange}},
	{"({user}) RELOAD ({path})", verb{honeyguide.ClassLog, cronChange}},
}}

var switchUser = program{"auth", []message{
	{"FAILED SU (to {user}) {by} on {tty}", failed},
	{"(to {user}) {by} on {tty}", verb{honeyguide.ClassAuthentication, su}},
	{"Successful su for {user} by {by}", verb{honeyguide.ClassAuthentication, su}},
	{"FAILED su for {user} by {by}", failed},
}}

var accounts = program{"auth", []message{
	{"new user: name={user}, UID={uid}, GID={_}", changed},
	{"new group: name={group}, GID={_}", changed},
	{"add '{user}' to group '{group}'", changed},
	{"add '{user}' to shadow group '{group}'", changed},
	{"user {user} added by {by} to group {group}", changed},
	{"delete user '{user}'", changed},
	{"removed group '{group}' owned by '{user}'", changed},
	{"change user '{user}' {detail}", changed},
	{"password for '{user}' changed by '{by}'", changed},
}}

// programs by the name they log under.
var programs = map[string]program{
	"sshd": sshd, "sshd-session": sshd, "sudo": sudoers, "su": switchUser,
	"CRON": cron, "cron": cron, "crond": cron, "crontab": cron, "anacron": cron,
	"useradd": accounts, "usermod": accounts, "userdel": accounts, "groupadd": accounts, "groupdel": accounts, "groupmod": accounts, "gpasswd": accounts,
	"passwd": accounts, "chpasswd": accounts, "chage": accounts, "chfn": accounts, "chsh": accounts,
	"login": {"auth", []message{
		{"FAILED LOGIN ({_}) on '{tty}' FOR '{user}', {detail}", failed},
		{"FAILED LOGIN ({_}) on '{tty}' from '{src}' FOR '{user}', {detail}", failed},
		{"ROOT LOGIN  on '{tty}'{_}", success},
		{"LOGIN ON {tty} BY {user}", success},
	}},
	"systemd-logind": {"auth", []message{
		{"New session {_} of user {user}.", opened},
		{"Removed session {_}.", ended},
	}},
	"vsftpd": {"vsftpd", []message{
		{"[{user}] FAIL LOGIN: Client \"{src}\"", failed},
		{"[{user}] OK LOGIN: Client \"{src}\"", success},
		{"CONNECT: Client \"{src}\"", verb{honeyguide.ClassNetwork, honeyguide.ActivityConnect}},
	}},
	"dovecot": {"dovecot", []message{
		{"{_}: Disconnected{_}(auth failed, {_}): user=<{user}>, method={auth}, rip={src}, {_}", failed},
		{"{_}: Login aborted: {_}(auth failed, {_}): user=<{user}>, method={auth}, rip={src}, {_}", failed},
		{"{_}: Login: user=<{user}>, method={auth}, rip={src}, {_}", success},
	}},
	"smtpd": {"postfix", []message{
		{"warning: {_}[{src}]: SASL {auth} authentication failed: {detail}", failed},
	}},
	"clamd": {"clamav", nil}, "freshclam": {"clamav", nil}, "guacd": {"guacamole", nil}, "guacamole": {"guacamole", nil},
}
