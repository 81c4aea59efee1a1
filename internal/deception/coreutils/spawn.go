package coreutils

// spawn runs another command after writing out what is buffered. A command that
// does not exist is reported in the manner of the caller.
func (p *Proc) spawn(argv []string, change func(c *Proc)) int {
	p.flush()
	p.step(20)
	child := *p
	child.Args, child.PPID, child.PID = argv, p.PID, 0
	child.out = nil
	if change != nil {
		change(&child)
	}
	return p.Run(&child, argv)
}
