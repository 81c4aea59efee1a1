package detect

// A Rememberer is a detector that remembers more than the last stretch of the
// log can tell it again after a restart, such as counts over days. What it
// remembers is kept now and then with its place in the log, and given back at a
// start, before anything else.
type Rememberer interface {
	// Remember writes down what the detector knows, nil for nothing.
	Remember() []byte
	// Resume takes over what Remember wrote, in a detector that saw nothing
	// yet. After an error the detector knows nothing.
	Resume(memory []byte) error
	// Sleep says whether the events to come are among what was resumed: then
	// what they cause by themselves is claimed, and they are not counted again.
	Sleep(asleep bool)
}
