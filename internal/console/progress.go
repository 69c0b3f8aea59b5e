package console

import (
	"fmt"
	"time"
)

// Progress shows that work goes on, on one line that is rewritten. It is gone when the work is done.
type Progress struct {
	done    chan int
	stopped chan struct{}
}

// Progress begins to show that the work goes on. With a total it shows how much is done. Without somebody who watches
// it shows nothing.
func (c *Console) Progress(what string, total int) *Progress {
	p := &Progress{done: make(chan int), stopped: make(chan struct{})}
	go func() {
		defer close(p.stopped)
		p.show(c, what, total)
	}()
	return p
}

// show rewrites the line until the work is done.
func (p *Progress) show(c *Console, what string, total int) {
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	done := 0
	for {
		if c.live {
			line := fmt.Sprintf("%s, %d s", what, int(time.Since(began).Seconds()))
			if total > 0 {
				line = fmt.Sprintf("%s: %d of %d, %d s", what, done, total, int(time.Since(began).Seconds()))
			}
			fmt.Fprintf(c.Err, "\r\x1b[K%s", c.In(Dim, Clip(line, Width-1)))
		}
		select {
		case n, open := <-p.done:
			if !open {
				if c.live {
					fmt.Fprint(c.Err, "\r\x1b[K")
				}
				return
			}
			done += n
		case <-tick.C:
		}
	}
}

// Add says that more is done.
func (p *Progress) Add(n int) { p.done <- n }

// Stop ends it and takes the line away.
func (p *Progress) Stop() {
	close(p.done)
	<-p.stopped
}
