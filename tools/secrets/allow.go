package secrets

import "regexp"

// allow are the words that look like credentials and open nothing. A file that
// ends with a slash is a folder; no word means every word of the file. Each line
// has its reason, which is what a reviewer is asked to believe.
var allow = []struct {
	file string
	word *regexp.Regexp
	why  string
}{
	{"", regexp.MustCompile(`(?i)example|0123456789|abcdef|xxxxx|placeholder|changeme|not-?a-?secret`), "says itself that it is an example"},
	{"internal/deception/token/token_test.go", nil, "bait: keys whose account number belongs to nobody, in the form the decoys plant"},
	{"internal/sensor/needle_test.go", regexp.MustCompile(`^AKIA6V`), "the same bait, searched for in what attackers send"},
	{"internal/sensor/sensortest/rig.go", regexp.MustCompile(`^wJalrX`), "the secret key of the provider's own documentation"},
	{"internal/deception/coreutils/unitfile_test.go", regexp.MustCompile(`^-----BEGIN`), "the first line of a key that goes on with one letter, for a test of reading files"},
	{"internal/respond/slack/slack_test.go", regexp.MustCompile(`^xoxb-s`), "a word in the place of a token, for a server of the test"},
}
