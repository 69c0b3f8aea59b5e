package report

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// plot is the time to cut-off over a time, as an SVG has it. The scale of the duration is logarithmic.
type plot struct {
	Width, Height int
	Dots          []dot
	Lines         []gridLine
	Days          []gridLine
	Summary       string
}

type dot struct {
	X, Y  float64
	Class string
	Title string
}

// gridLine is a line of the grid and its label.
type gridLine struct {
	At    float64
	Label string
}

const (
	plotWidth, plotHeight         = 800, 260
	plotLeft, plotRight           = 60, 10
	plotTop, plotBottom           = 10, 30
	shortest, longest     float64 = 0.1, 86400 // seconds
)

// marks are the durations that the plot names.
var marks = []struct {
	seconds float64
	label   string
}{{1, "1 s"}, {10, "10 s"}, {60, "1 min"}, {600, "10 min"}, {3600, "1 h"}, {36000, "10 h"}}

// plotOf plots, for each outcome whose connections all ended, the time from the event to the last end. In dry-run it is
// the time to the decision.
func plotOf(outcomes []Outcome, from, to time.Time) plot {
	p := plot{Width: plotWidth, Height: plotHeight}
	var took []time.Duration
	for _, o := range outcomes {
		end := o.Timing.EndedAt
		if o.Status == "would-terminate" {
			end = o.Timing.DecidedAt
		}
		if o.Timing.EventAt.IsZero() || end.IsZero() {
			continue
		}
		d := max(end.Sub(o.Timing.EventAt), 0)
		took = append(took, d)
		p.Dots = append(p.Dots, dot{
			X: across(o.Timing.EventAt, from, to), Y: down(d.Seconds()), Class: o.Status,
			Title: fmt.Sprintf("%s: %s after the event", o.Signal.Subject, Span(d)),
		})
	}
	for _, m := range marks {
		p.Lines = append(p.Lines, gridLine{down(m.seconds), m.label})
	}
	step := max(to.Sub(from)/7, time.Hour)
	for at := from.Add(step / 2); at.Before(to); at = at.Add(step) {
		p.Days = append(p.Days, gridLine{across(at, from, to), at.UTC().Format("2 Jan")})
	}
	p.Summary = inWords(took)
	return p
}

func inWords(took []time.Duration) string {
	if len(took) == 0 {
		return "Nobody was cut off in this time, so there is nothing to measure."
	}
	slices.Sort(took)
	return fmt.Sprintf("Half of %d within %s of the event, 95 of 100 within %s, the slowest after %s. "+
		"In dry-run: until the decision.",
		len(took), Span(took[(len(took)-1)/2]), Span(took[(len(took)*95+99)/100-1]), Span(took[len(took)-1]))
}

// across returns where a time is, from left to right.
func across(at, from, to time.Time) float64 {
	part := at.Sub(from).Seconds() / max(to.Sub(from).Seconds(), 1)
	return round(plotLeft + min(max(part, 0), 1)*(plotWidth-plotLeft-plotRight))
}

// down returns where a duration is, from top to bottom: the longest is at the top.
func down(seconds float64) float64 {
	part := math.Log(min(max(seconds, shortest), longest)/shortest) / math.Log(longest/shortest)
	return round(plotHeight - plotBottom - part*(plotHeight-plotTop-plotBottom))
}

func round(x float64) float64 { return math.Round(x*10) / 10 }
