package enrich

import "context"

// Turn looks for new alerts and does what the services allow now.
func (d *Desk) Turn(ctx context.Context) error {
	if err := d.look(ctx); err != nil {
		return err
	}
	for _, s := range d.seats {
		for d.step(ctx, s) {
		}
	}
	return nil
}

// Waiting is how many values wait for the first service.
func (d *Desk) Waiting() int {
	d.seats[0].mu.Lock()
	defer d.seats[0].mu.Unlock()
	return len(d.seats[0].queue)
}
