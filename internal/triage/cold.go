package triage

// Cold returns the model of a site without verdicts.
func Cold() *Model {
	m := &Model{Name: "cold start", Bias: -9}
	for j := range m.Dev {
		m.Dev[j] = 1
	}
	for s := range scopeCount {
		w := m.Weights[s*perScope:]
		w[fRare] = 0.4
		for k := range spans {
			w[fSpans+k*perSpan+fCompany] = 0.4
		}
	}
	return m
}
