package sensor

// A needles finds many byte strings in a stream, however the stream is cut
// into chunks. It is an Aho-Corasick automaton over the few byte values that
// occur in the strings: every other byte leads back to the start.
//
// It is built once per process and shared; a search holds one integer.
type needles struct {
	class [256]uint8 // byte -> column, 0 for bytes in no needle
	width int        // columns
	next  []uint16   // state*width + column -> state
	found [][]int    // state -> tags of the needles ending there
}

// minNeedle is the shortest byte string searched for: a shorter one would be
// found in what the decoy says anyway.
const minNeedle = 8

// maxNeedleBytes bounds the automaton: states are at most that many.
const maxNeedleBytes = 1 << 15

// newNeedles builds the automaton; tags[i] is reported when texts[i] is found.
// Texts shorter than minNeedle are left out, as is what is beyond
// maxNeedleBytes in all.
func newNeedles(texts [][]byte, tags []int) *needles {
	n := &needles{width: 1}
	total := 0
	var kept []int
	for i, t := range texts {
		if len(t) < minNeedle || total+len(t) > maxNeedleBytes {
			continue
		}
		total += len(t)
		kept = append(kept, i)
		for _, c := range t {
			if n.class[c] == 0 && n.width < 256 {
				n.class[c] = uint8(n.width)
				n.width++
			}
		}
	}
	n.next = make([]uint16, n.width, (total+1)*n.width)
	n.found = make([][]int, 1, total+1)
	for _, i := range kept {
		n.insert(texts[i], tags[i])
	}
	n.link()
	return n
}

// insert adds one path to the trie.
func (n *needles) insert(text []byte, tag int) {
	state := uint16(0)
	for _, c := range text {
		at := int(state)*n.width + int(n.class[c])
		if n.next[at] == 0 {
			n.next[at] = uint16(len(n.found))
			n.next = append(n.next, make([]uint16, n.width)...)
			n.found = append(n.found, nil)
		}
		state = n.next[at]
	}
	n.found[state] = append(n.found[state], tag)
}

// link turns the trie into an automaton that never looks back: the missing
// steps of a state are those of its longest proper suffix.
func (n *needles) link() {
	fail := make([]uint16, len(n.found))
	queue := make([]uint16, 0, len(n.found))
	for col := range n.width {
		if s := n.next[col]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		suffix := fail[state]
		n.found[state] = append(n.found[state], n.found[suffix]...)
		for col := range n.width {
			at := int(state)*n.width + col
			via := n.next[int(suffix)*n.width+col]
			if s := n.next[at]; s != 0 {
				fail[s] = via
				queue = append(queue, s)
			} else {
				n.next[at] = via
			}
		}
	}
}

// search feeds p to the automaton in the given state and returns the new one.
// hit is called with the tag of every needle that ends in p.
func (n *needles) search(state uint16, p []byte, hit func(tag int)) uint16 {
	if n == nil || len(n.found) == 1 {
		return 0
	}
	for _, c := range p {
		state = n.next[int(state)*n.width+int(n.class[c])]
		for _, tag := range n.found[state] {
			hit(tag)
		}
	}
	return state
}
