package playbook

import (
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// evil is what attackers may put into titles and names.
const evil = "${title} ${vars.secret} $${x} ${`a`} {{.}} $(id) \x1b[31m‮\n--\r\nBcc: x"

func TestTemplates(t *testing.T) {
	f := crowd()
	f.Incident.Title, f.Incident.Short, f.Vars = evil, "I-3", map[string]string{"secret": "the secret", "n": "3"}
	f.Incident.Attackers, f.Incident.Proven = []string{"203.0.113.7", "203.0.113.8"}, nil
	f.Incident.CreatedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"":                               "",
		"plain":                          "plain",
		"${short}: ${severity} ${score}": "I-3: high 70",
		"${title}":                       evil,
		"<${title}> ${vars.secret}":      "<" + evil + "> the secret",
		"$${title} costs $5 {}":          "${title} costs $5 {}",
		"$":                              "$",
		"${attackers}":                   "203.0.113.7, 203.0.113.8",
		"${proven}":                      "",
		`${join(attackers, " ")}`:        "203.0.113.7 203.0.113.8",
		"${created_at}":                  "2026-03-01T12:00:00Z",
		"${due_at}":                      "",
		"${now - created_at}":            "0s",
		"${opened}":                      "false",
		"${int(vars.n) + 1}":             "4",
		"${len(filter(attackers, {# == \"203.0.113.7\"}))}": "1",
		"${\"}\"}":     "}",
		"${score / 3}": "23.333333333333332",
	} {
		if got, err := fill(text, f); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"${":                   "no closing }",
		"a ${title":            "no closing }",
		"${}":                  "ends too early",
		"${titel}":             "did you mean title?",
		"${alerts}":            "cannot be written into a text",
		"${vars}":              "cannot be written into a text",
		"${title + title}":     "texts are not added",
		"${vars.nothing}":      "no input \"nothing\"",
		"${steps.later.state}": "no earlier step",
	} {
		e := checkTemplate(text, scope{known: true, inputs: []string{"n", "secret"}})
		if e == nil || !strings.Contains(e.text, want) {
			t.Errorf("%q: %v, want %q", text, e, want)
		}
	}
	if _, err := fill("${title}${title}${title}", &Facts{Incident: &honeyguide.Incident{Title: strings.Repeat("x", 10<<10)}}); err == nil {
		t.Error("a text without end was made")
	}
}

// What a step yields once is never an expression again, and conditions cannot be
// changed by what attackers say.
func TestInjection(t *testing.T) {
	f := crowd()
	f.Incident.Title, f.Incident.Attackers = `" or true or "`, []string{`x" or true`, "203.0.113.7"}
	f.Vars = map[string]string{"v": "${title}"}
	s := honeyguide.RunStep{Name: "one", Action: "block_ip", Each: `filter(attackers, # != "")`, When: `title == "x"`, Params: map[string]string{"a": "${vars.v}", "b": "${title}"}}
	if d, err := Resolve(&s, f); err != nil || d.Skip == "" {
		t.Errorf("%+v, %v", d, err)
	}
	s.When = ""
	d, err := Resolve(&s, f)
	if err != nil || d.Params["a"] != "${title}" || d.Params["b"] != f.Incident.Title || len(d.Targets) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if s.Params["a"] != "${vars.v}" {
		t.Error("the step itself was filled in")
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("${short}: ${title} $${x} ${join(attackers, \"}\")}", evil)
	f.Add("${", "${")
	f.Fuzz(func(t *testing.T, text, title string) {
		facts := &Facts{Incident: &honeyguide.Incident{Title: title}, Vars: map[string]string{"v": title}}
		e := checkTemplate(text, scope{})
		got, err := fill(text, facts)
		if e != nil && err == nil && strings.Contains(text, "${") {
			t.Fatalf("%q was refused (%v), and is %q", text, e, got)
		}
		if e != nil && (e.at < 0 || e.at > len(text)) {
			t.Fatalf("%q: place %d", text, e.at)
		}
		// A value goes in as it is.
		if got, err := fill("<${title}>${vars.v}", facts); len(title) < 4000 && (err != nil || got != "<"+title+">"+title) {
			t.Fatalf("%q became %q, %v", title, got, err)
		}
	})
}

func FuzzExpr(f *testing.F) {
	for _, s := range []string{
		`severity >= high and not (attackers contains "1")`, `any(alerts, .severity in [low, high] and .title matches "a+")`,
		`count(filter(attackers, # startsWith "10."), true) > 1`, `steps["a"].state == vars.x ? true : now - first_at > duration("1h")`,
		`join(map(attackers, upper(#)), ",") endsWith ","`, `max(score, 1, 2) ** 2 % 3 == 1`, `alerts[-1]?.rule ?? "x" == "y"`, `[1,2,3][1:][0] == 2 | not`,
	} {
		f.Add(s)
	}
	facts := crowd()
	f.Fuzz(func(t *testing.T, s string) {
		x, err := Compile(s)
		if err != nil {
			return
		}
		if n := testing.AllocsPerRun(1, func() { _, _ = x.True(facts) }); n > 4*maxCost {
			t.Fatalf("%q: %.0f allocations", s, n)
		}
	})
}
