package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"clientvpn-responder/internal/emulator"
	"clientvpn-responder/internal/trial"
)

// reading is the cost of cutting off a person whose connection is the last of so many on an endpoint. The bare reader
// reads the same pages.
type reading struct {
	size               int
	whole, bare        time.Duration // from the first page's request to the last one's
	cutOff             time.Duration // since the event arrived
	afterListing       time.Duration // from the answer with the last page to the request to terminate the connection
	memory, bareMemory int64
}

func (b *bench) list(ctx context.Context, size int, name string, batch []byte) (reading, error) {
	cloud := newCrowd(1, size-1)
	cloud.Connect(emulator.Client{EndpointID: trial.Endpoints[0].ID, Username: name, CommonName: name})
	t, err := b.try(ctx, cloud, batch)
	if err != nil {
		return reading{}, err
	}
	l := reading{size: size, memory: t.memory}
	if l.cutOff, err = t.cutOff(); err != nil {
		return l, err
	}
	pages := t.made(describe, "")
	if want := pagesOf(size); len(pages) < want {
		return l, fmt.Errorf("the handler asked for %d of %d pages", len(pages), want)
	}
	l.whole = span(pages)
	l.afterListing = t.invoked.Add(l.cutOff - latency).Sub(pages[len(pages)-1].At.Add(latency))
	return l, b.readBare(ctx, cloud, &l)
}

// readBare measures the bare reader on the same pages.
func (b *bench) readBare(ctx context.Context, cloud *emulator.Cloud, l *reading) error {
	before := len(cloud.Calls())
	url, stop, err := emulator.Serve(cloud)
	if err != nil {
		return err
	}
	defer stop()
	reader, err := emulator.Start(ctx, b.program(bareReader), b.environment(url))
	if err != nil {
		return err
	}
	defer reader.Close()
	answer, err := reader.Invoke(ctx, []byte(strconv.Quote(trial.Endpoints[0].ID)))
	if err != nil {
		return err
	}
	if want := strconv.Itoa(pagesOf(l.size)); string(answer.Payload) != want || answer.Failure != nil {
		return fmt.Errorf("there are %s pages, and the bare reader read %s (%+v)", want, answer.Payload, answer.Failure)
	}
	l.bare = span(cloud.Calls()[before:])
	l.bareMemory = reader.MaxRSS()
	return nil
}

// pagesOf returns how many pages of 1,000 a listing has.
func pagesOf(connections int) int { return (connections + 999) / 1000 }

const (
	lastSpelled = "zoe.last@example.com" // the person on the last page, as the event has the name
	lastCased   = "zOe.LaSt@eXaMpLe.com"
	largeRounds = 3
)

// listing measures at the sizes that AWS's quotas allow by the number of an endpoint's subnets, and the largest several
// times.
func (b *bench) listing(ctx context.Context) error {
	batch, err := leaving(lastSpelled)
	if err != nil {
		return err
	}
	var bySize, found, quick []reading
	for _, size := range []int{7_000, 36_500, 66_500, 96_500} {
		l, err := b.list(ctx, size, lastCased, batch)
		if err != nil {
			return err
		}
		bySize = append(bySize, l)
	}
	for range largeRounds {
		l, err := b.list(ctx, mostConnections, lastSpelled, batch)
		if err != nil {
			return err
		}
		quick = append(quick, l)
		if l, err = b.list(ctx, mostConnections, lastCased, batch); err != nil {
			return err
		}
		found = append(found, l)
	}
	largest := largestOf(quick, found)
	b.addListing(quick, found, largest, bySize[0])
	b.plotListing(append(bySize, largest))
	return nil
}

// largestOf returns the medians of the readings of the largest endpoint, and the most memory of all.
func largestOf(quick, found []reading) reading {
	largest := reading{
		size:  mostConnections,
		whole: medianOf(found, func(l reading) time.Duration { return l.whole }),
		bare:  medianOf(found, func(l reading) time.Duration { return l.bare }),
	}
	for _, l := range append(quick, found...) {
		largest.memory, largest.bareMemory = max(largest.memory, l.memory), max(largest.bareMemory, l.bareMemory)
	}
	return largest
}

func medianOf(from []reading, figure func(reading) time.Duration) time.Duration {
	var all []time.Duration
	for _, l := range from {
		all = append(all, figure(l))
	}
	return median(all)
}

func (b *bench) addListing(quick, found []reading, largest, smallest reading) {
	cutOff := medianOf(quick, func(l reading) time.Duration { return l.cutOff })
	b.add("126,000 connections, the person's on the last page, spelled as in the event: cut off", "%.1f round trips",
		roundTrips(cutOff), 5, fmt.Sprintf(" (%.0f ms)", milliseconds(cutOff)))
	lag := medianOf(found, func(l reading) time.Duration { return l.afterListing })
	b.add("under another case: Terminate requested after the last page was answered", "%.1f round trips",
		roundTrips(lag), 1, fmt.Sprintf(" (%.0f ms)", milliseconds(lag)))
	whole, bare := largest.whole.Seconds(), largest.bare.Seconds()
	b.add("the whole listing against a bare HTTP reader of the same pages", "%.2f ×", whole/bare, 1.5,
		fmt.Sprintf(" (%.2f s, %.2f s; medians of %d)", whole, bare, largeRounds))
	b.add("memory with 126,000 connections", "%.1f MiB", mebibytes(largest.memory), 64,
		fmt.Sprintf(" (bare reader %.1f MiB)", mebibytes(largest.bareMemory)))
	growth := float64(largest.memory) / float64(smallest.memory)
	b.add("memory with 126,000 against 7,000 connections", "%.2f ×", growth, 1.5, "")
}

func (b *bench) plotListing(bySize []reading) {
	var sizes, whole, bare, memory, bareMemory []float64
	for _, l := range bySize {
		sizes = append(sizes, float64(l.size)/1000)
		whole, bare = append(whole, l.whole.Seconds()), append(bare, l.bare.Seconds())
		memory, bareMemory = append(memory, mebibytes(l.memory)), append(bareMemory, mebibytes(l.bareMemory))
	}
	b.panels = append(b.panels,
		panel{title: "Time of the whole listing, seconds", x: "thousand connections on one endpoint, 50 ms a page of 1,000",
			series: []series{{"bare HTTP reader", sizes, bare}, {"handler", sizes, whole}}},
		panel{title: "Memory at most, MiB", x: "thousand connections on one endpoint", series: []series{
			{"bare HTTP reader", sizes, bareMemory}, {"handler", sizes, memory}, {"goal", []float64{0, 126}, []float64{64, 64}},
		}},
	)
}
