package token

import (
	"bytes"
	"regexp"
)

// A Finding is one place of a text that could be a real credential.
type Finding struct {
	Line int    // 1-based
	Rule string // aws_key, db_url, private_key
	Why  string
}

// lintRule recognises one format of secret. Group 1, when there is one, is the
// value to prove.
type lintRule struct {
	name string
	kind string // kind whose proof counts, "" when none does
	re   *regexp.Regexp
}

var lintRules = []lintRule{
	{"aws_key", KindAWSKey, regexp.MustCompile(`\b((?:AKIA|ASIA)[A-Z2-7]{16})\b`)},
	{"aws_secret", "", regexp.MustCompile(`(?i)aws.{0,24}secret.{0,24}[=:]\s*["']?([A-Za-z0-9/+]{40})\b`)},
	{"db_url", KindDBURL, regexp.MustCompile(`\b((?:postgres(?:ql)?|mysql|mariadb|mongodb|redis|amqp|ftp)://[^\s:/@"']+:[^\s/@"']+@[^\s"'<>]+)`)},
	{"private_key", "", regexp.MustCompile(`(-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----)`)},
}

// Lint reports every secret-looking string of text that neither reg knows nor
// a proof covers. decoys are as in [Prove]. reg may be nil.
func Lint(text []byte, reg *Registry, decoys ...string) []Finding {
	var out []Finding
	for _, rule := range lintRules {
		for _, m := range rule.re.FindAllSubmatchIndex(text, -1) {
			value := text[m[2]:m[3]]
			if len(reg.Match(value)) > 0 || Marked(string(value)) {
				continue
			}
			why := "not registered, and no proof exists for this kind"
			if rule.kind != "" {
				err := Prove(rule.kind, string(value), decoys...)
				if err == nil {
					continue
				}
				why = err.Error()
			}
			out = append(out, Finding{Line: 1 + bytes.Count(text[:m[0]], []byte("\n")), Rule: rule.name, Why: why})
		}
	}
	return out
}
