package sensor

func newShell(w *World, s *Session, a Account, o ShellOptions, watch *Watch) Shell { return nil }
