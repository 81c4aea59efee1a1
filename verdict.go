package honeyguide

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A VerdictWord is what an analyst decided an alert was.
type VerdictWord string

// The words of verdicts.
const (
	VerdictNone          VerdictWord = "none"           // not decided, or taken back
	VerdictTruePositive  VerdictWord = "true_positive"  // it needed a human
	VerdictFalsePositive VerdictWord = "false_positive" // the claim was wrong
	VerdictBenign        VerdictWord = "benign"         // the claim was right and nothing to worry about
	VerdictDuplicate     VerdictWord = "duplicate"      // another alert says the same
)

// VerdictWords returns all words of verdicts.
func VerdictWords() []VerdictWord {
	return []VerdictWord{VerdictTruePositive, VerdictFalsePositive, VerdictBenign, VerdictDuplicate, VerdictNone}
}

// ParseVerdict reads a word of a verdict; - and _ mean the same.
func ParseVerdict(word string) (VerdictWord, error) {
	w := VerdictWord(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), "-", "_"))
	if !slices.Contains(VerdictWords(), w) {
		return "", &Error{Code: CodeInvalid, Message: fmt.Sprintf("verdict: %.40q; want one of true_positive, false_positive, benign, duplicate, none", word)}
	}
	return w, nil
}

// A Verdict is what somebody decided an alert or an incident was. The zero
// Verdict is none.
type Verdict struct {
	As      VerdictWord `json:"as"`
	Reason  string      `json:"reason,omitempty"`  // why, in a phrase by which verdicts can be compared
	Comment string      `json:"comment,omitempty"` // anything else
	By      string      `json:"by"`                // name of the key it was passed with, or local
	At      time.Time   `json:"at"`
}

// Telling reports whether a verdict says how good the rule was, and whether it
// says that the alert needed a human. A duplicate says neither.
func (v VerdictWord) Telling() (positive, telling bool) {
	switch v {
	case VerdictTruePositive:
		return true, true
	case VerdictFalsePositive, VerdictBenign:
		return false, true
	}
	return false, false
}

// A Judgement is one verdict on one alert, as it was when it was passed. It
// outlives the alert.
type Judgement struct {
	ID       string      `json:"id"` // the number of the judgement: 17
	Alert    string      `json:"alert"`
	Short    string      `json:"short"`
	Incident string      `json:"incident,omitempty"`
	RuleID   string      `json:"rule_id"`
	Source   string      `json:"source"` // what raised the alert: a detector of ours, or the product
	Title    string      `json:"title"`
	Severity Severity    `json:"severity"`
	Score    float64     `json:"score"`          // when it was judged
	Seen     string      `json:"seen,omitempty"` // what triage saw, packed
	Time     time.Time   `json:"time"`           // of the alert
	Verdict  Verdict     `json:"verdict"`
	Before   VerdictWord `json:"before,omitempty"` // what stood before
	Standing bool        `json:"standing"`         // nothing was said of the alert since
}

// RuleSource returns what raised an alert: the product whose finding it is, or
// the detector of ours.
func (a *Alert) RuleSource() string {
	if a.Detector == "finding" {
		product, _, ok := strings.Cut(a.RuleID, ":")
		if ok {
			return product
		}
	}
	return a.Detector
}
