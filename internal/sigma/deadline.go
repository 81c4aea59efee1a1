package sigma

import (
	"cmp"
	"container/heap"
)

// deadlines are the groups that are judged when their span is over, the next
// one first. The order is whole, so that it does not depend on how it came
// about.
type deadlines []*group

// Len, Less, Swap, Push and Pop are those of heap.Interface.
func (d deadlines) Len() int { return len(d) }

// Less orders by deadline; correlations others stand on come first.
func (d deadlines) Less(i, j int) bool {
	a, b := d[i], d[j]
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.w.depth, b.w.depth), cmp.Compare(a.w.number, b.w.number), cmp.Compare(a.key, b.key)) < 0
}

// Swap swaps two.
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].place, d[j].place = i, j
}

// Push appends one.
func (d *deadlines) Push(x any) {
	g := x.(*group)
	g.place = len(*d)
	*d = append(*d, g)
}

// Pop takes the last one off.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	g := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return g
}

func (d *deadlines) push(g *group)   { heap.Push(d, g) }
func (d *deadlines) remove(g *group) { heap.Remove(d, g.place) }
func (d *deadlines) fix(g *group)    { heap.Fix(d, g.place) }
