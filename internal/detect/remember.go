package detect

// A Rememberer is a detector that remembers more than the last stretch of the
// log can tell it again after a restart, such as counts over days. What it
// remembers is kept now and then with its place in the log. At a start it gets
// it back, and then only the events behind that place, before anything else.
type Rememberer interface {
	// Remember writes down what the detector knows, nil for nothing.
	Remember() []byte
	// Resume takes over what Remember wrote, in a detector that saw nothing
	// yet. After an error the detector knows nothing.
	Resume(memory []byte) error
}
