package password

// advise says what is wrong with a password in words for its owner. It never
// shows a piece of it.
func (s *Strength) advise(r []rune, parts []part) {
	if len(r) == 0 {
		s.Suggestions = []string{"Three or four words that do not belong together are easy to keep in mind and hard to guess."}
		return
	}
	if s.Score >= 3 {
		return
	}
	worst := part{}
	for _, p := range parts {
		if p.what != plainPart && p.to-p.from > worst.to-worst.from {
			worst = p
		}
	}
	whole := worst.to-worst.from == len(r)
	switch {
	case worst.what == wordPart && whole:
		s.Warning = "This is among the first passwords that are tried."
	case worst.what == wordPart:
		s.Warning = "It is built on a word that is tried first."
	case worst.what == ownPart:
		s.Warning = "It holds a name that belongs to you or to this place."
	case worst.what == rowPart:
		s.Warning = "Keys that lie side by side are tried first."
	case worst.what == sequencePart:
		s.Warning = "Letters or digits in their order are tried first."
	case worst.what == repeatPart:
		s.Warning = "What is repeated adds almost nothing."
	case worst.what == datePart:
		s.Warning = "Dates and years are tried first."
	case len(r) < 12:
		s.Warning = "It is short."
	default:
		s.Warning = "It is easier to guess than it looks."
	}
	if len(r) < 15 {
		s.Suggestions = append(s.Suggestions, "Make it longer: three or four words that do not belong together.")
	}
	if worst.what == wordPart || worst.what == ownPart {
		s.Suggestions = append(s.Suggestions, "Digits for letters, a capital in front and a sign at the end do not help.")
	}
	if worst.what == rowPart || worst.what == sequencePart || worst.what == repeatPart || worst.what == datePart {
		s.Suggestions = append(s.Suggestions, "Put something in the place of the pattern.")
	}
	s.Suggestions = append(s.Suggestions, "Best is what a password manager makes.")
}
